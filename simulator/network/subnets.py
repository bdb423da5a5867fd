"""Subnets and the pools they may come from."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any, ClassVar

from simulator.http import Call, Refusal, Reply, Routes
from simulator.network.addresses import (
    SLAAC,
    IPNetwork,
    address,
    cidr,
    default_pools,
    in_pools,
    overlap,
    parse_cidr,
)
from simulator.network.collection import Collection
from simulator.network.errors import bad, bad_request, conflict, invalid, not_found
from simulator.query import text_of
from simulator.store import Obj

#: A subnet that says nothing of its gateway has the first address for it; one that says null has none.
_FIRST = ""
_V6_MODES = frozenset({"slaac", "dhcpv6-stateful", "dhcpv6-stateless"})


class Subnets(Collection):
    sdk_name = "network.v2.subnet.Subnet"
    path = "/subnets"
    noun, missing = "Subnet", "SubnetNotFound"
    defaults: ClassVar[dict[str, Any]] = {
        "name": "", "network_id": None, "ip_version": None, "subnetpool_id": None, "enable_dhcp": True,
        "ipv6_ra_mode": None, "ipv6_address_mode": None, "gateway_ip": _FIRST, "cidr": None, "allocation_pools": None,
        "host_routes": [], "dns_nameservers": [], "service_types": [],
    }  # fmt: skip
    required = ("network_id",)
    read_only = frozenset(
        {"cidr", "ip_version", "ipv6_ra_mode", "ipv6_address_mode", "network_id", "subnetpool_id", "prefixlen"}
    )
    booleans = frozenset({"enable_dhcp", "shared"})
    extra_filters = frozenset({"shared"})

    def visible(self, call: Call, obj: Obj) -> bool:
        if call.mine(obj):
            return True
        parent = self.network.networks.table.get(obj["network_id"])
        return parent is not None and self.network.networks.usable(call, parent)

    def before_create(self, call: Call, obj: Obj) -> None:
        asked = obj.pop("prefixlen", None)
        parent = self.network.networks.find(call, obj["network_id"])
        if not self.network.networks.usable(call, parent):
            raise Refusal(403, "Tenant ID not allowed to create subnet on this network", "HTTPForbidden")
        if obj["subnetpool_id"] or obj.pop("use_default_subnetpool", None):
            network = self._from_pool(call, obj, asked)
        elif obj["cidr"] is None:
            raise bad_request("subnets", "a subnetpool must be specified in the absence of a cidr.")
        else:
            network = parse_cidr(obj["cidr"])
        self._check_version(obj, network)
        self._check_overlap(obj, network)
        obj["cidr"] = str(network)
        obj["project_id"] = obj["tenant_id"] = parent["project_id"] if not call.is_admin else obj["project_id"]
        self._check_modes(obj)
        if obj["gateway_ip"] == _FIRST:
            obj["gateway_ip"] = str(network.network_address + (1 if network.version == 4 else 0))  # N33
        self._check_gateway_and_pools(obj, network)
        _check_lists(obj)

    def after_create(self, call: Call, obj: Obj) -> None:
        if obj["ipv6_address_mode"] in SLAAC:  # N23: every port there gets one more address
            self.network.ports.join_slaac(obj)
        parent = self.network.networks.table.get(obj["network_id"])
        if parent is not None:
            self.network.networks.touch(parent)

    def _from_pool(self, call: Call, obj: Obj, prefixlen: Any) -> IPNetwork:
        pools = self.network.subnet_pools
        if not obj["subnetpool_id"]:
            raise bad_request("subnets", "no default subnetpool is defined.")
        pool = pools.find(call, obj["subnetpool_id"])
        obj["ip_version"] = obj["ip_version"] or pool["ip_version"]
        return pools.allocate(pool, obj["cidr"], prefixlen)

    def _check_version(self, obj: Obj, network: IPNetwork) -> None:
        if obj["ip_version"] is None:
            raise bad("Failed to parse request. Required attribute 'ip_version' not specified")
        if text_of(obj["ip_version"]) not in ("4", "6"):
            raise bad(f"Invalid input for ip_version. Reason: '{obj['ip_version']}' is not in [4, 6].")
        obj["ip_version"] = int(obj["ip_version"])
        if network.version != obj["ip_version"]:
            raise invalid(f"cidr '{obj['cidr']}' does not match the ip_version '{obj['ip_version']}'")
        if network.prefixlen == 0:
            raise invalid("0 is not allowed as CIDR prefix length")

    def _check_overlap(self, obj: Obj, network: IPNetwork) -> None:
        siblings = self.table.by("network_id", obj["network_id"])
        for other in siblings:  # N8
            if overlap(other["cidr"], str(network)):
                raise invalid(
                    f"Requested subnet with cidr: {network} for network: {obj['network_id']} "
                    "overlaps with another subnet"
                )
        pools = {other["subnetpool_id"] for other in siblings if other["ip_version"] == obj["ip_version"]}
        if pools - {obj["subnetpool_id"]}:
            raise bad(
                "Subnets hosted on the same network must be allocated from the same subnet pool.",
                "NetworkSubnetPoolAffinityError",
            )

    def _check_modes(self, obj: Obj) -> None:
        for name in ("ipv6_ra_mode", "ipv6_address_mode"):
            if obj[name] is None:
                continue
            if obj[name] not in _V6_MODES:
                raise bad(f"Invalid input for {name}. Reason: '{obj[name]}' is not in {sorted(_V6_MODES)}.")
            if obj["ip_version"] == 4:
                raise invalid("ipv6_ra_mode or ipv6_address_mode cannot be set when ip_version is 4")
        modes = {obj["ipv6_ra_mode"], obj["ipv6_address_mode"]} - {None}
        if len(modes) > 1:
            raise invalid("ipv6_ra_mode and ipv6_address_mode must be the same when both are set")

    def _check_gateway_and_pools(self, obj: Obj, network: IPNetwork) -> None:
        gateway = obj["gateway_ip"]
        if gateway is not None:
            try:
                address(gateway)
            except ValueError:
                raise bad(f"Invalid input for gateway_ip. Reason: '{gateway}' is not a valid IP address.") from None
        if obj["allocation_pools"] is None:
            obj["allocation_pools"] = default_pools(network, gateway)
            return
        _check_pools(obj["allocation_pools"], network, gateway)

    def before_update(self, call: Call, obj: Obj, changes: Obj) -> None:
        merged = obj | changes
        if {"gateway_ip", "allocation_pools"} & changes.keys():
            self._check_gateway_and_pools(merged, cidr(obj["cidr"]))
        if changes.get("gateway_ip") not in (None, obj["gateway_ip"]) and obj["gateway_ip"]:
            held = self.network.ports.table.by("address", f"{obj['id']}|{obj['gateway_ip']}")
            if any(port["device_owner"] == "network:router_interface" for port in held):
                raise conflict(
                    "GatewayIpInUse",
                    f"Current gateway ip {obj['gateway_ip']} already in use by port {held[0]['id']}. Unable to update.",
                )
        _check_lists(merged)

    def before_delete(self, call: Call, obj: Obj) -> None:
        ports = self.network.ports.table.by("subnet", obj["id"])
        if any(not _leaves_by_itself(obj, port) for port in ports):  # N18
            raise conflict(
                "SubnetInUse",
                f"Unable to complete operation on subnet {obj['id']}: One or more ports have an IP allocation from "
                "this subnet.",
            )

    def after_delete(self, call: Call, obj: Obj) -> None:
        for port in self.network.ports.table.by("subnet", obj["id"]):
            port["fixed_ips"] = [fixed for fixed in port["fixed_ips"] if fixed["subnet_id"] != obj["id"]]
            self.network.ports.touch(port)
        self.network.allocator.forget(obj["id"])

    def drop(self, subnet: Obj) -> None:
        """Remove it with its network."""
        self.table.remove(subnet["id"])
        self.network.allocator.forget(subnet["id"])

    def matches(self, obj: Obj, name: str, values: list[str]) -> bool:
        if name == "shared":
            parent = self.network.networks.table.get(obj["network_id"])
            return parent is not None and self.network.networks.matches(parent, name, values)
        return super().matches(obj, name, values)


def _leaves_by_itself(subnet: Obj, port: Obj) -> bool:
    """Addresses that ports chose themselves do not hold a subnet, unless a router's."""
    return subnet["ipv6_address_mode"] in SLAAC and not port["device_owner"].startswith("network:router")


