"""An engine's entry among the services: what `openstack orchestration service list` shows."""

from __future__ import annotations

import socket

from sqlalchemy import Executable, delete, insert, update

from engine.runs.context import RunContext
from engine.state import tables as t

_FORGET_AFTER = 24 * 3600  # seconds without a word; until then a dead engine is shown as down


class Presence:
    def __init__(self, context: RunContext, engine_id: str) -> None:
        self._context, self._id = context, engine_id
        self._since = context.clock.now()

    async def begin(self, *, alone: bool) -> None:
        """`alone`: every other entry is of a dead engine."""
        s, now = t.services, self._context.clock.now()
        gone = delete(s) if alone else delete(s).where(s.c.updated < now - _FORGET_AFTER * 1_000_000)
        await self._context.store.database.write(gone, self._entry(now))

    async def report(self) -> None:
        """Say that the engine lives; an entry that somebody has removed is made again."""
        s, database, now = t.services, self._context.store.database, self._context.clock.now()
        async with database.writer.begin() as connection:
            found = await connection.execute(update(s).where(s.c.id == self._id).values(updated=now))
            if not found.rowcount:
                await connection.execute(self._entry(now))

    async def end(self) -> None:
        s = t.services
        await self._context.store.database.write(delete(s).where(s.c.id == self._id))

    def _entry(self, now: int) -> Executable:
        return insert(t.services).values(
            id=self._id, host=socket.gethostname(), binary="isotherm-engine",
            report_interval=self._context.settings.report_interval, created=self._since, updated=now,
        )  # fmt: skip
