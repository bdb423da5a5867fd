"""What every expression evaluates to (heat.md TF and TC rows, cloudformation.md L rows)."""

from __future__ import annotations

import time
from typing import Any, get_args

import pytest

from engine.expr.evaluate import _TABLE, evaluate
from engine.model import expression as x
from engine.model.diagnostic import Invalid, Span
from engine.model.expression import Expression, ListOf, Literal, MapOf
from engine.model.value import NO_VALUE, UNKNOWN, Value
from tests.engine.expr.conftest import ATTRIBUTES, Everything

SPAN = Span("t", 3, 7)
STRICT, VERY = x.ReplaceMode.STRICT, x.ReplaceMode.VERY_STRICT


def lit(value: Any) -> Expression:
    """A literal; lists and maps as expressions of their own."""
    if isinstance(value, Expression.__args__):  # type: ignore[attr-defined]
        return value
    if isinstance(value, list):
        return ListOf(tuple(lit(item) for item in value))
    if isinstance(value, dict):
        return MapOf(tuple((key, lit(item)) for key, item in value.items()))
    return Literal(value)


def value_of(expression: Expression) -> Value:
    return evaluate(expression, Everything())


def sentence_of(expression: Expression) -> str:
    with pytest.raises(Invalid) as caught:
        value_of(expression)
    return caught.value.diagnostics[0].summary


LATER = x.ResourceRef("later")
NOTHING = x.NoValue()


def test_every_class_of_expressions_has_an_evaluation() -> None:
    assert set(_TABLE) == set(get_args(Expression))


