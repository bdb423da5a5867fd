"""What every kind of process is composed of, from settings to an engine and its gateway."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from aiohttp import web

from engine.bus import Bus, LocalBus
from engine.cloud.clouds import Clouds
from engine.cloud.connection import Connection, tls_of
from engine.cloud.identity import Identity
from engine.door import Engine
from engine.door.lifecycle import EngineParts
from engine.resources.registry import Registry
from engine.state.database import Database
from engine.state.delegations import StandingDelegations
from engine.state.vault import Vault
from gateway.app import GatewayParts, build
from gateway.auth.policy import PolicyFileError
from gateway.config import Settings
from gateway.custom_resources import CustomResources
from gateway.fetch import Fetcher, FetchSettings, Guard
from gateway.listening import StartError
from gateway.log import configure
from gateway.notifications import notifier_of
from gateway.operator import load_operator
from gateway.signals import SignalUrls
from gateway.transforms import TransformRunners
from mappings import Mappings
from translators.translator import Translator

log = structlog.get_logger("isotherm")


@dataclass(frozen=True, slots=True)
class Composed:
    """An engine that is not started, and what its gateway needs besides."""

    engine: Engine
    urls: SignalUrls
    fetch: Callable[[str], Awaitable[str]]
    prepare: Callable[[], Awaitable[object]]  # brings the database's schema up to date


def bus_of(settings: Settings) -> Bus:
    """RabbitMQ where one is configured, else this process's own ears."""
    from engine.bus.amqp import AmqpBus

    if settings.transport_url is None:
        return LocalBus()
    return AmqpBus(settings.transport_url, prefix=settings.transport_prefix)


def compose(
    settings: Settings, keys: Sequence[str], connection: Connection, region: str, *, database: str, url: str,
    exclusive: bool = True, runs: bool = True, bus: Bus | None = None,
) -> Composed:  # fmt: skip
    """`keys` seal secrets, `url` is where signals arrive unless the configuration says; see `EngineParts`. Raises
    StartError."""
    vault, store = Vault(list(keys)), Database(database)
    fetcher = Fetcher(FetchSettings(allowed_networks=settings.allowed_template_networks))
    urls = SignalUrls(_derived(keys[0]), settings.heat_waitcondition_server_url or url)
    engine = Engine.of(
        EngineParts(
            database=store,
            vault=vault,
            translator=Translator(
                Mappings([Path(one) for one in settings.mapping_dirs], settings.mapping),
                load_operator(settings.environment_dir),
            ),
            clouds=Clouds(connection, StandingDelegations(store, vault)),
            registry=Registry(),
            fetch=fetcher.fetch,
            transforms=TransformRunners(settings.macros),
            handlers=CustomResources(
                settings.custom_resources,
                Guard(settings.allowed_template_networks) if settings.allow_custom_resource_urls else None,
            ),
            signal_url=lambda stack_id, address, kind, project: urls.make_url(stack_id, address, kind, project),
            settings=replace(settings.engine, region=region),
            exclusive=exclusive,
            runs=runs,
            bus=bus or LocalBus(),
            notifier=notifier_of(settings.notifications, settings.transport_url),
        )
    )
    return Composed(engine, urls, fetcher.fetch, store.prepare)


def check_grace(settings: Settings) -> None:
    """A call of a dead engine ends within its time limit; who takes over must not ask the cloud before that. Raises
    StartError."""
    grace, limit = settings.engine.grace, settings.clouds.request_timeout
    if grace < limit:
        raise StartError(
            f"[engine] grace is {grace:g} s and [cloud] request_timeout {limit:g} s: an engine would take over a stack "
            f"while the last calls of a dead one may still be under way. Set grace to {limit:g} or more."
        )


def gateway_of(
    composed: Composed, settings: Settings, connection: Connection, region: str, url: str, *, authenticate_at: str,
    keystone: str | None = None,
) -> web.Application:  # fmt: skip
    """The gateway on a composed engine. Raises StartError."""
    parts = GatewayParts(
        engine=composed.engine, identity=Identity(connection), urls=composed.urls, fetch=composed.fetch, region=region,
        url=url, max_nested_stack_depth=settings.engine.max_nested_stack_depth, authenticate_at=authenticate_at,
        policy_file=settings.policy_file, keystone=keystone, keystone_tls=tls_of(connection.auth),
    )  # fmt: skip
    try:
        return build(parts)
    except PolicyFileError as error:
        raise StartError(str(error)) from error


def _derived(key: str) -> bytes:
    """A key for signal URLs, so that the sealing key signs nothing that leaves the house."""
    return hashlib.sha256(b"signal-urls:" + key.encode()).digest()


def settle_memory() -> None:
    """What start-up made lives as long as the process: the collector need not walk it again and again.

    A template of a thousand resources is a burst of objects that all live; with CPython's default thresholds a third
    of its parsing would be spent on collections that find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def until_stopped(start: Callable[[AsyncExitStack], Awaitable[str]]) -> None:
    """Start, say where (`start` returns it), and go on until SIGTERM or SIGINT. Raises StartError."""
    configure()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        where = await start(stack)
        log.info(f"isotherm is ready at {where}")  # noqa: G004  (the line that clients wait for)
        await stop.wait()
        log.info("stopping; what runs is carried on at the next start")
