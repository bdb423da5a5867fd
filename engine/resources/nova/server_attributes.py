"""A server's attributes as the native API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.resources.nova.server_networks import Interface

Addresses = Mapping[str, Sequence[Mapping[str, Any]]]


def addresses(given: Addresses, ports: Sequence[Interface]) -> dict[str, list[dict[str, Any]]]:
    """By network name and again by network id; each address with its port."""
    by_mac = {one.mac.lower(): one for one in ports}
    found: dict[str, list[dict[str, Any]]] = {}
    for name, rows in given.items():
        shown = []
        network = None
        for row in rows:
            port = by_mac.get(str(row.get("OS-EXT-IPS-MAC:mac_addr", "")).lower())
            network = port.network_id if port else network
            shown.append({**row, "port": port.port_id if port else None})
        found[name] = shown
        if network is not None:
            found[network] = shown
    return found


def networks(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[str]]:
    """Network name or id → its addresses."""
    return {name: [str(row["addr"]) for row in rows] for name, rows in found.items()}


def first_address(given: Addresses) -> str:
    return next((str(row["addr"]) for rows in given.values() for row in rows), "")


#: Console type → what the remote-consoles API asks for (Nova 2.6 and later).
CONSOLES: Mapping[str, tuple[str, str]] = {
    "novnc": ("vnc", "novnc"),
    "xvpvnc": ("vnc", "xvpvnc"),
    "spice-html5": ("spice", "spice-html5"),
    "rdp-html5": ("rdp", "rdp-html5"),
    "serial": ("serial", "serial"),
    "webmks": ("mks", "webmks"),
}
