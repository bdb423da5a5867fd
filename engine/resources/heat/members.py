"""What a group keeps of its members, and how templates ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.model.value import Value
from engine.resources.heat.nested import OUTPUTS, NestedType

#: Name → kept attributes of the member; among the attributes of a group.
MEMBERS = "members"

Member = tuple[str, str | None, Mapping[str, Value]]


class MembersType(NestedType):
    """A resource that is several: templates ask it for what its members have."""

    def attribute(self, attributes: Mapping[str, Value], name: str) -> Value:
        return ask(attributes, name, ())[0]

    def attribute_at(self, attributes: Mapping[str, Value], name: str, path: Sequence[Value]) -> tuple[Value, int]:
        return ask(attributes, name, path)


def gather(members: Iterable[Member], removed: Sequence[str]) -> dict[str, Any]:
    """The attributes a group keeps."""
    found = list(members)
    return {
        "refs": [reference for _, reference, _ in found],
        "refs_map": {name: reference for name, reference, _ in found},
        "removed_rsrc_list": list(removed),
        MEMBERS: {name: dict(attributes) for name, _, attributes in found},
    }


def ask(attributes: Mapping[str, Value], name: str, path: Sequence[Value]) -> tuple[Value, int]:
    """The value of a group's attribute, and how much of `path` was followed (heat.md ENGU-15)."""
    if name in ("refs", "refs_map", "removed_rsrc_list"):
        return attributes.get(name), 0
    members = attributes.get(MEMBERS) or {}
    if name == "show":
        return {key: value for key, value in attributes.items() if key != MEMBERS}, 0
    if name == "attributes":
        if not path:
            names = {attribute for one in members.values() for attribute in one}
            return {
                attribute: {one: _of_member(members[one], attribute, ()) for one in members} for attribute in names
            }, 0
        return {one: _of_member(members[one], str(path[0]), path[1:]) for one in members}, len(path)
    if name.startswith("resource."):
        return _of_one(attributes, [*name.split(".", 2)[1:], *path]), len(path)
    return [_of_member(one, name, path) for one in members.values()], len(path)


def _of_one(attributes: Mapping[str, Value], steps: Sequence[Value]) -> Value:
    """`resource.N` is N's reference, `resource.N.attr` one of its attributes."""
    member = str(steps[0])
    if len(steps) == 1:
        return (attributes.get("refs_map") or {}).get(member)
    found = (attributes.get(MEMBERS) or {}).get(member)
    return None if found is None else _of_member(found, str(steps[1]), steps[2:])


def _of_member(attributes: Mapping[str, Value], name: str, path: Sequence[Value]) -> Value:
    """A member's attribute: its own, an output of its stack, or what it asks its own members for."""
    if name in attributes:
        return follow(attributes[name], path)
    if MEMBERS in attributes:
        value, taken = ask(attributes, name, path)
        return follow(value, path[taken:])
    outputs = attributes.get(OUTPUTS)
    return follow(outputs.get(name), path) if isinstance(outputs, Mapping) else None


def follow(value: Value, path: Sequence[Value]) -> Value:
    """The value at `path`, None where there is none."""
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(step, value.get(str(step)))
        elif isinstance(value, list | tuple) and str(step).lstrip("-").isdigit():
            position = int(step)
            value = value[position] if -len(value) <= position < len(value) else None
        else:
            return None
    return value
