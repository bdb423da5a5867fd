"""`isotherm db`: the schema brought up to date, what is in the database, and deleted stacks forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

app = typer.Typer(no_args_is_help=True, help="The database: upgrade it, look into it, forget deleted stacks.")

ConfigFile = Annotated[
    Optional[str],  # noqa: UP045  (typer reads the annotation)
    typer.Option(help="isotherm.conf; the database that its [DEFAULT] names is meant."),
]
StateDirectory = Annotated[Path, typer.Option(help="Whose SQLite is meant when no file names a database.")]
_HERE = Path(".isotherm")


@app.command()
def upgrade(
    config_file: ConfigFile = None,
    state_dir: StateDirectory = _HERE,
    revision: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Go so far and no further; without it, to the newest."),
    ] = None,
) -> None:
    """Make the tables of a new database, or bring those of an older version up to date."""
    from gateway.commands.database import on, upgraded

    typer.echo(on(_url(config_file, state_dir), lambda database: upgraded(database, revision)))


@app.command()
def status(config_file: ConfigFile = None, state_dir: StateDirectory = _HERE) -> None:
    """Revision of the database and of this version, and what is in it. Exit status 3 when an upgrade is needed."""
    from engine.state.database import HEAD
    from gateway.commands.database import NEEDS_UPGRADE, looked_into, on

    found, counted = on(_url(config_file, state_dir), looked_into)
    newer = ", newer than this version's" if found is not None and found > HEAD else ""
    _line("revision of the database", f"{found or 'none'}{newer}")
    _line("revision of this version", HEAD)
    if counted is None:
        typer.echo("An upgrade is needed: run `isotherm db upgrade` with the same options.")
        raise typer.Exit(NEEDS_UPGRADE)
    _line("stacks", sum(counted.live.values()))
    for state, many in counted.live.items():
        _line(f"  {state}", many)
    _line("deleted stacks", counted.deleted)
    _line("events", counted.events)


@app.command()
def purge(
    older_than: Annotated[int, typer.Option(help="Days since the deletion.", min=0, show_default=False)],
    config_file: ConfigFile = None,
    state_dir: StateDirectory = _HERE,
    batch: Annotated[int, typer.Option(help="Rows that one transaction removes at most.", min=1)] = 1000,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Forget stacks that were deleted longer ago than that, with all that belongs to them; live ones never."""
    from gateway.commands.database import on, purged

    done = on(_url(config_file, state_dir), lambda database: purged(database, older_than, batch, dry_run))
    typer.echo("Would be removed:" if dry_run else "Removed:")
    _line("deleted stacks", done["stacks"])
    for table, many in done.items():
        if table != "stacks" and many:
            _line(f"  {table}", many)


def _line(name: str, value: object) -> None:
    typer.echo(f"{name:<28}{value}")


def _url(config_file: str | None, state_dir: Path) -> str:
    from gateway.config import Settings, load
    from gateway.state import database_in

    try:
        return load(Settings(), config_file).database or database_in(state_dir)
    except Exception as error:
        # oslo.config's errors name the file and the line; a traceback would hide that.
        raise typer.BadParameter(str(error), param_hint="--config-file") from error
