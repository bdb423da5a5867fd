"""Server groups: no update, no marks, names not unique (tokens §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.compute.errors import bad, forbidden, invalid, not_found
from simulator.http import Call, Reply, Routes
from simulator.query import limit_of, page
from simulator.store import Obj

if TYPE_CHECKING:
    from simulator.compute.service import Compute

_OLD = ("anti-affinity", "affinity")
_SOFT = ("soft-anti-affinity", "soft-affinity")


class ServerGroups:
    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self.table = compute.table("compute/server_groups")

    def register(self, router: Routes) -> None:
        router.add("GET", "/os-server-groups", self.list)
        router.add("POST", "/os-server-groups", self.create)
        router.add("GET", "/os-server-groups/{id}", self.show)
        router.add("DELETE", "/os-server-groups/{id}", self.delete)

    def find(self, call: Call, group_id: str) -> Obj:
        group = self.table.get(group_id)
        if group is None or not call.mine(group):
            raise not_found(f"Instance group {group_id} could not be found.")
        return group

    def create(self, call: Call) -> Reply:
        values = call.inside("server_group")
        new = call.microversion >= (2, 64)
        known = {"name", "policy", "rules"} if new else {"name", "policies"}
        for name in values:
            if name not in known:
                raise invalid(
                    "server_group", values, f"Additional properties are not allowed ('{name}' was unexpected)"
                )
        if not values.get("name"):
            raise invalid("server_group", values, "'name' is a required property")
        policies = [values.get("policy")] if new else values.get("policies")
        if not isinstance(policies, list) or len(policies) != 1:
            raise invalid("policies", policies, "one policy is required")
        allowed = [*_OLD, *(_SOFT if call.microversion >= (2, 15) else ())]
        if policies[0] not in allowed:
            raise invalid("policy" if new else "0", policies[0], f"'{policies[0]}' is not one of {allowed}")
        rules = values.get("rules") or {}
        if rules and policies[0] != "anti-affinity":
            raise bad("Only anti-affinity policy supports rules.")
        group: Obj = {
            "id": self._compute.world.new_id(), "name": values["name"], "policy": policies[0], "rules": rules,
            "members": [], "project_id": call.project_id, "user_id": call.user_id,
        }  # fmt: skip
        self.table.put(group)
        return Reply(200, {"server_group": self._render(call, group)})

    def _render(self, call: Call, group: Obj) -> Obj:
        members = [member for member in group["members"] if member in self._compute.servers.table]
        shown = {"id": group["id"], "name": group["name"]}
        if call.microversion >= (2, 64):
            shown |= {"policy": group["policy"], "rules": group["rules"], "members": members}
        else:
            shown |= {"policies": [group["policy"]], "metadata": {}, "members": members}
        if call.microversion >= (2, 13):
            shown |= {"project_id": group["project_id"], "user_id": group["user_id"]}
        return shown

    def list(self, call: Call) -> Reply:
        for name, _ in call.query:
            if name not in ("all_projects", "limit", "offset") and call.microversion >= (2, 75):
                raise bad(f"Additional properties are not allowed ('{name}' was unexpected)")
        everything = call.first("all_projects") is not None
        if everything and not call.is_admin:
            raise forbidden("os-server-groups:index:all_projects")
        rows = [group for group in self.table if everything or group["project_id"] == call.project_id]
        offset = call.first("offset") or "0"
        rows = rows[int(offset) if offset.isdigit() else 0 :]
        rows, _ = page(rows, call, limit_of(call, bad, 1000), lambda m: bad(f"marker [{m}] not found"))
        return Reply(200, {"server_groups": [self._render(call, group) for group in rows]})

    def show(self, call: Call) -> Reply:
        return Reply(200, {"server_group": self._render(call, self.find(call, call.params["id"]))})

    def delete(self, call: Call) -> Reply:
        self.table.remove(self.find(call, call.params["id"])["id"])
        return Reply(204)
