"""The database's side of a connection that has gone silent: what a process has begun there holds nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from engine.state.database import Database, DatabaseAway
from engine.state.silent import end_silent
from tests.services.estate import POSTGRES, Estate, estate_fixture
from tests.services.gate import Gate

pytestmark = pytest.mark.services

CHANGE = text("UPDATE alembic_version SET version_num = version_num")


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    yield from estate_fixture(tmp_path)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate.to(POSTGRES, 5432)
    yield gate
    gate.close()


@pytest.fixture
async def cut_off(estate: Estate, gate: Gate) -> AsyncIterator[Database]:
    database = Database(POSTGRES.rsplit("@", 1)[0] + f"@127.0.0.1:{gate.port}/{estate.name}")
    yield database
    gate.cut()
    await database.close()


@pytest.fixture
async def other(estate: Estate) -> AsyncIterator[Database]:
    database = Database(estate.database)
    yield database
    await database.close()


async def test_rows_locked_by_a_silent_process_are_free_again(gate: Gate, cut_off: Database, other: Database) -> None:
    connection = await cut_off.writer.connect()
    await connection.execute(CHANGE)  # and the commit never comes
    gate.freeze()
    assert await end_silent(other, after=0) == 1
    await other.write(CHANGE)
    gate.thaw()
    with pytest.raises(DatabaseAway):
        await connection.execute(CHANGE)
    await connection.close()
    await cut_off.write(CHANGE)


async def test_silent_between_the_messages_of_a_statement(gate: Gate, cut_off: Database, other: Database) -> None:
    connection = await cut_off.writer.connect()
    await connection.execute(CHANGE)
    wire: Any = (await connection.get_raw_connection()).driver_connection
    await wire.prepare("SELECT count(*) FROM alembic_version")  # asked for with a Flush: the statement is still open
    gate.freeze()
    state = "SELECT state FROM pg_stat_activity WHERE application_name = 'isotherm' AND query LIKE 'SELECT count%'"
    async with other.reader.connect() as looking:
        assert (await looking.execute(text(state))).scalars().all() == ["active"]
    assert await end_silent(other, after=0) == 1
    await other.write(CHANGE)
    gate.thaw()
    await connection.invalidate()
    await connection.close()


async def test_whoever_waits_for_rows_is_not_silent(cut_off: Database, other: Database) -> None:
    connection = await cut_off.writer.connect()
    await connection.execute(CHANGE)
    assert await end_silent(other) == 0
    waiting = asyncio.ensure_future(other.write(CHANGE))
    blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    async with other.reader.connect() as looking, asyncio.timeout(10):
        # The server gives no sign.
        while not (await looking.execute(text(blocked))).scalar_one():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert await end_silent(other, after=0) == 1
    await waiting
    await connection.invalidate()
    await connection.close()
