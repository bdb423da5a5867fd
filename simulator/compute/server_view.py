"""How a server is shown, by microversion."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from simulator.http import Call
from simulator.store import Obj

if TYPE_CHECKING:
    from simulator.compute.service import Compute


class ServerView:
    def __init__(self, compute: Compute) -> None:
        self._compute = compute

    def brief(self, server: Obj) -> Obj:
        return {"id": server["id"], "name": server["name"], "links": self._compute.links("servers", server["id"])}

    def render(self, call: Call, server: Obj) -> Obj:
        up = server["launched_at"] is not None
        shown: Obj = {
            "id": server["id"], "name": server["name"], "status": server["status"], "tenant_id": server["project_id"],
            "user_id": server["user_id"], "metadata": server["metadata"],
            "hostId": hashlib.sha224(server["project_id"].encode()).hexdigest() if up else "",
            "image": self._image(server["image"]), "flavor": self._compute.flavors.embedded(call, server["flavor"]),
            "created": server["created"], "updated": server["updated"],
            "addresses": self.addresses(server) if up or server["status"] != "BUILD" else {},
            "accessIPv4": server["access"][0], "accessIPv6": server["access"][1],
            "links": self._compute.links("servers", server["id"]), "OS-DCF:diskConfig": server["disk_config"],
            "progress": server["progress"], "OS-EXT-AZ:availability_zone": server["availability_zone"] if up else "",
            "config_drive": server["config_drive"], "key_name": server["key_name"],
            "OS-SRV-USG:launched_at": server["launched_at"], "OS-SRV-USG:terminated_at": None,
            "OS-EXT-STS:task_state": server["task_state"], "OS-EXT-STS:vm_state": server["vm_state"],
            "OS-EXT-STS:power_state": server["power_state"],
            "os-extended-volumes:volumes_attached": self._volumes(call, server),
        }  # fmt: skip
        names = self.group_names(server)
        if up and names:
            shown["security_groups"] = [{"name": name} for name in names]
        if server["status"] == "ERROR" and server["fault"]:
            shown["fault"] = server["fault"]
        self._later(call, server, shown)
        return shown

    def _later(self, call: Call, server: Obj, shown: Obj) -> None:
        """What newer microversions add."""
        version = call.microversion
        if version >= (2, 9):
            shown["locked"] = server["locked"]
        if version >= (2, 19):
            shown["description"] = server["description"]
        if version >= (2, 26):
            shown["tags"] = server["tags"]
        if version >= (2, 63):
            shown["trusted_image_certificates"] = None
        if version >= (2, 71):
            shown["server_groups"] = [server["server_group"]] if server["server_group"] else []
        if version >= (2, 73):
            shown["locked_reason"] = server["locked_reason"]
        if version >= (2, 90) or (call.is_admin and version >= (2, 3)):
            shown["OS-EXT-SRV-ATTR:hostname"] = server["hostname"]
        if call.is_admin:
            shown |= {
                "OS-EXT-SRV-ATTR:host": server["host"] or None,
                "OS-EXT-SRV-ATTR:hypervisor_hostname": server["host"] or None,
                "OS-EXT-SRV-ATTR:instance_name": f"instance-{server['id'][:8]}",
            }
            if version >= (2, 3):
                shown |= {
                    "OS-EXT-SRV-ATTR:reservation_id": server["_reservation_id"], "OS-EXT-SRV-ATTR:launch_index": 0,
                    "OS-EXT-SRV-ATTR:kernel_id": "", "OS-EXT-SRV-ATTR:ramdisk_id": "",
                    "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda", "OS-EXT-SRV-ATTR:user_data": server["user_data"],
                }  # fmt: skip
            if version >= (2, 16):
                shown["host_status"] = "UP"

    def _image(self, image_id: str) -> Obj | str:
        if not image_id:
            return ""
        return {"id": image_id, "links": self._compute.links("images", image_id)[1:]}

    def _volumes(self, call: Call, server: Obj) -> list[Obj]:
        rows = self._compute.volume.volumes.attachments.by("server_id", server["id"])
        if call.microversion >= (2, 3):
            return [{"id": row["volume_id"], "delete_on_termination": row["delete_on_termination"]} for row in rows]
        return [{"id": row["volume_id"]} for row in rows]

    def ports(self, server: Obj) -> list[Obj]:
        """In the order in which they were asked for or attached."""
        ports = {port["id"]: port for port in self._compute.network.ports.table.by("device_id", server["id"])}
        first = [ports.pop(port_id) for port_id in server["_ports"] if port_id in ports]
        return [*first, *ports.values()]

    def addresses(self, server: Obj) -> Obj:
        network = self._compute.network
        found: dict[str, list[Obj]] = {}
        for port in self.ports(server):
            parent = network.networks.table.get(port["network_id"])
            rows = found.setdefault(parent["name"] if parent else port["network_id"], [])
            for fixed in port["fixed_ips"]:
                rows.append(_address(fixed["ip_address"], "fixed", port["mac_address"]))
                rows += [
                    _address(fip["floating_ip_address"], "floating", port["mac_address"])
                    for fip in network.floating_ips.table.by("port_id", port["id"])
                    if fip["fixed_ip_address"] == fixed["ip_address"]
                ]
        return found

    def has_address(self, server: Obj, pattern: str) -> bool:
        return any(pattern in row["addr"] for rows in self.addresses(server).values() for row in rows)

    def group_names(self, server: Obj) -> list[str]:
        groups = self._compute.network.security_groups.table
        ids = [group for port in self.ports(server) for group in port["security_groups"]]
        return list(dict.fromkeys(group["name"] for group in map(groups.get, ids) if group))


def _address(text: str, kind: str, mac: str) -> Obj:
    version = 6 if ":" in text else 4
    return {"version": version, "addr": text, "OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": mac}
