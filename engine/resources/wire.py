"""From properties to what goes over the wire, and from an answer's paths back to attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.model.value import Value
from engine.resources.base import Kind, Property


def to_wire(declared: Mapping[str, Property], values: Mapping[str, Value], *, nulls: bool = False) -> dict[str, Any]:
    """The body's part for `values`: wire names, nothing that is not set (`nulls`: what is unset goes as null)."""
    body: dict[str, Any] = {}
    for name, value in values.items():
        one = declared.get(name)
        if one is None or one.body == "":
            continue
        if value is None:
            if nulls:
                body[one.body or name] = _EMPTY.get(one.kind)
            continue
        body[one.body or name] = _value(one, value)
    return body


#: What a property that is taken away becomes, where it is not null.
_EMPTY: Mapping[Kind, Any] = {Kind.LIST: [], Kind.MAP: {}}


def _value(declared: Property, value: Value) -> Any:
    if isinstance(value, Mapping) and declared.schema is not None:
        return to_wire(declared.schema, value)
    if isinstance(value, list | tuple) and declared.items is not None:
        return [_value(declared.items, item) for item in value]
    return value


def at_path(row: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, None where it ends early; a name that holds dots or colons itself wins."""
    if path in row:
        return row[path]
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
