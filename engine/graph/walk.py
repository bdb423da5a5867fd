"""Walking a graph as wide as its edges allow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from engine.graph.order import heights

K = TypeVar("K")


@dataclass(slots=True)
class Outcome(Generic[K]):
    """`failed`: what each failing visit raised; `cancelled`: visits under way when the walk was stopped;
    `skipped`: never begun. A key in none of them is done."""

    failed: dict[K, Exception] = field(default_factory=dict)
    cancelled: set[K] = field(default_factory=set)
    skipped: set[K] = field(default_factory=set)

    @property
    def ok(self) -> bool:
        return not (self.failed or self.cancelled or self.skipped)


class Walk(Generic[K]):
    """One walk: `visit` is called for a key once everything it requires is done.

    After the first failure nothing new begins when `stop_on_failure`; visits under way are then cancelled when
    `cancel_running`, else awaited. Without `stop_on_failure` only what depends on the failed is left out. Keys
    required but not in the mapping count as done.
    """

    def __init__(
        self,
        requires: Mapping[K, Collection[K]],
        visit: Callable[[K], Awaitable[None]],
        *,
        stop_on_failure: bool = True,
        cancel_running: bool = False,
    ) -> None:
        self._visit = visit
        self._stop_on_failure, self._cancel_running = stop_on_failure, cancel_running
        self._missing = {key: sum(1 for n in set(needed) if n in requires) for key, needed in requires.items()}
        self._dependants: dict[K, list[K]] = {key: [] for key in requires}
        for key, needed in requires.items():
            for one in set(needed):
                if one in self._dependants:
                    self._dependants[one].append(key)
        self._heights = heights(requires)
        self._ready = [key for key, count in self._missing.items() if count == 0]
        self._running: dict[asyncio.Task[None], K] = {}
        self._ended: deque[asyncio.Task[None]] = deque()
        self._wake = asyncio.Event()
        self._stopped = False
        self._cancelled: set[asyncio.Task[None]] = set()
        self._begun: set[K] = set()
        self._done: set[K] = set()
        self._outcome: Outcome[K] = Outcome()

    def stop(self) -> None:
        """Begin nothing more and cancel what runs; `run` returns when everything has ended."""
        self._stopped = True
        self._cancel_all()
        self._wake.set()

    def _cancel_all(self) -> None:
        """Each once: a visit that ends what it has under way is not to be torn from that by a second reason."""
        for task in self._running:
            if task not in self._cancelled:
                self._cancelled.add(task)
                task.cancel()

    async def run(self) -> Outcome[K]:
        """Walk to the end. A cancelled caller stops the walk and waits for what runs before it raises."""
        try:
            while True:
                self._begin_ready()
                if not self._running:
                    break
                await self._wake.wait()
                self._wake.clear()
                self._collect()
        except BaseException:
            # Cancelled, or a visit asks for the end of the process: nothing is left running behind.
            self.stop()
            await asyncio.gather(*self._running, return_exceptions=True)
            raise
        self._outcome.skipped = set(self._missing) - self._begun
        return self._outcome

    def _begin_ready(self) -> None:
        """First what most others wait for, one after another: it is first in every queue of the cloud's client."""
        if self._stopped:
            return
        ready, self._ready = self._ready, []
        for key in sorted(ready, key=self._heights.__getitem__, reverse=True):
            self._begun.add(key)
            task = asyncio.ensure_future(self._visit(key))
            assert isinstance(task, asyncio.Task)
            self._running[task] = key
            task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._ended.append(task)
        self._wake.set()

    def _collect(self) -> None:
        while self._ended:
            task = self._ended.popleft()
            key = self._running.pop(task)
            if task.cancelled():
                self._outcome.cancelled.add(key)
                continue
            error = task.exception()
            if error is None:
                self._done.add(key)
                self._release(key)
            elif isinstance(error, Exception):
                self._fail(key, error)
            else:
                raise error

    def _release(self, key: K) -> None:
        for dependant in self._dependants[key]:
            self._missing[dependant] -= 1
            if self._missing[dependant] == 0:
                self._ready.append(dependant)

    def _fail(self, key: K, error: Exception) -> None:
        self._outcome.failed[key] = error
        if not self._stop_on_failure:
            return
        self._stopped = True
        if self._cancel_running:
            self._cancel_all()
