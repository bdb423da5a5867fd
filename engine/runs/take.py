"""Taking an object that is there already for a resource: adopted, imported, or somebody else's for good."""

from __future__ import annotations

from collections.abc import Mapping

from engine.expr.evaluate import evaluate
from engine.model.status import Action, Status
from engine.model.template import Resource
from engine.model.value import Value, as_text
from engine.plan.decide import of_the_type
from engine.resources.base import OperationFailed
from engine.runs.ledger import Ledger
from engine.runs.lending import Lender
from engine.runs.record import Recorder
from engine.runs.spec import RunSpec
from engine.runs.step import Stepper
from engine.runs.wanted import Wanted
from engine.state.rows import ResourceRow

_TAKING = (Action.ADOPT, Action.IMPORT)  # runs that take objects which are there already


class Taker:
    """Of one run."""

    def __init__(self, ledger: Ledger, spec: RunSpec, stepper: Stepper, lender: Lender, record: Recorder) -> None:
        self._ledger, self._spec, self._stepper = ledger, spec, stepper
        self._lender, self._record = lender, record

    def external_id(self, resource: Resource, row: ResourceRow | None) -> str | None:
        """The id of the object that belongs to somebody else (heat.md TR-08); it stays what it was for good. Raises
        OperationFailed where it would not."""
        written = resource.external_id
        wanted = None if written is None else as_text(evaluate(written, self._record.scope))
        if row is not None and (row.external or wanted is not None):
            standing = row.physical_id if row.external else None
            if wanted != standing:
                raise OperationFailed(
                    f"Update to property external_id of {resource.address} ({resource.type}) is not allowed; give the "
                    "resource another name"
                )
        return wanted

    def given(self, address: str, row: ResourceRow | None) -> Mapping[str, Value] | None:
        """The data of the object that this run takes for the resource (ENGU-18); None: it takes none."""
        untaken = row is None or (row.action in _TAKING and row.status is not Status.COMPLETE)
        meant = self._spec.kind is Action.ADOPT or address in self._spec.adopt
        if self._spec.kind in _TAKING and untaken and meant:
            return self._spec.adopt.get(address) or {}
        return None

    async def take_external(self, row: ResourceRow, wanted: Wanted, physical_id: str) -> None:
        await self._take(row, wanted, Action.CHECK, physical_id, None)

    async def adopt(self, row: ResourceRow, wanted: Wanted, given: Mapping[str, Value]) -> None:
        await self._take(row, wanted, self._spec.kind, None, given)

    async def _take(
        self, row: ResourceRow, wanted: Wanted, action: Action, physical_id: str | None,
        given: Mapping[str, Value] | None,
    ) -> None:  # fmt: skip
        kind = wanted.kind
        self._record.keep(row, wanted.resource)
        self._record.fill(row, wanted)
        row.physical_id, row.external = physical_id, given is None
        if given is not None:
            row.data = of_the_type(given.get("resource_data") or {})
            row.metadata = given.get("metadata") or row.metadata
        operation = self._stepper.operation(row, wanted.properties)
        async with self._record.attempt(row, action, wanted.group):
            await self._lender.lend(operation, wanted.resource, kind)
            await self._ledger.move(row, action, Status.IN_PROGRESS, group=wanted.group)
            if given is not None:
                operation.physical_id = row.physical_id = await kind.adopt(operation, given)
            if row.physical_id is None:
                raise OperationFailed("Resource ID was not provided.")
            look = kind.ready if kind.nested else kind.check
            row.attributes = self._lender.hide(await self._stepper.patiently(lambda: look(operation)))
        await self._record.complete(row, action)
