"""Isotherm::Neutron::FabricSubnet: a small subnet for the legs of a VPC's routers, like no other of the project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.cloud.errors import CloudError, Conflict, NotFound, Permanent
from engine.model.value import Value
from engine.resources.base import Gone, Operation, OperationFailed
from engine.resources.declare import attribute, between, custom, integer, named, string
from engine.resources.isotherm.fabric import ROLE
from engine.resources.mark import InDescription
from engine.resources.neutron.neutron_type import NeutronType

_POOL = f"{ROLE}fabric-pool"
_POOL_NAME = "isotherm-fabric"
_ATTEMPTS = 4


class FabricSubnet(NeutronType):
    """All come out of one pool of the project, so that routers can join several fabrics. The pool is made with the
    first and goes with the last. Without gateway and DHCP: only routers are here.
    """

    name = "Isotherm::Neutron::FabricSubnet"
    sdk = "network.v2.subnet.Subnet"
    mark = InDescription()
    name_key = None
    properties = {
        "network": named("network", required=True, body="network_id"),
        "pool_prefix": string(custom("net_cidr"), default="198.18.0.0/15", body=""),
        "prefixlen": integer(between(20, 28), default=24),
    }
    attributes = {"cidr": attribute()}

    async def body(self, op: Operation) -> dict[str, Any]:
        body = await super().body(op)
        return {**body, "ip_version": 4, "gateway_ip": None, "enable_dhcp": False}

    async def post(self, op: Operation, body: Mapping[str, Any]) -> dict[str, Any]:
        for _ in range(_ATTEMPTS):
            pool = await self._pool(op)
            try:
                return await super().post(op, {**body, "subnetpool_id": pool})
            except NotFound:
                continue  # the last of another stack went and took the pool along
            except Permanent as error:
                if error.kind not in ("SubnetPoolNotFound", "SubnetAllocationError"):
                    raise
                raise OperationFailed(
                    f"No room for another fabric network in {op.properties['pool_prefix']}"
                ) from error
        raise OperationFailed("The subnet pool of the fabric networks vanishes again and again")

    async def _pool(self, op: Operation) -> str:
        """The project's pool. Two made at the same moment: the older stays."""
        found = await self._pools(op)
        if found:
            return found[0]
        body = {
            "name": _POOL_NAME,
            "description": _POOL,
            "prefixes": [op.properties["pool_prefix"]],
            "default_prefixlen": op.properties["prefixlen"],
            "min_prefixlen": 16,
            "max_prefixlen": 28,
        }
        made = str((await self.call(op, "POST", "/subnetpools", {"subnetpool": body}))["subnetpool"]["id"])
        found = await self._pools(op)
        if found and found[0] != made:
            await self._drop_pool(op, made)
            return found[0]
        return made

    async def _pools(self, op: Operation) -> list[str]:
        rows = await op.cloud.list("network", "/subnetpools", "subnetpools", params={"description": _POOL})
        mine = [row for row in rows if row.get("description") == _POOL and self.is_ours(row, op)]
        return [str(row["id"]) for row in sorted(mine, key=lambda row: (str(row.get("created_at")), row["id"]))]

    async def _drop_pool(self, op: Operation, pool: str) -> None:
        """Remove the pool if nothing is in it; the service itself refuses otherwise (400)."""
        try:
            await self.call(op, "DELETE", f"/subnetpools/{pool}")
        except NotFound:
            return
        except CloudError as error:
            if not isinstance(error, Conflict) and error.status != 400:
                raise

    async def delete(self, op: Operation) -> None:
        try:
            pool: Value = (await self.read_row(op)).get("subnetpool_id") if op.physical_id else None
        except Gone:
            pool = None
        await super().delete(op)
        for one in [pool] if pool else await self._pools(op):
            await self._drop_pool(op, str(one))
