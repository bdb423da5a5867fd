"""OS::Neutron::Port."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from engine.model.value import Value
from engine.resources.base import Kind, Operation
from engine.resources.declare import (
    TAGS,
    attribute,
    attributes,
    custom,
    formerly,
    listing,
    mapping,
    named,
    one_of,
    string,
)
from engine.resources.neutron.neutron_type import BUILT, NeutronType
from engine.resources.neutron.port_properties import EXTRA, tidy


class Port(NeutronType):
    name = "OS::Neutron::Port"
    sdk = "network.v2.port.Port"
    ready_when = BUILT
    properties = {
        "network": named("network", required=True, body="network_id"),
        "network_id": formerly("network", "network"),
        "name": string(mutable=True),
        "fixed_ips": listing(
            mapping(
                {
                    "subnet": named("subnet", body="subnet_id"),
                    "subnet_id": formerly("subnet", "subnet"),
                    "ip_address": string(custom("ip_addr")),
                }
            ),
            mutable=True,
        ),
        "security_groups": listing(None, mutable=True, refers="security_group"),
        "device_id": string(default="", mutable=True),
        "device_owner": string(default="", mutable=True),
        "dns_name": string(custom("dns_name"), mutable=True),
        "replacement_policy": string(
            one_of("REPLACE_ALWAYS", "AUTO"), default="AUTO", mutable=True, body="", support="HIDDEN"
        ),
        "tags": TAGS,
        **EXTRA,
    }
    attributes = {
        **attributes("admin_state_up", "device_id", "device_owner", "mac_address", "name", "network_id", "status"),
        **attributes("tenant_id", "qos_policy_id"),
        "allowed_address_pairs": attribute(Kind.LIST),
        "dns_assignment": attribute(Kind.MAP),
        "fixed_ips": attribute(Kind.LIST),
        "network": attribute(Kind.MAP),
        "port_security_enabled": attribute(Kind.BOOLEAN),
        "propagate_uplink_status": attribute(Kind.BOOLEAN),
        "security_groups": attribute(Kind.LIST),
        "subnets": attribute(Kind.LIST),
    }

    def replaces(self, before: Mapping[str, Value], after: Mapping[str, Value]) -> bool:
        return after.get("replacement_policy") == "REPLACE_ALWAYS"

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        if properties.get("no_fixed_ips") is True and properties.get("fixed_ips"):
            return ["Cannot use fixed_ips and no_fixed_ips together"]
        return ()

    async def body(self, op: Operation) -> dict[str, Any]:
        body = tidy(await super().body(op), op.properties)
        for empty in ("device_id", "device_owner"):
            if body.get(empty) == "":
                del body[empty]
        return body

    async def changes(self, op: Operation, changed: frozenset[str]) -> dict[str, Any]:
        body = await super().changes(op, changed)
        if "no_fixed_ips" in changed and op.properties.get("no_fixed_ips"):
            body["fixed_ips"] = []
        if "security_groups" in changed and op.properties.get("security_groups") is None:
            body["security_groups"] = [await op.cloud.resolve("security_group", "default")]
        if "fixed_ips" in body and not body["fixed_ips"] and not op.properties.get("no_fixed_ips"):
            del body["fixed_ips"]  # none wanted in particular is not none at all
        return body

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        return await self._with_surroundings(op, await super().ready(op))

    async def check(self, op: Operation) -> Mapping[str, Value]:
        return await self._with_surroundings(op, await super().check(op))

    async def live_attribute(self, op: Operation, name: str) -> Value:
        found = self.kept(op, await self.read_row(op))
        if name in ("network", "subnets"):
            found = await self._with_surroundings(op, found)
        return found.get(name)

    async def _with_surroundings(self, op: Operation, found: Mapping[str, Value]) -> dict[str, Value]:
        """The attributes with `network` and `subnets` in full."""
        subnet_ids = [one["subnet_id"] for one in found.get("fixed_ips") or () if one.get("subnet_id")]
        network, *subnets = await asyncio.gather(
            self._one(op, "network", found["network_id"]),
            *(self._one(op, "subnet", one) for one in dict.fromkeys(subnet_ids)),
        )
        return {**found, "network": network, "subnets": [one for one in subnets if one is not None]}

    async def _one(self, op: Operation, key: str, object_id: str) -> Any:
        # As a list, because many ports of a stack ask at once, and mostly for the same.
        rows = await op.cloud.list("network", f"/{key}s", f"{key}s", params={"id": object_id})
        return rows[0] if rows else None
