"""Isotherm::Neutron::Interface: a port told by its subnet; without one, in the project's usual network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.cloud.errors import CloudError, NotFound
from engine.model.value import Value
from engine.resources.base import Kind, Operation, OperationFailed
from engine.resources.declare import (
    TAGS,
    VALUE_SPECS,
    attribute,
    custom,
    integer,
    listing,
    mapping,
    named,
    string,
)  # fmt: skip
from engine.resources.isotherm import fabric
from engine.resources.isotherm.tied import TIED_TO
from engine.resources.neutron.neutron_type import BUILT, NeutronType


class Interface(NeutronType):
    """Without security groups it has the default one of its VPC. `tied_to` is whatever makes a new port when it
    changes: a port serves one server at a time, so a server that is replaced needs another."""

    name = "Isotherm::Neutron::Interface"
    sdk = "network.v2.port.Port"
    ready_when = BUILT
    properties = {
        "name": string(mutable=True),
        "subnet": named("subnet", body=""),
        "address": string(custom("ip_addr"), body=""),
        "more_addresses": listing(string(custom("ip_addr")), mutable=True, body=""),
        "more_count": integer(mutable=True, body=""),
        "security_groups": listing(string(), mutable=True, refers="security_group"),
        "allowed_address_pairs": listing(
            mapping({"ip_address": string(required=True), "mac_address": string()}), mutable=True
        ),
        "tied_to": TIED_TO,
        "value_specs": VALUE_SPECS,
        "tags": TAGS,
    }
    attributes = {
        "address": attribute(),
        "more_addresses": attribute(Kind.LIST),
        "network_id": attribute(),
        "mac_address": attribute(),
        "vpc": attribute(),
        "subnet": attribute(),
    }

    async def body(self, op: Operation) -> dict[str, Any]:
        body = await super().body(op)
        network = await self._network(op)
        body["network_id"] = network["id"]
        body["fixed_ips"] = self._fixed_ips(op, network)
        if "security_groups" not in body:
            group = await self._default_group(op, network)
            if group is not None:
                body["security_groups"] = [group]
        return body

    def _fixed_ips(self, op: Operation, network: Mapping[str, Any]) -> list[dict[str, str]]:
        """The primary address first."""
        wanted = op.properties
        subnet = wanted.get("subnet") or next(iter(network.get("subnets") or ()), None)
        if subnet is None:
            raise OperationFailed(f"Network {network['id']} has no subnet")
        addresses = [wanted.get("address"), *(wanted.get("more_addresses") or ())]
        addresses += [None] * (wanted.get("more_count") or 0)
        return [{"subnet_id": subnet, **({"ip_address": one} if one else {})} for one in addresses]

    async def changes(self, op: Operation, changed: frozenset[str]) -> dict[str, Any]:
        body = await super().changes(op, changed)
        if body.get("allowed_address_pairs", "") is None:
            body["allowed_address_pairs"] = []
        if changed & {"more_addresses", "more_count"}:
            body["fixed_ips"] = await self._changed_addresses(op)
        if body.get("security_groups", "") is None:
            group = await self._default_group(op, await self._network(op))
            body["security_groups"] = [] if group is None else [group]
        return body

    async def _changed_addresses(self, op: Operation) -> list[dict[str, str]]:
        """The primary address stays; the others are as wanted now."""
        row = await self.read_row(op)
        primary = self.kept(op, row)["address"]
        first = next(one for one in row["fixed_ips"] if one["ip_address"] == primary)
        wanted = self._fixed_ips(op, {"id": "", "subnets": [first["subnet_id"]]})
        return [first, *wanted[1:]]

    # --- where it is ----------------------------------------------------------------------------------------------
    async def _network(self, op: Operation) -> dict[str, Any]:
        subnet = op.properties.get("subnet")
        if subnet:
            return await fabric.network(op.cloud, (await fabric.subnet(op.cloud, subnet))["network_id"])
        return await usual_network(op)

    async def _default_group(self, op: Operation, network: Mapping[str, Any]) -> str | None:
        """The VPC's own group; None outside a VPC, where Neutron gives the project's."""
        vpc = fabric.tag_value(network, fabric.VPC)
        if vpc is None:
            return None
        found = await fabric.marked(op.cloud, "security_groups", vpc, "default-group")
        if not found:
            raise OperationFailed(
                f"VPC {vpc} has no default security group: its template makes one only when it is exported or used. "
                "Name the security groups."
            )
        return str(found[0]["id"])

    # --- what it shows --------------------------------------------------------------------------------------------
    async def ready(self, op: Operation) -> Mapping[str, Value]:
        found = dict(await super().ready(op))
        if found["more_addresses"] and not op.properties.get("address") and not op.data.get("primary"):
            await op.remember(primary=found["address"])
        network = await fabric.network(op.cloud, found["network_id"])
        return {**found, "vpc": fabric.tag_value(network, fabric.VPC) or ""}

    async def check(self, op: Operation) -> Mapping[str, Value]:
        found = dict(await super().check(op))
        network = await fabric.network(op.cloud, found["network_id"])
        return {**found, "vpc": fabric.tag_value(network, fabric.VPC) or ""}

    def kept(self, op: Operation, row: Mapping[str, Any]) -> dict[str, Value]:
        """Neutron shows addresses in no particular order; the primary one is the named one, or what it was at first."""
        fixed: Sequence[Mapping[str, str]] = row.get("fixed_ips") or ()
        further = op.properties.get("more_addresses") or ()
        primary = op.properties.get("address") or op.data.get("primary")
        addresses = sorted(
            (one["ip_address"] for one in fixed if ":" not in one["ip_address"]),
            key=lambda address: (address != primary, address in further),
        )
        found = super().kept(op, row)
        return {
            **found,
            "address": addresses[0] if addresses else "",
            "more_addresses": addresses[1:],
            "subnet": fixed[0]["subnet_id"] if fixed else "",
        }


async def usual_network(op: Operation) -> dict[str, Any]:
    """Where a server goes that says nothing: the project's only network of its own that no VPC has, else the one that
    the cloud makes for it. Raises OperationFailed."""
    rows = await op.cloud.list("network", "/networks", "networks", params={"router:external": "false"})
    own = [
        row
        for row in rows
        if not row.get("router:external")
        and row.get("subnets")
        and fabric.tag_value(row, fabric.VPC) is None
        and (row.get("project_id") or row.get("tenant_id")) == op.cloud.project_id
    ]
    if len(own) == 1:
        return own[0]
    try:
        path = f"/auto-allocated-topology/{op.cloud.project_id}"
        made = (await op.cloud.request("network", "GET", path)).body["auto_allocated_topology"]
        return await fabric.network(op.cloud, made["id"])
    except (CloudError, NotFound) as error:
        several = f"there are {len(own)} networks" if own else "there is no network"
        raise OperationFailed(
            f"It is not clear which network is meant: {several}, and the cloud makes none by itself. Give a SubnetId."
        ) from error
