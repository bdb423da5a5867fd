"""Real templates, a folder of them: `make test-corpus CORPUS=FOLDER`, which also writes docs/corpus.md."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.corpus.examine import ENDINGS, Examiner, Outcome, Verdict
from tests.corpus.known import known_refusals
from tests.corpus.report import render

ROOT = Path(os.environ.get("CORPUS") or ".").resolve()
TARGET = Path(__file__).parents[2] / "docs" / "corpus.md"
KNOWN = known_refusals()

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def outcomes() -> Mapping[str, Outcome]:
    if not os.environ.get("CORPUS"):
        pytest.skip("CORPUS names no folder: make test-corpus CORPUS=FOLDER")
    examiner = Examiner()
    paths = sorted(path for path in ROOT.rglob("*") if path.suffix in ENDINGS and path.is_file())
    found = {one.path: one for one in (examiner.examine(ROOT, path) for path in paths)}
    TARGET.write_text(render([*found.values()], KNOWN), encoding="utf-8")
    return found


def test_there_are_templates(outcomes: Mapping[str, Outcome]) -> None:
    assert outcomes, f"no template is below {ROOT}"


def test_none_crashes_or_hangs(outcomes: Mapping[str, Outcome]) -> None:
    bad = [one for one in outcomes.values() if one.verdict in (Verdict.CRASHED, Verdict.HUNG)]
    assert not bad, "\n".join(f"{one.path}: {one.verdict}\n{one.trouble}" for one in bad)


def test_what_is_refused_is_known_to_be(outcomes: Mapping[str, Outcome]) -> None:
    new = [
        f"{one.path}: {', '.join(map(str, one.findings))}"
        for one in outcomes.values()
        if one.verdict is Verdict.REFUSED and not (one.path in KNOWN and one.codes <= KNOWN[one.path].codes)
    ]
    assert not new, "\n".join(["refused, and for these findings not in known.yaml:", *new])


def test_what_is_known_to_be_refused_still_is(outcomes: Mapping[str, Outcome]) -> None:
    stale = [path for path in KNOWN if path in outcomes and outcomes[path].verdict is not Verdict.REFUSED]
    assert not stale, f"known.yaml lists what is understood by now: {', '.join(stale)}"
