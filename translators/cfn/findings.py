"""Collects what is wrong with a template while it is read, so that everything is told at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias, Union

from engine.model.diagnostic import Diagnostic, Severity, Span
from engine.model.nearest import did_you_mean

__all__ = ["Findings", "Path", "did_you_mean", "dotted", "slashed", "steps"]

# A place inside the template as a linked list, (parent, key): cheap to extend, turned to text only when it is told.
Path: TypeAlias = Union[tuple["Path", str], None]  # noqa: UP007  (a recursive alias needs typing.Union at run time)


class Findings:
    """A list of diagnostics that grows while parsing; `has_errors` tells whether the template can be used."""

    __slots__ = ("_errors", "_warnings")

    def __init__(self) -> None:
        self._errors: list[Diagnostic] = []
        self._warnings: list[Diagnostic] = []

    def error(self, code: str, summary: str, detail: str = "", *, at: Path = None, span: Span | None = None) -> None:
        self._errors.append(Diagnostic(code, summary, detail, dotted(at), span))

    def warning(self, code: str, summary: str, detail: str = "", *, at: Path = None, span: Span | None = None) -> None:
        self._warnings.append(Diagnostic(code, summary, detail, dotted(at), span, Severity.WARNING))

    def add(self, found: Iterable[Diagnostic]) -> None:
        for one in found:
            (self._errors if one.severity is Severity.ERROR else self._warnings).append(one)

    @property
    def has_errors(self) -> bool:
        return bool(self._errors)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The errors in the order of the source text."""
        return tuple(sorted(self._errors, key=_place))

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return tuple(sorted(self._warnings, key=_place))


def dotted(at: Path) -> str:
    """`Resources.Web.Properties.Tags.0`, as diagnostics show a place."""
    return ".".join(steps(at))


def slashed(at: Path) -> str:
    """`/Resources/Web/Properties/Tags/0`, as AWS's messages show a place."""
    return "".join("/" + step for step in steps(at))


def steps(at: Path) -> list[str]:
    """The keys that lead to a place, outermost first."""
    found: list[str] = []
    while at is not None:
        at, key = at
        found.append(key)
    return found[::-1]


def _place(one: Diagnostic) -> tuple[int, int]:
    return (one.span.line, one.span.column) if one.span else (0, 0)
