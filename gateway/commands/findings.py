"""Findings as a person reads them: place, what and why not, the line with a caret, the way out; how many there are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from engine.model.diagnostic import Diagnostic, Severity, Span

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}
_WIDEST_LINE: Final = 400  # characters of a source line that are shown whole
_BEFORE, _AFTER = 60, 100  # characters around the place that are shown of a longer one
_TAB: Final = 8
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # where YAML begins a new line
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def show(console: Console, findings: Iterable[Diagnostic], texts: Mapping[str, str], name: str) -> None:
    """Print them in the order given; `texts` are the sources by name; findings without a place are those of `name`."""
    for one in findings:
        place = str(one.span) if one.span else name
        head = Text.assemble(
            f"{place}: ", (f"{one.severity.value}", _STYLES[one.severity]), f": {_plain(one.summary)} [{one.code}]"
        )
        console.print(head, soft_wrap=True)
        if one.span is not None:
            _line(console, one.span, texts)
        if one.detail:
            console.print(Text(f"    {_plain(one.detail)}", "green"), soft_wrap=True)


def summary(found: Sequence[Sequence[Diagnostic]]) -> str:
    """`3 errors, 1 warning in 2 files`, of what was found in each file; "" when nothing was."""
    every = [one.severity for several in found for one in several]
    counts = [(every.count(Severity.ERROR), "error"), (every.count(Severity.WARNING), "warning")]
    said = ", ".join(_counted(count, word) for count, word in counts if count)
    return f"{said} in {_counted(sum(map(bool, found)), 'file')}" if said else ""


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


# --- the line and the caret -------------------------------------------------------------------------------------------
def _line(console: Console, span: Span, texts: Mapping[str, str]) -> None:
    lines = _BREAK.split(texts[span.file]) if span.file in texts else []
    if not 1 <= span.line <= len(lines):
        return
    before, after = _around(lines[span.line - 1], span.column - 1)
    number = str(span.line)
    console.print(Text(f"    {number} | {before}{after}".rstrip()), soft_wrap=True)
    margin = f"    {' ' * len(number)} | {' ' * cell_len(before)}"
    console.print(Text.assemble(margin, ("^", "bold")), soft_wrap=True)


def _around(line: str, at: int) -> tuple[str, str]:
    """What is shown of `line` on both sides of the character `at`: all of it, or the part around that place."""
    if len(line) <= _WIDEST_LINE:
        shown = [*_visible(line)]
        return "".join(shown[:at]), "".join(shown[at:])
    first, last = max(0, at - _BEFORE), at + _AFTER
    before, after = "".join(_visible(line[first:at])), "".join(_visible(line[at:last]))
    return ("…" if first else "") + before, after + ("…" if last < len(line) else "")


def _visible(line: str) -> Iterator[str]:
    """Each character as it can be printed: tabs as spaces, what a terminal would obey or hide as �."""
    width = 0
    for one in line:
        if one == "\t":
            one = " " * (_TAB - width % _TAB)
        elif unicodedata.category(one) in _INVISIBLE:
            one = "\N{REPLACEMENT CHARACTER}"
        width += cell_len(one)
        yield one


def _plain(sentence: str) -> str:
    """A sentence that quotes a template, without what a terminal would obey."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(one) in _INVISIBLE and one != "\n" else one
        for one in sentence
    )
