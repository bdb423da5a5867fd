"""Domains, projects, users, groups, roles."""

from __future__ import annotations

from typing import Any, ClassVar

from simulator.http import Call, Refusal, Reply, Routes
from simulator.identity.auth import password_hash
from simulator.identity.collection import Collection
from simulator.identity.errors import conflict, forbidden, not_found, unauthorized
from simulator.query import same, tagged
from simulator.store import Obj

_DOMAIN = "default"


class Domains(Collection):
    sdk_name, path, key = "identity.v3.domain.Domain", "/domains", "domain"
    defaults: ClassVar[dict[str, Any]] = {"description": "", "enabled": True, "tags": [], "options": {}}
    unique = ("name",)
    filters = frozenset({"name", "enabled"})

    def before_delete(self, call: Call, obj: Obj) -> None:
        if obj["enabled"]:
            raise Refusal(403, "Cannot delete a domain that is enabled, please disable it first.")

    def after_delete(self, call: Call, obj: Obj) -> None:
        identity = self.identity
        for part in (identity.user_list, identity.group_list, identity.project_list):
            for row in part.table.where(domain_id=obj["id"]):
                part.table.remove(row["id"])
                part.after_delete(call, row)
        identity.assignments.forget(target_id=obj["id"])


class Projects(Collection):
    sdk_name, path, key = "identity.v3.project.Project", "/projects", "project"
    defaults: ClassVar[dict[str, Any]] = {
        "domain_id": _DOMAIN, "description": "", "enabled": True, "parent_id": None, "is_domain": False, "tags": [],
        "options": {},
    }  # fmt: skip
    unique = ("name", "domain_id")
    filters = frozenset({"name", "domain_id", "enabled", "parent_id", "is_domain"})

    def register(self, router: Routes) -> None:
        super().register(router)
        router.add("GET", "/projects/{id}/tags", self.list_tags)
        router.add("PUT", "/projects/{id}/tags", self.set_tags)
        router.add("DELETE", "/projects/{id}/tags", self.set_tags)
        router.add("PUT", "/projects/{id}/tags/{tag}", self.add_tag)
        router.add("GET", "/projects/{id}/tags/{tag}", self.has_tag)
        router.add("DELETE", "/projects/{id}/tags/{tag}", self.drop_tag)

    def allowed(self, call: Call, verb: str, obj: Obj | None) -> bool:
        return call.is_admin or (verb == "get" and obj is not None and obj.get("id") == call.project_id)

    def before_create(self, call: Call, obj: Obj) -> None:
        if obj["domain_id"] not in self.identity.domains:
            raise not_found("domain", obj["domain_id"])
        if obj["parent_id"] is None:
            obj["parent_id"] = obj["domain_id"]
        elif obj["parent_id"] not in self.table and obj["parent_id"] not in self.identity.domains:
            raise not_found("project", obj["parent_id"])
        self.identity.assignments.changed()

    def before_update(self, call: Call, obj: Obj, changes: Obj) -> None:
        self.identity.assignments.changed()

    def duplicate(self, obj: Obj) -> Refusal:
        other = next(row for row in self.table.where(name=obj["name"]) if row["id"] != obj["id"])
        return conflict(
            "project",
            "it is not permitted to have two projects with either the same name or same id in the same domain: name "
            f"is {obj['name']}, project id {other['id']}",
        )

    def before_delete(self, call: Call, obj: Obj) -> None:
        if self.table.where(parent_id=obj["id"]):
            raise forbidden(f"cannot delete the project {obj['id']} since it is not a leaf in the hierarchy")

    def after_delete(self, call: Call, obj: Obj) -> None:
        identity = self.identity
        identity.assignments.forget(target_id=obj["id"])
        identity.tokens.revoke_where(project_id=obj["id"])
        for table in (identity.credentials.table, identity.trusts.table, identity.application_credentials.table):
            for row in table.where(project_id=obj["id"]):
                table.remove(row["id"])

    def passes(self, call: Call, obj: Obj) -> bool:
        return super().passes(call, obj) and tagged(obj["tags"], call)

    # --- tags ----------------------------------------------------------------------------------------------------
    def _tagged(self, call: Call, verb: str) -> Obj:
        self.check(call, verb, self.table.get(call.params["id"]))
        return self.find(call.params["id"])

    def list_tags(self, call: Call) -> Reply:
        project = self._tagged(call, "get")
        return Reply(200, {"links": {"self": self.identity.root}, "tags": project["tags"]})

    def set_tags(self, call: Call) -> Reply:
        project = self._tagged(call, "update")
        body = call.json() or {}
        project["tags"] = sorted(set(body.get("tags") or []))
        self.table.put(project)
        if call.method == "DELETE":
            return Reply(204)
        return Reply(200, {"links": {"self": self.identity.root}, "tags": project["tags"]})

    def add_tag(self, call: Call) -> Reply:
        project = self._tagged(call, "update")
        project["tags"] = sorted({*project["tags"], call.params["tag"]})
        self.table.put(project)
        return Reply(201)

    def has_tag(self, call: Call) -> Reply:
        if call.params["tag"] not in self._tagged(call, "get")["tags"]:
            raise not_found("project tag", call.params["tag"])
        return Reply(204)

    def drop_tag(self, call: Call) -> Reply:
        project = self._tagged(call, "update")
        if call.params["tag"] not in project["tags"]:
            raise not_found("project tag", call.params["tag"])
        project["tags"] = [tag for tag in project["tags"] if tag != call.params["tag"]]
        self.table.put(project)
        return Reply(204)


