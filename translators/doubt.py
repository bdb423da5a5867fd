"""How far a template with mistakes in it can be looked at further, so that all of them are told at once.

A value that could not be read stands as a `Mistake`, which may be anything. What is left is where so much of a
resource is unclear that more findings about it would be echoes of the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.model.diagnostic import Diagnostic
from engine.model.expression import Mistake
from engine.model.template import Template

# Findings about a resource as a whole after which its type and properties are still what is written.
_CLEAR = frozenset({
    "CircularDependency", "DuplicateName", "InvalidExternalResourceDependency", "InvalidName",
    "InvalidTemplateReference", "UnknownCondition", "UnknownMapping", "UnknownParameter", "UnresolvedDependency",
})  # fmt: skip
_OF_KEYS = frozenset({"InvalidResource", "TransformFailed", "TransformMissing"})
_WHOLE = frozenset({"", "type", "properties"})  # the parts without which nothing is known of a resource


def doubtful(template: Template, errors: Iterable[Diagnostic]) -> frozenset[str]:
    """The resources of which too little could be read."""
    serious = (one for one in errors if one.code not in _CLEAR)
    return frozenset(name for one in serious for name in _concerned(one) if name in template.resources)


def _concerned(one: Diagnostic) -> tuple[str, ...]:
    """The names of which the finding leaves too little; names may have dots themselves."""
    section, _, rest = one.address.partition(".")
    if section.lower() != "resources":
        return ()
    name, _, part = rest.rpartition(".")
    # A key that a resource has not (`Poperties`) is addressed like one that it has.
    return (rest, name) if part.lower() in _WHOLE or one.code in _OF_KEYS else (rest,)


def without_circles(template: Template, errors: Iterable[Diagnostic]) -> Template:
    """`template` with conditions that can be decided: none where they go round in a circle."""
    if all(one.code != "CircularCondition" for one in errors):
        return template
    return replace(template, conditions={name: Mistake(span=one.span) for name, one in template.conditions.items()})
