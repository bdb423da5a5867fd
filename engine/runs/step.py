"""Calling a resource type: the operation it is handed, and how failures of the cloud are met.

An intent is durable before any call here is made (design §3). A create whose outcome is unknown is looked up by its
token until the settle time is over before it is repeated; refusals are final; what is busy is waited for.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from engine.cloud.contract import Cloud
from engine.cloud.errors import CloudError, Conflict, OutcomeUnknown, Temporary
from engine.model.diagnostic import Invalid
from engine.model.value import Value
from engine.resources.base import Gone, Operation, OperationFailed, ResourceType, Services, StackIdentity
from engine.runs.context import RunContext
from engine.runs.lease import Lease, LeaseLost
from engine.runs.ledger import Ledger, Unwritten
from engine.state.commit import Fenced
from engine.state.rows import ResourceRow

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: What says nothing about the resource: the run has lost its stack, or the database.
NOT_THE_RESOURCE = (Fenced, LeaseLost, Unwritten, SQLAlchemyError)


class Stepper:
    """Makes operations for rows of one run and carries out single verbs."""

    def __init__(
        self, context: RunContext, ledger: Ledger, lease: Lease, identity: StackIdentity, cloud: Cloud,
        services: Services, deadline: float,
    ) -> None:  # fmt: skip
        self._context, self._ledger, self._lease = context, ledger, lease
        self._identity, self._cloud, self._services = identity, cloud, services
        self.deadline = deadline

    def operation(self, row: ResourceRow, properties: Mapping[str, Value], *, resumed: bool = False) -> Operation:
        operation = Operation(
            stack=self._identity, address=row.address, type_name=row.type, token=row.token, properties=properties,
            before=row.properties, physical_id=row.physical_id, data=row.data, metadata=row.metadata,
            remember=_unbound, cloud=self._cloud, services=self._services, deadline=self.deadline, resumed=resumed,
            owned_ids=frozenset(),
        )  # fmt: skip

        async def remember(**data: Value) -> None:
            row.data = {**row.data, **data}
            operation.data = row.data
            await self._ledger.write([row], guarded=False)

        operation.remember = remember
        return operation

    async def create(self, kind: ResourceType, row: ResourceRow, operation: Operation) -> str | None:
        """Make the object once, whatever happens; returns its physical id. Raises OperationFailed or CloudError."""
        if kind.local:
            return await kind.create(operation)
        operation.owned_ids = self._ledger.owned_ids(row)
        if operation.resumed:
            found = await self._settled_find(kind, operation)
            if found is not None:
                return found
        said = ""
        for attempt in range(self._context.settings.create_retries + 1):
            try:
                return await self._call(lambda: kind.create(operation))
            except OutcomeUnknown as error:
                log.warning("the answer to a create was lost", address=row.address, error=str(error))
                found = await self._settled_find(kind, operation)
                if found is not None:
                    return found
                said = error.message
                await self._back_off(attempt, error)
            except Temporary as error:
                said = error.message
                await self._back_off(attempt, error)
        raise OperationFailed(
            f"{row.type} could not be made in {self._context.settings.create_retries + 1} attempts; "
            f"the last answer was: {said}"
        )

    async def after_refusal(self, kind: ResourceType, row: ResourceRow, operation: Operation, error: Exception) -> None:
        """A create has failed: if every request was answered, one look tells whether it left an object behind.

        Otherwise the row keeps its mark, and whoever deletes it looks for the settle time.
        """
        if kind.local or row.physical_id is not None or row.attempted is None:
            return
        if not isinstance(error, OperationFailed | CloudError | Gone):
            return
        try:
            row.physical_id = await kind.find(operation)
        except Exception as trouble:
            if isinstance(trouble, NOT_THE_RESOURCE):
                raise
            log.warning("a look after a failed create failed", address=row.address, error=str(trouble))
        else:
            row.attempted = None

    async def forget_nested(self, stack_id: str) -> None:
        await self._services.forget_nested(stack_id)

    async def take_away(self, kind: ResourceType, row: ResourceRow, operation: Operation) -> bool:
        """Delete what was made and is of no use; False when it has to be left to the cleanup."""
        try:
            await self.patiently(lambda: kind.delete(operation), busy=True)
        except Gone:
            return True
        except (CloudError, OperationFailed) as error:
            log.warning("a broken object could not be taken away yet", address=row.address, error=str(error))
            return False
        return True

    async def pause(self, attempt: int) -> None:
        await self._back_off(attempt, None)

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        """Run one call to its end even when the step is cancelled: an object half asked for is an object lost."""
        self._lease.ensure()
        task = asyncio.ensure_future(call())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.done():
                await asyncio.wait({task})
            if task.cancelled() or task.exception() is not None:
                raise
            raise InterruptedCall(task.result()) from None

    async def _settled_find(self, kind: ResourceType, operation: Operation) -> str | None:
        clock = self._context.clock
        # What is refused or changes nothing the second time can be tried again at once (tokens.md rule 1).
        settle = 0.0 if kind.race_safe else self._context.settings.settle
        until = min(clock.monotonic() + settle, operation.deadline)
        pause = 0.1
        while True:
            found = await self.patiently(lambda: kind.find(operation))
            if found is not None or clock.monotonic() >= until:
                return found
            await clock.sleep(min(pause, max(0.01, until - clock.monotonic())))
            pause = min(pause * 1.6, 5)

    async def find(self, kind: ResourceType, row: ResourceRow, operation: Operation) -> str | None:
        """Look for an object whose making was begun and whose id nobody wrote down, so as to delete it."""
        if kind.nested:
            return await self._services.nested_of(operation)  # its type finds a child by making it again
        operation.owned_ids = self._ledger.owned_ids(row)
        return await self._settled_find(kind, operation)

    async def patiently(self, call: Callable[[], Awaitable[T]], *, busy: bool = False) -> T:
        """Repeat a call that is safe to repeat while the cloud is unavailable, or, if `busy`, the object in use."""
        clock, settings = self._context.clock, self._context.settings
        in_use_until = clock.monotonic() + settings.delete_in_use_timeout
        attempt = 0
        while True:
            self._lease.ensure()
            try:
                return await call()
            except Conflict:
                if not busy or clock.monotonic() >= min(in_use_until, self.deadline):
                    raise
            except Temporary:
                if attempt >= settings.create_retries or clock.monotonic() >= self.deadline:
                    raise
            await self._back_off(attempt, None)
            attempt += 1

    async def _back_off(self, attempt: int, error: Temporary | None) -> None:
        settings = self._context.settings
        told = error.retry_after if error is not None else None
        pause = told if told is not None else min(settings.retry_base * 2**attempt, settings.retry_limit)
        await self._context.clock.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311  (jitter, not a secret)


class InterruptedCall(asyncio.CancelledError):
    """The step was cancelled during a call that has succeeded since; `result` is what it gave."""

    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result


def bare_operation(stack: StackIdentity, cloud: Cloud, services: Services, deadline: float) -> Operation:
    """An operation on nothing in particular, for what only needs the cloud; it keeps no notes."""
    return Operation(
        stack=stack, address="", type_name="", token="", properties={}, before={}, physical_id=None, data={},
        metadata={}, remember=_unbound, cloud=cloud, services=services, deadline=deadline,
    )  # fmt: skip


async def _unbound(**data: Value) -> None:
    raise RuntimeError("an operation is bound to its row before it is handed out")


def explain(error: Exception) -> str:
    """One sentence for the status reason: what the cloud or the resource said, or that the engine is wrong."""
    match error:
        case CloudError():
            return error.message
        case OperationFailed() | Gone() | Invalid():
            return str(error) or type(error).__name__
        case _:
            log.error("a resource type failed in a way it should not", exc_info=error)
            return own_fault(error)


def own_fault(error: Exception) -> str:
    return f"Isotherm's own fault, please report it: {type(error).__name__}: {error}"
