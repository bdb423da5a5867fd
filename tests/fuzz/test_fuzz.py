"""The fuzzer itself: reproducible, telling what it finds, and a few cases of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.corpus.examine import Verdict
from tests.fuzz.cases import ROOT, Case, Cases
from tests.fuzz.judge import Judge
from tests.fuzz.worker import try_one


def test_a_seed_makes_the_same_cases_and_another_seed_others() -> None:
    made = [[Cases(seed).make(number) for number in range(5)] for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


def test_a_case_is_written_and_read_again(tmp_path: Path) -> None:
    for number in range(5):
        case = Cases(3).make(number)
        case.write(tmp_path / str(number))
        assert Case.read(tmp_path / str(number)) == case


def test_some_cases_give_findings_only() -> None:
    cases, judge = Cases(4), Judge()
    tried = {number: try_one(cases.make(number), judge) for number in range(15)}
    failed = {number: one.describe() for number, one in tried.items() if one.outcome.verdict is Verdict.CRASHED}
    assert not failed


def test_a_crash_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise KeyError("planted")

    monkeypatch.setattr("tests.fuzz.judge.combine", broken)
    tried = try_one(Case(b"heat_template_version: 2018-08-31\nresources: {}\n"))
    assert tried.failed
    assert "KeyError: 'planted'" in tried.describe()


def test_what_is_written_can_be_tried_again(tmp_path: Path) -> None:
    Case(json.dumps({"heat_template_version": "2018-08-31", "resources": {}}).encode()).write(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--replay", str(tmp_path)], capture_output=True, text=True, check=False,
        cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("understood")
