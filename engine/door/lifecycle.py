"""Opening and closing an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from engine.bus import Bus, Hearing, LocalBus
from engine.door.part import Part
from engine.model.clock import Clock, SystemClock
from engine.model.source import Translator
from engine.model.value import Value
from engine.resources.base import ResourceType
from engine.resources.registry import Registry
from engine.runs.context import Clouds, EngineSettings, Handlers, RunContext, Transforms, Watch
from engine.runs.dispatcher import Dispatcher
from engine.runs.notifier import Notifier
from engine.runs.outside import NoHandlers, NoTransforms
from engine.state.commit import Committer
from engine.state.database import Database
from engine.state.store import Store
from engine.state.vault import Vault


@dataclass(frozen=True, slots=True)
class EngineParts:
    """What the composition root brings.

    `exclusive`: no other process uses this database (the embedded default). `runs` False: a front end, whose stacks
    are run by engines elsewhere. `bus` reaches them. `notifier` tells the notification topics what becomes of
    stacks.
    """

    database: Database
    vault: Vault
    translator: Translator
    clouds: Clouds
    registry: Registry
    fetch: Callable[[str], Awaitable[str]]
    signal_url: Callable[[str, str, str, str], str]
    transforms: Transforms = NoTransforms()
    handlers: Handlers = NoHandlers()
    settings: EngineSettings = EngineSettings()
    clock: Clock = SystemClock()
    exclusive: bool = True
    runs: bool = True
    bus: Bus = field(default_factory=LocalBus)
    notifier: Notifier = field(default_factory=Notifier)


class Lifecycle(Part):
    @classmethod
    def of(cls, parts: EngineParts) -> Self:
        """An engine, not yet started."""
        watch, bus = Watch(), parts.bus
        dispatcher = Dispatcher(exclusive=parts.exclusive) if parts.runs else None
        store = Store(parts.database, parts.vault, parts.clock)
        store.cache.enabled = parts.exclusive

        def changed(stack_ids: Sequence[str], moved: Sequence[str]) -> None:
            store.cache.forget(stack_ids)
            watch.changed(stack_ids)
            if moved:
                bus.changed(moved)

        def tell(keys: Sequence[str]) -> None:
            watch.changed(keys)
            bus.changed(keys)

        committer = Committer(parts.database, on_commit=changed)
        context = RunContext(
            store=store, committer=committer, registry=parts.registry, translator=parts.translator,
            clouds=parts.clouds, clock=parts.clock, settings=parts.settings, watch=watch, ring=bus.ring, tell=tell,
            fetch=parts.fetch, transforms=parts.transforms, handlers=parts.handlers,
            signal_url=parts.signal_url, notifier=parts.notifier,
        )  # fmt: skip
        return cls(context, dispatcher, bus)

    async def start(self) -> None:
        """Bring the schema up to date where nobody else uses the database, take up what was running.

        Raises SchemaMismatch when others use it and it is not up to date.
        """
        database = self._context.store.database
        await (database.prepare() if self._context.store.cache.enabled else database.check())
        self._context.committer.start()
        self._context.notifier.start()
        await self._bus.start(Hearing(self._context.watch.changed, self._dispatcher))
        if self._dispatcher is not None:
            await self._dispatcher.start(self._context)

    async def stop(self) -> None:
        """Stop running and close the database; runs under way are carried on by whoever starts next."""
        if self._dispatcher is not None:
            await self._dispatcher.stop()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._context.committer.stop()
        await self._context.notifier.stop()
        await self._bus.stop()
        await self._context.store.database.close()

    def makes_child(self, type_name: str, properties: Mapping[str, Value]) -> bool:
        """Whether a resource of a type that makes stacks makes one of ours; `properties` as far as they are known."""
        kind = self._context.registry.find(type_name)
        return kind is None or kind.inside(properties, self._context.settings.region)

    def resource_types(self) -> Mapping[str, ResourceType]:
        """Type name → the type."""
        return self._context.registry.all_types()
