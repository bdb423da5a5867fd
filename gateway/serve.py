"""The composition root of `isotherm serve`: every room in one process, from settings to a listening socket."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from engine.cloud.auth import AuthSettings
from engine.cloud.connection import Connection
from engine.cloud.errors import CloudError
from engine.cloud.identity import Identity
from gateway.composing import bus_of, check_grace, compose, gateway_of, settle_memory, until_stopped
from gateway.config import Settings
from gateway.listening import Listener, StartError
from gateway.state import StateDir, StateInUse

log = structlog.get_logger("isotherm")

# How long a create whose answer was lost may still take effect. The embedded cloud ends with this process.
_EMBEDDED_SETTLE = 2.0


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
    await until_stopped(lambda stack: start(settings, stack))


async def start(settings: Settings, stack: AsyncExitStack) -> str:
    """Start everything, in order; `stack` stops it in the reverse order. Returns the gateway's URL."""
    began = time.perf_counter()
    if settings.database is not None:
        check_grace(settings)
    try:
        state = StateDir.open(settings.state_dir)
    except (StateInUse, OSError) as error:
        raise StartError(str(error)) from error
    stack.callback(state.close)
    socket_runner = Listener(settings.host, settings.port)
    url = await socket_runner.bind()
    stack.push_async_callback(socket_runner.close)
    around = await _surroundings(settings, state, url, stack)
    keys = list(settings.encryption_keys) or [state.key]
    composed = compose(
        replace(settings, engine=replace(settings.engine, settle=_settle(settings))), keys, around.connection,
        around.region, database=settings.database or state.database_url, url=url,
        # A database that is named may have other engines; that of the state directory is under its lock.
        exclusive=settings.database is None, bus=bus_of(settings),
    )  # fmt: skip
    engine = composed.engine
    if settings.database is not None:
        await composed.prepare()
    await engine.start()
    stack.push_async_callback(engine.stop)
    app = gateway_of(
        composed, settings, around.connection, around.region, url,
        authenticate_at=str(around.clouds_yaml["auth"]["auth_url"]), keystone=around.proxied_keystone,
    )  # fmt: skip
    await socket_runner.serve(app, stack)
    _tell_clients(state, url, around)
    settle_memory()
    log.debug("started", seconds=round(time.perf_counter() - began, 3))
    return url


def _settle(settings: Settings) -> float:
    wanted = settings.engine.settle
    return min(wanted, _EMBEDDED_SETTLE) if settings.cloud is None else wanted


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
