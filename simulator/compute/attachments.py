"""Ports and volumes of a running server: `os-interface`, `os-volume_attachments`; its addresses and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.compute.errors import bad, conflict, not_found
from simulator.compute.server_create import take_port
from simulator.compute.servers import release_port
from simulator.http import Call, Refusal, Reply, Routes
from simulator.store import Obj, Table

if TYPE_CHECKING:
    from simulator.compute.service import Compute

_ATTACHABLE = ("active", "paused", "stopped")


class Interfaces:
    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self._servers = compute.servers

    def register(self, router: Routes) -> None:
        router.add("GET", "/servers/{id}/os-interface", self.list)
        router.add("POST", "/servers/{id}/os-interface", self.attach)
        router.add("GET", "/servers/{id}/os-interface/{port}", self.show)
        router.add("DELETE", "/servers/{id}/os-interface/{port}", self.detach)
        router.add("GET", "/servers/{id}/ips", self.addresses)
        router.add("GET", "/servers/{id}/ips/{label}", self.addresses)
        router.add("GET", "/servers/{id}/os-security-groups", self.groups)

    def _render(self, call: Call, port: Obj) -> Obj:
        shown = {"net_id": port["network_id"], "port_id": port["id"], "mac_addr": port["mac_address"]}
        shown |= {"port_state": port["status"], "fixed_ips": port["fixed_ips"]}
        return shown | ({"tag": None} if call.microversion >= (2, 70) else {})

    def list(self, call: Call) -> Reply:
        ports = self._servers.view.ports(self._servers.find(call))
        return Reply(200, {"interfaceAttachments": [self._render(call, port) for port in ports]})

    def _port(self, call: Call, server: Obj) -> Obj:
        port = self._compute.network.ports.table.get(call.params["port"])
        if port is None or port["device_id"] != server["id"]:
            raise not_found(f"Instance {server['id']} does not have a port with id {call.params['port']}")
        return port

    def show(self, call: Call) -> Reply:
        return Reply(200, {"interfaceAttachment": self._render(call, self._port(call, self._servers.find(call)))})

    def attach(self, call: Call) -> Reply:
        server = self._servers.find(call)
        self._servers.check_unlocked(call, server)
        values = (call.json() or {}).get("interfaceAttachment") or {}
        if values.get("port_id") and values.get("net_id"):
            raise bad("Must not input both network_id and port_id")
        if server["vm_state"] not in _ATTACHABLE:
            raise conflict(
                f"Cannot 'attach_interface' instance {server['id']} while it is in vm_state {server['vm_state']}"
            )
        port = self._take(call, server, str(values["port_id"])) if values.get("port_id") else self._make(
            call, server, values)  # fmt: skip
        server["_ports"] = [*server["_ports"], port["id"]]
        self._servers.note(call, server, "attach_interface")
        self._servers.touch(server)
        return Reply(200, {"interfaceAttachment": self._render(call, port)})

    def _take(self, call: Call, server: Obj, port_id: str) -> Obj:
        port = self._compute.network.ports.table.get(port_id)
        if port is None or not call.mine(port):
            raise not_found(f"Port id {port_id} could not be found.")
        if port["device_id"]:
            raise conflict(f"Port {port_id} is still in use.")
        if not port["fixed_ips"]:
            raise bad(f"Port {port_id} requires a FixedIP in order to be used.")
        take_port(self._compute, server, port)
        return port

    def _make(self, call: Call, server: Obj, values: Obj) -> Obj:
        """Each call makes another port (tokens §4)."""
        network = self._compute.network
        network_id = values.get("net_id")
        if not network_id:
            usable = [n for n in network.networks.table if n["project_id"] == call.project_id]
            if len(usable) != 1:
                raise bad("Multiple possible networks found, use a Network ID to be more specific.")
            network_id = usable[0]["id"]
        parent = network.networks.table.get(str(network_id))
        if parent is None or not network.networks.visible(call, parent):
            raise not_found(f"Network {network_id} could not be found.")
        try:
            port = network.ports.plug(
                call, parent["id"], "compute:nova", server["id"], values.get("fixed_ips"),
                project_id=server["project_id"], groups=server["_groups"],
            )  # fmt: skip
        except Refusal as refusal:
            raise bad(refusal.message) from refusal
        port["_made_by_nova"] = True
        return network.ports.table.put(port)

    def detach(self, call: Call) -> Reply:
        server = self._servers.find(call)
        self._servers.check_unlocked(call, server)
        port = self._compute.network.ports.table.get(call.params["port"])
        if port is None or port["device_id"] != server["id"]:
            return Reply(202)  # Nova finds out only later
        if port.get("_made_by_nova"):
            self._compute.network.ports.drop(port)
        else:
            release_port(self._compute, port)
        server["_ports"] = [other for other in server["_ports"] if other != port["id"]]
        self._servers.note(call, server, "detach_interface")
        self._servers.touch(server)
        return Reply(202)

    def addresses(self, call: Call) -> Reply:
        found = self._servers.view.addresses(self._servers.find(call))
        brief = {name: [{k: row[k] for k in ("version", "addr")} for row in rows] for name, rows in found.items()}
        label = call.params.get("label")
        if label is None:
            return Reply(200, {"addresses": brief})
        if label not in brief:
            raise not_found("Instance is not a member of specified network")
        return Reply(200, {label: brief[label]})

    def groups(self, call: Call) -> Reply:
        server, table = self._servers.find(call), self._compute.network.security_groups.table
        ids = dict.fromkeys(g for port in self._servers.view.ports(server) for g in port["security_groups"])
        rows = [self._group(group) for group in map(table.get, ids) if group]
        return Reply(200, {"security_groups": rows})

    def _group(self, group: Obj) -> Obj:
        network = self._compute.network
        rules = []
        for rule in network.rules.table.by("security_group_id", group["id"]):
            if rule["direction"] != "ingress":
                continue
            remote = network.security_groups.table.get(rule["remote_group_id"] or "")
            rules.append(
                {"id": rule["id"], "parent_group_id": group["id"], "ip_protocol": rule["protocol"],
                 "from_port": rule["port_range_min"], "to_port": rule["port_range_max"],
                 "group": {"name": remote["name"], "tenant_id": remote["project_id"]} if remote else {},
                 "ip_range": {"cidr": rule["remote_ip_prefix"]} if rule["remote_ip_prefix"] else {}}
            )  # fmt: skip
        shown = {name: group[name] for name in ("id", "name", "description")}
        return shown | {"tenant_id": group["project_id"], "rules": rules}


class VolumeAttachments:
    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self._servers = compute.servers

    def register(self, router: Routes) -> None:
        path = "/servers/{id}/os-volume_attachments"
        router.add("GET", path, self.list)
        router.add("POST", path, self.attach)
        router.add("GET", path + "/{volume}", self.show)
        router.add("PUT", path + "/{volume}", self.update)
        router.add("DELETE", path + "/{volume}", self.detach)

    @property
    def _rows(self) -> Table:
        return self._compute.volume.volumes.attachments

    def _render(self, call: Call, row: Obj) -> Obj:
        shown: Obj = {"volumeId": row["volume_id"], "serverId": row["server_id"], "device": row["device"]}
        if call.microversion < (2, 89):
            shown["id"] = row["volume_id"]
        if call.microversion >= (2, 70):
            shown["tag"] = row.get("tag")
        if call.microversion >= (2, 79):
            shown["delete_on_termination"] = row["delete_on_termination"]
        if call.microversion >= (2, 89) and call.method != "POST":
            shown |= {"attachment_id": row["id"], "bdm_uuid": row["id"]}
        elif call.method == "POST":
            shown["id"] = row["volume_id"]
        return shown

    def list(self, call: Call) -> Reply:
        rows = self._rows.by("server_id", self._servers.find(call)["id"])
        return Reply(200, {"volumeAttachments": [self._render(call, row) for row in rows]})

    def _find(self, call: Call, server: Obj, message: str) -> Obj:
        for row in self._rows.by("server_id", server["id"]):
            if row["volume_id"] == call.params["volume"]:
                return row
        raise not_found(message)

    def show(self, call: Call) -> Reply:
        server = self._servers.find(call)
        row = self._find(call, server, f"Instance {server['id']} is not attached to volume {call.params['volume']}")
        return Reply(200, {"volumeAttachment": self._render(call, row)})

    def attach(self, call: Call) -> Reply:
        server, volumes = self._servers.find(call), self._compute.volume.volumes
        values = call.inside("volumeAttachment")
        volume_id = str(values.get("volumeId"))
        volume = volumes.table.get(volume_id)
        if volume is None or not call.mine(volume):
            raise not_found(f"Volume {volume_id} could not be found.")
        self._servers.check_unlocked(call, server)
        if server["vm_state"] not in (*_ATTACHABLE, "suspended", "resized", "shelved_offloaded"):
            raise conflict(
                f"Cannot 'attach_volume' instance {server['id']} while it is in vm_state {server['vm_state']}"
            )
        held = self._rows.by("volume_id", volume_id)
        if held and (not volume["multiattach"] or any(row["server_id"] == server["id"] for row in held)):
            holders = ", ".join(row["server_id"] for row in held)
            raise bad(f"Invalid volume: volume {volume_id} is already attached to instances: {holders}")
        if volume["status"] not in ("available", "in-use"):
            raise bad(
                f"Invalid volume: volume '{volume_id}' status must be 'available'. Currently in '{volume['status']}'"
            )
        row = volumes.attach(
            volume, server["id"], str(values.get("device") or ""), delete=bool(values.get("delete_on_termination"))
        )
        self._servers.note(call, server, "attach_volume")
        self._servers.touch(server)
        return Reply(200, {"volumeAttachment": self._render(call, row)})

    def update(self, call: Call) -> Reply:
        server, values = self._servers.find(call), call.inside("volumeAttachment")
        row = self._find(call, server, f"Instance {server['id']} is not attached to volume {call.params['volume']}")
        if "delete_on_termination" in values:
            row["delete_on_termination"] = bool(values["delete_on_termination"])
            self._rows.put(row)
        return Reply(202)

    def detach(self, call: Call) -> Reply:
        server = self._servers.find(call)
        self._servers.check_unlocked(call, server)
        row = self._find(call, server, f"Instance {server['id']} is not attached to volume {call.params['volume']}")
        self._compute.volume.volumes.begin_detach(row)
        self._servers.note(call, server, "detach_volume")
        self._servers.touch(server)
        return Reply(202)
