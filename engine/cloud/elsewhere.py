"""Other regions of the cloud, and other clouds by credentials that users bring (heat.md ENGN-09)."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import ssl
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from engine.cloud.auth import NativeSource, TokenSource
from engine.cloud.client import Client, Shared
from engine.cloud.context import Context
from engine.cloud.contract import Place
from engine.cloud.errors import Permanent
from engine.cloud.plugin import PluginSource, read_credential
from engine.cloud.settings import CloudSettings
from engine.cloud.transport import Transport
from engine.model.clock import Clock

_MOST_TRANSPORTS = 50  # ways of trusting servers; beyond, the one that was not used for longest is closed


class Elsewhere:
    """One per connection; `transport` is its own."""

    def __init__(
        self, transport: Transport, settings: CloudSettings, clock: Clock, threads: ThreadPoolExecutor
    ) -> None:
        self._transport, self._settings, self._clock, self._threads = transport, settings, clock, threads
        self._transports: OrderedDict[tuple[str | None, bool], Transport] = OrderedDict()
        self._regions: OrderedDict[Place, Shared] = OrderedDict()
        self._clients: OrderedDict[str, Client] = OrderedDict()

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.close()

    async def reach(self, client: Client, place: Place) -> Client:
        """Raises Permanent, and what asking for a token raises."""
        if place.credential is not None:
            return await self._by_credential(place)
        shared = self._regions.get(place)
        if shared is None:
            way = self._transport
            if place.ca_cert or place.insecure:
                way = await self._trusting(place)
            shared = Shared(
                way, self._settings, self._clock, region=place.region, interface=client.shared.interface
            )  # fmt: skip
            _keep(self._regions, place, shared, self._settings.max_contexts)
        return Client(client.context, shared)

    async def _by_credential(self, place: Place) -> Client:
        if not self._settings.remote_clouds:
            raise Permanent("This installation makes no stacks in other clouds ([cloud] remote_clouds).", status=403)
        key = _digest(place)
        client = self._clients.get(key)
        if client is None or client.context.ended:
            client = await self._opened(key, place)
            _keep(self._clients, key, client, self._settings.max_contexts)
        self._clients.move_to_end(key)
        return client

    async def _opened(self, key: str, place: Place) -> Client:
        transport = await self._trusting(place)
        assert place.credential is not None
        reading = functools.partial(
            read_credential, place.credential, ca_cert=place.ca_cert, insecure=place.insecure
        )  # fmt: skip
        entry = await asyncio.get_running_loop().run_in_executor(self._threads, reading)
        source: TokenSource = NativeSource(transport, entry.settings)
        if entry.plugin is not None:
            source = PluginSource(entry, self._threads)
        context = Context(f"elsewhere:{key}", source, self._clock, self._settings.token_renew_margin)
        await context.current()
        return Client(context, Shared(transport, self._settings, self._clock, region=place.region))

    async def _trusting(self, place: Place) -> Transport:
        """The way to servers whose certificates are judged as the place says."""
        key = (place.ca_cert, place.insecure)
        found = self._transports.get(key)
        if found is None:
            found = self._transports[key] = Transport(self._settings, trust(place.ca_cert, insecure=place.insecure))
            while len(self._transports) > _MOST_TRANSPORTS:
                _, oldest = self._transports.popitem(last=False)
                await oldest.close()
        self._transports.move_to_end(key)
        return found


def trust(ca_cert: str | None, *, insecure: bool = False) -> ssl.SSLContext | bool:
    """How certificates are judged, in aiohttp's terms. Raises Permanent for a text that is no certificate."""
    if insecure:
        return False
    if not ca_cert:
        return True
    try:
        return ssl.create_default_context(cadata=ca_cert)
    except (ssl.SSLError, ValueError) as error:
        raise Permanent("The CA certificate is no certificate in PEM.") from error


def _digest(place: Place) -> str:
    """What tells places apart; no secret."""
    said = [place.credential, place.region, place.ca_cert, place.insecure]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _keep(kept: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    kept[key] = value
    while len(kept) > most:
        kept.popitem(last=False)
