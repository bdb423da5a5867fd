"""Every row of both languages has its cases here, or the name of the test that has them (heat.md §3; cloudformation.md
§3 and its limits)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.translators.language.harness import ROOT, ROWS, Case, cases, given, outcome

_HEAT = cases("tv", "tf", "tc", "tp", "tk", "tr", "te", "trap")
_CLOUDFORMATION = cases(
    "l_sections", "l_functions", "l_pseudo", "l_parameters", "l_attributes", "l_transforms", "l_dynamic", "l_other", "q"
)
_CASES = [*_HEAT, *_CLOUDFORMATION]
_HERE = [case for case in _CASES if not {"elsewhere", "constraint"} & case.said.keys()]
_ELSEWHERE = [case for case in _CASES if "elsewhere" in case.said]


@pytest.mark.parametrize("case", _HERE, ids=lambda case: case.id)
def test_row(case: Case) -> None:
    found = outcome(case)
    assert found.told == case.said.get("findings", [])
    if "gives" in case.said:
        assert given(found, case.said["gives"], whole="template" in case.said) == case.said["gives"]
    assert "gives" in case.said or "findings" in case.said


@pytest.mark.parametrize("case", _ELSEWHERE, ids=lambda case: case.row)
def test_row_shown_elsewhere(case: Case) -> None:
    name, _, function = case.said["elsewhere"].partition("::")
    text = Path(ROOT / name).read_text(encoding="utf-8")
    assert f"def {function}(" in text
    assert case.row.lower() in text.lower().replace("_", "-"), f"{name} does not say which row it shows"


@pytest.mark.parametrize(("reference", "found"), [("heat", _HEAT), ("cloudformation", _CLOUDFORMATION)])
def test_no_row_is_missing(reference: str, found: list[Case]) -> None:
    assert sorted({case.row for case in found}) == sorted((ROWS / f"{reference}.txt").read_text("utf-8").split())
