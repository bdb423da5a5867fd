"""What Keystone says of those who ask: tokens, EC2 keys and roles, kept for a minute."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from engine.cloud.auth import read_token
from engine.cloud.cache import TtlCache
from engine.cloud.connection import Connection
from engine.cloud.ec2 import blob_of, find_key, is_limited, post_signed, refused
from engine.cloud.errors import Conflict, NotFound, Permanent, Temporary
from engine.cloud.token import TokenInfo, parse_token


class InvalidToken(Permanent):
    """The token is unknown, expired or revoked; or the signature is not accepted."""


class UnknownKey(NotFound):
    """There is no EC2 credential with that access key."""


@dataclass(frozen=True, slots=True)
class Ec2Secret:
    """An EC2 credential and whom it stands for."""

    access: str
    secret: str = field(repr=False)
    user_id: str
    user_name: str
    project_id: str
    project_name: str
    roles: tuple[str, ...]

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles


@dataclass(frozen=True, slots=True)
class _Rejected:
    """A negative answer that is kept for a short time."""

    message: str


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """The configured user may not read this key: Keystone has to check the signature."""


class Identity:
    """One per connection. Every look-up is made once however many requests wait for it."""

    def __init__(self, connection: Connection) -> None:
        settings, clock = connection.settings, connection.clock
        self._connection = connection
        self._tokens: TtlCache[str, TokenInfo | _Rejected] = TtlCache(settings.token_cache_size, clock)
        self._keys: TtlCache[str, Ec2Secret | _Rejected | _Unreadable] = TtlCache(settings.token_cache_size, clock)
        self._roles: TtlCache[tuple[str, str], tuple[str, ...]] = TtlCache(settings.token_cache_size, clock)
        self._may_validate = True

    @property
    def _root(self) -> str:
        return self._connection.auth.identity_root

    # --- tokens -------------------------------------------------------------------------------------------------
    async def validate_token(self, token: str) -> TokenInfo:
        """What `token` says. Raises InvalidToken, or Temporary when Keystone cannot be asked."""
        key = hashlib.sha256(token.encode()).hexdigest()
        found = await self._tokens.get_or_ask(key, lambda: self._validate(token), self._token_seconds)
        if isinstance(found, _Rejected):
            raise InvalidToken(found.message, status=401)
        if found.expires_at <= self._now():
            raise InvalidToken("The token has expired.", status=401)
        return found

    def _token_seconds(self, found: TokenInfo | _Rejected) -> float:
        settings = self._connection.settings
        if isinstance(found, _Rejected):
            return settings.negative_cache_seconds
        return min(settings.cache_seconds, max(0.0, found.expires_at - self._now()))

    def _now(self) -> float:
        return self._connection.clock.now() / 1e6

    async def _validate(self, token: str) -> TokenInfo | _Rejected:
        """With the service user's token; with the token itself where he may not."""
        if not token.isascii() or not token.isprintable() or len(token) > 8192:
            return _Rejected("The token is malformed.")
        transport = self._connection.transport
        for _ in range(2 if self._may_validate else 0):
            service = await self._connection.service_token()
            try:
                info = await read_token(transport, self._root, token, service.id)
            except Permanent as error:
                if error.status == 401:
                    await self._renew(service)
                    continue
                if error.status != 403:
                    raise
                self._may_validate = False
                break
            return info or _Rejected("The token is not valid.")
        try:
            info = await read_token(transport, self._root, token, token)
        except Permanent as error:
            if error.status in (401, 403):
                return _Rejected("The token is not valid.")
            raise
        return info or _Rejected("The token is not valid.")

    async def _renew(self, stale: TokenInfo) -> TokenInfo:
        return await (await self._connection.own()).context.renew(stale.id)

    # --- EC2 keys -----------------------------------------------------------------------------------------------
    async def ec2_secret(self, access: str) -> Ec2Secret | None:
        """The key's secret and owner; None when the configured user may not read it (then ask `ec2_token`).

        Raises UnknownKey when there is certainly no such key.
        """
        found = await self._keys.get_or_ask(access, lambda: self._read_key(access), self._key_seconds)
        match found:
            case _Rejected(message):
                raise UnknownKey(message, status=404)
            case _Unreadable():
                return None
            case Ec2Secret():
                return found

    def _key_seconds(self, found: Ec2Secret | _Rejected | _Unreadable) -> float:
        settings = self._connection.settings
        return settings.cache_seconds if isinstance(found, Ec2Secret) else settings.negative_cache_seconds

    async def _read_key(self, access: str) -> Ec2Secret | _Rejected | _Unreadable:
        own = await self._connection.own()
        path = f"/credentials/{hashlib.sha256(access.encode()).hexdigest()}"
        try:
            credential = (await own.request("identity", "GET", path)).body["credential"]
        except NotFound:
            return _Rejected("The access key does not exist.")
        except Permanent as error:
            if error.status == 403:
                return _Unreadable()
            raise
        blob = blob_of(credential)
        if credential.get("type") != "ec2" or blob.get("access") != access or not blob.get("secret"):
            return _Unreadable()
        if is_limited(blob):
            return _Unreadable()  # only Keystone knows which of its owner's roles it has
        try:
            return await self._owner(access, blob["secret"], credential["user_id"], credential["project_id"])
        except NotFound:
            return _Rejected("The access key's user or project does not exist.")
        except Permanent as error:
            if error.status == 403:
                return _Unreadable()
            raise

    async def _owner(self, access: str, secret: str, user_id: str, project_id: str) -> Ec2Secret | _Rejected:
        own = await self._connection.own()
        info = own.context.known
        if (info.user_id, info.project_id) == (user_id, project_id):
            names = info.user_name, info.project_name
        else:
            user = (await own.request("identity", "GET", f"/users/{user_id}")).body["user"]
            project = (await own.request("identity", "GET", f"/projects/{project_id}")).body["project"]
            if not user.get("enabled", True) or not project.get("enabled", True):
                return _Rejected("The access key's user or project is disabled.")
            names = user["name"], project["name"]
        roles = await self.user_roles(user_id, project_id)
        if not roles:
            return _Rejected("The access key's user has no role on its project any more.")
        return Ec2Secret(access, secret, user_id, names[0], project_id, names[1], roles)

    async def ec2_token(self, signed: Mapping[str, Any]) -> TokenInfo:
        """Have Keystone check a signature: `signed` is the `credentials` of `POST /v3/ec2tokens` (access, signature,
        host, verb, path, params, headers, body_hash). Raises InvalidToken when it does not accept it.

        Keystones with the fix of CVE-2025-65073 want a service token with it.
        """
        service = await self._connection.service_token()
        transport = self._connection.transport
        answer = await post_signed(transport, self._root, signed, service)
        if answer.status == 401 and not await self._still_accepted(service):
            answer = await post_signed(transport, self._root, signed, await self._renew(service))
        if answer.status == 200:
            return parse_token(answer.body, answer.headers.get("x-subject-token", ""))
        error = refused(answer)
        if answer.status >= 500:
            raise Temporary(error.message, status=error.status)
        raise InvalidToken(error.message, status=error.status, kind=error.kind)

    async def _still_accepted(self, service: TokenInfo) -> bool:
        """A 401 says nothing about whose fault it is: the signature's, or our own token's."""
        try:
            return await read_token(self._connection.transport, self._root, service.id, service.id) is not None
        except Permanent:
            return False

    async def ensure_ec2_key(self, preferred: tuple[str, str] | None = None) -> tuple[str, str]:
        """An EC2 key (access, secret) of the configured user in the configured project: `preferred` when given (made
        again if it is gone), else one that exists, else a new one. Safe to repeat: the access key fixes the
        credential's id (tokens.md M1)."""
        own = await self._connection.own()
        if preferred is None:
            preferred = await find_key(own, own.user_id, own.project_id)
            if preferred is not None:
                return preferred
        access, secret = preferred or (secrets.token_hex(16), secrets.token_hex(16))
        wanted = {
            "type": "ec2",
            "blob": orjson.dumps({"access": access, "secret": secret}).decode(),
            "user_id": own.user_id,
            "project_id": own.project_id,
        }
        try:
            await own.request("identity", "POST", "/credentials", json={"credential": wanted})
        except Conflict as error:
            path = f"/credentials/{hashlib.sha256(access.encode()).hexdigest()}"
            blob = blob_of((await own.request("identity", "GET", path)).body["credential"])
            if blob.get("secret") != secret:
                raise Conflict(f"The access key {access} exists with another secret.", status=409) from error
        return access, secret

    # --- roles --------------------------------------------------------------------------------------------------
    async def user_roles(self, user_id: str, project_id: str) -> tuple[str, ...]:
        """Names of the effective roles of the user on the project (groups and inheritance counted), sorted.

        Raises Permanent with status 403 when the configured user may not ask.
        """
        seconds = self._connection.settings.cache_seconds
        return await self._roles.get_or_ask(
            (user_id, project_id), lambda: self._ask_roles(user_id, project_id), seconds
        )

    async def _ask_roles(self, user_id: str, project_id: str) -> tuple[str, ...]:
        own = await self._connection.own()
        info = own.context.known
        if (info.user_id, info.project_id) == (user_id, project_id):
            return tuple(sorted(info.roles))
        query = f"user.id={quote(user_id)}&scope.project.id={quote(project_id)}&effective&include_names=true"
        reply = await own.request("identity", "GET", f"/role_assignments?{query}")
        return tuple(sorted({row["role"]["name"] for row in reply.body["role_assignments"]}))
