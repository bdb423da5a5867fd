"""Snapshots: taken, shown, gone back to, removed (heat.md ENGS-09, ENGS-10, API-29 to API-33)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.door.commands import Commands
from engine.door.part import refuse_busy, refuse_update_in
from engine.model.errors import InvalidState, LimitExceeded, NotSupported, SnapshotNotFound
from engine.model.ids import new_id
from engine.model.stack import Caller, Snapshot, Stack
from engine.model.status import Action, OnFailure, Status
from engine.resources.base import OperationFailed
from engine.runs.children import Children
from engine.runs.snapshots import Snapshots, snapshot_values
from engine.runs.spec import RunSpec
from engine.runs.step import bare_operation
from engine.state import tables as t


class Snapshotting(Commands):
    @property
    def _snapshots(self) -> Snapshots:
        return Snapshots(self._context)

    async def take_snapshot(self, caller: Caller, ref: str, name: str | None = None) -> Snapshot:
        """Begin one of a stack that rests. Raises LimitExceeded."""
        stack = await self._live(caller, ref)
        refuse_busy(stack)
        refuse_update_in(stack)
        assert stack.revision is not None
        await self._refuse_too_many_snapshots(caller, stack)
        store, snapshot_id = self._context.store, new_id()
        source = await store.source(stack.revision)
        values = snapshot_values(store.vault, snapshot_id, stack.id, name, source, self._context.clock.now())

        async def take(connection: AsyncConnection) -> None:
            await connection.execute(insert(t.snapshots).values(values))

        spec = RunSpec(Action.SNAPSHOT, snapshot=snapshot_id, on_failure=OnFailure.DO_NOTHING)
        await self._begin(stack, spec, None, also=take)
        return await self.find_snapshot(caller, stack.id, snapshot_id)

    async def _refuse_too_many_snapshots(self, caller: Caller, stack: Stack) -> None:
        """ENGN-05."""
        limit = self._context.settings.max_snapshots_per_stack
        if not caller.is_admin and 0 <= limit <= len(await self._snapshots.of_stack(stack.id)):
            raise LimitExceeded(
                f"You have reached the maximum snapshots per stack, {limit} (max_snapshots_per_stack). Please delete "
                "some snapshots."
            )

    async def list_snapshots(self, caller: Caller, ref: str) -> Sequence[Snapshot]:
        """Oldest first."""
        return await self._snapshots.of_stack((await self.find_stack(caller, ref)).id)

    async def find_snapshot(self, caller: Caller, ref: str, snapshot_id: str) -> Snapshot:
        """Raises SnapshotNotFound."""
        stack = await self.find_stack(caller, ref)
        found = await self._snapshots.find(snapshot_id)
        if found is None or found.stack_id != stack.id:
            raise SnapshotNotFound(snapshot_id, stack.name)
        return found

    async def delete_snapshot(self, caller: Caller, ref: str, snapshot_id: str) -> None:
        """Remove it and its copies, as the caller. Raises Busy, NotSupported, InvalidState, CloudError."""
        stack = await self._live(caller, ref)
        found = await self.find_snapshot(caller, stack.id, snapshot_id)
        if found.status is Status.IN_PROGRESS:
            raise NotSupported("Deleting in-progress snapshot is not supported; wait until it is complete.")
        refuse_busy(stack)
        identity = self._identity(stack.id, stack.name, stack.project_id, stack.root_id)
        clock = self._context.clock
        near = bare_operation(
            identity, await self._context.clouds.for_caller(caller), Children(self._context, stack, None),
            clock.monotonic() + self._context.settings.stack_action_timeout,
        )  # fmt: skip
        try:
            await self._snapshots.discard(snapshot_id, near)
        except OperationFailed as error:
            raise InvalidState(f"Snapshot {snapshot_id} could not be removed: {error}") from error

    async def restore_snapshot(self, caller: Caller, ref: str, snapshot_id: str) -> Stack:
        """Begin to bring the stack back to what it was: an update to the definition of then, with what the objects
        held then."""
        stack = await self._live(caller, ref)
        found = await self.find_snapshot(caller, stack.id, snapshot_id)
        refuse_busy(stack)
        refuse_update_in(stack)
        if found.status is not Status.COMPLETE:
            raise NotSupported(
                f"Restoring from snapshot {snapshot_id} is not supported: it is {found.status}. "
                "Only a complete snapshot has everything."
            )
        source = await self._snapshots.source(snapshot_id)
        deployment = await self._validator.whole(
            self._identity(stack.id, stack.name, stack.project_id, stack.root_id), source, self._cloud(caller),
            stack.options,
        )  # fmt: skip
        self._enforce_policy(stack, await self._plan(stack, deployment, stack.options, source), None)
        wanted = RunSpec(Action.RESTORE, snapshot=snapshot_id)
        return await self._begin_update(caller, stack, source, stack.options, deployment, None, wanted=wanted)
