"""Isotherm::Record: something that is known by an id and is nothing more."""

from __future__ import annotations

from collections.abc import Mapping

from engine.model.value import Value
from engine.resources.base import Kind, Operation
from engine.resources.declare import attribute, between, integer, mapping, string
from engine.resources.heat.local import LocalType


class Record(LocalType):
    """Known as `name` if that is given; else as `prefix` with hexadecimal digits of the token, or, without a prefix, by
    a name made of the stack's and its own. `values` may change, another `fixed` makes another record.
    """

    name = "Isotherm::Record"
    properties = {
        "name": string(),
        "prefix": string(),
        "digits": integer(between(8, 26), default=17),
        "limit": integer(between(20, 255), default=64, mutable=True),
        "values": mapping(None, default={}, mutable=True),
        "fixed": mapping(None, default={}),
    }
    attributes = {"values": attribute(Kind.MAP)}

    async def create(self, op: Operation) -> str | None:
        name, prefix = op.properties.get("name"), op.properties.get("prefix")
        if name:
            return str(name)
        if prefix is None:
            return op.physical_name(op.properties["limit"])
        return f"{prefix}{op.token.removeprefix('oe-')[: op.properties['digits']]}"

    def values(self, op: Operation) -> Mapping[str, Value]:
        return {"values": op.properties.get("values") or {}}
