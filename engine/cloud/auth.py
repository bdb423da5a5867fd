"""Who we are to Keystone: settings, and the ways to a token.

Passwords, application credentials and tokens are one POST over our own transport; every other auth type of
`clouds.yaml` goes through its keystoneauth1 plugin in a thread (`engine.cloud.plugin`).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from engine.cloud.border import Asked, refusal
from engine.cloud.errors import Permanent, Temporary
from engine.cloud.token import TokenInfo, parse_token
from engine.cloud.transport import Transport


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Names as in `clouds.yaml` and `[keystone_authtoken]`. A password, an application credential or a token."""

    auth_url: str
    username: str | None = None
    user_id: str | None = None
    password: str | None = field(default=None, repr=False)
    user_domain_name: str | None = None
    user_domain_id: str | None = None
    project_name: str | None = None
    project_id: str | None = None
    project_domain_name: str | None = None
    project_domain_id: str | None = None
    application_credential_id: str | None = None
    application_credential_name: str | None = None
    application_credential_secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    trust_id: str | None = None
    region: str | None = None
    interface: str = "public"
    verify: bool = True
    cacert: str | None = None
    cert: str | None = None
    key: str | None = None
    endpoint_overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity_root(self) -> str:
        """The address of the identity API v3."""
        url = self.auth_url.rstrip("/")
        return url if url.endswith("/v3") else re.sub(r"/v[\d.]+$", "", url) + "/v3"

    def identity(self) -> dict[str, Any]:
        """The `identity` part of a v3 authentication. Raises Permanent when nothing to prove it with is set."""
        if self.application_credential_id or self.application_credential_name:
            credential: dict[str, Any] = {"secret": self.application_credential_secret}
            if self.application_credential_id:
                credential["id"] = self.application_credential_id
            else:
                credential |= {"name": self.application_credential_name, "user": self._user()}
            return {"methods": ["application_credential"], "application_credential": credential}
        if self.password is not None:
            return {"methods": ["password"], "password": {"user": self._user() | {"password": self.password}}}
        if self.token:
            return {"methods": ["token"], "token": {"id": self.token}}
        raise Permanent("The cloud's settings have no password, application credential or token.")

    def scope(self) -> dict[str, Any] | None:
        """The configured scope; None for application credentials, which carry theirs."""
        if self.application_credential_id or self.application_credential_name:
            return None
        if self.trust_id:
            return {"OS-TRUST:trust": {"id": self.trust_id}}
        if self.project_id:
            return {"project": {"id": self.project_id}}
        if self.project_name:
            domain = _domain(
                self.project_domain_id or self.user_domain_id, self.project_domain_name or self.user_domain_name
            )
            return {"project": {"name": self.project_name, "domain": domain}}
        return None

    def _user(self) -> dict[str, Any]:
        if self.user_id:
            return {"id": self.user_id}
        return {"name": self.username, "domain": _domain(self.user_domain_id, self.user_domain_name)}


def _domain(domain_id: str | None, name: str | None) -> dict[str, str]:
    return {"id": domain_id} if domain_id else {"name": name} if name else {"id": "default"}


class TokenSource(Protocol):
    """A way to a token, for one scope."""

    async def fetch(self) -> TokenInfo:
        """A new token. Raises Permanent when Keystone does not want us, Temporary when it cannot be asked."""
        ...


async def post_token(transport: Transport, root: str, auth: Mapping[str, Any]) -> TokenInfo:
    """Make a token with `auth` at the identity API `root`; a lost answer may be asked again, tokens leave nothing."""
    asked = Asked("identity", "POST", "/auth/tokens")
    try:
        answer = await transport.send(asked, f"{root}/auth/tokens", {}, json={"auth": auth})
    except Permanent:
        raise
    except Temporary as error:
        raise Temporary(error.message, status=error.status, kind=error.kind) from error
    if answer.status != 201:
        refused = refusal(asked, answer.status, answer.body, answer.text, answer.headers)
        if answer.status >= 500:
            raise Temporary(refused.message, status=refused.status, kind=refused.kind)
        raise refused
    try:
        return parse_token(answer.body, answer.headers.get("x-subject-token", ""))
    except ValueError as error:
        raise Permanent(f"Keystone at {root} cannot be understood: {error}.") from error


async def read_token(
    transport: Transport, root: str, subject: str, reader: str, *, catalog: bool = False
) -> TokenInfo | None:
    """What the token `subject` says, asked with the token `reader`; None when Keystone does not know it. The
    catalogue, most of a token's size, comes only when asked for.

    Raises Permanent with status 401 or 403 when `reader` itself may not ask.
    """
    asked = Asked("identity", "GET", "/auth/tokens")
    headers = {"X-Auth-Token": reader, "X-Subject-Token": subject}
    answer = await transport.send(asked, f"{root}/auth/tokens" + ("" if catalog else "?nocatalog"), headers)
    if answer.status == 200:
        info = parse_token(answer.body, subject)
        return info if catalog else replace(info, catalog=())
    if answer.status == 404:
        return None
    raise refusal(asked, answer.status, answer.body, answer.text, answer.headers)


class NativeSource:
    """Authenticates over our own transport. `scope` None takes the configured one."""

    def __init__(self, transport: Transport, settings: AuthSettings, scope: Mapping[str, Any] | None = None) -> None:
        self._transport, self._settings, self._scope = transport, settings, scope

    async def fetch(self) -> TokenInfo:
        auth: dict[str, Any] = {"identity": self._settings.identity()}
        scope = self._scope if self._scope is not None else self._settings.scope()
        if scope is not None:
            auth["scope"] = scope
        return await post_token(self._transport, self._settings.identity_root, auth)


class RescopedSource:
    """A token for another scope, made from the token of another source (auth types that only a plugin can do)."""

    def __init__(self, transport: Transport, root: str, origin: TokenSource, scope: Mapping[str, Any]) -> None:
        self._transport, self._root, self._origin, self._scope = transport, root, origin, scope

    async def fetch(self) -> TokenInfo:
        first = await self._origin.fetch()
        identity = {"methods": ["token"], "token": {"id": first.id}}
        return await post_token(self._transport, self._root, {"identity": identity, "scope": self._scope})


class FallbackSource:
    """A trust or application credential that may be withdrawn: then what stands for the same user now serves."""

    def __init__(self, first: TokenSource, other: Callable[[], Awaitable[TokenSource | None]]) -> None:
        self._first, self._other = first, other

    async def fetch(self) -> TokenInfo:
        try:
            return await self._first.fetch()
        except Permanent:
            other = await self._other()
            if other is None:
                raise
            return await other.fetch()


class GivenToken:
    """A caller's own token: it can be read, not renewed."""

    def __init__(self, transport: Transport, root: str, token: str) -> None:
        self._transport, self._root, self._token = transport, root, token
        self._known = False

    async def fetch(self) -> TokenInfo:
        if self._known:
            raise Permanent("The token of the request is not valid any more.", status=401)
        info = await read_token(self._transport, self._root, self._token, self._token, catalog=True)
        if info is None:
            raise Permanent("The token of the request is not valid.", status=401)
        self._known = True
        return info
