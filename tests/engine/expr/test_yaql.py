"""YAQL: what it gives, and that nothing it says can hold up the process (heat.md TF-15)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from engine.expr.yaql import YaqlFailed, _Worker, evaluate_yaql

DATA = {"a": [1, 2, 3], "l": [{"n": "x1", "v": 1}, {"n": "y2", "v": 2}], "s": "abcadc"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$.data.a.sum()", 6),
        ("$.data.l.where($.v > 1).n", ["y2"]),
        ("$.data.l.select({name => $.n})", [{"name": "x1"}, {"name": "y2"}]),
        ("dict($.data.l.select([$.n, $.v]))", {"x1": 1, "y2": 2}),
        ("$.data.a.toSet()", [1, 2, 3]),
        ("regex('a.c').searchAll($.data.s)", ["abc", "adc"]),
        ("$.data.s =~ 'a.c'", True),
        ("coalesce($.data.get(none), 4)", 4),
        ("$.data.a.select($ * 2)", [2, 4, 6]),
    ],
)
def test_it_gives_plain_values(expression: str, expected: Any) -> None:
    assert evaluate_yaql(expression, DATA) == expected


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("[1, 2", "unexpected end of statement"),
        ("$.data.none.more", "there is no key 'none'"),
        ("nothing(1)", "nothing"),
        ("1 / 0", "division"),
        ("range(0, 1000000000000).select($).len()", "exceeds 200 elements"),
        ("x" * 10_001, "longer than"),
    ],
)
def test_a_mistake_is_told(expression: str, sentence: str) -> None:
    with pytest.raises(YaqlFailed, match=sentence):
        evaluate_yaql(expression, DATA)


@pytest.mark.parametrize(
    "expression",
    [
        "pow(10, pow(10, 9))",
        "range(200).select(range(200).select(range(200).select(range(200).sum()).sum()).sum()).sum()",
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab' =~ '(a+)+$'",
        "[1] * 100000000000",
        "shiftBitsLeft(1, 100000000000)",
        "range(0, 1000000000000).len()",
        "range(199).aggregate([$1, $1], 1)",
        "[" * 5_000 + "1" + "]" * 5_000,
    ],
)
def test_a_hostile_expression_ends_soon_and_the_next_is_answered(expression: str) -> None:
    began = time.monotonic()
    with pytest.raises(YaqlFailed):
        evaluate_yaql(expression, DATA)
    assert time.monotonic() - began < 10
    assert evaluate_yaql("1 + 1", None) == 2


def test_what_took_too_long_is_refused_at_once_the_next_time() -> None:
    endless = "pow(11, pow(11, 9))"
    with pytest.raises(YaqlFailed, match="too long"):
        evaluate_yaql(endless, 1)
    began = time.monotonic()
    with pytest.raises(YaqlFailed, match="too long"):
        evaluate_yaql(endless, 1)
    assert time.monotonic() - began < 0.05


def test_data_that_are_too_large_or_no_json_are_refused() -> None:
    with pytest.raises(YaqlFailed, match="larger than"):
        evaluate_yaql("1", "x" * 5_000_000)
    with pytest.raises(YaqlFailed, match="no JSON"):
        evaluate_yaql("1", {"a": object()})


def test_the_worker_is_started_when_it_is_needed_and_ends_when_it_is_stopped() -> None:
    worker = _Worker()
    assert worker._process is None
    assert worker.ask({"expression": "2 * 3", "data": None}) == 6
    process = worker._process
    assert process is not None
    worker.stop()
    assert process.returncode is not None
    assert worker.ask({"expression": "2 * 4", "data": None}) == 8
    worker.stop()
