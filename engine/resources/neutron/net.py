"""OS::Neutron::Net: a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.resources.base import Kind, Operation
from engine.resources.declare import (
    TAGS,
    VALUE_SPECS,
    attribute,
    attributes,
    boolean,
    custom,
    listing,
    named,
    string,
)
from engine.resources.neutron.neutron_type import BUILT, NeutronType


class Net(NeutronType):
    name = "OS::Neutron::Net"
    sdk = "network.v2.network.Network"
    ready_when = BUILT
    unsaid = frozenset({"shared"})
    properties = {
        "name": string(mutable=True),
        "value_specs": VALUE_SPECS,
        "admin_state_up": boolean(default=True, mutable=True),
        "tenant_id": string(),
        "shared": boolean(default=False, mutable=True),
        "dhcp_agent_ids": listing(None, mutable=True, body=""),
        "port_security_enabled": boolean(mutable=True),
        "qos_policy": named("qos_policy", mutable=True, body="qos_policy_id"),
        "dns_domain": string(custom("dns_domain"), mutable=True),
        "availability_zone_hints": listing(None),
        "tags": TAGS,
    }
    attributes = {
        **attributes("name", "status", "tenant_id", "admin_state_up", "qos_policy_id"),
        "subnets": attribute(Kind.LIST),
        "port_security_enabled": attribute(Kind.BOOLEAN),
        "mtu": attribute(Kind.INTEGER),
        "l2_adjacency": attribute(Kind.BOOLEAN),
        "segments": attribute(Kind.LIST),
    }

    async def arrange(self, op: Operation, row: Mapping[str, Any]) -> bool:
        agents = op.properties.get("dhcp_agent_ids")
        if agents is not None:
            await self.set_agents(op, agents, "dhcp-agents", "dhcp-networks", "network_id")
        return False  # agents are no part of the object
