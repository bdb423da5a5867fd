"""Collecting diagnostics: each with its place."""

from __future__ import annotations

from collections.abc import Iterable

from engine.model.diagnostic import Diagnostic, Invalid, Severity, Span, in_order
from engine.model.nearest import nearest

__all__ = ["Findings", "in_order", "nearest"]


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
    def all(self) -> tuple[Diagnostic, ...]:
        """Errors and warnings as they were found."""
        return tuple(self._found)

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
