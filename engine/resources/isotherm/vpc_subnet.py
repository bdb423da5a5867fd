"""Isotherm::Neutron::VpcSubnet: a subnet out of the address blocks of its VPC."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.cloud.errors import CloudError
from engine.model.value import Value
from engine.resources.base import Kind, Operation, OperationFailed
from engine.resources.declare import TAGS, attribute, attributes, custom, listing, named, string
from engine.resources.isotherm import fabric
from engine.resources.neutron.neutron_type import NeutronType

_FIRST, _LAST = 4, 1  # AWS keeps the first four addresses and the last one for itself


class VpcSubnet(NeutronType):
    """The VPC's subnet pool refuses what overlaps or lies outside, but with a 500 (N26): both are checked before, and
    that answer is known for what it is. The first address is the gateway's; `reserved` ones are not given to others.
    """

    name = "Isotherm::Neutron::VpcSubnet"
    sdk = "network.v2.subnet.Subnet"
    properties = {
        "name": string(mutable=True),
        "network": named("network", required=True, body="network_id"),
        "vpc": named("router", required=True, body=""),
        "cidr": string(custom("net_cidr"), required=True),
        "reserved": listing(string(), default=[], mutable=True, body=""),
        "dns_nameservers": listing(string(), default=[], mutable=True),
        "tags": TAGS,
    }
    attributes = {
        **attributes("name", "network_id", "gateway_ip", "cidr"),
        "allocation_pools": attribute(Kind.LIST),
    }

    async def body(self, op: Operation) -> dict[str, Any]:
        body = await super().body(op)
        block = ipaddress.ip_network(op.properties["cidr"], strict=False)
        return {
            **body,
            "cidr": str(block),
            "ip_version": block.version,
            "gateway_ip": str(block[1]),
            "allocation_pools": pools(block, op.properties["reserved"]),
        }

    async def changes(self, op: Operation, changed: frozenset[str]) -> dict[str, Any]:
        body = await super().changes(op, changed)
        if "reserved" in changed:
            block = ipaddress.ip_network(op.properties["cidr"], strict=False)
            body["allocation_pools"] = pools(block, op.properties["reserved"])
        return body

    async def post(self, op: Operation, body: Mapping[str, Any]) -> dict[str, Any]:
        pool = await fabric.pool_of(op.cloud, op.properties["vpc"])
        await self._check(op, pool)
        try:
            return await super().post(op, {**body, "subnetpool_id": pool["id"]})
        except CloudError as error:
            if error.kind == "SubnetAllocationError" or "SubnetAllocationError" in error.message:
                raise self._conflict(op) from error
            raise

    async def _check(self, op: Operation, pool: Mapping[str, Any]) -> None:
        """The two refusals that AWS words so (V15)."""
        block = ipaddress.ip_network(op.properties["cidr"], strict=False)
        outer = [ipaddress.ip_network(prefix) for prefix in pool["prefixes"]]
        if not any(block.version == one.version and block.subnet_of(one) for one in outer):  # type: ignore[arg-type]
            raise OperationFailed(
                f"InvalidSubnet.Range: The CIDR '{op.properties['cidr']}' is invalid. It lies outside the VPC's "
                f"{', '.join(pool['prefixes'])}."
            )
        rows = await self.rows(op, {"subnetpool_id": pool["id"]})
        for row in rows:
            mine = op.token in (row.get("description") or "")
            if (
                row.get("subnetpool_id") == pool["id"]
                and not mine
                and block.overlaps(ipaddress.ip_network(row["cidr"]))
            ):
                raise self._conflict(op)

    def _conflict(self, op: Operation) -> OperationFailed:
        cidr = op.properties["cidr"]
        return OperationFailed(f"InvalidSubnet.Conflict: The CIDR '{cidr}' conflicts with another subnet")


def pools(block: ipaddress.IPv4Network | ipaddress.IPv6Network, reserved: Sequence[Value]) -> list[dict[str, str]]:
    """The addresses that ports may be given: all but AWS's own and the reserved ones."""
    taken = sorted({int(ipaddress.ip_address(one)) for one in reserved if _is_in(one, block)})
    start, end = int(block[_FIRST]), int(block[-1 - _LAST])
    return [
        {"start": _text(low, block.version), "end": _text(high, block.version)}
        for low, high in _between(start, end, taken)
    ]


def _between(start: int, end: int, taken: Sequence[int]) -> Iterator[tuple[int, int]]:
    for address in taken:
        if start <= address <= end:
            if start < address:
                yield start, address - 1
            start = address + 1
    if start <= end:
        yield start, end


def _is_in(address: Value, block: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(address) in block
    except ValueError:
        return False


def _text(number: int, version: int) -> str:
    return str(ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number))
