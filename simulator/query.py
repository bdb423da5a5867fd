"""Filters, order, pages and fields of lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from simulator.http import Call, Refusal
from simulator.store import Obj


def text_of(value: Any) -> str:
    """A value as it stands in a query."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def same(value: Any, wanted: Iterable[str]) -> bool:
    """Whether `value` is one of the query's values."""
    if isinstance(value, bool):
        return any(value == (text.strip().lower() in ("true", "1", "yes", "on", "t", "y")) for text in wanted)
    if isinstance(value, list):
        return any(text in [text_of(item) for item in value] for text in wanted)
    return text_of(value) in wanted


def tagged(tags: Sequence[str], call: Call) -> bool:
    """The four tag filters that Neutron and Nova share."""
    have = set(tags)
    for name, value in call.query:
        asked = set(value.split(","))
        match name:
            case "tags" if not asked <= have:
                return False
            case "tags-any" if not asked & have:
                return False
            case "not-tags" if asked <= have:
                return False
            case "not-tags-any" if asked & have:
                return False
            case _:
                pass
    return True


TAG_FILTERS = frozenset({"tags", "tags-any", "not-tags", "not-tags-any"})


def sort(objects: list[Obj], keys: Sequence[tuple[str, str]]) -> list[Obj]:
    """By several keys, the last one first: `sort` is stable."""
    for key, direction in reversed(keys):
        objects.sort(key=lambda obj: _order(obj.get(key)), reverse=direction == "desc")
    return objects


def _order(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, "")
    if isinstance(value, (int, float)):
        return (1, value)
    return (2, str(value))


def limit_of(call: Call, refuse: Callable[[str], Refusal], top: int | None = None) -> int | None:
    """The page's size, None when it has no end."""
    given = call.first("limit")
    if given is None or given == "":
        return top
    try:
        number = int(given)
    except ValueError:
        raise refuse("limit param must be an integer") from None
    if number < 0:
        raise refuse("limit param must be positive")
    return number if top is None else min(number, top)


def page(
    objects: list[Obj], call: Call, limit: int | None, no_marker: Callable[[str], Refusal], key: str = "id"
) -> tuple[list[Obj], bool]:
    """The page after `marker`, and whether there may be another one."""
    marker = call.first("marker")
    if marker:
        place = next((at for at, obj in enumerate(objects) if str(obj.get(key)) == marker), None)
        if place is None:
            raise no_marker(marker)
        objects = objects[place + 1 :]
    if limit is None or limit == 0:
        return objects, False
    return objects[:limit], len(objects) >= limit and bool(objects)


def next_link(call: Call, address: str, marker: str) -> str:
    """The address of the page after the object `marker`."""
    rest = [(name, value) for name, value in call.query if name not in ("marker", "page_reverse")]
    return f"{address}?{urlencode([*rest, ('marker', marker)])}"
