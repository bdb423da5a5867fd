"""Who has which role where, also by groups, by inheritance (OS-INHERIT) and by implication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.http import Call, Refusal, Reply, Routes
from simulator.identity.errors import forbidden, not_found
from simulator.store import Obj

if TYPE_CHECKING:
    from simulator.identity.service import Identity

#: A role brings these along (the implied roles that Keystone's bootstrap makes).
IMPLIED = {"admin": ("member", "reader"), "member": ("reader",)}


class Assignments:
    """Rows: `actor` (users/groups) and its id, `target` (projects/domains) and its id, role, inherited."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self.table = identity.table("identity/assignments")
        self.table.index("actor_id")
        self._known: dict[tuple[str, str], list[str]] = {}

    def register(self, router: Routes) -> None:
        for target in ("projects", "domains"):
            for actor in ("users", "groups"):
                path = f"/{target}/{{target}}/{actor}/{{actor}}/roles"
                router.add("GET", path, self._handler("list", target, actor, inherited=False))
                inherit = f"/OS-INHERIT{path}/{{role}}/inherited_to_projects"
                router.add(
                    "GET",
                    f"/OS-INHERIT{path}/inherited_to_projects",
                    self._handler("list", target, actor, inherited=True),
                )
                for address, inherited in ((f"{path}/{{role}}", False), (inherit, True)):
                    router.add("PUT", address, self._handler("put", target, actor, inherited=inherited))
                    router.add("DELETE", address, self._handler("drop", target, actor, inherited=inherited))
                    for method in ("HEAD", "GET"):
                        router.add(method, address, self._handler("has", target, actor, inherited=inherited))
        router.add("GET", "/role_assignments", self.list_all)

    # --- facts ---------------------------------------------------------------------------------------------------
    def give(
        self, actor: str, actor_id: str, target: str, target_id: str, role_id: str, *, inherited: bool = False
    ) -> None:
        """Idempotent."""
        row_id = f"{target}/{target_id}/{actor}/{actor_id}/{role_id}/{int(inherited)}"
        self.table.put(
            {"id": row_id, "actor": actor, "actor_id": actor_id, "target": target, "target_id": target_id,
             "role_id": role_id, "inherited": inherited}
        )  # fmt: skip
        self._known.clear()

    def forget(self, *, actor_id: str = "", target_id: str = "", role_id: str = "") -> None:
        """Somebody or something is gone, and with it what it had."""
        for row in self.table:
            if actor_id in (row["actor_id"],) or target_id == row["target_id"] or role_id == row["role_id"]:
                self.table.remove(row["id"])
        self._known.clear()

    def changed(self) -> None:
        """Groups or projects changed: work roles out anew."""
        self._known.clear()

    def effective(self, user_id: str, project_id: str) -> list[str]:
        """Ids of all roles of the user on the project."""
        key = (user_id, project_id)
        if key not in self._known:
            self._known[key] = self._imply([row["role_id"] for row in self._rows(user_id, project_id)])
        return self._known[key]

    def effective_on_domain(self, user_id: str, domain_id: str) -> list[str]:
        rows = [row for actor in self._actors(user_id) for row in self.table.by("actor_id", actor)]
        return self._imply([r["role_id"] for r in rows if r["target_id"] == domain_id and not r["inherited"]])

    def _rows(self, user_id: str, project_id: str) -> list[Obj]:
        project = self._identity.projects.get(project_id)
        if project is None:
            return []
        above = self._above(project)
        rows = [row for actor in self._actors(user_id) for row in self.table.by("actor_id", actor)]
        return [
            row
            for row in rows
            if (row["target_id"] == project_id and not row["inherited"])
            or (row["target_id"] in above and row["inherited"])
        ]

    def _actors(self, user_id: str) -> list[str]:
        return [user_id, *(row["group_id"] for row in self._identity.memberships.by("user_id", user_id))]

    def _above(self, project: Obj) -> set[str]:
        found = {project["domain_id"]}
        parent = self._identity.projects.get(project.get("parent_id") or "")
        while parent is not None and parent["id"] not in found:
            found.add(parent["id"])
            parent = self._identity.projects.get(parent.get("parent_id") or "")
        return found

    def _imply(self, role_ids: list[str]) -> list[str]:
        found = dict.fromkeys(role_ids)
        for role_id in role_ids:
            role = self._identity.roles.get(role_id)
            for name in IMPLIED.get(role["name"], ()) if role else ():
                implied = self._identity.role_named(name)
                if implied is not None:
                    found[implied["id"]] = None
        return list(found)

    # --- requests ------------------------------------------------------------------------------------------------
    def _handler(self, verb: str, target: str, actor: str, *, inherited: bool) -> Any:
        def handle(call: Call) -> Reply:
            if not call.is_admin:
                rule = {"put": "create_grant", "drop": "revoke_grant", "has": "check_grant", "list": "list_grants"}
                raise forbidden(f"identity:{rule[verb]}")
            self._check(call, target, actor)
            where = f"{target}/{call.params['target']}/{actor}/{call.params['actor']}"
            if verb == "list":
                rows = [
                    row for row in self.table if row["id"].startswith(where + "/") and row["inherited"] == inherited
                ]
                roles = [self._identity.roles.get(row["role_id"]) for row in rows]
                return self._identity.listing(call, "roles", [self._identity.role_list.render(r) for r in roles if r])
            role_id = call.params["role"]
            if role_id not in self._identity.roles:
                raise not_found("role", role_id)
            row_id = f"{where}/{role_id}/{int(inherited)}"
            if verb == "put":
                ids = call.params["actor"], target, call.params["target"]
                self.give(actor, ids[0], ids[1], ids[2], role_id, inherited=inherited)
                return Reply(204)
            if row_id not in self.table:
                raise _no_grant(call) if verb == "drop" else not_found("role assignment", role_id)
            if verb == "drop":
                self.table.remove(row_id)
                self._known.clear()
            return Reply(204)

        return handle

    def _check(self, call: Call, target: str, actor: str) -> None:
        targets = {"projects": self._identity.projects, "domains": self._identity.domains}
        actors = {"users": self._identity.users, "groups": self._identity.groups}
        if call.params["target"] not in targets[target]:
            raise not_found(target[:-1], call.params["target"])
        if call.params["actor"] not in actors[actor]:
            raise not_found(actor[:-1], call.params["actor"])

    def list_all(self, call: Call) -> Reply:
        names = {name for name, value in call.query if value.lower() not in ("0", "false")}
        if not call.is_admin:
            raise forbidden("identity:list_role_assignments")
        rows = (
            self._effective_rows(call)
            if "effective" in names
            else [(row, row["role_id"], row["target"], row["target_id"]) for row in self.table]
        )
        shown = [self._shown(*row, named="include_names" in names) for row in rows if self._asked(call, *row)]
        return self._identity.listing(call, "role_assignments", shown)

    def _effective_rows(self, call: Call) -> list[tuple[Obj, str, str, str]]:
        """Groups as their users, inherited rows as the projects below, implied roles as themselves."""
        found: list[tuple[Obj, str, str, str]] = []
        for row in self.table:
            if row["inherited"]:
                projects = [p["id"] for p in self._identity.projects if row["target_id"] in self._above(p)]
                targets = [("projects", project_id) for project_id in projects]
            else:
                targets = [(row["target"], row["target_id"])]
            users = [row["actor_id"]]
            if row["actor"] == "groups":
                users = [m["user_id"] for m in self._identity.memberships.by("group_id", row["actor_id"])]
            for user_id in users:
                actual = row | {"actor": "users", "actor_id": user_id, "_row": row}
                for target, target_id in targets:
                    found += [(actual, role_id, target, target_id) for role_id in self._imply([row["role_id"]])]
        return found

    def _asked(self, call: Call, row: Obj, role_id: str, target: str, target_id: str) -> bool:
        for name, value in call.query:
            match name:
                case "user.id" if (row["actor"], row["actor_id"]) != ("users", value):
                    return False
                case "group.id" if (row["actor"], row["actor_id"]) != ("groups", value):
                    return False
                case "role.id" if role_id != value:
                    return False
                case "scope.project.id" if (target, target_id) != ("projects", value):
                    return False
                case "scope.domain.id" if (target, target_id) != ("domains", value):
                    return False
                case "scope.OS-INHERIT:inherited_to" if not row["inherited"]:
                    return False
                case _:
                    pass
        return True

    def _shown(self, row: Obj, role_id: str, target: str, target_id: str, *, named: bool) -> Obj:
        identity = self._identity
        source = row.get("_row", row)
        path = (
            f"{source['target']}/{source['target_id']}/{source['actor']}/{source['actor_id']}/roles/{source['role_id']}"
        )
        if source["inherited"]:
            path = f"OS-INHERIT/{path}/inherited_to_projects"
        tables = {
            "projects": identity.projects,
            "domains": identity.domains,
            "users": identity.users,
            "groups": identity.groups,
        }
        scope: Obj = {target[:-1]: identity.reference(tables[target].get(target_id), target_id, named=named)}
        if row["inherited"]:
            scope["OS-INHERIT:inherited_to"] = "projects"
        role = identity.roles.get(role_id)
        actor = identity.reference(tables[row["actor"]].get(row["actor_id"]), row["actor_id"], named=named)
        shown_role = {"id": role_id, "name": role["name"]} if named and role else {"id": role_id}
        links = {"assignment": f"{identity.root}/{path}"}
        return {"links": links, "scope": scope, row["actor"][:-1]: actor, "role": shown_role}


def _no_grant(call: Call) -> Refusal:
    params = call.params
    return Refusal(
        404,
        f"Could not find role assignment with role: {params['role']}, user or group: {params['actor']}, project, "
        f"domain, or system: {params['target']}.",
    )
