"""Purging deleted stacks: all of theirs goes, nothing of others, and never many rows at once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, func, insert, select
from sqlalchemy.sql.sqltypes import BigInteger, Boolean, Integer

from engine.state import tables as t
from engine.state.database import Database
from engine.state.purge import BELONGING, count, purge
from engine.state.store import Store

DAY = 86_400_000_000
NOW = 100 * DAY
LONG_AGO, LATELY = 5 * DAY, 98 * DAY
BEFORE = 70 * DAY  # what was deleted earlier goes


def _row(table: Any, number: int, **values: Any) -> dict[str, Any]:
    """A row of `table` with something in each column that must have it."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if isinstance(column.type, Boolean):
            filled: Any = False
        else:
            filled = number if isinstance(column.type, BigInteger | Integer) else f"x{number}"
        if column.name in values or not column.nullable:
            row[column.name] = values.get(column.name, filled)
    return row


class Killed(Exception):
    """The purge's process ends here."""


class Filled:
    """A database in which each stack has `rows` rows in every table that knows of stacks."""

    def __init__(self, database: Database) -> None:
        self.database, self._number = database, 0

    async def stack(self, stack_id: str, deleted: int | None, rows: int = 1, **values: Any) -> None:
        snapshots = values.pop("snapshots", True)
        own = {"root_id": stack_id, "parent_id": None, **values}
        statements = [insert(t.stacks).values(_row(t.stacks, 0, id=stack_id, deleted=deleted, **own))]
        for _ in range(rows):
            self._number += 1
            for table in (*BELONGING, t.copies):
                if snapshots or table not in (t.snapshots, t.copies):
                    link = {"snapshot_id": f"x{self._number}"} if table is t.copies else {"stack_id": stack_id}
                    statements.append(insert(table).values(_row(table, self._number, **link)))
        await self.database.write(*statements)

    async def stacks(self) -> set[str]:
        async with self.database.reader.connect() as connection:
            return set((await connection.execute(select(t.stacks.c.id))).scalars())

    async def rows(self) -> dict[str, int]:
        async with self.database.reader.connect() as connection:
            return {
                table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
                for table in (*BELONGING, t.copies, t.stacks)
            }


@pytest.fixture
async def filled(store: Store) -> Filled:
    return Filled(store.database)


def test_every_table_is_known_to_belong_to_a_stack_or_not() -> None:
    apart = {"stacks", "copies", "services", "delegations"}
    assert {table.name for table in t.metadata.sorted_tables} == {table.name for table in BELONGING} | apart


async def test_engc_11_all_of_an_old_one_goes_and_nothing_of_others(filled: Filled) -> None:
    await filled.stack("old", LONG_AGO, rows=3)
    await filled.stack("fresh", LATELY, rows=2)
    await filled.stack("live", None, rows=2)
    expected = {**{table.name: 3 for table in (*BELONGING, t.copies)}, "stacks": 1}

    assert await count(filled.database, BEFORE) == expected
    assert await filled.stacks() == {"old", "fresh", "live"}
    assert await purge(filled.database, BEFORE) == expected

    assert await filled.stacks() == {"fresh", "live"}
    assert await filled.rows() == {**{table.name: 4 for table in (*BELONGING, t.copies)}, "stacks": 2}
    assert set((await purge(filled.database, BEFORE)).values()) == {0}


async def test_a_whole_tree_goes_and_one_of_which_something_lives_stays(filled: Filled) -> None:
    await filled.stack("root", LONG_AGO)
    await filled.stack("child", LONG_AGO, parent_id="root", root_id="root")
    await filled.stack("left", LONG_AGO)
    await filled.stack("retained", None, parent_id="left", root_id="left")
    await filled.stack("later", LONG_AGO)
    await filled.stack("between", LONG_AGO, parent_id="later", root_id="later")
    await filled.stack("grandchild", LATELY, parent_id="between", root_id="later")

    assert (await count(filled.database, BEFORE))["stacks"] == 2
    assert (await purge(filled.database, BEFORE))["stacks"] == 2
    assert await filled.stacks() == {"left", "retained", "later", "between", "grandchild"}


async def test_a_nested_one_goes_before_its_parent_unless_the_parent_has_a_snapshot_of_it(filled: Filled) -> None:
    await filled.stack("parent", None)
    await filled.stack("plain", LONG_AGO, parent_id="parent", root_id="parent", snapshots=False)
    await filled.stack("saved", LONG_AGO, parent_id="parent", root_id="parent")

    await purge(filled.database, BEFORE)

    assert await filled.stacks() == {"parent", "saved"}


async def test_no_transaction_removes_more_rows_than_said(filled: Filled) -> None:
    for number in range(6):
        await filled.stack(f"old{number}", LONG_AGO, rows=3)
    removed: list[int] = []
    engine: Engine = filled.database.writer.sync_engine

    @event.listens_for(engine, "after_cursor_execute")
    def _seen(_c: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("DELETE"):
            removed.append(cursor.rowcount)

    @event.listens_for(engine, "commit")
    def _committed(_c: Connection) -> None:
        removed.append(0)

    done = await purge(filled.database, BEFORE, rows=4)

    assert done["stacks"] == 6
    assert done["events"] == 18
    assert max(removed) == 4
    assert removed[1::2] == [0] * (len(removed) // 2), "one DELETE a transaction"
    assert set((await filled.rows()).values()) == {0}


async def test_one_that_was_stopped_is_ended_by_the_next(filled: Filled) -> None:
    await filled.stack("old", LONG_AGO, rows=3)
    engine, deletes = filled.database.writer.sync_engine, 0

    @event.listens_for(engine, "before_cursor_execute")
    def _die(_c: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal deletes
        if not statement.startswith("DELETE"):
            return
        deletes += 1
        if deletes == 7:
            raise Killed

    with pytest.raises(Killed):
        await purge(filled.database, BEFORE, rows=2)
    assert await filled.stacks() == {"old"}

    await purge(filled.database, BEFORE, rows=2)

    assert set((await filled.rows()).values()) == {0}
