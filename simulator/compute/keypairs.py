"""Key pairs: a user's, not a project's. Names are unique per user."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING

from simulator.compute.errors import bad, conflict, invalid, not_found
from simulator.http import Call, Reply, Routes
from simulator.query import limit_of, next_link, page
from simulator.store import Obj
from simulator.world import stamp_micro

if TYPE_CHECKING:
    from simulator.compute.service import Compute

_NAME = re.compile(r"[A-Za-z0-9_\- ]+")
_NAME_292 = re.compile(r"[A-Za-z0-9_\- @.]+")
_SIGNS = "[_- 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ]"


class Keypairs:
    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self.table = compute.table("compute/keypairs")
        self.table.index("user_id")

    def register(self, router: Routes) -> None:
        router.add("GET", "/os-keypairs", self.list)
        router.add("POST", "/os-keypairs", self.create)
        router.add("GET", "/os-keypairs/{name}", self.show)
        router.add("DELETE", "/os-keypairs/{name}", self.delete)

    def put_key(self, user_id: str, name: str, public_key: str, kind: str = "ssh") -> Obj:
        """Raises Refusal 400 for a key that is none."""
        now = stamp_micro(self._compute.world.now())
        row: Obj = {
            "id": f"{user_id}/{name}", "user_id": user_id, "name": name, "public_key": public_key,
            "fingerprint": _fingerprint(public_key), "type": kind, "created_at": now, "number": len(self.table) + 1,
        }  # fmt: skip
        return self.table.put(row)

    def get(self, user_id: str, name: str) -> Obj | None:
        return self.table.get(f"{user_id}/{name}")

    def _owner(self, call: Call) -> str:
        asked = call.first("user_id")
        return asked if asked and call.is_admin and call.microversion >= (2, 10) else call.user_id

    def create(self, call: Call) -> Reply:
        values = call.inside("keypair")
        name = values.get("name")
        if not isinstance(name, str) or not name:
            raise invalid("keypair", values, "'name' is a required property")
        if not (_NAME_292 if call.microversion >= (2, 92) else _NAME).fullmatch(name) or len(name) > 255:
            raise bad(f"An invalid 'name' value was provided. The name must be: Only expected characters: {_SIGNS}")
        public_key = values.get("public_key")
        if call.microversion >= (2, 92) and not public_key:
            raise invalid("keypair", values, "'public_key' is a required property")
        owner = values.get("user_id") if call.is_admin and values.get("user_id") else call.user_id
        if self.get(str(owner), name) is not None:
            raise conflict(f"Key pair '{name}' already exists.")
        private = None
        if not public_key:
            private, public_key = _generate()
        row = self.put_key(str(owner), name, str(public_key), str(values.get("type", "ssh")))
        shown = {key: row[key] for key in ("name", "public_key", "fingerprint", "user_id")}
        if call.microversion >= (2, 2):
            shown["type"] = row["type"]
        if private is not None:
            shown["private_key"] = private
        return Reply(201 if call.microversion >= (2, 2) else 200, {"keypair": shown})

    def list(self, call: Call) -> Reply:
        rows = sorted(self.table.by("user_id", self._owner(call)), key=lambda row: str(row["name"]))
        limit = limit_of(call, bad, 1000) if call.microversion >= (2, 35) else None
        rows, more = page(rows, call, limit, lambda m: bad(f"marker [{m}] not found"), "name")
        names = ["name", "public_key", "fingerprint"] + (["type"] if call.microversion >= (2, 2) else [])
        body: Obj = {"keypairs": [{"keypair": {name: row[name] for name in names}} for row in rows]}
        if more and call.first("limit"):
            link = next_link(call, f"{self._compute.root}/os-keypairs", rows[-1]["name"])
            body["keypairs_links"] = [{"rel": "next", "href": link}]
        return Reply(200, body)

    def _find(self, call: Call) -> Obj:
        owner, name = self._owner(call), call.params["name"]
        row = self.get(owner, name)
        if row is None:
            raise not_found(f"Keypair {name} not found for user {owner}")
        return row

    def show(self, call: Call) -> Reply:
        row = self._find(call)
        shown = {key: row[key] for key in ("name", "public_key", "fingerprint", "user_id", "created_at")}
        shown |= {"deleted": False, "deleted_at": None, "id": row["number"], "updated_at": None}
        if call.microversion >= (2, 2):
            shown["type"] = row["type"]
        return Reply(200, {"keypair": shown})

    def delete(self, call: Call) -> Reply:
        self.table.remove(self._find(call)["id"])
        return Reply(204 if call.microversion >= (2, 2) else 202)


def _fingerprint(public_key: str) -> str:
    parts = public_key.split()
    try:
        if len(parts) < 2 or not parts[0].startswith(("ssh-", "ecdsa-", "sk-")):
            raise ValueError(public_key)
        raw = base64.b64decode(parts[1], validate=True)
    except (ValueError, binascii.Error):
        raise bad("Keypair data is invalid: failed to generate fingerprint") from None
    digest = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, 32, 2))


def _generate() -> tuple[str, str]:
    """A new private key (PEM) and its public one (OpenSSH)."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode() + " Generated-by-Nova"
