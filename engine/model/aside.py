"""Work that would hold the event loop, done in a thread beside it.

A template of 400 KB takes half a second to read, and a YAQL expression may keep its caller waiting for half a second of
another process's time. Everything that is done with templates is plain functions; their asynchronous callers choose.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

LONG: Final = 50_000  # characters of a template; a shorter one is read sooner than a thread could be trusted with it

_Made = TypeVar("_Made")


async def aside(work: Callable[[], _Made], *, when: bool = True) -> _Made:
    """What `work` returns, done in a thread where `when` says that it may take long. Raises what it raises."""
    return await asyncio.to_thread(work) if when else work()
