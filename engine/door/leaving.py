"""Leaving without deleting: abandoning, exporting; and marking what is broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.door.part import changed_meanwhile, refuse_busy
from engine.door.updating import Updating
from engine.model.errors import InvalidState, NotSupported, ResourceNotFound
from engine.model.source import Source
from engine.model.stack import Caller, Stack
from engine.model.status import Action, Status
from engine.model.value import Value
from engine.plan.decide import UNHEALTHY
from engine.runs.export import export_data
from engine.runs.inside import descendants, forget_stack
from engine.state.commit import Fenced, Write
from engine.state.rows import event_params


class Leaving(Updating):
    async def abandon_stack(self, caller: Caller, ref: str) -> Mapping[str, Value]:
        """Forget the stack, keep its objects; returns what `export_stack` returns."""
        if not self._context.settings.enable_stack_abandon:
            raise NotSupported("Stack Abandon is not enabled (enable_stack_abandon).")
        stack = await self._live(caller, ref)
        refuse_busy(stack)
        data = await self.export_stack(caller, ref)

        now = self._context.clock.now()
        tree = [stack.id, *await descendants(self._context, stack.id)]

        async def forget(connection: AsyncConnection) -> None:
            for one in tree:
                await forget_stack(connection, one, now)

        item = Write(stack_id=stack.id, operation_id=stack.operation_id, also=forget)
        try:
            await self._context.committer.write(item)
        except Fenced as error:
            raise changed_meanwhile(stack) from error
        self._context.store.cache.forget(tree)
        self._context.notifier.stack(
            replace(stack, action=Action.DELETE, status=Status.COMPLETE, status_reason="Stack abandoned")
        )
        return data

    async def export_stack(self, caller: Caller, ref: str) -> Mapping[str, Value]:
        """heat.md API-27's abandon data, with that of the stacks inside."""
        if not self._context.settings.enable_stack_abandon:
            raise NotSupported("Stack Abandon is not enabled (enable_stack_abandon).")
        return await self._document(await self.find_stack(caller, ref))

    async def _document(self, stack: Stack) -> dict[str, Value]:
        store = self._context.store
        source = Source("") if stack.revision is None else await store.source(stack.revision)
        rows = [row for row in await store.resources(stack.id) if row.exists and not row.condemned]
        children = {child.id: child for child in await store.children(stack.id)}
        nested = {row.address: await self._document(children[row.physical_id])
                  for row in rows if not row.is_group and row.physical_id in children}  # fmt: skip
        return export_data(stack, source, rows, nested)

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
            one.data = {**one.data, UNHEALTHY: unhealthy}
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
