"""Virtual private clouds on Neutron: how their parts are marked and found again (vpc-on-neutron.md §3).

A VPC is known by the id of its hub router. Everything of it carries the tag `isotherm:vpc=<hub>`, and its address
blocks are the prefixes of the subnet pool with that tag. A leg, a router's port on the fabric network, is told by its
name, because Neutron takes no tags when a port is made.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.cloud.contract import Cloud
from engine.cloud.errors import NotFound
from engine.resources.base import OperationFailed

VPC, ROLE, PUBLIC = "isotherm:vpc=", "isotherm:role=", "isotherm:public="
LEG_NAME: Final = "isotherm-leg"  # a router on its VPC's fabric
PEER_NAME: Final = "isotherm-peer"  # a hub on a network where two VPCs meet

INTERFACES: Final = frozenset(
    {
        "network:router_interface",
        "network:router_interface_distributed",
        "network:ha_router_replicated_interface",
    }
)


@dataclass(frozen=True, slots=True)
class Leg:
    """A router's port on the fabric."""

    port: str
    address: str
    network: str


def tag_value(row: Mapping[str, Any], prefix: str) -> str | None:
    """What stands behind a tag `prefix`."""
    return next((tag[len(prefix) :] for tag in row.get("tags") or () if tag.startswith(prefix)), None)


async def router(cloud: Cloud, router_id: str) -> dict[str, Any]:
    """Raises NotFound."""
    return dict((await cloud.request("network", "GET", f"/routers/{router_id}")).body["router"])


async def subnet(cloud: Cloud, subnet_id: str) -> dict[str, Any]:
    """Raises NotFound."""
    return dict((await cloud.request("network", "GET", f"/subnets/{subnet_id}")).body["subnet"])


async def network(cloud: Cloud, network_id: str) -> dict[str, Any]:
    """Raises NotFound."""
    return dict((await cloud.request("network", "GET", f"/networks/{network_id}")).body["network"])


async def port(cloud: Cloud, port_id: str) -> dict[str, Any]:
    """Raises NotFound."""
    return dict((await cloud.request("network", "GET", f"/ports/{port_id}")).body["port"])


async def marked(cloud: Cloud, collection: str, vpc: str, role: str) -> list[dict[str, Any]]:
    """Objects of a VPC with that role; the filter is the service's, the comparison ours."""
    wanted = {f"{VPC}{vpc}", f"{ROLE}{role}"}
    path = f"/{collection.replace('_', '-')}" if collection == "security_groups" else f"/{collection}"
    rows = await cloud.list("network", path, collection, params={"tags": ",".join(sorted(wanted))})
    return sorted((row for row in rows if wanted <= set(row.get("tags") or ())), key=lambda row: str(row["id"]))


async def fabric_of(cloud: Cloud, vpc: str) -> str:
    """The fabric network. Raises OperationFailed for what is no VPC."""
    rows = await marked(cloud, "networks", vpc, "fabric")
    if not rows:
        raise OperationFailed(
            f"{vpc} is no VPC: there is no network tagged {VPC}{vpc} {ROLE}fabric. Give the id of a VPC that "
            "was made by a stack."
        )
    return str(rows[0]["id"])


async def interfaces(cloud: Cloud, router_id: str) -> list[dict[str, Any]]:
    """The router's interfaces, legs included."""
    rows = await cloud.list("network", "/ports", "ports", params={"device_id": router_id})
    return [row for row in rows if row.get("device_id") == router_id and row.get("device_owner") in INTERFACES]


async def find_leg(cloud: Cloud, router_id: str) -> Leg | None:
    """The router's leg, None when it has none (yet)."""
    for row in await interfaces(cloud, router_id):
        if row.get("name") == LEG_NAME:
            return Leg(row["id"], row["fixed_ips"][0]["ip_address"], row["network_id"])
    return None


async def leg_of(cloud: Cloud, router_id: str) -> Leg:
    """The router's leg. Raises OperationFailed when it has none."""
    found = await find_leg(cloud, router_id)
    if found is None:
        raise OperationFailed(
            f"Router {router_id} is no route table or VPC of a stack: no port of it is on a fabric network"
        )
    return found


async def vpc_of_subnet(cloud: Cloud, subnet_id: str) -> tuple[dict[str, Any], str | None]:
    """The subnet, and the VPC that its network belongs to, if any."""
    row = await subnet(cloud, subnet_id)
    return row, tag_value(await network(cloud, row["network_id"]), VPC)


async def pool_of(cloud: Cloud, vpc: str) -> dict[str, Any]:
    """The subnet pool of a VPC, whose prefixes are its address blocks. Raises OperationFailed for what is no VPC."""
    rows = await marked(cloud, "subnetpools", vpc, "pool")
    if not rows:
        raise OperationFailed(f"{vpc} is no VPC of a stack: it has no subnet pool. Give the id of a VPC.")
    return rows[0]


async def change_routes(cloud: Cloud, router_id: str, action: str, routes: Sequence[Mapping[str, str]]) -> None:
    """`add_extraroutes` or `remove_extraroutes`, both harmless when repeated (N12); never the whole list (N21)."""
    if routes:
        body = {"router": {"routes": [dict(route) for route in routes]}}
        await cloud.request("network", "PUT", f"/routers/{router_id}/{action}", json=body)


async def remove_interface(cloud: Cloud, router_id: str, key: str, value: str) -> None:
    """Take an interface off a router; that it is not there is success. The port goes with it."""
    try:
        await cloud.request("network", "PUT", f"/routers/{router_id}/remove_router_interface", json={key: value})
    except NotFound:
        return


def routes_via(row: Mapping[str, Any], cidr: str) -> list[dict[str, str]]:
    """The router's routes whose next hop lies in `cidr`."""
    block = ipaddress.ip_network(cidr)
    return [
        {"destination": route["destination"], "nexthop": route["nexthop"]}
        for route in row.get("routes") or ()
        if ipaddress.ip_address(route["nexthop"]) in block
    ]
