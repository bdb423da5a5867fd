"""OS::Neutron::Subnet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from engine.model.value import Value
from engine.resources.base import Kind, Operation
from engine.resources.declare import (
    TAGS,
    VALUE_SPECS,
    attribute,
    attributes,
    between,
    boolean,
    custom,
    formerly,
    integer,
    listing,
    mapping,
    named,
    one_of,
    string,
)
from engine.resources.neutron.neutron_type import NeutronType

_IPV6_MODES = one_of("dhcpv6-stateful", "dhcpv6-stateless", "slaac")


class Subnet(NeutronType):
    """`gateway_ip: ""` (or null) is a subnet without a gateway."""

    name = "OS::Neutron::Subnet"
    sdk = "network.v2.subnet.Subnet"
    properties = {
        "network": named("network", required=True, body="network_id"),
        "network_id": formerly("network", "network"),
        "subnetpool": named("subnet_pool", body="subnetpool_id"),
        "prefixlen": integer(between(0)),
        "cidr": string(custom("net_cidr")),
        "value_specs": VALUE_SPECS,
        "name": string(mutable=True),
        "ip_version": integer(one_of(4, 6), default=4),
        "dns_nameservers": listing(None, default=[], mutable=True),
        "gateway_ip": string(mutable=True, null=""),
        "enable_dhcp": boolean(default=True, mutable=True),
        "allocation_pools": listing(
            mapping(
                {"start": string(custom("ip_addr"), required=True), "end": string(custom("ip_addr"), required=True)}
            ),
            mutable=True,
        ),
        "tenant_id": string(),
        "host_routes": listing(
            mapping(
                {
                    "destination": string(custom("net_cidr"), required=True),
                    "nexthop": string(custom("ip_addr"), required=True),
                }
            ),
            mutable=True,
        ),
        "ipv6_ra_mode": string(_IPV6_MODES),
        "ipv6_address_mode": string(_IPV6_MODES),
        "segment": named("segment", mutable=True, body="segment_id"),
        "tags": TAGS,
    }
    attributes = {
        **attributes("name", "network_id", "tenant_id", "gateway_ip", "ip_version", "cidr", "enable_dhcp"),
        "allocation_pools": attribute(Kind.LIST),
        "dns_nameservers": attribute(Kind.LIST),
        "host_routes": attribute(Kind.LIST),
    }

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        found = []
        cidr, pool = properties.get("cidr"), properties.get("subnetpool")
        if pool and cidr:
            found.append("Cannot use cidr and subnetpool together")
        if not pool and cidr is None:
            found.append("Either cidr or subnetpool must be given")
        ra_mode, address_mode = properties.get("ipv6_ra_mode"), properties.get("ipv6_address_mode")
        if str(properties.get("ip_version", 4)) == "4":
            found += [f"{n} needs ip_version 6" for n in ("ipv6_ra_mode", "ipv6_address_mode") if properties.get(n)]
        elif isinstance(ra_mode, str) and isinstance(address_mode, str) and ra_mode != address_mode:
            found.append("When both ipv6_ra_mode and ipv6_address_mode are set, they must be equal")
        return found + self._gateway(properties.get("gateway_ip"))

    def _gateway(self, gateway: Value) -> list[str]:
        if isinstance(gateway, str) and gateway and not _is_address(gateway):
            return [f"Gateway IP address is invalid: {gateway}"]
        return []

    async def body(self, op: Operation) -> dict[str, Any]:
        body = await super().body(op)
        if body.get("gateway_ip") == "":
            body["gateway_ip"] = None
        if "cidr" in body:
            body["cidr"] = str(ip_network(body["cidr"], strict=False))
        return body

    async def changes(self, op: Operation, changed: frozenset[str]) -> dict[str, Any]:
        body = await super().changes(op, changed)
        if body.get("gateway_ip") == "":
            body["gateway_ip"] = None
        return body


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
