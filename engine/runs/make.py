"""Making a resource's object, once, whatever happens on the way; and another one in the place of one that stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.cloud.errors import WentToError
from engine.model.settings import Hook
from engine.model.status import Action, Status
from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed
from engine.runs.context import RunContext
from engine.runs.guards import Guards
from engine.runs.ledger import Ledger
from engine.runs.lending import Lender
from engine.runs.record import Recorder
from engine.runs.spec import RunSpec
from engine.runs.step import NOT_THE_RESOURCE, InterruptedCall, Stepper, explain
from engine.runs.wanted import Wanted
from engine.state.rows import ResourceRow

_TRIED, _WHY = "made_again", "went_wrong"  # notes of the engine: how often an object was made again, and why


class Maker:
    """Of one run."""

    def __init__(
        self, context: RunContext, ledger: Ledger, spec: RunSpec, stepper: Stepper, guards: Guards, lender: Lender,
        record: Recorder,
    ) -> None:  # fmt: skip
        self._context, self._ledger, self._spec, self._stepper = context, ledger, spec, stepper
        self._guards, self._lender, self._record = guards, lender, record

    async def create(self, row: ResourceRow, wanted: Wanted, also: Sequence[ResourceRow] = ()) -> bool:
        """Returns whether the object is of an earlier template: a creation that was taken up again is finished as it
        was begun, and is still to be brought the rest of the way."""
        resumed = row.action is Action.CREATE and row.status is Status.IN_PROGRESS
        also = (*also, *self._record.condemn_others(row))
        self._record.keep(row, wanted.resource)
        if self._guards and not resumed:
            if wanted.group is not None and self._ledger.group_row(wanted.group) is None:
                self._ledger.new_group(wanted.group)
            await self._guards.before(row, Hook.PRE_CREATE)
        operation = self._stepper.operation(row, row.properties if resumed else wanted.properties, resumed=resumed)
        operation.update_policy = self._record.update_policy(wanted.resource)
        async with self._record.attempt(row, Action.CREATE, wanted.group):
            broken = await self._made(row, wanted, operation, also)
        if broken is not None:
            return await self._make_again(row, wanted, operation, broken)
        row.revision = self._spec.target
        await self._record.complete(row, Action.CREATE)
        return wanted.properties != row.properties

    async def replace(self, old: ResourceRow, wanted: Wanted) -> None:
        if self._guards.refused(old.address, "replace"):
            refusal = OperationFailed("replace is restricted for resource.")
            await self._record.fail(old, Action.UPDATE, refusal, wanted.group)
        old.condemned = True
        await self.create(self._record.begin_row(wanted.resource, wanted.kind), wanted, also=(old,))

    async def _made(
        self, row: ResourceRow, wanted: Wanted, operation: Operation, also: Sequence[ResourceRow]
    ) -> WentToError | None:
        """Returns what broke the object while it was built, where another one may be tried."""
        try:
            await self._lender.lend(operation, wanted.resource, wanted.kind)
            if not operation.resumed:
                await self._intend(row, wanted, also, operation.properties)
                operation.data = row.data
            await self._build(row, wanted, operation)
        except NOT_THE_RESOURCE:
            raise
        except Exception as error:
            if isinstance(error, WentToError) and row.data.get(_TRIED, 0) < self._context.settings.action_retry_limit:
                return error
            await self._stepper.after_refusal(wanted.kind, row, operation, error)
            raise
        return None

    async def _make_again(self, row: ResourceRow, wanted: Wanted, operation: Operation, error: WentToError) -> bool:
        """ENGU-01: what broke while it was built is taken away, and another one is made under a mark of its own."""
        tried = row.data.get(_TRIED, 0)
        row.condemned, row.status, row.reason = True, Status.FAILED, self._record.veil(explain(error))
        await self._ledger.write([row])  # nobody takes it up again, whenever the engine dies
        if await self._stepper.take_away(wanted.kind, row, operation):
            row.action, row.status = Action.DELETE, Status.COMPLETE
        await self._stepper.pause(tried)
        fresh = self._record.begin_row(wanted.resource, wanted.kind)
        fresh.data = {_TRIED: tried + 1, _WHY: row.reason}
        return await self.create(fresh, wanted, also=(row,))

    async def _intend(
        self, row: ResourceRow, wanted: Wanted, also: Sequence[ResourceRow], lent: Mapping[str, Value]
    ) -> None:
        """`lent`: the properties as the cloud gets them."""
        kind = wanted.kind
        self._record.fill(row, wanted)
        if not kind.local:
            row.attempted = {}  # an object may exist without an id until this is taken back
            noted = await self._stepper.patiently(lambda: kind.prepare(self._stepper.operation(row, lent)))
            row.data = {**row.data, **noted}
        # Nothing outside is touched for a local type: its intent may reach the disk together with its result.
        await self._ledger.move(
            row, Action.CREATE, Status.IN_PROGRESS, _told_again(row), group=wanted.group, also=also,
            durable=not kind.local,
        )  # fmt: skip

    async def _build(self, row: ResourceRow, wanted: Wanted, operation: Operation) -> None:
        kind = wanted.kind
        if row.physical_id is None:
            try:
                row.physical_id = await self._stepper.create(kind, row, operation)
            except InterruptedCall as interrupted:
                row.physical_id = str(interrupted.result)
                row.attempted = None
                raise
            row.attempted = None
            operation.physical_id = row.physical_id
            if not kind.local:
                row.reason = "Resource creation Initiated"
                await self._ledger.move(row, Action.CREATE, Status.IN_PROGRESS, row.reason, guarded=False)
        operation.physical_id = row.physical_id
        row.attributes = self._lender.hide(await self._stepper.patiently(lambda: kind.ready(operation)))


def _told_again(row: ResourceRow) -> str:
    return f"Made again ({row.data[_TRIED]}): {row.data[_WHY]}" if _TRIED in row.data else ""
