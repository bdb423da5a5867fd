"""One stack's run, from the claim to its end, operation by operation: the state machine of design §3."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import structlog
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.cloud.contract import Cloud
from engine.cloud.errors import CloudError
from engine.graph.walk import Outcome, Walk
from engine.model.diagnostic import Invalid
from engine.model.errors import Refused
from engine.model.ids import new_id
from engine.model.source import Source
from engine.model.stack import OutputValue, Stack
from engine.model.status import Action, OnFailure, Status
from engine.model.template import EMPTY
from engine.model.value import Value
from engine.plan.deployment import Deployment, bind_source, deploy
from engine.plan.scope import Facts
from engine.resources.base import OperationFailed, StackIdentity
from engine.runs import reasons
from engine.runs.apply import Applier
from engine.runs.children import Children
from engine.runs.context import RunContext
from engine.runs.each import Visitor
from engine.runs.ending import Ending
from engine.runs.export import export_data, masked
from engine.runs.finish import evaluate_outputs, refuse_delete_of_used, unexported
from engine.runs.guards import Guards
from engine.runs.keeping import prune_events
from engine.runs.lease import Lease, LeaseLost
from engine.runs.ledger import RELEASED, Ledger
from engine.runs.lending import Lender
from engine.runs.prepare import prepare
from engine.runs.remove import Remover, doomed_rows
from engine.runs.scaling import Scaling
from engine.runs.sinks import Telling, sinks_of
from engine.runs.snapshots import Snapshots, ended
from engine.runs.spec import CHANGING, RunSpec, spec_of
from engine.runs.step import NOT_THE_RESOURCE, StepFailed, Stepper, bare_operation, own_fault
from engine.runs.tending import forget_words
from engine.runs.view import RowsView
from engine.state import tables as t
from engine.state.commit import Fenced, Write
from engine.state.store import outputs_value, stack_record

log = structlog.get_logger(__name__)
K = TypeVar("K")


class _Overtaken(Exception):
    """A newer operation has begun on the stack."""


class _TimedOut(Exception):
    """The operation's deadline has passed."""


