"""Whatever an expression is made of, its evaluation gives a value or findings, and nothing else."""

from __future__ import annotations

import enum
import os
import types
import typing
from dataclasses import fields
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.expr.evaluate import evaluate
from engine.model import expression as x
from engine.model.diagnostic import Invalid
from engine.model.value import NO_VALUE, UNKNOWN
from tests.engine.expr.conftest import PARAMETERS, Everything

_EXAMPLES = int(os.environ.get("EXAMPLES", "100"))
_KINDS = get_args(x.Expression)
_HUGE = (10**400, -(2**64), 2**63, 1e308, float("inf"), float("-inf"), float("nan"))
_TEXTS = (
    "", "0", "-1", "1", "a", "a.b", "é", "\U0001f525", "\ud800", "x" * 5000, "[1, 2]", '{"a": 1}', '["\\ud800"]',
    "[" * 2000, "10.0.0.0/8", "::/0", "sha256", "shake_128", "$.data", "$.data.x + 1", ".member.0.Key=a", "null", "yes",
)  # fmt: skip
#: JSON and what is not JSON: anything that a value may be, or hold.
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.sampled_from(_HUGE), st.integers(-3, 300), st.sampled_from(_TEXTS),
    st.text(max_size=5), st.just(UNKNOWN),
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_TEXTS), inner, max_size=3),
    max_leaves=6,
) | st.just(NO_VALUE)  # which is never inside another
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "ParameterRef.name": st.sampled_from(sorted(PARAMETERS)),
    "ConditionRef.name": st.sampled_from(["on", "off", "later"]),
    "ResourceRef.address": st.sampled_from(["r", "later"]),
    "Literal.value": _VALUES,
    "StackTags.not_in_keys": st.sampled_from(["", "[^a-z]"]),
    "TableLookup.rows": st.lists(st.tuples(st.sampled_from(["*", "a*", "[", "1"]), _VALUES), max_size=2).map(tuple),
}


def _of(kind: type, inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(kind, vars(x))
    made = {
        name: _FIELDS[f"{kind.__name__}.{name}"] if f"{kind.__name__}.{name}" in _FIELDS else _held(hints[name], inner)
        for name in (field.name for field in fields(kind) if field.init)
        if name not in ("span", "keys")
    }
    return st.builds(kind, **made)


def _held(hint: Any, inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a field that is declared as `hint`."""
    if hint == x.Expression:
        return inner
    origin, arguments = typing.get_origin(hint), get_args(hint)
    if origin in (typing.Union, types.UnionType):
        bare = [one for one in arguments if one is not type(None)]
        return st.none() | (inner if set(bare) == set(_KINDS) else _held(bare[0], inner))
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(_held(arguments[0], inner), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(_held(one, inner) for one in arguments))
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return st.sampled_from(list(hint))
    return {bool: st.booleans(), str: st.sampled_from(_TEXTS[:8])}[hint]


_LEAVES = st.one_of(*(_of(kind, st.nothing()) for kind in _KINDS if not x.PARTS[kind]))
_EXPRESSIONS = st.recursive(
    _LEAVES, lambda inner: st.one_of(*(_of(kind, inner) for kind in _KINDS if x.PARTS[kind])), max_leaves=12
)  # fmt: skip
_WITH_PARTS = sorted((kind for kind in _KINDS if x.PARTS[kind]), key=lambda kind: kind.__name__)


def _tried(expression: x.Expression) -> None:
    try:
        evaluate(expression, Everything())
    except Invalid:
        return


@settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_EXPRESSIONS)
def test_evaluation_raises_findings_only(expression: x.Expression) -> None:
    _tried(expression)


@pytest.mark.parametrize("kind", _WITH_PARTS, ids=lambda kind: kind.__name__)
def test_each_kind_takes_any_values(kind: type) -> None:
    """Its parts are values, so that every function meets every type of argument."""

    @settings(max_examples=_EXAMPLES // 4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(_of(kind, _VALUES.map(x.Literal)))
    def tried(expression: x.Expression) -> None:
        _tried(expression)

    tried()
