"""docs/errors.md lists every code, and none that there is not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[2]
# Whoever tells something, and which of its arguments is the code.
_TELLING = {
    "Diagnostic": 0, "error": 0, "fail": 0, "invalid": 0, "warn": 0, "warning": 0, "Refused": 1, "Finding": 2,
}  # fmt: skip
_DIRECTLY = {"_finding"}  # with the code among the other arguments
_CODE = re.compile(r"(?:[A-Z][a-z0-9]+){2,}")


def _codes() -> Iterator[str]:
    for room in ("engine", "gateway", "translators"):
        for path in (_ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield from _told(node)


def _told(call: ast.Call) -> Iterator[str]:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    place = _TELLING.get(name)
    arguments = call.args if name in _DIRECTLY else [] if place is None else call.args[place : place + 1]
    for argument in arguments:
        for one in (argument.body, argument.orelse) if isinstance(argument, ast.IfExp) else (argument,):
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and _CODE.fullmatch(one.value):
                yield one.value


def _listed() -> list[str]:
    rows = (_ROOT / "docs" / "errors.md").read_text(encoding="utf-8").splitlines()
    cells = [row.split("|")[1] for row in rows if row.startswith("|") and not row.startswith(("| code", "| ---"))]
    return [code.strip() for cell in cells for code in cell.split(",")]


def test_every_code_is_listed() -> None:
    codes = set(_codes())
    assert len(codes) > 120
    assert codes - set(_listed()) == set()


def test_every_listed_code_is_used() -> None:
    sources = " ".join(
        path.read_text(encoding="utf-8")
        for room in ("engine", "gateway", "translators")
        for path in (_ROOT / room).rglob("*.py")
    )
    assert {code for code in _listed() if f'"{code}"' not in sources} == set()
