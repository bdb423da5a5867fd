"""Handlers: from a stack's name, id or ARN to its canonical place, by a redirect whatever the method (APIX-04)."""

from __future__ import annotations

import re
from urllib.parse import quote

from aiohttp import web

from gateway.native.call import Call
from gateway.native.faults import bad_request

_ARN = re.compile(r"arn:openstack:heat::([^:/]+):stacks/([^/]+)/([^/]+)(/.*)?")


async def by_name(call: Call) -> web.Response:
    """API-14, API-16, API-17: names of live stacks, ids of deleted ones too. Raises StackNotFound."""
    stack = await call.engine.find_stack(call.caller, call.path["stack_name"])
    tail = call.path.get("sub")
    return _moved(call, call.links.stack(stack) + (f"/{tail}" if tail else ""))


async def by_arn(call: Call) -> web.Response:
    """API-15: nothing is looked up."""
    found = _ARN.fullmatch(call.path["arn"])
    if found is None:
        raise bad_request(f'"{call.path["arn"]}" is not a valid ARN')
    tenant, name, stack_id, tail = found.groups()
    return _moved(call, call.links.place(tenant, name, stack_id) + quote(tail or "", safe="/~"))


def _moved(call: Call, place: str) -> web.Response:
    query = call.request.query_string
    return web.Response(status=302, headers={"Location": f"{place}?{query}" if query else place}, text="302 Found")
