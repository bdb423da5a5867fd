"""Ports: addresses, groups, owners."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from simulator.http import Call, Refusal, Reply
from simulator.network.addresses import SLAAC, address, already_allocated, cidr, eui64
from simulator.network.collection import Collection
from simulator.network.errors import bad, bad_request, conflict, invalid
from simulator.network.subnets import subnet_missing
from simulator.query import text_of
from simulator.store import Obj
from simulator.world import hidden

ROUTER_OWNERS = frozenset(
    {"network:router_interface", "network:router_gateway", "network:ha_router_replicated_interface"}
)


class Ports(Collection):
    sdk_name = "network.v2.port.Port"
    path = "/ports"
    noun, missing = "Port", "PortNotFound"
    defaults: ClassVar[dict[str, Any]] = {
        "name": "", "network_id": None, "mac_address": None, "admin_state_up": True, "status": "DOWN",
        "device_id": "", "device_owner": "", "fixed_ips": None, "allowed_address_pairs": [], "extra_dhcp_opts": [],
        "security_groups": None, "binding:vnic_type": "normal", "binding:profile": {}, "binding:host_id": "",
        "binding:vif_type": "unbound", "binding:vif_details": {}, "port_security_enabled": None,
        "qos_policy_id": None, "qos_network_policy_id": None, "dns_name": "", "resource_request": None,
        "ip_allocation": "immediate",
    }  # fmt: skip
    required = ("network_id",)
    read_only = frozenset({"network_id", "dns_assignment", "ip_allocation", "resource_request"})
    booleans = frozenset({"admin_state_up", "port_security_enabled"})
    admin_sets = frozenset({"binding:host_id", "binding:profile", "binding:vif_type", "binding:vif_details"})
    admin_sees = frozenset(
        {"binding:host_id", "binding:profile", "binding:vif_type", "binding:vif_details", "resource_request"}
    )
    tags_dropped = True  # tokens §3
    extra_filters = frozenset({"network_id", "mac_address"})

    def scope(self, call: Call) -> list[Obj]:
        return list(self.table) if call.is_admin else self.table.by("project_id", call.project_id)

    def visible(self, call: Call, obj: Obj) -> bool:
        if call.mine(obj):
            return True
        parent = self.network.networks.table.get(obj["network_id"])
        return parent is not None and parent["project_id"] == call.project_id

    def candidates(self, call: Call, filters: Any) -> list[Obj]:
        for name in ("device_id", "network_id"):
            if name in filters and "id" not in filters:
                rows = [port for value in filters[name] for port in self.table.by(name, value)]
                return [port for port in rows if self.visible(call, port)]
        return super().candidates(call, filters)

    # --- create --------------------------------------------------------------------------------------------------
    def before_create(self, call: Call, obj: Obj) -> None:
        parent = self.network.networks.find(call, obj["network_id"])
        if not self.network.networks.usable(call, parent):
            raise Refusal(403, "Tenant ID not allowed to create port on this network", "HTTPForbidden")
        self._choose_mac(obj)
        if obj["port_security_enabled"] is None:
            obj["port_security_enabled"] = parent["port_security_enabled"]
        self._check_groups(call, obj)
        self._check_pairs(obj)
        obj["fixed_ips"] = self.choose_addresses(call, obj, obj["fixed_ips"])
        obj["revision_number"] = 1
        if obj["device_owner"].startswith("compute:") and obj["device_id"]:
            obj["status"] = "ACTIVE"

    def plug(
        self, call: Call, network_id: str, owner: str, device_id: str, fixed_ips: list[Obj] | None, *,
        project_id: str, groups: Iterable[str] | None = None, name: str = "",
    ) -> Obj:  # fmt: skip
        """A port that a service makes for itself, in the name of `project_id`. Raises Refusal without an address."""
        obj = self._new(project_id)
        obj |= {"network_id": network_id, "device_owner": owner, "device_id": device_id, "name": name}
        self._choose_mac(obj)
        secure = groups is not None
        obj |= {"port_security_enabled": secure, "security_groups": list(groups or ()), "revision_number": 1}
        obj["fixed_ips"] = self.choose_addresses(call, obj, fixed_ips)
        if owner.startswith("compute:"):
            obj |= {"status": "ACTIVE", "binding:host_id": "simulated", "binding:vif_type": "ovs"}
        return self.table.put(obj)

    def _choose_mac(self, obj: Obj) -> None:
        mac = obj["mac_address"]
        if mac is None:
            number = self.world.random.getrandbits(24)
            obj["mac_address"] = f"fa:16:3e:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
            return
        parts = str(mac).lower().replace("-", ":").split(":")
        if len(parts) != 6 or not all(len(part) == 2 and set(part) <= set("0123456789abcdef") for part in parts):
            raise bad(f"Invalid input for mac_address. Reason: '{mac}' is not a valid MAC address.")
        obj["mac_address"] = ":".join(parts)
        if any(
            port["mac_address"] == obj["mac_address"] and port["id"] != obj["id"]
            for port in self.table.by("network_id", obj["network_id"])
        ):
            raise conflict(
                "MacAddressInUse",
                f"Unable to complete operation for network {obj['network_id']}. The mac address "
                f"{obj['mac_address']} is in use.",
            )

    def _check_groups(self, call: Call, obj: Obj) -> None:
        groups = obj["security_groups"]
        if groups is None:
            groups = []
            if obj["port_security_enabled"] and not obj["device_owner"].startswith("network:"):
                groups = [self.network.security_groups.default_of(obj["project_id"])["id"]]
        if groups and not obj["port_security_enabled"]:
            raise bad("Port security must be enabled and port must have an IP address in order to use security groups.",
                      "PortSecurityAndIPRequiredForSecurityGroups")  # fmt: skip
        if not isinstance(groups, list) or len(set(groups)) != len(groups):
            raise bad(f"Invalid input for security_groups. Reason: Duplicate items in the list: '{groups}'.")
        for group in groups:
            self.network.security_groups.find(call, group)
        obj["security_groups"] = list(groups)

    def _check_pairs(self, obj: Obj) -> None:
        pairs = obj["allowed_address_pairs"] or []
        if pairs and not obj["port_security_enabled"]:
            raise conflict(
                "AddressPairAndPortSecurityRequired",
                "Port Security must be enabled in order to have allowed address pairs on a port.",
            )
        for pair in pairs:
            try:
                cidr(pair["ip_address"])
            except (KeyError, TypeError, ValueError):
                raise bad(
                    f"Invalid input for allowed_address_pairs. Reason: '{pair}' has no valid ip_address."
                ) from None
        obj["allowed_address_pairs"] = [
            {"mac_address": pair.get("mac_address") or obj["mac_address"], "ip_address": pair["ip_address"]}
            for pair in pairs
        ]

    # --- addresses -----------------------------------------------------------------------------------------------
    def choose_addresses(self, call: Call, port: Obj, asked: Any) -> list[Obj]:
        """The fixed IPs of a port for what was asked (None: one of each family). Raises Refusal."""
        subnets = self.network.subnets.table.by("network_id", port["network_id"])
        if asked is None:
            return _in_order(self._any_addresses(port, subnets))
        if not isinstance(asked, list):
            raise bad(f"Invalid input for fixed_ips. Reason: '{asked}' is not a list.")
        chosen: list[Obj] = []
        for entry in asked:
            chosen.append(self._asked_address(port, subnets, entry, [fixed["ip_address"] for fixed in chosen]))
        if asked and not port["device_owner"].startswith("network:router"):  # N23
            have = {fixed["subnet_id"] for fixed in chosen}
            chosen += [
                {"subnet_id": subnet["id"], "ip_address": eui64(subnet["cidr"], port["mac_address"])}
                for subnet in subnets
                if subnet["ipv6_address_mode"] in SLAAC and subnet["id"] not in have
            ]
        return _in_order(chosen)

    def _any_addresses(self, port: Obj, subnets: list[Obj]) -> list[Obj]:
        chosen: list[Obj] = []
        for version in (4, 6):
            family = [subnet for subnet in subnets if subnet["ip_version"] == version]
            automatic = [subnet for subnet in family if subnet["ipv6_address_mode"] in SLAAC]
            others = [subnet for subnet in family if subnet not in automatic]
            chosen += [
                {"subnet_id": subnet["id"], "ip_address": eui64(subnet["cidr"], port["mac_address"])}
                for subnet in automatic
            ]
            if not others:
                continue
            for subnet in others:
                free = self.network.allocator.take(subnet)
                if free is not None:
                    chosen.append({"subnet_id": subnet["id"], "ip_address": free})
                    break
            else:
                raise conflict(
                    "IpAddressGenerationFailure", f"No more IP addresses available on network {port['network_id']}."
                )
        return chosen

    def _asked_address(self, port: Obj, subnets: list[Obj], entry: Any, chosen: list[str]) -> Obj:
        if not isinstance(entry, dict) or not (entry.get("subnet_id") or entry.get("ip_address")):
            raise bad("Invalid input for fixed_ips. Reason: IP allocation requires subnet_id or ip_address.")
        subnet = self._asked_subnet(port, subnets, entry)
        wanted = entry.get("ip_address")
        if wanted is None:
            if subnet["ipv6_address_mode"] in SLAAC:
                return {"subnet_id": subnet["id"], "ip_address": eui64(subnet["cidr"], port["mac_address"])}
            free = self.network.allocator.take(subnet, chosen)
            if free is None:
                raise conflict(
                    "IpAddressGenerationFailure", f"No more IP addresses available on network {port['network_id']}."
                )
            return {"subnet_id": subnet["id"], "ip_address": free}
        wanted = str(address(wanted))
        held = self.table.by("address", f"{subnet['id']}|{wanted}")
        if any(other["id"] != port["id"] for other in held) or wanted in chosen:
            raise already_allocated(wanted, subnet["id"])
        return {"subnet_id": subnet["id"], "ip_address": wanted}

    def _asked_subnet(self, port: Obj, subnets: list[Obj], entry: Obj) -> Obj:
        wanted = entry.get("ip_address")
        if wanted is not None:
            try:
                address(wanted)
            except ValueError:
                raise bad(f"Invalid input for fixed_ips. Reason: '{wanted}' is not a valid IP address.") from None
        if entry.get("subnet_id"):
            subnet = self.network.subnets.table.get(entry["subnet_id"])
            if subnet is None:
                raise subnet_missing(entry["subnet_id"])
            if subnet["network_id"] != port["network_id"]:
                raise invalid(
                    f"Failed to create port on network {port['network_id']}, because fixed_ips included invalid "
                    f"subnet {subnet['id']}"
                )
            if wanted is not None and not _is_host_of(wanted, subnet):
                raise bad(f"IP address {wanted} is not a valid IP for the specified subnet.", "InvalidIpForSubnet")
            return subnet
        for subnet in subnets:
            if wanted is not None and _is_host_of(wanted, subnet):
                return subnet
        raise bad(
            f"IP address {wanted} is not a valid IP for any of the subnets on the specified network.",
            "InvalidIpForNetwork",
        )

    def join_slaac(self, subnet: Obj) -> None:
        """A SLAAC subnet was made: all ports of its network get an address of it (N23)."""
        for port in self.table.by("network_id", subnet["network_id"]):
            if not port["device_owner"].startswith("network:"):
                new = {"subnet_id": subnet["id"], "ip_address": eui64(subnet["cidr"], port["mac_address"])}
                port["fixed_ips"] = _in_order([*port["fixed_ips"], new])
                self.touch(port)

    # --- update, delete ------------------------------------------------------------------------------------------
    def before_update(self, call: Call, obj: Obj, changes: Obj) -> None:
        merged = obj | changes
        if "mac_address" in changes:
            self._choose_mac(merged)
        if "fixed_ips" in changes:
            same = _addresses(changes["fixed_ips"]) == _addresses(obj["fixed_ips"])
            if obj["device_owner"] in ROUTER_OWNERS and not same:  # N24
                raise bad_request("ports", f"IP updates for port {obj['id']} are not allowed.")
            if same:
                changes["fixed_ips"] = obj["fixed_ips"]
            else:
                changes["fixed_ips"] = self.choose_addresses(call, obj, changes["fixed_ips"])
        if changes.get("port_security_enabled") is False and merged["security_groups"]:
            raise conflict(
                "PortSecurityPortHasSecurityGroup",
                "Port has security group associated. Cannot disable port security or IP address until security "
                "group is removed.",
            )
        if "security_groups" in changes:
            merged["security_groups"] = changes["security_groups"] or []
            self._check_groups(call, merged)
            changes["security_groups"] = merged["security_groups"]
        if {"allowed_address_pairs", "port_security_enabled"} & changes.keys():
            self._check_pairs(merged)
            changes["allowed_address_pairs"] = merged["allowed_address_pairs"]
        owner = merged["device_owner"]
        if "device_owner" in changes or "device_id" in changes:
            changes["status"] = "ACTIVE" if owner.startswith("compute:") and merged["device_id"] else "DOWN"

    def delete(self, call: Call) -> Reply:
        obj = self.own(call, "delete")
        if obj["device_owner"] in ROUTER_OWNERS or obj["device_owner"] == "network:floatingip":  # N17
            raise conflict(
                "ServicePortInUse",
                f"Port {obj['id']} cannot be deleted directly via the port API: has device owner "
                f"{obj['device_owner']}.",
            )
        self.drop(obj)
        return Reply(204)

    def drop(self, obj: Obj) -> None:
        """Remove it; floating IPs let go of it."""
        self.table.remove(obj["id"])
        self.network.floating_ips.release_port(obj["id"])

    # --- showing -------------------------------------------------------------------------------------------------
    def render(self, call: Call, obj: Obj) -> Obj:
        shown = self.shown(call, hidden(obj))
        shown["dns_assignment"] = [_assignment(obj["dns_name"], fixed["ip_address"]) for fixed in obj["fixed_ips"]]
        return shown

    def matches(self, obj: Obj, name: str, values: list[str]) -> bool:
        if name == "fixed_ips":
            return all(_has_fixed(obj["fixed_ips"], value) for value in values)
        if name in ("ip_address", "subnet_id"):
            return any(fixed[name] in values for fixed in obj["fixed_ips"])
        return super().matches(obj, name, values)


def _in_order(fixed_ips: list[Obj]) -> list[Obj]:
    """What was asked for first is not first: rows come by the text of the address (neutron/db/models_v2.py `Port`)."""
    return sorted(fixed_ips, key=lambda fixed: (fixed["ip_address"], fixed["subnet_id"]))


def _has_fixed(fixed_ips: list[Obj], text: str) -> bool:
    for part in text.split(","):
        name, separator, value = part.partition("=")
        if not separator:
            raise invalid(f"'{part}' is not of the form <key>=[value]")
        if name == "ip_address_substr":
            found = any(value in fixed["ip_address"] for fixed in fixed_ips)
        else:
            found = any(text_of(fixed.get(name)) == value for fixed in fixed_ips)
        if not found:
            return False
    return True


def _is_host_of(wanted: str, subnet: Obj) -> bool:
    network, host = cidr(subnet["cidr"]), address(wanted)
    if host.version != network.version or host not in network:
        return False
    return (
        network.version == 6
        or network.prefixlen >= 31
        or host not in (network.network_address, network.broadcast_address)
    )


def _addresses(fixed_ips: Any) -> list[str]:
    return sorted(str(fixed.get("ip_address")) for fixed in fixed_ips or () if isinstance(fixed, dict))


def _assignment(name: str, text: str) -> Obj:
    host = name or "host-" + text.replace(".", "-").replace(":", "-")
    return {"ip_address": text, "hostname": host, "fqdn": f"{host}.local."}
