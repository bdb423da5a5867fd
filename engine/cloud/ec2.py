"""EC2 keys of Keystone: finding a user's key, and signing with it for a token of his.

A key that the configured user may read lets the engine act as its owner, with the owner's roles and no more, for as
long as the owner keeps it. Nothing is stored: the key is read again each time a token is made.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from engine.cloud.border import Asked, refusal
from engine.cloud.errors import CloudError, Permanent, Temporary
from engine.cloud.token import TokenInfo, parse_token
from engine.cloud.transport import Answer, Transport
from engine.model.clock import Clock

EC2_TOKENS = Asked("identity", "POST", "/ec2tokens")

_EMPTY = hashlib.sha256(b"").hexdigest()


class Listing(Protocol):
    async def list(
        self, service: str, path: str, key: str, *, params: Mapping[str, str] | None = None
    ) -> Sequence[dict[str, Any]]: ...


def blob_of(credential: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inside of a credential; empty when it is no JSON map."""
    try:
        blob = orjson.loads(credential.get("blob") or "{}")
    except orjson.JSONDecodeError:
        return {}
    return blob if isinstance(blob, Mapping) else {}


def is_limited(blob: Mapping[str, Any]) -> bool:
    """Whether the key is bound to a trust or the like, and so has fewer rights than its owner."""
    return any(blob.get(name) for name in ("trust_id", "app_cred_id", "access_token_id"))


async def find_key(client: Listing, user_id: str, project_id: str) -> tuple[str, str] | None:
    """An unlimited key (access, secret) of the user for the project, None when there is none that may be read."""
    rows = await client.list("identity", "/credentials", "credentials", params={"user_id": user_id, "type": "ec2"})
    for row in rows:
        blob = blob_of(row)
        if row.get("type") != "ec2" or (row.get("user_id"), row.get("project_id")) != (user_id, project_id):
            continue
        if blob.get("access") and blob.get("secret") and not is_limited(blob):
            return str(blob["access"]), str(blob["secret"])
    return None


async def post_signed(transport: Transport, root: str, signed: Mapping[str, Any], service: TokenInfo) -> Answer:
    """Have Keystone check a signature; `service` is the token that patched Keystones want (CVE-2025-65073)."""
    headers = {"X-Auth-Token": service.id}
    try:
        return await transport.send(EC2_TOKENS, f"{root}/ec2tokens", headers, json={"credentials": dict(signed)})
    except Temporary as error:  # a token more or less leaves nothing behind: never "outcome unknown"
        raise Temporary(error.message, status=error.status) from error


def refused(answer: Answer) -> CloudError:
    return refusal(EC2_TOKENS, answer.status, answer.body, answer.text, answer.headers)


def sign(access: str, secret: str, now: dt.datetime) -> dict[str, Any]:
    """The `credentials` of `POST /v3/ec2tokens`: an empty GET, signed by Signature Version 4."""
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    host, region, service = "isotherm", "local", "isotherm"
    headers = {"Host": host, "X-Amz-Date": stamp}
    request = "\n".join(["GET", "/", "", f"host:{host}", f"x-amz-date:{stamp}", "", "host;x-amz-date", _EMPTY])
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    )
    return {"access": access, "signature": signature, "host": host, "verb": "GET", "path": "/", "params": {},
            "headers": headers, "body_hash": _EMPTY}  # fmt: skip


class Ec2KeySource:
    """A token of the owner of a key. `service` gives the configured user's token, `client` reads as him."""

    def __init__(
        self, transport: Transport, root: str, clock: Clock, user_id: str, project_id: str,
        client: Listing, service: Callable[[], Awaitable[TokenInfo]],
    ) -> None:  # fmt: skip
        self._transport, self._root, self._clock = transport, root, clock
        self._user_id, self._project_id = user_id, project_id
        self._client, self._service = client, service

    async def fetch(self) -> TokenInfo:
        """Raises Permanent when there is no key that may be read, or Keystone does not accept it."""
        key = await find_key(self._client, self._user_id, self._project_id)
        if key is None:
            raise Permanent(f"User {self._user_id} has no EC2 key for project {self._project_id} that can be read.")
        now = dt.datetime.fromtimestamp(self._clock.now() / 1e6, dt.UTC)
        answer = await post_signed(self._transport, self._root, sign(*key, now), await self._service())
        if answer.status != 200:
            raise refused(answer)
        return parse_token(answer.body, answer.headers.get("x-subject-token", ""))
