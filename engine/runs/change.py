"""Changing an object that stands; where it cannot be changed, another one takes its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.model.status import Action, Status
from engine.model.value import Value
from engine.plan.decide import IN_DOUBT, Decision
from engine.resources.base import Gone, MustReplace, OperationFailed, Superseded, WouldLose
from engine.runs.guards import Guards
from engine.runs.ledger import Ledger
from engine.runs.lending import Lender
from engine.runs.make import Maker
from engine.runs.record import Recorder
from engine.runs.restore import Restorer
from engine.runs.spec import RunSpec
from engine.runs.step import Stepper, explain
from engine.runs.wanted import Wanted
from engine.state.rows import ResourceRow

_MOST_IN_DOUBT: Final = 20  # of the changes that were begun one after the other and not finished, the last ones

#: What a change may come to, besides being done: none of them is a failure yet.
_Unchangeable = Superseded | MustReplace | Gone | WouldLose


class Changer:
    """Of one run."""

    def __init__(
        self, ledger: Ledger, spec: RunSpec, stepper: Stepper, guards: Guards, lender: Lender, record: Recorder,
        maker: Maker, restorer: Restorer,
    ) -> None:  # fmt: skip
        self._ledger, self._spec, self._stepper, self._guards = ledger, spec, stepper, guards
        self._lender, self._record, self._maker, self._restorer = lender, record, maker, restorer

    async def update(self, decision: Decision, wanted: Wanted) -> None:
        row = decision.row
        assert row is not None
        if self._guards.refused(row.address, "update"):
            refusal = OperationFailed("update is restricted for resource.")
            await self._record.fail(row, Action.UPDATE, refusal, wanted.group)
        async with self._record.attempt(row, Action.UPDATE, wanted.group):
            found = await self._changed(row, decision, wanted)
            if isinstance(found, WouldLose) and not self._restorer.has_copy(wanted):
                raise found
        match found:
            case None:
                row.properties, row.attempted, row.revision = wanted.properties, None, self._spec.target
                row.data = {name: note for name, note in row.data.items() if name != IN_DOUBT}
                await self._record.complete(row, Action.UPDATE)
            case Superseded():
                await self._take_over(row, wanted, found)
            case MustReplace() | Gone() | WouldLose():
                row.attempted = None
                if isinstance(found, Gone):
                    # Nobody may go back to it: as after a check that did not find it.
                    row.action, row.status, row.reason = Action.CHECK, Status.FAILED, explain(found)
                await self._maker.replace(row, wanted)

    async def _changed(self, row: ResourceRow, decision: Decision, wanted: Wanted) -> _Unchangeable | None:
        others = self._record.condemn_others(row)
        self._record.keep(row, wanted.resource)
        row.attempted, row.shown = wanted.properties, self._record.shown(wanted.resource)
        _doubt(row, wanted.properties)
        operation = self._stepper.operation(row, wanted.properties)
        operation.update_policy = self._record.update_policy(wanted.resource)
        kind = wanted.kind
        try:
            await self._lender.lend(operation, wanted.resource, kind)
            await self._ledger.move(
                row, Action.UPDATE, Status.IN_PROGRESS, group=wanted.group, also=others, durable=not kind.local
            )  # fmt: skip
            await self._stepper.patiently(lambda: kind.update(operation, decision.changed))
            row.attributes = self._lender.hide(await self._stepper.patiently(lambda: kind.ready(operation)))
        except (Superseded, MustReplace, Gone, WouldLose) as found:
            return found
        return None

    async def _take_over(self, old: ResourceRow, wanted: Wanted, found: Superseded) -> None:
        """The change has brought forth another object: it stands from here, the one before goes with the cleanup."""
        old.condemned, old.attempted, old.status = True, None, Status.COMPLETE
        old.data = {**old.data, **found.forgotten}
        fresh = self._record.begin_row(wanted.resource, wanted.kind)
        self._record.keep(fresh, wanted.resource)
        self._record.fill(fresh, wanted)
        fresh.secret = True
        fresh.physical_id, fresh.data = found.physical_id, dict(found.data)
        fresh.attributes = self._lender.hide(found.attributes)
        await self._ledger.move(fresh, Action.UPDATE, Status.COMPLETE, group=wanted.group, also=(old,))


def _doubt(row: ResourceRow, properties: Mapping[str, Value]) -> None:
    """Until the change is finished the object may be as any that was begun."""
    begun = [one for one in row.data.get(IN_DOUBT, ()) if one != properties]
    row.data = {**row.data, IN_DOUBT: [*begun, properties][-_MOST_IN_DOUBT:]}
