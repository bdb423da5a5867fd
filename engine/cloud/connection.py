"""A configured cloud: who we are there, and clients for every way of acting."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from engine.cloud.auth import AuthSettings, FallbackSource, GivenToken, NativeSource, RescopedSource, TokenSource
from engine.cloud.client import Client, Shared
from engine.cloud.context import Context
from engine.cloud.delegation import Delegation, Way
from engine.cloud.ec2 import Ec2KeySource
from engine.cloud.elsewhere import Elsewhere
from engine.cloud.errors import Permanent
from engine.cloud.plugin import CloudEntry, PluginSource, read_entry
from engine.cloud.settings import CloudSettings
from engine.cloud.token import TokenInfo
from engine.cloud.transport import Transport
from engine.model.clock import Clock, SystemClock


class Connection:
    """Made by `open`; `close` it. Nothing is asked of the cloud before the first client."""

    def __init__(
        self, entry: CloudEntry, settings: CloudSettings, clock: Clock, threads: ThreadPoolExecutor,
        ssl_context: ssl.SSLContext | bool,
    ) -> None:  # fmt: skip
        auth = entry.settings
        self.auth, self.settings, self.clock = auth, settings, clock
        self._entry, self._threads = entry, threads
        self.transport = Transport(settings, ssl_context)
        self.shared = Shared(
            self.transport, settings, clock,
            region=auth.region, interface=auth.interface, overrides=auth.endpoint_overrides,
        )  # fmt: skip
        self._elsewhere = self.shared.elsewhere = Elsewhere(self.transport, settings, clock, threads)
        #: Tells what a user lends for a project at present; set by `Clouds`.
        self.standing: Callable[[str, str], Awaitable[Delegation | None]] | None = None
        self._clients: OrderedDict[str, Client] = OrderedDict()
        self._opening: dict[str, asyncio.Task[Client]] = {}

    @classmethod
    async def open(
        cls, cloud: str | None = None, *, auth: AuthSettings | None = None,
        settings: CloudSettings | None = None, clock: Clock | None = None,
    ) -> Connection:  # fmt: skip
        """`cloud` names an entry of the user's `clouds.yaml`; else `auth` says all. Raises Permanent when the entry
        cannot be used."""
        settings, clock = settings or CloudSettings(), clock or SystemClock()
        threads = ThreadPoolExecutor(settings.auth_threads, "cloud-auth")
        if auth is None:
            if cloud is None:
                raise Permanent("Neither an entry of clouds.yaml nor authentication settings were given.")
            entry = await asyncio.get_running_loop().run_in_executor(threads, read_entry, cloud)
        else:
            entry = CloudEntry(auth)
        return cls(entry, settings, clock, threads, tls_of(entry.settings))

    async def close(self) -> None:
        for task in self._opening.values():
            task.cancel()
        await self._elsewhere.close()
        await self.transport.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    # --- clients ------------------------------------------------------------------------------------------------
    async def own(self) -> Client:
        """Acting as the configured user in the configured project."""
        return await self._client("own", self._source(None))

    async def for_project(self, project_id: str) -> Client:
        """Acting as the configured user in another project, where it has a role (perhaps an inherited one)."""
        own = await self.own()
        if own.project_id == project_id:
            return own
        scope = {"project": {"id": project_id}}
        return await self._client(f"project:{project_id}", self._source(scope))

    async def for_caller(self, token: str, project_id: str) -> Client:
        """Acting with a caller's own token. Raises Permanent when it is of another project."""
        digest = hashlib.sha256(token.encode()).hexdigest()
        source = GivenToken(self.transport, self.auth.identity_root, token)
        client = await self._client(f"caller:{digest}", source)
        if client.project_id != project_id:
            raise Permanent("The token of the request is for another project.", status=403)
        return client

    async def for_delegation(self, delegation: Delegation) -> Client:
        """Acting later for a stack, as `Delegations.establish` found a way."""
        match delegation.way:
            case Way.OWN:
                return await self.own()
            case Way.SERVICE_USER:
                return await self.for_project(delegation.project_id)
            case Way.TRUST | Way.APPLICATION_CREDENTIAL:
                first = self._lent(delegation)
                source = FallbackSource(first, lambda: self._standing_source(delegation))
                return await self._client(delegation.name, source)
            case Way.EC2_KEY:
                root, user_id, project_id = self.auth.identity_root, delegation.user_id, delegation.project_id
                ec2 = Ec2KeySource(
                    self.transport, root, self.clock, user_id, project_id, await self.own(), self.service_token
                )
                return await self._client(delegation.name, ec2)

    async def service_token(self) -> TokenInfo:
        """The configured user's own living token."""
        return await (await self.own()).context.current()

    # --- inside -------------------------------------------------------------------------------------------------
    def _source(self, scope: Mapping[str, Any] | None) -> TokenSource:
        if self._entry.plugin is not None:
            origin = PluginSource(self._entry, self._threads)
            return origin if scope is None else RescopedSource(
                self.transport, self.auth.identity_root, origin, scope
            )  # fmt: skip
        if scope is not None and self.auth.scope() is None and self.auth.password is None:
            raise Permanent(
                "The configured application credential is good for its own project only; "
                "configure a user with a password to act in others."
            )
        return NativeSource(self.transport, self.auth, scope)

    def _lent(self, delegation: Delegation) -> TokenSource:
        """The way to a token of what a user lent."""
        if delegation.way is Way.TRUST:
            return self._source({"OS-TRUST:trust": {"id": delegation.trust_id}})
        credential = AuthSettings(
            self.auth.auth_url,
            application_credential_id=delegation.application_credential_id,
            application_credential_secret=delegation.secret,
        )
        return NativeSource(self.transport, credential)

    async def _standing_source(self, delegation: Delegation) -> TokenSource | None:
        """What the same user lends now, when that is something else."""
        other = await self.standing(delegation.user_id, delegation.project_id) if self.standing else None
        return None if other is None or other.name == delegation.name else self._lent(other)

    async def _client(self, key: str, source: TokenSource) -> Client:
        client = self._clients.get(key)
        if client is not None and not client.context.ended:
            self._clients.move_to_end(key)
            return client
        task = self._opening.get(key)
        if task is None:
            task = self._opening[key] = asyncio.ensure_future(self._open(key, source))
            task.add_done_callback(lambda done: self._opened(key, done))
        return await asyncio.shield(task)

    async def _open(self, key: str, source: TokenSource) -> Client:
        context = Context(key, source, self.clock, self.settings.token_renew_margin)
        await context.current()
        client = self._clients[key] = Client(context, self.shared)
        while len(self._clients) > self.settings.max_contexts:
            self._clients.popitem(last=False)
        return client

    def _opened(self, key: str, task: asyncio.Task[Client]) -> None:
        self._opening.pop(key, None)
        if not task.cancelled():
            task.exception()  # those who waited were told


def tls_of(auth: AuthSettings) -> ssl.SSLContext | bool:
    """How the cloud's certificates are judged, in aiohttp's terms."""
    if auth.auth_url.startswith("http://") and not auth.endpoint_overrides:
        return True
    if not auth.verify:
        return False
    if not auth.cacert and not auth.cert:
        return True
    context = ssl.create_default_context(cafile=auth.cacert)
    if auth.cert:
        context.load_cert_chain(auth.cert, auth.key)
    return context
