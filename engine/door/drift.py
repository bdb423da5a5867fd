"""Drift: asked for, looked for in the background, told (cloudformation.md A31, A32, A34, A35, B15)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import structlog
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.cloud.errors import CloudError
from engine.door.commands import Commands
from engine.door.part import refuse_busy
from engine.model.clock import to_datetime
from engine.model.errors import DetectionNotFound, InvalidState, ResourceNotFound
from engine.model.ids import new_id
from engine.model.stack import Caller, DetectionStatus, DriftDetection, DriftStatus, ResourceDrift, Stack
from engine.model.status import Action
from engine.resources.base import Operation
from engine.runs.children import Children
from engine.runs.drift import can_drift, drifted, look_at, stack_status, visible, write_drifts
from engine.runs.step import bare_operation, own_fault
from engine.state import tables as t
from engine.state.commit import Write
from engine.state.rows import ResourceRow

log = structlog.get_logger(__name__)
_SECONDS = 1800.0  # a detection that has not ended by then has lost its engine


class Drifting(Commands):
    async def detect_drift(self, caller: Caller, ref: str, addresses: Collection[str] = ()) -> DriftDetection:
        """Begin to look at every resource, or at those named; returns at once. Raises Busy, InvalidState,
        ResourceNotFound."""
        stack, rows = await self._comparable(caller, ref)
        chosen = _chosen(stack, rows, addresses)
        now, detection_id = self._context.clock.now(), new_id()
        values = {
            "id": detection_id, "stack_id": stack.id, "project_id": stack.project_id,
            "status": DetectionStatus.IN_PROGRESS.value, "reason": "",
            "drift_status": DriftStatus.NOT_CHECKED.value, "drifted": 0, "started": now,
            "deadline": now + int(_SECONDS * 1e6),
        }  # fmt: skip
        await self._context.store.database.write(insert(t.detections).values(values))
        begun = await self.drift_detection(caller, detection_id)
        task = asyncio.create_task(self._detect(caller, stack, chosen, detection_id, whole=not addresses))
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return begun

    async def _detect(
        self, caller: Caller, stack: Stack, rows: Sequence[ResourceRow], detection_id: str, *, whole: bool
    ) -> None:
        try:
            found = await self._look(caller, stack, rows)
            await self._keep(stack, found, whole=whole)
        except asyncio.CancelledError:
            await self._ended(detection_id, DetectionStatus.FAILED, "The engine was stopped. Ask again.")
            raise
        except CloudError as error:
            await self._ended(detection_id, DetectionStatus.FAILED, error.message)
        except Exception as error:  # nobody waits for it: whatever it is, the record tells
            log.exception("a look for drift failed by a fault of the engine", stack=stack.id)
            await self._ended(detection_id, DetectionStatus.FAILED, own_fault(error))
        else:
            shown = visible(found, rows)
            unknown = [one.address for one in shown if one.status is DriftStatus.UNKNOWN]
            # AWS's word for a look that could not be taken at some of the resources.
            status = DetectionStatus.FAILED if unknown else DetectionStatus.COMPLETE
            reason = f"Failed to detect drift on resources [{', '.join(unknown)}]" if unknown else ""
            await self._ended(
                detection_id, status, reason, drift_status=stack_status(shown).value, drifted=drifted(shown)
            )

    async def _ended(self, detection_id: str, status: DetectionStatus, reason: str, **columns: Any) -> None:
        d = t.detections
        values = {"status": status.value, "reason": reason, **columns}
        await self._context.store.database.write(update(d).where(d.c.id == detection_id).values(values))

    async def detect_resource_drift(self, caller: Caller, ref: str, address: str) -> ResourceDrift:
        """Look at one resource, now. Raises Busy, InvalidState, ResourceNotFound, CloudError."""
        stack, rows = await self._comparable(caller, ref)
        chosen = _chosen(stack, rows, [address])
        found = await self._look(caller, stack, chosen)
        await self._keep(stack, found, whole=False)
        return next(one for one in found if one.address == address)

    async def drift_detection(self, caller: Caller, detection_id: str) -> DriftDetection:
        """Raises DetectionNotFound."""
        d = t.detections.c
        query = select(t.detections).where(d.id == detection_id, d.project_id == caller.project_id)
        async with self._context.store.database.reader.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise DetectionNotFound(detection_id)
        status, reason = DetectionStatus(row.status), row.reason
        if status is DetectionStatus.IN_PROGRESS and self._context.clock.now() > row.deadline:
            status, reason = DetectionStatus.FAILED, "The engine that looked has gone. Ask again."
        return DriftDetection(
            row.id, row.stack_id, status, reason, DriftStatus(row.drift_status), row.drifted, to_datetime(row.started)
        )

    async def resource_drifts(self, stack: Stack) -> Sequence[ResourceDrift]:
        """What the last looks showed of the resources that the stack still has, in order of address."""
        rows = {row.address: row for row in await self._standing(stack)}
        found = await self._drifts(stack)
        return [one for one in found if one.address in rows and rows[one.address].group is None]

    # --- parts ------------------------------------------------------------------------------------------------------
    async def _comparable(self, caller: Caller, ref: str) -> tuple[Stack, list[ResourceRow]]:
        stack = await self._live(caller, ref)
        refuse_busy(stack)
        if stack.action in (Action.INIT, Action.DELETE):
            raise InvalidState(f"Drift detection cannot be performed on stack {stack.name} in {stack.state} state.")
        return stack, await self._standing(stack)

    async def _standing(self, stack: Stack) -> list[ResourceRow]:
        return [row for row in await self._context.store.resources(stack.id) if row.exists and not row.condemned]

    async def _look(self, caller: Caller, stack: Stack, rows: Sequence[ResourceRow]) -> list[ResourceDrift]:
        near = await self._near(caller, stack, rows)
        context = self._context
        return await look_at(context.registry, context.translator, rows, near, context.clock.now())

    async def _near(self, caller: Caller, stack: Stack, rows: Sequence[ResourceRow]) -> Operation:
        registry = self._context.registry
        outside = any(not row.is_group and can_drift(registry.get(row.type)) for row in rows)
        cloud: Any = await self._context.clouds.for_caller(caller) if outside else None
        return bare_operation(
            self._identity(stack.id, stack.name, stack.project_id, stack.root_id), cloud,
            Children(self._context, stack, None), self._context.clock.monotonic() + _SECONDS,
        )  # fmt: skip

    async def _keep(self, stack: Stack, found: Sequence[ResourceDrift], *, whole: bool) -> None:
        """The stack's own status is that of the last look at all of it; no version counts for it."""
        now, vault, s = self._context.clock.now(), self._context.store.vault, t.stacks
        columns: dict[str, Any] = {"drift_checked": now}
        if whole:
            columns["drift_status"] = stack_status(found).value

        async def write(connection: AsyncConnection) -> None:
            await write_drifts(connection, vault, found)
            await connection.execute(update(s).where(s.c.id == stack.id).values(columns))

        await self._context.committer.write(Write(stack_id=stack.id, also=write))


def _chosen(stack: Stack, rows: Sequence[ResourceRow], addresses: Collection[str]) -> list[ResourceRow]:
    """The rows of the resources named, with their members; all of them when none is named."""
    known = {row.address for row in rows if row.group is None}
    for address in addresses:
        if address not in known:
            raise ResourceNotFound(address, stack.name)
    return [row for row in rows if not addresses or row.address in addresses or row.group in addresses]
