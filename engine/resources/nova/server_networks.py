"""The ports of a server: which Nova makes, which we make first, and how a change of `networks` is carried out.

A network that is only named is left to Nova: the server's own mark covers the port, which goes with the server.
A network with a subnet or with port properties gets a port of ours, marked and written down before the server is
asked for; it goes after the server is gone. Attaching to a running server is always by port (tokens.md: by network
Nova would make another at each try).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.cloud.errors import CloudError, Conflict, NotFound
from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed
from engine.resources.neutron.port_properties import EXTRA, tidy
from engine.resources.references import resolve_one, resolve_references
from engine.resources.wire import to_wire

Entry = Mapping[str, Value]

_DETACH_POLL = 0.5


@dataclass(frozen=True, slots=True)
class Interface:
    """A port on the server, as Neutron shows it."""

    port_id: str
    network_id: str
    addresses: tuple[str, ...]
    mac: str


def key_of(entry: Entry) -> str:
    """Equal for equal entries; what a port of ours is written down under."""
    return json.dumps(entry, sort_keys=True, default=str)


def needs_own_port(entry: Entry) -> bool:
    return not entry.get("port") and bool(entry.get("subnet") or entry.get("port_extra_properties"))


def nova_word(entries: Sequence[Entry]) -> str | None:
    """`auto` or `none` where an entry asks for that in place of networks."""
    for entry in entries:
        if entry.get("allocate_network"):
            return str(entry["allocate_network"])
    return None


async def wire_networks(op: Operation, entries: Sequence[Entry], groups: Sequence[str]) -> Any:
    """What a server's create takes as `networks`; makes the ports that are ours."""
    word = nova_word(entries) if entries else "auto"
    if word is not None:
        return word
    return [await _wire_entry(op, entry, index, groups) for index, entry in enumerate(entries)]


async def _wire_entry(op: Operation, entry: Entry, index: int, groups: Sequence[str]) -> dict[str, Any]:
    wired: dict[str, Any] = {}
    if entry.get("port"):
        wired["port"] = entry["port"]
    elif needs_own_port(entry):
        wired["port"] = await own_port(op, entry, f"p{index}", groups)
    else:
        wired["uuid"] = entry["network"]
        if entry.get("fixed_ip"):
            wired["fixed_ip"] = entry["fixed_ip"]
    if entry.get("tag"):
        wired["tag"] = entry["tag"]
    return wired


# --- ports of ours --------------------------------------------------------------------------------------------------
async def own_port(op: Operation, entry: Entry, label: str, groups: Sequence[str]) -> str:
    """The id of the port for `entry`: the one written down, one that an earlier attempt made, or a new one."""
    ports = dict(op.data.get("ports") or {})
    key = key_of(entry)
    if ports.get(key):
        return str(ports[key])
    mark = f"{op.token}-{label}"
    port_id = None
    if key in ports:
        port_id = await _find_port(op, mark)
    else:
        await op.remember(ports={**ports, key: None})
    if port_id is None:
        body = await _port_body(op, entry, label, groups)
        reply = await op.cloud.request("network", "POST", "/ports", json={"port": {**body, "description": mark}})
        port_id = str(reply.body["port"]["id"])
    await op.remember(ports={**(op.data.get("ports") or {}), key: port_id})
    return port_id


async def _find_port(op: Operation, mark: str) -> str | None:
    rows = await op.cloud.list("network", "/ports", "ports", params={"description": mark})
    return next((str(row["id"]) for row in rows if row.get("description") == mark), None)


async def _port_body(op: Operation, entry: Entry, label: str, groups: Sequence[str]) -> dict[str, Any]:
    extra = await resolve_references(EXTRA, entry.get("port_extra_properties") or {}, op.cloud)
    body = to_wire(EXTRA, extra)
    body["name"] = f"{op.physical_name(200)}-{label}"
    fixed: dict[str, Any] = {}
    network = entry.get("network")
    if entry.get("subnet"):
        fixed["subnet_id"] = await resolve_one("subnet", entry["subnet"], op.cloud)
        if not network:
            reply = await op.cloud.request("network", "GET", f"/subnets/{fixed['subnet_id']}")
            network = reply.body["subnet"]["network_id"]
    if entry.get("fixed_ip"):
        fixed["ip_address"] = entry["fixed_ip"]
    body["network_id"] = network
    if fixed:
        body["fixed_ips"] = [fixed]
    if groups and extra.get("port_security_enabled") is not False:
        body["security_groups"] = [await resolve_one("security_group", one, op.cloud) for one in groups]
    body = tidy(body, extra)
    body.update(extra.get("value_specs") or {})
    return body


