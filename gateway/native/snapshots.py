"""Handlers: snapshots of a stack."""

from __future__ import annotations

from aiohttp import web

from gateway.native import views
from gateway.native.answers import accepted, data, nothing
from gateway.native.call import Call
from gateway.native.faults import bad_request

_LONGEST_NAME = 255


async def take(call: Call) -> web.Response:
    """API-29, TRAP-04: the answer is not wrapped."""
    body = call.required_body()
    name = body.get("name")
    if name is not None and (not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME):
        raise bad_request(f"The name of a snapshot is a text of 1 to {_LONGEST_NAME} characters, not {name!r}.")
    stack = await call.stack(deleted=False)
    return data(views.snapshot(await call.engine.take_snapshot(call.caller, stack.id, name)))


async def index(call: Call) -> web.Response:
    """API-30."""
    stack = await call.stack()
    found = await call.engine.list_snapshots(call.caller, stack.id)
    return data({"snapshots": [views.snapshot(one) for one in found]})


async def show(call: Call) -> web.Response:
    """API-31."""
    stack = await call.stack()
    found = await call.engine.find_snapshot(call.caller, stack.id, call.path["snapshot_id"])
    return data({"snapshot": views.snapshot(found)})


async def delete(call: Call) -> web.Response:
    """API-32."""
    stack = await call.stack(deleted=False)
    await call.engine.delete_snapshot(call.caller, stack.id, call.path["snapshot_id"])
    return nothing()


async def restore(call: Call) -> web.Response:
    """API-33, TRAP-04: no body is allowed."""
    if call.body is not None:
        raise bad_request("Restoring takes no body: the snapshot has everything.")
    stack = await call.stack(deleted=False)
    await call.engine.restore_snapshot(call.caller, stack.id, call.path["snapshot_id"])
    return accepted()
