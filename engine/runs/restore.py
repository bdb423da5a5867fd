"""ENGS-10: bringing back into an object what a snapshot's copy holds."""

from __future__ import annotations

from collections.abc import Mapping

from engine.model.status import Action, Status
from engine.runs.ledger import Ledger
from engine.runs.record import Recorder
from engine.runs.snapshots import Copy
from engine.runs.spec import RunSpec
from engine.runs.step import Stepper
from engine.runs.wanted import Wanted

_BROUGHT_BACK = "restored_by"  # a note of the engine: the operation that has restored the object


class Restorer:
    """Of one run; without copies it has nothing to do."""

    def __init__(
        self, ledger: Ledger, spec: RunSpec, stepper: Stepper, record: Recorder, copies: Mapping[str, Copy]
    ) -> None:
        """`copies`: what is to be brought back into the objects at these addresses."""
        self._ledger, self._spec, self._stepper, self._record = ledger, spec, stepper, record
        self._copies = copies

    def has_copy(self, wanted: Wanted) -> bool:
        return self._copy(wanted) is not None

    def _copy(self, wanted: Wanted) -> Copy | None:
        found = self._copies.get(wanted.address)
        return found if found is not None and found.type == wanted.kind.name else None

    async def bring_back(self, wanted: Wanted) -> None:
        """The object stands as the snapshot's definition says; now it gets what its copy holds."""
        row, operation_id, copy = self._ledger.live(wanted.address), self._ledger.stack.operation_id, self._copy(wanted)
        if row is None or copy is None or row.data.get(_BROUGHT_BACK) == operation_id:
            return
        operation, kind = self._stepper.operation(row, row.properties), wanted.kind
        async with self._record.attempt(row, Action.UPDATE, wanted.group):
            told = "Restoring from the snapshot"
            await self._ledger.move(row, Action.UPDATE, Status.IN_PROGRESS, told, group=wanted.group)
            await self._stepper.patiently(lambda: kind.restore(operation, copy.saved))
            row.attributes = await self._stepper.patiently(lambda: kind.ready(operation))
        row.data, row.revision = {**row.data, _BROUGHT_BACK: operation_id}, self._spec.target
        await self._record.complete(row, Action.UPDATE)
