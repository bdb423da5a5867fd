"""What `isotherm db` does on a database, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import typer
from sqlalchemy.exc import SQLAlchemyError

from engine.model.clock import SystemClock
from engine.state.census import Census, census, revision, revisions
from engine.state.database import HEAD, Database
from engine.state.purge import count, purge

T = TypeVar("T")

NEEDS_UPGRADE = 3  # exit status
_DAY = 86_400_000_000


class Refused(Exception):
    """The text says what was asked, why not, and the way out; `code` is the exit status."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def on(url: str, act: Callable[[Database], Awaitable[T]]) -> T:
    """What `act` returns on the database at `url`. What it refuses, and a database that does not answer, is said and
    ends the command."""

    async def run() -> Any:
        database = Database(url)
        try:
            return await act(database)
        finally:
            await database.close()

    try:
        found: T = asyncio.run(run())
    except Refused as error:
        typer.echo(f"isotherm: {error}", err=True)
        raise typer.Exit(error.code) from error
    except (SQLAlchemyError, OSError, ImportError) as error:
        typer.echo(f"isotherm: The database could not be used: {error}", err=True)
        raise typer.Exit(1) from error
    return found


async def upgraded(database: Database, to: str | None) -> str:
    """Migrate to the revision `to`, None is the newest; returns what was done, as a sentence. Raises Refused."""
    wanted = to or HEAD
    if wanted not in revisions():
        raise Refused(f"There is no revision {wanted}. This version has {', '.join(revisions())}.")
    if database.is_sqlite and database.writer.url.database:
        Path(database.writer.url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = await revision(database)
    if found is not None and found > HEAD:
        return f"Nothing to do: the database is at revision {found}, newer than this version's {HEAD}."
    if found is not None and found > wanted:
        raise Refused(
            f"The database is at revision {found} and cannot go back to {wanted}: migrations only go forward. An "
            f"older version works with it as it is."
        )
    if found == wanted:
        return f"Nothing to do: the database is at revision {found}."
    found = await database.prepare(wanted)
    if found == wanted:
        return f"Nothing to do: another process has brought the database to revision {found}."
    if found is None:
        return f"The database was empty; it is now at revision {wanted}."
    return f"The database was at revision {found}; it is now at {wanted}."


async def looked_into(database: Database) -> tuple[str | None, Census | None]:
    """The revision of the database, and what is in it unless that is older than this version reads."""
    found = await _revision(database)
    return found, None if found is None or found < HEAD else await census(database)


async def purged(database: Database, days: int, rows: int, dry_run: bool) -> Mapping[str, int]:
    """Forget what was deleted more than `days` ago; returns rows by table. Raises Refused."""
    found = await _revision(database)
    if found is not None and found > HEAD:
        # It may have tables that this version would leave rows in.
        raise Refused(
            f"The database is at revision {found}, newer than this version's {HEAD}. Purge with the newer isotherm."
        )
    if found != HEAD:
        state = "has no tables" if found is None else f"is at revision {found}, and this version needs {HEAD}"
        raise Refused(f"The database {state}. Run `isotherm db upgrade` with the same options.", NEEDS_UPGRADE)
    before = SystemClock().now() - days * _DAY
    return await (count(database, before) if dry_run else purge(database, before, rows))


async def _revision(database: Database) -> str | None:
    return None if _is_missing(database) else await revision(database)


def _is_missing(database: Database) -> bool:
    """Opening a SQLite that there is not would make it."""
    file = database.writer.url.database
    return database.is_sqlite and bool(file) and not Path(file or "").exists()
