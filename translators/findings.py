"""Collecting diagnostics: each with its place, and the nearest name where there is one."""

from __future__ import annotations

from collections.abc import Iterable

from engine.model.diagnostic import Diagnostic, Invalid, Severity, Span
from engine.model.nearest import nearest_name


class Findings:
    def __init__(self) -> None:
        self._found: list[Diagnostic] = []

    def error(self, code: str, summary: str, detail: str = "", *, address: str = "", span: Span | None = None) -> None:
        self._found.append(Diagnostic(code, summary, detail, address, span))

    def warning(self, code: str, summary: str, *, address: str = "", span: Span | None = None) -> None:
        self._found.append(Diagnostic(code, summary, "", address, span, Severity.WARNING))

    def add(self, found: Iterable[Diagnostic]) -> None:
        self._found.extend(found)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return tuple(one for one in self._found if one.severity is Severity.WARNING)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The errors, in the order of the source text."""
        return in_order(one for one in self._found if one.severity is Severity.ERROR)

    def check(self) -> None:
        """Raise Invalid with every error found so far."""
        if self.errors:
            raise Invalid(self.errors)


def in_order(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Findings as their places follow each other in the source."""
    return tuple(sorted(found, key=_place))


def _place(one: Diagnostic) -> tuple[str, int, int]:
    return (one.span.file, one.span.line, one.span.column) if one.span else ("", 0, 0)


def nearest(name: object, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """`Did you mean X?`, or what there is, or nothing."""
    names = list(known)
    near = nearest_name(str(name), names, cutoff)
    if near is not None:
        return f"Did you mean {near}?"
    return f"There is: {', '.join(sorted(names))}." if 0 < len(names) <= 12 else ""
