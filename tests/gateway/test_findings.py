"""How a finding is printed: the line, a caret below the very place, the way out, and how many there are."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from engine.model.diagnostic import Diagnostic, Severity, Span
from gateway.commands.findings import show, summary

ERROR, WARNING = (Diagnostic("C", "s", severity=severity) for severity in Severity)


def shown(line: str, column: int, *, before: str = "", terminal: bool = False, said: str = "Wrong.") -> list[str]:
    """The lines below the first one."""
    stream = io.StringIO()
    colours = "standard" if terminal else "auto"
    console = Console(file=stream, width=60, force_terminal=terminal, highlight=False, color_system=colours)  # type: ignore[arg-type]
    text = before + line
    span = Span("t", before.count("\n") + 1, column)
    show(console, [Diagnostic("Code", said, span=span)], {"t": text}, "t")
    return stream.getvalue().splitlines()[0 if terminal else 1 :]


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        ("name: value", "value"),
        ("説明: 日本語 {型: x}", "x"),
        ("\tname:\tvalue", "value"),
        ("日\t本\tx", "x"),
        ("e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT}: x", "x"),
        ("a\x1b[31m: x", "x"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}a: x", "x"),
        ("😀: x", "x"),
    ],
    ids=["plain", "wide", "tabs", "wide and tabs", "combining", "escape", "direction", "emoji"],
)
def test_the_caret_is_below_the_place(line: str, mark: str) -> None:
    text, caret = shown(line, line.index(mark) + 1)
    assert caret.endswith("^")
    assert cell_len(caret[:-1]) == cell_len(text[: text.rindex(mark)])


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    text, _ = shown("a: \x1b[31m\x07\N{RIGHT-TO-LEFT OVERRIDE}b", 4)
    assert text == "    1 | a: �[31m��b"
    assert "\x1b" not in shown("a", 1, said="There is no \x1b]0;x\x07.", terminal=False)[0]


def test_the_place_behind_the_end_of_the_line() -> None:
    assert shown("name:", 6) == ["    1 | name:", "      |      ^"]


@pytest.mark.parametrize("at", [0, 30, 500, 999], ids=["first", "early", "middle", "last"])
def test_a_long_line_is_cut_around_the_place(at: int) -> None:
    line = "x" * at + "!" + "y" * (999 - at)
    text, caret = shown(line, at + 1)
    assert text[caret.index("^")] == "!"
    assert len(text) < 180
    assert text.startswith("    1 | …") == (at > 60)
    assert text.endswith("…") == (at < 900)


def test_a_line_of_four_hundred_characters_is_shown_whole() -> None:
    assert shown("x" * 400, 200)[0] == "    1 | " + "x" * 400
    assert "…" in shown("x" * 401, 200)[0]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\x85", "\u2028"], ids=["lf", "crlf", "cr", "nel", "ls"])
def test_lines_are_counted_as_yaml_counts_them(ending: str) -> None:
    stream = io.StringIO()
    text = f"one{ending}two{ending}three"
    show(Console(file=stream, width=60), [Diagnostic("C", "s", span=Span("t", 3, 1))], {"t": text}, "t")
    assert stream.getvalue().splitlines()[1:] == ["    3 | three", "      | ^"]


def test_form_feeds_begin_no_line() -> None:
    assert shown("two", 1, before="one\x0cmore\n")[0] == "    2 | two"


def test_colours_only_on_a_terminal() -> None:
    assert "\x1b[" in "".join(shown("a", 1, terminal=True))
    assert "\x1b[" not in "".join(shown("a", 1))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([[], []], ""),
        ([[ERROR], []], "1 error in 1 file"),
        ([[ERROR, ERROR, WARNING], [ERROR]], "3 errors, 1 warning in 2 files"),
        ([[WARNING, WARNING]], "2 warnings in 1 file"),
    ],
    ids=["nothing", "one", "several", "warnings"],
)
def test_how_many(found: list[list[Diagnostic]], said: str) -> None:
    assert summary(found) == said
