"""Calling macros: each is a URL that the operator configured, which answers as AWS's Lambda functions do.

`[macros] Name = URL` in isotherm.conf. The event is posted as JSON; the answer is JSON (cloudformation.md L89).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import aiohttp
import orjson

from engine.model.diagnostic import Invalid, invalid
from engine.model.value import Value
from engine.runs.outside import no_macro

_LARGEST: Final = 6 * 1024 * 1024  # bytes of an answer: AWS's limit for a function that is waited for


class Macros:
    """`urls` by name. The operator says where they are, so they may be in the operator's own network."""

    def __init__(self, urls: Mapping[str, str], *, seconds: float = 60, at_once: int = 16) -> None:
        self._urls = dict(urls)
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._slots = asyncio.Semaphore(at_once)

    async def call(self, name: str, event: Mapping[str, Value]) -> Value:
        """What the macro answered, None when that was no JSON. Raises Invalid."""
        url, full = self._urls.get(name), str(event["transformId"])
        if url is None:
            raise no_macro(full)
        try:
            async with self._slots, aiohttp.ClientSession(timeout=self._timeout) as session:
                headers = {"Content-Type": "application/json"}
                async with session.post(url, data=orjson.dumps(event), headers=headers) as answer:
                    raw = await answer.content.read(_LARGEST + 1)
                    while len(raw) <= _LARGEST and (more := await answer.content.read(_LARGEST + 1 - len(raw))):
                        raw += more
                    status = answer.status
        except TimeoutError as error:
            raise _failed(full, f"it gave no answer within {self._timeout.total:g} seconds") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failed(full, f"it cannot be called: {type(error).__name__}: {error}") from error
        if len(raw) > _LARGEST:
            raise _failed(full, f"its answer is larger than {_LARGEST} bytes")
        if status != 200:
            raise _failed(full, f"it answered with the status {status}")
        return _parsed(raw)


def _parsed(raw: bytes) -> Value:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


def _failed(full_name: str, why: str) -> Invalid:
    return invalid("TransformFailed", f"Transform {full_name} failed with: {why}.", "Ask whoever runs the macro.")
