"""Calls that change something are waited for, whoever stops wanting them.

What was sent takes effect, now or in a while. Who goes on before its answer looks at a cloud that is about to change:
a rollback would find nothing to take away, and the object would be there a moment later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_its_end(call: Coroutine[Any, Any, T]) -> T:
    """What `call` returns. Who is cancelled meanwhile gets the CancelledError when `call` has ended; a second
    cancellation (the process stops) ends `call` too."""
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not task.cancelled():
            task.exception()  # nobody is left who would be told
        raise
