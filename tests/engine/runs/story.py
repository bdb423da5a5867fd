"""Telling a story: a world, a database, and one engine after another on both."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from cryptography.fernet import Fernet
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine

from engine.bus.notification import Outlet
from engine.bus.post import Post
from engine.door import Engine
from engine.door.lifecycle import EngineParts
from engine.model.source import Source
from engine.model.stack import Caller, ChangeSet, Options, Stack
from engine.model.status import OnFailure, Status
from engine.resources.base import ResourceType
from engine.resources.registry import Registry
from engine.runs.context import EngineSettings
from engine.runs.notifier import Notifier
from engine.state.database import Database
from engine.state.vault import Vault
from tests.engine.runs.moment import CountedPool, Traffic, VirtualClock, drive
from tests.engine.runs.sketch import Sketches
from tests.engine.runs.world import FakeClouds, OtherType, ThingType, VaultType, World

T = TypeVar("T")
CALLER = Caller("user", "project", user_name="mira")
SETTINGS = EngineSettings(settle=30, lease=1200, sweep_interval=600, report_interval=6000)


class KnownTypes(Registry):
    """The engine's own types, and those of a test."""

    def __init__(self, *types: ResourceType) -> None:
        super().__init__(plugins=False)
        self._loaded.update({one.name: one for one in types})


