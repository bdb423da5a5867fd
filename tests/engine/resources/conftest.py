"""A cloud to drive types on: the simulator, over real HTTP, with two of its users."""

from __future__ import annotations

import pytest

from engine.cloud.auth import AuthSettings
from engine.cloud.connection import Connection
from engine.cloud.settings import CloudSettings
from simulator import Settings, Simulator

FAST = CloudSettings(retry_base_delay=0.01, retry_max_delay=0.05)


@pytest.fixture
async def simulator():
    started = Simulator(Settings(build_seconds=0.05, delete_seconds=0.02))
    await started.start(host="127.0.0.1", port=0)
    yield started
    await started.stop()


def _auth(simulator, user):
    return AuthSettings(
        simulator.auth_url, username=user, password=simulator.seed.passwords[user], user_domain_name="Default",
        project_name=user, project_domain_name="Default",
    )  # fmt: skip


@pytest.fixture
async def cloud(simulator):
    connection = await Connection.open(auth=_auth(simulator, "demo"), settings=FAST)
    yield await connection.own()
    await connection.close()


@pytest.fixture
async def admin(simulator):
    connection = await Connection.open(auth=_auth(simulator, "admin"), settings=FAST)
    yield await connection.own()
    await connection.close()