class Users(Collection):
    sdk_name, path, key = "identity.v3.user.User", "/users", "user"
    defaults: ClassVar[dict[str, Any]] = {
        "domain_id": _DOMAIN, "enabled": True, "password_expires_at": None, "options": {},
    }  # fmt: skip
    unique = ("name", "domain_id")
    filters = frozenset({"name", "domain_id", "enabled"})

    def register(self, router: Routes) -> None:
        super().register(router)
        router.add("GET", "/users/{id}/projects", self.projects)
        router.add("GET", "/users/{id}/groups", self.groups)
        router.add("POST", "/users/{id}/password", self.change_password)

    def allowed(self, call: Call, verb: str, obj: Obj | None) -> bool:
        return call.is_admin or (verb == "get" and obj is not None and obj.get("id") == call.user_id)

    def before_create(self, call: Call, obj: Obj) -> None:
        if obj["domain_id"] not in self.identity.domains:
            raise not_found("domain", obj["domain_id"])
        if obj.get("default_project_id") is None:
            obj.pop("default_project_id", None)
        self._keep_password(obj, obj)

    def before_update(self, call: Call, obj: Obj, changes: Obj) -> None:
        self._keep_password(obj, changes)
        if changes.get("enabled") is False or "_password" in changes:
            self.identity.tokens.revoke_where(user_id=obj["id"])

    def _keep_password(self, obj: Obj, values: Obj) -> None:
        password = values.pop("password", None)
        if password is not None:
            values["_password"] = password_hash(obj["id"], str(password))

    def after_delete(self, call: Call, obj: Obj) -> None:
        identity = self.identity
        identity.assignments.forget(actor_id=obj["id"])
        identity.tokens.revoke_where(user_id=obj["id"])
        for row in identity.memberships.by("user_id", obj["id"]):
            identity.memberships.remove(row["id"])
        for table in (identity.credentials.table, identity.application_credentials.table):
            for row in table.where(user_id=obj["id"]):
                table.remove(row["id"])
        for name in ("trustor_user_id", "trustee_user_id"):
            for row in identity.trusts.table.where(**{name: obj["id"]}):
                identity.trusts.table.remove(row["id"])

    def projects(self, call: Call) -> Reply:
        user = self._himself(call, "list_user_projects")
        return self.identity.listing(call, "projects", self.identity.projects_of(user["id"]))

    def groups(self, call: Call) -> Reply:
        user = self._himself(call, "list_groups_for_user")
        groups = [self.identity.groups.get(r["group_id"]) for r in self.identity.memberships.by("user_id", user["id"])]
        rows = [self.identity.group_list.render(group) for group in groups if group]
        return self.identity.listing(call, "groups", [row | {"membership_expires_at": None} for row in rows])

    def _himself(self, call: Call, rule: str) -> Obj:
        if not call.is_admin and call.params["id"] != call.user_id:
            raise forbidden(f"identity:{rule}")
        return self.find(call.params["id"])

    def change_password(self, call: Call) -> Reply:
        user = self.find(call.params["id"])
        values = self.sent(call)
        if password_hash(user["id"], str(values.get("original_password", ""))) != user.get("_password"):
            raise unauthorized()
        user["_password"] = password_hash(user["id"], str(values.get("password", "")))
        self.table.put(user)
        self.identity.tokens.revoke_where(user_id=user["id"])
        return Reply(204)


