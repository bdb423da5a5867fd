"""A server in an event loop of its own, beside the test that asks it."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Any, Self


class Beside(ABC):
    """`start` it before the tests, `stop` it after. `call` runs a coroutine inside."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> Self:
        self._thread.start()
        self.call(self._open())
        return self

    def stop(self) -> None:
        self.call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def call(self, work: Awaitable[Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(_whole(work), self._loop).result(30)

    @abstractmethod
    async def _open(self) -> None: ...

    @abstractmethod
    async def _close(self) -> None: ...


async def _whole(work: Awaitable[Any]) -> Any:
    return await work
