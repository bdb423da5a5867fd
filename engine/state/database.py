"""Opening the database: one writer, a few readers, pragmas, schema at the newest migration."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Executable, event, func, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect, ExceptionContext
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from engine.state import tables
from engine.state.uncancelled import uncancelled

HEAD = "0001"  # the newest revision in engine/state/migrations; a test holds them together

APPLICATION = "isotherm"  # what sessions of PostgreSQL say they are

_CONNECT_WITHIN = 5  # seconds
_SCHEMA_LOCK = 0x1507_4E52  # PostgreSQL's advisory lock of those who change the schema
_LOOK_AGAIN = 0.2  # seconds until it is tried again
_RESTED = 1  # seconds after which a connection is tried before it is used


class DatabaseAway(SQLAlchemyError):
    """The server cannot be reached, or does not answer."""


#: What whoever asks may try again a moment later: nobody answered, or no connection became free.
TRY_AGAIN = (DatabaseAway, PoolTimeout)


class SchemaMismatch(Exception):
    """The text says what the database is, and the way out."""


class Database:
    """`writer` has a single connection on SQLite; `reader` a small pool."""

    def __init__(self, url: str) -> None:
        """`url` as SQLAlchemy writes it: `sqlite+aiosqlite:////path` or `postgresql+asyncpg://…`."""
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._at_once: dict[AsyncEngine, AsyncEngine] = {}
        self._leases: AsyncEngine | None = None
        self._renewals: AsyncEngine | None = None
        if self.is_sqlite:
            self.writer = create_async_engine(url, pool_size=1, max_overflow=0)
            # No transaction to begin and to roll back: a view asks once.
            self.reader = create_async_engine(
                url, pool_size=2, max_overflow=2, isolation_level="AUTOCOMMIT", pool_reset_on_return=None
            )  # fmt: skip
            for engine in (self.writer, self.reader):
                _tune_sqlite(engine)
        else:
            self.writer = _postgresql(url, 8, answers_within=30)
            self.reader = self.writer.execution_options(isolation_level="AUTOCOMMIT")
            # Claims and renewals never queue behind the work they are for, nor renewals behind claims.
            self._leases = _postgresql(url, 2, answers_within=30)
            self._renewals = _postgresql(url, 1, answers_within=5)

    @property
    def leases(self) -> AsyncEngine:
        """Where runs are claimed."""
        return self._leases or self.writer

    def at_once(self, engine: AsyncEngine) -> AsyncEngine:
        """`engine` for a single statement: on PostgreSQL it needs no BEGIN and no COMMIT of its own."""
        if self.is_sqlite:
            return engine
        if engine not in self._at_once:
            self._at_once[engine] = engine.execution_options(isolation_level="AUTOCOMMIT")
        return self._at_once[engine]

    @property
    def renewals(self) -> AsyncEngine:
        """Where leases are renewed."""
        return self._renewals or self.writer

    async def prepare(self, to: str = HEAD) -> str | None:
        """Bring the schema to the revision `to`: a new database is made whole, an older one is migrated, a newer one
        left. Returns what it was at, None for a new one; of several processes at once one does it, the others wait."""
        async with self._alone():
            async with self.writer.connect() as connection:
                current = await connection.run_sync(_current_revision)
            if current is None and to == HEAD:
                async with self.writer.begin() as connection:
                    await connection.run_sync(tables.metadata.create_all)
                    await connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
                    await connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
            elif current is None or current < to:
                await asyncio.to_thread(migrate, self.url, to)
            return current

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Nobody else changes the schema meanwhile. SQLite's file is this process's own, under its directory's lock."""
        if self.is_sqlite:
            yield
            return
        async with self.reader.connect() as connection:
            # Another process has it, and gives no sign.
            while not (await connection.execute(select(func.pg_try_advisory_lock(_SCHEMA_LOCK)))).scalar():  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_AGAIN)
            try:
                yield
            finally:
                await connection.execute(select(func.pg_advisory_unlock(_SCHEMA_LOCK)))

    @uncancelled
    async def write(self, *statements: Executable, on: AsyncEngine | None = None) -> None:
        """Run `statements` in one transaction, of `writer` unless said."""
        engine = on or self.writer
        async with (self.at_once(engine) if len(statements) == 1 else engine).begin() as connection:
            for statement in statements:
                await connection.execute(statement)

    async def check(self) -> None:
        """Raises SchemaMismatch when the schema is older than this version works with. That of the next release has all
        that this one knows: migrations add first and remove a release later (docs/operations.md, "Upgrading")."""
        async with self.writer.connect() as connection:
            current = await connection.run_sync(_current_revision)
        if current is None or current < HEAD:
            state = "is empty" if current is None else f"is at revision {current}, and this version needs {HEAD}"
            raise SchemaMismatch(f"The database {state}. Run `isotherm db upgrade` with the same configuration.")

    async def close(self) -> None:
        for one in (self.writer, self.reader, self.leases, self.renewals):
            await one.dispose()


def _current_revision(connection: object) -> str | None:
    from sqlalchemy import Connection, inspect

    assert isinstance(connection, Connection)
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _postgresql(url: str, connections: int, *, answers_within: float) -> AsyncEngine:
    """Connections that notice in time (seconds) when their server has gone without a word."""
    kept = max(1, connections // 2)
    engine = create_async_engine(
        url, pool_size=kept, max_overflow=connections - kept,
        connect_args={
            "timeout": _CONNECT_WITHIN, "command_timeout": answers_within,
            "server_settings": {"application_name": APPLICATION},
        },
    )  # fmt: skip
    _try_rested(engine)

    # asyncpg lets errors of the network pass as they are, and SQLAlchemy does not know them as what they are.
    @event.listens_for(engine.sync_engine, "do_connect")
    def _connect(dialect: Dialect, _entry: object, arguments: list[Any], options: dict[str, Any]) -> DBAPIConnection:
        try:
            return dialect.connect(*arguments, **options)
        except OSError as error:
            raise DatabaseAway(f"PostgreSQL cannot be reached: {_said(error)}") from error

    @event.listens_for(engine.sync_engine, "handle_error")
    def _lost(context: ExceptionContext) -> None:
        error = context.original_exception
        context.is_disconnect = context.is_disconnect or isinstance(error, OSError)
        if context.is_disconnect:
            raise DatabaseAway(f"PostgreSQL does not answer: {_said(error)}")

    return engine


def _try_rested(engine: AsyncEngine) -> None:
    """Connections that have rested are tried before they are used, as `pool_pre_ping` does with every one: three round
    trips, which a busy server does not spend on a connection that has answered a moment ago."""
    dialect = engine.sync_engine.dialect

    @event.listens_for(engine.sync_engine, "checkin")
    def _rests(_connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def _try(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        if time.monotonic() - record.info.get("rests_since", math.inf) < _RESTED:
            return
        try:
            dialect.do_ping(connection)
        except (dialect.loaded_dbapi.Error, OSError) as error:
            raise InvalidatePoolError from error  # the pool opens another, and trusts none of the others


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__


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