@pytest.mark.parametrize(
    ("row", "expression", "expected"),
    [
        ("TF-01", x.ParameterRef("text"), "abc"),
        ("TF-01", x.ParameterRef("data", (lit("k"), lit("0"), lit("x"))), 1),
        ("TF-01", x.ParameterRef("data", (lit(7),)), "seven"),
        ("TF-01", x.ParameterRef("data", (lit("none"),)), ""),
        ("TF-01", x.ParameterRef("names", (lit(9),)), ""),
        ("TF-01", x.ParameterRef("text", (lit("0"),)), "a"),
        ("TF-01", x.ParameterRef("text", (lit("a"),)), ""),
        ("TF-01", x.ParameterRef("later", (lit(9),)), UNKNOWN),
        ("TP-20", x.PseudoRef(x.Pseudo.REGION), "<region>"),
        ("TF-02", x.ResourceRef("r"), "id-of-r"),
        ("TF-03", x.AttributeRef("r", lit("name")), "n"),
        ("TF-03", x.AttributeRef("r", lit("addresses"), (lit("net"), lit(0), lit("addr"))), "10.0.0.1"),
        ("TF-03", x.AttributeRef("r", lit("addresses"), (lit("gone"), lit(0))), None),
        ("TF-03", x.AttributeRef("r", None), ATTRIBUTES),
        ("TF-05", x.Join(lit("-"), (lit(["a", None, "b"]),)), "a--b"),
        ("TF-05", x.Join(lit(","), (lit(["a"]), lit(None), lit([{"b": 1, "a": [2]}])), serialize=True),
         'a,{"a": [2], "b": 1}'),
        ("L17", x.Join(lit("/"), (lit(["a", 1, True, NOTHING]),)), "a/1/true"),
        ("TF-06", x.Replace(lit("$ab $a"), lit({"$a": "1", "$ab": "$a"})), "$a 1"),
        ("TF-06", x.Replace(lit("b a"), lit({"a": "b", "b": "a"})), "a b"),
        ("TF-06", x.Replace(lit("x=x"), lit({"x": None})), "="),
        ("TF-06", x.Replace(lit("v"), lit({"v": {"b": 1, "a": 2}})), '{"a": 2, "b": 1}'),
        ("TF-06", x.Replace(lit("v"), lit({"v": True})), "True"),
        ("TF-06", x.Replace(lit("v"), lit({"v": 8080})), "8080"),
        ("TF-07", x.Replace(lit("a b"), lit({"a": "1", "b": ""}), STRICT), "1 "),
        ("TF-09", x.Split(lit(","), lit("a,b")), ["a", "b"]),
        ("TF-09", x.Split(lit(","), lit("a,b"), lit("1")), "b"),
        ("TF-09", x.Split(lit(","), lit(None)), None),
        ("TF-10", x.Repeat(lit({"n": "%a%-%b%"}), MapOf((("%a%", lit(["1", "2"])), ("%b%", lit(["x", "y"]))))),
         [{"n": "1-x"}, {"n": "1-y"}, {"n": "2-x"}, {"n": "2-y"}]),
        ("TF-10", x.Repeat(lit({"%a%": "%b%"}), MapOf((("%a%", lit(["1", "2"])), ("%b%", lit(["x", "y"])))),
                           lit(False)), [{"1": "x"}, {"2": "y"}]),
        ("TF-10", x.Repeat(lit("%a%"), MapOf((("%a%", lit({"k": 1, "l": 2})),))), ["k", "l"]),
        ("TF-10", x.Repeat(lit("%a%"), MapOf((("%a%", lit(None)),))), []),
        ("TF-10", x.Repeat(lit("p%a%"), MapOf((("%a%", lit([80, 443])),))), ["p80", "p443"]),
        ("TF-11", x.Digest(lit("md5"), lit("foo")), "acbd18db4cc2f85cedef654fccc4a4d8"),
        ("TF-11", x.Digest(lit("SHA512"), lit("")),
         "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417"
         "a81a538327af927da3e"),
        ("TF-12", x.Facade(x.FacadePart.METADATA), "facade metadata"),
        ("TF-13", x.MapMerge(lit([{"a": 1, "b": 1}, None, {"b": 2}])), {"a": 1, "b": 2}),
        ("TF-14", x.MapReplace(lit({"a": "x", "b": "y"}), lit({"keys": {"a": "c"}, "values": {"y": "z"}})),
         {"c": "x", "b": "z"}),
        ("TF-14", x.MapReplace(lit(None), lit({})), {}),
        ("TF-15", x.Yaql(lit("$.data.where($ > 1)"), lit([1, 2, 3])), [2, 3]),
        ("TF-16", x.If(x.ConditionRef("on"), lit(1), lit(2)), 1),
        ("TF-16", x.If(x.ConditionRef("off"), lit(1), lit(2)), 2),
        ("TRAP-12", lit([1, x.If(x.ConditionRef("off"), lit(2), None)]), [1]),
        ("TRAP-12", lit({"a": x.If(x.ConditionRef("off"), lit(2), None), "b": 1}), {"b": 1}),
        ("TF-17", x.Filter(lit(["a"]), lit(["a", "b", "a"])), ["b"]),
        ("TF-17", x.Filter(lit(["a"]), lit(None)), None),
        ("TF-18", x.MakeUrl(lit({"scheme": "http", "host": "h", "port": 80, "path": "/a b", "query": {"x": "1 2"}})),
         "http://h:80/a%20b?x=1+2"),
        ("TF-18", x.MakeUrl(lit({"scheme": "https", "username": "u:", "password": "p@", "host": "::1", "path": "p"})),
         "https://u%3A:p%40@[::1]/p"),
        ("TF-18", x.MakeUrl(lit({"host": "h", "fragment": "f"})), "//h#f"),
        ("TF-19", x.ListConcat(lit([["a"], None, ["b", "a"]])), ["a", "b", "a"]),
        ("TF-20", x.ListConcat(lit([["a"], ["b", "a"], [{"x": 1}], [{"x": 1}]]), unique=True), ["a", "b", {"x": 1}]),
        ("TF-21", x.Contains(lit("a"), lit(["a", "b"])), True),
        ("TF-21", x.Contains(lit("ab"), lit("xabx")), True),
        ("TF-21", x.Contains(lit(1), lit(["1"])), False),
        ("TF-21", x.Contains(lit(True), lit(["true"])), False),
        ("L35", x.Contains(lit(1), lit(["1"]), as_text=True), True),
        ("TF-22", x.Equals(lit(1), lit(1.0)), True),
        ("TF-22", x.Equals(lit("1"), lit(1)), False),
        ("L19", x.Equals(lit("1"), lit(1), as_text=True), True),
        ("L19", x.Equals(lit("true"), lit(True), as_text=True), True),
        ("TF-23", x.Not(x.ConditionRef("on")), False),
        ("TF-24", x.And((lit(True), x.ConditionRef("off"))), False),
        ("TF-25", x.Or((lit(False), x.ConditionRef("on"))), True),
        ("TC-03", x.Select(lit("1"), lit(["a", "b"]), lenient=True), "b"),
        ("TC-03", x.Select(lit("k"), lit('{"k": "v"}'), lenient=True), "v"),
        ("TC-03", x.Select(lit(5), lit(["a"]), lenient=True), ""),
        ("L25", x.Select(lit("1"), lit(["a", "b"])), "b"),
        ("L25", x.Select(lit(1), lit(["a", "b", LATER])), "b"),
        ("L16", x.Concat((lit("a"), lit(1), lit(True), x.ResourceRef("r"))), "a1trueid-of-r"),
        ("L23", x.FindInMap(lit("Sizes"), lit("eu"), lit("Small")), "1"),
        ("L23", x.FindInMap(lit("Sizes"), lit("us"), lit("Small"), lit("d")), "d"),
        ("L24", x.Base64(lit("é")), "w6k="),
        ("L27", x.AvailabilityZones(lit("")), ["nova", "az2"]),
        ("L28", x.ImportValue(lit("exported")), "imported"),
        ("L29", x.Cidr(lit("10.0.0.0/16"), lit(2), lit("8")), ["10.0.0.0/24", "10.0.1.0/24"]),
        ("L29", x.Cidr(lit("2001:db8::/56"), lit(1), lit(64)), ["2001:db8::/64"]),
        ("L31", x.Length(lit(["a", "b"])), 2),
        ("L32", x.ToJson(lit({"a": [1, None]})), '{"a":[1,null]}'),
        ("L36", x.EachMemberEquals(lit(["a", "a"]), lit("a")), True),
        ("L37", x.EachMemberIn(lit(["a"]), lit(["a", "b"])), True),
        ("TC-10", x.MemberListToMap(lit("Name"), lit("Value"),
                                    lit([".member.0.Name=k", ".member.0.Value=v=w"])), {"k": "v=w"}),
        ("L46", lit({"a": NOTHING, "b": [1, NOTHING], "c": {"d": NOTHING}}), {"b": [1], "c": {}}),
        ("row", x.TableLookup((("t2.*", "m1.small"), ("*", "m1.big")), lit("t2.micro")), "m1.small"),
        ("row", x.TableLookup((("t2.*", "m1.small"),), lit("m5")), "m5"),
        ("row", x.TableLookup((("t2.*", "m1.small"),), lit("m5"), lit("d")), "d"),
        ("row", x.PropertyPath(lit({"a": {"b": 1}}), ("a", "b")), 1),
        ("row", x.PropertyPath(lit({"a": {"b": 1}}), ("a", "c")), NO_VALUE),
        ("row", x.ForEach(lit([{"n": 1}, {"m": 2}]), "i", lit({"v": x.Item("i", ("n",))})), [{"v": 1}, {}]),
        ("row", x.ForEach(lit([[1, 2], [3]]), "i", x.ForEach(x.Item("i"), "j", lit([x.Item("j"), x.Item("i")]))),
         [[[1, [1, 2]], [2, [1, 2]]], [[3, [3]]]]),
        ("row", x.ForEach(NOTHING, "i", lit(1)), NO_VALUE),
    ],
)  # fmt: skip
def test_it_evaluates(row: str, expression: Expression, expected: Value) -> None:
    found = value_of(expression)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (lit({"a": LATER, "b": [LATER, 1]}), {"a": UNKNOWN, "b": [UNKNOWN, 1]}),
        (x.Join(lit("-"), (lit(["a", LATER]),)), UNKNOWN),
        (x.Concat((lit("a"), LATER)), UNKNOWN),
        (x.Select(lit(0), lit([LATER, "b"])), UNKNOWN),
        (x.Select(LATER, lit(["b"])), UNKNOWN),
        (x.Replace(lit("a"), lit({"a": LATER})), UNKNOWN),
        (x.Equals(lit("a"), LATER), UNKNOWN),
        (x.Not(LATER), UNKNOWN),
        (x.And((lit(False), LATER)), False),
        (x.And((lit(True), LATER)), UNKNOWN),
        (x.Or((lit(True), LATER)), True),
        (x.Or((lit(False), LATER)), UNKNOWN),
        (x.If(x.ConditionRef("later"), lit(1), lit(2)), UNKNOWN),
        (x.MapMerge(lit([{"a": LATER}, {"b": 1}])), {"a": UNKNOWN, "b": 1}),
        (x.MapMerge(lit([LATER, {"b": 1}])), UNKNOWN),
        (x.ListConcat(lit([[LATER], [1]])), [UNKNOWN, 1]),
        (x.ListConcat(lit([[LATER], [1]]), unique=True), UNKNOWN),
        (x.Repeat(lit({"v": "%a%"}), MapOf((("%a%", lit([LATER, "b"])),))), [{"v": UNKNOWN}, {"v": "b"}]),
        (x.Repeat(lit({"v": "x%a%"}), MapOf((("%a%", lit([LATER, "b"])),))), [{"v": UNKNOWN}, {"v": "xb"}]),
        (x.Repeat(lit("%a%"), MapOf((("%a%", LATER),))), UNKNOWN),
        (x.Length(LATER), UNKNOWN),
        (x.AttributeRef("r", lit("later"), (lit("x"),)), UNKNOWN),
        (x.PropertyPath(LATER, ("a",)), UNKNOWN),
        (x.ForEach(LATER, "i", lit(1)), UNKNOWN),
        (x.TableLookup((("*", 1),), LATER), UNKNOWN),
        (x.FindInMap(lit("Sizes"), LATER, lit("Small")), UNKNOWN),
        (x.ImportValue(LATER), UNKNOWN),
        (x.Yaql(lit("$.data"), lit([LATER])), UNKNOWN),
    ],
)
def test_what_is_not_known_yet_stays_where_it_can_and_spreads_where_it_must(
    expression: Expression, expected: Value
) -> None:
    assert value_of(expression) == expected


