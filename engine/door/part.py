"""What the parts of the door share: the run context, and finding what a caller means."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from engine.bus import Bus
from engine.cloud.contract import Cloud
from engine.door.validation import Validator
from engine.model.errors import Busy, Forbidden, InvalidState, StackNotFound
from engine.model.source import Source
from engine.model.stack import Caller, ResourceDrift, Stack
from engine.model.status import Action, Status
from engine.model.value import Value
from engine.runs.context import RunContext
from engine.runs.dispatcher import Dispatcher
from engine.runs.drift import drift_record
from engine.runs.outside import answered
from engine.state import tables as t


class Part:
    def __init__(self, context: RunContext, dispatcher: Dispatcher | None, bus: Bus) -> None:
        """`dispatcher` None: a process that asks and runs nothing."""
        self._context, self._dispatcher, self._bus = context, dispatcher, bus
        self._validator = Validator(context)
        self._background: set[asyncio.Task[None]] = set()  # looks that nobody waits for

    async def find_stack(self, caller: Caller, ref: str, *, deleted_by_id: bool = True) -> Stack:
        """A live stack by name; by UUID also a deleted one. Raises StackNotFound."""
        stack = None
        if _is_uuid(ref):
            stack = await self._context.store.stack(ref)
            if stack is not None and stack.project_id != caller.project_id and not caller.is_admin:
                stack = None
            if stack is not None and stack.deleted is not None and not deleted_by_id:
                stack = None
        if stack is None:
            stack = await self._context.store.stack_by_name(caller.project_id, ref)
        if stack is None:
            raise StackNotFound(ref)
        return stack

    async def _live(self, caller: Caller, ref: str) -> Stack:
        return await self.find_stack(caller, ref, deleted_by_id=False)

    def _cloud(self, caller: Caller) -> Any:
        """A getter of the cloud as the caller sees it, opened at the first use."""
        opened: list[Cloud] = []

        async def get() -> Cloud:
            if not opened:
                opened.append(await self._context.clouds.for_caller(caller))
            return opened[0]

        return get

    async def answered(self, caller: Caller, source: Source, *, looking: bool = False) -> Source:
        """`source` with what its template asks of the outside, as that is now; `looking`: nothing is to be made of it.
        Raises Invalid."""
        async with self._validator.telling_all_aside(source):
            return await answered(self._context, caller.project_id, source, self._cloud(caller), looking=looking)

    async def _drifts(self, stack: Stack) -> list[ResourceDrift]:
        """What the last looks at the stack's objects showed, in order of address."""
        query = select(t.drifts).where(t.drifts.c.stack_id == stack.id).order_by(t.drifts.c.address)
        async with self._context.store.database.reader.connect() as connection:
            return [drift_record(row, self._context.store.vault) for row in await connection.execute(query)]

    async def _delegation(self, caller: Caller, *, needed: bool) -> Mapping[str, Value] | None:
        return await self._context.clouds.establish(caller) if needed else None


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def refuse_busy(stack: Stack) -> None:
    """Raise Busy unless the stack rests."""
    if stack.status is Status.IN_PROGRESS:
        raise Busy(f"Stack {stack.name} already has an action ({stack.action}) in progress.")


def refuse_in_review(stack: Stack, participle: str) -> None:
    """S18: nothing is there yet, and its change sets are for a stack that is not."""
    if stack.action is Action.INIT:
        raise InvalidState(f"Stack [{stack.name}] is in REVIEW_IN_PROGRESS state and can not be {participle}.")


def refuse_update_in(stack: Stack) -> None:
    """ENGS-03 and S05: what cannot be updated whatever the template."""
    refuse_in_review(stack, "updated")
    if stack.action in (Action.SUSPEND, Action.DELETE):
        raise InvalidState(
            f"Stack {stack.name} is in {stack.state} state and can not be updated. "
            + ("Resume it first." if stack.action is Action.SUSPEND else "Delete it, or wait until it is deleted.")
        )


def changed_meanwhile(stack: Stack) -> Busy:
    return Busy(f"Another action has begun on stack {stack.name} in the meantime. Look at it, and ask again.")


def refuse_protected(stack: Stack, root: Stack) -> None:
    """B12: a nested stack has the protection of its root."""
    if root.options.termination_protection:
        where = "" if root.id == stack.id else f" on its root stack [{root.name}]"
        raise Forbidden(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled{where}")