def _check_pools(pools: Any, network: IPNetwork, gateway: str | None) -> None:
    if not isinstance(pools, list):
        raise bad("Invalid input for allocation_pools. Reason: Invalid data format for IP pool.")
    seen: list[tuple[int, int]] = []
    for pool in pools:
        try:
            low, high = address(pool["start"]), address(pool["end"])
        except (KeyError, TypeError, ValueError):
            raise bad(
                f"Invalid input for allocation_pools. Reason: Invalid data format for IP pool: '{pool}'."
            ) from None
        text = f"{low}-{high}"
        if int(high) < int(low):
            raise bad(f"The allocation pool {text} is not valid.", "InvalidAllocationPool")
        if low not in network or high not in network:
            raise bad(
                f"The allocation pool {text} spans beyond the subnet cidr {network}.", "OutOfBoundsAllocationPool"
            )
        if gateway is not None and in_pools([pool], gateway):
            raise conflict(
                "GatewayConflictWithAllocationPools",
                f"Gateway ip {gateway} conflicts with allocation pool {text}.",
            )
        for start, end in seen:
            if int(low) <= end and start <= int(high):
                raise conflict(
                    "OverlappingAllocationPools", f"Found overlapping allocation pools {text} for subnet {network}."
                )
        seen.append((int(low), int(high)))


