"""Isotherm::Neutron::VpcBlock: another address block of a VPC."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from engine.cloud.errors import NotFound
from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed
from engine.resources.declare import attribute, custom, named, string
from engine.resources.isotherm import fabric
from engine.resources.isotherm.ensured import Ensured


class VpcBlock(Ensured):
    """Added to the VPC's pool, and led to the hub by every route table."""

    name = "Isotherm::Neutron::VpcBlock"
    properties = {
        "vpc": named("router", required=True),
        "cidr": string(custom("net_cidr"), required=True),
    }
    attributes = {"cidr": attribute()}

    def key(self, op: Operation) -> str:
        return f"vpc-cidr-assoc-{op.token.removeprefix('oe-')[:17]}"

    async def ensure(self, op: Operation) -> Mapping[str, Value]:
        vpc, cidr = op.properties["vpc"], _cidr(op)
        pool = await fabric.pool_of(op.cloud, vpc)
        if not _covered(cidr, pool["prefixes"]):
            await self._change(op, pool["id"], "add_prefixes")
        route = await self._route(op)
        for table in await fabric.marked(op.cloud, "routers", vpc, "table"):
            # A table that is just being made reads the blocks after its leg is there, so none is missed.
            if await fabric.find_leg(op.cloud, table["id"]) is not None:
                await fabric.change_routes(op.cloud, table["id"], "add_extraroutes", [route])
        return {"cidr": cidr}

    async def _route(self, op: Operation) -> dict[str, str]:
        hop = (await fabric.leg_of(op.cloud, op.properties["vpc"])).address
        return {"destination": _cidr(op), "nexthop": hop}

    async def _change(self, op: Operation, pool: str, action: str) -> None:
        """`add_prefixes` or `remove_prefixes`: several blocks at once do not overwrite each other."""
        path = f"/subnetpools/{pool}/{action}"
        await op.cloud.request("network", "PUT", path, json={"prefixes": [_cidr(op)]})

    async def read(self, op: Operation) -> Mapping[str, Value]:
        if not _covered(_cidr(op), (await fabric.pool_of(op.cloud, op.properties["vpc"]))["prefixes"]):
            raise OperationFailed(f"{_cidr(op)} is no block of the VPC any more")
        return {"cidr": _cidr(op)}

    async def delete(self, op: Operation) -> None:
        """The service refuses while subnets use it (400, N27), as AWS does."""
        vpc, cidr = op.properties["vpc"], _cidr(op)
        try:
            pool, route = await fabric.pool_of(op.cloud, vpc), await self._route(op)
        except (NotFound, OperationFailed):
            return
        for table in await fabric.marked(op.cloud, "routers", vpc, "table"):
            await fabric.change_routes(op.cloud, table["id"], "remove_extraroutes", [route])
        if _covered(cidr, pool["prefixes"]):
            await self._change(op, pool["id"], "remove_prefixes")


def _covered(cidr: str, prefixes: list[str]) -> bool:
    """Neutron puts neighbouring prefixes together, so the block itself need not be listed."""
    block = ipaddress.ip_network(cidr)
    return any(block.subnet_of(one) for one in map(ipaddress.ip_network, prefixes) if one.version == block.version)  # type: ignore[arg-type]


def _cidr(op: Operation) -> str:
    return str(ipaddress.ip_network(op.properties["cidr"], strict=False))
