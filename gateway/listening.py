"""The gateway's socket: taken before anything else starts, answered on once there is something to answer."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack

from aiohttp import web

_STOP_WITHIN = 10.0  # seconds for requests under way when stopping


class StartError(Exception):
    """Serving could not begin; the text says why and the way out."""


class Listener:
    """Binds before anything else starts, because URLs need the port; answers once there is something to answer."""

    def __init__(self, host: str, port: int) -> None:
        """`port` 0 takes a free one."""
        self._host, self._port = host, port
        self._socket: socket.socket
        self._runner: web.AppRunner | None = None

    async def bind(self) -> str:
        """Take the address. Returns the URL; raises StartError when it is taken."""
        host, port = self._host, self._port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            raise StartError(f"Cannot listen on {host}:{port}: {error.strerror}. Give another --port.") from error
        self._socket = listener
        shown = "127.0.0.1" if host in ("0.0.0.0", "") else f"[{host}]" if family == socket.AF_INET6 else host  # noqa: S104
        return f"http://{shown}:{listener.getsockname()[1]}"

    async def serve(self, app: web.Application, stack: AsyncExitStack) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_WITHIN)
        await self._runner.setup()
        stack.push_async_callback(self._runner.cleanup)
        await web.SockSite(self._runner, self._socket).start()

    async def close(self) -> None:
        self._socket.close()
