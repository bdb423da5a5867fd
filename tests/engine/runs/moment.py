"""Virtual time: hours of waiting pass in milliseconds, and only when nothing else can happen.

Nothing else can happen when the event loop has no callback ready, no connection of the database is in use and no thread
works: then everybody sleeps, and time may jump to the first who wakes.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

_BEGINNING = 1_700_000_000_000_000  # microseconds


class VirtualClock:
    """Implements `engine.model.clock.Clock`."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> int:
        return _BEGINNING + int(self._elapsed * 1e6)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._elapsed + seconds, self._count, waiter))
        await waiter

    def jump(self) -> bool:
        """Wake the first sleeper; False when nobody sleeps."""
        while self._sleepers:
            at, _, waiter = heapq.heappop(self._sleepers)
            if not waiter.done():
                self._elapsed = max(self._elapsed, at)
                waiter.set_result(None)
                return True
        return False


class Traffic:
    """Counts what other threads are at: connections in use, and work put aside. It can cut the database: what a crash
    of the process does to it."""

    def __init__(self) -> None:
        self.in_use = 0
        self.commits = 0
        self.last_commit: int | None = None  # the number of the last commit that is let through
        self.on_cut: Callable[[], None] = lambda: None
        self._freed = asyncio.Event()

    @property
    def cut(self) -> bool:
        return self.last_commit is not None and self.commits >= self.last_commit

    def watch(self, engine: AsyncEngine) -> None:
        """`engine` has a `CountedPool`."""
        pool = engine.sync_engine.pool
        assert isinstance(pool, CountedPool)
        pool.traffic = self
        event.listen(engine.sync_engine, "begin", self._beginning)
        event.listen(engine.sync_engine, "commit", self._committing)

    def watch_threads(self, loop: Any) -> None:
        """Count the work that `loop` gives to threads, and nobody else does any longer."""

        def run_counted(*work: Any) -> asyncio.Future[Any]:
            future: asyncio.Future[Any] = type(loop).run_in_executor(loop, *work)
            self.begins()
            future.add_done_callback(self.ended)
            return future

        loop.run_in_executor = run_counted

    def begins(self) -> None:
        self.in_use += 1

    def ended(self, *_: Any) -> None:
        self.in_use -= 1
        self._freed.set()

    def _beginning(self, _connection: Any) -> None:
        if self.cut:
            raise ConnectionError("the process is dead")

    def _committing(self, _connection: Any) -> None:
        if self.cut:
            raise ConnectionError("the process is dead")
        self.commits += 1
        if self.cut:
            self.on_cut()

    async def quiet(self) -> None:
        """Return when everybody sleeps."""
        loop: Any = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0)
            if loop._ready:
                continue
            if self.in_use == 0:
                return
            self._freed.clear()
            await self._freed.wait()


class CountedPool(AsyncAdaptedQueuePool):
    """Tells `traffic` of each connection from the moment it is asked for until it is given back, or cannot be had."""

    traffic: Traffic | None = None

    def _do_get(self) -> ConnectionPoolEntry:
        if self.traffic:
            self.traffic.begins()
        try:
            return super()._do_get()
        except BaseException:
            if self.traffic:
                self.traffic.ended()
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        try:
            super()._do_return_conn(record)
        finally:
            if self.traffic:
                self.traffic.ended()


async def drive(clock: VirtualClock, traffic: Traffic, done: Callable[[], bool], *, limit: float = 100_000) -> None:
    """Let time pass until `done`; AssertionError when it never is."""
    until = clock.monotonic() + limit
    while True:
        await traffic.quiet()
        if done():
            return
        assert clock.jump(), "nothing moves, and nobody sleeps"
        assert clock.monotonic() < until, "time passes and nothing comes of it"
