"""Trusts and application credentials. Delegated tokens may make neither (CVE-2026-80182)."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from typing import TYPE_CHECKING, Any

from simulator.http import Call, Refusal, Reply, Routes
from simulator.identity.auth import is_delegated, password_hash
from simulator.identity.errors import conflict, forbidden, malformed, not_found, unauthorized
from simulator.store import Obj
from simulator.world import hidden

if TYPE_CHECKING:
    from simulator.identity.service import Identity


def _moment(text: Any) -> float:
    """Seconds of an ISO date. Raises Refusal 400."""
    try:
        moment = dt.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        raise Refusal(400, f"Invalid input for field 'expires_at': '{text}' is not a date") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return moment.timestamp()


def _refuse_delegated(call: Call, way: str) -> None:
    if is_delegated(call.caller.token):
        if call.caller.token.get("application_credential_id"):
            raise forbidden(way)
        raise Refusal(403, "You are not authorized to perform the requested action.")


class Trusts:
    """Extra attributes are kept and listed (tokens §4)."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._world = identity.world
        self.table = identity.table("identity/trusts")
        self.table.index("trustor_user_id")
        self.table.index("trustee_user_id")

    def register(self, router: Routes) -> None:
        router.add("GET", "/OS-TRUST/trusts", self.list)
        router.add("POST", "/OS-TRUST/trusts", self.create)
        router.add("GET", "/OS-TRUST/trusts/{id}", self.show)
        router.add("HEAD", "/OS-TRUST/trusts/{id}", self.show)
        router.add("DELETE", "/OS-TRUST/trusts/{id}", self.delete)
        router.add("GET", "/OS-TRUST/trusts/{id}/roles", self.roles)

    # --- for tokens ----------------------------------------------------------------------------------------------
    def use(self, trust_id: str, user_id: str) -> Obj:
        """The trust, for its trustee. Raises Refusal."""
        trust = self.table.get(trust_id)
        if trust is None or self._is_over(trust):
            raise not_found("trust", trust_id)
        if trust["trustee_user_id"] != user_id:
            raise forbidden("User is not a trustee.")
        trustor = self._identity.users.get(trust["trustor_user_id"])
        if trustor is None or not trustor["enabled"] or self.roles_of(trust_id) is None:
            raise forbidden("Trustor is disabled.")
        if trust["remaining_uses"] is not None:
            if trust["remaining_uses"] <= 0:
                raise unauthorized()
            trust["remaining_uses"] -= 1
            self.table.put(trust)
        return trust

    def roles_of(self, trust_id: str) -> list[str] | None:
        """Ids of the trust's roles; None when it is over or the trustor has lost one."""
        trust = self.table.get(trust_id)
        if trust is None or self._is_over(trust):
            return None
        held = self._identity.assignments.effective(trust["trustor_user_id"], trust["project_id"])
        roles: list[str] = trust["_role_ids"]
        return roles if set(roles) <= set(held) else None

    def in_token(self, trust_id: str) -> Obj:
        trust = self.table.get(trust_id) or {}
        return {
            "id": trust_id,
            "trustor_user": {"id": trust.get("trustor_user_id")},
            "trustee_user": {"id": trust.get("trustee_user_id")},
            "impersonation": trust.get("impersonation", False),
        }

    def _is_over(self, trust: Obj) -> bool:
        return trust["expires_at"] is not None and _moment(trust["expires_at"]) <= self._world.now()

    # --- requests ------------------------------------------------------------------------------------------------
    def create(self, call: Call) -> Reply:
        body = call.json()
        values = body.get("trust") if isinstance(body, dict) else None
        if not isinstance(values, dict):
            raise Refusal(400, "'trust' is a required property")
        for name in ("trustor_user_id", "trustee_user_id", "impersonation"):
            if name not in values:
                raise Refusal(400, f"'{name}' is a required property\n\nFailed validating 'required' in schema")
        _refuse_delegated(call, "Delegated tokens cannot manage trusts.")
        if values["trustor_user_id"] != call.user_id:
            raise forbidden("identity:create_trust")
        if values["trustee_user_id"] not in self._identity.users:
            raise not_found("user", values["trustee_user_id"])
        project_id = values.get("project_id")
        if project_id and project_id not in self._identity.projects:
            raise not_found("project", project_id)
        expires = values.get("expires_at")
        if expires is not None and _moment(expires) <= self._world.now():
            raise malformed("The 'expires_at' must not be before now.")
        trust = self._made(values, self._lent(values, project_id), expires)
        self.table.put(trust)
        return Reply(201, {"trust": self._render(trust, roles=True)})

    def _lent(self, values: Obj, project_id: str | None) -> list[str]:
        held = self._identity.assignments.effective(values["trustor_user_id"], project_id) if project_id else []
        found: list[str] = []
        for named in values.get("roles") or []:
            role = self._identity.roles.get(str(named.get("id"))) or self._identity.role_named(str(named.get("name")))
            if role is None or role["id"] not in held:
                raise not_found("role", role["id"] if role else str(named.get("id") or named.get("name")))
            found.append(role["id"])
        if project_id and not found:
            raise forbidden("At least one role should be specified")
        return found

    def _made(self, values: Obj, roles: list[str], expires: str | None) -> Obj:
        own = ("roles", "allow_redelegation", "redelegation_count", "id")
        trust = {name: value for name, value in values.items() if name not in own} | {
            "id": uuid.uuid4().hex, "expires_at": expires, "deleted_at": None, "redelegated_trust_id": None,
            "remaining_uses": values.get("remaining_uses"), "redelegation_count": 0,
            "project_id": values.get("project_id"), "_role_ids": roles,
        }  # fmt: skip
        key = ("trustor_user_id", "trustee_user_id", "project_id", "impersonation", "expires_at")
        if expires is not None and self.table.where(**{name: trust[name] for name in key}):
            raise conflict("trust", f"Duplicate entry found with ID {trust['id']}")
        return trust

    def _render(self, trust: Obj, *, roles: bool) -> Obj:
        address = f"{self._identity.root}/OS-TRUST/trusts/{trust['id']}"
        shown = hidden(trust) | {"links": {"self": address}}
        if roles:
            shown["roles"] = [self._identity.role_list.render(role) for role in self._roles(trust)]
            shown["roles_links"] = {"self": f"{address}/roles", "next": None, "previous": None}
        return shown

    def _roles(self, trust: Obj) -> list[Obj]:
        return [role for role in map(self._identity.roles.get, trust["_role_ids"]) if role]

    def list(self, call: Call) -> Reply:
        trustor, trustee = call.first("trustor_user_id"), call.first("trustee_user_id")
        if not call.is_admin and call.user_id not in (trustor, trustee):
            raise forbidden("identity:list_trusts")
        rows = list(self.table)
        if trustor:
            rows = self.table.by("trustor_user_id", trustor)
        if trustee:
            rows = [row for row in rows if row["trustee_user_id"] == trustee]
        shown = [self._render(row, roles=False) for row in rows if not self._is_over(row)]
        return self._identity.listing(call, "trusts", shown)

    def _find(self, call: Call, rule: str) -> Obj:
        trust = self.table.get(call.params["id"])
        if trust is None or self._is_over(trust):
            raise not_found("trust", call.params["id"])
        parties = (trust["trustor_user_id"],) if rule == "delete_trust" else (
            trust["trustor_user_id"], trust["trustee_user_id"])  # fmt: skip
        if not call.is_admin and call.user_id not in parties:
            raise forbidden(f"identity:{rule}")
        return trust

    def show(self, call: Call) -> Reply:
        return Reply(200, {"trust": self._render(self._find(call, "get_trust"), roles=True)})

    def roles(self, call: Call) -> Reply:
        trust = self._find(call, "list_roles_for_trust")
        return self._identity.listing(call, "roles", [self._identity.role_list.render(r) for r in self._roles(trust)])

    def delete(self, call: Call) -> Reply:
        trust = self._find(call, "delete_trust")
        self.table.remove(trust["id"])
        self._identity.tokens.revoke_where(trust_id=trust["id"])
        return Reply(204)


