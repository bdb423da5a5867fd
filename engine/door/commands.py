"""Asking for changes: each command validates, writes the stack's new operation in one transaction, and rings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.door.part import Part, changed_meanwhile, new_id, refuse_busy, refuse_protected, refuse_update_in
from engine.expr.parameters import check_immutable
from engine.model.errors import InvalidState, LimitExceeded, NoChange, NotSupported, ResourceNotFound, StackExists
from engine.model.source import Source
from engine.model.stack import Caller, Options, Plan, Stack
from engine.model.status import Action, OnFailure, Status
from engine.model.value import UNKNOWN, Value
from engine.plan.deployment import Deployment, bind_source
from engine.plan.planner import plan_changes
from engine.plan.policy import denied, read_policy
from engine.resources.base import StackIdentity
from engine.runs import reasons
from engine.runs.finish import as_text, refuse_delete_of_used
from engine.runs.spec import RunSpec
from engine.state import tables as t
from engine.state.commit import Fenced, Write
from engine.state.rows import ResourceRow, event_params, options_value
from engine.state.store import live_name, source_value, stack_record
from engine.state.vault import dump


class Commands(Part):
    # --- create -----------------------------------------------------------------------------------------------------
    async def create_stack(
        self, caller: Caller, name: str, source: Source, options: Options, *, client_token: str | None = None
    ) -> Stack:
        """Validate everything, store, start; returns the CREATE_IN_PROGRESS stack."""
        return await self._create(caller, name, source, options, Action.CREATE, client_token)

    async def adopt_stack(
        self, caller: Caller, name: str, source: Source, options: Options, resources: Mapping[str, Mapping[str, Value]]
    ) -> Stack:
        """Like create, but every object is there already: `resources` has each address's `resource_id`."""
        if not self._context.settings.enable_stack_adopt:
            raise NotSupported("Stack Adopt not enabled (enable_stack_adopt).")
        return await self._create(caller, name, source, options, Action.ADOPT, None, adopt=resources)

    async def _create(
        self, caller: Caller, name: str, source: Source, options: Options, kind: Action, client_token: str | None,
        adopt: Mapping[str, Mapping[str, Value]] | None = None,
    ) -> Stack:  # fmt: skip
        if await self._context.store.stack_by_name(caller.project_id, name) is not None:
            raise StackExists(name)
        await self._refuse_too_many(caller)
        stack_id = new_id()
        identity = self._identity(stack_id, name, caller.project_id)
        cloud = self._cloud(caller)
        deployment = await self._validator.whole(identity, source, cloud, options.notification_arns)
        delegation = await self._delegation(caller, needed=self._validator.outside(deployment))
        spec = RunSpec(
            kind, on_failure=options.on_failure, deadline=self._deadline(options), adopt=adopt or {},
            retain_except_on_create=options.retain_except_on_create,
        )  # fmt: skip
        values = self._stack_values(caller, stack_id, name, deployment, options, client_token)
        values.update(
            action=kind.value, status=Status.IN_PROGRESS.value, reason=reasons.started(kind),
            run_json=dump(spec.value()), delegation_json=self._sealed(delegation),
        )  # fmt: skip
        stack = self._record({**values, "revision": None})
        event = insert(t.events).values(event_params(stack, values["created"], None))
        await self._context.store.add_stack(values, source, [event])
        self._dispatcher.ring(stack_id)
        return stack

    async def _refuse_too_many(self, caller: Caller) -> None:
        limit = self._context.settings.max_stacks_per_tenant
        if caller.is_admin or limit < 0:
            return
        s = t.stacks.c
        query = select(s.id).where(s.project_id == caller.project_id, s.parent_id.is_(None), s.deleted.is_(None))
        if await self._context.store.count(query) >= limit:
            raise LimitExceeded(f"You have reached the maximum stacks per tenant, {limit}. Please delete some stacks.")

    def _identity(self, stack_id: str, name: str, project_id: str, root_id: str | None = None) -> StackIdentity:
        return StackIdentity(stack_id, name, project_id, root_id or stack_id, self._context.settings.region)

    def _deadline(self, options: Options) -> int | None:
        if options.timeout_mins is None:
            return None
        return self._context.clock.now() + options.timeout_mins * 60_000_000

    def _sealed(self, delegation: Mapping[str, Value] | None) -> str | None:
        return None if delegation is None else self._context.store.vault.seal(dict(delegation))

    def _stack_values(
        self, caller: Caller, stack_id: str, name: str, deployment: Deployment, options: Options,
        client_token: str | None,
    ) -> dict[str, Any]:  # fmt: skip
        return {
            "id": stack_id,
            "name": name,
            "project_id": caller.project_id,
            "user_id": caller.user_id,
            "user_name": caller.user_name,
            "parent_id": None,
            "parent_address": None,
            "root_id": stack_id,
            "depth": 0,
            "dialect": deployment.template.dialect.value,
            "description": deployment.template.description,
            "reverting": None,
            "cleaning": False,
            "options_json": dump(options_value(options)),
            "parameters_json": dump(dict(deployment.bindings.shown)),
            "outputs_json": "[]",
            "created": self._context.clock.now(),
            "updated": None,
            "deleted": None,
            "good_revision": None,
            "operation_id": new_id(),
            "client_token": client_token,
            "delegation_json": None,
            "owner": None,
            "epoch": 0,
            "lease_until": None,
            "version": 0,
            "live_name": live_name(caller.project_id, name),
        }

    def _record(self, values: Mapping[str, Any]) -> Stack:
        return stack_record(_Row(values), self._context.store.vault)

    # --- update -----------------------------------------------------------------------------------------------------
    async def update_stack(
        self, caller: Caller, ref: str, source: Source, options: Options | None = None, *,
        client_token: str | None = None, refuse_no_change: bool = False, supersede: bool = False,
        policy_during_update: str | None = None,
    ) -> Stack:  # fmt: skip
        """Start an update. `options` None keeps the stack's. `supersede`: a running update is overtaken (native API);
        else a busy stack raises InvalidState. `refuse_no_change` raises NoChange."""
        stack = await self._live(caller, ref)
        refuse_update_in(stack)
        if not supersede:
            refuse_busy(stack)
        options = options or stack.options
        deployment = await self._validator.whole(
            self._identity(stack.id, stack.name, stack.project_id, stack.root_id), source, self._cloud(caller),
            options.notification_arns,
        )  # fmt: skip
        plan = await self._plan(stack, deployment, options, source)
        if refuse_no_change and plan.is_empty:
            raise NoChange
        self._enforce_policy(stack, plan, policy_during_update)
        return await self._begin_update(
            caller, stack, source, options, deployment, client_token, supersede=supersede
        )  # fmt: skip

    async def _begin_update(
        self, caller: Caller, stack: Stack, source: Source, options: Options, deployment: Deployment,
        client_token: str | None, base: int | None = None, also: Any = None, supersede: bool = False,
    ) -> Stack:  # fmt: skip
        """Write and start the update. `base`: refused when the stack has another version by now; so it is when
        another operation has begun since `stack` was read, unless that may be superseded."""
        delegation = await self._delegation(caller, needed=self._validator.outside(deployment))
        store, operation_id = self._context.store, new_id()

        async def begin(connection: AsyncConnection) -> None:
            row = (await connection.execute(select(t.stacks).where(t.stacks.c.id == stack.id))).one()
            if base is not None and row.version != base:
                raise InvalidState(f"Stack {stack.name} has changed since the change set was made.")
            if row.deleted is not None or (row.operation_id != stack.operation_id and not supersede):
                raise changed_meanwhile(stack)
            revision = await store.add_revision(connection, stack.id, source)
            spec = RunSpec(
                Action.UPDATE, target=revision, previous=row.good_revision, on_failure=options.on_failure,
                deadline=self._deadline(options), retain_except_on_create=options.retain_except_on_create,
            )  # fmt: skip
            values = {
                "action": Action.UPDATE.value, "status": Status.IN_PROGRESS.value,
                "reason": reasons.started(Action.UPDATE), "reverting": None, "cleaning": False,
                "options_json": dump(options_value(options)), "revision": revision,
                "parameters_json": dump(dict(deployment.bindings.shown)), "dialect": deployment.template.dialect.value,
                "description": deployment.template.description, "operation_id": operation_id,
                "client_token": client_token, "run_json": dump(spec.value()), "updated": self._context.clock.now(),
                "version": row.version + 1,
            }  # fmt: skip
            if delegation is not None:
                values["delegation_json"] = self._sealed(delegation)
            await connection.execute(update(t.stacks).where(t.stacks.c.id == stack.id).values(values))
            fresh = (await connection.execute(select(t.stacks).where(t.stacks.c.id == stack.id))).one()
            record = stack_record(fresh, store.vault)
            await connection.execute(insert(t.events).values(event_params(record, self._context.clock.now(), None)))
            if also is not None:
                await also(connection)

        await self._context.committer.write(Write(stack_id=stack.id, also=begin))
        self._dispatcher.ring(stack.id)
        return await self._again(stack.id)

    async def _again(self, stack_id: str) -> Stack:
        found = await self._context.store.stack(stack_id)
        assert found is not None
        return found

    async def _plan(self, stack: Stack | None, deployment: Deployment, options: Options, source: Source) -> Plan:
        """What running `deployment` would do to the stack (None: to nothing yet). Raises Invalid when it would change
        a parameter that may not change."""
        if stack is not None:
            await self._refuse_immutable(stack, deployment)
        rows: dict[str, list[ResourceRow]] = {}
        if stack is not None:
            for row in await self._context.store.resources(stack.id):
                rows.setdefault(row.address, []).append(row)
        old = {} if stack is None else stack.parameters
        changes, outputs = plan_changes(deployment, rows, self._context.registry, old_parameters=old)
        other = []
        if stack is not None:
            had = {output.name: output.value for output in stack.outputs}
            known = {name: value for name, value in outputs.items() if value is not UNKNOWN}
            if set(outputs) != set(had) or any(as_text(had[n]) != as_text(v) for n, v in known.items()):
                other.append("Outputs")
            if options.tags != stack.options.tags:
                other.append("Tags")
            if stack.status is Status.FAILED:
                other.append("Status")
        return Plan(None if stack is None else stack.id, 0 if stack is None else stack.version, changes, tuple(other))

    async def _refuse_immutable(self, stack: Stack, deployment: Deployment) -> None:
        template = deployment.template
        if stack.revision is None or not any(parameter.immutable for parameter in template.parameters.values()):
            return
        before = await self._context.store.source(stack.revision)
        bound = bind_source(self._context.translator.translate(before), before)
        check_immutable(template, bound.values, deployment.bindings.values)

    def _enforce_policy(self, stack: Stack, plan: Plan, during_update: str | None) -> None:
        """cloudformation.md B13. Raises Forbidden naming the first denied change."""
        text = during_update or stack.options.stack_policy
        if text is not None:
            denied(read_policy(text), plan.changes)

    async def set_options(
        self, caller: Caller, ref: str, *, termination_protection: bool | None = None, stack_policy: str | None = None
    ) -> Stack:
        """Change what no run is needed for."""
        stack = await self._live(caller, ref)
        options = stack.options
        if termination_protection is not None:
            options = replace(options, termination_protection=termination_protection)
        if stack_policy is not None:
            read_policy(stack_policy)
            options = replace(options, stack_policy=stack_policy)
        await self._context.committer.write(
            Write(stack_id=stack.id, stack={"options_json": dump(options_value(options))})
        )
        return await self._again(stack.id)

    # --- delete -----------------------------------------------------------------------------------------------------
    async def delete_stack(
        self, caller: Caller, ref: str, *, client_token: str | None = None, retain: Sequence[str] = (),
        force: bool = False,
    ) -> None:  # fmt: skip
        """Start the deletion, whatever is running. Raises Forbidden for protected stacks and exports in use."""
        stack = await self._live(caller, ref)
        refuse_protected(stack)
        if retain and not (stack.action is Action.DELETE and stack.status is Status.FAILED):
            raise InvalidState(
                f"Stack {stack.name} is in {stack.state} state: resources to retain can only be named for a stack in "
                "DELETE_FAILED state."
            )
        async with self._context.store.database.reader.connect() as connection:
            await refuse_delete_of_used(connection, stack.project_id, stack.id)
        if stack.action is Action.DELETE and stack.status is Status.IN_PROGRESS:
            return
        spec = RunSpec(Action.DELETE, retain=tuple(retain), force=force, on_failure=OnFailure.DO_NOTHING)
        await self._begin(stack, spec, client_token)

    async def _begin(self, stack: Stack, spec: RunSpec, client_token: str | None, *, reason: str = "") -> None:
        """Write and start an operation that keeps the definition."""
        operation_id = new_id()
        columns: dict[str, Any] = {
            "action": spec.kind.value, "status": Status.IN_PROGRESS.value,
            "reason": reason or reasons.started(spec.kind),
            "reverting": spec.reverting.value if spec.reverting else None, "cleaning": False,
            "operation_id": operation_id, "client_token": client_token, "run_json": dump(spec.value()),
        }  # fmt: skip
        record = replace(
            stack, action=spec.kind, status=Status.IN_PROGRESS, status_reason=columns["reason"], cleaning=False,
            reverting=spec.reverting, operation_id=operation_id, client_token=client_token,
        )  # fmt: skip
        event = event_params(record, self._context.clock.now(), None)
        # Guarded by the operation that was looked at: two commands at once are not both obeyed.
        item = Write(stack_id=stack.id, operation_id=stack.operation_id, stack=columns, events=[event])
        try:
            await self._context.committer.write(item)
        except Fenced as error:
            raise changed_meanwhile(stack) from error
        self._dispatcher.ring(stack.id)

    # --- taking back ------------------------------------------------------------------------------------------------
    async def cancel_update(
        self, caller: Caller, ref: str, *, rollback: bool = True, client_token: str | None = None
    ) -> None:
        """ENGS-11 with rollback, ENGS-12 without."""
        stack = await self._live(caller, ref)
        busy = stack.status is Status.IN_PROGRESS and not stack.cleaning
        if rollback:
            if stack.action is not Action.UPDATE or not busy:
                raise InvalidState(f"Cancelling update when stack is {stack.state} is not supported.")
            spec = RunSpec(
                Action.ROLLBACK, target=await self._good_revision(stack), reverting=Action.UPDATE,
                on_failure=OnFailure.DO_NOTHING, cause="the update was cancelled by the user",
            )  # fmt: skip
            await self._begin(stack, spec, client_token, reason="User Initiated")
            return
        if stack.action not in (Action.UPDATE, Action.CREATE) or not busy:
            raise InvalidState(f"Cancelling without rollback when stack is {stack.state} is not supported.")
        spec = RunSpec(stack.action, on_failure=OnFailure.DO_NOTHING, stop=f"Stack {stack.action} cancelled")
        await self._begin(stack, spec, client_token)

    async def _good_revision(self, stack: Stack) -> int:
        row = await self._context.store.row(stack.id)
        if row is None or row.good_revision is None:
            raise InvalidState(f"Stack {stack.name} has no earlier state to go back to.")
        return int(row.good_revision)

    async def continue_update_rollback(
        self, caller: Caller, ref: str, *, skip: Sequence[str] = (), client_token: str | None = None
    ) -> None:
        """B08: from UPDATE_ROLLBACK_FAILED on; `skip` addresses count as rolled back."""
        stack = await self._live(caller, ref)
        if not (stack.action is Action.ROLLBACK and stack.status is Status.FAILED):
            raise InvalidState(f"Stack {stack.name} is in {stack.state} state and its rollback can not be continued.")
        known = {row.address for row in await self._context.store.resources(stack.id)}
        for address in skip:
            if address not in known:
                raise ResourceNotFound(address, stack.name)
        members = [a for a in known if a.split("/")[0] in set(skip)]
        spec = RunSpec(
            Action.ROLLBACK, target=await self._good_revision(stack), reverting=Action.UPDATE, skip=tuple(members),
            on_failure=OnFailure.DO_NOTHING,
        )  # fmt: skip
        await self._begin(stack, spec, client_token, reason="User Initiated")

    async def rollback_stack(self, caller: Caller, ref: str, *, client_token: str | None = None) -> Stack:
        """B09: from CREATE_FAILED or UPDATE_FAILED back to the last stable state."""
        stack = await self._live(caller, ref)
        if stack.status is not Status.FAILED or stack.action not in (Action.CREATE, Action.UPDATE):
            raise InvalidState(f"Stack {stack.name} is in {stack.state} state and can not be rolled back.")
        created = stack.action is Action.CREATE
        spec = RunSpec(
            Action.ROLLBACK, target=None if created else await self._good_revision(stack), reverting=stack.action,
            on_failure=OnFailure.DO_NOTHING, retain_except_on_create=stack.options.retain_except_on_create,
        )  # fmt: skip
        await self._begin(stack, spec, client_token, reason="User Initiated")
        return await self._again(stack.id)

    # --- suspend, resume, check -------------------------------------------------------------------------------------
    async def suspend_stack(self, caller: Caller, ref: str) -> None:
        """ENGS-06; nothing to do for a suspended stack."""
        stack = await self._live(caller, ref)
        if stack.action is Action.SUSPEND and stack.status is Status.COMPLETE:
            return
        refuse_busy(stack)
        await self._begin(stack, RunSpec(Action.SUSPEND, on_failure=OnFailure.DO_NOTHING), None)

    async def resume_stack(self, caller: Caller, ref: str) -> None:
        """ENGS-07."""
        stack = await self._live(caller, ref)
        if stack.action is Action.RESUME and stack.status is Status.COMPLETE:
            return
        refuse_busy(stack)
        if stack.action not in (Action.SUSPEND, Action.RESUME):
            raise InvalidState(f"Stack {stack.name} is in {stack.state} state and can not be resumed.")
        await self._begin(stack, RunSpec(Action.RESUME, on_failure=OnFailure.DO_NOTHING), None)

    async def check_stack(self, caller: Caller, ref: str) -> None:
        """ENGS-08, comparing every type with the cloud."""
        stack = await self._live(caller, ref)
        refuse_busy(stack)
        await self._begin(stack, RunSpec(Action.CHECK, on_failure=OnFailure.DO_NOTHING), None)

    # --- leaving without deleting -----------------------------------------------------------------------------------
    async def abandon_stack(self, caller: Caller, ref: str) -> Mapping[str, Value]:
        """Forget the stack, keep its objects; returns what `export_stack` returns."""
        if not self._context.settings.enable_stack_abandon:
            raise NotSupported("Stack Abandon is not enabled (enable_stack_abandon).")
        stack = await self._live(caller, ref)
        refuse_busy(stack)
        data = await self.export_stack(caller, ref)

        async def forget(connection: AsyncConnection) -> None:
            for table in (t.resources, t.exports, t.imports, t.signals, t.change_sets):
                await connection.execute(delete(table).where(table.c.stack_id == stack.id))

        columns = {
            "action": Action.DELETE.value, "status": Status.COMPLETE.value, "reason": "Stack abandoned",
            "deleted": self._context.clock.now(), "live_name": None, "run_json": None, "delegation_json": None,
        }  # fmt: skip
        item = Write(stack_id=stack.id, operation_id=stack.operation_id, stack=columns, also=forget)
        try:
            await self._context.committer.write(item)
        except Fenced as error:
            raise changed_meanwhile(stack) from error
        return data

    async def export_stack(self, caller: Caller, ref: str) -> Mapping[str, Value]:
        """heat.md API-27's abandon data."""
        if not self._context.settings.enable_stack_abandon:
            raise NotSupported("Stack Abandon is not enabled (enable_stack_abandon).")
        stack = await self.find_stack(caller, ref)
        store = self._context.store
        source = Source("") if stack.revision is None else await store.source(stack.revision)
        rows = [row for row in await store.resources(stack.id) if row.exists and not row.condemned]
        kept = source_value(source)
        return {
            "name": stack.name,
            "id": stack.id,
            "action": stack.action.value,
            "status": stack.status.value,
            "template": kept["text"],
            "environment": {**kept["environment"], "parameters": kept["parameters"]},
            "files": kept["files"],
            "project_id": stack.project_id,
            "stack_user_project_id": stack.project_id,
            "tags": sorted(stack.options.tags) or None,
            "resources": {
                row.address: {
                    "name": row.address,
                    "resource_id": row.physical_id,
                    "type": row.type,
                    "action": row.action.value,
                    "status": row.status.value,
                    "metadata": dict(row.metadata),
                    "resource_data": dict(row.data),
                }
                for row in rows
            },
        }

    async def mark_unhealthy(self, caller: Caller, ref: str, resource: str, *, unhealthy: bool, reason: str) -> None:
        """ENGU-22. `resource` is an address or a physical id; marked, it is replaced at the next update."""
        stack = await self._live(caller, ref)
        refuse_busy(stack)
        rows = [r for r in await self._context.store.resources(stack.id) if r.exists and not r.condemned]
        found = [r for r in rows if r.address == resource] or [r for r in rows if r.physical_id == resource]
        if not found:
            raise ResourceNotFound(resource, stack.name)
        if len(found) > 1:
            raise InvalidState(f"Multiple resources have the physical id {resource}; name one of them instead.")
        row = found[0]
        broken = row.action is Action.CHECK and row.status is Status.FAILED
        if not unhealthy and not broken:
            return
        marked = [row, *(r for r in rows if r.group == row.address)]
        now, events = self._context.clock.now(), []
        for one in marked:
            one.action, one.updated = Action.CHECK, now
            one.status, one.reason = (Status.FAILED if unhealthy else Status.COMPLETE), reason
            events.append(event_params(stack, now, one))
        vault = self._context.store.vault
        item = Write(
            stack_id=stack.id, operation_id=stack.operation_id, stack={}, events=events,
            resources=[one.params(vault) for one in marked],
        )  # fmt: skip
        try:
            await self._context.committer.write(item)
        except Fenced as error:
            raise changed_meanwhile(stack) from error


class _Row:
    """A mapping read like a row of a result."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)
