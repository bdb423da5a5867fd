"""The composition roots of `isotherm api` and `isotherm engine`: any number of each on one database and one broker."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import AsyncExitStack

import structlog

from engine.cloud.connection import Connection
from engine.cloud.errors import CloudError, OutcomeUnknown, Temporary
from engine.state.database import SchemaMismatch
from gateway.composing import Composed, bus_of, check_grace, compose, gateway_of, settle_memory, until_stopped
from gateway.config import Settings
from gateway.listening import Listener, StartError

log = structlog.get_logger("isotherm")
_CLOUD_WITHIN = 60.0  # seconds that a start waits for a cloud that is away


async def run_api(settings: Settings) -> None:
    """Answer requests until SIGTERM or SIGINT. Raises StartError."""
    await until_stopped(lambda stack: start_api(settings, stack))


async def run_engine(settings: Settings) -> None:
    """Run stacks until SIGTERM or SIGINT. Raises StartError."""
    await until_stopped(lambda stack: start_engine(settings, stack))


async def start_api(settings: Settings, stack: AsyncExitStack) -> str:
    """A gateway that runs nothing. Returns its URL."""
    _check(settings)
    listener = Listener(settings.host, settings.port)
    url = await listener.bind()
    stack.push_async_callback(listener.close)
    connection, region = await _cloud(settings, stack)
    composed = await _start(settings, connection, region, url, stack, runs=False)
    app = gateway_of(composed, settings, connection, region, url, authenticate_at=connection.auth.identity_root)
    await listener.serve(app, stack)
    settle_memory()
    return url


async def start_engine(settings: Settings, stack: AsyncExitStack) -> str:
    """An engine without a gateway. Returns a name for it."""
    _check(settings)
    check_grace(settings)
    if settings.heat_waitcondition_server_url is None:
        raise StartError(
            "An engine answers no requests itself: set heat_waitcondition_server_url to the URL at which servers of "
            "the cloud reach an `isotherm api`."
        )
    connection, region = await _cloud(settings, stack)
    await _start(settings, connection, region, settings.heat_waitcondition_server_url, stack, runs=True)
    settle_memory()
    return f"{socket.gethostname()}, as an engine"


def _check(settings: Settings) -> None:
    missing = [
        name
        for name, value in (
            ("database", settings.database), ("cloud_name", settings.cloud),
            ("auth_encryption_key", settings.encryption_keys), ("transport_url", settings.transport_url),
        )
        if not value
    ]  # fmt: skip
    if missing:
        raise StartError(
            f"[DEFAULT] {', '.join(missing)} must be set in isotherm.conf, the same for every api and engine: "
            "they share the database, its keys, the message broker and the cloud."
        )


async def _cloud(settings: Settings, stack: AsyncExitStack) -> tuple[Connection, str]:
    """The cloud and the region; a cloud that is away for a moment is waited for."""
    until, pause = time.monotonic() + _CLOUD_WITHIN, 0.5
    while True:
        try:
            connection = await Connection.open(settings.cloud, settings=settings.clouds)
            try:
                region = settings.region or (await connection.own()).region
            except BaseException:
                await connection.close()
                raise
        except (Temporary, OutcomeUnknown) as error:
            if time.monotonic() > until:
                raise StartError(f"The cloud cannot be used: {error}") from error
            log.warning("the cloud is away", error=str(error), again_in=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, 10)
        except CloudError as error:
            raise StartError(f"The cloud cannot be used: {error}") from error
        else:
            stack.push_async_callback(connection.close)
            return connection, region


async def _start(
    settings: Settings, connection: Connection, region: str, url: str, stack: AsyncExitStack, *, runs: bool
) -> Composed:
    assert settings.database is not None
    composed = compose(
        settings, settings.encryption_keys, connection, region, database=settings.database, url=url, exclusive=False,
        runs=runs, bus=bus_of(settings),
    )  # fmt: skip
    try:
        await composed.engine.start()
    except SchemaMismatch as error:
        raise StartError(str(error)) from error
    stack.push_async_callback(composed.engine.stop)
    return composed
