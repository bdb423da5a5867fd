"""Writing transactions run to their end, whoever stops waiting for them.

A statement that is cancelled on its way through aiosqlite leaves its connection behind with the transaction open, and
with it SQLite's one write lock, until the garbage collector finds it: every other writer would wait for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def uncancelled(act: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """`act`, so that a cancelled caller gets its CancelledError once `act` has ended."""

    @wraps(act)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        task = asyncio.ensure_future(act(*args, **kwargs))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.done():
                await asyncio.wait({task})
            raise

    return run
