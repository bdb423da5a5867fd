"""Leaving without deleting: abandoning, exporting; and marking what is broken."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.door.part import changed_meanwhile, refuse_busy
from engine.door.updating import Updating
from engine.model.errors import InvalidState, NotSupported, ResourceNotFound
from engine.model.source import Source
from engine.model.stack import Caller
from engine.model.status import Action, Status
from engine.model.value import Value
from engine.state import tables as t
from engine.state.commit import Fenced, Write
from engine.state.rows import event_params
from engine.state.store import source_value


class Leaving(Updating):
    async def abandon_stack(self, caller: Caller, ref: str) -> Mapping[str, Value]:
        """Forget the stack, keep its objects; returns what `export_stack` returns."""
        if not self._context.settings.enable_stack_abandon:
            raise NotSupported("Stack Abandon is not enabled (enable_stack_abandon).")
        stack = await self._live(caller, ref)
        refuse_busy(stack)
        data = await self.export_stack(caller, ref)

        async def forget(connection: AsyncConnection) -> None:
            for table in (t.resources, t.exports, t.imports, t.signals, t.change_sets):
                await connection.execute(delete(table).where(table.c.stack_id == stack.id))

        columns = {
            "action": Action.DELETE.value, "status": Status.COMPLETE.value, "reason": "Stack abandoned",
            "deleted": self._context.clock.now(), "live_name": None, "run_json": None, "delegation_json": None,
        }  # fmt: skip
        item = Write(stack_id=stack.id, operation_id=stack.operation_id, stack=columns, also=forget)
        try:
            await self._context.committer.write(item)
        except Fenced as error:
            raise changed_meanwhile(stack) from error
        return data

    async def export_stack(self, caller: Caller, ref: str) -> Mapping[str, Value]:
        """heat.md API-27's abandon data."""
        if not self._context.settings.enable_stack_abandon:
            raise NotSupported("Stack Abandon is not enabled (enable_stack_abandon).")
        stack = await self.find_stack(caller, ref)
        store = self._context.store
        source = Source("") if stack.revision is None else await store.source(stack.revision)
        rows = [row for row in await store.resources(stack.id) if row.exists and not row.condemned]
        kept = source_value(source)
        return {
            "name": stack.name,
            "id": stack.id,
            "action": stack.action.value,
            "status": stack.status.value,
            "template": kept["text"],
            "environment": {**kept["environment"], "parameters": kept["parameters"]},
            "files": kept["files"],
            "project_id": stack.project_id,
            "stack_user_project_id": stack.project_id,
            "tags": sorted(stack.options.tags) or None,
            "resources": {
                row.address: {
                    "name": row.address,
                    "resource_id": row.physical_id,
                    "type": row.type,
                    "action": row.action.value,
                    "status": row.status.value,
                    "metadata": dict(row.metadata),
                    "resource_data": dict(row.data),
                }
                for row in rows
            },
        }

    async def mark_unhealthy(self, caller: Caller, ref: str, resource: str, *, unhealthy: bool, reason: str) -> None:
        """ENGU-22. `resource` is an address or a physical id; marked, it is replaced at the next update."""
        stack = await self._live(caller, ref)
        refuse_busy(stack)
        rows = [r for r in await self._context.store.resources(stack.id) if r.exists and not r.condemned]
        found = [r for r in rows if r.address == resource] or [r for r in rows if r.physical_id == resource]
        if not found:
            raise ResourceNotFound(resource, stack.name)
        if len(found) > 1:
            raise InvalidState(f"Multiple resources have the physical id {resource}; name one of them instead.")
        row = found[0]
        broken = row.action is Action.CHECK and row.status is Status.FAILED
        if not unhealthy and not broken:
            return
        marked = [row, *(r for r in rows if r.group == row.address)]
        now, events = self._context.clock.now(), []
        for one in marked:
            one.action, one.updated = Action.CHECK, now
            one.status, one.reason = (Status.FAILED if unhealthy else Status.COMPLETE), reason
            events.append(event_params(stack, now, one))
        vault = self._context.store.vault
        item = Write(
            stack_id=stack.id, operation_id=stack.operation_id, stack={}, events=events,
            resources=[one.params(vault) for one in marked],
        )  # fmt: skip
        try:
            await self._context.committer.write(item)
        except Fenced as error:
            raise changed_meanwhile(stack) from error
