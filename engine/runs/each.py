"""Suspend, resume and check: one verb on every standing object, in dependency order or its reverse."""

from __future__ import annotations

import asyncio

from engine.model.status import Action, Status
from engine.resources.base import Gone
from engine.resources.registry import Registry
from engine.runs.apply import StepFailed
from engine.runs.ledger import Ledger
from engine.runs.step import NOT_THE_RESOURCE, Stepper, explain
from engine.state.rows import ResourceRow


class Visitor:
    def __init__(self, ledger: Ledger, registry: Registry, stepper: Stepper, action: Action) -> None:
        self._ledger, self._registry, self._stepper, self._action = ledger, registry, stepper, action
        self._rows = {row.address: row for row in ledger.all() if row.exists and not row.condemned and not row.is_group}
        self.overtaken = False

    def graph(self) -> dict[str, set[str]]:
        """Suspending goes from the dependants to what they need, the others the usual way."""
        graph: dict[str, set[str]] = {address: set() for address in self._rows}
        for address, row in self._rows.items():
            for needed in row.requires:
                if needed in graph:
                    first, then = (address, needed) if self._action is Action.SUSPEND else (needed, address)
                    graph[then].add(first)
        return graph

    async def visit(self, address: str) -> None:
        row = self._rows[address]
        kind = self._registry.get(row.type)
        operation = self._stepper.operation(row, row.properties)
        try:
            await self._ledger.move(row, self._action, Status.IN_PROGRESS)
            match self._action:
                case Action.SUSPEND:
                    await self._stepper.patiently(lambda: kind.suspend(operation))
                case Action.RESUME:
                    await self._stepper.patiently(lambda: kind.resume(operation))
                case _:
                    row.attributes = await self._stepper.patiently(lambda: kind.check(operation))
        except asyncio.CancelledError:
            await self._note(row)
            raise
        except Gone as error:
            await self._fail(row, str(error) or "The object does not exist any more")
        except NOT_THE_RESOURCE:
            raise
        except Exception as error:
            await self._fail(row, explain(error))
        else:
            await self._ledger.move(row, self._action, Status.COMPLETE)

    async def _note(self, row: ResourceRow) -> None:
        if not self.overtaken:
            await self._ledger.move(row, self._action, Status.FAILED, "Cancelled", guarded=False)

    async def _fail(self, row: ResourceRow, reason: str) -> None:
        await self._ledger.move(row, self._action, Status.FAILED, reason, guarded=False)
        raise StepFailed(row.address, reason)
