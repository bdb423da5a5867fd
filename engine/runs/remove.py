"""Taking away what is no longer wanted: the cleanup of an update, a rollback's remains, a whole stack."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

from engine.model.settings import Hook
from engine.model.status import Action, Status
from engine.model.template import DeletionPolicy
from engine.resources.base import Gone, ResourceType
from engine.runs.context import RunContext
from engine.runs.guards import Guards
from engine.runs.ledger import Ledger
from engine.runs.spec import RunSpec
from engine.runs.step import NOT_THE_RESOURCE, StepFailed, Stepper, explain
from engine.state.rows import ResourceRow

# A row, or the end of a group: a group's deletion begins before its members' and ends after them.
Node = tuple[str, int, bool]


class Remover:
    """Deletes `doomed` rows in the reverse order of what they require."""

    def __init__(
        self, context: RunContext, ledger: Ledger, spec: RunSpec, stepper: Stepper, guards: Guards,
        doomed: Iterable[ResourceRow],
    ) -> None:  # fmt: skip
        self._context, self._ledger, self._spec, self._stepper = context, ledger, spec, stepper
        self._guards = guards
        self._rows = {(row.address, row.generation): row for row in doomed}
        self._overtaken = False

    def give_way(self) -> None:
        """A newer operation takes over what is interrupted from here on."""
        self._overtaken = True

    def graph(self) -> dict[Node, set[Node]]:
        """Node → nodes that must be done first."""
        by_address: dict[str, list[ResourceRow]] = {}
        by_group: dict[str, list[ResourceRow]] = {}
        for row in self._rows.values():
            by_address.setdefault(row.address, []).append(row)
            if row.group:
                by_group.setdefault(row.group, []).append(row)
        graph: dict[Node, set[Node]] = {}
        for row in self._rows.values():
            graph.setdefault(_begin(row), set())
            if row.is_group:
                graph[_end(row)] = {_begin(row)}
        for row in self._rows.values():
            if row.group is not None:
                # By the member's own word: a group that never was complete does not know its members.
                for group in by_address.get(row.group, ()):
                    if group.is_group:
                        graph[_begin(row)].add(_begin(group))
                        graph[_end(group)].add(_begin(row))
            for needed in row.requires:
                if needed not in by_address and needed != row.group:
                    # A group that stays, some of whose old members go: they go after what needed the whole.
                    for member in by_group.get(needed, ()):
                        graph[_begin(member)].add(_begin(row))
                for other in by_address.get(needed, ()):
                    graph[_begin(other)].add(_end(row) if row.is_group and other.group != row.address else _begin(row))
                    if row.is_group and other.group == row.address:
                        graph[_end(row)].add(_begin(other))
        return graph

    async def visit(self, node: Node) -> None:
        address, generation, ending = node
        row = self._rows[address, generation]
        if self._guards and not ending and row.group is None:
            await self._guards.before(row, Hook.PRE_DELETE)
        if row.is_group:
            await self._group(row, ending=ending)
        else:
            await self._remove(row)
        if self._guards and ending == row.is_group:
            await self._guards.deleted(row)

    async def _group(self, row: ResourceRow, *, ending: bool) -> None:
        status = Status.COMPLETE if ending else Status.IN_PROGRESS
        members = [r for r in self._ledger.all() if r.group == row.address]
        row.skipped = ending and bool(members) and all(r.skipped for r in members)
        await self._ledger.move(row, Action.DELETE, status, durable=False)

    async def _remove(self, row: ResourceRow) -> None:
        kind = self._context.registry.get(row.type)
        if self._kept(row, kind):
            if self._spec.reverting is Action.ADOPT and kind.nested and row.physical_id is not None:
                await self._stepper.forget_nested(row.physical_id)
            row.skipped = True
            await self._ledger.move(row, Action.DELETE, Status.COMPLETE, durable=False)
            return
        try:
            await self._ledger.move(row, Action.DELETE, Status.IN_PROGRESS, durable=not kind.local)
            await self._delete(row, kind)
        except asyncio.CancelledError:
            if not self._overtaken:
                await self._ledger.move(row, Action.DELETE, Status.FAILED, "Resource deletion cancelled", guarded=False)
            raise
        except NOT_THE_RESOURCE:
            raise
        except Exception as error:
            await self._failed(row, explain(error))
        else:
            await self._ledger.move(row, Action.DELETE, Status.COMPLETE, durable=False)

    async def _delete(self, row: ResourceRow, kind: ResourceType) -> None:
        operation = self._stepper.operation(row, row.properties, resumed=True)
        if row.physical_id is None and not kind.local:
            if row.attempted is None:
                return  # refused before anything was made
            row.physical_id = await self._stepper.find(kind, row, operation)
            operation.physical_id = row.physical_id
            if row.physical_id is None:
                return
        try:
            if self._policy(row) is DeletionPolicy.SNAPSHOT:
                await self._stepper.patiently(lambda: kind.snapshot(operation), busy=True)
            await self._stepper.patiently(lambda: kind.delete(operation), busy=True)
        except Gone:
            return

    async def _failed(self, row: ResourceRow, reason: str) -> None:
        if self._spec.force:
            row.skipped = True
            await self._ledger.move(row, Action.DELETE, Status.COMPLETE, f"Kept in the cloud: {reason}")
            return
        await self._ledger.move(row, Action.DELETE, Status.FAILED, reason, guarded=False)
        group = self._ledger.live(row.group) if row.group else None
        if group is not None and group.action is Action.DELETE:
            await self._ledger.move(group, Action.DELETE, Status.FAILED, reason, guarded=False)
        raise StepFailed(row.address, reason)

    def _kept(self, row: ResourceRow, kind: ResourceType) -> bool:
        """Whether the object stays in the cloud (deletion policies, RetainResources, external objects)."""
        logical = row.group or row.address
        if self._spec.reverting in (Action.ADOPT, Action.IMPORT):
            return True  # what was taken over existed before (heat.md TRAP-16)
        if row.external or logical in self._spec.retain or row.address in self._spec.retain:
            return True
        if logical in self._spec.skip or row.address in self._spec.skip:
            return True
        if row.physical_id is None:
            return False
        born_here = self._born_here(row)
        match self._policy(row):
            case DeletionPolicy.DELETE | DeletionPolicy.SNAPSHOT:
                return False
            case DeletionPolicy.RETAIN:
                return not (born_here and self._spec.retain_except_on_create)
            case DeletionPolicy.RETAIN_EXCEPT_ON_CREATE:
                return not born_here

    def _born_here(self, row: ResourceRow) -> bool:
        """Whether what is being taken back made it (cloudformation.md B04)."""
        target = self._spec.target
        of_update = target is not None and row.revision is not None and row.revision > target
        return self._spec.reverting is Action.CREATE or (self._spec.reverting is Action.UPDATE and of_update)

    def _policy(self, row: ResourceRow) -> DeletionPolicy:
        replaced = row.condemned and not self._born_here(row)
        return row.replace_policy if replaced else row.deletion_policy


def doomed_rows(ledger: Ledger, wanted: Collection[str]) -> list[ResourceRow]:
    """Rows whose object is to go: condemned ones, and those at no wanted address."""
    return [row for row in ledger.all() if row.exists and (row.condemned or row.address not in wanted)]


def _begin(row: ResourceRow) -> Node:
    return (row.address, row.generation, False)


def _end(row: ResourceRow) -> Node:
    return (row.address, row.generation, row.is_group)
