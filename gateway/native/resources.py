"""Handlers: resources of a stack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from engine.cloud.errors import CloudError
from engine.door import Signal
from engine.model.stack import ResourceRecord, Stack
from engine.resources.base import Gone
from gateway.native import views
from gateway.native.answers import data
from gateway.native.call import Call
from gateway.native.faults import bad_request

_FILTERS: Mapping[str, Callable[[ResourceRecord], str | None]] = {
    "status": lambda record: record.status.value,
    "action": lambda record: record.action.value,
    "name": lambda record: record.address,
    "id": lambda record: record.address,
    "physical_resource_id": lambda record: record.physical_id,
}
_QUERY = {*_FILTERS, "type", "nested_depth", "with_detail", "with_attr"}
_AT_ONCE = 8  # looks at live objects under way together
_LIVE_SECONDS = 20  # a cloud that does not answer must not keep the kept attributes from being shown


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
        if name not in _QUERY:
            raise bad_request(f"Invalid filter parameter: {name}")
    stack = await call.stack()
    depth = min(call.number("nested_depth") or 0, call.settings.max_nested_stack_depth)
    found = [place for place in await _places(call, stack, depth, None) if _wanted(call, place.record)]
    if call.flag("with_detail"):
        slots = asyncio.Semaphore(_AT_ONCE)
        return data({"resources": await asyncio.gather(*(_full(call, place, slots) for place in found))})
    return data({
        "resources": [
            views.resource(p.record, p.stack, call.links, parent=p.parent, nested=p.nested) for p in found
        ]
    })  # fmt: skip


async def _places(call: Call, stack: Stack, depth: int, parent: str | None) -> list[_Place]:
    records = await call.engine.list_resources(stack, members=depth > 0)
    children: Mapping[str, Stack] = {}
    if any(record.nested_stack_id for record in records):
        children = {child.id: child for child in await call.engine.nested_stacks(stack, 1)}
    found = []
    for record in records:
        nested = children.get(record.nested_stack_id or "")
        found.append(_Place(record, stack, record.group or parent, nested))
        if nested is not None and depth > 0 and not record.is_group:
            found += await _places(call, nested, depth - 1, record.address)
    return found


def _wanted(call: Call, record: ResourceRecord) -> bool:
    """Values of one condition are alternatives; types are found by a part of their name."""
    if not all(not call.query.get(name) or of(record) in call.query[name] for name, of in _FILTERS.items()):
        return False
    kinds = call.query.get("type")
    return not kinds or any(kind in record.type for kind in kinds)


async def _full(call: Call, place: _Place, slots: asyncio.Semaphore) -> dict[str, Any]:
    async with slots:
        attributes = await _attributes(call, place.record, call.query.get("with_attr", ()))
    return views.resource_full(
        place.record, place.stack, call.links, attributes, parent=place.parent, nested=place.nested
    )


async def _attributes(call: Call, record: ResourceRecord, asked: Sequence[str]) -> Mapping[str, Any]:
    """APIO-04: those kept, `show` of the live object, and live ones that were asked for; when the object is gone, or
    its service does not answer, those kept alone."""
    kind = call.engine.resource_types().get(record.type)
    if kind is None or kind.local or kind.nested:
        return record.attributes
    try:
        async with asyncio.timeout(_LIVE_SECONDS):
            return await call.engine.live_attributes(call.caller, record, ["show", *asked])
    except (CloudError, Gone, TimeoutError):
        return record.attributes


async def show(call: Call) -> web.Response:
    """API-37."""
    stack = await call.stack()
    record = await call.engine.find_resource(stack, call.path["resource_name"])
    nested = None
    if record.nested_stack_id is not None:
        nested = {one.id: one for one in await call.engine.nested_stacks(stack, 1)}.get(record.nested_stack_id)
    place = _Place(record, stack, record.group or stack.parent_resource, nested)
    return data({"resource": await _full(call, place, asyncio.Semaphore())})


async def metadata(call: Call) -> web.Response:
    """API-38."""
    record = await call.engine.find_resource(await call.stack(), call.path["resource_name"])
    return data({"metadata": dict(record.metadata)})


async def signal(call: Call) -> web.Response:
    """API-39."""
    stack, body = await call.stack(), call.body or {}
    if "unset_hook" in body:
        await call.engine.clear_hook(call.caller, stack.id, call.path["resource_name"], str(body["unset_hook"]))
        return data(None)
    sent = Signal(
        status=_text(body.get("status")), unique_id=_text(body.get("id")), reason=_text(body.get("reason")),
        data=body.get("data"), raw=body,
    )  # fmt: skip
    await call.engine.signal(call.caller, stack.id, call.path["resource_name"], sent)
    return data(None)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


_TRUTHS: Mapping[Any, bool] = {True: True, False: False, "true": True, "false": False}


async def mark_unhealthy(call: Call) -> web.Response:
    """API-40."""
    body = call.required_body()
    unknown = sorted(set(body) - {"mark_unhealthy", "resource_status_reason"})
    if unknown:
        raise bad_request(
            f"Unexpected keys: {', '.join(unknown)}; mark_unhealthy and resource_status_reason are known."
        )
    if "mark_unhealthy" not in body:
        raise bad_request("Missing mandatory (mark_unhealthy) key from mark unhealthy request")
    given = body["mark_unhealthy"]
    marked = _TRUTHS.get(given.lower() if isinstance(given, str) else given) if isinstance(given, str | bool) else None
    if marked is None:
        raise bad_request(f'Unrecognized value "{given}" for "mark_unhealthy", acceptable values are: true, false')
    reason = str(body.get("resource_status_reason") or ("Marked unhealthy by the user" if marked else ""))
    stack = await call.stack()
    await call.engine.mark_unhealthy(
        call.caller, stack.id, call.path["resource_name"], unhealthy=marked, reason=reason
    )  # fmt: skip
    return data(None)
