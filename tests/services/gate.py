"""A way to a server that can be closed, and frozen: a broken and a silent network, on this side of the server."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")


class Gate:
    """Listens on `port` of the loopback interface and passes everything on to `host`:`target`. Its methods may be
    called from any thread."""

    def __init__(self, host: str, target: int) -> None:
        self._host, self._target = host, target
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.Task[None]] = set()
        self._moving: asyncio.Event
        self._open = True
        self._server: asyncio.Server
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port: int = self._do(self._listen())

    @classmethod
    def to(cls, url: str, port: int) -> Gate:
        """One to the server of `url`, at `port` unless that says another."""
        where = urlsplit(url)
        return cls(where.hostname or "127.0.0.1", where.port or port)

    def shut(self) -> None:
        """Cut every connection, and every new one at once."""
        self._open = False
        self._do(self._cut())

    def open(self) -> None:
        self._open = True

    def cut(self) -> None:
        """Cut every connection; new ones are let through."""
        self._do(self._cut())

    def freeze(self) -> None:
        """Nothing arrives any more, and nobody is told."""
        self._loop.call_soon_threadsafe(self._moving.clear)

    def thaw(self) -> None:
        self._loop.call_soon_threadsafe(self._moving.set)

    def close(self) -> None:
        self._do(self._cease())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _do(self, act: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(act, self._loop).result(10)

    async def _listen(self) -> int:
        self._moving = asyncio.Event()
        self._moving.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _cut(self) -> None:
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _cease(self) -> None:
        self._server.close()
        await self._cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if self._open:
                await self._pass_on(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # a connection ends, that is all
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._moving.wait()
        there, back = await asyncio.open_connection(self._host, self._target)
        try:
            ways = [asyncio.ensure_future(self._copy(reader, back)), asyncio.ensure_future(self._copy(there, writer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            back.transport.abort()

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await self._moving.wait()
                sink.write(data)
                await sink.drain()
