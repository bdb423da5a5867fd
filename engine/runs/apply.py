"""Bringing one resource to what the template wants: create, update, replace, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from engine.expr.evaluate import evaluate
from engine.model.diagnostic import Invalid
from engine.model.status import Action, Status
from engine.model.template import Group, Resource
from engine.model.value import NO_VALUE, UNKNOWN, Value
from engine.plan.decide import Decision, Step, candidate, decide
from engine.plan.deployment import Deployment
from engine.resources.base import Gone, MustReplace, Operation, OperationFailed, ResourceType
from engine.resources.schema import check_properties, normalize
from engine.runs.context import RunContext
from engine.runs.ledger import Ledger
from engine.runs.spec import RunSpec
from engine.runs.step import NOT_THE_RESOURCE, InterruptedCall, Stepper, explain
from engine.runs.view import RowsView
from engine.state.rows import ResourceRow


class StepFailed(Exception):
    """A resource ended FAILED; its row and event are written. `address` is the resource, the text its reason."""

    def __init__(self, address: str, reason: str) -> None:
        self.address, self.reason = address, reason
        super().__init__(reason)


class Applier:
    """Visits the nodes of a deployment: resources are applied, groups sealed."""

    def __init__(
        self, context: RunContext, ledger: Ledger, deployment: Deployment, spec: RunSpec, stepper: Stepper
    ) -> None:
        self._context, self._ledger, self._deployment = context, ledger, deployment
        self._spec, self._stepper = spec, stepper
        view = RowsView(ledger, context.registry)
        self._scope = deployment.scope(view)
        self._masked = deployment.scope(view, masked=True) if deployment.has_secrets else None
        self.overtaken = False  # set before cancelling for a newer operation: interrupted steps keep their state

    async def visit(self, address: str) -> None:
        group = self._deployment.groups.get(address)
        if group is not None:
            await self._seal(group)
        else:
            await self._apply(self._deployment.resources[address])

    # --- resources ------------------------------------------------------------------------------------------------
    async def _apply(self, resource: Resource) -> None:
        address = resource.address
        kind = self._context.registry.get(resource.type)
        group = self._deployment.groups.get(resource.group) if resource.group else None
        row = candidate(self._ledger.generations(address), self._spec.target)
        if row is not None and address in self._spec.skip:
            self._keep(row, resource)
            await self._ledger.move(row, Action.UPDATE, Status.COMPLETE, "Skipped as asked", group=group)
            return
        try:
            properties = self._properties(resource, kind)
            external = self._external(resource, row)
            decision = decide(row, kind, properties, revision=self._spec.target)
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
        unadopted = row is None or (row.action is Action.ADOPT and row.status is not Status.COMPLETE)
        if self._spec.kind is Action.ADOPT and unadopted:
            given = self._spec.adopt.get(address) or {}
            row = row or self._begin_row(resource, kind)
            await self._adopt(row, resource, kind, properties, group, given.get("resource_id"), given)
            return
        match decision.step:
            case Step.NONE:
                assert decision.row is not None
                await self._nothing(decision.row, resource)
            case Step.CREATE:
                await self._create(decision.row or self._begin_row(resource, kind), resource, kind, properties, group)
            case Step.UPDATE:
                await self._update(decision, resource, kind, properties, group)
            case Step.REPLACE:
                assert decision.row is not None
                await self._replace(decision.row, resource, kind, properties, group)

    def _properties(self, resource: Resource, kind: ResourceType) -> Mapping[str, Value]:
        found = evaluate(resource.properties, self._scope)
        given: Mapping[str, Value] = {} if found is NO_VALUE else found
        properties = normalize(kind, given)
        findings = check_properties(kind, properties)
        sentences = [finding.message for finding in findings] + list(kind.validate(properties))
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
        row = self._ledger.new_row(resource.address, kind.name, resource.group)
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
            await self._ledger.move(row, Action.UPDATE, Status.COMPLETE, group=group, also=condemned)
        elif changed or condemned:
            await self._ledger.write([row, *condemned])

    async def _create(
        self, row: ResourceRow, resource: Resource, kind: ResourceType, properties: Mapping[str, Value],
        group: Group | None, also: tuple[ResourceRow, ...] = (),
    ) -> None:  # fmt: skip
        resumed = row.action is Action.CREATE and row.status is Status.IN_PROGRESS
        also = (*also, *self._condemn_others(row))
        self._keep(row, resource)
        # What was begun is finished as it was begun; the newer properties are a change made after that.
        operation = self._stepper.operation(row, row.properties if resumed else properties, resumed=resumed)
        operation.update_policy = self._update_policy(resource)
        try:
            if not resumed:
                await self._intend(row, resource, kind, properties, group, also)
                operation.data = row.data
            await self._make(row, kind, operation)
        except asyncio.CancelledError:
            await self._interrupted(row, Action.CREATE, group)
            raise
        except NOT_THE_RESOURCE:
            raise
        except Exception as error:
            await self._stepper.after_refusal(kind, row, operation, error)
            await self._fail(row, Action.CREATE, error, group)
        else:
            row.revision = self._spec.target
            await self._ledger.move(row, Action.CREATE, Status.COMPLETE)
            if properties != row.properties:
                # The creation taken up again was of an earlier template: bring it the rest of the way.
                await self._apply(resource)

    async def _adopt(
        self, row: ResourceRow, resource: Resource, kind: ResourceType, properties: Mapping[str, Value],
        group: Group | None, physical_id: str | None, given: Mapping[str, Value] | None = None,
    ) -> None:  # fmt: skip
        """Take an object that exists for the resource: ENGU-18 with the data `given`, else TR-08 (external_id)."""
        action = Action.CHECK if given is None else Action.ADOPT
        self._keep(row, resource)
        row.properties, row.shown, row.physical_id = properties, self._shown(resource), physical_id
        row.secret = row.secret or kind.secret_attributes or any(p.secret for p in kind.properties.values())
        row.external = given is None
        if given is not None:
            row.data = given.get("resource_data") or {}
            row.metadata = given.get("metadata") or row.metadata
        operation = self._stepper.operation(row, properties)
        try:
            await self._ledger.move(row, action, Status.IN_PROGRESS, group=group)
            if physical_id is None:
                raise OperationFailed("Resource ID was not provided.")
            row.attributes = await self._stepper.patiently(lambda: kind.check(operation))
        except asyncio.CancelledError:
            await self._interrupted(row, action, group)
            raise
        except NOT_THE_RESOURCE:
            raise
        except Exception as error:
            await self._fail(row, action, error, group)
        else:
            await self._ledger.move(row, action, Status.COMPLETE)

    async def _intend(
        self, row: ResourceRow, resource: Resource, kind: ResourceType, properties: Mapping[str, Value],
        group: Group | None, also: tuple[ResourceRow, ...],
    ) -> None:  # fmt: skip
        row.properties, row.shown = properties, self._shown(resource)
        row.secret = row.secret or kind.secret_attributes or any(p.secret for p in kind.properties.values())
        if not kind.local:
            row.attempted = {}  # an object may exist without an id until this is taken back
            row.data = dict(await self._stepper.patiently(
                lambda: kind.prepare(self._stepper.operation(row, properties))
            ))  # fmt: skip
        await self._ledger.move(row, Action.CREATE, Status.IN_PROGRESS, group=group, also=also)

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
        row.attributes = await self._stepper.patiently(lambda: kind.ready(operation))

    async def _update(
        self, decision: Decision, resource: Resource, kind: ResourceType, properties: Mapping[str, Value],
        group: Group | None,
    ) -> None:  # fmt: skip
        row = decision.row
        assert row is not None
        others = self._condemn_others(row)
        self._keep(row, resource)
        row.attempted, row.shown = properties, self._shown(resource)
        operation = self._stepper.operation(row, properties)
        operation.update_policy = self._update_policy(resource)
        try:
            await self._ledger.move(row, Action.UPDATE, Status.IN_PROGRESS, group=group, also=others)
            await self._stepper.patiently(lambda: kind.update(operation, decision.changed))
            row.attributes = await self._stepper.patiently(lambda: kind.ready(operation))
        except (MustReplace, Gone) as error:
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
            await self._ledger.move(row, Action.UPDATE, Status.COMPLETE)

    async def _replace(
        self, old: ResourceRow, resource: Resource, kind: ResourceType, properties: Mapping[str, Value],
        group: Group | None,
    ) -> None:  # fmt: skip
        old.condemned = True
        fresh = self._begin_row(resource, kind)
        await self._create(fresh, resource, kind, properties, group, also=(old,))

    async def _fail(self, row: ResourceRow, action: Action, error: Exception, group: Group | None) -> None:
        reason = self._deployment.veil(explain(error))
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
            await self._ledger.move(row, row.action, Status.FAILED, str(error), guarded=False)
            raise StepFailed(group.address, str(error)) from error
        changed = begun or row.status is not Status.COMPLETE or row.properties != written or row.condemned
        row.attributes, row.metadata, row.description = attributes, metadata, group.description
        row.properties, row.condemned, row.secret = written, False, self._deployment.has_secrets
        row.shown = _plain(evaluate(group.properties, self._masked)) if self._masked is not None else None
        requires = self._requires(group.address)
        if not changed and row.requires == requires:
            return
        row.requires, row.revision = requires, self._spec.target
        row.deletion_policy, row.replace_policy = group.deletion_policy, group.update_replace_policy
        fresh = row.action is Action.CREATE and row.status is not Status.COMPLETE
        others = [other for other in self._ledger.generations(group.address) if other is not row]
        action = Action.CREATE if fresh else Action.UPDATE
        await self._ledger.move(row, action, Status.COMPLETE, announce=changed, also=others)


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
