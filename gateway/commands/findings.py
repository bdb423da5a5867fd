"""Findings as a person reads them: place, what and why not, the line with a caret, the way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.text import Text

from engine.model.diagnostic import Diagnostic, Severity, Span

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}
_WIDEST_LINE = 400  # characters of a source line that are worth showing


def show(console: Console, findings: Iterable[Diagnostic], texts: Mapping[str, str], name: str) -> None:
    """Print them in the order given; `texts` are the sources by name; findings without a place are those of `name`."""
    for one in findings:
        place = str(one.span) if one.span else name
        head = Text.assemble(
            f"{place}: ", (f"{one.severity.value}", _STYLES[one.severity]), f": {one.summary} [{one.code}]"
        )
        console.print(head, soft_wrap=True)
        if one.span is not None:
            _line(console, one.span, texts)
        if one.detail:
            console.print(Text(f"    {one.detail}", "green"), soft_wrap=True)


def _line(console: Console, span: Span, texts: Mapping[str, str]) -> None:
    lines = texts[span.file].splitlines() if span.file in texts else []
    if not 1 <= span.line <= len(lines) or len(lines[span.line - 1]) > _WIDEST_LINE:
        return
    text, number = lines[span.line - 1], str(span.line)
    before = "".join(one if one == "\t" else " " for one in text[: span.column - 1])
    console.print(Text(f"    {number} | {text}"), soft_wrap=True)
    console.print(Text.assemble(f"    {' ' * len(number)} | {before}", ("^", "bold")), soft_wrap=True)
