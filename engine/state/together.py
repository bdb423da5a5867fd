"""Questions that come while one is under way are asked together: a busy process spends one round trip on many.

The first question is not kept waiting for others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MOST = 500  # questions of one round


class Together(Generic[K, V]):
    """`ask` answers several keys; a key it leaves out is answered None. Each question is sent after it was put: nobody
    is given an answer that is older than the question."""

    def __init__(self, ask: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._ask = ask
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """The answer for `key`. Raises what `ask` raises. Who stops waiting does not stop the asking."""
        answer = self._waiting.get(key)
        if answer is None:
            answer = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._rounds(), name="together")
        return await asyncio.shield(answer)

    async def _rounds(self) -> None:
        try:
            while self._waiting:
                keys = list(self._waiting)[:_MOST]
                asked = {key: self._waiting.pop(key) for key in keys}
                try:
                    found = await self._ask(keys)
                except BaseException as error:
                    for answer in asked.values():
                        _fail(answer, error)
                    if not isinstance(error, Exception):
                        raise
                else:
                    for key, answer in asked.items():
                        if not answer.done():
                            answer.set_result(found.get(key))
        finally:
            self._task = None
            for answer in self._waiting.values():  # only when the loop itself is being ended
                answer.cancel()
            self._waiting.clear()


def _fail(answer: asyncio.Future[V | None], error: BaseException) -> None:
    if answer.done():
        return
    if isinstance(error, asyncio.CancelledError):
        answer.cancel()
    else:
        answer.set_exception(error)
        answer.exception()  # asked for, so that an abandoned waiter leaves no warning
