"""Asking for operations: each writes the stack's new operation in one transaction, and rings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.door.leaving import Leaving
from engine.door.part import changed_meanwhile, refuse_busy, refuse_in_review, refuse_protected
from engine.model.errors import Busy, InvalidState, ResourceNotFound, StackNotFound
from engine.model.ids import new_id
from engine.model.stack import Caller, Stack
from engine.model.status import Action, OnFailure, Status
from engine.runs import reasons
from engine.runs.finish import refuse_delete_of_used
from engine.runs.inside import descendants
from engine.runs.spec import RunSpec
from engine.state.commit import Fenced, Write
from engine.state.rows import event_params
from engine.state.vault import dump

_TRIES: Final = 10  # of a delete against others that begin something at the same moment


class Commands(Leaving):
    # --- delete -----------------------------------------------------------------------------------------------------
    async def delete_stack(
        self, caller: Caller, ref: str, *, client_token: str | None = None, retain: Sequence[str] = (),
        force: bool = False,
    ) -> None:  # fmt: skip
        """Start the deletion, whatever is running. Raises Forbidden for protected stacks and exports in use."""
        stack_id = (await self._live(caller, ref)).id
        for _ in range(_TRIES):
            try:
                await self._begin_delete(caller, stack_id, client_token, retain, force=force)
            except Busy:
                continue  # something else has begun since it was looked at, which is to be deleted no less
            except StackNotFound:
                pass  # another delete was faster
            return
        raise changed_meanwhile(await self._again(stack_id))

    async def _begin_delete(
        self, caller: Caller, stack_id: str, client_token: str | None, retain: Sequence[str], *, force: bool
    ) -> None:
        stack = await self._live(caller, stack_id)
        if stack.action is Action.DELETE and stack.status is Status.IN_PROGRESS:
            return
        refuse_protected(stack, stack if stack.parent_id is None else await self._again(stack.root_id))
        if retain and not (stack.action is Action.DELETE and stack.status is Status.FAILED):
            raise InvalidState(
                f"Stack {stack.name} is in {stack.state} state: resources to retain can only be named for a stack in "
                "DELETE_FAILED state."
            )
        known = {row.address for row in await self._context.store.resources(stack.id)} if retain else set()
        for name in retain:
            if name not in known:  # not to delete what a name that is misspelt was to keep
                raise ResourceNotFound(name, stack.name)
        async with self._context.store.database.reader.connect() as connection:
            await refuse_delete_of_used(connection, stack.project_id, stack.id)
        spec = RunSpec(Action.DELETE, retain=tuple(retain), force=force, on_failure=OnFailure.DO_NOTHING)
        await self._begin(stack, spec, client_token)

    async def _begin(
        self, stack: Stack, spec: RunSpec, client_token: str | None, *, reason: str = "",
        also: Callable[[AsyncConnection], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        """Write and start an operation that keeps the definition. `also` is part of the transaction."""
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
        item = Write(stack_id=stack.id, operation_id=stack.operation_id, stack=columns, events=[event], also=also)
        try:
            await self._context.committer.write(item)
        except Fenced as error:
            raise changed_meanwhile(stack) from error
        self._context.ring(stack.id)

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
        """B08: from UPDATE_ROLLBACK_FAILED on; `skip` addresses count as rolled back. Inside a nested stack, however
        deep, it is `<name of the stack>.Inner` as in AWS, or `Nested.Inner` by the resource that the stack is."""
        stack = await self._live(caller, ref)
        if not (stack.action is Action.ROLLBACK and stack.status is Status.FAILED):
            raise InvalidState(f"Stack {stack.name} is in {stack.state} state and its rollback can not be continued.")
        skip = [await self._path_to(stack, name) for name in skip]
        for name in skip:
            await self._refuse_unknown(stack, name)
        spec = RunSpec(
            Action.ROLLBACK, target=await self._good_revision(stack), reverting=Action.UPDATE, skip=tuple(skip),
            on_failure=OnFailure.DO_NOTHING,
        )  # fmt: skip
        await self._begin(stack, spec, client_token, reason="User Initiated")

    async def _path_to(self, stack: Stack, name: str) -> str:
        """`name` by way of the resources that the nested stacks are, where it begins with the name of one of them."""
        outer, _, inner = name.rpartition(".")
        for child_id in await descendants(self._context, stack.id) if outer else ():
            child = await self._again(child_id)
            if child.name != outer:
                continue
            steps = [inner]
            while child.id != stack.id and child.parent_id is not None:
                steps.insert(0, _logical(child))
                child = await self._again(child.parent_id)
            return ".".join(steps)
        return name

    async def _refuse_unknown(self, stack: Stack, name: str) -> None:
        """Raise ResourceNotFound unless the stack, or a nested one, has the resource."""
        address, _, inner = name.partition(".")
        rows = await self._context.store.resources(stack.id)
        if not any(row.address == address for row in rows):
            raise ResourceNotFound(address, stack.name)
        if inner:
            children = [c for c in await self._context.store.children(stack.id) if _logical(c) == address]
            if not children:
                raise ResourceNotFound(inner, address)
            await self._refuse_unknown(children[-1], inner)

    async def rollback_stack(
        self, caller: Caller, ref: str, *, client_token: str | None = None, retain_except_on_create: bool | None = None
    ) -> Stack:
        """B09: from CREATE_FAILED or UPDATE_FAILED back to the last stable state."""
        stack = await self._live(caller, ref)
        if stack.status is not Status.FAILED or stack.action not in (Action.CREATE, Action.UPDATE):
            raise InvalidState(f"Stack {stack.name} is in {stack.state} state and can not be rolled back.")
        created = stack.action is Action.CREATE
        kept = stack.options.retain_except_on_create
        spec = RunSpec(
            Action.ROLLBACK, target=None if created else await self._good_revision(stack), reverting=stack.action,
            on_failure=OnFailure.DO_NOTHING,
            retain_except_on_create=kept if retain_except_on_create is None else retain_except_on_create,
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
        refuse_in_review(stack, "suspended")
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
        refuse_in_review(stack, "checked")
        if stack.action is Action.SUSPEND:
            # It would be taken for resumed, and its objects for broken ones.
            raise InvalidState(f"Stack {stack.name} is in {stack.state} state and can not be checked. Resume it first.")
        await self._begin(stack, RunSpec(Action.CHECK, on_failure=OnFailure.DO_NOTHING), None)


def _logical(child: Stack) -> str:
    """The name, in its parent's template, of the resource that the stack is."""
    return (child.parent_resource or "").split("/")[0]