def _check_lists(obj: Obj) -> None:
    for server in _a_list(obj, "dns_nameservers"):
        try:
            address(server)
        except ValueError:
            raise bad(
                f"Invalid input for dns_nameservers. Reason: '{server}' is not a valid nameserver. "
                f"'{server}' is not a valid IP address."
            ) from None
    for route in _a_list(obj, "host_routes"):
        try:
            cidr(route["destination"])
            address(route["nexthop"])
        except (KeyError, TypeError, ValueError):
            raise bad(f"Invalid input for host_routes. Reason: Invalid data format for hostroute: '{route}'.") from None


def _a_list(obj: Obj, name: str) -> list[Any]:
    value = obj[name]
    if value is None:
        obj[name] = value = []
    if not isinstance(value, list):
        raise bad(f"Invalid input for {name}. Reason: '{value}' is not a list.")
    return value


class SubnetPools(Collection):
    sdk_name = "network.v2.subnet_pool.SubnetPool"
    path = "/subnetpools"
    noun, missing = "Subnet pool", "SubnetPoolNotFound"
    defaults: ClassVar[dict[str, Any]] = {
        "name": "", "default_prefixlen": None, "min_prefixlen": None, "max_prefixlen": None, "is_default": False,
        "shared": False, "prefixes": None, "ip_version": 4, "default_quota": None, "address_scope_id": None,
    }  # fmt: skip
    required = ("prefixes",)
    read_only = frozenset({"shared", "ip_version"})
    booleans = frozenset({"shared", "is_default"})
    admin_sets = frozenset({"shared", "is_default"})

    def register(self, router: Routes) -> None:
        super().register(router)
        router.add("PUT", f"{self.path}/{{id}}/add_prefixes", self.add_prefixes)
        router.add("PUT", f"{self.path}/{{id}}/remove_prefixes", self.remove_prefixes)

    def before_create(self, call: Call, obj: Obj) -> None:
        self._check(obj)

    def before_update(self, call: Call, obj: Obj, changes: Obj) -> None:
        merged = obj | changes
        self._check(merged)
        if "prefixes" in changes:
            gone = [text for text in obj["prefixes"] if not _covered(text, merged["prefixes"])]
            if gone:
                raise bad(
                    "Illegal update to prefixes: Existing prefixes must be a subset of the new prefixes.",
                    "IllegalSubnetPoolPrefixUpdate",
                )
        changes.update({name: merged[name] for name in changes})

    def _check(self, obj: Obj) -> None:
        if not obj["prefixes"]:
            raise bad("Empty subnet pool prefix list.", "EmptySubnetPoolPrefixList")
        networks = [parse_cidr(text) for text in obj["prefixes"]]
        versions = {network.version for network in networks}
        if len(versions) > 1:
            raise bad("Cannot mix IPv4 and IPv6 prefixes in a subnet pool.", "PrefixVersionMismatch")
        obj["ip_version"] = networks[0].version
        obj["prefixes"] = _merged(networks)
        longest = networks[0].max_prefixlen
        low = int(obj["min_prefixlen"] or (8 if longest == 32 else 64))
        high = int(obj["max_prefixlen"] or longest)
        if low > high:
            raise bad(
                f"Illegal prefix bounds: min_prefixlen={low}, max_prefixlen={high}.", "IllegalSubnetPoolPrefixBounds"
            )
        default = int(obj["default_prefixlen"] or low)
        if not low <= default <= high:
            raise bad(
                f"Illegal prefix bounds: default_prefixlen={default}, "
                f"{'min' if default < low else 'max'}_prefixlen={low if default < low else high}.",
                "IllegalSubnetPoolPrefixBounds",
            )
        obj |= {"min_prefixlen": str(low), "max_prefixlen": str(high), "default_prefixlen": str(default)}

    def allocate(self, pool: Obj, wanted: Any, prefixlen: Any) -> IPNetwork:
        """A block of the pool. Raises Refusal (N26; its 500s are Neutron's own)."""
        used = [cidr(subnet["cidr"]) for subnet in self.network.subnets.table.by("subnetpool_id", pool["id"])]
        network = parse_cidr(wanted) if wanted is not None else None
        length = network.prefixlen if network is not None else int(prefixlen or pool["default_prefixlen"])
        if length > int(pool["max_prefixlen"]):
            raise bad(
                f"Unable to allocate subnet with prefix length {length}, maximum allowed prefix is "
                f"{pool['max_prefixlen']}.",
                "MaxPrefixSubnetAllocationError",
            )
        if length < int(pool["min_prefixlen"]):
            raise bad(
                f"Unable to allocate subnet with prefix length {length}, minimum allowed prefix is "
                f"{pool['min_prefixlen']}.",
                "MinPrefixSubnetAllocationError",
            )
        if network is not None:
            if _covered(str(network), pool["prefixes"]) and not any(network.overlaps(other) for other in used):
                return network
            raise _no_block("Cannot allocate requested subnet from the available set of prefixes.")
        found = _first_block(pool["prefixes"], length, used)
        if found is None:
            raise _no_block("Insufficient prefix space to allocate subnet size /" + str(length))
        return found

    def before_delete(self, call: Call, obj: Obj) -> None:
        if self.network.subnets.table.has("subnetpool_id", obj["id"]):
            raise bad("Unable to delete subnet pool: Subnet pool has existing allocations.", "SubnetPoolDeleteError")

    def add_prefixes(self, call: Call) -> Reply:
        pool = self.own(call, "update")
        added = [str(parse_cidr(text)) for text in _prefixes(call)]
        pool["prefixes"] = _merged([cidr(text) for text in [*pool["prefixes"], *added]])
        self.touch(pool)
        return Reply(200, {"prefixes": pool["prefixes"]})

    def remove_prefixes(self, call: Call) -> Reply:
        pool = self.own(call, "update")
        removed = [str(parse_cidr(text)) for text in _prefixes(call)]
        for subnet in self.network.subnets.table.by("subnetpool_id", pool["id"]):  # N27
            if any(overlap(subnet["cidr"], text) for text in removed):
                raise bad(
                    "Illegal update to prefixes: One or more the prefixes to be removed is in use by a subnet..",
                    "IllegalSubnetPoolPrefixUpdate",
                )
        pool["prefixes"] = [text for text in pool["prefixes"] if text not in removed]
        self.touch(pool)
        return Reply(200, {"prefixes": pool["prefixes"]})


