"""Filters and pages that volumes and snapshots share."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from simulator.http import Call, Refusal, Reply
from simulator.query import limit_of, next_link, page, same, sort
from simulator.store import Obj, Table
from simulator.volume.errors import bad, forbidden

_PAGING = frozenset({"limit", "marker", "offset", "sort", "sort_key", "sort_dir", "all_tenants", "with_count"})
_STRICT = (3, 31)  # since then unknown filters are refused
_MOST = 1000


def listing(
    call: Call, table: Table, plural: str, filters: frozenset[str], render: Callable[[Obj], Obj], address: str
) -> Reply:
    """A page of the caller's objects, newest first."""
    for name, _ in call.query:
        if name not in _PAGING and name not in filters and call.microversion >= _STRICT:
            raise bad(f"Invalid filters {name} are found in query options.")
    everybody = (call.first("all_tenants") or "0").lower() in ("1", "true")
    if everybody and not call.is_admin:
        raise forbidden(f"volume:get_all_{plural}")
    rows = list(table) if everybody else table.by("project_id", call.project_id)
    rows = [row for row in rows if all(_passes(row, n, v) for n, v in call.query if n in filters)]
    rows.reverse()
    sort(rows, _keys(call))
    rows, more = page(
        rows, call, limit_of(call, bad, _MOST), lambda marker: Refusal(404, f"Marker {marker} not found.")
    )
    body: dict[str, Any] = {plural: [render(row) for row in rows]}
    if more and call.first("limit"):
        body[f"{plural}_links"] = [{"rel": "next", "href": next_link(call, address, rows[-1]["id"])}]
    if call.first("with_count") and call.microversion >= (3, 45):
        body["count"] = len(rows)
    return Reply(200, body)


def _keys(call: Call) -> list[tuple[str, str]]:
    given = call.first("sort")
    if given:
        pairs = [part.partition(":") for part in given.split(",")]
        return [(key, way or "desc") for key, _, way in pairs]
    key = call.first("sort_key")
    return [(key, call.first("sort_dir") or "desc")] if key else []


def _passes(row: Obj, name: str, value: str) -> bool:
    if name == "metadata":
        try:
            wanted = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            raise bad(f"Invalid filter metadata: {value}") from None
        return isinstance(wanted, dict) and all(row["metadata"].get(k) == v for k, v in wanted.items())
    return same(row.get(name), [value])


def check_metadata(metadata: Any) -> dict[str, str]:
    """Raises Refusal 400."""
    if not isinstance(metadata, dict):
        raise bad(f"Invalid input for field/attribute metadata. Value: {metadata}. it is not of type 'object'")
    for name, value in metadata.items():
        if not isinstance(value, str) or not 0 < len(name) <= 255 or len(value) > 255:
            raise bad(f"Invalid input for field/attribute {name}. Value: {value}.")
    return dict(metadata)