class ApplicationCredentials:
    """Unique by name and user; `secret` may be chosen, `id` not (tokens §3)."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._world = identity.world
        self.table = identity.table("identity/application_credentials")
        self.table.index("user_id")

    def register(self, router: Routes) -> None:
        path = "/users/{user}/application_credentials"
        router.add("GET", path, self.list)
        router.add("POST", path, self.create)
        router.add("GET", path + "/{id}", self.show)
        router.add("DELETE", path + "/{id}", self.delete)
        router.add("GET", "/users/{user}/access_rules", self.access_rules)

    def is_over(self, credential: Obj) -> bool:
        expires = credential["expires_at"]
        return expires is not None and _moment(expires) <= self._world.now()

    def in_token(self, credential_id: str) -> Obj:
        credential = self.table.get(credential_id) or {}
        restricted = not credential.get("unrestricted")
        return {"id": credential_id, "name": credential.get("name"), "restricted": restricted}

    def _check(self, call: Call, rule: str, *, admin: bool = True) -> str:
        user_id = call.params["user"]
        if user_id != call.user_id and not (admin and call.is_admin):
            raise forbidden(f"identity:{rule}")
        return user_id

    def create(self, call: Call) -> Reply:
        body = call.json()
        values = body.get("application_credential") if isinstance(body, dict) else None
        if not isinstance(values, dict):
            raise Refusal(400, "'application_credential' is a required property")
        user_id = self._check(call, "create_application_credential", admin=False)
        _refuse_delegated(
            call,
            "Using method 'application_credential' is not allowed for managing additional application credentials.",
        )
        if not values.get("name"):
            raise Refusal(400, "'name' is a required property")
        if not call.project_id:
            raise Refusal(400, "Invalid application credential: Could not find project.")
        if any(row["name"] == values["name"] for row in self.table.by("user_id", user_id)):
            raise conflict("application_credential", f"Duplicate entry found with name {values['name']}")
        secret = str(values.get("secret") or secrets.token_urlsafe(64))
        credential_id = uuid.uuid4().hex
        credential: Obj = {
            "id": credential_id, "name": values["name"], "description": values.get("description"),
            "user_id": user_id, "project_id": call.project_id, "system": None, "expires_at": values.get("expires_at"),
            "unrestricted": values.get("unrestricted"), "role_ids": self._lent(call, values.get("roles")),
            "_secret": password_hash(credential_id, secret),
        }  # fmt: skip
        if credential["expires_at"] is not None:
            _moment(credential["expires_at"])
        self.table.put(credential)
        return Reply(201, {"application_credential": self._render(credential) | {"secret": secret}})

    def _lent(self, call: Call, named: Any) -> list[str]:
        held = self._identity.tokens.roles(dict(call.caller.token)) or []
        if not named:
            return list(held)
        found: list[str] = []
        for entry in named:
            role = self._identity.roles.get(str(entry.get("id"))) or self._identity.role_named(str(entry.get("name")))
            if role is None:
                raise not_found("role", str(entry.get("id") or entry.get("name")))
            if role["id"] not in held:
                raise Refusal(
                    400,
                    "Invalid application credential: Cannot create an application credential with unassigned role",
                )
            found.append(role["id"])
        return found

    def _render(self, credential: Obj) -> Obj:
        shown = hidden(credential)
        roles = [self._identity.roles.get(role_id) for role_id in shown.pop("role_ids")]
        shown["roles"] = [
            {name: role[name] for name in ("id", "name", "domain_id", "description", "options")}
            for role in roles
            if role
        ]
        shown["links"] = {"self": f"{self._identity.root}/application_credentials/{credential['id']}"}
        return shown

    def list(self, call: Call) -> Reply:
        user_id = self._check(call, "list_application_credentials")
        name = call.first("name")
        rows = [row for row in self.table.by("user_id", user_id) if name in (None, row["name"])]
        return self._identity.listing(call, "application_credentials", [self._render(row) for row in rows])

    def _find(self, call: Call, rule: str) -> Obj:
        user_id = self._check(call, rule)
        credential = self.table.get(call.params["id"])
        if credential is None or credential["user_id"] != user_id:
            raise not_found("application credential", call.params["id"])
        return credential

    def show(self, call: Call) -> Reply:
        found = self._find(call, "get_application_credential")
        return Reply(200, {"application_credential": self._render(found)})

    def delete(self, call: Call) -> Reply:
        credential = self._find(call, "delete_application_credential")
        _refuse_delegated(
            call,
            "Using method 'application_credential' is not allowed for managing additional application credentials.",
        )
        self.table.remove(credential["id"])
        self._identity.tokens.revoke_where(application_credential_id=credential["id"])
        return Reply(204)

    def access_rules(self, call: Call) -> Reply:
        self._check(call, "list_access_rules")
        return self._identity.listing(call, "access_rules", [])