def _no_block(reason: str) -> Refusal:
    return Refusal(500, f"Failed to allocate subnet: {reason}", "SubnetAllocationError")


def _prefixes(call: Call) -> list[Any]:
    body = call.json()
    prefixes = body.get("prefixes") if isinstance(body, dict) else None
    if not isinstance(prefixes, list):
        raise bad("Invalid input for prefixes.")
    return prefixes


def _covered(text: str, prefixes: Iterable[str]) -> bool:
    network = cidr(text)
    return any(
        network.version == cidr(prefix).version
        and int(cidr(prefix).network_address) <= int(network.network_address)
        and int(network.broadcast_address) <= int(cidr(prefix).broadcast_address)
        for prefix in prefixes
    )


def _merged(networks: Iterable[IPNetwork]) -> list[str]:
    """Sorted, neighbours joined, as Neutron keeps them."""
    rows = list(networks)
    four = [network for network in rows if isinstance(network, ipaddress.IPv4Network)]
    six = [network for network in rows if isinstance(network, ipaddress.IPv6Network)]
    return [str(network) for network in [*ipaddress.collapse_addresses(four), *ipaddress.collapse_addresses(six)]]


def _first_block(prefixes: Iterable[str], length: int, used: list[IPNetwork]) -> IPNetwork | None:
    """The lowest block of that size which overlaps nothing used; steps over what is in the way."""
    for prefix in prefixes:
        space = cidr(prefix)
        if space.prefixlen > length:
            continue
        size = 1 << (space.max_prefixlen - length)
        at, end = int(space.network_address), int(space.broadcast_address)
        taken = sorted(
            (int(other.network_address), int(other.broadcast_address))
            for other in used
            if other.version == space.version
        )
        for low, high in taken:
            if high < at:
                continue
            if at + size - 1 < low:
                break
            at = (high // size + 1) * size
        if at + size - 1 <= end:
            return cidr(f"{type(space.network_address)(at)}/{length}")
    return None


def subnet_missing(object_id: str) -> Refusal:
    return not_found("SubnetNotFound", "Subnet", object_id)
