"""Where a live object is not what the record says: the comparison that checks, updates that look first, and drift
detection share.

Services show values in their own way: numbers as text, lists in another order, maps with more keys in them. What may be
the same is no difference, and what an answer does not show is not compared.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from engine.model.value import Value
from engine.resources.base import Differing, Property
from engine.resources.wire import to_wire

#: Under what a service shows an object in place of its id or name.
_IDENTITY = ("id", "name", "original_name")


def differing(declared: Mapping[str, Property], values: Mapping[str, Value], row: Mapping[str, Any]) -> list[Differing]:
    """Compare resolved property `values` with a live object."""
    found = []
    for name, value in values.items():
        one = declared.get(name)
        if one is None or value is None or one.secret or one.body == "":
            continue
        wire = one.body or name
        if wire not in row:
            continue
        expected = to_wire({name: one}, {name: value}).get(wire)
        if not alike(expected, row[wire]):
            found.append(Differing(name, value, row[wire]))
    return found


def alike(expected: Any, actual: Any) -> bool:
    """Whether the live value may be what was asked for."""
    if expected == actual or (_empty(expected) and _empty(actual)):
        return True
    if isinstance(expected, bool) or isinstance(actual, bool):
        return str(expected).lower() == str(actual).lower()
    if isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            return False
        return all(alike(value, actual.get(key)) for key, value in expected.items() if value is not None)
    if isinstance(expected, list | tuple):
        return isinstance(actual, list | tuple) and _same_items(expected, actual)
    if isinstance(actual, Mapping):
        named = [actual[key] for key in _IDENTITY if key in actual]
        return not named or any(alike(expected, one) for one in named)
    if isinstance(actual, list | tuple):
        return False
    one, other = str(expected), str(actual)
    return one.casefold() == other.casefold() or _same_block(one, other)


def _same_block(one: str, other: str) -> bool:
    """Address blocks are shown by their first address, IPv6 in its short form."""
    if not ("/" in one and "/" in other) and not (":" in one and ":" in other):
        return False
    try:
        return ipaddress.ip_network(one, strict=False) == ipaddress.ip_network(other, strict=False)
    except ValueError:
        return False


def _empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _same_items(expected: Sequence[Any], actual: Sequence[Any]) -> bool:
    """The same items in whatever order."""
    left = list(actual)
    for item in expected:
        match = next((place for place, one in enumerate(left) if alike(item, one)), None)
        if match is None:
            return False
        left.pop(match)
    return not left
