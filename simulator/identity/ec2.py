"""Credentials, the EC2 keys among them, and `/v3/ec2tokens`, which turns a signed request into a token.

Patched Keystones (CVE-2025-65073) want a service or administrator token on `/v3/ec2tokens`, and give tokens that may
make neither trusts nor application credentials.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from simulator.http import Call, Refusal, Reply, Routes
from simulator.identity.auth import is_delegated
from simulator.identity.errors import conflict, forbidden, not_found, unauthorized
from simulator.store import Obj

if TYPE_CHECKING:
    from simulator.identity.service import Identity

_MAX_AGE = 900.0  # seconds, of a signature


class Credentials:
    """`/credentials`, and `/users/{user}/credentials/OS-EC2`, which shows the same rows its own way."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._world = identity.world
        self.table = identity.table("identity/credentials")
        self.table.index("user_id")

    def register(self, router: Routes) -> None:
        router.add("GET", "/credentials", self.list)
        router.add("POST", "/credentials", self.create)
        router.add("GET", "/credentials/{id}", self.show)
        router.add("PATCH", "/credentials/{id}", self.update)
        router.add("DELETE", "/credentials/{id}", self.delete)
        path = "/users/{user}/credentials/OS-EC2"
        router.add("GET", path, self.list_keys)
        router.add("POST", path, self.create_key)
        router.add("GET", path + "/{access}", self.show_key)
        router.add("DELETE", path + "/{access}", self.delete_key)
        router.add("POST", "/ec2tokens", self.token)

    # --- credentials ---------------------------------------------------------------------------------------------
    def _check(self, call: Call, rule: str, owner: str | None) -> None:
        token = call.caller.token
        if is_delegated(token):
            if token.get("application_credential_id"):
                raise Refusal(
                    403,
                    "You are not authorized to perform the requested action: Delegated tokens cannot access "
                    "credentials directly.",
                )
            raise Refusal(403, "You are not authorized to perform the requested action.")
        if not call.is_admin and owner != call.user_id:
            raise forbidden(f"identity:{rule}")

    def create(self, call: Call) -> Reply:
        body = call.json()
        values = body.get("credential") if isinstance(body, dict) else None
        if not isinstance(values, dict):
            raise Refusal(400, "'credential' is a required property")
        needed = ["blob", "type", "user_id"] + (["project_id"] if values.get("type") == "ec2" else [])
        if any(values.get(name) is None for name in needed):
            raise Refusal(400, f"{values} is not valid under any of the given schemas")
        self._check(call, "create_credential", values["user_id"])
        if values["user_id"] not in self._identity.users:
            raise not_found("user", values["user_id"])
        kept = dict(values) | {"id": uuid.uuid4().hex, "project_id": values.get("project_id")}
        if values["type"] == "ec2":
            kept["id"] = _id_of(str(_inside(values["blob"]).get("access") or ""))
        if kept["id"] in self.table:
            raise conflict("credential", f"Duplicate entry found with ID {kept['id']}")
        self.table.put(kept)
        return Reply(201, {"credential": self._render(kept)})

    def _render(self, row: Obj) -> Obj:
        return row | {"links": {"self": f"{self._identity.root}/credentials/{row['id']}"}}

    def list(self, call: Call) -> Reply:
        self._check(call, "list_credentials", call.user_id)
        user_id, kind = call.first("user_id"), call.first("type")
        rows = [
            row
            for row in self.table
            if (call.is_admin or row["user_id"] == call.user_id)
            and user_id in (None, row["user_id"])
            and kind in (None, row["type"])
        ]
        return self._identity.listing(call, "credentials", [self._render(row) for row in rows])

    def _find(self, call: Call, rule: str) -> Obj:
        row = self.table.get(call.params["id"])
        self._check(call, rule, row["user_id"] if row else None)
        if row is None:
            raise not_found("credential", call.params["id"])
        return row

    def show(self, call: Call) -> Reply:
        return Reply(200, {"credential": self._render(self._find(call, "get_credential"))})

    def update(self, call: Call) -> Reply:
        row = self._find(call, "update_credential")
        changes = (call.json() or {}).get("credential")
        if not isinstance(changes, dict):
            raise Refusal(400, "'credential' is a required property")
        if row["type"] == "ec2" and "blob" in changes:
            _inside(changes["blob"])
        row |= {name: value for name, value in changes.items() if name != "id"}
        self.table.put(row)
        return Reply(200, {"credential": self._render(row)})

    def delete(self, call: Call) -> Reply:
        self.table.remove(self._find(call, "delete_credential")["id"])
        return Reply(204)

    # --- OS-EC2 --------------------------------------------------------------------------------------------------
    def add_key(self, user_id: str, project_id: str, access: str, secret: str) -> Obj:
        blob = json.dumps({"access": access, "secret": secret, "trust_id": None})
        row = {"id": _id_of(access), "user_id": user_id, "project_id": project_id, "type": "ec2", "blob": blob}
        return self.table.put(row)

    def create_key(self, call: Call) -> Reply:
        """Every POST makes another key, whatever `access` it names (tokens §3)."""
        user_id = call.params["user"]
        self._check(call, "ec2_create_credential", user_id)
        if user_id not in self._identity.users:
            raise not_found("user", user_id)
        body = call.json() or {}
        project_id = body.get("tenant_id") if isinstance(body, dict) else None
        if str(project_id) not in self._identity.projects:
            raise not_found("project", str(project_id))
        row = self.add_key(user_id, str(project_id), uuid.uuid4().hex, uuid.uuid4().hex)
        return Reply(201, {"credential": self._render_key(row)})

    def _render_key(self, row: Obj) -> Obj:
        blob = _inside(row["blob"])
        address = f"{self._identity.root}/users/{row['user_id']}/credentials/OS-EC2/{blob.get('access')}"
        return {
            "user_id": row["user_id"], "tenant_id": row["project_id"], "access": blob.get("access"),
            "secret": blob.get("secret"), "trust_id": blob.get("trust_id"), "links": {"self": address},
        }  # fmt: skip

    def list_keys(self, call: Call) -> Reply:
        self._check(call, "ec2_list_credentials", call.params["user"])
        rows = [row for row in self.table.by("user_id", call.params["user"]) if row["type"] == "ec2"]
        return self._identity.listing(call, "credentials", [self._render_key(row) for row in rows])

    def _key(self, call: Call, rule: str) -> Obj:
        row = self.table.get(_id_of(call.params["access"]))
        self._check(call, rule, call.params["user"])
        if row is None or row["user_id"] != call.params["user"]:
            raise not_found("credential", _id_of(call.params["access"]))
        return row

    def show_key(self, call: Call) -> Reply:
        return Reply(200, {"credential": self._render_key(self._key(call, "ec2_get_credential"))})

    def delete_key(self, call: Call) -> Reply:
        self.table.remove(self._key(call, "ec2_delete_credential")["id"])
        return Reply(204)

    # --- ec2tokens -----------------------------------------------------------------------------------------------
    def token(self, call: Call) -> Reply:
        if not (call.is_admin or "service" in call.caller.roles):
            raise forbidden("identity:ec2tokens_validate")
        body = call.json()
        given = (body.get("credentials") or body.get("ec2Credentials")) if isinstance(body, dict) else None
        if not isinstance(given, dict) or not given.get("access") or not given.get("signature"):
            raise unauthorized()
        row = self.table.get(_id_of(str(given["access"])))
        if row is None or row["type"] != "ec2":
            raise not_found("credential", _id_of(str(given["access"])))
        blob = _inside(row["blob"])
        if not self._is_signed(given, str(blob["secret"])) or self._is_stale(given):
            raise unauthorized()
        identity = self._identity
        user = identity.users.get(row["user_id"])
        if user is None or not user["enabled"]:
            raise unauthorized()
        token = identity.tokens.issue(row["user_id"], ["ec2credential"], {"project_id": row["project_id"]})
        return Reply(200, identity.tokens.body(token), {"X-Subject-Token": token["id"]})

    def _is_signed(self, given: Mapping[str, Any], secret: str) -> bool:
        wanted = str(given["signature"])
        try:
            made = _signatures(given, secret)
        except (KeyError, ValueError, TypeError, AttributeError):
            return False
        return any(hmac.compare_digest(one.encode(), wanted.encode()) for one in made)

    def _is_stale(self, given: Mapping[str, Any]) -> bool:
        headers = {str(name).lower(): str(value) for name, value in (given.get("headers") or {}).items()}
        params = given.get("params") or {}
        text = headers.get("x-amz-date") or params.get("X-Amz-Date") or params.get("Timestamp")
        if not text:
            return "Expires" not in params
        for form in ("%Y%m%dT%H%M%SZ", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ"):
            try:
                moment = dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC).timestamp()
            except ValueError:
                continue
            return abs(moment - self._world.now()) > _MAX_AGE
        return True