class Runner:
    """Runs whatever the stack has to run until nothing is left, or the lease is lost."""

    def __init__(self, context: RunContext, lease: Lease, claimed: Any) -> None:
        """`claimed` is the stack's row as the claim left it."""
        self._context, self._lease, self._claimed = context, lease, claimed
        self._stack_id, self._epoch = str(claimed.id), int(claimed.epoch)
        self.operation_id: str | None = None
        self._events_of: str | None = None  # the operation that the events of this run are part of
        self._walk: Walk[Any] | None = None
        self._worker: Applier | Remover | Visitor | None = None
        self._overtaken = False
        self._ledger: Ledger
        self._guards: Guards
        self._spec: RunSpec
        self._deadline = 0.0
        self._cloud: Cloud | None = None
        self._delegation: str | None = None
        self._telling: Telling | None = None

    async def poke(self) -> None:
        """Look whether a newer operation has begun; if so, stop what is under way."""
        row = await self._context.store.row(self._stack_id)
        if row is None or row.operation_id == self.operation_id:
            return
        self._overtaken = True
        if self._worker is not None:
            self._worker.give_way()
        if self._walk is not None:
            self._walk.stop()

    def leave(self) -> None:
        """The engine stops: what is interrupted from here on keeps its state, for whoever carries on."""
        if self._worker is not None:
            self._worker.give_way()

    async def run(self) -> None:
        """Return when the stack has nothing to run any more. Raises LeaseLost."""
        try:
            await self._run()
            if self._telling is not None:
                await self._telling.finish()
        finally:
            if self._telling is not None:
                self._telling.cancel()

    async def _run(self) -> None:
        row = self._claimed
        while row is not None and row.run_json is not None:
            if row.epoch != self._epoch:
                raise LeaseLost
            self._overtaken, self.operation_id, self._events_of = False, row.operation_id, row.operation_id
            try:
                await self._operation(row)
                if self._ledger.released:
                    if self._spec.kind is not Action.CREATE:  # a new stack has no operation before its last one
                        await prune_events(self._context, self._stack_id)
                    return  # what begins from here on rings
            except (_Overtaken, Fenced):
                # Either a newer operation has begun, which is read next, or the lease is lost, which is seen next.
                pass
            row = await self._context.store.row(self._stack_id)

    async def _operation(self, row: Any) -> None:
        store = self._context.store
        self._spec = spec_of(store.vault.open(row.run_json))
        self._delegation = row.delegation_json
        stack = stack_record(row, store.vault)
        self._ledger = Ledger(self._context, stack, self._epoch, await store.resources(stack.id))
        self._guards = Guards(self._context, self._ledger, self._spec, Source(""))
        self._deadline = self._monotonic_deadline()
        if self._spec.stop is not None:
            await self._stop_here(stack)
            return
        if self._spec.tending:
            await self._tend()
            return
        self._context.notifier.stack(stack)
        try:
            match self._spec.kind:
                case Action.CREATE | Action.UPDATE | Action.ROLLBACK | Action.ADOPT | Action.IMPORT | Action.RESTORE:
                    await self._converge()
                case Action.DELETE:
                    await self._delete()
                case Action.SUSPEND | Action.RESUME | Action.CHECK | Action.SNAPSHOT:
                    await self._each()
                case _:
                    raise AssertionError(f"no run of kind {self._spec.kind}")
        except _TimedOut:
            await self._end.failed(reasons.timed_out(stack.dialect, self._spec.kind))
        except Invalid as error:
            await self._end.failed(str(error))
        except (CloudError, Refused, OperationFailed) as error:
            await self._end.failed(str(error))
        except (*NOT_THE_RESOURCE, _Overtaken):
            raise
        except Exception as error:
            log.exception("a run ended by a fault of the engine", stack=stack.id)
            await self._end.failed(own_fault(error))

    def _tell(self, environment: Mapping[str, Value]) -> None:
        """TE-15: from here on the stack's events go to the sinks that its environment names."""
        sinks = sinks_of(environment)
        if self._telling is not None:
            self._telling.covers(self._events_of)
        elif sinks:
            stack = replace(self._ledger.stack, operation_id=self._events_of)
            self._telling = Telling(self._context, stack, sinks, self._the_cloud)

    def _monotonic_deadline(self) -> float:
        clock = self._context.clock
        if self._spec.deadline is None:
            # Without a limit of the user's, the configured one: no run waits for ever (heat.md ENGC-12).
            return clock.monotonic() + self._context.settings.stack_action_timeout
        return clock.monotonic() + max(0.0, (self._spec.deadline - clock.now()) / 1e6)

    # --- create, update, rollback -----------------------------------------------------------------------------------
    async def _converge(self) -> None:
        deployment = await self._deployment()
        stepper = await self._stepper(deployment)
        saved = {}
        if self._spec.kind is Action.RESTORE and self._spec.snapshot is not None:
            saved = {copy.address: copy for copy in await Snapshots(self._context).copies(self._spec.snapshot)}
        applier = Applier(
            self._context, self._ledger, deployment, self._spec, stepper, self._guards, self._scaling(stepper), saved
        )
        walk = Walk(
            deployment.requires, applier.visit, cancel_running=self._spec.on_failure is not OnFailure.DO_NOTHING
        )
        outcome = await self._carry_out(walk, applier)
        if not outcome.ok:
            await self._end.failed(self._reason(outcome))
            return
        failures = await self._clean(deployment.requires, stepper)
        if failures and not (self._spec.kind is Action.UPDATE and self._ledger.stack.dialect == "cfn"):
            await self._end.failed(reasons.failed(self._ledger.stack.dialect, Action.DELETE, failures))
            return
        await self._end.succeeded(deployment)

    async def _deployment(self) -> Deployment:
        stack, identity = self._ledger.stack, self._identity()
        if self._spec.target is None and self._spec.kind is Action.ROLLBACK:
            return deploy(EMPTY, bind_source(EMPTY, Source("")), identity, Facts(), self._context.registry)
        revision = self._spec.target if self._spec.target is not None else stack.revision
        assert revision is not None
        self._spec = replace(self._spec, target=revision)
        source = await self._context.store.source(revision)
        self._tell(source.environment)
        self._guards = Guards(self._context, self._ledger, self._spec, source)
        return await prepare(self._context, identity, source, self._the_cloud, stack.options, await self._facade())

    async def _facade(self) -> Mapping[str, Any]:
        """What a template inside sees of the resource that holds it (HOT resource_facade)."""
        stack = self._ledger.stack
        if stack.parent_id is None:
            return {}
        rows = await self._context.store.resources(stack.parent_id)
        mine = [row for row in rows if row.address == stack.parent_resource and not row.condemned]
        if not mine:
            return {}
        return {"metadata": mine[-1].metadata, "deletion_policy": mine[-1].deletion_policy.value, "update_policy": {}}

    @property
    def _end(self) -> Ending:
        return Ending(self._context, self._ledger, self._spec)

    def _identity(self) -> StackIdentity:
        stack = self._ledger.stack
        return StackIdentity(stack.id, stack.name, stack.project_id, stack.root_id, self._context.settings.region)

    async def _the_cloud(self) -> Cloud:
        if self._cloud is None:
            delegation = self._context.store.vault.open(self._delegation) or {}
            self._cloud = await self._context.clouds.for_delegation(delegation)
        return self._cloud

    async def _stepper(self, deployment: Deployment | None) -> Stepper:
        registry = self._context.registry
        types = {row.type for row in self._ledger.all() if not row.is_group}
        if deployment is not None:
            types |= {resource.type for resource in deployment.resources.values()}
        outside = any((kind := registry.find(name)) is not None and not kind.local for name in types)
        cloud = await self._the_cloud() if outside else _NO_CLOUD
        return Stepper(
            self._context, self._ledger, self._lease, self._identity(), cloud, self._children(), self._deadline
        )  # fmt: skip

    def _children(self) -> Children:
        return Children(self._context, self._ledger.stack, self._delegation, self._ledger)

    def _scaling(self, stepper: Stepper) -> Scaling:
        return Scaling(self._context, self._ledger, stepper, self._children(), self._events_of)

    async def _carry_out(self, walk: Walk[K], worker: Applier | Remover | Visitor) -> Outcome[K]:
        """Walk under the deadline and under pokes. Raises _Overtaken, _TimedOut, Fenced, LeaseLost."""
        clock = self._context.clock
        self._walk, self._worker = walk, worker
        late = False

        async def limit() -> None:
            nonlocal late
            await clock.sleep(max(0.0, self._deadline - clock.monotonic()))
            late = True
            walk.stop()

        timer = asyncio.ensure_future(limit())
        if self._overtaken:
            worker.give_way()
            walk.stop()
        try:
            outcome = await walk.run()
        finally:
            timer.cancel()
            self._walk = self._worker = None
        for error in outcome.failed.values():
            if not isinstance(error, StepFailed):
                raise error
        if self._overtaken:
            raise _Overtaken
        if self._guards and outcome.cancelled:
            await self._guards.given_up()
        if late:
            raise _TimedOut
        return outcome

    async def _clean(self, wanted: Collection[str], stepper: Stepper) -> dict[str, str]:
        """Remove what the new state does not want; returns address → reason of what stays."""
        doomed = doomed_rows(self._ledger, wanted)
        if not doomed:
            return {}
        stack = self._ledger.stack
        of_create = self._spec.kind is Action.ROLLBACK and self._spec.reverting in (Action.CREATE, Action.ADOPT)
        if self._spec.kind in (*CHANGING, Action.ROLLBACK) and not of_create and not stack.cleaning:
            await self._ledger.move_stack(stack.action, stack.status, "", cleaning=True)
        remover = Remover(self._context, self._ledger, self._spec, stepper, self._guards, doomed)
        outcome = await self._carry_out(Walk(remover.graph(), remover.visit, stop_on_failure=False), remover)
        return {error.address: error.reason for error in outcome.failed.values() if isinstance(error, StepFailed)}

    async def _tend(self) -> None:
        """Take up what has come to the stack while it rested (`engine.runs.tending`); its state stays as it is."""
        stack, self._events_of = self._ledger.stack, new_id()
        if stack.revision is not None:
            self._tell((await self._context.store.source(stack.revision)).environment)
        try:
            stepper = await self._stepper(None)
            heard = await self._scaling(stepper).take_up()
            outputs = await stepper.patiently(self._outputs_now) if heard else stack.outputs
        except CloudError as error:
            log.warning("what came to a stack is taken up later", stack=self._stack_id, error=str(error))
            await self._context.clock.sleep(self._context.settings.retry_limit)
            return  # the stack still has this run

        async def also(connection: AsyncConnection) -> None:
            await forget_words(connection, [word.seq for word in heard])

        seal = self._context.store.vault.seal
        changed = {} if outputs == stack.outputs else {"outputs_json": seal(outputs_value(outputs))}
        last, ring = self._end.last(Write(stack_id=stack.id, also=also), tells=bool(heard))
        await self._ledger.release(last, changed)
        ring()

    async def _outputs_now(self) -> tuple[OutputValue, ...]:
        """The outputs with what has changed by itself, as they were where they cannot be told. Exports keep the values
        that others have taken from them."""
        stack = self._ledger.stack
        if stack.status is not Status.COMPLETE or stack.revision is None:
            return stack.outputs
        try:
            deployment = await self._deployment()
            view = RowsView(self._ledger, self._context.registry)
            lender = Lender(self._context, self._ledger, deployment, view)
            outputs = await lender.outputs(evaluate_outputs(deployment, view))
        except (Invalid, OperationFailed) as error:
            log.warning("the outputs of a stack stay as they were", stack=self._stack_id, error=str(error))
            return stack.outputs
        return outputs if stack.parent_id is None else unexported(outputs)

    # --- failure ----------------------------------------------------------------------------------------------------
    def _reason(self, outcome: Outcome[str]) -> str:
        failures = {error.address: error.reason for error in outcome.failed.values() if isinstance(error, StepFailed)}
        rows = {address: self._ledger.live(address) for address in failures}
        made = {
            address: row.action
            for address, row in rows.items()
            if row is not None and row.action in (Action.CREATE, Action.UPDATE)
        }
        return reasons.failed(self._ledger.stack.dialect, self._spec.kind, failures, made)

    async def _stop_here(self, stack: Stack) -> None:
        """Cancelled without rollback: what was under way is marked, the stack rests as failed (heat.md ENGS-12)."""
        assert self._spec.stop is not None
        await Children(self._context, stack, self._delegation).stop_all(self._spec.stop)
        for row in list(self._ledger.all()):
            if row.status is Status.IN_PROGRESS:
                await self._ledger.move(row, row.action, Status.FAILED, self._spec.stop)
        await self._end.end_failed(self._spec.stop)

    # --- delete -----------------------------------------------------------------------------------------------------
    async def _delete(self) -> None:
        stack, spec = self._ledger.stack, self._spec
        stepper = await self._stepper(None)
        if stack.revision is not None:
            source = await self._context.store.source(stack.revision)
            self._tell(source.environment)
            self._guards = Guards(self._context, self._ledger, spec, source)
        doomed = [row for row in self._ledger.all() if row.exists]
        remover = Remover(self._context, self._ledger, spec, stepper, self._guards, doomed)
        outcome = await self._carry_out(Walk(remover.graph(), remover.visit, stop_on_failure=False), remover)
        if not outcome.ok:
            failures = {e.address: e.reason for e in outcome.failed.values() if isinstance(e, StepFailed)}
            await self._end.end_failed(reasons.failed(stack.dialect, Action.DELETE, failures))
            return

        await self._discard_snapshots(stepper)

        async def also(connection: AsyncConnection) -> None:
            await refuse_delete_of_used(connection, stack.project_id, stack.id)
            for table in (t.exports, t.imports, t.signals, t.change_sets, t.hooks, t.drifts, t.detections):
                await connection.execute(delete(table).where(table.c.stack_id == stack.id))

        now = self._context.clock.now()
        cause = f" because the create failed: {spec.cause}" if spec.cause else ""
        await self._ledger.move_stack(
            Action.DELETE, Status.COMPLETE, reasons.completed(Action.DELETE) + cause,
            also=Write(stack_id=stack.id, also=also), deleted=now, updated=now, live_name=None,
            cleaning=False, delegation_json=None, **RELEASED,
        )  # fmt: skip
        if self._telling is not None:
            await self._telling.finish()  # while it may still act
        if stack.parent_id is None and self._delegation is not None:
            await self._context.clouds.revoke(self._context.store.vault.open(self._delegation))

    async def _discard_snapshots(self, stepper: Stepper) -> None:
        """ENGC-15. Those of a nested stack are its parent's to remove."""
        if self._ledger.stack.parent_id is not None:
            return
        snapshots = Snapshots(self._context)
        children = Children(self._context, self._ledger.stack, self._delegation)
        for one in await snapshots.of_stack(self._stack_id):
            cloud = await self._the_cloud() if await snapshots.copies(one.id) else _NO_CLOUD
            near = bare_operation(self._identity(), cloud, children, self._deadline)
            discard = functools.partial(snapshots.discard, one.id, near)
            try:
                await stepper.patiently(discard, busy=True)
            except (OperationFailed, CloudError) as error:
                raise OperationFailed(f"Snapshot {one.name or one.id} could not be removed: {error}") from error

    # --- suspend, resume, check, snapshot ---------------------------------------------------------------------------
    async def _each(self) -> None:
        spec, stack = self._spec, self._ledger.stack
        if stack.revision is not None:
            self._tell((await self._context.store.source(stack.revision)).environment)
        stepper = await self._stepper(None)
        visitor = Visitor(self._context, self._ledger, stepper, spec, self._scaling(stepper))
        walk = Walk(visitor.graph(), visitor.visit, stop_on_failure=spec.kind is not Action.CHECK)
        outcome = await self._carry_out(walk, visitor)
        also = Write(stack_id=stack.id, also=visitor.keep) if spec.kind is Action.CHECK else None
        if not outcome.ok:
            await self._end.end_failed(self._reason(outcome), also)
            return
        if spec.kind is Action.SNAPSHOT and spec.snapshot is not None:
            data = await self._snapshot_data(spec.snapshot)
            also = Write(stack_id=stack.id, also=ended(spec.snapshot, Status.COMPLETE, "", data))
        await self._end.rest(
            spec.kind, Status.COMPLETE, reasons.completed(spec.kind), updated=self._context.clock.now(),
            reverting=stack.reverting, also=also,
        )  # fmt: skip

    async def _snapshot_data(self, snapshot_id: str) -> str:
        """What is shown of a snapshot, sealed: an export of the stack, and what its copies are called."""
        snapshots = Snapshots(self._context)
        rows = [row for row in self._ledger.all() if row.exists and not row.condemned]
        source = await snapshots.source(snapshot_id)
        data = export_data(self._ledger.stack, masked(self._context.translator, source), rows)
        for copy in await snapshots.copies(snapshot_id):
            data["resources"][copy.address]["resource_data"] = dict(copy.saved)
        return self._context.store.vault.seal(data)


class _NoCloud:
    """Stands where a stack has only resources without an outside object."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError("a local resource type asked for the cloud")


_NO_CLOUD: Any = _NoCloud()