async def drop_ports(op: Operation, keys: Sequence[str] | None = None) -> None:
    """Delete ports of ours (all, or those under `keys`) and forget them."""
    ports = dict(op.data.get("ports") or {})
    chosen = list(ports) if keys is None else [key for key in keys if key in ports]
    for key in chosen:
        if ports[key]:
            try:
                await op.cloud.request("network", "DELETE", f"/ports/{ports[key]}")
            except NotFound:
                pass  # gone already
        del ports[key]
    if chosen:
        await op.remember(ports=ports)


# --- what the server has ----------------------------------------------------------------------------------
async def interfaces(op: Operation) -> list[Interface]:
    """The server's ports; none when the project may not ask Neutron."""
    assert op.physical_id is not None
    rows = await op.cloud.list("network", "/ports", "ports", params={"device_id": op.physical_id})
    return [
        Interface(
            str(row["id"]),
            str(row["network_id"]),
            tuple(str(one["ip_address"]) for one in row.get("fixed_ips") or ()),
            str(row.get("mac_address", "")),
        )
        for row in rows
        if row.get("device_id") == op.physical_id
    ]


def port_for(entry: Entry, ports: Mapping[str, Value], present: Sequence[Interface]) -> str | None:
    """The port that `entry` led to."""
    if entry.get("port"):
        return str(entry["port"])
    if ports.get(key_of(entry)):
        return str(ports[key_of(entry)])
    for one in present:
        if one.network_id == entry.get("network") and entry.get("fixed_ip") in (None, "", *one.addresses):
            return one.port_id
    return None


async def associate_floating_ips(op: Operation, entries: Sequence[Entry]) -> None:
    """Lead the floating ips that `networks` names to the server's ports; repeating changes nothing."""
    wanted = [entry for entry in entries if entry.get("floating_ip")]
    if not wanted:
        return
    present = await interfaces(op)
    for entry in wanted:
        port = port_for(entry, op.data.get("ports") or {}, present)
        if port is None:
            raise OperationFailed(f"The server has no port for floating ip {entry['floating_ip']}")
        floating = await resolve_one("floating_ip", entry["floating_ip"], op.cloud)
        await op.cloud.request("network", "PUT", f"/floatingips/{floating}", json={"floatingip": {"port_id": port}})


# --- changing them ----------------------------------------------------------------------------------
async def change(
    op: Operation, before: Sequence[Sequence[Entry]], after: Sequence[Entry], groups: Sequence[str]
) -> None:  # fmt: skip
    """Detach what is no longer listed, attach what is new. `before`: every list that may stand. Safe to repeat."""
    old = {key_of(one): one for entries in before for one in entries}
    new = {key_of(one): one for one in after}
    certain = set.intersection(*({key_of(one) for one in entries} for entries in before))
    present = await interfaces(op)
    gone = [key for key in old if key not in new]
    ports = op.data.get("ports") or {}
    for key in gone:
        port = port_for(old[key], ports, present)
        if port is not None:
            await _detach(op, port)
    await drop_ports(op, gone)
    present = await interfaces(op)
    attached = {one.port_id for one in present}
    for index, (key, entry) in enumerate(new.items()):
        if key in certain or (key in old and port_for(entry, op.data.get("ports") or {}, present) is not None):
            continue
        port = str(entry["port"]) if entry.get("port") else await own_port(op, entry, f"u{index}", groups)
        if port not in attached:
            await _attach(op, port)


async def _detach(op: Operation, port: str) -> None:
    path = f"/servers/{op.physical_id}/os-interface/{port}"
    try:
        await op.cloud.request("compute", "DELETE", path)
    except NotFound:
        return
    while op.services.monotonic() < op.deadline:
        if port not in {one.port_id for one in await interfaces(op)}:
            return
        await op.services.sleep(_DETACH_POLL)
    raise OperationFailed(f"Port {port} was not detached in time")


async def _attach(op: Operation, port: str) -> None:
    body = {"interfaceAttachment": {"port_id": port}}
    try:
        await op.cloud.request("compute", "POST", f"/servers/{op.physical_id}/os-interface", json=body)
    except Conflict:
        if port not in {one.port_id for one in await interfaces(op)}:
            raise


async def clean_up(op: Operation) -> None:
    """After a create that was refused: take back the ports made for it, as far as the cloud lets us."""
    try:
        await drop_ports(op)
    except CloudError:
        return  # the refusal of the server is what the user must hear; the ports bear its mark
