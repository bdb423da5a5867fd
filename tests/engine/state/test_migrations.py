"""The migrations make what engine/state/tables.py says, and an old engine can live with what they make."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text

from engine.state import migrations
from engine.state import tables as t
from engine.state.census import revision, revisions
from engine.state.database import HEAD, Database, SchemaMismatch, migrate

FOLDER = Path(migrations.__file__).parent


def _schema(connection: Connection) -> dict[str, Any]:
    """Everything the database itself knows about its tables, in an order of no importance."""
    asked = inspect(connection)
    found: dict[str, Any] = {}
    for table in sorted(set(asked.get_table_names()) - {"alembic_version"}):
        found[table] = {
            "columns": sorted(
                (one["name"], repr(one["type"]), one["nullable"], one["default"], bool(one.get("autoincrement")))
                for one in asked.get_columns(table)
            ),
            "primary key": asked.get_pk_constraint(table),
            "unique": sorted(map(repr, asked.get_unique_constraints(table))),
            "indexes": sorted(map(_index, asked.get_indexes(table))),
            "foreign keys": asked.get_foreign_keys(table),
            "checks": sorted(map(repr, asked.get_check_constraints(table))),
        }
    return found


def _index(one: Any) -> str:
    options = {name: str(value) for name, value in one.get("dialect_options", {}).items()}
    return repr({**one, "dialect_options": options})


async def _made(database: Database) -> dict[str, Any]:
    async with database.writer.connect() as connection:
        return await connection.run_sync(_schema)


async def test_migrations_lead_to_the_same_schema(database: Database) -> None:
    await asyncio.to_thread(migrate, database.url)
    migrated = await _made(database)
    async with database.writer.begin() as connection:
        await connection.run_sync(t.metadata.drop_all)
        await connection.execute(text("DROP TABLE alembic_version"))

    await database.prepare()

    assert sorted(migrated) == sorted(table.name for table in t.metadata.sorted_tables)
    assert migrated == await _made(database)
    assert any("run_json" in one for one in migrated["stacks"]["indexes"]), "the partial index lost its condition"


def _migrations() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((FOLDER / "versions").glob("v*.py")):
        yield path.name, ast.parse(path.read_text(encoding="utf-8"))


def test_no_migration_follows_the_tables_of_today() -> None:
    for path, module in _migrations():
        named = {
            name
            for node in ast.walk(module)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in [getattr(node, "module", None), *(alias.name for alias in node.names)]
        }
        assert not any(name and name.startswith("engine") for name in named), path


def test_a_migration_that_does_more_than_add_says_since_when_it_may() -> None:
    for path, module in _migrations():
        done = {node.func.attr for node in ast.walk(module)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name) and node.func.value.id == "op"}  # fmt: skip
        said = {target.id for node in module.body if isinstance(node, ast.Assign)
                for target in node.targets if isinstance(target, ast.Name)}  # fmt: skip
        assert "unused_since" in said or done <= {"create_table", "create_index", "add_column", "execute"}, path


def test_revisions_are_numbers_in_their_order_and_the_last_is_the_engines() -> None:
    known = revisions()
    assert list(known) == [f"{number:04}" for number in range(1, len(known) + 1)]
    assert known[-1] == HEAD


async def test_an_older_version_works_on_with_a_newer_database(database: Database) -> None:
    await database.prepare()
    await database.write(text("UPDATE alembic_version SET version_num = '9999'"))

    await database.check()
    await database.prepare()

    assert await revision(database) == "9999"


@pytest.mark.parametrize(("held", "said"), [(None, "is empty"), ("0000", "is at revision 0000")])
async def test_an_older_database_is_refused(database: Database, held: str | None, said: str) -> None:
    if held is not None:
        await database.prepare()
        await database.write(text(f"UPDATE alembic_version SET version_num = '{held}'"))

    with pytest.raises(SchemaMismatch, match=f"{said}.*isotherm db upgrade"):
        await database.check()


@pytest.mark.parametrize("database", [pytest.param("postgresql", marks=pytest.mark.services)], indirect=True)
async def test_of_several_processes_at_once_one_makes_the_schema(database: Database) -> None:
    several = [Database(database.url) for _ in range(4)]
    found = await asyncio.gather(*(one.prepare() for one in several))
    assert sorted(found, key=str) == [HEAD, HEAD, HEAD, None]
    for one in several:
        await one.close()
