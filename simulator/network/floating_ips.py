"""Floating IPs. Each has a port on the external network that holds its address."""

from __future__ import annotations

from typing import Any, ClassVar

from simulator.http import Call, Refusal
from simulator.network.addresses import address
from simulator.network.collection import Collection
from simulator.network.errors import bad_request, conflict
from simulator.store import Obj
from simulator.world import hidden

_SHOWN_OF_PORT = ("name", "network_id", "mac_address", "admin_state_up", "status", "device_id", "device_owner")


class FloatingIps(Collection):
    sdk_name = "network.v2.floating_ip.FloatingIP"
    path = "/floatingips"
    noun, missing = "Floating IP", "FloatingIPNotFound"
    defaults: ClassVar[dict[str, Any]] = {
        "floating_ip_address": None, "floating_network_id": None, "router_id": None, "port_id": None,
        "fixed_ip_address": None, "status": "DOWN", "qos_policy_id": None, "dns_domain": "", "dns_name": "",
        "port_forwardings": [],
    }  # fmt: skip
    required = ("floating_network_id",)
    read_only = frozenset({"floating_ip_address", "floating_network_id", "router_id", "port_details"})
    booleans = frozenset()
    admin_sets = frozenset({"floating_ip_address"})  # N3
    extra_filters = frozenset({"subnet_id"})

    def before_create(self, call: Call, obj: Obj) -> None:
        network = self.network.networks.find(call, obj["floating_network_id"])
        if not network["router:external"]:
            raise bad_request("floatingip", f"Network {network['id']} is not a valid external network.")
        subnet_id = obj.pop("subnet_id", None)
        if obj["port_id"]:
            self._associate(call, obj, obj["port_id"], obj["fixed_ip_address"])
        wanted = {"subnet_id": subnet_id, "ip_address": obj["floating_ip_address"]}
        fixed = [{name: value for name, value in wanted.items() if value}]
        port = self.network.ports.plug(
            call, network["id"], "network:floatingip", obj["id"], fixed if fixed[0] else None, project_id=""
        )
        port["status"] = "N/A"
        obj["floating_ip_address"] = next(
            fixed["ip_address"] for fixed in port["fixed_ips"] if address(fixed["ip_address"]).version == 4
        )
        obj["_port_id"] = port["id"]

    def before_update(self, call: Call, obj: Obj, changes: Obj) -> None:
        if "port_id" not in changes and "fixed_ip_address" not in changes:
            if not changes:
                self._let_go(obj)
            return
        port_id = changes.pop("port_id", obj["port_id"])
        fixed = changes.pop("fixed_ip_address", None)
        if port_id:
            self._associate(call, obj, port_id, fixed)
        else:
            self._let_go(obj)

    def after_delete(self, call: Call, obj: Obj) -> None:
        port = self.network.ports.table.get(obj["_port_id"])
        if port is not None:
            self.network.ports.table.remove(port["id"])

    def release_port(self, port_id: str) -> None:
        """The port is gone: its floating IPs stay, unbound."""
        for fip in self.table.by("port_id", port_id):
            self._let_go(fip)
            self.touch(fip)

    def _let_go(self, obj: Obj) -> None:
        obj |= {"port_id": None, "fixed_ip_address": None, "router_id": None, "status": "DOWN"}

    def _associate(self, call: Call, obj: Obj, port_id: str, wanted: str | None) -> None:
        port = self.network.ports.find(call, port_id)
        fixed = self._fixed_ip(port, wanted)
        for other in self.table.by("port_id", port_id):  # N29
            if other["id"] != obj["id"] and other["fixed_ip_address"] == fixed["ip_address"]:
                raise conflict(
                    "FloatingIPPortAlreadyAssociated",
                    f"Cannot associate floating IP {obj['floating_ip_address']} ({obj['id']}) with port {port_id} "
                    f"using fixed IP {fixed['ip_address']}, as that fixed IP already has a floating IP on external "
                    f"network {obj['floating_network_id']}.",
                )
        router_id = self._router(obj["floating_network_id"], fixed["subnet_id"])
        if router_id is None:  # N15
            raise Refusal(
                404,
                f"External network {obj['floating_network_id']} is not reachable from subnet {fixed['subnet_id']}.  "
                f"Therefore, cannot associate Port {port_id} with a Floating IP.",
                "ExternalGatewayForFloatingIPNotFound",
            )
        obj |= {"port_id": port_id, "fixed_ip_address": fixed["ip_address"], "router_id": router_id}
        obj["status"] = "ACTIVE" if port["status"] == "ACTIVE" else "DOWN"

    def _fixed_ip(self, port: Obj, wanted: str | None) -> Obj:
        four: list[Obj] = [fixed for fixed in port["fixed_ips"] if address(fixed["ip_address"]).version == 4]
        if wanted is not None:
            for fixed in four:
                if fixed["ip_address"] == wanted:
                    return fixed
            raise bad_request("floatingip", f"Port {port['id']} does not have fixed ip {wanted}.")
        if not four:
            raise bad_request(
                "floatingip",
                f"Cannot add floating IP to port {port['id']} that has no fixed IPv4 addresses.",
            )
        if len(four) > 1:
            raise bad_request(
                "floatingip",
                f"Port {port['id']} has multiple fixed IPv4 addresses.  Must provide a specific IPv4 address when "
                "assigning a floating IP.",
            )
        return four[0]

    def _router(self, network_id: str, subnet_id: str) -> str | None:
        """The router of the subnet that leads outside: the one with `gateway_ip` first (N16)."""
        subnet = self.network.subnets.table.get(subnet_id)
        found: str | None = None
        for port in self.network.ports.table.by("subnet", subnet_id):
            if port["device_owner"] != "network:router_interface":
                continue
            router = self.network.routers.table.get(port["device_id"])
            info = router and router["external_gateway_info"]
            if router is None or not info or info["network_id"] != network_id:
                continue
            holds = [fixed["ip_address"] for fixed in port["fixed_ips"] if fixed["subnet_id"] == subnet_id]
            if subnet is not None and subnet["gateway_ip"] in holds:
                return str(router["id"])
            found = found or str(router["id"])
        return found

    def render(self, call: Call, obj: Obj) -> Obj:
        shown = self.shown(call, hidden(obj))
        port = self.network.ports.table.get(obj["port_id"]) if obj["port_id"] else None
        shown["port_details"] = {name: port[name] for name in _SHOWN_OF_PORT} if port else None
        if port is None or not any(fixed["ip_address"] == obj["fixed_ip_address"] for fixed in port["fixed_ips"]):
            shown["status"] = "DOWN"  # N30
        elif port["status"] == "ACTIVE":
            shown["status"] = "ACTIVE"
        return shown
