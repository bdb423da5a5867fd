"""A bounded cache whose entries grow old, and where one question is asked once however many wait for it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from engine.model.clock import Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TtlCache(Generic[K, V]):
    """Least recently used entries go first when there are more than `size`."""

    def __init__(self, size: int, clock: Clock) -> None:
        self._size, self._clock = size, clock
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._asking: dict[K, asyncio.Task[V]] = {}

    def get(self, key: K) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[0] <= self._clock.monotonic():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry[1]

    def put(self, key: K, value: V, seconds: float) -> None:
        self._entries[key] = (self._clock.monotonic() + seconds, value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def drop(self, key: K) -> None:
        self._entries.pop(key, None)

    async def get_or_ask(self, key: K, ask: Callable[[], Awaitable[V]], seconds: float | Callable[[V], float]) -> V:
        """Return the kept value, or what `ask` returns, kept for `seconds` (or as long as `seconds` of it says).

        Raises what `ask` raises; failures are not kept. A waiter that is cancelled leaves the question to the others.
        """
        kept = self.get(key)
        if kept is not None:
            return kept
        task = self._asking.get(key)
        if task is None:
            task = asyncio.ensure_future(self._ask(key, ask, seconds))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._asked(key, done))
        return await asyncio.shield(task)

    async def _ask(self, key: K, ask: Callable[[], Awaitable[V]], seconds: float | Callable[[V], float]) -> V:
        value = await ask()
        self.put(key, value, seconds(value) if callable(seconds) else seconds)
        return value

    def _asked(self, key: K, task: asyncio.Task[V]) -> None:
        self._asking.pop(key, None)
        if not task.cancelled():
            task.exception()  # waiters were told; when all of them were cancelled nobody is left to be told