class Groups(Collection):
    sdk_name, path, key = "identity.v3.group.Group", "/groups", "group"
    defaults: ClassVar[dict[str, Any]] = {"domain_id": _DOMAIN, "description": ""}
    unique = ("name", "domain_id")
    filters = frozenset({"name", "domain_id"})

    def register(self, router: Routes) -> None:
        super().register(router)
        router.add("GET", "/groups/{id}/users", self.members)
        for method, handler in (("PUT", self.join), ("HEAD", self.has), ("GET", self.has), ("DELETE", self.leave)):
            router.add(method, "/groups/{id}/users/{user}", handler)

    def after_delete(self, call: Call, obj: Obj) -> None:
        for row in self.identity.memberships.by("group_id", obj["id"]):
            self.identity.memberships.remove(row["id"])
        self.identity.assignments.forget(actor_id=obj["id"])

    def members(self, call: Call) -> Reply:
        self.check(call, "list")
        group = self.find(call.params["id"])
        users = [self.identity.users.get(r["user_id"]) for r in self.identity.memberships.by("group_id", group["id"])]
        return self.identity.listing(call, "users", [self.identity.user_list.render(user) for user in users if user])

    def _membership(self, call: Call) -> str:
        self.check(call, "update")
        self.find(call.params["id"])
        if call.params["user"] not in self.identity.users:
            raise not_found("user", call.params["user"])
        return f"{call.params['id']}/{call.params['user']}"

    def join(self, call: Call) -> Reply:
        row_id = self._membership(call)
        self.identity.memberships.put({"id": row_id, "group_id": call.params["id"], "user_id": call.params["user"]})
        self.identity.assignments.changed()
        return Reply(204)

    def has(self, call: Call) -> Reply:
        if self._membership(call) not in self.identity.memberships:
            raise self._no_member(call)
        return Reply(204)

    def leave(self, call: Call) -> Reply:
        row_id = self._membership(call)
        if row_id not in self.identity.memberships:
            raise self._no_member(call)
        self.identity.memberships.remove(row_id)
        self.identity.assignments.changed()
        return Reply(204)

    def _no_member(self, call: Call) -> Refusal:
        return Refusal(404, f"User '{call.params['user']}' not found in group '{call.params['id']}'.")


class Roles(Collection):
    sdk_name, path, key = "identity.v3.role.Role", "/roles", "role"
    defaults: ClassVar[dict[str, Any]] = {"domain_id": None, "description": None, "options": {}}
    unique = ("name", "domain_id")
    filters = frozenset({"name", "domain_id"})

    def duplicate(self, obj: Obj) -> Refusal:
        return conflict("role", f"Duplicate entry found with name {obj['name']}")

    def before_delete(self, call: Call, obj: Obj) -> None:
        if obj["options"].get("immutable"):
            raise Refusal(
                403,
                f'Unable to delete immutable role resource: `{obj["id"]}. Set resource option "immutable" to false '
                "first.",
            )

    def after_delete(self, call: Call, obj: Obj) -> None:
        self.identity.assignments.forget(role_id=obj["id"])

    def matches(self, obj: Obj, name: str, value: str) -> bool:
        return same(obj.get(name), [value])
