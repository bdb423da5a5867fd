"""What `isotherm validate` prints about a bad template, and where that is kept.

`DIALECT/NAME.yaml` (or `.json`, `.template`) is the template, `NAME.findings` beside it the exact text, and
`NAME.arguments` what is said to the command besides the template's name, if anything. `parts/` holds what templates
refer to.

    python -m tests.golden.accept [NAME…]

writes the texts anew; what changed is read in the difference before it is committed.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from typer.testing import CliRunner

from gateway.cli import app

HERE = Path(__file__).parent
_TEMPLATES = (".yaml", ".json", ".template")


def templates() -> list[Path]:
    """Every bad template, by dialect and name."""
    return sorted(path for path in HERE.glob("*/*") if path.suffix in _TEMPLATES)


def kept(template: Path) -> Path:
    """Where the findings of `template` are written down."""
    return template.with_suffix(".findings")


def told(template: Path) -> str:
    """The command's output, run in the template's folder, and its exit status where that is not 1."""
    arguments = template.with_suffix(".arguments")
    said = shlex.split(arguments.read_text(encoding="utf-8")) if arguments.exists() else []
    with _inside(template.parent):
        done = CliRunner().invoke(app, ["validate", template.name, *said], env={"COLUMNS": "80"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output if done.exit_code == 1 else f"{done.output}exit status {done.exit_code}\n"


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
