"""Security group rules told loosely → as Neutron takes them (vpc-on-neutron.md §4)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from engine.model.value import Value
from engine.resources.base import OperationFailed, Property
from engine.resources.declare import anything, boolean, mapping, one_of, string

#: Protocols that have ports.
_WITH_PORTS = frozenset({"tcp", "udp", "sctp", "dccp", "udplite", "6", "17", "132", "33", "136"})
_ICMP = frozenset({"icmp", "1"})
_ICMP6 = frozenset({"icmpv6", "ipv6-icmp", "58"})
_HIGHEST_PORT, _HIGHEST_TYPE = 65535, 255

RULE: Property = mapping(
    {
        "direction": string(one_of("ingress", "egress"), required=True),
        "protocol": anything(),
        "port_min": anything(),
        "port_max": anything(),
        "cidr": string(),
        "group": string(refers="security_group"),
        "own": boolean(),
        "description": string(),
    }
)

WireRule = dict[str, Any]


def wire_rules(rule: Mapping[str, Value], group: str) -> list[WireRule]:
    """The Neutron rules of one rule: a remote group means both families, a prefix its own. Raises OperationFailed."""
    protocol = str(rule.get("protocol", "-1")).strip().lower()
    remote = group if rule.get("own") else rule.get("group")
    if remote:
        families: Sequence[str] = ("IPv6",) if protocol in _ICMP6 else ("IPv4", "IPv6")
        sources = [(family, {"remote_group_id": remote}) for family in families]
    elif rule.get("cidr"):
        block = _block(str(rule["cidr"]))
        sources = [(f"IPv{block.version}", {"remote_ip_prefix": str(block)})]
    else:
        raise OperationFailed("A rule names neither addresses nor a group: Neutron would read that as anyone.")
    return [
        {
            "security_group_id": group,
            "direction": rule["direction"],
            "ethertype": family,
            "description": str(rule.get("description") or ""),
            **_protocol(protocol, rule.get("port_min"), rule.get("port_max"), family),
            **source,
        }
        for family, source in sources
    ]


def _block(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Host bits are dropped: Neutron would store the same rule twice."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise OperationFailed(f"'{text}' is no address block; write 10.0.0.0/16") from error


def _protocol(protocol: str, low: Value, high: Value, family: str) -> WireRule:
    if protocol in ("-1", "any", "all", ""):
        return {"protocol": None}
    first, last = _number(low), _number(high)
    if protocol in _ICMP | _ICMP6:
        name = "icmpv6" if protocol in _ICMP6 or family == "IPv6" else "icmp"
        return {"protocol": name, **_icmp(first, last)}
    if protocol not in _WITH_PORTS:
        return {"protocol": protocol}
    return {"protocol": protocol, **_ports(first, last)}


def _icmp(kind: int | None, code: int | None) -> WireRule:
    if kind is None or kind < 0:
        return {}
    if kind > _HIGHEST_TYPE:
        raise OperationFailed(f"ICMP types go from 0 to {_HIGHEST_TYPE}, not {kind}")
    return {"port_range_min": kind} if code is None or code < 0 else {"port_range_min": kind, "port_range_max": code}


def _ports(first: int | None, last: int | None) -> WireRule:
    if first is None and last is None:
        return {}
    first = last if first is None else first
    last = first if last is None else last
    assert first is not None
    assert last is not None
    if first < 0 or (first <= 1 and last >= _HIGHEST_PORT):
        return {}
    if last < 1:
        raise OperationFailed("Port 0 alone cannot be opened; ports go from 1 to 65535")
    if not first <= last <= _HIGHEST_PORT:
        raise OperationFailed(f"Ports {first} to {last} are no range; they go from 1 to {_HIGHEST_PORT}")
    return {"port_range_min": max(first, 1), "port_range_max": last}


def _number(value: Value) -> int | None:
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise OperationFailed(f"'{value}' is no port") from error


Key = tuple[Any, ...]


def key_of(rule: Mapping[str, Any]) -> Key:
    """What makes two rules the same for Neutron: not the description."""
    protocol = rule.get("protocol")
    prefix = rule.get("remote_ip_prefix")
    if prefix in ("0.0.0.0/0", "::/0"):
        prefix = None  # the same as none, to Neutron
    return (
        rule["direction"],
        rule["ethertype"],
        _SAME.get(str(protocol), str(protocol)) if protocol is not None else None,
        rule.get("port_range_min"),
        rule.get("port_range_max"),
        rule.get("remote_group_id"),
        prefix,
    )


_SAME = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "ipv6-icmp": "icmpv6", "132": "sctp", "33": "dccp"}


def all_wire_rules(rules: Sequence[Mapping[str, Value]], group: str) -> dict[Key, WireRule]:
    """Every rule once, the first description wins."""
    found: dict[Key, WireRule] = {}
    for rule in rules:
        for one in wire_rules(rule, group):
            found.setdefault(key_of(one), one)
    return found


def is_open_egress(rule: Mapping[str, Any]) -> bool:
    return key_of(rule) in OPEN_EGRESS


OPEN_EGRESS = frozenset(
    ("egress", family, None, None, None, None, None) for family in ("IPv4", "IPv6")
)  # fmt: skip
