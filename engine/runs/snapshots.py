"""Snapshots: what is kept of a stack, and the copies of its objects that lie in the cloud.

The name of a copy is on disk before it is made, so that whoever removes the snapshot finds it, whatever happened since.
A nested stack's snapshot belongs to its parent's, as one of its copies.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.model.clock import to_datetime
from engine.model.source import Source
from engine.model.stack import Snapshot
from engine.model.status import Status
from engine.model.value import Value
from engine.resources.base import Operation
from engine.runs.context import RunContext
from engine.state import tables as t
from engine.state.rows import ResourceRow
from engine.state.store import source_of, source_value
from engine.state.vault import Vault


@dataclass(frozen=True, slots=True)
class Copy:
    """Of one object: `saved` is what its type keeps of it, with its `name`."""

    address: str
    type: str
    token: str
    saved: Mapping[str, Value]


def snapshot_values(vault: Vault, snapshot_id: str, stack_id: str, name: str | None, source: Source, now: int) -> Any:
    """The columns of a snapshot that is begun."""
    return {
        "id": snapshot_id, "stack_id": stack_id, "name": name, "status": Status.IN_PROGRESS.value,
        "reason": "Snapshot started", "source_json": vault.seal(source_value(source)), "data_json": None,
        "created": now,
    }  # fmt: skip


def snapshot_record(row: Any, vault: Vault) -> Snapshot:
    return Snapshot(
        id=row.id, stack_id=row.stack_id, name=row.name, status=Status(row.status), reason=row.reason,
        created=to_datetime(row.created), data=vault.open(row.data_json),
    )  # fmt: skip


class Snapshots:
    """Reads and writes of snapshots. All methods are safe to call concurrently."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    async def of_stack(self, stack_id: str) -> Sequence[Snapshot]:
        """Oldest first."""
        s = t.snapshots.c
        query = select(t.snapshots).where(s.stack_id == stack_id).order_by(s.created, s.id)
        return [snapshot_record(row, self._context.store.vault) for row in await self._rows(query)]

    async def find(self, snapshot_id: str) -> Snapshot | None:
        rows = await self._rows(select(t.snapshots).where(t.snapshots.c.id == snapshot_id))
        return snapshot_record(rows[0], self._context.store.vault) if rows else None

    async def source(self, snapshot_id: str) -> Source:
        """The definition the stack had, hidden parameters in clear."""
        (row,) = await self._rows(select(t.snapshots.c.source_json).where(t.snapshots.c.id == snapshot_id))
        return source_of(self._context.store.vault.open(row.source_json))

    async def copies(self, snapshot_id: str) -> Sequence[Copy]:
        rows = await self._rows(select(t.copies).where(t.copies.c.snapshot_id == snapshot_id))
        return [Copy(row.address, row.type, row.token, self._context.store.vault.open(row.saved_json)) for row in rows]

    async def _rows(self, query: Any) -> Sequence[Any]:
        async with self._context.store.database.reader.connect() as connection:
            return (await connection.execute(query)).all()

    async def note(self, snapshot_id: str, row: ResourceRow, saved: Mapping[str, Value]) -> None:
        """Keep what is known of the copy of that object."""
        c = t.copies.c
        values = {
            "snapshot_id": snapshot_id, "address": row.address, "type": row.type, "token": row.token,
            "saved_json": self._context.store.vault.seal(saved),
        }  # fmt: skip
        await self._context.store.database.write(
            delete(t.copies).where(c.snapshot_id == snapshot_id, c.address == row.address),
            insert(t.copies).values(values),
        )

    async def discard(self, snapshot_id: str, near: Operation) -> None:
        """Remove the copies, and the snapshot with the last; safe to repeat. `near` is any operation in the project:
        its cloud and services are used. Raises what the types raise."""
        c = t.copies.c
        mine = c.snapshot_id == snapshot_id
        for copy in await self.copies(snapshot_id):
            kind = self._context.registry.get(copy.type)
            operation = replace(
                near, address=copy.address, type_name=copy.type, token=copy.token, properties={}, before={},
                physical_id=None, data={}, metadata={},
            )  # fmt: skip
            await kind.discard(operation, copy.saved)
            await self._context.store.database.write(delete(t.copies).where(mine, c.address == copy.address))
        await self._context.store.database.write(delete(t.snapshots).where(t.snapshots.c.id == snapshot_id))


def ended(
    snapshot_id: str, status: Status, reason: str, data: str | None
) -> Callable[[AsyncConnection], Awaitable[None]]:
    """What writes the end of a snapshot in the transaction of its run's end; `data` is sealed."""

    async def write(connection: AsyncConnection) -> None:
        values = {"status": status.value, "reason": reason, "data_json": data}
        await connection.execute(update(t.snapshots).where(t.snapshots.c.id == snapshot_id).values(values))

    return write


async def forget_snapshots(connection: AsyncConnection, stack_id: str) -> None:
    """Of a stack that is given up; the copies stay in the cloud."""
    mine = select(t.snapshots.c.id).where(t.snapshots.c.stack_id == stack_id)
    await connection.execute(delete(t.copies).where(t.copies.c.snapshot_id.in_(mine)))
    await connection.execute(delete(t.snapshots).where(t.snapshots.c.stack_id == stack_id))
