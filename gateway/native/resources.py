"""Handlers: resources of a stack and their events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from engine.door import Signal
from engine.model.stack import Event, ResourceRecord, Stack
from gateway.native import views
from gateway.native.answers import data
from gateway.native.call import Call
from gateway.native.faults import Fault, bad_request

_RESOURCE_FILTERS = ("type", "status", "name", "action", "id", "physical_resource_id")
_RESOURCE_QUERY = {*_RESOURCE_FILTERS, "nested_depth", "with_detail"}


@dataclass(frozen=True, slots=True)
class _Place:
    """A resource with the stack it is in, and what holds that stack or the resource's group."""

    record: ResourceRecord
    stack: Stack
    parent: str | None
    nested: Stack | None


async def index(call: Call) -> web.Response:
    """API-36. Members of a lowered group are shown with `nested_depth`, below their group."""
    for name in call.query:
        if name not in _RESOURCE_QUERY:
            raise bad_request(f"Invalid filter parameter: {name}")
    stack = await call.stack()
    depth = min(call.number("nested_depth") or 0, call.settings.max_nested_stack_depth)
    found = [place for place in await _places(call, stack, depth) if _wanted(call, place.record)]
    if call.flag("with_detail"):
        return data({"resources": [await _full(call, place) for place in found]})
    return data({
        "resources": [
            views.resource(p.record, p.stack, call.links, parent=p.parent, nested=p.nested) for p in found
        ]
    })  # fmt: skip


async def _places(call: Call, stack: Stack, depth: int, parent: str | None = None) -> list[_Place]:
    records = await call.engine.list_resources(stack, members=depth > 0)
    children = {child.id: child for child in await call.engine.nested_stacks(stack, 1)}
    found = []
    for record in records:
        nested = children.get(record.nested_stack_id or "")
        found.append(_Place(record, stack, record.group or parent, nested))
        if nested is not None and depth > 0 and not record.is_group:
            found += await _places(call, nested, depth - 1, record.address)
    return found


def _wanted(call: Call, record: ResourceRecord) -> bool:
    tests: Mapping[str, Any] = {
        "status": record.status.value,
        "action": record.action.value,
        "name": record.address,
        "id": record.address,
        "physical_resource_id": record.physical_id,
    }
    for name, value in tests.items():
        wanted = call.query.get(name)
        if wanted and value not in wanted:
            return False
    kinds = call.query.get("type")
    return not kinds or any(kind in record.type for kind in kinds)


async def _full(call: Call, place: _Place) -> dict[str, Any]:
    names = list(call.query.get("with_attr", ()))
    attributes = await call.engine.live_attributes(call.caller, place.record, names)
    return views.resource_full(
        place.record, place.stack, call.links, attributes, parent=place.parent, nested=place.nested
    )


async def show(call: Call) -> web.Response:
    """API-37."""
    stack = await call.stack()
    record = await call.engine.find_resource(stack, call.path["resource_name"])
    children = {child.id: child for child in await call.engine.nested_stacks(stack, 1)}
    parent = record.group or stack.parent_resource
    place = _Place(record, stack, parent, children.get(record.nested_stack_id or ""))
    return data({"resource": await _full(call, place)})


async def metadata(call: Call) -> web.Response:
    """API-38."""
    record = await call.engine.find_resource(await call.stack(), call.path["resource_name"])
    return data({"metadata": dict(record.metadata)})


async def signal(call: Call) -> web.Response:
    """API-39."""
    stack, body = await call.stack(), call.body or {}
    if "unset_hook" in body:
        raise bad_request("There is no hook to clear: breakpoints are not supported yet.", "InvalidBreakPointHook")
    sent = Signal(
        status=_text(body.get("status")), unique_id=_text(body.get("id")), reason=_text(body.get("reason")),
        data=body.get("data"), raw=body,
    )  # fmt: skip
    await call.engine.signal(call.caller, stack.id, call.path["resource_name"], sent)
    return data(None)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


async def mark_unhealthy(call: Call) -> web.Response:
    """API-40."""
    body = call.required_body()
    if set(body) - {"mark_unhealthy", "resource_status_reason"}:
        raise bad_request("Unexpected keys: only mark_unhealthy and resource_status_reason are known.")
    marked = body.get("mark_unhealthy")
    if not isinstance(marked, bool):
        raise bad_request("Missing mandatory (mark_unhealthy) key from mark unhealthy request, true or false")
    reason = str(body.get("resource_status_reason") or ("" if not marked else "Marked unhealthy by the user"))
    stack = await call.stack()
    await call.engine.mark_unhealthy(
        call.caller, stack.id, call.path["resource_name"], unhealthy=marked, reason=reason
    )  # fmt: skip
    return data(None)


# --- events -----------------------------------------------------------------------------------------------------------
async def events(call: Call) -> web.Response:
    """API-41."""
    stack = await call.stack()
    depth = call.number("nested_depth")
    found = await _events_of(call, stack)
    if depth:
        for child in await call.engine.nested_stacks(stack, min(depth, call.settings.max_nested_stack_depth)):
            found += await _events_of(call, child)
        found.sort(key=lambda pair: pair[0].seq)
    chosen = _page(call, [pair for pair in found if _event_wanted(call, pair[0])])
    root = stack if depth else None
    return data({"events": [views.event(one, owner, call.links, root=root) for one, owner in chosen]})


async def _events_of(call: Call, stack: Stack) -> list[tuple[Event, Stack]]:
    return [(one, stack) for one in await call.engine.list_events(stack)]


def _event_wanted(call: Call, one: Event) -> bool:
    tests = {
        "resource_status": one.status.value,
        "resource_action": one.action.value,
        "resource_name": one.stack_name if one.address is None else one.address,
        "resource_type": one.type,
    }
    return all(not call.query.get(name) or value in call.query[name] for name, value in tests.items())


def _page(call: Call, found: Sequence[tuple[Event, Stack]]) -> Iterable[tuple[Event, Stack]]:
    ordered = list(found)
    if call.first("sort_dir") == "desc":
        ordered.reverse()
    marker, limit = call.first("marker"), call.number("limit")
    if marker is not None:
        at = [index for index, (one, _) in enumerate(ordered) if one.id == marker]
        ordered = ordered[at[0] + 1 :] if at else ordered
    return ordered if limit is None else ordered[:limit]


async def resource_events(call: Call) -> web.Response:
    """API-42: none is 404."""
    stack = await call.stack()
    name = call.path["resource_name"]
    found = [(one, stack) for one in await _of_resource(call, stack, name)]
    if not found:
        raise Fault(404, "HTTPNotFound", f"No events for resource {name} of stack {stack.name}.")
    chosen = _page(call, [pair for pair in found if _event_wanted(call, pair[0])])
    return data({"events": [views.event(one, owner, call.links) for one, owner in chosen]})


async def _of_resource(call: Call, stack: Stack, name: str) -> Sequence[Event]:
    if name == stack.name:
        return [one for one in await call.engine.list_events(stack) if one.address is None]
    return await call.engine.list_events(stack, address=name)


async def show_event(call: Call) -> web.Response:
    """API-43."""
    stack = await call.stack()
    one = await call.engine.find_event(stack, call.path["event_id"])
    name = call.path["resource_name"]
    if name != (stack.name if one.address is None else one.address):
        raise Fault(404, "EventNotFound", f"No event {one.id} of resource {name}.")
    return data({"event": views.event(one, stack, call.links, full=True)})
