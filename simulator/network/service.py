"""The Neutron API: versions, extensions, quotas, and all collections."""

from __future__ import annotations

from simulator.http import Below, Call, Refusal, Reply
from simulator.network.addresses import Allocator
from simulator.network.collection import Collection
from simulator.network.errors import bad, not_authorized
from simulator.network.extensions import EXTENSIONS
from simulator.network.floating_ips import FloatingIps
from simulator.network.networks import Networks, RbacPolicies
from simulator.network.plain import plain_collections
from simulator.network.ports import Ports
from simulator.network.routers import Routers
from simulator.network.security_groups import AddressGroups, SecurityGroupRules, SecurityGroups
from simulator.network.subnets import SubnetPools, Subnets
from simulator.store import Obj
from simulator.world import Service, World

#: Name of a quota → path of its collection.
_QUOTAS = {
    "network": "/networks", "subnet": "/subnets", "subnetpool": "/subnetpools", "port": "/ports",
    "router": "/routers", "floatingip": "/floatingips", "rbac_policy": "/rbac-policies",
    "security_group": "/security-groups", "security_group_rule": "/security-group-rules", "trunk": "/trunks",
}  # fmt: skip


class Network(Service):
    name = "network"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.networks = Networks(self)
        self.subnets = Subnets(self)
        self.subnet_pools = SubnetPools(self)
        self.ports = Ports(self)
        self.routers = Routers(self)
        self.floating_ips = FloatingIps(self)
        self.security_groups = SecurityGroups(self)
        self.rules = SecurityGroupRules(self)
        self.address_groups = AddressGroups(self)
        self.rbac = RbacPolicies(self)
        self.collections: list[Collection] = [
            self.networks, self.subnets, self.subnet_pools, self.ports, self.routers, self.floating_ips,
            self.security_groups, self.rules, self.address_groups, self.rbac, *plain_collections(self),
        ]  # fmt: skip
        self._indexes()
        self.allocator = Allocator(self.ports.table)
        self.quotas = self.table("network/quotas")
        self._routes()

    def _indexes(self) -> None:
        ports = self.ports.table
        ports.index("network_id")
        ports.index("device_id")
        ports.index("subnet", lambda port: {fixed["subnet_id"] for fixed in port["fixed_ips"]})
        ports.index("address", lambda port: [f"{f['subnet_id']}|{f['ip_address']}" for f in port["fixed_ips"]])
        ports.index("group", lambda port: port["security_groups"])
        for name in ("network_id", "subnetpool_id"):
            self.subnets.table.index(name)
        for name in ("port_id", "router_id"):
            self.floating_ips.table.index(name)
        for name in ("security_group_id", "remote_group_id", "remote_address_group_id"):
            self.rules.table.index(name)
        self.rbac.table.index("object_id")

    def _routes(self) -> None:
        for collection in self.collections:
            collection.register(Below(self.router, "/v2.0"))
        add = self.router.add
        add("GET", "/", self.versions)
        add("GET", "/v2.0/extensions", lambda _: Reply(200, {"extensions": EXTENSIONS}))
        add("GET", "/v2.0/extensions/{alias}", self.extension)
        add("GET", "/v2.0/availability_zones", lambda _: Reply(200, {"availability_zones": _ZONES}))
        add("GET", "/v2.0/quotas", self.list_quotas)
        for suffix in ("", ".json"):
            add("GET", f"/v2.0/quotas/{{project}}/details{suffix}", self.quota_details)
        add("GET", "/v2.0/quotas/{project}/default", self.default_quota)
        add("GET", "/v2.0/quotas/{project}", self.show_quota)
        add("PUT", "/v2.0/quotas/{project}", self.set_quota)
        add("DELETE", "/v2.0/quotas/{project}", self.drop_quota)
        add("GET", "/v2.0/auto-allocated-topology/{project}", self.auto_allocated)
        add("GET", "/v2.0/service-providers", lambda _: Reply(200, {"service_providers": []}))

    # --- for collections and other services ----------------------------------------------------------------------
    def by_type(self, object_type: str) -> Collection | None:
        """The collection that an RBAC policy names."""
        kinds: dict[str, Collection] = {
            "network": self.networks, "security_group": self.security_groups, "subnetpool": self.subnet_pools,
            "address_group": self.address_groups,
        }  # fmt: skip
        return kinds.get(object_type)

    def is_shared_with(self, object_id: str, project_id: str) -> bool:
        return any(
            policy["target_tenant"] in (project_id, "*") for policy in self.rbac.table.by("object_id", object_id)
        )

    def drop_sharing(self, object_id: str) -> None:
        for policy in self.rbac.table.by("object_id", object_id):
            self.rbac.table.remove(policy["id"])

    # --- the service ---------------------------------------------------------------------------------------------
    def refused(self, call: Call, refusal: Refusal) -> Reply:
        error = {"type": refusal.kind or "HTTPBadRequest", "message": refusal.message, "detail": ""}
        return Reply(refusal.status, {"NeutronError": error})

    def versions(self, call: Call) -> Reply:
        link = {"rel": "self", "href": f"{self.world.url}/networking/v2.0/"}
        return Reply(200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]})

    def extension(self, call: Call) -> Reply:
        for row in EXTENSIONS:
            if row["alias"] == call.params["alias"]:
                return Reply(200, {"extension": row})
        raise Refusal(404, f"Extension with alias {call.params['alias']} does not exist", "HTTPNotFound")

    def auto_allocated(self, call: Call) -> Reply:
        """N32: there are no default pools to make one from."""
        raise Refusal(
            409,
            "Deployment error: No default subnetpools defined.",
            "AutoAllocationFailure",
        )

    # --- quotas --------------------------------------------------------------------------------------------------
    def _limits(self, project: str) -> Obj:
        kept = self.quotas.get(project) or {}
        return {name: kept.get(name, -1) for name in _QUOTAS}

    def check_quota(self, call: Call, collection: Collection) -> None:
        """Raises Refusal 409 when the project may have no more of these."""
        kept = self.quotas.get(call.project_id)
        if kept is None:
            return
        name = next((name for name, path in _QUOTAS.items() if path == collection.path), None)
        if name is None or kept.get(name, -1) < 0:
            return
        if len(collection.table.by("project_id", call.project_id)) >= kept[name]:
            raise Refusal(409, f"Quota exceeded for resources: ['{name}'].", "OverQuota")

    def list_quotas(self, call: Call) -> Reply:
        if not call.is_admin:
            raise not_authorized("rule:get_quota")
        return Reply(200, {"quotas": [self._limits(row["id"]) | {"project_id": row["id"]} for row in self.quotas]})

    def show_quota(self, call: Call) -> Reply:
        self._may_see(call)
        return Reply(200, {"quota": self._limits(call.params["project"])})

    def default_quota(self, call: Call) -> Reply:
        self._may_see(call)
        return Reply(200, {"quota": dict.fromkeys(_QUOTAS, -1)})

    def quota_details(self, call: Call) -> Reply:
        self._may_see(call)
        project = call.params["project"]
        used = {name: len(self.table(f"network{path}").where(project_id=project)) for name, path in _QUOTAS.items()}
        limits = self._limits(project)
        rows = {name: {"limit": limits[name], "used": used[name], "reserved": 0} for name in _QUOTAS}
        return Reply(200, {"quota": rows})

    def set_quota(self, call: Call) -> Reply:
        if not call.is_admin:
            raise not_authorized("rule:update_quota")
        values = call.inside("quota")
        for name, value in values.items():
            if name not in _QUOTAS:
                raise bad(f"Unrecognized attribute(s) '{name}'")
            if not isinstance(value, int) or value < -1:
                raise bad(f"Invalid input for {name}. Reason: '{value}' is not an integer.")
        project = call.params["project"]
        kept = self.quotas.get(project) or {"id": project}
        self.quotas.put(kept | values)
        return Reply(200, {"quota": self._limits(project)})

    def drop_quota(self, call: Call) -> Reply:
        if not call.is_admin:
            raise not_authorized("rule:delete_quota")
        self.quotas.remove(call.params["project"])
        return Reply(204)

    def _may_see(self, call: Call) -> None:
        if not call.is_admin and call.params["project"] != call.project_id:
            raise not_authorized("rule:get_quota")


_ZONES = [{"name": "nova", "resource": kind, "state": "available"} for kind in ("network", "router")]
