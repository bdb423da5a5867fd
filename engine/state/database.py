"""Opening the database: one writer, a few readers, pragmas, schema at the newest migration."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from engine.state import tables

HEAD = "0001"  # the newest revision in engine/state/migrations; a test holds them together


class Database:
    """`writer` has a single connection on SQLite; `reader` a small pool."""

    def __init__(self, url: str) -> None:
        """`url` as SQLAlchemy writes it: `sqlite+aiosqlite:////path` or `postgresql+asyncpg://…`."""
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            self.writer = create_async_engine(url, pool_size=1, max_overflow=0)
            self.reader = create_async_engine(url, pool_size=2, max_overflow=2)
            for engine in (self.writer, self.reader):
                _tune_sqlite(engine)
        else:
            self.writer = create_async_engine(url, pool_size=4, max_overflow=4, pool_pre_ping=True)
            self.reader = self.writer

    async def prepare(self) -> None:
        """Bring the schema to HEAD: a new database is made whole, an older one is migrated."""
        async with self.writer.connect() as connection:
            current = await connection.run_sync(_current_revision)
        if current == HEAD:
            return
        if current is None:
            async with self.writer.begin() as connection:
                await connection.run_sync(tables.metadata.create_all)
                await connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
                await connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
            return
        await asyncio.to_thread(migrate, self.url)

    async def close(self) -> None:
        await self.writer.dispose()
        if self.reader is not self.writer:
            await self.reader.dispose()


def _current_revision(connection: object) -> str | None:
    from sqlalchemy import Connection, inspect

    assert isinstance(connection, Connection)
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _tune_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "cache_size=-8000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def migrate(url: str, revision: str = "head") -> None:
    """Run alembic to `revision`; blocking, call it in a thread."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, revision)
