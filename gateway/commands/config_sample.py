"""`isotherm config-sample`: an isotherm.conf in which everything is said and nothing is set."""

from __future__ import annotations

import textwrap
from typing import Any

import typer

_WIDTH = 100


def config_sample() -> None:
    """Print every option of isotherm.conf by section, with what it means and its default, commented out."""
    from gateway.config import sections

    typer.echo("\n\n".join(_section(name, options) for name, options in sections().items()))


def _section(name: str, options: Any) -> str:
    return "\n\n".join([f"[{name}]", *map(_option, options)])


def _option(option: Any) -> str:
    lines = [f"# {line}" for line in textwrap.wrap(option.help or "", _WIDTH)]
    return "\n".join([*lines, f"#{option.name} = {_written(option.default)}".rstrip()])


def _written(default: Any) -> str:
    """A value as oslo.config reads it; `<None>` is its own word for no default."""
    if default is None:
        return "<None>"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, dict):
        return ",".join(f"{name}:{value}" for name, value in default.items())
    if isinstance(default, list | tuple):
        return ",".join(default)
    return str(default)
