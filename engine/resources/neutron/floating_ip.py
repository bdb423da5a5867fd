"""OS::Neutron::FloatingIP."""

from __future__ import annotations

from typing import Any

from engine.resources.base import Operation
from engine.resources.declare import attribute, attributes, custom, formerly, mapping, named, string
from engine.resources.neutron.neutron_type import NeutronType


class FloatingIP(NeutronType):
    name = "OS::Neutron::FloatingIP"
    sdk = "network.v2.floating_ip.FloatingIP"
    name_key = None
    properties = {
        "floating_network": named("network", required=True, body="floating_network_id"),
        "floating_network_id": formerly("floating_network", "network"),
        "floating_subnet": named("subnet", body="subnet_id"),
        "value_specs": mapping(None, default={}, body=""),
        "port_id": named("port", mutable=True),
        "fixed_ip_address": string(custom("ip_addr"), mutable=True),
        "floating_ip_address": string(custom("ip_addr")),
        "dns_name": string(custom("rel_dns_name"), mutable=True),
        "dns_domain": string(custom("dns_domain"), mutable=True),
    }
    attributes = {
        **attributes("router_id", "tenant_id", "floating_network_id", "floating_ip_address"),
        "fixed_ip_address": attribute(live=True),
        "port_id": attribute(live=True),
    }

    async def changes(self, op: Operation, changed: frozenset[str]) -> dict[str, Any]:
        body = await super().changes(op, changed)
        if "fixed_ip_address" in body and op.properties.get("port_id"):
            # Neutron takes a fixed address only together with its port.
            body |= await super().changes(op, frozenset({"port_id"}))
        if body.get("port_id", "") is None:
            body.pop("fixed_ip_address", None)
        return body
