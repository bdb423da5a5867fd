"""What is done to the stacks inside a stack once they are there: each has a run of its own, the parent's step waits."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.model.ids import new_id
from engine.model.source import Source
from engine.model.stack import Options, Stack
from engine.model.status import Action, OnFailure, Status
from engine.resources.base import Operation, OperationFailed
from engine.runs import reasons
from engine.runs.context import RunContext
from engine.runs.snapshots import Snapshots, forget_snapshots, snapshot_values
from engine.runs.spec import RunSpec, spec_of
from engine.state import tables as t
from engine.state.commit import Write
from engine.state.rows import event_params, options_value
from engine.state.store import dump, stack_record

CHILDREN: Final = uuid.UUID("6f1c0c9e-5a0e-4c8e-9d2a-8a5b6d1f7c31")


class Inside:
    def __init__(self, context: RunContext, stack: Stack) -> None:
        self._context, self._stack = context, stack

    async def _running(self) -> tuple[RunSpec | None, Source]:
        """What this stack runs, and the definition that brings about: its files and registry hold for children too
        (heat.md TE-19)."""
        row = await self._context.store.row(self._stack.id)
        if row is None:
            return None, Source("")
        spec = spec_of(self._context.store.vault.open(row.run_json)) if row.run_json else None
        revision = row.revision if spec is None or spec.target is None else spec.target
        return spec, Source("") if revision is None else await self._context.store.source(revision)

    async def ended(self, stack_id: str) -> Stack:
        """The child once it is not in progress; the parent's deadline and cancellation bound the waiting."""
        while True:
            child = await self._context.store.stack(stack_id)
            if child is None:
                raise OperationFailed(f"the nested stack {stack_id} does not exist")
            if child.status is not Status.IN_PROGRESS:
                return child
            await self._context.watch.wait(stack_id, self._context.clock, 2)

    async def act_nested(self, stack_id: str, action: Action) -> None:
        """SUSPEND and RESUME of what is so already are done; a check is always made anew."""
        child = await self._child(stack_id)
        if action is Action.RESUME and child.action not in (Action.SUSPEND, Action.RESUME):
            return
        done = child.action is action and child.status is Status.COMPLETE
        if done and action is not Action.CHECK:
            return
        if not (child.action is action and child.status is Status.IN_PROGRESS):
            await self._begin_inside(child, RunSpec(action))
        await self._done(stack_id)

    async def save_nested(self, stack_id: str, name: str) -> str:
        """The snapshot's id is made from the name, so that asking twice finds the same one, and removing it too."""
        snapshot_id = _snapshot_id(name)
        if await Snapshots(self._context).find(snapshot_id) is None:
            child = await self._child(stack_id)
            assert child.revision is not None
            source = await self._context.store.source(child.revision)
            vault, now = self._context.store.vault, self._context.clock.now()
            values = snapshot_values(vault, snapshot_id, stack_id, name, source, now)

            async def take(connection: AsyncConnection) -> None:
                await connection.execute(insert(t.snapshots).values(values))

            await self._begin_inside(child, RunSpec(Action.SNAPSHOT, snapshot=snapshot_id), also=take)
        await self._done(stack_id)
        return snapshot_id

    async def restore_nested(self, stack_id: str, snapshot_id: str) -> None:
        child = await self._child(stack_id)
        if not (child.action is Action.RESTORE and child.status is Status.IN_PROGRESS):
            source = await Snapshots(self._context).source(snapshot_id)
            await self._begin_inside(
                child, RunSpec(Action.RESTORE, snapshot=snapshot_id, previous=child.revision), source=source
            )
        await self._done(stack_id)

    async def discard_nested(self, op: Operation, name: str) -> None:
        await Snapshots(self._context).discard(_snapshot_id(name), op)

    async def forget_nested(self, stack_id: str) -> None:
        child = await self._context.store.stack(stack_id)
        if child is None or child.deleted is not None:
            return
        now = self._context.clock.now()
        tree = [child.id, *await descendants(self._context, child.id)]

        async def forget(connection: AsyncConnection) -> None:
            for one in tree:
                await forget_stack(connection, one, now)

        await self._context.committer.write(Write(stack_id=stack_id, also=forget))
        self._context.store.cache.forget(tree)

    async def _child(self, stack_id: str) -> Stack:
        child = await self._context.store.stack(stack_id)
        if child is None or child.deleted is not None:
            raise OperationFailed(f"the nested stack {stack_id} does not exist any more")
        return child

    async def _begin_inside(
        self, child: Stack, spec: RunSpec, *, source: Source | None = None, options: Options | None = None,
        also: Callable[[AsyncConnection], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        """Begin an operation of the child; with `source` and `options` it gets others."""
        running, _ = await self._running()
        wanted = as_child(spec, running)
        columns = {} if options is None else {"options_json": dump(options_value(options))}

        async def begin(connection: AsyncConnection) -> None:
            if source is None:
                await begin_child(connection, self._context, child, wanted, **columns)
            else:
                revision = await self._context.store.add_revision(connection, child.id, source)
                target = replace(wanted, target=revision)
                await begin_child(connection, self._context, child, target, revision=revision, **columns)
            if also is not None:
                await also(connection)

        await self._context.committer.write(Write(stack_id=child.id, also=begin))
        self._context.ring(child.id)

    async def _done(self, stack_id: str) -> Stack:
        """The child at its end. Raises OperationFailed with its reason."""
        child = await self.ended(stack_id)
        if child.status is Status.FAILED:
            raise OperationFailed(child.status_reason or f"the nested stack {child.name} failed")
        return child


def _snapshot_id(name: str) -> str:
    return str(uuid.uuid5(CHILDREN, name))


def as_child(spec: RunSpec, outer: RunSpec | None) -> RunSpec:
    """`spec` for a child, which goes back where its parent does and never by itself."""
    if outer is None:
        return replace(spec, on_failure=OnFailure.DO_NOTHING)
    back = outer.unguarded or outer.kind is Action.ROLLBACK
    return replace(spec, on_failure=OnFailure.DO_NOTHING, unguarded=back, converge=outer.converge)


async def begin_child(
    connection: AsyncConnection, context: RunContext, child: Stack, spec: RunSpec, **columns: Any
) -> None:
    """Write the child's next operation, with the event it begins with."""
    values = {
        "action": spec.kind.value, "status": Status.IN_PROGRESS.value, "reason": reasons.started(spec.kind),
        "run_json": dump(spec.value()), "operation_id": new_id(), "reverting": None, "cleaning": False,
        **columns,
    }  # fmt: skip
    await connection.execute(update(t.stacks).where(t.stacks.c.id == child.id).values(values))
    row = (await connection.execute(select(t.stacks).where(t.stacks.c.id == child.id))).one()
    record = stack_record(row, context.store.vault)
    await connection.execute(insert(t.events).values(event_params(record, context.clock.now(), None)))


async def descendants(context: RunContext, stack_id: str) -> list[str]:
    """The ids of all stacks inside, parents before their children."""
    found: list[str] = []
    level = [stack_id]
    while level:
        level = [child.id for one in level for child in await context.store.children(one)]
        found.extend(level)
    return found


async def forget_stack(connection: AsyncConnection, stack_id: str, now: int) -> None:
    """Let it be no stack any more, its objects stay; what others see of it is that it was abandoned."""
    for table in (t.resources, t.exports, t.imports, t.signals, t.change_sets, t.hooks, t.drifts, t.detections):
        await connection.execute(delete(table).where(table.c.stack_id == stack_id))
    await forget_snapshots(connection, stack_id)
    columns = {
        "action": Action.DELETE.value, "status": Status.COMPLETE.value, "reason": "Stack abandoned", "deleted": now,
        "live_name": None, "run_json": None, "delegation_json": None, "version": t.stacks.c.version + 1,
    }  # fmt: skip
    await connection.execute(update(t.stacks).where(t.stacks.c.id == stack_id).values(columns))
