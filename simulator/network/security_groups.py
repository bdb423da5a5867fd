"""Security groups, their rules, and address groups."""

from __future__ import annotations

from typing import Any, ClassVar

from simulator.http import Call, Refusal, Reply, Routes
from simulator.network.addresses import cidr, parse_cidr
from simulator.network.collection import Collection
from simulator.network.errors import bad, conflict, server_error
from simulator.query import text_of
from simulator.store import Obj
from simulator.world import hidden

_PROTOCOLS = {
    "ah": 51, "dccp": 33, "egp": 8, "esp": 50, "gre": 47, "hopopt": 0, "icmp": 1, "igmp": 2, "ip": 0, "ipip": 4,
    "ipv6-encap": 41, "ipv6-frag": 44, "ipv6-icmp": 58, "icmpv6": 58, "ipv6-nonxt": 59, "ipv6-opts": 60,
    "ipv6-route": 43, "ospf": 89, "pgm": 113, "rsvp": 46, "sctp": 132, "tcp": 6, "udp": 17, "udplite": 136,
    "vrrp": 112,
}  # fmt: skip
_WITH_PORTS = frozenset({6, 17, 33, 132, 136})
_TCP_LIKE = frozenset({6, 17})
_V6_ONLY = frozenset({41, 43, 44, 58, 59, 60})
_ANYWHERE = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}
_REMOTES = ("remote_ip_prefix", "remote_group_id", "remote_address_group_id")


class SecurityGroups(Collection):
    sdk_name = "network.v2.security_group.SecurityGroup"
    path = "/security-groups"
    noun, missing = "Security group", "SecurityGroupNotFound"
    defaults: ClassVar[dict[str, Any]] = {"name": "", "stateful": True, "shared": False}
    read_only = frozenset({"security_group_rules", "shared"})
    booleans = frozenset({"stateful", "shared"})

    def none(self, object_id: str) -> Refusal:
        return Refusal(404, f"Security group {object_id} does not exist", self.missing)

    def scope(self, call: Call) -> list[Obj]:
        if call.project_id:
            self.default_of(call.project_id)
        return super().scope(call)

    def visible(self, call: Call, obj: Obj) -> bool:
        return super().visible(call, obj) or self.network.is_shared_with(obj["id"], call.project_id)

    def before_create(self, call: Call, obj: Obj) -> None:
        if obj["name"] == "default":
            raise conflict("SecurityGroupDefaultAlreadyExists", "Default security group already exists.")
        self.default_of(obj["project_id"])
        obj["revision_number"] = 1

    def after_create(self, call: Call, obj: Obj) -> None:
        for family in ("IPv4", "IPv6"):
            self.network.rules.put_rule(obj, direction="egress", ethertype=family)

    def default_of(self, project_id: str) -> Obj:
        """The project's `default` group, made when it is first wanted."""
        for group in self.table.by("project_id", project_id):
            if group["name"] == "default":
                return group
        group = self._new(project_id) | {"name": "default", "description": "Default security group"}
        group["revision_number"] = 1
        self.table.put(group)
        for family in ("IPv4", "IPv6"):
            self.network.rules.put_rule(group, direction="ingress", ethertype=family, remote_group_id=group["id"])
            self.network.rules.put_rule(group, direction="egress", ethertype=family)
        return group

    def before_update(self, call: Call, obj: Obj, changes: Obj) -> None:
        if obj["name"] == "default" and changes.get("name", "default") != "default":
            raise conflict("SecurityGroupCannotUpdateDefault", "Updating default security group not allowed.")

    def before_delete(self, call: Call, obj: Obj) -> None:
        used = self.network.ports.table.has("group", obj["id"])
        if used or (obj["name"] == "default" and not call.is_admin):
            raise conflict("SecurityGroupInUse", f"Security Group {obj['id']} in use.")

    def after_delete(self, call: Call, obj: Obj) -> None:
        rules = self.network.rules.table
        for rule in [*rules.by("security_group_id", obj["id"]), *rules.by("remote_group_id", obj["id"])]:
            rules.remove(rule["id"])  # also those of other groups, silently

    def render(self, call: Call, obj: Obj) -> Obj:
        shown = hidden(obj)
        rules = self.network.rules.table.by("security_group_id", obj["id"])
        shown["security_group_rules"] = [hidden(rule) | {"tags": []} for rule in rules]
        return shown


