"""One project of one cloud: requests with a token, bounded, retried where that is harmless, errors made ours."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from engine.cloud import catalog, microversion
from engine.cloud.border import Asked, refusal, retry_after
from engine.cloud.cache import TtlCache
from engine.cloud.context import Context
from engine.cloud.contract import Place, Ready, Reply
from engine.cloud.ending import to_its_end
from engine.cloud.errors import CloudError, NotFound, Permanent, Temporary
from engine.cloud.gather import Gatherer, gathered
from engine.cloud.hub import Hub
from engine.cloud.limiter import Limiter
from engine.cloud.names import Row, facts, listing, resolve, resolve_all
from engine.cloud.settings import CloudSettings
from engine.cloud.token import TokenInfo
from engine.cloud.transport import READING, Answer, Transport
from engine.model.clock import Clock
from engine.model.value import Value

_MOST_PAGES = 10_000
_MOST_LISTINGS = 100  # kinds of objects of a project that are kept for names


class Elsewhere(Protocol):
    """The way to other regions and clouds (`engine.cloud.elsewhere`)."""

    async def reach(self, client: Client, place: Place) -> Client: ...


class Shared:
    """What all clients of one cloud share: the way out, limits, poll hub and caches."""

    def __init__(
        self, transport: Transport, settings: CloudSettings, clock: Clock, *, region: str | None = None,
        interface: str = "public", overrides: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.transport, self.settings, self.clock = transport, settings, clock
        self.region, self.interface, self.overrides = region, interface, dict(overrides or {})
        self.hub = Hub(settings, clock)
        self.gatherer = Gatherer(clock)
        self.microversions = microversion.Microversions(settings.microversions, clock)
        self.names: TtlCache[tuple[str, str, str], str] = TtlCache(settings.name_cache_size, clock)
        self.listings: TtlCache[tuple[str, str], Sequence[Row]] = TtlCache(_MOST_LISTINGS, clock)
        self.facts: TtlCache[str, Mapping[str, Value]] = TtlCache(settings.max_contexts, clock)
        self._limiters: dict[str, Limiter] = {}
        self.elsewhere: Elsewhere | None = None

    def limiter(self, service: str) -> Limiter:
        found = self._limiters.get(service)
        if found is None:
            found = self._limiters[service] = Limiter(self.settings.max_concurrent_requests, self.clock)
        return found


class Client:
    """Implements `engine.cloud.contract.Cloud`. Made by `engine.cloud.connection.Connection`, cheap, shareable."""

    def __init__(self, context: Context, shared: Shared) -> None:
        self.context, self.shared = context, shared
        self._roots: dict[str, str] = {}
        self._region = shared.region or catalog.default_region(context.known)

    @property
    def project_id(self) -> str:
        return self.context.known.project_id

    @property
    def user_id(self) -> str:
        return self.context.known.user_id

    @property
    def region(self) -> str:
        return self._region

    async def request(
        self, service: str, method: str, path: str, *, json: Any = None, params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None, microversion: str | None = None, body: bytes | None = None,
    ) -> Reply:  # fmt: skip
        """See the contract. Repeats at most `retry_attempts` times what is the same twice."""
        asked = Asked(catalog.official_type(service), method.upper(), path)
        url = self._root(service) + path
        if params:
            url += ("&" if "?" in path else "?") + urlencode(params, doseq=True)
        sent = await self._headers(asked.service, self._root(service), microversion)
        if headers:
            sent.update(headers)
        attempt = 1
        while True:
            try:
                answer = await self._authorized(asked, url, sent, json, body)
                return Reply(answer.status, answer.body, answer.headers, answer.raw)
            except Temporary as error:
                if not asked.repeatable or attempt >= self.shared.settings.retry_attempts:
                    raise
                delay = self._delay(attempt, error.retry_after)
            await self.shared.clock.sleep(delay)
            attempt += 1

    async def list(
        self,
        service: str,
        path: str,
        key: str,
        *,
        params: Mapping[str, str] | None = None,
        microversion: str | None = None,
        newest: int | None = None,
    ) -> Sequence[dict[str, Any]]:
        """See the contract. `key` "" is a body that is a list itself; `newest` asks for so many rows and no more."""
        if newest is not None:
            query = {**(params or {}), "limit": str(newest)}
            return await self._pages(service, path, key, query, microversion, most_pages=1)
        alone = gathered(service, path, params)
        if alone is None:
            return await self._pages(service, path, key, dict(params or {}), microversion)
        name, value = alone

        async def ask(values: Sequence[str]) -> Sequence[dict[str, Any]]:
            return await self._pages(service, path, key, {name: values}, microversion)

        return await self.shared.gatherer.rows((self.context.key, service, path, name), name, value, ask)

    async def _pages(
        self, service: str, path: str, key: str, query: dict[str, Any], microversion: str | None,
        *, most_pages: int = _MOST_PAGES,
    ) -> Sequence[dict[str, Any]]:  # fmt: skip
        found: list[dict[str, Any]] = []
        for _ in range(most_pages):
            reply = await self.request(service, "GET", path, params=query, microversion=microversion)
            rows = reply.body if not key else (reply.body or {}).get(key)
            if not isinstance(rows, list):
                asked = Asked(catalog.official_type(service), "GET", path)
                raise Permanent(f"{asked.service_name} answered {asked} without the list {key!r}.", status=reply.status)
            found += rows
            following = _next_page(reply.body, key)
            if following is None or not rows or query | following == query:
                break
            query |= following
        return found

    async def wait_ready(
        self,
        service: str,
        path: str,
        key: str,
        object_id: str,
        ready: Ready,
        *,
        deadline: float,
        microversion: str | None = None,
    ) -> dict[str, Any]:
        return await self.shared.hub.wait_ready(
            self, service, path, key, object_id, ready, deadline=deadline, microversion=microversion
        )

    async def wait_gone(
        self, service: str, path: str, key: str, object_id: str, *, deadline: float, microversion: str | None = None
    ) -> None:
        await self.shared.hub.wait_gone(
            self, service, path, key, object_id, deadline=deadline, microversion=microversion
        )

    async def resolve(self, kind: str, name_or_id: str) -> str:
        own, settings = self._own(kind, name_or_id), self.shared.settings
        if own is not None:
            return own
        return await self.shared.names.get_or_ask(
            (self.context.key, kind, name_or_id), lambda: resolve(self, kind, name_or_id), settings.cache_seconds
        )

    def _own(self, kind: str, name: str) -> str | None:
        """Everybody knows himself, and may perhaps not ask Keystone."""
        info = self.context.known
        match kind:
            case "project" if name in (info.project_id, info.project_name):
                return info.project_id
            case "user" if name in (info.user_id, info.user_name):
                return info.user_id
            case _:
                return None

    async def resolve_all(self, kind: str, names: Collection[str]) -> Mapping[str, str | CloudError]:
        if sum(self._own(kind, name) is None for name in set(names)) < 2:
            return {name: await self._resolved(kind, name) for name in names}
        key, listings = (self.context.key, kind), self.shared.listings
        while True:
            kept = listings.get(key)
            try:
                rows = await listings.get_or_ask(key, lambda: listing(self, kind), self.shared.settings.cache_seconds)
            except Permanent:  # who may not list may still look at one
                return {name: await self._resolved(kind, name) for name in names}
            found = await resolve_all(self, kind, names, rows)
            if not any(isinstance(one, NotFound) for one in found.values()):
                return found
            listings.drop(key)  # what is not there may have been made since
            if kept is None:
                return found

    async def _resolved(self, kind: str, name: str) -> str | CloudError:
        try:
            return await self.resolve(kind, name)
        except (NotFound, Permanent) as error:
            return error

    async def facts(self) -> Mapping[str, Value]:
        settings = self.shared.settings
        return await self.shared.facts.get_or_ask(
            self.context.key, lambda: facts(self, settings.external_network), settings.cache_seconds
        )

    async def services(self) -> frozenset[str]:
        info = await self.context.current()
        found = catalog.service_types(info, self.region, self.shared.interface)
        return found | {catalog.official_type(name) for name in self.shared.overrides}

    async def elsewhere(self, place: Place) -> Client:
        assert self.shared.elsewhere is not None, "nobody goes on from elsewhere"
        return await self.shared.elsewhere.reach(self, place)

    # --- inside -------------------------------------------------------------------------------------------------
    def _root(self, service: str) -> str:
        root = self._roots.get(service)
        if root is None:
            shared = self.shared
            root = catalog.service_root(self.context.known, service, self.region, shared.interface, shared.overrides)
            if root is None:
                where = f" in region {self.region}" if self.region else ""
                raise Permanent(f"This cloud has no {catalog.official_type(service)} service{where}.")
            self._roots[service] = root
        return root

    async def _headers(self, service: str, root: str, version: str | None) -> dict[str, str]:
        if version is None:
            version = await self.shared.microversions.choose(service, root, lambda url: self._json(service, url))
        return {} if version is None else microversion.header(service, version)

    async def _json(self, service: str, url: str) -> Any:
        asked = Asked(service, "GET", urlsplit(url).path)
        return (await self._authorized(asked, url, {}, None, None)).body

    async def _authorized(
        self, asked: Asked, url: str, headers: dict[str, str], json: Any, body: bytes | None
    ) -> Answer:
        """One answer below 300; a token that is not accepted is renewed once. Raises everything else."""
        info = await self.context.current()
        answer = await self._exchange(asked, url, {**headers, "X-Auth-Token": info.id}, json, body)
        if answer.status == 401:
            info = await self._renew(info, asked, answer)
            answer = await self._exchange(asked, url, {**headers, "X-Auth-Token": info.id}, json, body)
        if answer.status >= 300:
            raise refusal(asked, answer.status, answer.body, answer.text, answer.headers)
        return answer

    async def _renew(self, stale: TokenInfo, asked: Asked, answer: Answer) -> TokenInfo:
        try:
            return await self.context.renew(stale.id)
        except Permanent as error:
            raise refusal(asked, answer.status, answer.body, answer.text, answer.headers) from error

    async def _exchange(
        self, asked: Asked, url: str, headers: Mapping[str, str], json: Any, body: bytes | None
    ) -> Answer:
        limiter = self.shared.limiter(asked.service)
        started = await limiter.acquire()
        refused, pause = False, None
        try:
            sending = self.shared.transport.send(asked, url, headers, json=json, data=body)
            answer = await (sending if asked.method in READING else to_its_end(sending))
            if answer.status in (429, 503):
                refused, pause = True, self._bounded(retry_after(answer.headers))
            return answer
        finally:
            limiter.release(started, refused=refused, retry_after=pause)

    def _bounded(self, seconds: float | None) -> float | None:
        return None if seconds is None else min(seconds, self.shared.settings.retry_after_limit)

    def _delay(self, attempt: int, told: float | None) -> float:
        """Exponential, with full jitter; never shorter than what the service asked for."""
        settings = self.shared.settings
        delay: float = random.random() * min(settings.retry_max_delay, settings.retry_base_delay * 2**attempt)  # noqa: S311
        return max(delay, self._bounded(told) or 0.0)


def _next_page(body: Any, key: str) -> dict[str, str] | None:
    """The query of the next page. Only the query is taken: behind a proxy the rest of the link may be wrong."""
    if not isinstance(body, Mapping):
        return _next_of_plain_list(body)
    links = body.get(f"{key}_links") or body.get("links")
    following = body.get("next")
    if isinstance(links, Mapping):
        following = links.get("next")
    elif isinstance(links, list):
        following = next((link.get("href") for link in links if link.get("rel") == "next"), None)
    if not isinstance(following, str) or not following:
        return None
    return dict(parse_qsl(urlsplit(following).query, keep_blank_values=True))


_SWIFT_PAGE = 10_000


def _next_of_plain_list(rows: Any) -> dict[str, str] | None:
    """Swift's pages are plain lists of 10,000, continued after the last name."""
    if not isinstance(rows, list) or len(rows) < _SWIFT_PAGE or not isinstance(rows[-1], Mapping):
        return None
    last = rows[-1].get("name") or rows[-1].get("subdir")
    return {"format": "json", "marker": str(last)} if last else None


__all__ = ["Client", "CloudError", "Shared"]
