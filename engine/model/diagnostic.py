"""What a user reads when something is wrong: a value, collected in lists, never thrown one by one."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from engine.model.immutable import immutable


class Severity(enum.StrEnum):
    ERROR = "error"
    WARNING = "warning"


@immutable
class Span:
    """A place in a source text; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `code` is a stable upper-camel word listed in docs/errors.md (`UnknownFunction`, `ParameterMissing` …);
    `summary` says what was asked and why not, in one sentence; `detail` tells the way out;
    `address` is the path inside the template (`Resources.Web.Properties.ImageId`).
    """

    code: str
    summary: str
    detail: str = ""
    address: str = ""
    span: Span | None = None
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = f" ({self.span})" if self.span else ""
        way_out = f" {self.detail}" if self.detail else ""
        return f"{self.summary}{way_out}{place}"


def in_order(found: Iterable[Diagnostic], first: str = "") -> tuple[Diagnostic, ...]:
    """Findings as their places follow each other in the source; those in the file `first` come first. What is said of
    one place again and again, for each turn of a loop, is said once."""
    once: dict[object, Diagnostic] = {}
    for one in found:
        once.setdefault((one.code, one.summary, one.detail, one.span or one.address), one)
    return tuple(sorted(once.values(), key=lambda one: _place(one, first)))


def _place(one: Diagnostic, first: str) -> tuple[bool, str, int, int]:
    if one.span is None:
        return (False, "", 0, 0)
    return (bool(first) and one.span.file != first, one.span.file, one.span.line, one.span.column)


class Invalid(Exception):
    """Raised with *all* findings when a template, a value or a request cannot be accepted."""

    def __init__(self, diagnostics: Iterable[Diagnostic] | Diagnostic) -> None:
        found = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        self.diagnostics: tuple[Diagnostic, ...] = found
        super().__init__("\n".join(str(one) for one in found))


def invalid(code: str, summary: str, detail: str = "", *, address: str = "", span: Span | None = None) -> Invalid:
    """Return an `Invalid` with one error, for `raise`."""
    return Invalid(Diagnostic(code, summary, detail, address, span))
