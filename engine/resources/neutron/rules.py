"""What a security group rule is, in a group's list and on its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.model.value import Value
from engine.resources.declare import one_of

_NAMES = (
    "ah", "dccp", "egp", "esp", "gre", "icmp", "icmpv6", "igmp", "ipv6-encap", "ipv6-frag", "ipv6-icmp", "ipv6-nonxt",
    "ipv6-opts", "ipv6-route", "ospf", "pgm", "rsvp", "sctp", "tcp", "udp", "udplite", "vrrp",
)  # fmt: skip
PROTOCOLS: Final = one_of(*range(256), *_NAMES)
DIRECTIONS: Final = one_of("ingress", "egress")
ETHERTYPES: Final = one_of("IPv4", "IPv6")

#: What makes two rules the same for Neutron.
KEY: Final = (
    "direction", "ethertype", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id",
    "remote_address_group_id",
)  # fmt: skip


def rule_key(rule: Mapping[str, Value]) -> tuple[str, ...]:
    """Two rules of a group with equal keys are one to Neutron."""
    return tuple("" if rule.get(name) in (None, "") else str(rule[name]).lower() for name in KEY)


def wire_rule(rule: Mapping[str, Value], group_id: str) -> dict[str, Any]:
    """A rule of a group's list as Neutron takes it; a remote group that is not named is the group itself."""
    body = {name: value for name, value in rule.items() if value not in (None, "") and name != "remote_mode"}
    if rule.get("remote_mode") == "remote_group_id":
        body.pop("remote_ip_prefix", None)
        body.setdefault("remote_group_id", group_id)
    else:
        body.pop("remote_group_id", None)
    return {**body, "security_group_id": group_id}


def is_default_egress(rule: Mapping[str, Value]) -> bool:
    """Whether it is one of the two rules that Neutron gives every new group: out to anywhere."""
    open_keys = ("protocol", "port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id")
    return rule.get("direction") == "egress" and all(rule.get(key) is None for key in open_keys)
