"""The command line: `isotherm serve` and what goes with it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from gateway.commands.config_sample import config_sample
from gateway.commands.db import app as db
from gateway.commands.translate import translate
from gateway.commands.validate import validate

if TYPE_CHECKING:
    from gateway.config import Settings

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="One orchestration engine for OpenStack that speaks CloudFormation and HOT.",
)


app.command()(validate)
app.command()(translate)
app.command()(config_sample)
app.add_typer(db, name="db")


@app.callback()
def root() -> None:
    """Isotherm."""


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8000,
    state_dir: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path(".isotherm"),
    cloud: Annotated[
        Optional[str],  # noqa: UP045  (typer reads the annotation)
        typer.Option(help="Entry of clouds.yaml; without it, an embedded simulated cloud."),
    ] = None,
    config_file: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="isotherm.conf"),
    ] = None,
) -> None:
    """Gateway, engine and store in one process, on a simulated cloud or on a real one."""
    from gateway.config import Settings
    from gateway.serve import run

    _go(run, Settings(host=host, port=port, state_dir=state_dir, cloud=cloud), config_file)


ConfigFile = Annotated[
    str, typer.Option(help="isotherm.conf; the same for every process of an installation.", show_default=False)
]


@app.command()
def api(
    config_file: ConfigFile,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8000,
) -> None:
    """Both APIs and nothing else: stacks are run by `isotherm engine` processes. Any number, anywhere."""
    from gateway.apart import run_api
    from gateway.config import Settings

    _go(run_api, Settings(host=host, port=port), config_file)


@app.command()
def engine(config_file: ConfigFile) -> None:
    """Runs stacks and answers no requests. Any number, anywhere."""
    from gateway.apart import run_engine
    from gateway.config import Settings

    _go(run_engine, Settings(), config_file)


def _go(run: Callable[[Settings], Coroutine[Any, Any, None]], given: Settings, config_file: str | None) -> None:
    from gateway.config import load
    from gateway.listening import StartError

    try:
        settings = load(given, config_file)
    except Exception as error:
        # oslo.config's errors name the file and the line; a traceback would hide that.
        typer.echo(f"isotherm: {error}", err=True)
        raise typer.Exit(2) from error
    try:
        asyncio.run(run(settings))
    except StartError as error:
        typer.echo(f"isotherm: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        sys.exit(0)


def main() -> None:
    """Entry point of the `isotherm` script."""
    app()