class SecurityGroupRules(Collection):
    sdk_name = "network.v2.security_group_rule.SecurityGroupRule"
    path = "/security-group-rules"
    noun, missing = "Security group rule", "SecurityGroupRuleNotFound"
    defaults: ClassVar[dict[str, Any]] = {
        "security_group_id": None, "ethertype": "IPv4", "direction": None, "protocol": None, "port_range_min": None,
        "port_range_max": None, "remote_ip_prefix": None, "remote_address_group_id": None, "normalized_cidr": None,
        "remote_group_id": None,
    }  # fmt: skip
    required = ("direction", "security_group_id")
    booleans = frozenset()

    def none(self, object_id: str) -> Refusal:
        return Refusal(404, f"Security group rule {object_id} does not exist", self.missing)

    def scope(self, call: Call) -> list[Obj]:
        if call.project_id:
            self.network.security_groups.default_of(call.project_id)
        return list(self.table) if call.is_admin else self.table.by("project_id", call.project_id)

    def candidates(self, call: Call, filters: Any) -> list[Obj]:
        if "security_group_id" in filters and "id" not in filters:
            rows = [
                rule for group in filters["security_group_id"] for rule in self.table.by("security_group_id", group)
            ]
            return [rule for rule in rows if self.visible(call, rule)]
        return super().candidates(call, filters)

    def put_rule(self, group: Obj, **values: Any) -> Obj:
        rule = self._new(group["project_id"]) | {"description": None, "security_group_id": group["id"]} | values
        return self.table.put(rule)

    def before_create(self, call: Call, obj: Obj) -> None:
        if obj["direction"] not in ("ingress", "egress"):
            raise bad(f"Invalid input for direction. Reason: {obj['direction']} is not in valid_values.")
        ethertype = {"ipv4": "IPv4", "ipv6": "IPv6"}.get(text_of(obj["ethertype"] or "IPv4").lower())
        if ethertype is None:
            raise bad(f"Invalid input for ethertype. Reason: {obj['ethertype']} is not in valid_values.")
        obj["ethertype"] = ethertype
        group = self.network.security_groups.find(call, obj["security_group_id"])
        self._check_remote(call, obj)
        _check_protocol(obj)
        signature = _signature(obj)
        for other in self.table.by("security_group_id", group["id"]):
            if _signature(other) == signature:
                raise conflict(
                    "SecurityGroupRuleExists", f"Security group rule already exists. Rule id is {other['id']}."
                )

    def after_create(self, call: Call, obj: Obj) -> None:
        group = self.network.security_groups.table.get(obj["security_group_id"])
        if group is not None:
            self.network.security_groups.touch(group)

    def _check_remote(self, call: Call, obj: Obj) -> None:
        if sum(obj[name] is not None for name in _REMOTES) > 1:
            raise bad(
                "Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.",
                "SecurityGroupMultipleRemoteEntites",
            )
        if obj["remote_group_id"] is not None:
            self.network.security_groups.find(call, obj["remote_group_id"])
        if obj["remote_address_group_id"] is not None:
            self.network.address_groups.find(call, obj["remote_address_group_id"])
        prefix = obj["remote_ip_prefix"]
        if prefix is None:
            return
        try:
            network = cidr(str(prefix))
        except ValueError:
            raise bad(f"Invalid CIDR {prefix} given as IP prefix.", "InvalidCIDR") from None
        if network.version != int(obj["ethertype"][-1]):
            raise bad(
                f"Conflicting value ethertype {obj['ethertype']} for CIDR {prefix}",
                "SecurityGroupRuleParameterConflict",
            )
        obj["remote_ip_prefix"] = str(prefix) if "/" in str(prefix) else str(network)
        obj["normalized_cidr"] = str(network)

    def update(self, call: Call) -> Reply:
        """Rules cannot be changed; Neutron does not even say so."""
        self.own(call, "update")
        raise server_error()

    def render(self, call: Call, obj: Obj) -> Obj:
        shown = hidden(obj)
        shown.pop("tags", None)
        return shown


def _check_protocol(obj: Obj) -> None:
    low, high, given = obj["port_range_min"], obj["port_range_max"], obj["protocol"]
    if given is None:
        if low is not None or high is not None:
            raise bad("Must also specify protocol if port range is given.", "SecurityGroupProtocolRequiredWithPorts")
        return
    text = text_of(given).lower()
    number = _PROTOCOLS.get(text)
    if number is None:
        if not text.isdigit() or int(text) > 255:
            names = ", ".join(f"'{name}'" for name in _PROTOCOLS)
            raise bad(
                f"Security group rule protocol {given} not supported. Only protocol values [None, {names}] and "
                "integer representations [0 to 255] are supported.",
                "SecurityGroupRuleInvalidProtocol",
            )
        number = int(text)
    obj["protocol"] = text
    if number == 1 and obj["ethertype"] == "IPv6":
        obj["protocol"], number = "ipv6-icmp", 58
    elif number in _V6_ONLY and obj["ethertype"] == "IPv4":
        raise bad(f"Invalid ethertype IPv4 for protocol {given}.", "SecurityGroupEthertypeConflictWithProtocol")
    for name in ("port_range_min", "port_range_max"):
        obj[name] = _number(name, obj[name])
    low, high = obj["port_range_min"], obj["port_range_max"]
    if number in (1, 58):
        _check_icmp(low, high)
    elif number in _WITH_PORTS:
        _check_ports(obj, number, low, high)
    elif low is not None or high is not None:
        raise bad(
            f"Ports cannot be specified for protocol {number}. Ports are only supported for DCCP, SCTP, TCP, UDP, "
            "UDPLITE.",
            "SecurityGroupInvalidProtocolForPort",
        )


