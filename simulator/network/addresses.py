"""Address arithmetic: subnets' pools, and the next free address."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable, Sequence

from simulator.network.errors import conflict, invalid
from simulator.store import Obj, Table

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

#: The two modes in which ports choose their own address.
SLAAC = frozenset({"slaac", "dhcpv6-stateless"})


@functools.lru_cache(maxsize=4096)
def cidr(text: str) -> IPNetwork:
    """Raises ValueError. Host bits are taken off, as Neutron does."""
    return ipaddress.ip_network(text, strict=False)


@functools.lru_cache(maxsize=8192)
def address(text: str) -> Address:
    """Raises ValueError."""
    return ipaddress.ip_address(text)


def parse_cidr(value: object) -> IPNetwork:
    try:
        return cidr(str(value))
    except ValueError:
        raise invalid(f"{value} is not in a CIDR format") from None


def overlap(one: str, other: str) -> bool:
    first, second = cidr(one), cidr(other)
    return first.version == second.version and first.overlaps(second)


def default_pools(network: IPNetwork, gateway: str | None) -> list[dict[str, str]]:
    """All host addresses but the gateway."""
    first, last = int(network.network_address) + 1, int(network.broadcast_address)
    if network.version == 4:
        last -= 1
    if network.prefixlen >= network.max_prefixlen - 1:
        first, last = int(network.network_address), int(network.broadcast_address)
    kind = type(network.network_address)
    ranges = [(first, last)]
    if gateway is not None and first <= int(address(gateway)) <= last and address(gateway).version == network.version:
        middle = int(address(gateway))
        ranges = [(first, middle - 1), (middle + 1, last)]
    return [{"start": str(kind(low)), "end": str(kind(high))} for low, high in ranges if low <= high]


def in_pools(pools: Iterable[Obj], wanted: str) -> bool:
    number = int(address(wanted))
    return any(int(address(pool["start"])) <= number <= int(address(pool["end"])) for pool in pools)


class Allocator:
    """Gives free addresses, each subnet's in turn: a freed one is used again only after all others."""

    def __init__(self, ports: Table) -> None:
        self._ports = ports
        self._next: dict[str, int] = {}

    def is_free(self, subnet_id: str, wanted: str) -> bool:
        return not self._ports.has("address", f"{subnet_id}|{wanted}")

    def take(self, subnet: Obj, also_taken: Sequence[str] = ()) -> str | None:
        """The next free address of the subnet's pools; None when there is none. Taken when a port with it is put."""
        pools = [(int(address(pool["start"])), int(address(pool["end"]))) for pool in subnet["allocation_pools"]]
        if not pools:
            return None
        kind = type(address(subnet["allocation_pools"][0]["start"]))
        start = self._next.get(subnet["id"], pools[0][0])
        after = [(max(low, start), high) for low, high in pools if high >= start]
        before = [(low, min(high, start - 1)) for low, high in pools if low < start]
        for low, high in [*after, *before]:
            for number in range(low, high + 1):
                text = str(kind(number))
                if text not in also_taken and self.is_free(subnet["id"], text):
                    self._next[subnet["id"]] = number + 1
                    return text
        return None

    def forget(self, subnet_id: str) -> None:
        self._next.pop(subnet_id, None)


def eui64(prefix: str, mac: str) -> str:
    """The address a port gives itself in a SLAAC subnet (N23)."""
    parts = [int(part, 16) for part in mac.split(":")]
    parts[0] ^= 2
    numbers = [*parts[:3], 0xFF, 0xFE, *parts[3:]]
    low = int.from_bytes(bytes(numbers), "big")
    return str(ipaddress.IPv6Address(int(cidr(prefix).network_address) | low))


def already_allocated(wanted: str, subnet_id: str) -> Exception:
    return conflict("IpAddressAlreadyAllocated", f"IP address {wanted} already allocated in subnet {subnet_id}")
