"""Tokens: made, read, revoked; and the catalogue in them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.http import Caller
from simulator.identity.errors import unauthorized
from simulator.store import Obj
from simulator.world import stamp_micro

if TYPE_CHECKING:
    from simulator.identity.service import Identity

_MANY = 20_000


class Tokens:
    """`methods` tell how one was come by; a token made from a token keeps its end."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._world = identity.world
        self.table = identity.table("identity/tokens")

    def issue(
        self, user_id: str, methods: list[str], scope: Mapping[str, str], *, parent: Obj | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> Obj:  # fmt: skip
        """A new token. `scope` has `project_id`, `domain_id` or nothing; `extra` `trust_id` or
        `application_credential_id`. Raises Refusal 401 when the user has no role there."""
        now = self._world.now()
        token: Obj = {
            "id": "gAAAAA" + secrets.token_urlsafe(120),
            "user_id": user_id,
            "methods": methods,
            "issued_at": now,
            "expires_at": parent["expires_at"] if parent else now + self._world.settings.token_seconds,
            "audit_ids": [secrets.token_urlsafe(16), *(parent["audit_ids"][-1:] if parent else [])],
            **scope,
            **(extra or {}),
        }
        if self.roles(token) is None:
            raise unauthorized()
        if len(self.table) > _MANY:
            self._sweep(now)
        return self.table.put(token)

    def read(self, token_id: str | None) -> Obj | None:
        """The token, if it is still good."""
        token = self.table.get(token_id) if token_id else None
        if token is None or token["expires_at"] <= self._world.now():
            return None
        user = self._identity.users.get(token["user_id"])
        if user is None or not user["enabled"] or self.roles(token) is None:
            return None
        return token

    def caller(self, token: Obj) -> Caller:
        roles = self._identity.role_names(self.roles(token) or [])
        return Caller(token, token["user_id"], token.get("project_id", ""), frozenset(roles))

    def roles(self, token: Obj) -> list[str] | None:
        """Ids of the token's roles; None when what it rests on is gone."""
        identity = self._identity
        if trust_id := token.get("trust_id"):
            return identity.trusts.roles_of(trust_id)
        project_id, domain_id = token.get("project_id"), token.get("domain_id")
        if project_id:
            project = identity.projects.get(project_id)
            held = identity.assignments.effective(token["user_id"], project_id)
            if credential_id := token.get("application_credential_id"):
                credential = identity.application_credentials.table.get(credential_id)
                held = [] if credential is None else [role for role in held if role in credential["role_ids"]]
            return held if held and project is not None and project["enabled"] else None
        if domain_id:
            return identity.assignments.effective_on_domain(token["user_id"], domain_id) or None
        return []

    def revoke(self, token_id: str) -> None:
        self.table.remove(token_id)

    def revoke_where(self, **fields: Any) -> None:
        """End all tokens with these values."""
        for token in self.table.where(**fields):
            self.table.remove(token["id"])

    def _sweep(self, now: float) -> None:
        for token in self.table:
            if token["expires_at"] <= now:
                self.table.remove(token["id"])

    # --- showing -------------------------------------------------------------------------------------------------
    def body(self, token: Obj, *, catalog: bool = True) -> Obj:
        """What Keystone tells of it."""
        identity = self._identity
        user = identity.users.get(token["user_id"]) or {"id": token["user_id"], "name": "", "domain_id": "default"}
        shown: Obj = {
            "methods": token["methods"],
            "user": identity.with_domain(user) | {"password_expires_at": None},
            "audit_ids": token["audit_ids"],
            "expires_at": stamp_micro(token["expires_at"], "Z"),
            "issued_at": stamp_micro(token["issued_at"], "Z"),
        }
        self._tell_scope(token, shown)
        if trust_id := token.get("trust_id"):
            shown["OS-TRUST:trust"] = identity.trusts.in_token(trust_id)
        if credential_id := token.get("application_credential_id"):
            shown["application_credential"] = identity.application_credentials.in_token(credential_id)
        if catalog and ("project" in shown or "domain" in shown):
            shown["catalog"] = self.catalog(token.get("project_id", ""))
        return {"token": shown}

    def _tell_scope(self, token: Obj, shown: Obj) -> None:
        identity = self._identity
        roles = [identity.roles.get(role_id) for role_id in self.roles(token) or []]
        named = [{"id": role["id"], "name": role["name"]} for role in roles if role]
        if project_id := token.get("project_id"):
            project = identity.projects.get(project_id)
            if project is not None:
                shown |= {"project": identity.with_domain(project), "is_domain": False, "roles": named}
        elif domain_id := token.get("domain_id"):
            domain = identity.domains.get(domain_id)
            if domain is not None:
                shown |= {"domain": {"id": domain["id"], "name": domain["name"]}, "roles": named}

    def catalog(self, project_id: str) -> list[Obj]:
        """All services with their endpoints, project put in."""
        identity, base = self._identity, self._world.url
        rows: list[Obj] = []
        for service in identity.services:
            endpoints = [
                {"id": endpoint["id"], "interface": endpoint["interface"], "region_id": endpoint["region_id"],
                 "url": address(endpoint["url"], base, project_id), "region": endpoint["region_id"]}
                for endpoint in identity.endpoints.by("service_id", service["id"]) if endpoint["enabled"]
            ]  # fmt: skip
            if endpoints and service["enabled"]:
                entry = {"endpoints": endpoints, "id": service["id"], "type": service["type"]}
                rows.append(entry | {"name": service.get("name", "")})
        return rows


def address(template: str, base: str, project_id: str) -> str:
    """Put the parts into the address of an endpoint; `{base}` is where the simulator listens."""
    for name in ("project_id", "tenant_id"):
        template = template.replace(f"%({name})s", project_id).replace(f"$({name})s", project_id)
    return template.replace("{base}", base)
