"""How a run ends: the stack's last transition, with all that goes to disk in the same transaction, or the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.model.aside import aside
from engine.model.status import Action, OnFailure, Status
from engine.plan.deployment import Deployment
from engine.runs import reasons
from engine.runs.context import RunContext
from engine.runs.finish import evaluate_outputs, unexported, write_exports, write_imports
from engine.runs.ledger import RELEASED, Ledger
from engine.runs.lending import Lender
from engine.runs.scaling import listening
from engine.runs.snapshots import ended
from engine.runs.spec import CHANGING, RunSpec
from engine.runs.tending import leave_word, take_up_later
from engine.runs.view import RowsView
from engine.state import tables as t
from engine.state.commit import Write
from engine.state.rows import event_params
from engine.state.store import outputs_value
from engine.state.vault import dump


def way_back(spec: RunSpec, reason: str) -> RunSpec | None:
    """The run that takes back what the failed one did; None where everything stays as it is."""
    match spec.kind, spec.on_failure:
        case Action.CREATE | Action.ADOPT, OnFailure.ROLLBACK:
            return RunSpec(Action.ROLLBACK, reverting=spec.kind, cause=reason)
        case Action.IMPORT, _:
            # What was taken over is let go of, whatever else was asked for: nothing was made.
            return RunSpec(Action.ROLLBACK, target=spec.previous, reverting=Action.IMPORT, cause=reason)
        case Action.CREATE, OnFailure.DELETE:
            return RunSpec(Action.DELETE, reverting=Action.CREATE, cause=reason)
        case kind, OnFailure.ROLLBACK | OnFailure.DELETE if kind in CHANGING and spec.previous is not None:
            return RunSpec(Action.ROLLBACK, target=spec.previous, reverting=Action.UPDATE, cause=reason)
        case _:
            return None


class Ending:
    """The end of one run. Every method but `last` writes, and raises Fenced when the stack is another's by now."""

    def __init__(self, context: RunContext, ledger: Ledger, spec: RunSpec) -> None:
        self._context, self._ledger, self._spec = context, ledger, spec

    async def succeeded(self, deployment: Deployment) -> None:
        """All stands as the deployment says. Raises ExportClash."""
        context, stack, spec = self._context, self._ledger.stack, self._spec
        view = RowsView(self._ledger, context.registry)
        masked = RowsView(self._ledger, context.registry, masked=True)
        told = await aside(lambda: evaluate_outputs(deployment, masked), when=deployment.template.waits)
        outputs = await Lender(context, self._ledger, deployment, view).outputs(told)
        if stack.parent_id is not None:
            outputs = unexported(outputs)
        broken = [output for output in outputs if output.error is not None]
        if broken and stack.dialect == "cfn" and spec.kind is not Action.ROLLBACK:
            await self.failed("; ".join(f"Output {output.name}: {output.error}" for output in broken))
            return

        # An output may be an attribute that is a secret by itself.
        secret = deployment.has_secrets or any(row.secret for row in self._ledger.all())

        async def also(connection: AsyncConnection) -> None:
            first = spec.kind is Action.CREATE  # nothing is there from before
            if not first or any(output.export is not None for output in outputs):
                await write_exports(connection, stack.project_id, stack.id, outputs, context.store.vault, secret=secret)
            if not first or deployment.imported:
                await write_imports(connection, stack.project_id, stack.id, sorted(deployment.imported))
            if not first:
                await _purge(connection, stack.id, spec.target if spec.keep is None else spec.keep)

        # What was taken back says why, for as long as the stack rests so.
        cause = f". It was rolled back because: {spec.cause}" if spec.cause else ""
        seal = context.store.vault.seal if secret else dump
        await self.rest(
            spec.kind, Status.COMPLETE, reasons.completed(spec.kind) + cause,
            also=Write(stack_id=stack.id, also=also),
            outputs_json=seal(outputs_value(outputs)),
            parameters_json=dump(dict(deployment.bindings.shown)),
            description=deployment.template.description or stack.description,
            good_revision=spec.target, revision=spec.target,
            updated=context.clock.now() if spec.kind is not Action.CREATE else None,
            reverting=spec.reverting, cleaning=False,
        )  # fmt: skip

    async def failed(self, reason: str) -> None:
        """What the failure leads to: the way back, or the stack's rest."""
        stack, back = self._ledger.stack, way_back(self._spec, reason)
        if back is None:
            await self.end_failed(reason)
            return
        back = replace(
            back, on_failure=OnFailure.DO_NOTHING, retain_except_on_create=stack.options.retain_except_on_create
        )
        # Heat tells of the failure before it goes back, and its clients wait for no other event.
        failed = replace(
            stack, action=self._spec.kind, status=Status.FAILED, status_reason=reasons.bounded(reason),
            reverting=self._spec.kind,
        )  # fmt: skip
        told = Write(stack_id=stack.id, events=[event_params(failed, self._context.clock.now(), None)])
        await self._ledger.move_stack(
            back.kind, Status.IN_PROGRESS, reason, also=told, reverting=back.reverting, cleaning=False,
            run_json=dump(back.value()),
        )  # fmt: skip
        self._context.notifier.stack(failed)

    async def end_failed(self, reason: str, also: Write | None = None) -> None:
        """The stack rests as failed."""
        spec, stack = self._spec, self._ledger.stack
        if spec.kind is Action.SNAPSHOT and spec.snapshot is not None:
            also = Write(stack_id=stack.id, also=ended(spec.snapshot, Status.FAILED, reason, None))
        if spec.kind is Action.ROLLBACK and spec.cause:
            reason = f"{reason} Rolling back because: {spec.cause}"
        if spec.kind is Action.DELETE and spec.cause:
            reason = f"{reason} Deleting because the create failed: {spec.cause}"
        await self.rest(
            spec.kind, Status.FAILED, reason, reverting=spec.reverting or stack.reverting, cleaning=False,
            updated=self._context.clock.now(), also=also,
        )  # fmt: skip

    async def rest(
        self, action: Action, status: Status, reason: str, *, also: Write | None = None, **columns: Any
    ) -> None:
        """The stack's last transition of this run."""
        last, ring = self.last(also or Write(stack_id=self._ledger.stack.id), tells=self._spec.tells)
        await self._ledger.move_stack(action, status, reason, also=last, **columns, **RELEASED)
        ring()

    def last(self, write: Write, *, tells: bool) -> tuple[Write, Callable[[], None]]:
        """The last write of a run, and what to do after it: what has come to the stack meanwhile gives it another run;
        `tells`: its parent hears of it."""
        stack, places, more = self._ledger.stack, listening(self._context, self._ledger), write.also
        parent_id, place = (stack.parent_id, stack.parent_resource) if tells else (None, None)
        left = False

        async def then(connection: AsyncConnection) -> None:
            nonlocal left
            if more is not None:
                await more(connection)
            left = bool(places) and await take_up_later(connection, self._ledger.stack.id, places)
            if parent_id is not None and place is not None:
                await leave_word(connection, self._context, parent_id, place, {"from": self._ledger.stack.id})

        def ring() -> None:
            if left:
                self._context.ring(self._ledger.stack.id)
            if parent_id is not None:
                self._context.ring(parent_id)

        if places or parent_id is not None:
            write.also = then
        return write, ring


async def _purge(connection: AsyncConnection, stack_id: str, revision: int | None) -> None:
    """After a success: forget rows of objects that are gone, and definitions nobody can go back to."""
    r = t.resources.c
    gone = (r.action == Action.DELETE.value) & (r.status == Status.COMPLETE.value)
    await connection.execute(delete(t.resources).where(r.stack_id == stack_id, gone | (r.action == Action.INIT.value)))
    if revision is not None:
        v = t.revisions.c
        await connection.execute(delete(t.revisions).where(v.stack_id == stack_id, v.id < revision))
