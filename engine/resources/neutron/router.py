"""OS::Neutron::Router."""

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
    mapping,
    named,
    string,
)
from engine.resources.neutron.neutron_type import BUILT, NeutronType


class Router(NeutronType):
    name = "OS::Neutron::Router"
    sdk = "network.v2.router.Router"
    ready_when = BUILT
    properties = {
        "name": string(mutable=True),
        "external_gateway_info": mapping(
            {
                "network": string(required=True, mutable=True, refers="network", body="network_id"),
                "enable_snat": boolean(mutable=True),
                "external_fixed_ips": listing(
                    mapping({"ip_address": string(custom("ip_addr")), "subnet": named("subnet", body="subnet_id")}),
                    mutable=True,
                ),
            },
            mutable=True,
        ),
        "value_specs": VALUE_SPECS,
        "admin_state_up": boolean(default=True, mutable=True),
        "l3_agent_id": string(mutable=True, body="", support="HIDDEN"),
        "l3_agent_ids": listing(string(), mutable=True, body=""),
        "distributed": boolean(),
        "ha": boolean(),
        "availability_zone_hints": listing(None, mutable=True),
        "tags": TAGS,
        "tenant_id": string(),
    }
    attributes = {
        **attributes("status", "name", "admin_state_up", "tenant_id"),
        "external_gateway_info": attribute(Kind.MAP),
    }

    async def arrange(self, op: Operation, row: Mapping[str, Any]) -> bool:
        agents = op.properties.get("l3_agent_ids")
        if agents is None and op.properties.get("l3_agent_id"):
            agents = [op.properties["l3_agent_id"]]
        if agents is not None:
            await self.set_agents(op, agents, "l3-agents", "l3-routers", "router_id")
        return False  # agents are no part of the object
