"""The command line: `isotherm serve` and what goes with it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="One orchestration engine for OpenStack that speaks CloudFormation and HOT.",
)


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
    from gateway.config import Settings, load
    from gateway.serve import StartError, run

    try:
        settings = load(Settings(host=host, port=port, state_dir=state_dir, cloud=cloud), config_file)
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
