"""OS::Nova::KeyPair. A key that the user does not bring is made here, so that it cannot be lost with an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from engine.cloud.errors import NotFound
from engine.model.value import Value
from engine.resources.base import Operation
from engine.resources.declare import attribute, attributes, boolean, length, named, one_of, string
from engine.resources.mark import Mark, Row
from engine.resources.nova.nova_type import NovaType


class _ByName(Mark):
    """The name is unique per user; ours is the one with our public key that was not there before (M4)."""

    async def prepare(self, kind: Any, op: Operation) -> Mapping[str, Any]:
        return {"absent": not await self.rows(kind, op)}

    def put(self, body: dict[str, Any], token: str) -> None:
        return

    async def rows(self, kind: Any, op: Operation) -> list[Row]:
        try:
            return [await kind.show(op, op.properties["name"])]
        except NotFound:
            return []

    def on(self, row: Row, op: Operation) -> bool:
        wanted = op.properties.get("public_key") or op.data.get("public_key")
        return bool(op.data.get("absent") and wanted and _key_of(row.get("public_key")) == _key_of(wanted))


class KeyPair(NovaType):
    """Known to templates by its name. `private_key` is kept only with `save_private_key`."""

    name = "OS::Nova::KeyPair"
    sdk = "compute.v2.keypair.Keypair"
    mark = _ByName()
    race_safe = True
    properties = {
        "name": string(length(1, 255), required=True),
        "save_private_key": boolean(default=False, body="", secret=True),  # seals the record that then holds the key
        "public_key": string(),
        "type": string(one_of("ssh", "x509")),
        "user": named("user", body="user_id"),
    }
    attributes = {**attributes("public_key"), "private_key": attribute(live=True)}

    def validate(self, properties: Mapping[str, Value]) -> list[str]:
        given = properties.get("public_key")
        if properties.get("type") == "x509" and given is None:
            return ["A key pair of type x509 needs public_key: certificates are not made here"]
        if properties.get("save_private_key") is True and given is not None:
            return ["save_private_key has no effect with public_key: the private key is not known; leave it out"]
        return []

    async def body(self, op: Operation) -> dict[str, Any]:
        body = await super().body(op)
        if not body.get("public_key"):
            body["public_key"] = op.data.get("public_key") or await self._make_key(op)
        return body

    async def _make_key(self, op: Operation) -> str:
        """A new key, durable before it is sent. The private half is kept when that is asked for."""
        private, public = await asyncio.to_thread(make_key)
        public = f"{public} {op.token}"
        if op.properties["save_private_key"]:
            await op.remember(public_key=public, private_key=private)
        else:
            await op.remember(public_key=public)
        return public

    async def post(self, op: Operation, body: Mapping[str, Any]) -> dict[str, Any]:
        await super().post(op, body)
        return {self.wire.identity: body["name"]}

    def path(self, op: Operation, object_id: str | None = None) -> str:
        name = quote(str(object_id or op.physical_id), safe="")
        user = op.properties.get("user")
        return f"{self.collection(op)}/{name}" + (f"?user_id={user}" if user else "")

    def kept(self, op: Operation, row: Mapping[str, Any]) -> dict[str, Value]:
        found = super().kept(op, row)
        return {**found, "private_key": op.data.get("private_key") or ""}


def make_key() -> tuple[str, str]:
    """A new RSA key of 2048 bits, which every guest's SSH server takes: (private as PEM, public as OpenSSH)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()


def _key_of(text: Value) -> str:
    """The key itself, without the comment that services may take away."""
    return " ".join(str(text or "").split()[:2])