def _number(name: str, value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise bad(f"Invalid input for {name}. Reason: '{value}' is not an integer.") from None


def _check_icmp(kind: int | None, code: int | None) -> None:
    for value, field, attribute in ((kind, "type", "port_range_min"), (code, "code", "port_range_max")):
        if value is not None and not 0 <= value <= 255:
            raise bad(
                f"Invalid value for ICMP {field} ({attribute}) {value}. It must be 0 to 255.",
                "SecurityGroupInvalidIcmpValue",
            )
    if code is not None and kind is None:
        raise bad(
            f"ICMP code (port-range-max) {code} is provided but ICMP type (port-range-min) is missing.",
            "SecurityGroupMissingIcmpType",
        )


def _check_ports(obj: Obj, number: int, low: int | None, high: int | None) -> None:
    for value in (low, high):
        if value is not None and not 1 <= value <= 65535:
            raise bad(f"Invalid value for port {value}", "SecurityGroupInvalidPortValue")
    if (low is None) != (high is None) or (low is not None and high is not None and low > high):
        raise bad("For TCP/UDP protocols, port_range_min must be <= port_range_max", "SecurityGroupInvalidPortRange")
    if (low, high) == (1, 65535):
        obj |= {"port_range_min": None, "port_range_max": None}


def _signature(rule: Obj) -> tuple[Any, ...]:
    """What makes two rules the same: not the description, not the protocol's spelling, "anywhere" as none."""
    protocol = rule["protocol"]
    number = None if protocol is None else _PROTOCOLS.get(protocol, protocol)
    prefix = rule["remote_ip_prefix"]
    return (
        rule["direction"], rule["ethertype"], None if number is None else int(number), rule["port_range_min"],
        rule["port_range_max"], None if prefix == _ANYWHERE[rule["ethertype"]] else prefix, rule["remote_group_id"],
        rule["remote_address_group_id"],
    )  # fmt: skip


class AddressGroups(Collection):
    sdk_name = "network.v2.address_group.AddressGroup"
    path = "/address-groups"
    noun, missing = "Address group", "AddressGroupNotFound"
    defaults: ClassVar[dict[str, Any]] = {"name": "", "addresses": [], "shared": False}
    read_only = frozenset({"addresses", "shared"})
    booleans = frozenset({"shared"})

    def register(self, router: Routes) -> None:
        super().register(router)
        router.add("PUT", f"{self.path}/{{id}}/add_addresses", self.add_addresses)
        router.add("PUT", f"{self.path}/{{id}}/remove_addresses", self.remove_addresses)

    def before_create(self, call: Call, obj: Obj) -> None:
        obj["addresses"] = _normal(obj["addresses"] or [])

    def add_addresses(self, call: Call) -> Reply:
        group, given = self._given(call)
        group["addresses"] = sorted({*group["addresses"], *given})
        self.touch(group)
        return Reply(200, {"address_group": self.render(call, group)})

    def remove_addresses(self, call: Call) -> Reply:
        group, given = self._given(call)
        absent = [text for text in given if text not in group["addresses"]]
        if absent:
            raise Refusal(404, f"Addresses {absent} not found in the address group {group['id']}.", "AddressesNotFound")
        group["addresses"] = [text for text in group["addresses"] if text not in given]
        self.touch(group)
        return Reply(200, {"address_group": self.render(call, group)})

    def _given(self, call: Call) -> tuple[Obj, list[str]]:
        group = self.own(call, "update")
        body = call.json()
        if not isinstance(body, dict) or "addresses" not in body:
            raise server_error()  # the body is flat; nested, Neutron stumbles
        return group, _normal(body["addresses"])

    def before_delete(self, call: Call, obj: Obj) -> None:
        if self.network.rules.table.has("remote_address_group_id", obj["id"]):
            raise conflict(
                "AddressGroupInUse", f"Address group {obj['id']} is in use on one or more security group rules."
            )


def _normal(addresses: Any) -> list[str]:
    if not isinstance(addresses, list):
        raise bad("Invalid input for addresses. Reason: it is not a list.")
    return sorted({str(parse_cidr(text)) for text in addresses})
