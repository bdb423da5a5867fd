"""`isotherm db`: what an operator does to the database, on SQLite."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from engine.state.database import HEAD
from gateway.cli import app

DAY = 86_400_000_000


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["db", *map(str, arguments)], env={"COLUMNS": "500"})


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def made(here: Path) -> Path:
    assert run("upgrade", "--state-dir", here).exit_code == 0
    return here


def execute(folder: Path, statement: str, *values: object) -> list[tuple]:
    with sqlite3.connect(folder / "isotherm.db") as connection:
        return connection.execute(statement, values).fetchall()


def add(folder: Path, stack_id: str, days: int | None) -> None:
    """A stack that was deleted so many days ago, with an event."""
    deleted = None if days is None else time.time_ns() // 1000 - days * DAY
    action = "CREATE" if days is None else "DELETE"
    execute(
        folder,
        "INSERT INTO stacks (id, name, project_id, user_id, user_name, root_id, depth, dialect, description, action, "
        "status, reason, cleaning, options_json, parameters_json, outputs_json, created, deleted, epoch, version) "
        "VALUES (?, 'n', 'p', 'u', 'u', ?, 0, 'hot', '', ?, 'COMPLETE', '', 0, '{}', '{}', '[]', 1, ?, 0, 0)",
        stack_id, stack_id, action, deleted,
    )  # fmt: skip
    execute(
        folder,
        "INSERT INTO events (id, stack_id, time, type, action, status, reason, is_group, skipped, cleaning) "
        "VALUES ('e', ?, 1, 't', 'CREATE', 'COMPLETE', '', 0, 0, 0)",
        stack_id,
    )


def said(done: Result) -> dict[str, str]:
    """The lines of a table: what, and how many."""
    return dict(line.strip().rsplit(maxsplit=1) for line in done.output.splitlines() if line.count("  "))


def test_upgrade_makes_a_database_and_then_has_nothing_to_do(here: Path) -> None:
    first = run("upgrade", "--state-dir", here)
    again = run("upgrade", "--state-dir", here)

    assert (first.exit_code, first.output) == (0, f"The database was empty; it is now at revision {HEAD}.\n")
    assert (again.exit_code, again.output) == (0, f"Nothing to do: the database is at revision {HEAD}.\n")
    assert here.stat().st_mode & 0o077 == 0


def test_upgrade_to_a_revision_by_its_migrations(here: Path) -> None:
    assert run("upgrade", "--state-dir", here, "--revision", "0001").exit_code == 0
    assert execute(here, "SELECT version_num FROM alembic_version") == [("0001",)]
    assert execute(here, "SELECT count(*) FROM stacks") == [(0,)]


def test_upgrade_to_a_revision_there_is_not(here: Path) -> None:
    done = run("upgrade", "--state-dir", here, "--revision", "9999")
    assert done.exit_code == 1
    assert "There is no revision 9999. This version has 0001" in done.output
    assert not here.exists()


def test_a_newer_database_is_left_as_it_is(made: Path) -> None:
    execute(made, "UPDATE alembic_version SET version_num = '9999'")

    upgraded, looked, purged = (run(*one, "--state-dir", made) for one in
                                (["upgrade"], ["status"], ["purge", "--older-than", "1"]))  # fmt: skip

    assert (upgraded.exit_code, looked.exit_code, purged.exit_code) == (0, 0, 1)
    assert f"9999, newer than this version's {HEAD}" in upgraded.output
    assert "9999, newer than this version's" in looked.output
    assert "Purge with the newer isotherm" in purged.output


def test_status_counts_what_is_there(made: Path) -> None:
    add(made, "a", None)
    add(made, "b", None)
    add(made, "c", 3)

    done = run("status", "--state-dir", made)

    assert done.exit_code == 0
    assert said(done) == {
        "revision of the database": HEAD, "revision of this version": HEAD, "stacks": "2", "CREATE_COMPLETE": "2",
        "deleted stacks": "1", "events": "3",
    }  # fmt: skip


def test_status_of_what_is_no_database_yet_makes_none(here: Path) -> None:
    done = run("status", "--state-dir", here)
    assert done.exit_code == 3
    assert "An upgrade is needed: run `isotherm db upgrade`" in done.output
    assert not here.exists()


def test_status_and_purge_of_an_older_one_say_upgrade(made: Path) -> None:
    execute(made, "UPDATE alembic_version SET version_num = '0000'")

    looked, purged = run("status", "--state-dir", made), run("purge", "--older-than", "1", "--state-dir", made)

    assert (looked.exit_code, purged.exit_code) == (3, 3)
    assert f"is at revision 0000, and this version needs {HEAD}. Run `isotherm db upgrade`" in purged.output


def test_purge_says_what_it_would_do_and_then_does_it(made: Path) -> None:
    for stack_id, days in (("live", None), ("fresh", 29), ("old", 31), ("older", 90)):
        add(made, stack_id, days)

    tried = run("purge", "--older-than", "30", "--dry-run", "--state-dir", made)
    assert tried.output.startswith("Would be removed:\n")
    assert execute(made, "SELECT count(*) FROM stacks") == [(4,)]
    done = run("purge", "--older-than", "30", "--batch", "1", "--state-dir", made)

    assert (tried.exit_code, done.exit_code) == (0, 0)
    assert said(tried) == said(done) == {"deleted stacks": "2", "events": "2"}
    assert execute(made, "SELECT id FROM stacks ORDER BY id") == [("fresh",), ("live",)]
    assert execute(made, "SELECT stack_id FROM events ORDER BY 1") == [("fresh",), ("live",)]


def test_the_database_that_the_file_names(tmp_path: Path) -> None:
    config = tmp_path / "isotherm.conf"
    config.write_text(f"[DEFAULT]\ndatabase = sqlite+aiosqlite:///{tmp_path}/named/isotherm.db\n", encoding="utf-8")

    assert run("upgrade", "--config-file", config).exit_code == 0
    assert run("status", "--config-file", config).exit_code == 0
    assert (tmp_path / "named" / "isotherm.db").exists()


@pytest.mark.parametrize("url", ["postgresql+asyncpg://u:geheim@127.0.0.1:1/x", "postgresql+nothing://u:geheim@h/x"])
def test_a_database_that_does_not_answer(tmp_path: Path, url: str) -> None:
    config = tmp_path / "isotherm.conf"
    config.write_text(f"[DEFAULT]\ndatabase = {url}\n", encoding="utf-8")

    done = run("status", "--config-file", config)

    assert done.exit_code == 1
    assert "isotherm: The database could not be used: " in done.output
    assert "geheim" not in done.output
