"""A route of a table's router by some next hop: what routes to ports and to peered VPCs have in common."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from engine.cloud.errors import NotFound
from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed
from engine.resources.declare import attribute, custom, named, string
from engine.resources.isotherm import fabric
from engine.resources.isotherm.ensured import Ensured
from engine.resources.isotherm.joined import leave


class HopRoute(Ensured):
    """The table has one route to a destination; the next hop that this one has set is noted, so that going it takes
    nothing that another route has set since."""

    properties = {
        "router": named("router", required=True),
        "destination": string(custom("net_cidr"), required=True),
    }
    attributes = {"nexthop": attribute()}

    def key(self, op: Operation) -> str:
        return f"{op.properties['router']}:{op.properties['destination']}"

    async def hop(self, op: Operation, destination: str) -> str:
        """The address of the next hop, on a subnet in which the router is. Safe to repeat."""
        raise NotImplementedError

    async def ensure(self, op: Operation) -> Mapping[str, Value]:
        router, destination = op.properties["router"], _destination(op)
        hop = await self.hop(op, destination)
        row = await fabric.router(op.cloud, router)
        stale = [route for route in _routes_to(row, destination) if route["nexthop"] != hop]
        if op.data.get("nexthop") != hop:
            await op.remember(nexthop=hop)
        await fabric.change_routes(op.cloud, router, "add_extraroutes", [{"destination": destination, "nexthop": hop}])
        await fabric.change_routes(op.cloud, router, "remove_extraroutes", stale)
        await leave(op.cloud, router, [route["nexthop"] for route in stale])
        return {"nexthop": hop}

    async def read(self, op: Operation) -> Mapping[str, Value]:
        row = await fabric.router(op.cloud, op.properties["router"])
        found = _routes_to(row, _destination(op))
        if not found:
            raise OperationFailed(f"The router has no route to {op.properties['destination']} any more")
        return {"nexthop": found[0]["nexthop"]}

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        return  # `ready` brings it about

    async def delete(self, op: Operation) -> None:
        """The route, then the router's interface at its next hop unless other routes use it."""
        router, hop = op.properties["router"], op.data.get("nexthop")
        try:
            row = await fabric.router(op.cloud, router)
        except NotFound:
            return
        mine = [route for route in _routes_to(row, _destination(op)) if hop in (None, route["nexthop"])]
        await fabric.change_routes(op.cloud, router, "remove_extraroutes", mine)
        await leave(op.cloud, router, [*(route["nexthop"] for route in mine), *([str(hop)] if hop else [])])


def _destination(op: Operation) -> str:
    return str(ipaddress.ip_network(op.properties["destination"], strict=False))


def _routes_to(row: Mapping[str, Any], destination: str) -> list[dict[str, str]]:
    return [
        {"destination": route["destination"], "nexthop": route["nexthop"]}
        for route in row.get("routes") or ()
        if route["destination"] == destination
    ]
