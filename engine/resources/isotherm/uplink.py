"""Isotherm::Neutron::Uplink: a subnet's interface on the router of its route table, and the hub's route to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.cloud.errors import Conflict, NotFound
from engine.model.value import Value
from engine.resources.base import Gone, Operation, OperationFailed
from engine.resources.declare import attribute, named
from engine.resources.isotherm import fabric
from engine.resources.isotherm.ensured import Ensured


class Uplink(Ensured):
    """The interface that has the subnet's gateway address; one at a time (N6). A change of `router` moves it: a few
    seconds without a way, the same addresses (vpc-on-neutron.md §3.3)."""

    name = "Isotherm::Neutron::Uplink"
    properties = {
        "subnet": named("subnet", required=True),
        "vpc": named("router", required=True),
        "router": named("router", required=True, mutable=True),
    }
    attributes = {"router": attribute(), "address": attribute()}

    def key(self, op: Operation) -> str:
        return str(op.properties["subnet"])

    async def ensure(self, op: Operation) -> Mapping[str, Value]:
        row = await self._subnet(op)
        address = await lead(op, row, op.properties["vpc"], op.properties["router"])
        return {"router": op.properties["router"], "address": address}

    async def _subnet(self, op: Operation) -> dict[str, Any]:
        try:
            return await fabric.subnet(op.cloud, op.properties["subnet"])
        except NotFound as error:
            raise Gone(error.message) from error

    async def read(self, op: Operation) -> Mapping[str, Value]:
        port = await uplink_port(op, await self._subnet(op))
        if port is None:
            raise OperationFailed(f"Subnet {op.properties['subnet']} is not connected to a router any more")
        return {"router": port["device_id"], "address": port["fixed_ips"][0]["ip_address"]}

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        return  # `ready` brings it about

    async def delete(self, op: Operation) -> None:
        try:
            row = await fabric.subnet(op.cloud, op.properties["subnet"])
        except NotFound:
            return
        await take_off(op, row, op.properties["vpc"])


class UplinkMove(Ensured):
    """Leads the uplink of a subnet that somebody else made to another router, and back to the hub when it goes."""

    name = "Isotherm::Neutron::UplinkMove"
    properties = {
        "subnet": named("subnet", required=True),
        "router": named("router", required=True, mutable=True),
    }
    attributes = {"router": attribute()}

    def key(self, op: Operation) -> str:
        return f"{op.properties['subnet']}:{op.token}"

    async def ensure(self, op: Operation) -> Mapping[str, Value]:
        row, vpc = await self._vpc(op)
        await lead(op, row, vpc, op.properties["router"])
        return {"router": op.properties["router"]}

    async def _vpc(self, op: Operation) -> tuple[dict[str, Any], str]:
        row, vpc = await fabric.vpc_of_subnet(op.cloud, op.properties["subnet"])
        if vpc is None:
            raise OperationFailed(f"Subnet {op.properties['subnet']} is in no VPC of a stack")
        return row, vpc

    async def read(self, op: Operation) -> Mapping[str, Value]:
        port = await uplink_port(op, (await self._vpc(op))[0])
        if port is None or port["device_id"] != op.properties["router"]:
            raise OperationFailed(f"Subnet {op.properties['subnet']} is not on router {op.properties['router']}")
        return {"router": port["device_id"]}

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        return

    async def delete(self, op: Operation) -> None:
        try:
            row, vpc = await self._vpc(op)
        except NotFound:
            return
        port = await uplink_port(op, row)
        if port is not None and port["device_id"] == op.properties["router"]:
            await lead(op, row, vpc, vpc)


async def uplink_port(op: Operation, subnet: Mapping[str, Any]) -> dict[str, Any] | None:
    """The router's port that has the subnet's gateway address."""
    rows = await op.cloud.list(
        "network",
        "/ports",
        "ports",
        params={"network_id": subnet["network_id"], "fixed_ips": f"subnet_id={subnet['id']}"},
    )
    for row in rows:
        here = {(one["subnet_id"], one["ip_address"]) for one in row.get("fixed_ips") or ()}
        if row.get("device_owner") in fabric.INTERFACES and (subnet["id"], subnet["gateway_ip"]) in here:
            return row
    return None


async def lead(op: Operation, subnet: Mapping[str, Any], vpc: str, router: str) -> str:
    """Bring the subnet's uplink to `router` and the hub's route with it; returns the address. Safe to repeat."""
    port = await uplink_port(op, subnet)
    released: list[tuple[str, str, str]] = []
    if port is not None and port["device_id"] != router:
        released = await _release_addresses(op, subnet)
        await take_off(op, subnet, vpc)
        port = None
    if port is None:
        await _put_on(op, subnet, router)
    await _lead_hub(op, subnet, vpc, router)
    for floating_ip, port_id, fixed in released:
        body = {"floatingip": {"port_id": port_id, "fixed_ip_address": fixed}}
        await op.cloud.request("network", "PUT", f"/floatingips/{floating_ip}", json=body)
    if released:
        await op.remember(released=[])
    return str(subnet["gateway_ip"])


async def _put_on(op: Operation, subnet: Mapping[str, Any], router: str) -> None:
    path = f"/routers/{router}/add_router_interface"
    try:
        await op.cloud.request("network", "PUT", path, json={"subnet_id": subnet["id"]})
    except Conflict:
        port = await uplink_port(op, subnet)
        if port is None or port["device_id"] != router:
            raise


async def take_off(op: Operation, subnet: Mapping[str, Any], vpc: str) -> None:
    """Take the uplink off whichever router has it, after the routes that go through the subnet (N13)."""
    port = await uplink_port(op, subnet)
    await _drop_hub_routes(op, subnet, vpc, keep=None)
    if port is None:
        return
    router = port["device_id"]
    row = await fabric.router(op.cloud, router)
    await fabric.change_routes(op.cloud, router, "remove_extraroutes", fabric.routes_via(row, subnet["cidr"]))
    await fabric.remove_interface(op.cloud, router, "subnet_id", subnet["id"])


async def _lead_hub(op: Operation, subnet: Mapping[str, Any], vpc: str, router: str) -> None:
    if router == vpc:
        await _drop_hub_routes(op, subnet, vpc, keep=None)
        return
    hop = (await fabric.leg_of(op.cloud, router)).address
    await _drop_hub_routes(op, subnet, vpc, keep=hop)
    route = {"destination": subnet["cidr"], "nexthop": hop}
    await fabric.change_routes(op.cloud, vpc, "add_extraroutes", [route])


async def _drop_hub_routes(op: Operation, subnet: Mapping[str, Any], vpc: str, *, keep: str | None) -> None:
    """Routes of the hub to this subnet by other routers: Neutron leaves them for ever (N19)."""
    try:
        hub = await fabric.router(op.cloud, vpc)
    except NotFound:
        return
    stale = [
        {"destination": route["destination"], "nexthop": route["nexthop"]}
        for route in hub.get("routes") or ()
        if route["destination"] == subnet["cidr"] and route["nexthop"] != keep
    ]
    await fabric.change_routes(op.cloud, vpc, "remove_extraroutes", stale)


async def _release_addresses(op: Operation, subnet: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Take the floating IPs of the subnet's ports off for the move (N14); returns, and keeps, where they were."""
    kept = [(one[0], one[1], one[2]) for one in op.data.get("released") or ()]
    ports = await op.cloud.list("network", "/ports", "ports", params={"network_id": subnet["network_id"]})
    ids = {row["id"] for row in ports if row["network_id"] == subnet["network_id"]}
    rows = await op.cloud.list("network", "/floatingips", "floatingips")
    bound = [row for row in rows if row.get("port_id") in ids]
    found = kept + [(row["id"], row["port_id"], row["fixed_ip_address"]) for row in bound]
    if found:
        await op.remember(released=[list(one) for one in found])
    for row in bound:
        await op.cloud.request("network", "PUT", f"/floatingips/{row['id']}", json={"floatingip": {"port_id": None}})
    return found