@pytest.mark.parametrize(
    ("row", "expression", "sentence"),
    [
        ("W46", x.Select(lit(5), lit(["a"])), "Template error: Fn::Select cannot select nonexistent value at index 5"),
        ("W46", x.Select(lit(-1), lit(["a"])), "Fn::Select cannot select nonexistent value at index -1"),
        ("W46", x.Select(lit(0), lit([None])), "Template error: Fn::Select cannot select a null value"),
        ("W46", x.Select(lit(0), lit("a,b")), "Template error: Fn::Select requires a list argument"),
        ("W46", x.FindInMap(lit("Sizes"), lit("us"), lit("Small")),
         "Template error: Unable to get mapping for Sizes::us::Small"),
        ("L28", x.ImportValue(lit("nothing")), "No export named nothing found."),
        ("L29", x.Cidr(lit("10.0.0.0/24"), lit(300), lit(8)), "Template error: the count of Fn::Cidr"),
        ("L29", x.Cidr(lit("10.0.0.0/24"), lit(2), lit(8)), "Template error: Fn::Cidr cannot make 2 blocks"),
        ("L29", x.Cidr(lit("ten"), lit(2), lit(8)), "Template error: every Fn::Cidr object needs"),
        ("TR-11", x.If(x.ParameterRef("text"), lit(1), lit(2)), 'Invalid condition "abc": it is neither'),
        ("TR-11", x.Not(lit(5)), 'Invalid condition "5": it is neither true nor false.'),
        ("TR-11", x.And((lit(True), lit(["a"]))), 'Invalid condition "a list": it is neither true nor false.'),
        ("TF-05", x.Join(lit("-"), (lit("abc"),)), "What is joined must be a list"),
        ("TF-05", x.Join(lit("-"), (lit([["a"]]),)), "Items to join must be strings"),
        ("TF-05", x.Join(lit(1), (lit(["a"]),)), "The delimiter of a join must be a string"),
        ("TF-06", x.Replace(lit("a"), lit({"a": []}), serialize=False), '"params" of a replacement must be strings'),
        ("TF-06", x.Replace(lit("a"), lit({"": "b"})), "A replacement cannot replace the empty string"),
        ("TF-07", x.Replace(lit("a"), lit({"b": "1"}), STRICT),
         "The following params were not found in the template: b"),
        ("TF-08", x.Replace(lit("a"), lit({"a": ""}), VERY), "The parameter a of str_replace_vstrict has no value"),
        ("TF-09", x.Split(lit(","), lit("a,b"), lit(2)), "Incorrect index 2: it should be between 0 and 1"),
        ("TF-09", x.Split(lit(","), lit("a,b"), lit(-3)), "Incorrect index -3"),
        ("TF-09", x.Split(lit(""), lit("a,b")), "The delimiter of a split must not be empty"),
        ("TF-10", x.Repeat(lit("a"), MapOf((("a", lit("text")),))), "The values of a in repeat must be a list"),
        ("TF-10", x.Repeat(lit("a"), MapOf((("a", lit([1])), ("b", lit([1, 2])))), lit(False)),
         "must have the same length"),
        ("TF-11", x.Digest(lit("md17"), lit("a")), "Algorithm must be one of"),
        ("TF-11", x.Digest(lit("md5"), lit("€")), "Only text of latin-1"),
        ("TF-13", x.MapMerge(lit([["a"]])), "Every part of a map_merge must be a map"),
        ("TF-14", x.MapReplace(lit({"a": 1, "b": 2}), lit({"keys": {"a": "b"}})), "two entries the key b"),
        ("TF-15", x.Yaql(lit("$.data["), LATER), 'yaql cannot evaluate "$.data["'),
        ("TF-15", x.Yaql(lit("$.data.none.x"), lit({})), "there is no key 'none'"),
        ("TF-15", x.Yaql(lit(1), lit({})), "The expression of a yaql function is a string"),
        ("TF-18", x.MakeUrl(lit({"hostname": "h"})), "make_url has no"),
        ("TF-18", x.MakeUrl(lit({"host": "h", "port": 70000})), "Invalid URL port 70000"),
        ("TF-20", x.ListConcat(lit(["a"])), "Each part must be a list"),
        ("L46", x.Length(NOTHING), "AWS::NoValue"),
        ("L16", x.Concat((lit(["a"]),)), "Template error: variable names in Fn::Sub syntax"),
        ("L31", x.Length(lit("abc")), "The argument of Fn::Length must be a list"),
        ("path", x.ParameterRef("data", (lit("none"),), lenient=False), "There is no 'none' in the value"),
    ],
)  # fmt: skip
def test_it_is_refused_with_a_sentence(row: str, expression: Expression, sentence: str) -> None:
    assert sentence in sentence_of(expression)


