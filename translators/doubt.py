"""How far a template with mistakes in it can be looked at further, so that all of them are told at once.

A value that could not be read stands as a `Mistake`, which may be anything. What is left is where so much of a
resource is unclear that more findings about it would be echoes of the first.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any

from engine.model.diagnostic import Diagnostic
from engine.model.expression import ConditionRef, Expression, Mistake, ParameterRef, ResourceRef
from engine.model.template import Template
from translators.lowering.rewrite import rewrite

# Findings about a resource as a whole after which its type and properties are still what is written.
_CLEAR = frozenset({
    "CircularDependency", "DuplicateName", "InvalidExternalResourceDependency", "InvalidName",
    "InvalidTemplateReference", "UnknownCondition", "UnknownMapping", "UnknownParameter", "UnresolvedDependency",
})  # fmt: skip
_OF_KEYS = frozenset({"InvalidResource", "TransformFailed", "TransformMissing"})
_NAMES = frozenset({"parameters", "conditions"})
# By kind of reference: the section, the name that is meant, and the names that there are. A `Ref` to what is no
# resource may be one to a parameter.
_DECLARED: Mapping[type, tuple[str, Callable[[Any], str], Callable[[Template], Container[str]]]] = {
    ParameterRef: ("parameters", attrgetter("name"), attrgetter("parameters")),
    ResourceRef: ("parameters", attrgetter("address"), attrgetter("resources")),
    ConditionRef: ("conditions", attrgetter("name"), attrgetter("conditions")),
}
_PARTS = (
    "properties", "metadata", "condition", "update_policy", "creation_policy", "external_id", "computed_policy",
)  # fmt: skip
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


def has_too_many_resources(errors: Iterable[Diagnostic]) -> bool:
    """Whether all that is to be said of the template is that it must be made smaller."""
    return any(one.code == "LimitExceeded" and one.address == "Resources" for one in errors)


def _unread(errors: Iterable[Diagnostic]) -> frozenset[str]:
    """The sections of names of which nothing at all could be read."""
    return _NAMES.intersection(one.address.lower() for one in errors)


def without_strangers(template: Template, errors: Iterable[Diagnostic]) -> Template:
    """`template` in which what a section that could not be read may declare stands for anything."""
    sections = _unread(errors)
    if not sections:
        return template

    def change(part: Any) -> Expression | None:
        section, name, known = _DECLARED[type(part)]
        declared = section not in sections or name(part) in known(template)
        return None if declared else Mistake(span=part.span)

    def maybe(part: Any) -> Any:
        return None if part is None else rewrite(part, change, *_DECLARED)

    def changed(held: Any, *names: str) -> Any:
        return replace(held, **{name: maybe(getattr(held, name)) for name in names})

    return replace(
        template,
        resources={name: changed(one, *_PARTS) for name, one in template.resources.items()},
        outputs={name: changed(one, "value", "condition", "export") for name, one in template.outputs.items()},
        conditions={name: maybe(one) for name, one in template.conditions.items()},
        rules=tuple(
            replace(rule, condition=maybe(rule.condition), assertions=tuple((maybe(a), t) for a, t in rule.assertions))
            for rule in template.rules
        ),
    )


def without_circles(template: Template, errors: Iterable[Diagnostic]) -> Template:
    """`template` with conditions that can be decided: none where they go round in a circle."""
    if all(one.code != "CircularCondition" for one in errors):
        return template
    return replace(template, conditions={name: Mistake(span=one.span) for name, one in template.conditions.items()})
