"""How many requests a service gets at once: additive increase, multiplicative decrease (AIMD), in order of coming."""

from __future__ import annotations

import asyncio
from collections import deque

from engine.model.clock import Clock


class Limiter:
    """One per service. `ceiling` is where it starts and never goes above; it never goes below one."""

    def __init__(self, ceiling: int, clock: Clock) -> None:
        self._ceiling, self._clock = float(ceiling), clock
        self.limit = float(ceiling)
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._quiet_until = 0.0
        self._lowered_at = -1.0

    async def acquire(self) -> float:
        """Wait for a place; returns the time of starting, to be given to `release`."""
        if self._waiting or self.in_flight >= int(self.limit):
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._leave()
                else:
                    self._waiting.remove(place)
                raise
        else:
            self.in_flight += 1
        try:
            while (pause := self._quiet_until - self._clock.monotonic()) > 0:
                await self._clock.sleep(pause)
        except BaseException:
            self._leave()
            raise
        return self._clock.monotonic()

    def release(self, started: float, *, refused: bool, retry_after: float | None = None) -> None:
        """Give the place back. `refused`: the service said 429 or 503; then the limit is halved, once for all the
        requests that were under way together, and nothing starts for `retry_after` seconds."""
        if refused:
            now = self._clock.monotonic()
            if started > self._lowered_at:
                self.limit = max(1.0, self.limit / 2)
                self._lowered_at = now
            if retry_after is not None:
                self._quiet_until = max(self._quiet_until, now + retry_after)
        elif self.limit < self._ceiling:
            self.limit = min(self._ceiling, self.limit + 1 / self.limit)
        self._leave()

    def _leave(self) -> None:
        self.in_flight -= 1
        while self._waiting and self.in_flight < int(self.limit):
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)
