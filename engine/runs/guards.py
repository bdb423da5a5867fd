"""What an environment lets happen to single resources: breakpoints that a run stops at, actions that are refused.

A breakpoint is durable (`tables.hooks`): a run taken up after a crash stops where it had stopped, and passes what was
cleared. Going back to an earlier state is guarded by neither: nobody asked for it, and nobody waits for it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.model.settings import Hook, ResourceSettings
from engine.model.source import Source
from engine.model.status import Action, Status
from engine.runs.context import RunContext
from engine.runs.ledger import Ledger
from engine.runs.spec import RunSpec
from engine.state import tables as t
from engine.state.rows import ResourceRow

_LOOK: Final = 2.0  # seconds between looks at a breakpoint whose clearing nobody told of
_ACTIONS: Final = {
    Hook.PRE_CREATE: Action.CREATE, Hook.POST_CREATE: Action.CREATE,
    Hook.PRE_UPDATE: Action.UPDATE, Hook.POST_UPDATE: Action.UPDATE,
    Hook.PRE_DELETE: Action.DELETE, Hook.POST_DELETE: Action.DELETE,
}  # fmt: skip
_AFTER: Final = {Action.CREATE: Hook.POST_CREATE, Action.UPDATE: Hook.POST_UPDATE}


class Guards:
    """Those of one run. Ask only when it is true: most environments say nothing of single resources."""

    def __init__(self, context: RunContext, ledger: Ledger, spec: RunSpec, source: Source) -> None:
        self._context, self._ledger, self._spec = context, ledger, spec
        guarded = spec.kind is not Action.ROLLBACK and not spec.unguarded
        self._settings = ResourceSettings(source.environment if guarded else {})
        self._reached: set[tuple[str, Hook]] = set()

    def __bool__(self) -> bool:
        return bool(self._settings)

    def refused(self, address: str, action: str) -> bool:
        """Whether `action` (update, replace) is restricted for the resource (TE-14, ENGU-08)."""
        return action in self._settings.restricted(address)

    async def before(self, row: ResourceRow, hook: Hook) -> None:
        """Stop before something is done to `row`, where the environment says so (ENGU-09)."""
        subject, hook = self._subject(row, hook)
        if hook in self._settings.hooks(subject.address):
            await self._stop(subject, hook)

    async def after(self, address: str) -> None:
        """Stop after this run has made or changed what is at `address`."""
        row = self._ledger.live(address)
        if row is None or row.group is not None or row.status is not Status.COMPLETE:
            return
        hook = _AFTER.get(row.action)
        done_now = row.revision is not None and row.revision == self._spec.target
        if hook is not None and done_now and hook in self._settings.hooks(address):
            await self._stop(row, hook)

    async def deleted(self, row: ResourceRow) -> None:
        if row.group is None and Hook.POST_DELETE in self._settings.hooks(row.address):
            await self._stop(row, Hook.POST_DELETE)

    def _subject(self, row: ResourceRow, hook: Hook) -> tuple[ResourceRow, Hook]:
        """The row that the stop shows at: a lowered resource's own, which a member's creation may only change."""
        if row.group is None or hook not in (Hook.PRE_CREATE, Hook.PRE_UPDATE):
            return row, hook
        group = self._ledger.live(row.group)
        if group is None or not group.is_group:
            return row, hook
        unborn = group.action is Action.CREATE and group.status is not Status.COMPLETE
        return group, Hook.PRE_CREATE if unborn else Hook.PRE_UPDATE

    async def _stop(self, row: ResourceRow, hook: Hook) -> None:
        if await self._cleared(row, hook) is None and (row.address, hook) not in self._reached:
            self._reached.add((row.address, hook))
            await self._announce(row, hook)
        key = f"{self._ledger.stack.id}/{row.address}"
        while not await self._cleared(row, hook):
            await self._context.watch.wait(key, self._context.clock, _LOOK)

    async def _announce(self, row: ResourceRow, hook: Hook) -> None:
        record = {
            "stack_id": row.stack_id, "address": row.address, "hook": hook.value,
            "operation_id": self._ledger.stack.operation_id, "cleared": False,
        }  # fmt: skip

        async def reach(connection: AsyncConnection) -> None:
            h = t.hooks.c
            earlier = h.operation_id != record["operation_id"]
            await connection.execute(delete(t.hooks).where(h.stack_id == row.stack_id, earlier))
            await connection.execute(insert(t.hooks).values(record))

        await self._ledger.note(row, f"{_ACTIONS[hook]} paused until Hook {hook} is cleared", also=reach)

    async def _cleared(self, row: ResourceRow, hook: Hook) -> bool | None:
        """None: this operation has not come to it yet."""
        h = t.hooks.c
        query = select(h.cleared).where(*_is(row, hook), h.operation_id == self._ledger.stack.operation_id)
        async with self._context.store.database.reader.connect() as connection:
            return (await connection.execute(query)).scalar()

    async def given_up(self) -> None:
        """Steps that waited have been cancelled: say so of each, and let nobody clear what nobody waits for."""
        h = t.hooks.c
        mine = (h.stack_id == self._ledger.stack.id, h.operation_id == self._ledger.stack.operation_id)
        query = select(h.address).where(*mine, h.cleared.is_(False))
        async with self._context.store.database.reader.connect() as connection:
            waited = (await connection.execute(query)).scalars().all()
        for address in waited:
            rows = self._ledger.generations(address)
            if rows:
                await self._ledger.note(rows[-1], "Failure occurred while waiting.", also=self._forget)

    async def _forget(self, connection: AsyncConnection) -> None:
        await connection.execute(delete(t.hooks).where(t.hooks.c.stack_id == self._ledger.stack.id))


def _is(row: ResourceRow, hook: Hook) -> tuple[ColumnElement[bool], ...]:
    h = t.hooks.c
    return h.stack_id == row.stack_id, h.address == row.address, h.hook == hook.value