def _id_of(access: str) -> str:
    return hashlib.sha256(access.encode()).hexdigest()


def _inside(blob: Any) -> dict[str, Any]:
    try:
        found = json.loads(blob) if isinstance(blob, str) else blob
    except ValueError:
        raise Refusal(400, "Invalid blob in credential") from None
    if not isinstance(found, dict) or not found.get("access"):
        raise Refusal(400, "Invalid blob in credential")
    return found


def _signatures(given: Mapping[str, Any], secret: str) -> list[str]:
    """The signatures that would be right: with the host as told, and without its port. Raises KeyError, ValueError."""
    params = {str(name): str(value) for name, value in (given.get("params") or {}).items()}
    hosts = [str(given.get("host", ""))]
    if ":" in hosts[0]:
        hosts.append(hosts[0].partition(":")[0])
    version = params.get("SignatureVersion")
    headers = {str(name).lower(): str(value) for name, value in (given.get("headers") or {}).items()}
    if version == "2":
        return [_version_2(given, params, host, secret) for host in hosts]
    if "authorization" in headers or "X-Amz-Algorithm" in params:
        return [_version_4(given, params, headers, host, secret) for host in hosts]
    raise ValueError("unknown signature version")


def _version_2(given: Mapping[str, Any], params: Mapping[str, str], host: str, secret: str) -> str:
    pairs = sorted((name, value) for name, value in params.items() if name != "Signature")
    query = "&".join(f"{quote(name, safe='-_~')}={quote(value, safe='-_~')}" for name, value in pairs)
    text = f"{given['verb']}\n{host.lower()}\n{given['path']}\n{query}"
    digest = "sha256" if params.get("SignatureMethod") != "HmacSHA1" else "sha1"
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), digest)).decode()


def _version_4(
    given: Mapping[str, Any], params: Mapping[str, str], headers: Mapping[str, str], host: str, secret: str
) -> str:
    if "authorization" in headers:
        fields = dict(
            part.strip().partition("=")[::2] for part in headers["authorization"].partition(" ")[2].split(",")
        )
        scope, signed = fields["Credential"].partition("/")[2], fields["SignedHeaders"]
        moment = headers.get("x-amz-date") or headers["date"]
    else:
        scope = params["X-Amz-Credential"].partition("/")[2]
        signed, moment = params["X-Amz-SignedHeaders"], params["X-Amz-Date"]
    seen = dict(headers) | {"host": host}
    lines = "".join(f"{name}:{' '.join(seen[name].split())}\n" for name in signed.split(";"))
    pairs = sorted((quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in params.items() if n != "X-Amz-Signature")
    query = "" if given["verb"] == "POST" else "&".join(f"{name}={value}" for name, value in pairs)
    request = "\n".join([str(given["verb"]), str(given["path"]), query, lines, signed, str(given["body_hash"])])
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
