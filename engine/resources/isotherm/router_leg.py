"""Isotherm::Neutron::RouterLeg: a router's port on the fabric network, and what it needs to reach the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from engine.cloud.errors import Conflict, NotFound
from engine.model.value import Value
from engine.resources.base import Gone, Operation, OperationFailed, ResourceType
from engine.resources.declare import attribute, named, one_of, string
from engine.resources.isotherm import fabric
from engine.resources.isotherm.ensured import patiently


class RouterLeg(ResourceType):
    """The leg of the hub itself is given the fabric's `network`; any other router is given the `vpc` that it belongs
    to, whose fabric is found by its tag, and gets routes to the VPC's address blocks through the hub. A hub has further
    legs where VPCs meet.

    The port is made first, marked in its description, so that the router takes it and not the network's gateway
    address. A router's interface goes together with its port.
    """

    name = "Isotherm::Neutron::RouterLeg"
    service: ClassVar[str | None] = "network"
    properties = {
        "router": named("router", required=True),
        "network": named("network"),
        "vpc": named("router"),
        "port_name": string(one_of(fabric.LEG_NAME, fabric.PEER_NAME), default=fabric.LEG_NAME),
    }
    attributes = {"address": attribute(), "network": attribute(), "router": attribute()}

    async def create(self, op: Operation) -> str | None:
        network = op.properties.get("network") or await fabric.fabric_of(op.cloud, op.properties["vpc"])
        body = {"network_id": network, "name": op.properties["port_name"], "description": op.token}
        reply = await op.cloud.request("network", "POST", "/ports", json={"port": body})
        return str(reply.body["port"]["id"])

    async def find(self, op: Operation) -> str | None:
        rows = await op.cloud.list("network", "/ports", "ports", params={"description": op.token})
        for row in rows:
            if row.get("description") == op.token and row["id"] not in op.owned_ids:
                return str(row["id"])
        return None

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        return await patiently(op, lambda: self._ensure(op))

    async def _ensure(self, op: Operation) -> Mapping[str, Value]:
        row, router = await self._port(op), op.properties["router"]
        if row.get("device_id") != router:
            await self._attach(op, router)
        if op.properties.get("vpc"):
            await fabric.change_routes(op.cloud, router, "add_extraroutes", await self._local_routes(op))
        return self._shown(op, row)

    async def _attach(self, op: Operation, router: str) -> None:
        path = f"/routers/{router}/add_router_interface"
        try:
            await op.cloud.request("network", "PUT", path, json={"port_id": op.physical_id})
        except Conflict:
            if (await self._port(op)).get("device_id") != router:
                raise

    async def _local_routes(self, op: Operation) -> list[dict[str, str]]:
        """Every block of the VPC by the hub."""
        vpc = op.properties["vpc"]
        hop = (await fabric.leg_of(op.cloud, vpc)).address
        cidrs = (await fabric.pool_of(op.cloud, vpc))["prefixes"]
        return [{"destination": cidr, "nexthop": hop} for cidr in cidrs]

    def _shown(self, op: Operation, row: Mapping[str, Any]) -> Mapping[str, Value]:
        address = row["fixed_ips"][0]["ip_address"]
        return {"address": address, "network": row["network_id"], "router": op.properties["router"]}

    async def _port(self, op: Operation) -> dict[str, Any]:
        assert op.physical_id is not None
        try:
            return await fabric.port(op.cloud, op.physical_id)
        except NotFound as error:
            raise Gone(error.message) from error

    async def read(self, op: Operation) -> Mapping[str, Value]:
        row = await self._port(op)
        if row.get("device_id") != op.properties["router"]:
            raise OperationFailed(f"Port {op.physical_id} is not on router {op.properties['router']} any more")
        return self._shown(op, row)

    async def check(self, op: Operation) -> Mapping[str, Value]:
        return await self.read(op)

    async def delete(self, op: Operation) -> None:
        """Routes first, Neutron holds the interface for them (N13); the port goes with the interface."""
        assert op.physical_id is not None
        router = op.properties["router"]
        try:
            port = await fabric.port(op.cloud, op.physical_id)
        except NotFound:
            return
        if port.get("device_id") == router:
            row = await fabric.router(op.cloud, router)
            for fixed in port["fixed_ips"]:
                cidr = (await fabric.subnet(op.cloud, fixed["subnet_id"]))["cidr"]
                await fabric.change_routes(op.cloud, router, "remove_extraroutes", fabric.routes_via(row, cidr))
            await fabric.remove_interface(op.cloud, router, "port_id", op.physical_id)
            return
        try:
            await op.cloud.request("network", "DELETE", f"/ports/{op.physical_id}")
        except NotFound:
            return
