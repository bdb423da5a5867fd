"""The composition root of `isotherm serve`: every room in one process, from settings to a listening socket."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from engine.cloud.auth import AuthSettings
from engine.cloud.clouds import Clouds
from engine.cloud.connection import Connection, tls_of
from engine.cloud.errors import CloudError
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
from gateway.fetch import Fetcher, FetchSettings
from gateway.log import configure
from gateway.signals import SignalUrls
from gateway.state import StateDir, StateInUse
from mappings import Mappings
from translators.translator import Translator

log = structlog.get_logger("isotherm")

# How long a create whose answer was lost may still take effect. The embedded cloud ends with this process.
_EMBEDDED_SETTLE = 2.0
_STOP_WITHIN = 10.0  # seconds for requests under way when stopping


class StartError(Exception):
    """Serving could not begin; the text says why and the way out."""


@dataclass(slots=True)
class Surroundings:
    """The cloud behind the engine, and what clients are told about it."""

    connection: Connection
    clouds_yaml: dict[str, Any]
    ec2_key: tuple[str, str]
    region: str
    proxied_keystone: str | None = None
    more_clouds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises StartError."""
    configure()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        url = await start(settings, stack)
        log.info(f"isotherm is ready at {url}")  # noqa: G004  (the line that clients wait for)
        await stop.wait()
        log.info("stopping; what runs is carried on at the next start")


async def start(settings: Settings, stack: AsyncExitStack) -> str:
    """Start everything, in order; `stack` stops it in the reverse order. Returns the gateway's URL."""
    began = time.perf_counter()
    try:
        state = StateDir.open(settings.state_dir)
    except (StateInUse, OSError) as error:
        raise StartError(str(error)) from error
    stack.callback(state.close)
    socket_runner = _Listener(settings)
    url = await socket_runner.bind()
    stack.push_async_callback(socket_runner.close)
    around = await _surroundings(settings, state, url, stack)
    vault = Vault(settings.encryption_keys or [state.key])
    database = Database(settings.database or state.database_url)
    clouds = Clouds(around.connection, StandingDelegations(database, vault))
    fetcher = Fetcher(FetchSettings(allowed_networks=settings.allowed_template_networks))
    key = settings.encryption_keys[0] if settings.encryption_keys else state.key
    urls = SignalUrls(_derived(key), settings.heat_waitcondition_server_url or url)
    engine = Engine.of(
        EngineParts(
            database=database,
            vault=vault,
            translator=Translator(Mappings([Path(one) for one in settings.mapping_dirs])),
            clouds=clouds,
            registry=Registry(),
            fetch=fetcher.fetch,
            signal_url=lambda stack_id, address, kind, project: urls.make_url(stack_id, address, kind, project),
            settings=replace(settings.engine, region=around.region, settle=_settle(settings)),
        )
    )
    await engine.start()
    stack.push_async_callback(engine.stop)
    parts = GatewayParts(
        engine=engine, identity=Identity(around.connection), urls=urls, fetch=fetcher.fetch, region=around.region,
        url=url, max_nested_stack_depth=settings.engine.max_nested_stack_depth,
        authenticate_at=str(around.clouds_yaml["auth"]["auth_url"]), policy_file=settings.policy_file,
        keystone=around.proxied_keystone, keystone_tls=tls_of(around.connection.auth),
    )  # fmt: skip
    try:
        app = build(parts)
    except PolicyFileError as error:
        raise StartError(str(error)) from error
    await socket_runner.serve(app, stack)
    _tell_clients(state, url, around)
    log.debug("started", seconds=round(time.perf_counter() - began, 3))
    return url


def _settle(settings: Settings) -> float:
    wanted = settings.engine.settle
    return min(wanted, _EMBEDDED_SETTLE) if settings.cloud is None else wanted


def _derived(key: str) -> bytes:
    """A key for signal URLs, so that the sealing key signs nothing that leaves the house."""
    return hashlib.sha256(b"signal-urls:" + key.encode()).digest()


