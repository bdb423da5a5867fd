"""Bad templates and exactly what is printed of them: place, line, caret, what and why not, the way out, how many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.golden.telling import HERE, kept, templates, told

_ROWS: dict[str, str] = yaml.safe_load((HERE / "rows.yaml").read_text(encoding="utf-8")) or {}
_TEMPLATES = {f"{path.parent.name}/{path.stem}": path for path in templates()}


@pytest.mark.parametrize("name", _TEMPLATES, ids=lambda name: f"{_ROWS.get(name, '')} {name}".strip())
def test_findings(name: str) -> None:
    assert told(_TEMPLATES[name]) == kept(_TEMPLATES[name]).read_text(encoding="utf-8")


def test_there_are_many_of_both_dialects_and_none_is_forgotten() -> None:
    of = {dialect: [name for name in _TEMPLATES if name.startswith(dialect)] for dialect in ("cfn/", "hot/")}
    assert min(len(names) for names in of.values()) >= 100
    assert len(_TEMPLATES) == len(templates())
    assert {kept(path) for path in templates()} == set(HERE.glob("*/*.findings"))
    assert set(_ROWS) <= set(_TEMPLATES)


_HEAD = re.compile(r"^\S+\.(?:yaml|json|template):\d+:\d+: (?:error|warning): .* \[(\w+)\]$")
_SHOWN = re.compile(r"^ {4} *\d* \|")
# Their sentences say what may stand there, or are another program's.
_SUFFICIENT = {
    "InvalidFunctionArgument", "ParameterConstraint", "ParameterInvalid", "PropertyConflict", "PropertyConstraint",
    "PropertyIgnored", "RuleFailed", "TransformFailed", "YaqlFailed",
}  # fmt: skip


def _findings(path: Path) -> Iterator[tuple[str, list[str]]]:
    """The code of each finding that has a place, and the lines below its first."""
    below: list[str] = []
    for line in kept(path).read_text(encoding="utf-8").splitlines():
        head = _HEAD.match(line)
        if head is not None:
            below = []
            yield head.group(1), below
        elif line.startswith("    "):
            below.append(line)


@pytest.mark.parametrize("path", _TEMPLATES.values(), ids=_TEMPLATES)
def test_every_place_has_its_line_a_caret_and_the_way_out(path: Path) -> None:
    assert "nothing to complain about" not in kept(path).read_text(encoding="utf-8")
    for code, below in [*_findings(path)]:
        assert _SHOWN.match(below[0])
        assert below[1].lstrip(" |") == "^"
        assert code in _SUFFICIENT or len(below) > 2, code
