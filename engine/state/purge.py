"""Forgetting deleted stacks. Never a live one, never one that somebody still needs, and never much at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, delete, exists, func, or_, select, tuple_

from engine.state import tables as t
from engine.state.database import Database

_STACKS_AT_ONCE = 200

# Each table that says whose stack a row is; the stack's own row goes last, so that what a stopped purge has left is
# found by the next one.
BELONGING: tuple[Table, ...] = tuple(table for table in t.metadata.sorted_tables if "stack_id" in table.c)


async def count(database: Database, before: int) -> Mapping[str, int]:
    """How many rows of each table `purge` would remove; `before` in microseconds since the epoch."""
    ids = select(t.stacks.c.id).where(_expired(before))
    found = {}
    async with database.reader.connect() as connection:
        for table, mine in _parts(ids):
            query = select(func.count()).select_from(table).where(mine)
            found[table.name] = int((await connection.execute(query)).scalar_one())
        query = select(func.count()).select_from(ids.subquery())
        return {**found, t.stacks.name: int((await connection.execute(query)).scalar_one())}


async def purge(database: Database, before: int, rows: int = 1000) -> Mapping[str, int]:
    """Remove stacks that were deleted before that moment (microseconds since the epoch) with all that belongs to them,
    at most `rows` rows a transaction. Returns how many rows of each table; may be stopped and repeated at any time.

    A deleted stack stays while another one that stays has it as parent or root, and while it has snapshots that a
    parent may be restored to.
    """
    done = dict.fromkeys((*(table.name for table in BELONGING), t.copies.name, t.stacks.name), 0)
    while ids := await _some(database, before):
        for table, mine in _parts(ids):
            done[table.name] += await _clear(database, table, mine, rows)
        gone = await _clear(database, t.stacks, and_(t.stacks.c.id.in_(ids), t.stacks.c.deleted < before), rows)
        done[t.stacks.name] += gone
        if not gone:  # another purge took them
            break
    return done


def _expired(before: int) -> ColumnElement[bool]:
    s, other, parent = t.stacks.c, t.stacks.alias("other").c, t.stacks.alias("parent").c
    stays = or_(other.deleted.is_(None), other.deleted >= before)
    parental = exists().where(other.parent_id == s.id, stays)
    rooting = exists().where(other.root_id == s.id, other.id != s.id, stays)
    kept = exists().where(t.snapshots.c.stack_id == s.id)
    above = exists().where(parent.id == s.parent_id, or_(parent.deleted.is_(None), parent.deleted >= before))
    return and_(s.deleted < before, ~parental, ~rooting, ~and_(kept, above))


async def _some(database: Database, before: int) -> list[str]:
    async with database.reader.connect() as connection:
        query = select(t.stacks.c.id).where(_expired(before)).limit(_STACKS_AT_ONCE)
        return list((await connection.execute(query)).scalars())


def _parts(ids: list[str] | Select[Any]) -> list[tuple[Table, ColumnElement[bool]]]:
    """What belongs to those stacks, in the order of its removal: copies are only found by way of their snapshot."""
    snapshots = select(t.snapshots.c.id).where(t.snapshots.c.stack_id.in_(ids))
    return [
        (t.copies, t.copies.c.snapshot_id.in_(snapshots)),
        *((table, table.c.stack_id.in_(ids)) for table in BELONGING),
    ]


async def _clear(database: Database, table: Table, mine: ColumnElement[bool], rows: int) -> int:
    """Delete in transactions of at most `rows`; neither database has DELETE … LIMIT."""
    key = tuple_(*table.primary_key.columns)
    some = delete(table).where(key.in_(select(*table.primary_key.columns).where(mine).limit(rows)))
    done = 0
    while True:
        async with database.writer.begin() as connection:
            gone = (await connection.execute(some)).rowcount
        done += gone
        if gone < rows:
            return done
