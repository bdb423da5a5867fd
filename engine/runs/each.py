"""Suspend, resume, check and snapshot: one verb on every standing object.

Suspending goes from the dependants to what they need, resuming the usual way; checks and snapshots visit everything at
once, whatever fails. A group's record moves with its members, as when they are made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.cloud.errors import OutcomeUnknown
from engine.model.clock import to_datetime
from engine.model.stack import ResourceDrift
from engine.model.status import Action, Status
from engine.model.value import Value
from engine.resources.base import Gone, Operation, ResourceType
from engine.runs.context import RunContext
from engine.runs.drift import gone, groups_of, look, stack_status, write_drifts
from engine.runs.ledger import Ledger
from engine.runs.scaling import Scaling
from engine.runs.snapshots import Snapshots
from engine.runs.spec import RunSpec
from engine.runs.step import NOT_THE_RESOURCE, StepFailed, Stepper, explain
from engine.state import tables as t
from engine.state.rows import ResourceRow

_IN_ORDER = (Action.SUSPEND, Action.RESUME)


class Visitor:
    def __init__(self, context: RunContext, ledger: Ledger, stepper: Stepper, spec: RunSpec, scaling: Scaling) -> None:
        self._context, self._ledger, self._stepper, self._scaling = context, ledger, stepper, scaling
        self._action, self._snapshot = spec.kind, spec.snapshot
        standing = [row for row in ledger.all() if row.exists and not row.condemned]
        self._rows = {row.address: row for row in standing}
        self._members: dict[str, list[str]] = {row.address: [] for row in standing if row.is_group}
        for row in standing:
            if row.group in self._members:
                self._members[row.group].append(row.address)
        self._begun: set[str] = set()
        self._looks: list[ResourceDrift] = []
        self._overtaken = False

    def give_way(self) -> None:
        """A newer operation takes over what is interrupted from here on."""
        self._overtaken = True

    def graph(self) -> dict[str, set[str]]:
        """Address → addresses to be done first."""
        graph: dict[str, set[str]] = {address: set(self._members.get(address, ())) for address in self._rows}
        if self._action in _IN_ORDER:
            for address, row in self._rows.items():
                for needed in row.requires:
                    if needed in graph and not row.is_group:
                        self._put_in_order(graph, address, needed)
        return graph

    def _put_in_order(self, graph: dict[str, set[str]], address: str, needed: str) -> None:
        if self._action is Action.RESUME:
            graph[address].add(needed)
        else:
            for one in (needed, *self._members.get(needed, ())):
                graph[one].add(address)

    async def visit(self, address: str) -> None:
        row = self._rows[address]
        if row.is_group:
            await self._ledger.move(row, self._action, Status.COMPLETE)
        else:
            await self._one(row)

    async def _one(self, row: ResourceRow) -> None:
        kind = self._context.registry.get(row.type)
        operation = self._stepper.operation(row, row.properties)
        told = ""
        try:
            await self._scaling.settle(row)
            await self._begin_group(row)
            await self._ledger.move(row, self._action, Status.IN_PROGRESS)
            told = await self._act(kind, row, operation)
        except asyncio.CancelledError:
            if not self._overtaken:
                await self._ledger.move(row, self._action, Status.FAILED, "Cancelled", guarded=False)
            raise
        except Gone as error:
            self._note_gone(row, str(error))
            await self._fail(row, str(error) or "The object does not exist any more")
        except NOT_THE_RESOURCE:
            raise
        except Exception as error:
            await self._fail(row, explain(error))
        else:
            await self._ledger.move(row, self._action, Status.COMPLETE, told)

    async def _act(self, kind: ResourceType, row: ResourceRow, operation: Operation) -> str:
        """Returns what is to be told of it."""
        match self._action:
            case Action.SUSPEND:
                await self._stepper.patiently(lambda: kind.suspend(operation))
            case Action.RESUME:
                await self._stepper.patiently(lambda: kind.resume(operation))
            case Action.SNAPSHOT:
                if kind.saves and not row.external and row.physical_id is not None:
                    await self._save(kind, row, operation)
            case _:
                row.attributes = await self._stepper.patiently(lambda: kind.check(operation))
                return await self._compare(kind, row, operation)
        return ""

    # --- checks -----------------------------------------------------------------------------------------------------
    async def _compare(self, kind: ResourceType, row: ResourceRow, operation: Operation) -> str:
        """A check of a standing object tells where it differs; that is no failure, for a failure means another one."""
        found = await look(kind, row, operation, self._context.clock.now())
        self._looks.append(found)
        names = ", ".join(one.path for one in found.differences)
        return f"The object differs from its definition: {names}" if names else ""

    def _note_gone(self, row: ResourceRow, reason: str) -> None:
        if self._action is Action.CHECK:
            self._looks.append(gone(row, reason, self._context.clock.now()))

    async def keep(self, connection: AsyncConnection) -> None:
        """Write what a check has found, in the transaction of its end."""
        now = self._context.clock.now()
        looks = [replace(one, checked=to_datetime(now)) for one in self._looks]
        found = [*looks, *groups_of(looks, self._rows.values(), self._context.translator, now)]
        await write_drifts(connection, self._context.store.vault, found)
        columns = {"drift_checked": now, "drift_status": stack_status(found).value}
        stack_id = self._ledger.stack.id
        await connection.execute(update(t.stacks).where(t.stacks.c.id == stack_id).values(columns))

    async def _save(self, kind: ResourceType, row: ResourceRow, operation: Operation) -> None:
        assert self._snapshot is not None
        snapshots, name = Snapshots(self._context), f"{operation.physical_name(200)}-{self._snapshot}"
        known = {"name": name, **kind.whereabouts(operation)}
        await snapshots.note(self._snapshot, row, known)

        async def save() -> Mapping[str, Value]:
            return await kind.save(operation, name)

        try:
            saved = await self._stepper.patiently(save)
        except OutcomeUnknown:
            # Too early, a look for the copy proves nothing (tokens.md rule 1); then the type finds it by its name.
            await self._context.clock.sleep(self._context.settings.settle)
            saved = await self._stepper.patiently(save)
        await snapshots.note(self._snapshot, row, {**known, **saved})

    # --- groups -----------------------------------------------------------------------------------------------------
    async def _begin_group(self, row: ResourceRow) -> None:
        if row.group in self._members and row.group not in self._begun:
            self._begun.add(row.group)
            await self._ledger.move(self._rows[row.group], self._action, Status.IN_PROGRESS)

    async def _fail(self, row: ResourceRow, reason: str) -> None:
        await self._ledger.move(row, self._action, Status.FAILED, reason, guarded=False)
        group = self._rows.get(row.group or "")
        if group is not None and group.status is not Status.FAILED:
            await self._ledger.move(group, self._action, Status.FAILED, reason, guarded=False)
        raise StepFailed(row.address, reason)
