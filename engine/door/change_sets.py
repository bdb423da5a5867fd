"""Change sets: plans that are kept, shown, and run later if the stack is still what they were made for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.cloud.errors import CloudError
from engine.door.commands import Commands
from engine.door.importing import Imports, as_import, to_adopt
from engine.door.part import refuse_busy, refuse_update_in
from engine.door.plan_text import plan_of, plan_value
from engine.model.clock import to_datetime
from engine.model.diagnostic import Invalid, invalid
from engine.model.errors import ChangeSetNotFound, InvalidState, Refused, StackExists, StackNotFound
from engine.model.ids import new_id
from engine.model.source import Source
from engine.model.stack import (
    Caller,
    ChangeSet,
    ChangeSetStatus,
    ExecutionStatus,
    Options,
    Plan,
    Stack,
)  # fmt: skip
from engine.model.status import Action, OnFailure, Status
from engine.plan.deployment import Deployment
from engine.runs import reasons
from engine.runs.spec import RunSpec
from engine.state import tables as t
from engine.state.commit import Write
from engine.state.rows import event_params, options_of, options_value
from engine.state.store import source_of, source_value, stack_record
from engine.state.vault import dump

# Clients match on these words (cloudformation.md W36).
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
_WITH_STACK = select(
    t.change_sets, t.stacks.c.name.label("stack_name"), t.stacks.c.version.label("stack_version")
).join(t.stacks, t.stacks.c.id == t.change_sets.c.stack_id)


class ChangeSets(Commands):
    async def create_change_set(
        self, caller: Caller, ref: str, name: str, source: Source, options: Options, *, kind: str,
        description: str = "", client_token: str | None = None, imports: Imports | None = None,
    ) -> ChangeSet:  # fmt: skip
        """kind CREATE and IMPORT make the stack in review when it does not exist; UPDATE needs one. `imports`: the
        objects that IMPORT takes over. What is wrong with the template is found now and raised; what only planning
        shows becomes the change set's failure."""
        imports = imports or {}
        stack = await self._subject(caller, ref, name, kind)
        stack_id, stack_name = (new_id(), ref) if stack is None else (stack.id, stack.name)
        identity = self._identity(stack_id, stack_name, caller.project_id)
        source = await self.answered(caller, source)
        deployment = await self._validator.whole(identity, source, self._cloud(caller), options)
        if kind == "IMPORT":
            to_adopt(deployment, self._context.registry, imports)
            await self._refuse_owned(caller, imports)
        if stack is None:
            stack = await self._review(caller, stack_id, ref, source, deployment, options)
        plan, failure = await self._planned(stack, deployment, options, source)
        if plan is not None and kind == "IMPORT":
            plan, failure = _imported(plan, imports, fresh=stack.action is Action.INIT)
        empty = plan is not None and kind == "UPDATE" and plan.is_empty
        ok = failure is None and not empty
        values: dict[str, Any] = {
            "id": new_id(),
            "name": name,
            "stack_id": stack.id,
            "project_id": caller.project_id,
            "kind": kind,
            "status": (ChangeSetStatus.CREATE_COMPLETE if ok else ChangeSetStatus.FAILED).value,
            "execution_status": (ExecutionStatus.AVAILABLE if ok else ExecutionStatus.UNAVAILABLE).value,
            "description": description,
            "failure": NO_CHANGES if empty else failure,
            "no_change": empty,
            "options_json": dump(options_value(options)),
            "parameters_json": dump(dict(deployment.bindings.shown)),
            "plan_json": None if plan is None else self._context.store.vault.seal(plan_value(plan)),
            "source_json": self._context.store.vault.seal(source_value(source)),
            "imports_json": dump(dict(imports)),
            "base": stack.version,
            "client_token": client_token,
            "created": self._context.clock.now(),
        }
        await self._context.store.database.write(insert(t.change_sets).values(values))
        return await self.find_change_set(caller, values["id"])

    async def _subject(self, caller: Caller, ref: str, name: str, kind: str) -> Stack | None:
        try:
            stack = await self._live(caller, ref)
        except StackNotFound:
            if kind in ("CREATE", "IMPORT"):
                return None
            raise
        in_review = stack.action is Action.INIT
        if kind == "CREATE" and not in_review:
            raise StackExists(stack.name)
        if kind != "CREATE" and not (in_review and kind == "IMPORT"):
            if in_review:
                raise InvalidState(f"Stack [{stack.name}] is in REVIEW_IN_PROGRESS state and can not be updated.")
            refuse_update_in(stack)
        existing = [one for one in await self.list_change_sets(caller, stack.id) if one.name == name]
        if existing:
            raise StackExists(f"{stack.name}, change set {name},")
        return stack

    async def _review(
        self, caller: Caller, stack_id: str, name: str, source: Source, deployment: Deployment, options: Options
    ) -> Stack:
        """The stack that a CREATE change set brings into being, without resources (W37)."""
        values = self._stack_values(caller, stack_id, name, deployment, options, None)
        values.update(
            action=Action.INIT.value, status=Status.COMPLETE.value, reason="User Initiated", run_json=None,
            operation_id=None,
        )  # fmt: skip
        record = self._record({**values, "revision": None})
        event = event_params(record, values["created"], None)
        await self._context.store.add_stack(values, source, event)
        return await self._again(stack_id)

    async def _planned(
        self, stack: Stack, deployment: Deployment, options: Options, source: Source
    ) -> tuple[Plan | None, str | None]:
        try:
            return await self._plan(stack, deployment, options, source), None
        except (Invalid, Refused, CloudError) as error:
            return None, str(error)

    async def _refuse_owned(self, caller: Caller, imports: Imports) -> None:
        """An object belongs to one stack at most."""
        for address, object_id in imports.items():
            for row in await self._context.store.resources_with_physical_id(caller.project_id, object_id):
                if row.exists and not row.external:
                    owner = await self._again(row.stack_id)
                    raise invalid(
                        "ImportNotAlone", f"{object_id} is already managed by stack {owner.name}.",
                        "Take it out of that stack first, retained by its deletion policy.", address=address,
                    )  # fmt: skip

    # --- reading ----------------------------------------------------------------------------------------------------
    async def find_change_set(self, caller: Caller, name_or_id: str, ref: str | None = None) -> ChangeSet:
        """By id, or by name with the stack. Raises ChangeSetNotFound."""
        c = t.change_sets.c
        query = _WITH_STACK.where(c.project_id == caller.project_id)
        if ref is None:
            query = query.where(c.id == name_or_id)
        else:
            stack = await self.find_stack(caller, ref)
            query = query.where(c.stack_id == stack.id, (c.name == name_or_id) | (c.id == name_or_id))
        async with self._context.store.database.reader.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise ChangeSetNotFound(name_or_id)
        return self._change_set(row)

    async def list_change_sets(self, caller: Caller, ref: str) -> Sequence[ChangeSet]:
        """Oldest first."""
        stack = await self.find_stack(caller, ref)
        c = t.change_sets.c
        query = _WITH_STACK.where(c.stack_id == stack.id).order_by(c.created)
        async with self._context.store.database.reader.connect() as connection:
            return [self._change_set(row) for row in await connection.execute(query)]

    def _change_set(self, row: Any) -> ChangeSet:
        vault = self._context.store.vault
        plan, execution = vault.open(row.plan_json), ExecutionStatus(row.execution_status)
        if execution is ExecutionStatus.AVAILABLE and row.stack_version != row.base:
            execution = ExecutionStatus.OBSOLETE  # the stack is not what it was made for any more
        return ChangeSet(
            id=row.id, name=row.name, stack_id=row.stack_id, stack_name=row.stack_name, kind=row.kind,
            status=ChangeSetStatus(row.status), execution_status=execution,
            created=to_datetime(row.created), options=options_of(vault.open(row.options_json)),
            description=row.description, failure=row.failure, no_change=row.no_change,
            parameters=vault.open(row.parameters_json), plan=None if plan is None else plan_of(plan),
            client_token=row.client_token,
        )  # fmt: skip

    async def change_set_source(self, caller: Caller, change_set_id: str) -> Source:
        """The definition it would bring, hidden parameters in clear."""
        c = t.change_sets.c
        query = select(c.source_json).where(c.id == change_set_id, c.project_id == caller.project_id)
        async with self._context.store.database.reader.connect() as connection:
            text = (await connection.execute(query)).scalar()
        if text is None:
            raise ChangeSetNotFound(change_set_id)
        return source_of(self._context.store.vault.open(text))

    # --- changing ---------------------------------------------------------------------------------------------------
    async def delete_change_set(self, caller: Caller, change_set_id: str) -> None:
        found = await self.find_change_set(caller, change_set_id)
        await self._context.store.database.write(delete(t.change_sets).where(t.change_sets.c.id == found.id))

    async def execute_change_set(
        self, caller: Caller, change_set_id: str, *, client_token: str | None = None,
        disable_rollback: bool | None = None, retain_except_on_create: bool | None = None,
    ) -> None:  # fmt: skip
        """Run it if the stack is still what it was made for; the stack's other change sets become obsolete."""
        found = await self.find_change_set(caller, change_set_id)
        if found.execution_status is ExecutionStatus.OBSOLETE:
            raise InvalidState(f"Stack {found.stack_name} has changed since the change set was made.")
        if found.execution_status is not ExecutionStatus.AVAILABLE:
            raise InvalidState(
                f"ChangeSet [{found.id}] cannot be executed in its current status of [{found.status.value}]"
            )
        stack = await self._live(caller, found.stack_id)
        refuse_busy(stack)
        source = await self.change_set_source(caller, found.id)
        options = replace(
            found.options, termination_protection=stack.options.termination_protection,
            stack_policy=stack.options.stack_policy,
        )  # fmt: skip
        if disable_rollback is not None:
            options = replace(options, on_failure=OnFailure.DO_NOTHING if disable_rollback else OnFailure.ROLLBACK)
        if retain_except_on_create is not None:
            options = replace(options, retain_except_on_create=retain_except_on_create)
        identity = self._identity(stack.id, stack.name, stack.project_id)
        deployment = await self._validator.whole(identity, source, self._cloud(caller), options)
        row, imports = await self._base(found.id)
        adopt = to_adopt(deployment, self._context.registry, imports)

        async def spend(connection: AsyncConnection) -> None:
            await connection.execute(delete(t.change_sets).where(t.change_sets.c.stack_id == stack.id))

        wanted = RunSpec(Action.IMPORT if found.kind == "IMPORT" else Action.UPDATE, adopt=adopt)
        if stack.action is Action.INIT:
            if found.kind == "CREATE":
                wanted = RunSpec(Action.CREATE)
            await self._begin_create(caller, stack, source, options, deployment, client_token, row, spend, wanted)
        else:
            if found.plan is not None:
                self._enforce_policy(stack, found.plan, None)
            await self._begin_update(
                caller, stack, source, options, deployment, client_token, base=row, also=spend, wanted=wanted
            )  # fmt: skip

    async def _base(self, change_set_id: str) -> tuple[int, Imports]:
        """The version of the stack it was made for, and what it imports."""
        c = t.change_sets.c
        query = select(c.base, c.imports_json).where(c.id == change_set_id)
        async with self._context.store.database.reader.connect() as connection:
            row = (await connection.execute(query)).one()
        return int(row.base), self._context.store.vault.open(row.imports_json) or {}

    async def _begin_create(
        self, caller: Caller, stack: Stack, source: Source, options: Options, deployment: Deployment,
        client_token: str | None, base: int, also: Any, wanted: RunSpec,
    ) -> None:  # fmt: skip
        delegation = await self._delegation(caller, needed=self._validator.outside(deployment))
        store = self._context.store

        async def begin(connection: AsyncConnection) -> None:
            row = (await connection.execute(select(t.stacks).where(t.stacks.c.id == stack.id))).one()
            if row.version != base:
                raise InvalidState(f"Stack {stack.name} has changed since the change set was made.")
            revision = await store.add_revision(connection, stack.id, source)
            spec = replace(
                wanted, target=revision, on_failure=options.on_failure, deadline=self._deadline(options),
                retain_except_on_create=options.retain_except_on_create,
            )  # fmt: skip
            values = {
                "action": spec.kind.value, "status": Status.IN_PROGRESS.value,
                "reason": reasons.started(spec.kind), "options_json": dump(options_value(options)),
                "parameters_json": dump(dict(deployment.bindings.shown)), "revision": revision,
                "description": deployment.template.description, "operation_id": new_id(),
                "client_token": client_token, "run_json": dump(spec.value()),
                "delegation_json": self._sealed(delegation), "version": row.version + 1,
            }  # fmt: skip
            await connection.execute(update(t.stacks).where(t.stacks.c.id == stack.id).values(values))
            fresh = (await connection.execute(select(t.stacks).where(t.stacks.c.id == stack.id))).one()
            record = stack_record(fresh, store.vault)
            await connection.execute(insert(t.events).values(event_params(record, self._context.clock.now(), None)))
            await also(connection)

        await self._context.committer.write(Write(stack_id=stack.id, also=begin))
        self._context.ring(stack.id)


def _imported(plan: Plan, imports: Imports, *, fresh: bool) -> tuple[Plan | None, str | None]:
    try:
        return as_import(plan, imports, fresh=fresh), None
    except Invalid as error:
        return None, str(error)
