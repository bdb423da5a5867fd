"""`POST /v3/auth/tokens`: who somebody is, and what for."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.http import Call, Refusal, Reply
from simulator.identity.errors import forbidden, malformed, unauthorized
from simulator.store import Obj

if TYPE_CHECKING:
    from simulator.identity.service import Identity


def password_hash(user_id: str, password: str) -> str:
    """Not what a real Keystone does, but enough that no password lies in the state file."""
    return hashlib.sha256(f"{user_id}:{password}".encode()).hexdigest()


class Auth:
    """All ways in."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def create(self, call: Call) -> Reply:
        body = call.json()
        auth = body.get("auth") if isinstance(body, dict) else None
        if not isinstance(auth, dict):
            raise malformed("Expecting to find auth in request body.")
        identity = auth.get("identity")
        if not isinstance(identity, dict) or not isinstance(identity.get("methods"), list):
            raise Refusal(400, "'identity' is a required property")
        methods = list(identity["methods"])
        if not methods:
            raise unauthorized()
        user_id, parent, extra = "", None, dict[str, str]()
        for method in methods:
            part = identity.get(method)
            if not isinstance(part, dict):
                raise malformed(f"Expecting to find {method} in identity.")
            match method:
                case "password":
                    user_id = self._by_password(part)
                case "token":
                    parent = self._by_token(part)
                    user_id = parent["user_id"]
                case "application_credential":
                    user_id, extra = self._by_application_credential(part)
                case _:
                    raise unauthorized()
        if parent is not None:
            methods = list(dict.fromkeys(["token", *parent["methods"]]))
        scope = self._scope(auth.get("scope"), user_id, parent, extra)
        token = self._make(user_id, methods, scope, parent, extra)
        shown = self._identity.tokens.body(token, catalog=call.first("nocatalog") is None)
        return Reply(201, shown, {"X-Subject-Token": token["id"]})

    def _make(
        self, user_id: str, methods: list[str], scope: dict[str, str], parent: Obj | None, extra: dict[str, str]
    ) -> Obj:
        if trust_id := scope.pop("trust_id", None):
            trust = self._identity.trusts.use(trust_id, user_id)
            acting = trust["trustor_user_id"] if trust["impersonation"] else user_id
            project = {"project_id": trust["project_id"]}
            return self._identity.tokens.issue(acting, methods, project, parent=parent, extra={"trust_id": trust_id})
        return self._identity.tokens.issue(user_id, methods, scope, parent=parent, extra=extra)

    # --- who -----------------------------------------------------------------------------------------------------
    def _user(self, named: Mapping[str, Any]) -> Obj:
        if named.get("id"):
            user = self._identity.users.get(str(named["id"]))
        else:
            domain = self._identity.domain_of(named.get("domain"))
            user = self._identity.users_named(domain, str(named.get("name", "")))
        if user is None or not user["enabled"]:
            raise unauthorized()
        return user

    def _by_password(self, part: Mapping[str, Any]) -> str:
        named = part.get("user")
        if not isinstance(named, dict) or "password" not in named:
            raise malformed("Expecting to find user in password.")
        user = self._user(named)
        given = password_hash(user["id"], str(named["password"]))
        if not hmac.compare_digest(given, user.get("_password") or ""):
            raise unauthorized()
        return str(user["id"])

    def _by_token(self, part: Mapping[str, Any]) -> Obj:
        token = self._identity.tokens.read(part.get("id"))
        if token is None:
            raise unauthorized()
        if is_delegated(token):
            raise forbidden("Using a delegated token to create another token is not allowed.")
        return token

    def _by_application_credential(self, part: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        credentials = self._identity.application_credentials
        if part.get("id"):
            found = credentials.table.get(str(part["id"]))
        else:
            user = self._user(part.get("user") or {})
            rows = credentials.table.by("user_id", user["id"])
            found = next((row for row in rows if row["name"] == part.get("name")), None)
        if found is None or credentials.is_over(found):
            raise unauthorized()
        given = password_hash(found["id"], str(part.get("secret", "")))
        if not hmac.compare_digest(given, found["_secret"]):
            raise unauthorized()
        self._user({"id": found["user_id"]})
        return found["user_id"], {"application_credential_id": found["id"], "project_id": found["project_id"]}

    # --- what for ------------------------------------------------------------------------------------------------
    def _scope(self, scope: Any, user_id: str, parent: Obj | None, extra: dict[str, str]) -> dict[str, str]:
        bound = extra.pop("project_id", None)
        if bound is not None:
            return {"project_id": bound}
        if scope == "unscoped":
            return {}
        if isinstance(scope, dict):
            if "OS-TRUST:trust" in scope:
                return {"trust_id": str(scope["OS-TRUST:trust"].get("id"))}
            if "project" in scope:
                return {"project_id": self._project(scope["project"])}
            if "domain" in scope:
                return {"domain_id": self._identity.domain_of(scope["domain"])}
            if "system" in scope:
                raise unauthorized()
        if parent is not None:
            return {}
        user = self._identity.users.get(user_id) or {}
        project_id = user.get("default_project_id")
        return {"project_id": project_id} if project_id else {}

    def _project(self, named: Any) -> str:
        if not isinstance(named, dict):
            raise malformed("Expecting to find project in scope.")
        if named.get("id"):
            project = self._identity.projects.get(str(named["id"]))
        else:
            domain = self._identity.domain_of(named.get("domain"))
            project = self._identity.project_named(domain, str(named.get("name", "")))
        if project is None or not project["enabled"]:
            raise unauthorized()
        return str(project["id"])

    # --- reading -------------------------------------------------------------------------------------------------
    def show(self, call: Call) -> Reply:
        subject = self._subject(call, "identity:validate_token")
        shown = self._identity.tokens.body(subject, catalog=call.first("nocatalog") is None)
        return Reply(200, shown, {"X-Subject-Token": subject["id"]})

    def check(self, call: Call) -> Reply:
        subject = self._subject(call, "identity:check_token")
        return Reply(200, None, {"X-Subject-Token": subject["id"]})

    def revoke(self, call: Call) -> Reply:
        subject = self._subject(call, "identity:revoke_token")
        self._identity.tokens.revoke(subject["id"])
        return Reply(204)

    def _subject(self, call: Call, rule: str) -> Obj:
        subject_id = call.headers.get("x-subject-token")
        subject = self._identity.tokens.read(subject_id)
        if subject is None:
            raise Refusal(404, "Could not recognize Fernet token")
        may = call.is_admin or "service" in call.caller.roles or subject["user_id"] == call.user_id
        if not may:
            raise forbidden(rule)
        return subject


def is_delegated(token: Mapping[str, Any]) -> bool:
    """Whether it stands for less than its user's password: such tokens may not make others (CVE-2026-80182)."""
    return bool(token.get("trust_id") or token.get("application_credential_id") or "ec2credential" in token["methods"])
