"""Interfaces that routers get in subnets of others, because a next hop must be on a connected subnet (N10).

A router has one interface in a subnet (N7), so whoever needs it shares it: it is known by a mark that names both, is
made by the first and goes with the last.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.cloud.contract import Cloud
from engine.cloud.errors import CloudError, Conflict, NotFound, Permanent
from engine.resources.isotherm import fabric

HOP_NAME: Final = "isotherm-hop"


async def join(cloud: Cloud, router: str, subnet: Mapping[str, Any], name: str = HOP_NAME) -> str:
    """Have the router in the subnet by a free address, as the gateway's is taken (N6); returns the router's address
    there. Safe to repeat, and to do twice at the same time."""
    found = await address_in(cloud, router, subnet["id"])
    if found is not None:
        return found
    mark = _mark(name, router, subnet["id"])
    port = next((row for row in await _marked(cloud, name, router) if row["description"] == mark), None)
    if port is None:
        fixed = [{"subnet_id": subnet["id"]}]
        body = {"network_id": subnet["network_id"], "name": name, "description": mark, "fixed_ips": fixed}
        port = (await cloud.request("network", "POST", "/ports", json={"port": body})).body["port"]
    try:
        path = f"/routers/{router}/add_router_interface"
        await cloud.request("network", "PUT", path, json={"port_id": port["id"]})
    except (Conflict, Permanent):
        found = await address_in(cloud, router, subnet["id"])
        if found is None:
            raise
        await _drop_unused(cloud, port["id"])
        return found
    return str(port["fixed_ips"][0]["ip_address"])


async def leave(cloud: Cloud, router: str, hops: Sequence[str], name: str = HOP_NAME) -> None:
    """Take the router out of the subnets of these next hops, unless other routes still lead there (N13)."""
    for port in await _marked(cloud, name, router):
        if port.get("device_id") != router:
            await _drop_unused(cloud, port["id"])
            continue
        try:
            subnet = await fabric.subnet(cloud, port["fixed_ips"][0]["subnet_id"])
            block = ipaddress.ip_network(subnet["cidr"])
            if any(ipaddress.ip_address(hop) in block for hop in hops):
                await fabric.remove_interface(cloud, router, "port_id", port["id"])
        except (Conflict, NotFound):
            continue


async def address_in(cloud: Cloud, router: str, subnet_id: str) -> str | None:
    """The router's address in the subnet, None when it is not there."""
    for row in await fabric.interfaces(cloud, router):
        for fixed in row.get("fixed_ips") or ():
            if fixed["subnet_id"] == subnet_id:
                return str(fixed["ip_address"])
    return None


def _mark(name: str, router: str, subnet: str) -> str:
    return f"{name} {router} {subnet}"


async def _marked(cloud: Cloud, name: str, router: str) -> list[dict[str, Any]]:
    rows = await cloud.list("network", "/ports", "ports", params={"name": name})
    return [row for row in rows if str(row.get("description") or "").startswith(f"{name} {router} ")]


async def _drop_unused(cloud: Cloud, port: str) -> None:
    """Remove a port that no router has; one that a router has taken in the meantime stays."""
    try:
        if not (await fabric.port(cloud, port)).get("device_id"):
            await cloud.request("network", "DELETE", f"/ports/{port}")
    except NotFound:
        return
    except CloudError as error:
        if error.kind != "ServicePortInUse":
            raise
