"""Two VPCs that meet: a network with both hubs, and routes of their tables by the other's hub."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from itertools import product
from typing import Any

from engine.resources.base import Operation, OperationFailed
from engine.resources.declare import listing, named, string
from engine.resources.isotherm import fabric
from engine.resources.isotherm.hop_route import HopRoute
from engine.resources.isotherm.joined import join
from engine.resources.isotherm.tied import Net


class PeeringNet(Net):
    """Joins `vpcs` of one project and region whose addresses do not overlap, as AWS wants it too. Where AWS lets
    account and region be named, what is `written` has to be what is `here`."""

    name = "Isotherm::Neutron::PeeringNet"
    properties = {
        **Net.properties,
        "vpcs": listing(named("router"), required=True, body=""),
        "written": listing(string(), default=[], body=""),
        "here": listing(string(), default=[], body=""),
    }

    async def body(self, op: Operation) -> dict[str, Any]:
        elsewhere = [one for one in op.properties["written"] if one not in op.properties["here"]]
        if elsewhere:
            raise OperationFailed(
                f"A VPC of {', '.join(map(str, elsewhere))} cannot be peered with: the router of the other side must "
                "be one of this project. Peer VPCs of the same project and region."
            )
        await self._check_addresses(op)
        return await super().body(op)

    async def _check_addresses(self, op: Operation) -> None:
        here, there = [
            [ipaddress.ip_network(one) for one in (await fabric.pool_of(op.cloud, vpc))["prefixes"]]
            for vpc in op.properties["vpcs"]
        ]
        for one, other in product(here, there):
            if one.version == other.version and one.overlaps(other):
                raise OperationFailed(
                    f"OverlappingCidr: {one} of VPC {op.properties['vpcs'][0]} and {other} of VPC "
                    f"{op.properties['vpcs'][1]} overlap, so no route could tell them apart. Peer VPCs with different "
                    "CIDR blocks."
                )


class PeeringRoute(HopRoute):
    """The table's router joins the peering network, its next hop there is the other VPC's hub."""

    name = "Isotherm::Neutron::PeeringRoute"
    properties = {**HopRoute.properties, "peering": named("network", required=True, mutable=True)}

    async def hop(self, op: Operation, destination: str) -> str:
        network, router = op.properties["peering"], op.properties["router"]
        mine = fabric.tag_value(await fabric.router(op.cloud, router), fabric.VPC)
        rows = await op.cloud.list("network", "/ports", "ports", params={"network_id": network})
        hubs = {row["device_id"]: row for row in rows if row.get("name") == fabric.PEER_NAME and row["device_id"]}
        if mine not in hubs or len(hubs) != 2:
            raise OperationFailed(
                f"Route table {router} is of VPC {mine}, which peering connection {network} does not join with another"
            )
        (there,) = (row for vpc, row in hubs.items() if vpc != mine)
        hop: Mapping[str, str] = there["fixed_ips"][0]
        await join(op.cloud, router, await fabric.subnet(op.cloud, hop["subnet_id"]))
        return hop["ip_address"]