class Story:
    """`engine` is the one that runs now; `world` outlives it."""

    def __init__(self, folder: Path, *, settings: EngineSettings = SETTINGS, world: World | None = None) -> None:
        self.folder, self.settings = folder, settings
        self.world = world or World()
        self.clock = VirtualClock()
        self.key = Fernet.generate_key().decode()
        self.texts: dict[str, str | Exception] = {}  # URL → what `fetch` gives or raises
        self.outlet: Outlet | None = None  # where notifications go
        self.engine: Engine
        self.database: Database
        self.traffic: Traffic
        self._others: set[asyncio.Task[Any]] = set()

    @property
    def path(self) -> Path:
        return self.folder / "state.db"

    # --- engines --------------------------------------------------------------------------------------------------
    async def open(self, *, exclusive: bool = True) -> None:
        """Start an engine on the database."""
        self.world.dead, self.world.dies_at = False, None
        self.database, self.traffic = _database(self.path), Traffic()
        for one in (self.database.writer, self.database.reader):
            self.traffic.watch(one)
        self.traffic.watch_threads(asyncio.get_running_loop())
        world = self.world
        registry = KnownTypes(ThingType(world), OtherType(world), VaultType(world))

        async def fetch(url: str) -> str:
            found = self.texts[url]
            if isinstance(found, Exception):
                raise found
            return found

        self.engine = Engine.of(
            EngineParts(
                self.database, Vault([self.key]), Sketches(), FakeClouds(world), registry, fetch,
                lambda *a: f"https://signal/{a[1]}", settings=self.settings, clock=self.clock, exclusive=exclusive,
                notifier=self._notifier(),
            )
        )  # fmt: skip
        self._others = asyncio.all_tasks()
        await self.run(self.engine.start())

    def _notifier(self) -> Notifier:
        posts = [] if self.outlet is None else [Post(self.outlet, clock=self.clock)]
        return Notifier(posts, publisher="orchestration.here", clock=self.clock)

    async def close(self) -> None:
        await asyncio.wait_for(self.engine.stop(), 10)

    async def kill(self) -> None:
        """End the engine as a crash does: nothing it has not written is written, nothing more is asked."""
        self.traffic.last_commit = self.traffic.commits
        self.world.dead = True
        while left := asyncio.all_tasks() - self._others - {asyncio.current_task()}:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=0.01)  # what waits for a committer that has gone waits for ever
        await self.database.close()

    @property
    def dead(self) -> bool:
        return self.world.dead or self.traffic.cut

    # --- time -----------------------------------------------------------------------------------------------------
    async def run(self, asked: Awaitable[T]) -> T:
        """The answer, however long it takes in virtual time."""
        task = asyncio.ensure_future(asked)
        await drive(self.clock, self.traffic, task.done)
        return task.result()

    async def quiet(self) -> None:
        """Return when everybody waits, without letting time pass."""
        await self.traffic.quiet()

    async def pass_time(self, seconds: float) -> None:
        """Let so much time pass, whatever happens meanwhile."""
        await self.run(self.clock.sleep(seconds))
        await self.quiet()

    async def end(self, name: str = "s") -> Stack:
        """Let time pass until the stack rests."""
        while True:
            await self.traffic.quiet()
            stack = await self.find(name)
            if stack.status is not Status.IN_PROGRESS:
                await self.traffic.quiet()
                return stack
            await self.traffic.quiet()
            assert self.clock.jump(), f"{name} is {stack.state} and nobody sleeps"

    # --- short ways -----------------------------------------------------------------------------------------------
    async def find(self, name: str = "s") -> Stack:
        if name in self._ids:
            name = self._ids[name]
        return await self.engine.find_stack(CALLER, name)

    _ids: dict[str, str]

    async def begin(self, text: str, name: str = "s", on_failure: OnFailure = OnFailure.ROLLBACK, *,
                    parameters: dict[str, Any] | None = None, environment: dict[str, Any] | None = None,
                    **options: Any) -> Stack:  # fmt: skip
        source = Source(text, parameters=parameters or {}, environment=environment or {})
        made = await self.engine.create_stack(CALLER, name, source, Options(on_failure=on_failure, **options))
        self._ids = {**getattr(self, "_ids", {}), name: made.id}
        return made

    async def create(
        self, text: str, name: str = "s", on_failure: OnFailure = OnFailure.ROLLBACK, **more: Any
    ) -> Stack:
        await self.begin(text, name, on_failure, **more)
        return await self.end(name)

    async def change(self, text: str, name: str = "s", *, on_failure: OnFailure | None = None,
                     parameters: dict[str, Any] | None = None, environment: dict[str, Any] | None = None,
                     **more: Any) -> Stack:  # fmt: skip
        """Begin an update."""
        options = None if on_failure is None else Options(on_failure=on_failure)
        source = Source(text, parameters=parameters or {}, environment=environment or {})
        return await self.engine.update_stack(CALLER, name, source, options, **more)

    async def update(self, text: str, name: str = "s", **more: Any) -> Stack:
        await self.change(text, name, **more)
        return await self.end(name)

    async def delete(self, name: str = "s", **more: Any) -> Stack:
        await self.engine.delete_stack(CALLER, name, **more)
        return await self.end(name)

    async def change_set(self, text: str, name: str = "s", *, kind: str = "UPDATE", called: str = "cs",
                         imports: dict[str, str] | None = None, **options: Any) -> ChangeSet:  # fmt: skip
        made = await self.engine.create_change_set(
            CALLER, name, called, Source(text), Options(**options), kind=kind, imports=imports
        )
        self._ids = {**getattr(self, "_ids", {}), name: made.stack_id}
        return made

    async def events(self, name: str = "s", *, after: int | None = None) -> Sequence[str]:
        """`address ACTION_STATUS`, oldest first; the stack's own as `-`."""
        found = await self.engine.list_events(await self.find(name), after=after)
        return [f"{one.address or '-'} {one.action}_{one.status}" for one in found]

    async def states(self, name: str = "s", *, members: bool = False) -> dict[str, str]:
        """Address → state."""
        found = await self.engine.list_resources(await self.find(name), members=members)
        return {one.address: one.state for one in found}


def _database(path: Path) -> Database:
    """As the engine opens it, but without waiting for the disk: a killed process loses nothing the system has."""
    database = Database(f"sqlite+aiosqlite:///{path}")
    for name, size in (("writer", 1), ("reader", 4)):
        made = create_async_engine(database.url, pool_size=size, max_overflow=0, poolclass=CountedPool)

        @event.listens_for(made.sync_engine, "connect")
        def _pragmas(connection: Any, _record: Any) -> None:
            cursor = connection.cursor()
            for pragma in ("journal_mode=WAL", "synchronous=OFF", "busy_timeout=10000"):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        setattr(database, name, made)
    return database


async def blank(path: Path) -> Path:
    """A database at the newest schema, to be copied."""
    database = _database(path)
    await database.prepare()
    async with database.writer.connect() as connection:
        await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    await database.close()
    return path


def copy(blank_database: Path, folder: Path) -> None:
    """Put the database where a story in `folder` looks for it."""
    folder.mkdir(exist_ok=True)
    shutil.copyfile(blank_database, folder / "state.db")
