"""Which resources an expression needs, and deciding conditions."""

from __future__ import annotations

import pytest

from engine.expr.conditions import decide_conditions
from engine.expr.references import Reference, references
from engine.model import expression as x
from engine.model.diagnostic import Invalid
from engine.model.expression import Expression, ListOf, Literal, MapOf
from engine.model.template import Dialect, Template
from engine.model.value import UNKNOWN, Value
from tests.engine.expr.conftest import Everything

A, B = x.ResourceRef("a"), x.AttributeRef("b", Literal("name"))


def needed(expression: Expression, *, decided: bool = False) -> set[tuple[str, str | None]]:
    return {(one.address, one.attribute) for one in references(expression, Everything() if decided else None)}


def test_references_are_found_everywhere() -> None:
    deep = MapOf((("k", ListOf((x.Join(Literal(","), (ListOf((A, B)),)), x.Repeat(A, MapOf((("v", B),)))))),))
    assert needed(deep) == {("a", None), ("b", "name")}


def test_a_computed_attribute_is_no_name_and_is_searched_itself() -> None:
    assert needed(x.AttributeRef("b", A, (x.ResourceRef("c"),))) == {("b", None), ("a", None), ("c", None)}


def test_a_branch_that_is_not_taken_needs_nothing() -> None:
    on, off, later = (x.ConditionRef(name) for name in ("on", "off", "later"))
    assert needed(x.If(on, A, B)) == {("a", None), ("b", "name")}
    assert needed(x.If(on, A, B), decided=True) == {("a", None)}
    assert needed(x.If(off, A, B), decided=True) == {("b", "name")}
    assert needed(x.If(x.Not(on), A, B), decided=True) == {("b", "name")}
    assert needed(x.If(later, A, B), decided=True) == {("a", None), ("b", "name")}
    assert needed(x.If(off, A, None), decided=True) == set()


def test_references_are_values() -> None:
    assert next(references(A)) == Reference("a")


def decided(**conditions: Expression) -> dict[str, object]:
    return decide_conditions(Template(Dialect.HOT, "", {}, conditions=conditions), Everything())


def test_conditions_may_name_each_other_in_any_order_tr_11() -> None:
    found = decided(a=x.Not(x.ConditionRef("b")), b=x.Equals(x.ParameterRef("text"), Literal("abc")))
    assert found == {"a": False, "b": True}


def test_a_condition_over_something_unknown_is_unknown() -> None:
    assert decided(a=x.Equals(x.ParameterRef("later"), Literal(1))) == {"a": UNKNOWN}


def test_a_circle_of_conditions_is_refused_tr_11() -> None:
    with pytest.raises(Invalid) as caught:
        decided(a=x.ConditionRef("b"), b=x.Not(x.ConditionRef("a")), c=Literal(True))
    assert {one.code for one in caught.value.diagnostics} == {"CircularCondition"}


@pytest.mark.parametrize(
    ("value", "truth"), [("false", False), ("No", False), ("0", False), ("true", True), ("On", True)]
)
def test_a_string_parameter_may_be_a_condition(value: str, truth: bool) -> None:
    assert decided(a=Literal(value)) == {"a": truth}
    assert decided(a=x.Not(Literal(value))) == {"a": not truth}


@pytest.mark.parametrize("value", ["production", 5, ["a"], {"a": "b"}])
def test_what_is_neither_true_nor_false_is_no_condition_tr_11(value: Value) -> None:
    for condition in (Literal(value), x.Not(Literal(value))):
        with pytest.raises(Invalid, match="it is neither true nor false"):
            decided(a=condition)
