"""Opening and closing an engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from engine.door.part import Part
from engine.model.source import Translator
from engine.resources.base import ResourceType
from engine.resources.registry import Registry
from engine.runs.context import Clouds, EngineSettings, RunContext, Watch
from engine.runs.dispatcher import Dispatcher
from engine.state.clock import Clock, SystemClock
from engine.state.commit import Committer
from engine.state.database import Database
from engine.state.store import Store
from engine.state.vault import Vault


@dataclass(frozen=True, slots=True)
class EngineParts:
    """What the composition root brings. `exclusive`: no other engine uses this database (the embedded default)."""

    database: Database
    vault: Vault
    translator: Translator
    clouds: Clouds
    registry: Registry
    fetch: Callable[[str], Awaitable[str]]
    signal_url: Callable[[str, str, str, str], str]
    settings: EngineSettings = EngineSettings()
    clock: Clock = SystemClock()
    exclusive: bool = True


class Lifecycle(Part):
    @classmethod
    def of(cls, parts: EngineParts) -> Self:
        """An engine, not yet started."""
        watch = Watch()
        dispatcher = Dispatcher(exclusive=parts.exclusive)
        store = Store(parts.database, parts.vault, parts.clock)
        store.cache.enabled = parts.exclusive

        def changed(stack_ids: Sequence[str]) -> None:
            store.cache.forget(stack_ids)
            watch.changed(stack_ids)

        committer = Committer(parts.database, on_commit=changed)
        context = RunContext(
            store=store, committer=committer, registry=parts.registry, translator=parts.translator,
            clouds=parts.clouds, clock=parts.clock, settings=parts.settings, watch=watch, ring=dispatcher.ring,
            fetch=parts.fetch, signal_url=parts.signal_url,
        )  # fmt: skip
        return cls(context, dispatcher)

    async def start(self) -> None:
        """Bring the schema up to date, take up what was running."""
        await self._context.store.database.prepare()
        self._context.committer.start()
        await self._dispatcher.start(self._context)

    async def stop(self) -> None:
        """Stop running and close the database; runs under way are carried on by whoever starts next."""
        await self._dispatcher.stop()
        await self._context.committer.stop()
        await self._context.store.database.close()

    def resource_types(self) -> Mapping[str, ResourceType]:
        """Type name → the type."""
        return self._context.registry.all_types()
