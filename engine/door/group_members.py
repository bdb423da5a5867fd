"""What groups are made of, each as a resource of its own: what is wrong with it is wrong with every member."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from engine.door.nested_check import TEMPLATE_RESOURCE
from engine.model.expression import Expression, ListOf, Literal, MapOf, Mistake, walk
from engine.model.template import Resource
from engine.plan.deployment import Deployment

# The property that holds the members' definition, and the one that says what stands for a member's name in it.
_HOLDERS: Final[Mapping[str, tuple[str, str]]] = {
    "OS::Heat::ResourceGroup": ("resource_def", "index_var"),
    "OS::Heat::AutoScalingGroup": ("resource", ""),
}
_INDEX: Final = "%index%"


def group_members(deployment: Deployment) -> Iterator[Resource]:
    """One for each group whose members' type is written out; what holds a member's name may be anything."""
    for resource in deployment.resources.values():
        holder = _HOLDERS.get(resource.type)
        if holder is not None:
            member = _member(resource, *holder)
            if member is not None:
                yield member


def _member(group: Resource, name: str, variable: str) -> Resource | None:
    definition = group.properties.get(name)
    kind = definition.get("type") if isinstance(definition, MapOf) else None
    if not isinstance(definition, MapOf) or not isinstance(kind, Literal) or not isinstance(kind.value, str):
        return None
    written = group.properties.get(variable)
    index = written.value if isinstance(written, Literal) else _INDEX
    given = definition.get("properties") or MapOf(())
    if not isinstance(given, MapOf) or not isinstance(index, str) or not index:
        return None
    key = definition.key_span("properties")
    places = {"type": kind.span} if kind.span is not None else {}
    return Resource(
        address=f"{group.address}.properties.{name}",
        type=kind.value,
        properties=_unnamed(given, index, whole=kind.value != TEMPLATE_RESOURCE),
        span=kind.span,
        places=places if key is None else {**places, "properties": key},
    )


def _unnamed(given: MapOf, index: str, *, whole: bool) -> MapOf:
    """The properties with whatever holds the name of a member left open; of a template only its parameters."""
    entries = tuple(
        (name, _open(value, index) if whole or name == "parameters" else value) for name, value in given.entries
    )
    return replace(given, entries=entries)


def _open(value: Expression, index: str) -> Expression:
    match value:
        case MapOf(entries, None):
            return replace(value, entries=tuple((name, _open(one, index)) for name, one in entries))
        case ListOf(items):
            return replace(value, items=tuple(_open(one, index) for one in items))
        case _:
            held = (str(one.value) for one in walk(value) if isinstance(one, Literal))
            return Mistake(span=value.span) if any(index in text for text in held) else value
