"""Names in properties → ids, for every property that says what it refers to."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.cloud.contract import Cloud
from engine.model.value import Value
from engine.resources.base import Property

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


async def resolve_references(
    declared: Mapping[str, Property], values: Mapping[str, Value], cloud: Cloud
) -> dict[str, Value]:
    """Return `values` with ids in place of names. Ids pass through unasked: the service knows best whether they are.

    Raises NotFound, or Permanent when a name is ambiguous.
    """
    found = {}
    for name, value in values.items():
        one = declared.get(name)
        found[name] = value if one is None else await _resolve(one, value, cloud)
    return found


async def _resolve(declared: Property, value: Value, cloud: Cloud) -> Value:
    if isinstance(value, str):
        return value if declared.refers is None else await resolve_one(declared.refers, value, cloud)
    if isinstance(value, list | tuple) and declared.refers is not None:
        return [await resolve_one(declared.refers, item, cloud) for item in value]
    if isinstance(value, list | tuple) and declared.items is not None:
        return [await _resolve(declared.items, item, cloud) for item in value]
    if isinstance(value, Mapping) and declared.schema is not None:
        return await resolve_references(declared.schema, value, cloud)
    return value


async def resolve_one(kind: str, value: str, cloud: Cloud) -> str:
    """The id of the object of that kind with that name or id."""
    if not value or _ID.fullmatch(value):
        return value
    return await cloud.resolve(kind, value)
