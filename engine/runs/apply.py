"""Bringing one resource to what the template wants: create, update, replace, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from engine.cloud.errors import CloudError
from engine.expr.evaluate import evaluate
from engine.expr.yaql import foreseen
from engine.model.expression import MapOf
from engine.model.settings import Hook
from engine.model.status import Action, Status
from engine.model.template import Group, Resource
from engine.model.value import Value
from engine.plan.decide import Decision, Step, candidate, decide, looked_into
from engine.plan.deployment import Deployment
from engine.plan.scope import DeploymentScope
from engine.resources.base import Differing, Gone, OperationFailed, ResourceType, Update
from engine.resources.schema import check_properties, normalize
from engine.runs.change import Changer
from engine.runs.context import RunContext
from engine.runs.drift import is_reference
from engine.runs.guards import Guards
from engine.runs.ledger import Ledger
from engine.runs.lending import Lender
from engine.runs.make import Maker
from engine.runs.record import Recorder
from engine.runs.restore import Restorer
from engine.runs.scaling import Scaling
from engine.runs.seal import Sealer
from engine.runs.snapshots import Copy
from engine.runs.spec import RunSpec
from engine.runs.step import NOT_THE_RESOURCE, Stepper, explain
from engine.runs.take import Taker
from engine.runs.view import RowsView
from engine.runs.wanted import Wanted
from engine.state.rows import ResourceRow

log = structlog.get_logger(__name__)


class Applier:
    """Visits the nodes of a deployment: resources are applied, groups sealed."""

    def __init__(
        self, context: RunContext, ledger: Ledger, deployment: Deployment, spec: RunSpec, stepper: Stepper,
        guards: Guards, scaling: Scaling, saved: Mapping[str, Copy] | None = None,
    ) -> None:  # fmt: skip
        """`saved`: what is to be brought back into the objects at these addresses."""
        self._registry, self._ledger, self._deployment = context.registry, ledger, deployment
        self._spec, self._stepper, self._guards, self._scaling = spec, stepper, guards, scaling
        view, hiding = RowsView(ledger, context.registry), RowsView(ledger, context.registry, masked=True)
        self._lender = Lender(context, ledger, deployment, view)
        masked = deployment.scope(hiding, masked=True) if deployment.has_secrets else None
        self._record = Recorder(ledger, deployment, spec, self._lender, deployment.scope(view), masked)
        self._maker = Maker(context, ledger, spec, stepper, guards, self._lender, self._record)
        self._restorer = Restorer(ledger, spec, stepper, self._record, saved or {})
        self._changer = Changer(
            ledger, spec, stepper, guards, self._lender, self._record, self._maker, self._restorer
        )  # fmt: skip
        self._taker = Taker(ledger, spec, stepper, self._lender, self._record)
        self._sealer = Sealer(ledger, deployment, spec, self._record)

    def give_way(self) -> None:
        """A newer operation takes over what is interrupted from here on."""
        self._record.overtaken = True

    async def visit(self, address: str) -> None:
        group = self._deployment.groups.get(address)
        for scope in self._scopes():
            scope.refill()
        if self._deployment.template.waits:
            await foreseen(lambda: self._foresee(group or self._deployment.resources[address]))
        if group is not None:
            await self._sealer.seal(group)
        else:
            await self._apply(self._deployment.resources[address])
        if self._guards:
            await self._guards.after(address)

    def _foresee(self, held: Resource | Group) -> None:
        """Evaluate all that the visit is going to evaluate."""
        parts = [held.properties, held.metadata]
        parts += [held.update_policy, held.external_id] if isinstance(held, Resource) else [held.reference]
        for scope in self._scopes():
            for part in parts:
                evaluate(part or MapOf(()), scope)

    def _scopes(self) -> list[DeploymentScope]:
        return [self._record.scope] if self._record.masked is None else [self._record.scope, self._record.masked]

    async def _apply(self, resource: Resource) -> None:
        address, kind = resource.address, self._registry.get(resource.type)
        group = self._deployment.groups.get(resource.group) if resource.group else None
        row = candidate(self._ledger.generations(address), self._spec.target)
        if row is not None and not {address, resource.group}.isdisjoint(self._spec.skip):
            self._record.keep(row, resource)
            await self._ledger.move(row, Action.UPDATE, Status.COMPLETE, "Skipped as asked", group=group)
            return
        try:
            wanted = Wanted(resource, kind, self._properties(resource, kind), group)
            external = self._taker.external_id(resource, row)
            decision = await self._decision(row, wanted)
        except NOT_THE_RESOURCE:
            raise
        except Exception as error:
            row = row or self._record.begin_row(resource, kind)
            row.requires = self._record.requires(address)
            action = Action.CREATE if row.action is Action.INIT else Action.UPDATE
            await self._record.fail(row, action, error, group)
        if external is not None and (row is None or not row.external):
            await self._taker.take_external(row or self._record.begin_row(resource, kind), wanted, external)
        elif (given := self._taker.given(address, row)) is not None:
            await self._taker.adopt(row or self._record.begin_row(resource, kind), wanted, given)
        else:
            await self._follow(decision, wanted)
        if self._restorer.has_copy(wanted):
            await self._restorer.bring_back(wanted)

    async def _decision(self, row: ResourceRow | None, wanted: Wanted) -> Decision:
        decision = decide(row, wanted.kind, wanted.properties, revision=self._spec.target)
        if self._spec.converge and row is not None and decision.step in (Step.NONE, Step.UPDATE):
            decision = await self._observed(row, wanted)
        if row is not None and decision.step is Step.NONE and await self._outdated(row, wanted.kind):
            return replace(
                decide(looked_into(row), wanted.kind, wanted.properties, revision=self._spec.target), row=row
            )
        return decision

    async def _outdated(self, row: ResourceRow, kind: ResourceType) -> bool:
        if not kind.nested or row.external or self._spec.kind not in (Action.UPDATE, Action.ROLLBACK):
            return False
        return await kind.outdated(self._stepper.operation(row, row.properties))

    async def _follow(self, decision: Decision, wanted: Wanted) -> None:
        row = decision.row
        if self._guards and row is not None and self._is_met(decision):
            await self._guards.before(row, Hook.PRE_UPDATE)
        if wanted.kind.scalable and row is not None and decision.step is not Step.NONE:
            await self._scaling.overtake(row)
        match decision.step:
            case Step.NONE:
                assert row is not None
                await self._scaling.settle(row)
                await self._nothing(row, wanted)
            case Step.CREATE:
                row = row or self._record.begin_row(wanted.resource, wanted.kind)
                if await self._maker.create(row, wanted):
                    await self._apply(wanted.resource)
            case Step.UPDATE:
                await self._changer.update(decision, wanted)
            case Step.REPLACE:
                assert row is not None
                await self._maker.replace(row, wanted)

    def _is_met(self, decision: Decision) -> bool:
        """Whether an update comes upon something that stood before it."""
        assert decision.row is not None
        own = decision.row.revision == self._spec.target  # made or changed by this very run, before a crash
        return self._spec.kind is not Action.CREATE and decision.step is not Step.CREATE and not own

    async def _observed(self, row: ResourceRow, wanted: Wanted) -> Decision:
        """The decision that takes the live object for what stands (ENGU-07); as before where it cannot be looked at."""
        seen, kind = row, wanted.kind
        if kind.nested:
            seen = looked_into(row)  # whatever it is inside
        elif not kind.local and not row.external:
            try:
                told = await self._stepper.patiently(lambda: kind.drift(self._stepper.operation(row, row.properties)))
                found = [one for one in told if not is_reference(row, one)]
                seen = replace(row, properties={**row.properties, **_live(kind, found)})
            except Gone as error:
                row.action, row.status, row.reason = Action.CHECK, Status.FAILED, explain(error)
            except (CloudError, OperationFailed) as error:
                log.warning("a resource cannot be looked at before its update", address=row.address, error=str(error))
        return replace(decide(seen, kind, wanted.properties, revision=self._spec.target), row=row)

    def _properties(self, resource: Resource, kind: ResourceType) -> Mapping[str, Value]:
        given, _ = self._lender.plain(resource)
        properties = normalize(kind, given)
        known = self._deployment.checkable(properties)
        sentences = [finding.sentence for finding in check_properties(kind, known)] + list(kind.validate(known))
        if sentences:
            raise OperationFailed("; ".join(sentences))
        return properties

    async def _nothing(self, row: ResourceRow, wanted: Wanted) -> None:
        condemned = self._record.condemn_others(row)
        changed = self._record.keep(row, wanted.resource)
        if row.status is not Status.COMPLETE:
            row.revision = self._spec.target
            await self._record.complete(row, Action.UPDATE, wanted.group, condemned)
        elif changed or condemned:
            await self._ledger.write([row, *condemned], durable=False)


def _live(kind: ResourceType, found: Sequence[Differing]) -> dict[str, Value]:
    """What can be put right: a property that never changes is what it is."""
    declared = kind.properties
    return {d.name: d.actual for d in found if d.name in declared and declared[d.name].update is not Update.IMMUTABLE}
