"""Changing a stack: updates, what they would do, and options that need no run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.door.creating import Creating
from engine.door.part import changed_meanwhile, refuse_busy, refuse_update_in
from engine.expr.parameters import check_immutable
from engine.model.aside import aside
from engine.model.errors import InvalidState, NoChange
from engine.model.ids import new_id
from engine.model.source import Source
from engine.model.stack import Caller, Options, Plan, Stack
from engine.model.status import Action, Status
from engine.model.value import UNKNOWN
from engine.plan.decide import looked_into
from engine.plan.deployment import Deployment, bind_source
from engine.plan.planner import plan_changes
from engine.plan.policy import denied, read_policy
from engine.runs import reasons
from engine.runs.children import Children
from engine.runs.finish import as_text
from engine.runs.inside import descendants
from engine.runs.spec import RunSpec
from engine.runs.step import bare_operation
from engine.state import tables as t
from engine.state.commit import Write
from engine.state.rows import ResourceRow, event_params, options_value
from engine.state.store import stack_record
from engine.state.vault import dump

_UPDATE: Final = RunSpec(Action.UPDATE)


class Updating(Creating):
    async def update_stack(
        self, caller: Caller, ref: str, source: Source, options: Options | None = None, *,
        client_token: str | None = None, refuse_no_change: bool = False, supersede: bool = False,
        policy_during_update: str | None = None, converge: bool = False,
    ) -> Stack:  # fmt: skip
        """Start an update. `options` None keeps the stack's. `supersede`: a running update is overtaken (native API);
        else a busy stack raises InvalidState. `refuse_no_change` raises NoChange. `converge`: live objects are looked
        at first, and put right where they differ."""
        stack = await self._live(caller, ref)
        refuse_update_in(stack)
        if not supersede or stack.action is Action.SNAPSHOT:
            refuse_busy(stack)
        options = options or stack.options
        source = await self.answered(caller, source)
        deployment = await self._validator.whole(
            self._identity(stack.id, stack.name, stack.project_id, stack.root_id), source, self._cloud(caller),
            options,
        )  # fmt: skip
        plan = await self._plan(stack, deployment, options, source)
        if refuse_no_change and plan.is_empty:
            raise NoChange
        self._enforce_policy(stack, plan, policy_during_update)
        wanted = replace(_UPDATE, converge=converge or self._context.settings.observe_on_update)
        return await self._begin_update(
            caller, stack, source, options, deployment, client_token, supersede=supersede, wanted=wanted
        )  # fmt: skip

    async def _begin_update(
        self, caller: Caller, stack: Stack, source: Source, options: Options, deployment: Deployment,
        client_token: str | None, base: int | None = None, also: Any = None, supersede: bool = False,
        wanted: RunSpec = _UPDATE,
    ) -> Stack:  # fmt: skip
        """Write and start the update, or another run to a definition, as `wanted` says. `base`: refused when the stack
        has another version by now; so it is when another operation has begun since `stack` was read, unless that may
        be superseded."""
        delegation = await self._delegation(caller, needed=self._validator.outside(deployment))
        store, operation_id = self._context.store, new_id()

        async def begin(connection: AsyncConnection) -> None:
            row = (await connection.execute(select(t.stacks).where(t.stacks.c.id == stack.id))).one()
            if base is not None and row.version != base:
                raise InvalidState(f"Stack {stack.name} has changed since the change set was made.")
            if row.deleted is not None or (row.operation_id != stack.operation_id and not supersede):
                raise changed_meanwhile(stack)
            revision = await store.add_revision(connection, stack.id, source)
            spec = replace(
                wanted, target=revision, previous=row.good_revision, on_failure=options.on_failure,
                deadline=self._deadline(options), retain_except_on_create=options.retain_except_on_create,
            )  # fmt: skip
            values = {
                "action": spec.kind.value, "status": Status.IN_PROGRESS.value,
                "reason": reasons.started(spec.kind), "reverting": None, "cleaning": False,
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
        self._context.ring(stack.id)
        return await self._again(stack.id)

    async def _plan(self, stack: Stack | None, deployment: Deployment, options: Options, source: Source) -> Plan:
        """What running `deployment` would do to the stack (None: to nothing yet). Raises Invalid when it would change
        a parameter that may not change."""
        if stack is not None:
            await self._refuse_immutable(stack, deployment)
        rows: dict[str, list[ResourceRow]] = {}
        if stack is not None:
            for row in await self._context.store.resources(stack.id):
                seen = looked_into(row) if await self._outdated(stack, row) else row
                rows.setdefault(row.address, []).append(seen)
        old = {} if stack is None else stack.parameters
        planned = partial(plan_changes, deployment, rows, self._context.registry, old_parameters=old)
        changes, outputs = await aside(planned)
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

    async def _outdated(self, stack: Stack, row: ResourceRow) -> bool:
        """Whether the template of a nested stack is another where it comes from, whatever is said of it here."""
        kind = self._context.registry.find(row.type)
        if kind is None or not kind.nested or not row.exists or row.condemned or row.status is not Status.COMPLETE:
            return False
        nowhere: Any = None  # only the store and the template are asked
        near = bare_operation(
            self._identity(stack.id, stack.name, stack.project_id, stack.root_id), nowhere,
            Children(self._context, stack, None), self._context.clock.monotonic(),
        )  # fmt: skip
        return await kind.outdated(
            replace(near, address=row.address, properties=row.properties, physical_id=row.physical_id, data=row.data)
        )

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
        wanted = {stack.id: options}
        if termination_protection is not None:
            for child_id in await descendants(self._context, stack.id):
                child = await self._again(child_id)
                wanted[child_id] = replace(child.options, termination_protection=termination_protection)

        async def write(connection: AsyncConnection) -> None:
            """No version counts for it: what a change set was made for is still so."""
            for stack_id, one in wanted.items():
                values = {"options_json": dump(options_value(one))}
                await connection.execute(update(t.stacks).where(t.stacks.c.id == stack_id).values(values))

        await self._context.committer.write(Write(stack_id=stack.id, also=write))
        self._context.store.cache.forget(list(wanted))
        return await self._again(stack.id)
