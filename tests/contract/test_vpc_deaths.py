"""6: the engine dies after each single call that changes anything, and the next one goes on (V14)."""

from __future__ import annotations

import asyncio
import json
import shutil
import uuid

import pytest
import yaml
from cryptography.fernet import Fernet

from engine.cloud.auth import AuthSettings
from engine.cloud.connection import Connection
from engine.door import Engine
from engine.door.lifecycle import EngineParts
from engine.model.source import Source
from engine.model.stack import Caller, Options
from engine.model.status import Action, OnFailure, Status
from engine.resources.registry import Registry
from engine.runs.context import EngineSettings
from engine.state.database import Database
from engine.state.vault import Vault
from mappings import Mappings
from tests.contract.conftest import REAL
from tests.contract.test_vpc import T3, Net, everyone_inside_reaches_everyone
from translators.translator import Translator

#: Calls that were not answered were not sent either, so looking for what they made may end soon.
SETTINGS = EngineSettings(settle=0.2, sweep_interval=1)
LIVES = 400


class Mortal:
    """A cloud whose user dies when a call that changes something has been answered for the first time.

    `answered` are the calls of earlier lives: repeating one (a PUT that changes nothing) is no new moment to die at.
    """

    def __init__(self, cloud, answered):
        self._cloud, self.died, self._answered = cloud, asyncio.Event(), answered
        self._answering = False

    def __getattr__(self, name):
        return getattr(self._cloud, name)

    async def request(self, service, method, path, **more):
        if method in ("GET", "HEAD"):
            return await self._cloud.request(service, method, path, **more)
        call = (service, method, path, json.dumps(more.get("json"), sort_keys=True))
        if call in self._answered and method != "POST":
            return await self._cloud.request(service, method, path, **more)
        if not self._answering:
            self._answering = True
            try:
                await self._cloud.request(service, method, path, **more)
            finally:
                self._answered.add(call)
                self.died.set()
        return await asyncio.Event().wait()  # the dead learn nothing


class Clouds:
    def __init__(self, cloud):
        self.cloud = cloud

    async def for_caller(self, caller):
        return self.cloud

    async def establish(self, caller):
        return {}

    async def for_delegation(self, delegation):
        return self.cloud

    async def revoke(self, delegation):
        return


class Told:
    """One stack, and one engine after another on it."""

    def __init__(self, folder, cloud):
        self.path, self.cloud, self.key = folder / "state.db", cloud, Fernet.generate_key()
        self.caller = Caller(cloud.user_id, cloud.project_id, user_name="mira")
        self.id, self.answered = "", set()

    async def live(self, begin=None, *, mortal):
        """One engine's life; returns the stack when it has come to its end, None when the engine died before."""
        others = asyncio.all_tasks()
        cloud = Mortal(self.cloud, self.answered) if mortal else self.cloud
        database = Database(f"sqlite+aiosqlite:///{self.path}")
        parts = EngineParts(
            database, Vault([self.key.decode()]), Translator(Mappings()), Clouds(cloud), Registry(plugins=False),
            None, lambda *a: "", settings=SETTINGS,
        )  # fmt: skip
        engine = Engine.of(parts)
        await engine.start()
        if begin is not None:
            await begin(engine)
        while not (mortal and cloud.died.is_set()):
            stack = await engine.find_stack(self.caller, self.id)
            if stack.status is not Status.IN_PROGRESS:
                await engine.stop()
                return stack
            await asyncio.sleep(0.02)
        while left := asyncio.all_tasks() - others - {asyncio.current_task()}:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=0.01)
        await database.close()
        self._leave_behind()
        return None

    def _leave_behind(self):
        """What a killed process leaves is in its files; connections of the dead may still hold locks on them."""
        before, self.path = self.path, self.path.with_name(f"{uuid.uuid4().hex}.db")
        for suffix in ("", "-wal"):
            if before.with_name(before.name + suffix).exists():
                shutil.copy(before.with_name(before.name + suffix), self.path.with_name(self.path.name + suffix))

    async def lives(self, begin):
        """Live and die until the stack is at its end; returns it and the number of deaths."""
        stack, deaths = await self.live(begin, mortal=True), 0
        while stack is None:
            deaths += 1
            assert deaths < LIVES, "there is no progress"
            stack = await self.live(mortal=True)
        return stack, deaths

    async def create(self, engine, name, template):
        options = Options(on_failure=OnFailure.ROLLBACK)
        self.id = (await engine.create_stack(self.caller, name, Source(template), options)).id

    async def delete(self, engine):
        await engine.delete_stack(self.caller, self.id)


@pytest.fixture
async def told(story, tmp_path):
    entry = yaml.safe_load(story.server.clouds_yaml.read_text(encoding="utf-8"))["clouds"]["isotherm"]
    known = {key: value for key, value in entry["auth"].items() if key in AuthSettings.__slots__}
    connection = await Connection.open(auth=AuthSettings(**known, region=entry.get("region_name")))
    yield Told(tmp_path, await connection.own())
    await connection.close()


@pytest.mark.timeout(1800)
async def test_v14_the_engine_dies_after_each_call(told, story, name):
    template = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": T3})
    stack, deaths = await told.lives(lambda engine: told.create(engine, name, template))
    try:
        assert (stack.action, stack.status) == (Action.CREATE, Status.COMPLETE), stack.status_reason
        assert deaths >= 40
        net = Net(story, name)
        assert (len(net.routers), len(net.gateways)) == (4, 3)
        everyone_inside_reaches_everyone(net, 0, 1, 10, 11)
        (hub,) = [one for one in net.routers.values() if one.id not in net.gateways]
        assert sorted(route["destination"] for route in hub.routes) == [f"10.0.{n}.0/24" for n in (0, 1, 10, 11)]
        legs = [port for port in story.sdk.network.ports(name="isotherm-leg") if port.device_id in net.routers]
        assert len(legs) == 4
        networks = [row.name for row in story.sdk.network.networks() if name in row.name]
        assert len(networks) == 5
    finally:
        if REAL:
            gone = await told.live(told.delete, mortal=False)
        else:
            gone, _ = await told.lives(told.delete)
    assert (gone.action, gone.status) == (Action.DELETE, Status.COMPLETE), gone.status_reason