# --- the cloud --------------------------------------------------------------------------------------------------------
async def _surroundings(settings: Settings, state: StateDir, url: str, stack: AsyncExitStack) -> Surroundings:
    try:
        if settings.cloud is None:
            return await _embedded(settings, state, url, stack)
        return await _real(settings, settings.cloud, url, stack)
    except CloudError as error:
        raise StartError(f"The cloud cannot be used: {error}") from error


async def _embedded(settings: Settings, state: StateDir, url: str, stack: AsyncExitStack) -> Surroundings:
    from simulator import Settings as SimulatorSettings
    from simulator import Simulator

    simulator = Simulator(
        SimulatorSettings(state_file=state.path / "simulator.db", build_seconds=settings.simulator_build_seconds)
    )
    # Its control paths need no token: it is for this machine alone, whatever the gateway listens on.
    await simulator.start(host="127.0.0.1", port=0)
    stack.push_async_callback(simulator.stop)
    simulator.add_service_catalog("orchestration", f"{url}/v1/%(project_id)s")
    simulator.add_service_catalog("cloudformation", f"{url}/")
    seed = simulator.seed
    auth = AuthSettings(
        simulator.auth_url, username=seed.service_user, password=seed.passwords[seed.service_user],
        user_domain_name="Default", project_name="service", project_domain_name="Default",
    )  # fmt: skip
    connection = await Connection.open(auth=auth, settings=settings.clouds)
    stack.push_async_callback(connection.close)
    entry: dict[str, Any] = {
        "auth": {
            "auth_url": simulator.auth_url,
            "username": "demo",
            "password": seed.passwords["demo"],
            "project_name": "demo",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        },
        "region_name": seed.region,
        "identity_api_version": "3",
    }
    # Some commands are an administrator's (`openstack orchestration service list`).
    admin = {
        **entry,
        "auth": {**entry["auth"], "username": "admin", "password": seed.passwords["admin"], "project_name": "admin"},
    }
    return Surroundings(
        connection, entry, (seed.ec2_access, seed.ec2_secret), settings.region or seed.region,
        more_clouds={"isotherm-admin": admin},
    )  # fmt: skip


async def _real(settings: Settings, cloud: str, url: str, stack: AsyncExitStack) -> Surroundings:
    connection = await Connection.open(cloud, settings=settings.clouds)
    stack.push_async_callback(connection.close)
    own = await connection.own()
    key = await Identity(connection).ensure_ec2_key()
    auth = connection.auth
    told = {
        name: value
        for name in (
            "username", "user_id", "password", "user_domain_name", "user_domain_id", "project_name", "project_id",
            "project_domain_name", "project_domain_id", "application_credential_id", "application_credential_name",
            "application_credential_secret", "token", "trust_id",
        )
        if (value := getattr(auth, name)) is not None
    }  # fmt: skip
    entry: dict[str, Any] = {
        "auth": {"auth_url": f"{url}/identity/v3", **told},
        "region_name": own.region,
        "identity_api_version": "3",
        # Keystone's own catalogue would lead past the proxy that adds our endpoints.
        "identity_endpoint_override": f"{url}/identity/v3",
    }
    if auth.application_credential_id or auth.application_credential_name:
        entry["auth_type"] = "v3applicationcredential"
    if not auth.verify:
        entry["verify"] = False
    if auth.cacert:
        entry["cacert"] = auth.cacert
    return Surroundings(connection, entry, key, settings.region or own.region, auth.identity_root.removesuffix("/v3"))


def _tell_clients(state: StateDir, url: str, around: Surroundings) -> None:
    access, secret = around.ec2_key
    values: Mapping[str, str] = {
        "AWS_ENDPOINT_URL_CLOUDFORMATION": url,
        "AWS_ACCESS_KEY_ID": access,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": around.region,
    }
    state.write_aws_env(values)
    state.write_clouds_yaml({"isotherm": around.clouds_yaml, **around.more_clouds})


# --- the socket -------------------------------------------------------------------------------------------------------
class _Listener:
    """Binds before anything else starts, because URLs need the port; answers once there is something to answer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._socket: Any = None
        self._runner: web.AppRunner | None = None

    async def bind(self) -> str:
        """Take the address. Returns the URL; raises StartError when it is taken."""
        import socket

        host, port = self._settings.host, self._settings.port
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
