"""Isotherm::Neutron::PortRoute: a route whose next hop is a port, wherever in the VPC that is."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from engine.cloud.errors import Conflict, NotFound
from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed
from engine.resources.declare import attribute, custom, named, string
from engine.resources.isotherm import fabric
from engine.resources.isotherm.ensured import Ensured

HOP_NAME = "isotherm-hop"


class PortRoute(Ensured):
    """Neutron wants the next hop on a connected subnet (N10): if the router is not in the port's subnet it gets an
    interface there, by a free address because the gateway's is taken (N6)."""

    name = "Isotherm::Neutron::PortRoute"
    properties = {
        "router": named("router", required=True),
        "destination": string(custom("net_cidr"), required=True),
        "port": named("port", mutable=True),
        "server": named("server", mutable=True),
    }
    attributes = {"nexthop": attribute()}

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        if (properties.get("port") is None) == (properties.get("server") is None):
            return ["Give either port or server"]
        return ()

    def key(self, op: Operation) -> str:
        return f"{op.properties['router']}:{op.properties['destination']}"

    async def ensure(self, op: Operation) -> Mapping[str, Value]:
        router = op.properties["router"]
        target = await primary_port(op, op.properties.get("port"), op.properties.get("server"))
        fixed = target["fixed_ips"][0]
        hop, destination = fixed["ip_address"], str(ipaddress.ip_network(op.properties["destination"], strict=False))
        await self._connect(op, router, fixed["subnet_id"], target["network_id"])
        row = await fabric.router(op.cloud, router)
        stale = [r for r in _routes_to(row, destination) if r["nexthop"] != hop]
        await fabric.change_routes(op.cloud, router, "add_extraroutes", [{"destination": destination, "nexthop": hop}])
        await fabric.change_routes(op.cloud, router, "remove_extraroutes", stale)
        return {"nexthop": hop}

    async def _connect(self, op: Operation, router: str, subnet: str, network: str) -> None:
        for row in await fabric.interfaces(op.cloud, router):
            if any(one["subnet_id"] == subnet for one in row.get("fixed_ips") or ()):
                return
        port = await self._hop_port(op, subnet, network)
        try:
            await op.cloud.request("network", "PUT", f"/routers/{router}/add_router_interface", json={"port_id": port})
        except Conflict:
            if (await fabric.port(op.cloud, port)).get("device_id") != router:
                raise

    async def _hop_port(self, op: Operation, subnet: str, network: str) -> str:
        """The router's port in the subnet, marked with our token, made if it is not there."""
        mark = f"{HOP_NAME} {op.token}"
        for row in await op.cloud.list("network", "/ports", "ports", params={"description": mark}):
            if row.get("description") == mark:
                return str(row["id"])
        body = {"network_id": network, "name": HOP_NAME, "description": mark, "fixed_ips": [{"subnet_id": subnet}]}
        reply = await op.cloud.request("network", "POST", "/ports", json={"port": body})
        return str(reply.body["port"]["id"])

    async def read(self, op: Operation) -> Mapping[str, Value]:
        row = await fabric.router(op.cloud, op.properties["router"])
        found = _routes_to(row, str(ipaddress.ip_network(op.properties["destination"], strict=False)))
        if not found:
            raise OperationFailed(f"The router has no route to {op.properties['destination']} any more")
        return {"nexthop": found[0]["nexthop"]}

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        return  # `ready` brings it about

    async def delete(self, op: Operation) -> None:
        """The route, then our interface in the port's subnet unless other routes use it."""
        router = op.properties["router"]
        try:
            row = await fabric.router(op.cloud, router)
        except NotFound:
            return
        destination = str(ipaddress.ip_network(op.properties["destination"], strict=False))
        await fabric.change_routes(op.cloud, router, "remove_extraroutes", _routes_to(row, destination))
        mark = f"{HOP_NAME} {op.token}"
        for port in await op.cloud.list("network", "/ports", "ports", params={"description": mark}):
            if port.get("description") != mark:
                continue
            if port.get("device_id") == router:
                await fabric.remove_interface(op.cloud, router, "port_id", port["id"])
            else:
                await op.cloud.request("network", "DELETE", f"/ports/{port['id']}")


def _routes_to(row: Mapping[str, Any], destination: str) -> list[dict[str, str]]:
    return [
        {"destination": route["destination"], "nexthop": route["nexthop"]}
        for route in row.get("routes") or ()
        if route["destination"] == destination
    ]


async def primary_port(op: Operation, port: str | None, server: str | None) -> dict[str, Any]:
    """The port, or the first port of the server. Raises OperationFailed."""
    if port:
        return await fabric.port(op.cloud, port)
    assert server is not None
    rows = await op.cloud.list("network", "/ports", "ports", params={"device_id": server})
    mine = [row for row in rows if row.get("device_id") == server and row.get("fixed_ips")]
    if not mine:
        raise OperationFailed(f"Server {server} has no port with an address")
    return min(mine, key=lambda row: (str(row.get("created_at") or ""), str(row["id"])))
