"""How long a resource waits for others. It counts from the beginning of the wait, whichever engine goes on with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed

_WAIT = "wait"  # a note: for what, and since when, in microseconds of wall time


def mark_of(value: Value) -> str:
    """The same for the same value, and short."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


@asynccontextmanager
async def patience(op: Operation, seconds: float, mark: str) -> AsyncIterator[float]:
    """The moment of `op.services.monotonic()` when `seconds` have passed since the wait for `mark` began, or the step
    must have ended."""
    wait = op.data.get(_WAIT)
    if wait is None or wait["for"] != mark:
        wait = {"for": mark, "since": op.services.now()}
        await op.remember(**{_WAIT: wait})
    left = seconds - (op.services.now() - wait["since"]) / 1e6
    try:
        yield min(op.services.monotonic() + left, op.deadline)
    except OperationFailed:
        await op.remember(**{_WAIT: None})
        raise
    await op.remember(**{_WAIT: None})
