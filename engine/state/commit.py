"""Group commit: everything that queued while the last commit ran goes to disk in one transaction.

Each item keeps its own answer. An item is fenced, and changes nothing, when its stack's run epoch or operation is no
longer the one it was made under: another engine owns the stack now, or a newer operation has overtaken this one.

Items reach the disk in the order in which they were queued. So a run may post a result and go on: whatever it writes
later, and waits for, is durable only after what it posted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import structlog
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.state.bulk import Bulk
from engine.state.database import Database, DatabaseAway
from engine.state.tables import events, resources, stacks

log = structlog.get_logger(__name__)

_ROW_KEYS = ("stack_id", "address", "generation")
_key = itemgetter(*_ROW_KEYS)
_MOST = 2000  # items a transaction; bounds memory and the time a waiter waits


class Fenced(Exception):
    """The writer no longer owns the stack, or its operation has been overtaken."""


@dataclass(slots=True, eq=False)
class Write:
    """One atomic change of one stack.

    `epoch` None: not fenced (front ends); `operation_id` None: not guarded by the operation (recording what a call
    in flight has made must succeed although a newer operation has begun). `after`: an earlier item nobody waited for;
    if the database refused that one, this one must not be taken either.
    """

    stack_id: str
    epoch: int | None = None
    operation_id: str | None = None
    resources: Sequence[dict[str, Any]] = ()
    events: Sequence[dict[str, Any]] = ()
    stack: dict[str, Any] | None = None
    also: Callable[[AsyncConnection], Awaitable[None]] | None = None
    after: Write | None = None
    decided: bool = False
    error: BaseException | None = None  # why it was not taken
    waiter: asyncio.Future[None] | None = None

    @property
    def durable(self) -> bool:
        return self.decided and self.error is None

    def decide(self, error: BaseException | None) -> None:
        """Give the answer, once."""
        if self.decided:
            return
        self.decided, self.error = True, error
        if self.waiter is None or self.waiter.done():  # nobody waits, or nobody any more
            return
        if error is None:
            self.waiter.set_result(None)
        else:
            self.waiter.set_exception(error)


class Committer:
    """The one writer of run state. Start it once per process; `write` returns when the item is durable."""

    def __init__(
        self, database: Database, on_commit: Callable[[Sequence[str], Sequence[str]], None] | None = None
    ) -> None:
        """`on_commit` is told after each transaction: ids of stacks of which anything changed, and of those that
        moved themselves."""
        self._database = database
        self._on_commit = on_commit
        self._queue: list[Write] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._resources = Bulk(resources, is_sqlite=database.is_sqlite, keys=_ROW_KEYS, kept=("created",))
        self._events = Bulk(events, is_sqlite=database.is_sqlite, but=("seq",))

    def start(self) -> None:
        self._task = asyncio.create_task(self._loop(), name="group-commit")

    async def stop(self) -> None:
        """Commit what is queued, then end."""
        if self._task is None:
            return
        self._stopping = True
        self._wake.set()
        await self._task
        self._task = None

    @property
    def backlog(self) -> int:
        """Items not yet taken up by a transaction."""
        return len(self._queue)

    def post(self, item: Write) -> None:
        """Queue `item`; it tells when it is decided."""
        self._queue.append(item)
        self._wake.set()

    async def write(self, item: Write) -> None:
        """Return when `item` is on disk. Raises Fenced, or the database's error."""
        item.waiter = asyncio.get_running_loop().create_future()
        self.post(item)
        await item.waiter  # whoever is cancelled here leaves an item that is decided all the same

    async def _loop(self) -> None:
        while not self._stopping:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                batch, self._queue = self._queue[:_MOST], self._queue[_MOST:]
                await self._commit(batch)

    async def _commit(self, queued: list[Write]) -> None:
        batch = [item for item in queued if not _follows_refused(item)]
        if not batch:
            return
        try:
            fenced = await self._transaction(batch)
        except (SQLAlchemyError, OSError) as error:
            if len(batch) == 1 or isinstance(error, DatabaseAway):  # then it is the fault of no item
                for item in batch:
                    item.decide(error)
                return
            log.warning("a group commit failed; its items go one by one", error=str(error))
            for item in batch:
                await self._commit([item])
            return
        except asyncio.CancelledError as error:
            for item in batch:
                item.decide(error)
            raise
        except Exception as error:  # an item's `also` refused: the others must not suffer
            if len(batch) == 1:
                batch[0].decide(error)
                return
            for item in batch:
                await self._commit([item])
            return
        if self._on_commit is not None:
            moved = [item.stack_id for item in batch if item.stack is not None]
            self._on_commit([item.stack_id for item in batch], moved)
        for item in batch:
            item.decide(Fenced(item.stack_id) if item in fenced else None)

    async def _transaction(self, batch: list[Write]) -> set[Write]:
        async with self._database.writer.begin() as connection:
            fenced = await self._fenced(connection, batch)
            live = [item for item in batch if item not in fenced] if fenced else batch
            rows = _latest([row for item in live for row in item.resources])
            if rows:
                await self._resources.put(connection, rows)
            happened = [event for item in live for event in item.events]
            if happened:
                await self._events.put(connection, happened)
            for item in live:
                if item.stack is not None:
                    await _update_stack(connection, item)
                if item.also is not None:
                    await item.also(connection)
            return fenced

    async def _fenced(self, connection: AsyncConnection, batch: list[Write]) -> set[Write]:
        guarded = {item.stack_id for item in batch if item.epoch is not None or item.operation_id is not None}
        touched = guarded | {item.stack_id for item in batch if item.stack is not None}
        if not guarded and (self._database.is_sqlite or not touched):
            return set()
        query = select(stacks.c.id, stacks.c.epoch, stacks.c.operation_id).where(
            stacks.c.id.in_(bindparam("ids", expanding=True))
        )
        if not self._database.is_sqlite:
            # All at once and in one order: a lock that is made stronger later, and renewals of leases, would end in
            # deadlocks.
            query = query.order_by(stacks.c.id).with_for_update(key_share=True)
        found = {row.id: row for row in await connection.execute(query, {"ids": sorted(touched)})}
        return {item for item in batch if item.stack_id in guarded and not _holds(item, found.get(item.stack_id))}


def _follows_refused(item: Write) -> bool:
    """Whether the database refused what `item` builds on; it has its answer then."""
    before, item.after = item.after, None
    if before is None or not before.decided:
        item.after = before  # in the same batch
        return False
    if before.error is None or isinstance(before.error, Fenced):
        return False
    item.decide(before.error)
    return True


def _holds(item: Write, row: Any) -> bool:
    if row is None:
        return False
    if item.epoch is not None and row.epoch != item.epoch:
        return False
    return item.operation_id is None or bool(row.operation_id == item.operation_id)


def _latest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last state of each row: PostgreSQL refuses to touch a row twice in one statement."""
    if len(rows) < 2:
        return rows
    return list({_key(row): row for row in rows}.values())


async def _update_stack(connection: AsyncConnection, item: Write) -> None:
    values = {**(item.stack or {}), "version": stacks.c.version + 1}
    await connection.execute(update(stacks).where(stacks.c.id == item.stack_id).values(values))
