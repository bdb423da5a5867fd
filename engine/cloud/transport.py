"""One HTTP exchange with a deadline, over one shared connection pool. Knows neither tokens nor services."""

from __future__ import annotations

import asyncio
import contextvars
import json
import ssl
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from aiohttp.connector import Connection
from yarl import URL

from engine.cloud.border import Asked, lost
from engine.cloud.errors import Permanent, Temporary
from engine.cloud.permit import permit
from engine.cloud.settings import CloudSettings

#: Sent as X-OpenStack-Request-ID with every call made on behalf of a request; services write it to their logs.
request_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("request_id", default=None)

_JSON = "application/json"
#: Methods that change nothing.
READING = frozenset({"GET", "HEAD", "OPTIONS"})

#: The permit of the request that this task is sending.
_guard: contextvars.ContextVar[Callable[[], None] | None] = contextvars.ContextVar("guard", default=None)


class _Permitted(aiohttp.ClientRequest):
    """Asks for the permit once it has its connection."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        guard = _guard.get()
        if guard is not None:
            guard()
        return await super().send(conn)


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is parsed JSON or None; `text` the start of what was no JSON; header names are lower-case; `raw` is all
    of it as it came."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str
    raw: bytes = field(default=b"", repr=False)


def _encoded(body: Any) -> bytes:
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:  # whole numbers beyond 64 bits: the service says what it thinks of them
        return json.dumps(body).encode()


class Transport:
    """The process's way out. `ssl_context` None means the system's certificates."""

    def __init__(self, settings: CloudSettings, ssl_context: ssl.SSLContext | bool = True) -> None:
        self._settings, self._ssl = settings, ssl_context
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        """The session belongs to the loop that is running at the first call."""
        settings = self._settings
        connector = aiohttp.TCPConnector(
            limit=settings.max_connections, keepalive_timeout=settings.idle_connection_timeout, ssl=self._ssl
        )
        timeout = aiohttp.ClientTimeout(total=settings.request_timeout, sock_connect=settings.connect_timeout)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept": _JSON, "User-Agent": "isotherm"},
            auto_decompress=True,
            request_class=_Permitted,
        )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(
        self,
        asked: Asked,
        url: str,
        headers: Mapping[str, str],
        *,
        json: Any = None,
        data: bytes | None = None,
    ) -> Answer:
        """Send once, never twice. Raises Temporary when nothing was sent, or when sending again does no harm;
        OutcomeUnknown when the request may have been carried out; Permanent for an address that cannot be right; what
        the permit raises, when something is to be changed and nothing was sent."""
        session = self._session or self._open()
        sent = dict(headers)
        sent["X-OpenStack-Request-ID"] = request_id.get() or f"req-{uuid.uuid4()}"
        if json is not None:
            data = _encoded(json)
            sent.setdefault("Content-Type", _JSON)
        asking = _guard.set(None if asked.method in READING or _for_a_token(asked) else permit.get())
        try:
            async with session.request(
                asked.method, URL(url), headers=sent, data=data, allow_redirects=False
            ) as response:
                raw = await self._read(asked, response)
                return _answer(response, raw)
        except aiohttp.ClientConnectorCertificateError as error:
            raise Permanent(
                f"{asked.service_name} could not be asked {asked}: its certificate is not trusted."
            ) from error
        except aiohttp.ClientConnectorError as error:
            raise Temporary(
                f"{asked.service_name} could not be reached for {asked} at {URL(url).origin()}: {error.os_error}."
            ) from error
        except aiohttp.InvalidURL as error:
            raise Permanent(f"{asked.service_name} has no usable address in the catalogue.") from error
        except aiohttp.ConnectionTimeoutError as error:
            raise Temporary(
                f"{asked.service_name} could not be reached for {asked} within {self._settings.connect_timeout:g} s."
            ) from error
        except TimeoutError as error:
            seconds = self._settings.request_timeout
            raise lost(asked, f"{asked.service_name} did not answer {asked} within {seconds:g} s.") from error
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
            what = str(error) or type(error).__name__
            raise lost(asked, f"{asked.service_name} broke off the connection at {asked}: {what}.") from error
        finally:
            _guard.reset(asking)

    async def _read(self, asked: Asked, response: aiohttp.ClientResponse) -> bytes:
        limit = self._settings.max_response_bytes
        parts, size = [], 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > limit:
                raise Permanent(f"{asked.service_name} answered {asked} with more than {limit} bytes.")
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _for_a_token(asked: Asked) -> bool:
    """Several runs wait for one token: it is nobody's lease that it depends on."""
    return asked.service == "identity" and asked.path.endswith(("/auth/tokens", "/ec2tokens"))


def _answer(response: aiohttp.ClientResponse, raw: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    body, text = None, ""
    if raw:
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            text = raw[:4000].decode("utf-8", "replace")
    return Answer(response.status, headers, body, text, raw)
