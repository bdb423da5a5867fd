"""Isotherm::Neutron::PortRoute: a route whose next hop is a port, wherever in the VPC that is."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed
from engine.resources.declare import custom, named, string
from engine.resources.isotherm import fabric
from engine.resources.isotherm.hop_route import HopRoute
from engine.resources.isotherm.joined import join


class PortRoute(HopRoute):
    """`address` is the port's address that is meant: a port with several shows them in no order."""

    name = "Isotherm::Neutron::PortRoute"
    properties = {
        **HopRoute.properties,
        "port": named("port", mutable=True),
        "server": named("server", mutable=True),
        "address": string(custom("ip_addr"), mutable=True),
    }

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        if (properties.get("port") is None) == (properties.get("server") is None):
            return ["Give either port or server"]
        return ()

    async def hop(self, op: Operation, destination: str) -> str:
        target = await primary_port(op, op.properties.get("port"), op.properties.get("server"))
        fixed = _meant(target, op.properties.get("address"), destination)
        await join(op.cloud, op.properties["router"], await fabric.subnet(op.cloud, fixed["subnet_id"]))
        return str(fixed["ip_address"])


def _meant(port: Mapping[str, Any], address: Value, destination: str) -> Mapping[str, str]:
    """The fixed IP that is meant, else the lowest of the destination's family. Raises OperationFailed."""
    version = ipaddress.ip_network(destination).version
    found: list[Mapping[str, str]] = [
        one for one in port.get("fixed_ips") or () if ipaddress.ip_address(one["ip_address"]).version == version
    ]
    if not found:
        raise OperationFailed(f"Port {port['id']} has no IPv{version} address for the route to {destination}")
    return min(found, key=lambda one: (one["ip_address"] != address, int(ipaddress.ip_address(one["ip_address"]))))


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
