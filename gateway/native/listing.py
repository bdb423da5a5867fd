"""Handlers: lists of stacks (heat.md §1.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from engine.door import StackFilter
from engine.model.stack import Stack
from engine.model.status import OnFailure, Status
from gateway.native import views
from gateway.native.answers import data
from gateway.native.call import Call
from gateway.native.faults import bad_request, forbidden

_FILTERS = (
    "id", "name", "action", "tenant", "username", "owner_id", "stack_name", "stack_action", "stack_status_reason",
    "stack_owner", "parent",
)  # fmt: skip
# Conditions that the store does not know as columns: what each is compared with.
_OF_RECORDS: Mapping[str, Callable[[Stack], str]] = {
    "disable_rollback": lambda stack: str(stack.options.on_failure is OnFailure.DO_NOTHING).lower(),
    "timeout_mins": lambda stack: str(stack.options.timeout_mins or ""),
    "stack_user_project_id": lambda stack: stack.project_id,
}
_STATUSES = frozenset(Status)
_SORT_DIRECTIONS = (None, "asc", "desc")


async def index(call: Call) -> web.Response:
    """API-09."""
    everywhere = call.flag("global_tenant")
    if everywhere and not call.allows("stacks:global_index"):
        raise forbidden("global_tenant")
    wanted = _filter(call, everywhere)
    stacks = await _listed(call, wanted)
    body: dict[str, Any] = {"stacks": [views.stack_summary(stack, call.links, project=everywhere) for stack in stacks]}
    if wanted.limit is not None and len(stacks) == wanted.limit and stacks:
        body["links"] = [{"rel": "next", "href": _next(call, stacks[-1])}]
    if call.flag("with_count"):
        body["count"] = await _count(call, wanted)
    return data(body)


def _filter(call: Call, everywhere: bool) -> StackFilter:
    """APIL-01 to APIL-13; query keys that are no conditions are ignored."""
    where = {name: list(values) for name in _FILTERS if (values := call.query.get(name))}
    for name in ("status", "stack_status"):
        if values := call.query.get(name):
            _add_states(where, values)
    direction = call.first("sort_dir")
    if direction not in _SORT_DIRECTIONS:
        raise bad_request(f'Unknown sort direction "{direction}": asc or desc')
    return StackFilter(
        where=where, tags=call.words("tags"), tags_any=call.words("tags_any"), not_tags=call.words("not_tags"),
        not_tags_any=call.words("not_tags_any"), show_deleted=call.flag("show_deleted"),
        show_nested=call.flag("show_nested"), show_hidden=call.flag("show_hidden"), all_projects=everywhere,
        limit=call.number("limit"), marker=call.first("marker"), sort_keys=call.words("sort_keys"),
        ascending=direction == "asc",
    )  # fmt: skip


def _add_states(where: dict[str, list[str]], values: Sequence[str]) -> None:
    """APIL-12: a combined value is split, and several of them multiply."""
    for value in values:
        action, _, status = value.partition("_")
        if value in _STATUSES or not status:
            where.setdefault("status", []).append(value)
        else:
            where.setdefault("status", []).append(status)
            where.setdefault("action", []).append(action)


async def _listed(call: Call, wanted: StackFilter) -> Sequence[Stack]:
    tests = {name: values for name in _OF_RECORDS if (values := call.query.get(name))}
    if not tests:
        return await call.engine.list_stacks(call.caller, wanted)
    everything = await call.engine.list_stacks(call.caller, replace(wanted, limit=None, marker=None))
    found = [
        stack for stack in everything
        if all(_OF_RECORDS[name](stack) in [value.lower() for value in values] for name, values in tests.items())
    ]  # fmt: skip
    ids = [stack.id for stack in found]
    begin = ids.index(wanted.marker) + 1 if wanted.marker in ids else 0
    return found[begin:] if wanted.limit is None else found[begin : begin + wanted.limit]


async def _count(call: Call, wanted: StackFilter) -> int:
    if any(call.query.get(name) for name in _OF_RECORDS):
        return len(await _listed(call, replace(wanted, limit=None, marker=None)))
    return await call.engine.count_stacks(call.caller, wanted)


def _next(call: Call, last: Stack) -> str:
    pairs = [(k, v) for k, values in call.query.items() for v in values if k != "marker"] + [("marker", last.id)]
    return f"{call.request.url.origin()}{call.request.path}?{urlencode(pairs)}"


async def detail(call: Call) -> web.Response:
    """API-13: the query is ignored."""
    stacks = await call.engine.list_stacks(call.caller, StackFilter())
    return data({"stacks": [views.stack_summary(stack, call.links) for stack in stacks]})
