"""Bringing one resource to what the template wants: create, update, replace, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from engine.cloud.errors import CloudError, WentToError
from engine.expr.evaluate import evaluate
from engine.expr.yaql import foreseen
from engine.model.diagnostic import Invalid
from engine.model.expression import MapOf
from engine.model.settings import Hook
from engine.model.status import Action, Status
from engine.model.template import Group, Resource
from engine.model.value import NO_VALUE, UNKNOWN, Value
from engine.plan.decide import IN_DOUBT, Decision, Step, candidate, decide, looked_into, of_the_type
from engine.plan.deployment import Deployment
from engine.plan.scope import DeploymentScope
from engine.resources.base import (
    Differing,
    Gone,
    MustReplace,
    Operation,
    OperationFailed,
    ResourceType,
    Superseded,
    Update,
    WouldLose,
)  # fmt: skip
from engine.resources.schema import check_properties, normalize
from engine.runs.context import RunContext
from engine.runs.drift import is_reference
from engine.runs.guards import Guards
from engine.runs.ledger import Ledger
from engine.runs.lending import Lender
from engine.runs.scaling import Scaling
from engine.runs.snapshots import Copy
from engine.runs.spec import RunSpec
from engine.runs.step import NOT_THE_RESOURCE, InterruptedCall, Stepper, explain
from engine.runs.view import RowsView
from engine.state.rows import ResourceRow

log = structlog.get_logger(__name__)
_TRIED, _WHY = "made_again", "went_wrong"  # notes of the engine: how often an object was made again, and why
_TAKING = (Action.ADOPT, Action.IMPORT)  # runs that take objects which are there already
_BROUGHT_BACK = "restored_by"  # a note of the engine: the operation that has restored the object


class StepFailed(Exception):
    """A resource ended FAILED; its row and event are written. `address` is the resource, the text its reason."""

    def __init__(self, address: str, reason: str) -> None:
        self.address, self.reason = address, reason
        super().__init__(reason)


class Applier:
    """Visits the nodes of a deployment: resources are applied, groups sealed."""

    def __init__(
        self, context: RunContext, ledger: Ledger, deployment: Deployment, spec: RunSpec, stepper: Stepper,
        guards: Guards, scaling: Scaling, saved: Mapping[str, Copy] | None = None,
    ) -> None:  # fmt: skip
        """`saved`: what is to be brought back into the objects at these addresses."""
        self._context, self._ledger, self._deployment = context, ledger, deployment
        self._saved, self._scaling = saved or {}, scaling
        self._spec, self._stepper, self._guards = spec, stepper, guards
        view = RowsView(ledger, context.registry)
        self._scope = deployment.scope(view)
        hiding = RowsView(ledger, context.registry, masked=True)
        self._lender = Lender(context, ledger, deployment, view)
        self._masked = deployment.scope(hiding, masked=True) if deployment.has_secrets else None
        self.overtaken = False  # set before cancelling for a newer operation: interrupted steps keep their state

    async def visit(self, address: str) -> None:
        group = self._deployment.groups.get(address)
        for scope in self._scopes():
            scope.refill()
        if self._deployment.template.waits:
            await foreseen(lambda: self._foresee(group or self._deployment.resources[address]))
        if group is not None:
            await self._seal(group)
        else:
            await self._apply(self._deployment.resources[address])
            if address in self._saved:
                await self._bring_back(self._deployment.resources[address])
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
        return [self._scope] if self._masked is None else [self._scope, self._masked]

    # --- resources ------------------------------------------------------------------------------------------------
    async def _apply(self, resource: Resource) -> None:
        address = resource.address
        kind = self._context.registry.get(resource.type)
        group = self._deployment.groups.get(resource.group) if resource.group else None
        row = candidate(self._ledger.generations(address), self._spec.target)
        if row is not None and not {address, resource.group}.isdisjoint(self._spec.skip):
            self._keep(row, resource)
            await self._ledger.move(row, Action.UPDATE, Status.COMPLETE, "Skipped as asked", group=group)
            return
        try:
            properties = self._properties(resource, kind)
            external = self._external(resource, row)
            decision = decide(row, kind, properties, revision=self._spec.target)
            if self._spec.converge and row is not None and decision.step in (Step.NONE, Step.UPDATE):
                decision = await self._observed(row, kind, properties)
            if row is not None and decision.step is Step.NONE and await self._outdated(row, kind):
                decision = decide(looked_into(row), kind, properties, revision=self._spec.target)
                decision = replace(decision, row=row)
        except NOT_THE_RESOURCE:
            raise
        except Exception as error:
            row = row or self._begin_row(resource, kind)
            row.requires = self._requires(address)
            action = Action.CREATE if row.action is Action.INIT else Action.UPDATE
            await self._fail(row, action, error, group)
            return
        if external is not None and (row is None or not row.external):
            await self._adopt(row or self._begin_row(resource, kind), resource, kind, properties, group, external)
            return
        unadopted = row is None or (row.action in _TAKING and row.status is not Status.COMPLETE)
        taken = self._spec.kind is Action.ADOPT or address in self._spec.adopt
        if self._spec.kind in _TAKING and unadopted and taken:
            given = self._spec.adopt.get(address) or {}
            row = row or self._begin_row(resource, kind)
            await self._adopt(row, resource, kind, properties, group, None, given)
            return
        if self._guards and decision.row is not None and self._is_met(decision):
            await self._guards.before(decision.row, Hook.PRE_UPDATE)
        if kind.scalable and decision.row is not None and decision.step is not Step.NONE:
            await self._scaling.overtake(decision.row)
        match decision.step:
            case Step.NONE:
                assert decision.row is not None
                await self._scaling.settle(decision.row)
                await self._nothing(decision.row, resource)
            case Step.CREATE:
                await self._create(decision.row or self._begin_row(resource, kind), resource, kind, properties, group)
            case Step.UPDATE:
                await self._update(decision, resource, kind, properties, group)
            case Step.REPLACE:
                assert decision.row is not None
                await self._replace(decision.row, resource, kind, properties, group)

    def _is_met(self, decision: Decision) -> bool:
        """Whether an update comes upon something that stood before it."""
        assert decision.row is not None
        own = decision.row.revision == self._spec.target  # made or changed by this very run, before a crash
        return self._spec.kind is not Action.CREATE and decision.step is not Step.CREATE and not own

    async def _outdated(self, row: ResourceRow, kind: ResourceType) -> bool:
        if not kind.nested or row.external or self._spec.kind not in (Action.UPDATE, Action.ROLLBACK):
            return False
        return await kind.outdated(self._stepper.operation(row, row.properties))

    async def _observed(self, row: ResourceRow, kind: ResourceType, properties: Mapping[str, Value]) -> Decision:
        """The decision that takes the live object for what stands (ENGU-07); as before where it cannot be looked at."""
        seen = row
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
        return replace(decide(seen, kind, properties, revision=self._spec.target), row=row)

    def _properties(self, resource: Resource, kind: ResourceType) -> Mapping[str, Value]:
        given, _ = self._lender.plain(resource)
        properties = normalize(kind, given)
        known = self._deployment.checkable(properties)
        sentences = [finding.sentence for finding in check_properties(kind, known)] + list(kind.validate(known))
        if sentences:
            raise OperationFailed("; ".join(sentences))
        return properties

    def _external(self, resource: Resource, row: ResourceRow | None) -> str | None:
        """The id of the object that belongs to somebody else (heat.md TR-08); it stays what it was for good."""
        wanted = None if resource.external_id is None else _text(evaluate(resource.external_id, self._scope))
        if row is not None and (row.external or wanted is not None):
            standing = row.physical_id if row.external else None
            if wanted != standing:
                raise OperationFailed(
                    f"Update to property external_id of {resource.address} ({resource.type}) is not allowed; give the "
                    "resource another name"
                )
        return wanted

    def _begin_row(self, resource: Resource, kind: ResourceType) -> ResourceRow:
        row = self._ledger.unborn(resource.address, kind.name) or self._ledger.new_row(
            resource.address, kind.name, resource.group
        )
        # From its first moment: going back to an earlier revision must not take up what this one began.
        row.revision = self._spec.target
        return row

    def _condemn_others(self, row: ResourceRow) -> list[ResourceRow]:
        """There is one object of an address in the end: every other generation is left to the cleanup."""
        others = [o for o in self._ledger.generations(row.address) if o is not row and o.exists and not o.condemned]
        for other in others:
            other.condemned = True
        return others

    def _requires(self, address: str) -> tuple[str, ...]:
        return tuple(sorted(self._deployment.requires[address]))

    def _keep(self, row: ResourceRow, resource: Resource) -> bool:
        """Bring the row's own fields to the template's; returns whether any of them changed."""
        before = (row.requires, row.metadata, row.deletion_policy, row.replace_policy, row.description, row.condemned)
        row.requires = self._requires(resource.address)
        row.metadata = self._metadata(resource)
        row.deletion_policy, row.replace_policy = resource.deletion_policy, resource.update_replace_policy
        row.description, row.condemned = resource.description, False
        row.secret = row.secret or self._deployment.has_secrets
        after = (row.requires, row.metadata, row.deletion_policy, row.replace_policy, row.description, row.condemned)
        return before != after

    def _metadata(self, resource: Resource) -> Mapping[str, Value]:
        if resource.metadata is None:
            return {}
        found = evaluate(resource.metadata, self._scope)
        return found if isinstance(found, Mapping) else {}

    def _update_policy(self, resource: Resource) -> Mapping[str, Value]:
        if resource.update_policy is None:
            return {}
        found = evaluate(resource.update_policy, self._scope)
        return found if isinstance(found, Mapping) else {}

    def _shown(self, resource: Resource) -> Mapping[str, Value] | None:
        """The properties with hidden parameters masked, None when there are none."""
        if self._masked is None:
            return None
        found = evaluate(resource.properties, self._masked)
        return {} if found is NO_VALUE else found

    async def _nothing(self, row: ResourceRow, resource: Resource) -> None:
        condemned = self._condemn_others(row)
        changed = self._keep(row, resource)
        if row.status is not Status.COMPLETE:
            group = self._deployment.groups.get(resource.group) if resource.group else None
            row.revision = self._spec.target
            await self._ledger.move(
                row, Action.UPDATE, Status.COMPLETE, group=group, also=condemned, durable=False
            )  # fmt: skip
        elif changed or condemned:
            await self._ledger.write([row, *condemned], durable=False)

    async def _create(
        self, row: ResourceRow, resource: Resource, kind: ResourceType, properties: Mapping[str, Value],
        group: Group | None, also: tuple[ResourceRow, ...] = (),
    ) -> None:  # fmt: skip
        resumed = row.action is Action.CREATE and row.status is Status.IN_PROGRESS
        also = (*also, *self._condemn_others(row))
        self._keep(row, resource)
        if self._guards and not resumed:
            if group is not None and self._ledger.group_row(group) is None:
                self._ledger.new_group(group)
            await self._guards.before(row, Hook.PRE_CREATE)
        # What was begun is finished as it was begun; the newer properties are a change made after that.
        operation = self._stepper.operation(row, row.properties if resumed else properties, resumed=resumed)
        operation.update_policy = self._update_policy(resource)
        try:
            await self._lender.lend(operation, resource, kind)
            if not resumed:
                await self._intend(row, resource, kind, properties, group, also, operation.properties)
                operation.data = row.data
            await self._make(row, kind, operation)
        except asyncio.CancelledError:
            await self._interrupted(row, Action.CREATE, group)
            raise
        except NOT_THE_RESOURCE:
            raise
        except Exception as error:
            if isinstance(error, WentToError) and row.data.get(_TRIED, 0) < self._context.settings.action_retry_limit:
                await self._make_again(row, resource, kind, operation, group, error)
                return
            await self._stepper.after_refusal(kind, row, operation, error)
            await self._fail(row, Action.CREATE, error, group)
        else:
            row.revision = self._spec.target
            await self._ledger.move(row, Action.CREATE, Status.COMPLETE, durable=False)
            if properties != row.properties:
                # The creation taken up again was of an earlier template: bring it the rest of the way.
                await self._apply(resource)

    async def _make_again(
        self, row: ResourceRow, resource: Resource, kind: ResourceType, operation: Operation, group: Group | None,
        error: Exception,
    ) -> None:  # fmt: skip
        """ENGU-01: what broke while it was built is taken away, and another one is made under a mark of its own."""
        tried = row.data.get(_TRIED, 0)
        row.condemned, row.status, row.reason = (
            True,
            Status.FAILED,
            self._lender.veil(self._deployment.veil(explain(error))),
        )
        await self._ledger.write([row])  # nobody takes it up again, whenever the engine dies
        if await self._stepper.take_away(kind, row, operation):
            row.action, row.status = Action.DELETE, Status.COMPLETE
        await self._stepper.pause(tried)
        fresh = self._begin_row(resource, kind)
        fresh.data = {_TRIED: tried + 1, _WHY: row.reason}
        await self._create(fresh, resource, kind, row.properties, group, also=(row,))

    async def _adopt(
        self, row: ResourceRow, resource: Resource, kind: ResourceType, properties: Mapping[str, Value],
        group: Group | None, physical_id: str | None, given: Mapping[str, Value] | None = None,
    ) -> None:  # fmt: skip
        """Take an object that exists for the resource: ENGU-18 with the data `given`, else TR-08 (external_id)."""
        action = Action.CHECK if given is None else self._spec.kind
        self._keep(row, resource)
        row.properties, row.shown, row.physical_id = properties, self._shown(resource), physical_id
        row.secret = row.secret or kind.secret_attributes or any(p.secret for p in kind.properties.values())
        row.external = given is None
        if given is not None:
            row.data = of_the_type(given.get("resource_data") or {})
            row.metadata = given.get("metadata") or row.metadata
        operation = self._stepper.operation(row, properties)
        try:
            await self._lender.lend(operation, resource, kind)
            await self._ledger.move(row, action, Status.IN_PROGRESS, group=group)
            if given is not None:
                operation.physical_id = row.physical_id = await kind.adopt(operation, given)
            if row.physical_id is None:
                raise OperationFailed("Resource ID was not provided.")
            look = kind.ready if kind.nested else kind.check
            row.attributes = self._lender.hide(await self._stepper.patiently(lambda: look(operation)))
        except asyncio.CancelledError:
            await self._interrupted(row, action, group)
            raise
        except NOT_THE_RESOURCE:
            raise
        except Exception as error:
            await self._fail(row, action, error, group)
        else:
            await self._ledger.move(row, action, Status.COMPLETE, durable=False)

    async def _intend(
        self, row: ResourceRow, resource: Resource, kind: ResourceType, properties: Mapping[str, Value],
        group: Group | None, also: tuple[ResourceRow, ...], lent: Mapping[str, Value],
    ) -> None:  # fmt: skip
        """`lent`: the properties as the cloud gets them."""
        row.properties, row.shown = properties, self._shown(resource)
        row.secret = row.secret or kind.secret_attributes or any(p.secret for p in kind.properties.values())
        if not kind.local:
            row.attempted = {}  # an object may exist without an id until this is taken back
            noted = await self._stepper.patiently(lambda: kind.prepare(self._stepper.operation(row, lent)))
            row.data = {**row.data, **noted}
        # Nothing outside is touched for a local type: its intent may reach the disk together with its result.
        await self._ledger.move(
            row, Action.CREATE, Status.IN_PROGRESS, _told_again(row), group=group, also=also, durable=not kind.local
        )  # fmt: skip

    async def _make(self, row: ResourceRow, kind: ResourceType, operation: Operation) -> None:
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

    async def _update(
        self, decision: Decision, resource: Resource, kind: ResourceType, properties: Mapping[str, Value],
        group: Group | None,
    ) -> None:  # fmt: skip
        row = decision.row
        assert row is not None
        if self._guards.refused(row.address, "update"):
            await self._fail(row, Action.UPDATE, OperationFailed("update is restricted for resource."), group)
        others = self._condemn_others(row)
        self._keep(row, resource)
        row.attempted, row.shown = properties, self._shown(resource)
        self._doubt(row, properties)
        operation = self._stepper.operation(row, properties)
        operation.update_policy = self._update_policy(resource)
        try:
            await self._lender.lend(operation, resource, kind)
            await self._ledger.move(
                row, Action.UPDATE, Status.IN_PROGRESS, group=group, also=others, durable=not kind.local
            )  # fmt: skip
            await self._stepper.patiently(lambda: kind.update(operation, decision.changed))
            row.attributes = self._lender.hide(await self._stepper.patiently(lambda: kind.ready(operation)))
        except Superseded as error:
            await self._take_over(row, resource, kind, properties, group, error)
        except (MustReplace, Gone, WouldLose) as error:
            if isinstance(error, WouldLose) and self._copy(resource, kind) is None:
                await self._fail(row, Action.UPDATE, error, group)
            row.attempted = None
            if isinstance(error, Gone):
                # Nobody may go back to it: as after a check that did not find it.
                row.action, row.status, row.reason = Action.CHECK, Status.FAILED, explain(error)
            await self._replace(row, resource, kind, properties, group)
        except asyncio.CancelledError:
            await self._interrupted(row, Action.UPDATE, group)
            raise
        except NOT_THE_RESOURCE:
            raise
        except Exception as error:
            await self._fail(row, Action.UPDATE, error, group)
        else:
            row.properties, row.attempted, row.revision = properties, None, self._spec.target
            row.data = {name: note for name, note in row.data.items() if name != IN_DOUBT}
            await self._ledger.move(row, Action.UPDATE, Status.COMPLETE, durable=False)

    def _doubt(self, row: ResourceRow, properties: Mapping[str, Value]) -> None:
        """Until the change is finished the object may be as any that was begun."""
        begun: list[Mapping[str, Value]] = list(row.data.get(IN_DOUBT, ()))
        if properties not in begun:
            row.data = {**row.data, IN_DOUBT: [*begun, properties]}

    async def _take_over(
        self, old: ResourceRow, resource: Resource, kind: ResourceType, properties: Mapping[str, Value],
        group: Group | None, found: Superseded,
    ) -> None:  # fmt: skip
        """The change has brought forth another object: it stands from here, the one before goes with the cleanup."""
        old.condemned, old.attempted, old.status = True, None, Status.COMPLETE
        old.data = {**old.data, **found.forgotten}
        fresh = self._begin_row(resource, kind)
        self._keep(fresh, resource)
        fresh.properties, fresh.shown, fresh.secret = properties, self._shown(resource), True
        fresh.physical_id, fresh.data = found.physical_id, dict(found.data)
        fresh.attributes = self._lender.hide(found.attributes)
        await self._ledger.move(fresh, Action.UPDATE, Status.COMPLETE, group=group, also=(old,))

    async def _replace(
        self, old: ResourceRow, resource: Resource, kind: ResourceType, properties: Mapping[str, Value],
        group: Group | None,
    ) -> None:  # fmt: skip
        if self._guards.refused(old.address, "replace"):
            await self._fail(old, Action.UPDATE, OperationFailed("replace is restricted for resource."), group)
        old.condemned = True
        fresh = self._begin_row(resource, kind)
        await self._create(fresh, resource, kind, properties, group, also=(old,))

    def _copy(self, resource: Resource, kind: ResourceType) -> Copy | None:
        """What is to be brought back into the object."""
        found = self._saved.get(resource.address)
        return found if found is not None and found.type == kind.name else None

    async def _bring_back(self, resource: Resource) -> None:
        """ENGS-10: the object stands as the snapshot's definition says; now it gets what its copy holds."""
        row, kind = self._ledger.live(resource.address), self._context.registry.get(resource.type)
        operation_id, copy = self._ledger.stack.operation_id, self._copy(resource, kind)
        if row is None or copy is None or row.data.get(_BROUGHT_BACK) == operation_id:
            return
        group = self._deployment.groups.get(resource.group) if resource.group else None
        operation = self._stepper.operation(row, row.properties)
        try:
            await self._ledger.move(row, Action.UPDATE, Status.IN_PROGRESS, "Restoring from the snapshot", group=group)
            await self._stepper.patiently(lambda: kind.restore(operation, copy.saved))
            row.attributes = await self._stepper.patiently(lambda: kind.ready(operation))
        except asyncio.CancelledError:
            await self._interrupted(row, Action.UPDATE, group)
            raise
        except NOT_THE_RESOURCE:
            raise
        except Exception as error:
            await self._fail(row, Action.UPDATE, error, group)
        else:
            row.data, row.revision = {**row.data, _BROUGHT_BACK: operation_id}, self._spec.target
            await self._ledger.move(row, Action.UPDATE, Status.COMPLETE, durable=False)

    async def _fail(self, row: ResourceRow, action: Action, error: Exception, group: Group | None) -> None:
        reason = self._lender.veil(self._deployment.veil(explain(error)))
        await self._ledger.move(row, action, Status.FAILED, reason, group=group, guarded=False)
        raise StepFailed(row.address, reason) from error

    async def _interrupted(self, row: ResourceRow, action: Action, group: Group | None) -> None:
        if self.overtaken:
            # The newer operation takes the row up from here; what is known of its object must not be lost.
            await self._ledger.write([row], guarded=False)
            return
        verb = "update" if action is Action.UPDATE else "creation"
        await self._ledger.move(row, action, Status.FAILED, f"Resource {verb} cancelled", group=group, guarded=False)

    # --- groups ---------------------------------------------------------------------------------------------------
    async def _seal(self, group: Group) -> None:
        """All members are there: evaluate what the group shows, complete its row."""
        begun = self._ledger.group_begun(group.address)
        row = self._ledger.group_row(group) or self._ledger.new_group(group)
        try:
            written = _plain(evaluate(group.properties, self._scope))
            row.physical_id = _text(evaluate(group.reference, self._scope))
            attributes = {n: _plain(evaluate(e, self._scope)) for n, e in group.attributes.items()}
            metadata = {} if group.metadata is None else _plain(evaluate(group.metadata, self._scope))
        except Invalid as error:
            reason = self._lender.veil(self._deployment.veil(str(error)))
            await self._ledger.move(row, row.action, Status.FAILED, reason, guarded=False)
            raise StepFailed(group.address, reason) from error
        changed = begun or row.status is not Status.COMPLETE or row.properties != written or row.condemned
        row.attributes, row.metadata, row.description = attributes, metadata, group.description
        row.properties, row.condemned, row.secret = written, False, self._deployment.has_secrets
        row.shown = _plain(evaluate(group.properties, self._masked)) if self._masked is not None else None
        requires = self._requires(group.address)
        if not changed and row.requires == requires:
            return
        row.requires, row.revision = requires, self._spec.target
        row.deletion_policy, row.replace_policy = group.deletion_policy, group.update_replace_policy
        fresh = row.action in (Action.CREATE, Action.IMPORT) and row.status is not Status.COMPLETE
        others = [other for other in self._ledger.generations(group.address) if other is not row]
        action = row.action if fresh else Action.UPDATE
        await self._ledger.move(row, action, Status.COMPLETE, announce=changed, also=others, durable=False)


def _told_again(row: ResourceRow) -> str:
    return f"Made again ({row.data[_TRIED]}): {row.data[_WHY]}" if _TRIED in row.data else ""


def _live(kind: ResourceType, found: Sequence[Differing]) -> dict[str, Value]:
    """What can be put right: a property that never changes is what it is."""
    declared = kind.properties
    return {d.name: d.actual for d in found if d.name in declared and declared[d.name].update is not Update.IMMUTABLE}


def _plain(value: Value) -> Value:
    """JSON of a value that may hold UNKNOWN or NO_VALUE."""
    if value is UNKNOWN or value is NO_VALUE:
        return None
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _text(value: Value) -> str | None:
    if value is None or value is UNKNOWN or value is NO_VALUE:
        return None
    return value if isinstance(value, str) else str(value)