def test_a_refusal_has_the_functions_place() -> None:
    with pytest.raises(Invalid) as caught:
        value_of(x.Select(lit(5), lit(["a"]), span=SPAN))
    assert caught.value.diagnostics[0].span == SPAN
    with pytest.raises(Invalid) as caught:
        value_of(x.ImportValue(lit("nothing"), span=SPAN))
    assert caught.value.diagnostics[0].span == SPAN


def test_a_repeat_cannot_make_more_than_it_may() -> None:
    many = lit([str(i) for i in range(200)])
    assert "10000 is the most" in sentence_of(x.Repeat(lit("abc"), MapOf((("a", many), ("b", many), ("c", many)))))


def test_a_function_cannot_make_endless_text() -> None:
    long = Literal("x" * 100_000)
    assert "more than" in sentence_of(x.Concat((long,) * 100))
    assert "more than" in sentence_of(x.Replace(Literal("a" * 1000), MapOf((("a", long),))))


def test_a_map_of_literals_costs_little_more_than_a_copy() -> None:
    flat = MapOf(tuple((f"k{i}", Literal(i)) for i in range(30)))
    best = min(_seconds(flat) for _ in range(5))
    assert best / 1000 < 40e-6  # 2 µs on an idle machine


def _seconds(expression: Expression) -> float:
    began = time.process_time()
    for _ in range(1000):
        evaluate(expression, Everything())
    return time.process_time() - began
