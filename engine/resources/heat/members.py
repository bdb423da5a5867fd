"""What a group keeps of its members, and how templates ask for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.model.value import Value
from engine.resources.base import Nested, Operation
from engine.resources.heat.nested import OUTPUTS, NestedType

#: Name → kept attributes of the member; among the attributes of a group.
MEMBERS = "members"

Member = tuple[str, str | None, Mapping[str, Value]]
Definitions = dict[str, Mapping[str, Value]]


class MembersType(NestedType):
    """A resource that is several: templates ask it for what its members have."""

    def attribute(self, attributes: Mapping[str, Value], name: str) -> Value:
        return ask(attributes, name, ())[0]

    def attribute_at(self, attributes: Mapping[str, Value], name: str, path: Sequence[Value]) -> tuple[Value, int]:
        return ask(attributes, name, path)

    def everything(self, attributes: Mapping[str, Value]) -> dict[str, Value]:
        return without_members(attributes)


def without_members(attributes: Mapping[str, Value]) -> dict[str, Value]:
    """What a group shows of itself."""
    return {name: value for name, value in attributes.items() if name != MEMBERS}


def gather(members: Iterable[Member], removed: Sequence[str] | None = None) -> dict[str, Any]:
    """The attributes a group keeps; `removed` where it tells of names that are never used again."""
    found = list(members)
    return {
        "refs": [reference for _, reference, _ in found],
        "refs_map": {name: reference for name, reference, _ in found},
        **({} if removed is None else {"removed_rsrc_list": list(removed)}),
        MEMBERS: {name: dict(attributes) for name, _, attributes in found},
    }


def ask(attributes: Mapping[str, Value], name: str, path: Sequence[Value]) -> tuple[Value, int]:
    """The value of a group's attribute, and how much of `path` was followed (heat.md ENGU-15)."""
    if name in ("refs", "refs_map", "removed_rsrc_list"):
        return attributes.get(name), 0
    members = attributes.get(MEMBERS) or {}
    if name == "show":
        return without_members(attributes), 0
    if name == "attributes":
        if not path:
            names = {attribute for one in members.values() for attribute in one}
            return {attribute: by_member(members, [attribute]) for attribute in names}, 0
        return by_member(members, path), len(path)
    if name.startswith("resource."):
        return of_one(attributes, [*name.split(".", 2)[1:], *path]), len(path)
    return [_of_member(one, name, path) for one in members.values()], len(path)


def by_member(members: Mapping[str, Mapping[str, Value]], path: Sequence[Value]) -> dict[str, Value]:
    """Name → what each member has at `path`, which begins with the name of an attribute."""
    return {name: _of_member(one, str(path[0]), path[1:]) for name, one in members.items()}


def of_one(attributes: Mapping[str, Value], steps: Sequence[Value]) -> Value:
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


# --- what members are made of ---------------------------------------------------------------------------------------
def next_state(standing: Definitions, wanted: Definitions, fresh: int) -> Definitions:
    """`wanted`'s members, of which at most `fresh` differ from `standing`; new ones first."""
    missing = [name for name in wanted if name not in standing]
    old = [name for name in wanted if name in standing and standing[name] != wanted[name]]
    chosen = {*missing, *old[: max(0, fresh - len(missing))]}
    return {name: wanted[name] if name in chosen or name not in standing else standing[name] for name in wanted}


def resources_text(state: Definitions) -> str:
    """The template of these resources; one that has none is a template without resources."""
    return json.dumps({"heat_template_version": "2015-04-30", "resources": state})


async def phase(op: Operation, nested: Nested) -> Mapping[str, Value]:
    """Bring the child to `nested` and wait until it is there; returns its outputs."""
    return await op.services.nested_done(await op.services.start_nested(op, nested))
