"""Zones, limits, quotas, hypervisors, aggregates, services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.compute.errors import bad, conflict, forbidden, not_found
from simulator.http import Call, Refusal, Reply, Routes
from simulator.store import Obj
from simulator.world import stamp_micro

if TYPE_CHECKING:
    from simulator.compute.service import Compute

_FIXED = {"injected_file_content_bytes": 10240, "injected_file_path_bytes": 255, "injected_files": 5}
_QUOTAS = {
    "cores": -1, "fixed_ips": -1, "floating_ips": -1, **_FIXED, "instances": -1, "key_pairs": -1,
    "metadata_items": 128, "ram": -1, "security_group_rules": -1, "security_groups": -1, "server_group_members": -1,
    "server_groups": -1,
}  # fmt: skip
_HYPERVISOR = {"id": 1, "hypervisor_hostname": "simulated", "state": "up", "status": "enabled"}


class Misc:
    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self.quotas = compute.table("compute/quotas")
        self.aggregates = compute.table("compute/aggregates")

    def register(self, router: Routes) -> None:
        router.add("GET", "/os-availability-zone", self.zones)
        router.add("GET", "/os-availability-zone/detail", self.zones)
        router.add("GET", "/limits", self.limits)
        router.add("GET", "/os-quota-sets/{project}", self.show_quota)
        router.add("GET", "/os-quota-sets/{project}/detail", self.quota_detail)
        router.add(
            "GET",
            "/os-quota-sets/{project}/defaults",
            lambda c: Reply(200, {"quota_set": _QUOTAS | {"id": c.params["project"]}}),
        )
        router.add("PUT", "/os-quota-sets/{project}", self.set_quota)
        router.add("DELETE", "/os-quota-sets/{project}", self.drop_quota)
        router.add("GET", "/os-hypervisors", self.hypervisors)
        router.add("GET", "/os-hypervisors/detail", self.hypervisors)
        router.add("GET", "/os-services", self.services)
        router.add("GET", "/os-aggregates", self.list_aggregates)
        router.add("POST", "/os-aggregates", self.create_aggregate)
        router.add("GET", "/os-aggregates/{id}", self.show_aggregate)
        router.add("PUT", "/os-aggregates/{id}", self.update_aggregate)
        router.add("DELETE", "/os-aggregates/{id}", self.delete_aggregate)
        router.add("POST", "/os-aggregates/{id}/action", self.act_on_aggregate)

    def zones(self, call: Call) -> Reply:
        zone: Obj = {"zoneName": "nova", "zoneState": {"available": True}, "hosts": None}
        if call.path.endswith("/detail"):
            self._admin(call, "os-availability-zone:detail")
            service = {"available": True, "active": True, "updated_at": stamp_micro(self._compute.world.now())}
            zone["hosts"] = {"simulated": {"nova-compute": service}}
        return Reply(200, {"availabilityZoneInfo": [zone]})

    def _admin(self, call: Call, rule: str) -> None:
        if not call.is_admin:
            raise forbidden(rule)

    # --- limits and quotas ---------------------------------------------------------------------------------------
    def _limits(self, project: str) -> Obj:
        return _QUOTAS | {k: v for k, v in (self.quotas.get(project) or {}).items() if k != "id"}

    def _used(self, project: str) -> Obj:
        servers = self._compute.servers.table.by("project_id", project)
        return {
            "instances": len(servers), "cores": sum(server["flavor"]["vcpus"] for server in servers),
            "ram": sum(server["flavor"]["ram"] for server in servers),
            "server_groups": len(self._compute.server_groups.table.where(project_id=project)),
        }  # fmt: skip

    def limits(self, call: Call) -> Reply:
        limit, used = self._limits(call.project_id), self._used(call.project_id)
        absolute = {
            "maxTotalInstances": limit["instances"], "maxTotalCores": limit["cores"], "maxTotalRAMSize": limit["ram"],
            "maxServerMeta": limit["metadata_items"], "maxTotalKeypairs": limit["key_pairs"],
            "maxServerGroups": limit["server_groups"], "maxServerGroupMembers": limit["server_group_members"],
            "totalRAMUsed": used["ram"], "totalCoresUsed": used["cores"], "totalInstancesUsed": used["instances"],
            "totalServerGroupsUsed": used["server_groups"],
        }  # fmt: skip
        if call.microversion < (2, 57):
            absolute |= {"maxImageMeta": 128, "maxPersonality": 5, "maxPersonalitySize": 10240}
            absolute |= {"maxTotalFloatingIps": -1, "maxSecurityGroups": -1, "maxSecurityGroupRules": -1}
            absolute |= {"totalFloatingIpsUsed": 0, "totalSecurityGroupsUsed": 0}
        return Reply(200, {"limits": {"rate": [], "absolute": absolute}})

    def check_quota(self, project: str, flavor: Obj) -> None:
        """Raises Refusal 403 when one more server of this flavor is too much."""
        if project not in self.quotas:
            return
        limit, used = self._limits(project), self._used(project)
        for name, more in (("instances", 1), ("cores", flavor["vcpus"]), ("ram", flavor["ram"])):
            if 0 <= limit[name] < used[name] + more:
                raise Refusal(
                    403,
                    f"Quota exceeded for {name}: Requested {more}, but already used {used[name]} of {limit[name]} "
                    f"{name}",
                )

    def _may_see(self, call: Call) -> str:
        project = call.params["project"]
        if project != call.project_id:
            self._admin(call, "os-quota-sets:show")
        return project

    def show_quota(self, call: Call) -> Reply:
        project = self._may_see(call)
        return Reply(200, {"quota_set": self._limits(project) | {"id": project}})

    def quota_detail(self, call: Call) -> Reply:
        project = self._may_see(call)
        used = self._used(project)
        rows = {n: {"in_use": used.get(n, 0), "limit": v, "reserved": 0} for n, v in self._limits(project).items()}
        return Reply(200, {"quota_set": rows | {"id": project}})

    def set_quota(self, call: Call) -> Reply:
        self._admin(call, "os-quota-sets:update")
        project, values = call.params["project"], call.inside("quota_set")
        for name, value in values.items():
            if name not in _QUOTAS and name not in ("force", "tenant_id"):
                raise bad(f"Additional properties are not allowed ('{name}' was unexpected)")
            if name in _QUOTAS and not str(value).lstrip("-").isdigit():
                raise bad(f"Invalid input for field/attribute {name}. Value: {value}.")
        kept = self.quotas.get(project) or {"id": project}
        self.quotas.put(kept | {name: int(value) for name, value in values.items() if name in _QUOTAS})
        return Reply(200, {"quota_set": self._limits(project)})

    def drop_quota(self, call: Call) -> Reply:
        self._admin(call, "os-quota-sets:delete")
        self.quotas.remove(call.params["project"])
        return Reply(202)

    # --- the operator's side -------------------------------------------------------------------------------------
    def hypervisors(self, call: Call) -> Reply:
        self._admin(call, "os-hypervisors:list-detail" if call.path.endswith("/detail") else "os-hypervisors:list")
        row: Obj = dict(_HYPERVISOR)
        if call.path.endswith("/detail"):
            service = {"id": 1, "host": "simulated", "disabled_reason": None}
            row |= {"hypervisor_type": "simulated", "hypervisor_version": 1, "host_ip": "127.0.0.1", "service": service}
        return Reply(200, {"hypervisors": [row]})

    def services(self, call: Call) -> Reply:
        self._admin(call, "os-services:list")
        common = {"host": "simulated", "status": "enabled", "state": "up", "disabled_reason": None}
        common |= {"updated_at": stamp_micro(self._compute.world.now())}
        zones = {"nova-scheduler": "internal", "nova-conductor": "internal", "nova-compute": "nova"}
        rows = [common | {"binary": name, "zone": zone, "id": at} for at, (name, zone) in enumerate(zones.items(), 1)]
        return Reply(200, {"services": rows})

    # --- aggregates ----------------------------------------------------------------------------------------------
    def list_aggregates(self, call: Call) -> Reply:
        self._admin(call, "os-aggregates:index")
        return Reply(200, {"aggregates": [_aggregate(row) for row in self.aggregates]})

    def create_aggregate(self, call: Call) -> Reply:
        self._admin(call, "os-aggregates:create")
        values = call.inside("aggregate")
        name = values.get("name")
        if not name:
            raise bad("Invalid input for field/attribute aggregate. 'name' is a required property")
        if self.aggregates.where(name=name):
            raise conflict(f"Aggregate {name} already exists.")
        number = max((row["number"] for row in self.aggregates), default=0) + 1
        zone = values.get("availability_zone")
        row: Obj = {
            "id": str(number), "number": number, "uuid": self._compute.world.new_id(), "name": name,
            "availability_zone": zone, "hosts": [], "metadata": {"availability_zone": zone} if zone else {},
            "created_at": stamp_micro(self._compute.world.now()), "updated_at": None, "deleted": False,
            "deleted_at": None,
        }  # fmt: skip
        self.aggregates.put(row)
        return Reply(200, {"aggregate": _aggregate(row)})

    def _found(self, call: Call, rule: str) -> Obj:
        self._admin(call, f"os-aggregates:{rule}")
        row = self.aggregates.get(call.params["id"])
        if row is None:
            raise not_found(f"Aggregate {call.params['id']} could not be found.")
        return row

    def show_aggregate(self, call: Call) -> Reply:
        return Reply(200, {"aggregate": _aggregate(self._found(call, "show"))})

    def update_aggregate(self, call: Call) -> Reply:
        row, values = self._found(call, "update"), call.inside("aggregate")
        row |= {name: values[name] for name in ("name", "availability_zone") if name in values}
        row["updated_at"] = stamp_micro(self._compute.world.now())
        self.aggregates.put(row)
        return Reply(200, {"aggregate": _aggregate(row)})

    def delete_aggregate(self, call: Call) -> Reply:
        row = self._found(call, "delete")
        if row["hosts"]:
            raise bad(f"Cannot remove host from aggregate {row['id']}. Reason: Host aggregate is not empty.")
        self.aggregates.remove(row["id"])
        return Reply(200)

    def act_on_aggregate(self, call: Call) -> Reply:
        row = self._found(call, "set_metadata")
        match call.json():
            case {"add_host": {"host": str(host)}}:
                if host in row["hosts"]:
                    raise conflict(f"Aggregate {row['id']} already has host {host}.")
                row["hosts"] = [*row["hosts"], host]
            case {"remove_host": {"host": str(host)}}:
                if host not in row["hosts"]:
                    raise not_found(f"Aggregate {row['id']} has no host {host}.")
                row["hosts"] = [other for other in row["hosts"] if other != host]
            case {"set_metadata": {"metadata": dict(metadata)}}:
                merged = row["metadata"] | metadata
                row["metadata"] = {name: value for name, value in merged.items() if value is not None}
            case _:
                raise bad("There is no such action.")
        self.aggregates.put(row)
        return Reply(200, {"aggregate": _aggregate(row)})


def _aggregate(row: Obj) -> Obj:
    shown = {name: value for name, value in row.items() if name != "number"}
    return shown | {"id": row["number"]}
