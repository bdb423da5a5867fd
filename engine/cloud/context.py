"""A token and what belongs to it: kept, renewed ahead of its end, once however many ask."""

from __future__ import annotations

import asyncio

from engine.cloud.auth import TokenSource
from engine.cloud.errors import Permanent
from engine.cloud.token import TokenInfo
from engine.model.clock import Clock


class Context:
    """Acting as one user in one project or through one trust. `key` names it among the process's contexts."""

    def __init__(self, key: str, source: TokenSource, clock: Clock, margin: float) -> None:
        self.key = key
        self._source, self._clock, self._margin = source, clock, margin
        self._info: TokenInfo | None = None
        self.ended = False  # Keystone gives no token for it any more
        self._renewing: asyncio.Task[TokenInfo] | None = None

    @property
    def known(self) -> TokenInfo:
        """The token last fetched. Only after `current` returned once."""
        assert self._info is not None, "a context is handed out after its first token"
        return self._info

    async def current(self) -> TokenInfo:
        """A token that lives. Renewed in the background when it is near its end, and waited for when it has ended."""
        info = self._info
        if info is None:
            return await self._renew()
        left = info.expires_at - self._clock.now() / 1e6
        if left < self._margin:
            if left < min(10.0, self._margin):
                return await self._renew()
            _ = self._start()  # in the background
        return info

    async def renew(self, stale: str) -> TokenInfo:
        """A token other than `stale`, which a service did not accept. Raises what the source raises."""
        if self._info is not None and self._info.id != stale:
            return self._info
        return await self._renew()

    async def _renew(self) -> TokenInfo:
        return await asyncio.shield(self._start())

    def _start(self) -> asyncio.Task[TokenInfo]:
        if self._renewing is None:
            self._renewing = asyncio.ensure_future(self._fetch())
            self._renewing.add_done_callback(self._renewed)
        return self._renewing

    async def _fetch(self) -> TokenInfo:
        try:
            self._info = await self._source.fetch()
        except Permanent:
            self.ended = True
            raise
        return self._info

    def _renewed(self, task: asyncio.Task[TokenInfo]) -> None:
        self._renewing = None
        if not task.cancelled():
            task.exception()  # told to those who waited; a renewal in the background is tried again by the next call
