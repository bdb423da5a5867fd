"""Handlers: events of stacks and of their resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from engine.model.errors import ResourceNotFound
from engine.model.stack import Event, Stack
from gateway.native import views
from gateway.native.answers import data
from gateway.native.call import Call
from gateway.native.faults import bad_request, missing


@dataclass(frozen=True, slots=True)
class _Told:
    """An event with the stack it belongs to."""

    event: Event
    stack: Stack

    @property
    def name(self) -> str:
        """A stack's own events bear its name (APIO-06)."""
        return self.stack.name if self.event.address is None else self.event.address


_FILTERS: Mapping[str, Callable[[_Told], str]] = {
    "resource_status": lambda one: one.event.status.value,
    "resource_action": lambda one: one.event.action.value,
    "resource_name": lambda one: one.name,
    "resource_type": lambda one: one.event.type,
}
_SORT: Mapping[str, Callable[[_Told], str | int]] = {
    "event_time": lambda one: one.event.seq,
    "resource_type": lambda one: one.event.type,
}


async def index(call: Call) -> web.Response:
    """API-41."""
    stack = await call.stack()
    depth = min(call.number("nested_depth") or 0, call.settings.max_nested_stack_depth)
    if not depth and _is_plain(call):
        found = await _page_of_store(call, stack)
    else:
        found = [_Told(one, stack) for one in await call.engine.list_events(stack)]
        for child in await call.engine.nested_stacks(stack, depth):
            found += [_Told(one, child) for one in await call.engine.list_events(child)]
        found = _page(call, found)
    root = stack if depth else None
    return data({"events": [views.event(one.event, one.stack, call.links, root=root) for one in found]})


def _is_plain(call: Call) -> bool:
    """Whether the store's own order and paging say it all: what clients ask that wait for a stack."""
    return call.first("sort_dir") != "desc" and not any(call.query.get(name) for name in (*_FILTERS, "sort_keys"))


async def _page_of_store(call: Call, stack: Stack) -> list[_Told]:
    after, marker = None, call.first("marker")
    if marker:
        try:
            after = (await call.engine.find_event(stack, marker)).seq
        except ResourceNotFound:
            after = None  # an unknown marker begins at the beginning, as in Heat
    events = await call.engine.list_events(stack, after=after, limit=call.number("limit"))
    return [_Told(one, stack) for one in events]


def _page(call: Call, found: Sequence[_Told]) -> list[_Told]:
    direction = call.first("sort_dir")
    if direction not in (None, "asc", "desc"):
        raise bad_request(f'Unknown sort direction "{direction}": asc or desc')
    keys = [_SORT[name] for name in call.words("sort_keys") if name in _SORT] or [_SORT["event_time"]]
    chosen = [one for one in found if _wanted(call, one)]
    chosen.sort(key=lambda one: (*(key(one) for key in keys), one.event.seq), reverse=direction == "desc")
    marker, limit = call.first("marker"), call.number("limit")
    ids = [one.event.id for one in chosen]
    begin = ids.index(marker) + 1 if marker in ids else 0
    return chosen[begin:] if limit is None else chosen[begin : begin + limit]


def _wanted(call: Call, one: _Told) -> bool:
    return all(not call.query.get(name) or of(one) in call.query[name] for name, of in _FILTERS.items())


async def of_resource(call: Call) -> web.Response:
    """API-42: none is 404."""
    stack, name = await call.stack(), call.path["resource_name"]
    if name == stack.name:
        events = [one for one in await call.engine.list_events(stack) if one.address is None]
    else:
        events = list(await call.engine.list_events(stack, address=name))
    if not events:
        raise missing(f"No events found for resource {name}")
    found = _page(call, [_Told(one, stack) for one in events])
    return data({"events": [views.event(one.event, one.stack, call.links) for one in found]})


async def show(call: Call) -> web.Response:
    """API-43."""
    stack, event_id = await call.stack(), call.path["event_id"]
    try:
        one = await call.engine.find_event(stack, event_id)
    except ResourceNotFound as error:
        raise missing(f"No event {event_id} found") from error
    if call.path["resource_name"] != _Told(one, stack).name:
        raise missing(f"No event {event_id} found")
    return data({"event": views.event(one, stack, call.links, full=True)})
