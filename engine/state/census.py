"""What an operator sees of a database: how old its schema is, and how much is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from engine.state import migrations
from engine.state import tables as t
from engine.state.database import Database


@dataclass(frozen=True, slots=True)
class Census:
    """Nested stacks count; `live` by state (`CREATE_COMPLETE`), in the order of the alphabet."""

    live: Mapping[str, int]
    deleted: int
    events: int


async def census(database: Database) -> Census:
    """Count what is there; the schema must not be older than this version's."""
    s = t.stacks.c
    states = (
        select(s.action, s.status, func.count())
        .where(s.deleted.is_(None))
        .group_by(s.action, s.status)
        .order_by(s.action, s.status)
    )
    async with database.reader.connect() as connection:
        live = {f"{action}_{status}": int(many) for action, status, many in await connection.execute(states)}
        deleted = await connection.scalar(select(func.count()).select_from(t.stacks).where(s.deleted.isnot(None)))
        events = await connection.scalar(select(func.count()).select_from(t.events))
    return Census(live, deleted or 0, events or 0)


async def revision(database: Database) -> str | None:
    """The revision of the database's schema; None when it has none."""

    def read(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    async with database.writer.connect() as connection:
        return await connection.run_sync(read)


def revisions() -> Sequence[str]:
    """Every revision that this version has a migration for, the oldest first."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    return [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()][::-1]
