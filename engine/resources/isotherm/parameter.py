"""Isotherm::Parameter: a named value that templates of the project read, by parameters and by `{{resolve:ssm:…}}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.expr.patterns import BadPattern, matches_whole
from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed
from engine.resources.declare import attribute, length, one_of, string
from engine.resources.heat.local import LocalType

TYPE: Final = "Isotherm::Parameter"
_VERSIONS: Final = "versions"  # the note that holds every value it had
_MOST_VERSIONS: Final = 100  # as in Systems Manager; the oldest go


class StoredParameter(LocalType):
    """`name` is one of its own in the project. Every value that it had is kept, sealed, as a version."""

    name = TYPE
    properties = {
        "name": string(length(1, 255)),
        "value": string(length(1, 8192), required=True, mutable=True),
        "type": string(one_of("String", "StringList"), default="String", mutable=True),
        "pattern": string(mutable=True, description="A regular expression that the whole value must match."),
    }
    attributes = {"value": attribute(), "type": attribute(), "path": attribute()}

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        pattern, value = properties.get("pattern"), properties.get("value")
        if not pattern or not isinstance(pattern, str) or not isinstance(value, str):
            return ()
        try:
            return () if matches_whole(pattern, value) else [f"the value does not match the pattern {pattern}"]
        except BadPattern as error:
            return [f"the value cannot be checked: {error}"]

    async def create(self, op: Operation) -> str | None:
        name = str(op.properties.get("name") or op.physical_name())
        holder = await op.services.holder(op, name)
        if holder is not None:
            raise OperationFailed(f"The parameter {name} already exists: stack {holder} has it. Give it another name.")
        await op.remember(**{_VERSIONS: [[1, op.properties["value"]]]})
        return name

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        versions = _versions(op.data)
        if versions[-1][1] != op.properties["value"]:
            added = [*versions, [versions[-1][0] + 1, op.properties["value"]]]
            await op.remember(**{_VERSIONS: added[-_MOST_VERSIONS:]})

    def values(self, op: Operation) -> Mapping[str, Value]:
        path = "/" + str(op.physical_id or op.properties.get("name") or "").removeprefix("/")
        return {"value": op.properties["value"], "type": op.properties["type"], "path": path}


def value_of(data: Mapping[str, Value], version: int | None = None) -> str | None:
    """What the parameter with these notes has, or had as that version; None when there is no such one."""
    for number, value in reversed(_versions(data)):
        if version is None or number == version:
            return str(value)
    return None


def _versions(data: Mapping[str, Value]) -> Sequence[Any]:
    """(number, value), oldest first; never empty."""
    found: Sequence[Any] = data[_VERSIONS]
    return found
