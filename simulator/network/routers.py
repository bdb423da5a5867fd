"""Routers: interfaces, gateways, extra routes."""

from __future__ import annotations

from typing import Any, ClassVar

from simulator.http import Call, Refusal, Reply, Routes
from simulator.network.addresses import address, cidr, overlap
from simulator.network.collection import Collection
from simulator.network.errors import bad, bad_request, conflict, invalid, not_authorized
from simulator.network.networks import check_zone_hints
from simulator.store import Obj

INTERFACE, GATEWAY = "network:router_interface", "network:router_gateway"


class Routers(Collection):
    sdk_name = "network.v2.router.Router"
    path = "/routers"
    noun, missing = "Router", "RouterNotFound"
    defaults: ClassVar[dict[str, Any]] = {
        "name": "", "admin_state_up": True, "status": "ACTIVE", "external_gateway_info": None,
        "availability_zones": [], "availability_zone_hints": [], "routes": [], "flavor_id": None, "ha": False,
        "distributed": False,
    }  # fmt: skip
    booleans = frozenset({"admin_state_up", "ha", "distributed"})
    admin_sets = frozenset({"ha", "distributed"})
    admin_sees = frozenset({"ha", "distributed"})

    def register(self, router: Routes) -> None:
        super().register(router)
        for name, handler in (
            ("add_router_interface", self.add_interface),
            ("remove_router_interface", self.remove_interface),
            ("add_extraroutes", self.add_routes),
            ("remove_extraroutes", self.remove_routes),
        ):
            router.add("PUT", f"{self.path}/{{id}}/{name}", handler)

    # --- create, update, delete ----------------------------------------------------------------------------------
    def before_create(self, call: Call, obj: Obj) -> None:
        check_zone_hints(obj)
        if obj["routes"]:
            self._check_routes(obj, obj["routes"])
        wanted = obj["external_gateway_info"]
        obj["external_gateway_info"] = None
        obj["revision_number"] = 1
        if wanted:
            self._check_gateway(call, wanted, "create")
            self._set_gateway(call, obj, wanted)

    def before_update(self, call: Call, obj: Obj, changes: Obj) -> None:
        if "routes" in changes:
            changes["routes"] = list(changes["routes"] or [])
            self._check_routes(obj, changes["routes"])
        if "external_gateway_info" in changes:
            wanted = changes.pop("external_gateway_info")
            if wanted:
                self._check_gateway(call, wanted, "update")
                self._set_gateway(call, obj, wanted)
            else:
                self._unset_gateway(obj)

    def before_delete(self, call: Call, obj: Obj) -> None:
        ports = self.interfaces(obj["id"])
        if ports:  # N17
            raise conflict(
                "RouterInUse", f"Router {obj['id']} has ports still attached: {', '.join(p['id'] for p in ports)}"
            )
        if obj["external_gateway_info"]:
            self._check_gateway_free(obj)

    def after_delete(self, call: Call, obj: Obj) -> None:
        for port in self.network.ports.table.by("device_id", obj["id"]):
            self.network.ports.drop(port)

    # --- gateway -------------------------------------------------------------------------------------------------
    def _check_gateway(self, call: Call, wanted: Any, verb: str) -> None:
        if not isinstance(wanted, dict) or not wanted.get("network_id"):
            raise bad("Invalid input for external_gateway_info. Reason: 'network_id' is required.")
        if not call.is_admin:  # N1
            for name in ("enable_snat", "external_fixed_ips"):
                if wanted.get(name) is not None:
                    rule = f"{verb}_router:external_gateway_info"
                    raise not_authorized(
                        f"(rule:{verb}_router and (rule:{rule} and (rule:{rule}:network_id and rule:{rule}:{name})))"
                    )
        network = self.network.networks.find(call, wanted["network_id"])
        if not network["router:external"]:
            raise bad_request("router", f"Network {network['id']} is not an external network.")

    def _set_gateway(self, call: Call, obj: Obj, wanted: Obj) -> None:
        """N2: without `enable_snat` SNAT is on again. N5: the address stays while the network does."""
        info = obj["external_gateway_info"]
        port = self.gateway_port(obj["id"])
        fixed = wanted.get("external_fixed_ips")
        if port is not None and info["network_id"] != wanted["network_id"]:
            self._check_gateway_free(obj)
            self.network.ports.drop(port)
            port = None
        if port is None:
            self._check_no_cycle(obj, wanted["network_id"])
            port = self.network.ports.plug(call, wanted["network_id"], GATEWAY, obj["id"], fixed, project_id="")
        elif fixed is not None:
            port["fixed_ips"] = self.network.ports.choose_addresses(call, port, fixed)
            self.network.ports.touch(port)
        obj["external_gateway_info"] = {
            "network_id": wanted["network_id"],
            "external_fixed_ips": port["fixed_ips"],
            "enable_snat": bool(wanted.get("enable_snat", True)),
        }

    def _check_no_cycle(self, obj: Obj, network_id: str) -> None:
        for subnet in self.network.subnets.table.by("network_id", network_id):
            for port in self.interfaces(obj["id"]):
                for other in self._subnets(port):
                    if overlap(other["cidr"], subnet["cidr"]):
                        raise bad_request(
                            "router",
                            f"Cidr {subnet['cidr']} of subnet {subnet['id']} overlaps with cidr {other['cidr']} of "
                            f"subnet {other['id']}.",
                        )

    def _unset_gateway(self, obj: Obj) -> None:
        if obj["external_gateway_info"] is None:
            return
        self._check_gateway_free(obj)
        port = self.gateway_port(obj["id"])
        if port is not None:
            self.network.ports.drop(port)
        obj["external_gateway_info"] = None

    def _check_gateway_free(self, obj: Obj) -> None:
        network_id = obj["external_gateway_info"]["network_id"]
        for fip in self.network.floating_ips.table.by("router_id", obj["id"]):
            if fip["floating_network_id"] == network_id:  # N14
                raise conflict(
                    "RouterExternalGatewayInUseByFloatingIp",
                    f"Gateway cannot be updated for router {obj['id']}, since a gateway to external network "
                    f"{network_id} is required by one or more floating IPs.",
                )

    # --- interfaces ----------------------------------------------------------------------------------------------
    def interfaces(self, router_id: str) -> list[Obj]:
        return [p for p in self.network.ports.table.by("device_id", router_id) if p["device_owner"] == INTERFACE]

    def gateway_port(self, router_id: str) -> Obj | None:
        ports = self.network.ports.table.by("device_id", router_id)
        return next((port for port in ports if port["device_owner"] == GATEWAY), None)

    def _subnets(self, port: Obj) -> list[Obj]:
        found = (self.network.subnets.table.get(fixed["subnet_id"]) for fixed in port["fixed_ips"])
        return [subnet for subnet in found if subnet is not None]

    def add_interface(self, call: Call) -> Reply:
        router = self.own(call, "add_router_interface")
        subnet_id, port_id = _interface(call)
        if subnet_id and port_id:
            raise bad_request("router", "Cannot specify both subnet-id and port-id.")
        if port_id:
            port = self._adopt(call, router, port_id)
        elif subnet_id:
            port = self._attach(call, router, subnet_id)
        else:
            raise bad_request("router", "Either subnet_id or port_id must be specified.")
        self.touch(router)
        return Reply(200, _told(router, port))

    def _attach(self, call: Call, router: Obj, subnet_id: str) -> Obj:
        subnet = self.network.subnets.find(call, subnet_id)
        if not subnet["gateway_ip"]:  # N9
            raise bad_request("router", "Subnet for router interface must have a gateway IP.")
        self._check_subnet(router, subnet)
        fixed = [{"subnet_id": subnet_id, "ip_address": subnet["gateway_ip"]}]
        return self.network.ports.plug(
            call, subnet["network_id"], INTERFACE, router["id"], fixed, project_id=router["project_id"]
        )

    def _adopt(self, call: Call, router: Obj, port_id: str) -> Obj:
        port = self.network.ports.find(call, port_id)
        if port["device_id"]:
            raise conflict(
                "PortInUse",
                f"Unable to complete operation on port {port_id} for network {port['network_id']}. Port already has "
                f"an attached device {port['device_id']}.",
            )
        subnets = self._subnets(port)
        if not subnets:
            raise bad_request("router", f"Port {port_id} must have at least one fixed IP.")
        if sum(subnet["ip_version"] == 4 for subnet in subnets) > 1:  # N9
            raise bad_request("router", "Cannot have multiple IPv4 subnets on router port.")
        for subnet in subnets:
            self._check_subnet(router, subnet)
        port |= {"device_id": router["id"], "device_owner": INTERFACE, "security_groups": []}
        port["port_security_enabled"] = False
        self.network.ports.touch(port)
        return port

    def _check_subnet(self, router: Obj, subnet: Obj) -> None:
        others = [other for port in self.interfaces(router["id"]) for other in self._subnets(port)]
        if any(other["id"] == subnet["id"] for other in others):  # N7
            raise bad_request("router", f"Router already has a port on subnet {subnet['id']}.")
        gateway = self.gateway_port(router["id"])
        for other in [*others, *(self._subnets(gateway) if gateway else [])]:  # N8
            if overlap(other["cidr"], subnet["cidr"]):
                raise bad_request(
                    "router",
                    f"Cidr {subnet['cidr']} of subnet {subnet['id']} overlaps with cidr {other['cidr']} of subnet "
                    f"{other['id']}.",
                )

    def remove_interface(self, call: Call) -> Reply:
        router = self.own(call, "remove_router_interface")
        subnet_id, port_id = _interface(call)
        port = self._find_interface(call, router, subnet_id, port_id)
        for subnet in self._subnets(port):
            self._check_unused(router, subnet)
        self.network.ports.drop(port)
        self.touch(router)
        return Reply(200, _told(router, port))

    def _find_interface(self, call: Call, router: Obj, subnet_id: str | None, port_id: str | None) -> Obj:
        ports = self.interfaces(router["id"])
        if port_id:
            for port in ports:
                if port["id"] == port_id:
                    if subnet_id and subnet_id not in [fixed["subnet_id"] for fixed in port["fixed_ips"]]:
                        raise conflict(
                            "SubnetMismatchForPort",
                            f"Subnet on port {port_id} does not match the requested subnet {subnet_id}.",
                        )
                    return port
            raise Refusal(
                404, f"Router {router['id']} does not have an interface with id {port_id}", "RouterInterfaceNotFound"
            )
        if not subnet_id:
            raise bad_request("router", "Either subnet_id or port_id must be specified.")
        self.network.subnets.find(call, subnet_id)
        for port in ports:
            if subnet_id in [fixed["subnet_id"] for fixed in port["fixed_ips"]]:
                return port
        raise Refusal(
            404, f"Router {router['id']} has no interface on subnet {subnet_id}", "RouterInterfaceNotFoundForSubnet"
        )

    def _check_unused(self, router: Obj, subnet: Obj) -> None:
        where = (
            f"Router interface for subnet {subnet['id']} on router {router['id']} cannot be deleted, as it is "
            "required by one or more"
        )
        network = cidr(subnet["cidr"])
        for route in router["routes"]:  # N13
            hop = address(route["nexthop"])
            if hop.version == network.version and hop in network:
                raise conflict("RouterInterfaceInUseByRoute", f"{where} routes.")
        for fip in self.network.floating_ips.table.by("router_id", router["id"]):  # N14
            fixed = address(fip["fixed_ip_address"])
            if fixed.version == network.version and fixed in network and self._is_on(fip["port_id"], subnet["id"]):
                raise conflict("RouterInterfaceInUseByFloatingIP", f"{where} floating IPs.")

    def _is_on(self, port_id: str, subnet_id: str) -> bool:
        port = self.network.ports.table.get(port_id)
        return port is not None and subnet_id in [fixed["subnet_id"] for fixed in port["fixed_ips"]]

    # --- extra routes --------------------------------------------------------------------------------------------
    def add_routes(self, call: Call) -> Reply:
        router = self.own(call, "add_extraroutes")
        wanted = _routes(call)
        self._check_routes(router, wanted)
        new = [route for route in wanted if route not in router["routes"]]
        if new:  # N12
            router["routes"] = sorted([*router["routes"], *new], key=lambda r: (r["destination"], r["nexthop"]))
            self.touch(router)
        return Reply(200, {"router": self.render(call, router)})

    def remove_routes(self, call: Call) -> Reply:
        router = self.own(call, "remove_extraroutes")
        unwanted = _routes(call)
        left = [route for route in router["routes"] if route not in unwanted]
        if left != router["routes"]:
            router["routes"] = left
            self.touch(router)
        return Reply(200, {"router": self.render(call, router)})

    def _check_routes(self, router: Obj, routes: list[Any]) -> None:
        """Next hops only (N10); destinations may be anything (N11)."""
        ports = self.interfaces(router["id"])
        gateway = self.gateway_port(router["id"])
        ports += [gateway] if gateway else []
        networks = [cidr(subnet["cidr"]) for port in ports for subnet in self._subnets(port)]
        own = {fixed["ip_address"] for port in ports for fixed in port["fixed_ips"]}
        for route in routes:
            try:
                cidr(route["destination"])
                hop = address(route["nexthop"])
            except KeyError as error:
                raise invalid(f"Invalid data format for hostroute: '{route}'") from error
            except (TypeError, ValueError) as error:
                text = route.get("destination") if isinstance(route, dict) else route
                raise bad(f"invalid IPNetwork {text}", "AddrFormatError") from error
            shown = [{"destination": r["destination"], "nexthop": r["nexthop"]} for r in routes]
            if not any(hop.version == network.version and hop in network for network in networks):
                raise bad(
                    f"Invalid format for routes: {shown}, the nexthop is not connected with router", "InvalidRoutes"
                )
            if route["nexthop"] in own:
                raise bad(f"Invalid format for routes: {shown}, the nexthop is used by router", "InvalidRoutes")


def _interface(call: Call) -> tuple[str | None, str | None]:
    body = call.json()
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise bad_request("router", "Either subnet_id or port_id must be specified.")
    return body.get("subnet_id"), body.get("port_id")


def _told(router: Obj, port: Obj) -> Obj:
    subnets = [fixed["subnet_id"] for fixed in port["fixed_ips"]]
    return {
        "id": router["id"],
        "tenant_id": router["project_id"],
        "port_id": port["id"],
        "network_id": port["network_id"],
        "subnet_id": subnets[0],
        "subnet_ids": subnets,
    }


def _routes(call: Call) -> list[Any]:
    routes = call.inside("router").get("routes")
    if not isinstance(routes, list):
        raise bad("Invalid input for routes.")
    return routes
