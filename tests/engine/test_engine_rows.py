"""Every row of the engine's behaviour has its tests, or a sentence on why there is nothing to show (heat.md §5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

_HERE, _ROOT = Path(__file__).parent, Path(__file__).parents[2]
_ROWS: dict[str, Any] = yaml.safe_load((_HERE / "rows.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", [row for row, shown in _ROWS.items() if isinstance(shown, list)])
def test_row(row: str) -> None:
    assert _ROWS[row]
    for pointer in _ROWS[row]:
        name, _, function = pointer.partition("::")
        assert f"def {function}(" in (_ROOT / name).read_text(encoding="utf-8")
        assert row.lower().replace("-", "_") in function, f"{function} does not say which row it shows"


def test_no_row_is_missing() -> None:
    assert list(_ROWS) == (_HERE / "rows.txt").read_text(encoding="utf-8").split()


def test_what_is_absent_is_documented() -> None:
    absent = [row for row, shown in _ROWS.items() if not isinstance(shown, list)]
    told = (_ROOT / "docs" / "engine.md").read_text(encoding="utf-8")
    assert [row for row in absent if row not in told] == []
