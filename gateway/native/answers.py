"""Bodies of answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web


def data(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON document."""
    try:
        content = orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:  # numbers beyond 64 bits and halves of surrogate pairs, which templates may hold
        content = json.dumps(body).encode()
    return web.Response(status=status, body=content, content_type="application/json", headers=headers)


def accepted() -> web.Response:
    """What Heat says to PUT and PATCH (TRAP-03)."""
    return web.Response(status=202, text="202 Accepted\n\nThe request is accepted for processing.\n\n   ")


def nothing() -> web.Response:
    return web.Response(status=204)
