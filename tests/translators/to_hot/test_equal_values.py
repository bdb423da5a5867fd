"""Whatever an expression of CloudFormation gives, its translation gives: both are deployed and evaluated."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.expr.evaluate import evaluate
from engine.expr.functions import comparable
from engine.model import expression as x
from engine.model.diagnostic import Invalid, Severity
from engine.model.expression import Expression, ListOf, Literal, MapOf
from engine.model.source import Source
from engine.model.template import Constraint, Dialect, Output, Parameter, ParameterType, Resource, Template
from engine.model.value import NO_VALUE
from engine.plan.deployment import bind_source, deploy
from engine.plan.scope import Facts, View
from engine.resources.base import StackIdentity
from engine.resources.registry import Registry
from tests.translators.hot.strategies import exact
from translators import hot
from translators.hot.printer import print_template
from translators.source import read
from translators.to_hot import to_hot

REGISTRY = Registry(plugins=False)
IDENTITY = StackIdentity("11111111-2222-3333-4444-555555555555", "web", "aaaabbbbccccddddeeeeffff00001111", "", "")
FACTS = Facts(region="here", zones=("az1", "az2", "az3"), exports={"exported": "of another"})
MAPPINGS = {
    "Sizes": {
        "a": {"Name": "small", "Count": "1", "List": ["p", "q"]},
        "b": {"Name": "large", "Count": "2", "List": []},
    },
    "Web": {"a": {"Name": "n"}},  # named as the resource is
}
PARAMETERS = {
    "Text": Parameter("Text", ParameterType.STRING, "b,c", source_type="String"),
    "Word": Parameter("Word", ParameterType.STRING, "a", source_type="String",
                      constraints=(Constraint(allowed_values=("a", "b")),)),
    "Number": Parameter("Number", ParameterType.NUMBER, "7", source_type="Number"),
    "List": Parameter("List", ParameterType.LIST, "a,b,7", source_type="CommaDelimitedList"),
}  # fmt: skip
ROWS = (("a", {"cpus": 1}), ("b*", {"cpus": 2, "deep": {"er": "x"}}), ("[c-e]", {"ram": 3}))


class Made(View):
    """Every resource is there."""

    def reference(self, address: str) -> Any:
        return f"id of {address}"

    def attribute(self, address: str, name: str | None) -> Any:
        return {"list": ["l0", "l1"], "yes": True, "text": f"{address}'s"}.get(str(name))


def template(value: Expression, conditions: dict[str, Expression]) -> Template:
    return Template(
        dialect=Dialect.CFN, version="2010-09-09", resources={"Web": Resource("Web", "OS::Heat::None", MapOf(()))},
        parameters=PARAMETERS, mappings=MAPPINGS, conditions=conditions, outputs={"O": Output("O", value)},
    )  # fmt: skip


def given_by(one: Template, parameters: dict[str, str]) -> Any:
    """The output's value. Raises Invalid."""
    deployment = deploy(one, bind_source(one, Source("", parameters=parameters)), IDENTITY, FACTS, REGISTRY)
    value = evaluate(one.outputs["O"].value, deployment.scope(Made()))
    return value if value is NO_VALUE else comparable(value)


def translated(one: Template) -> Template | None:
    """What is read of the printed translation; None where HOT has no words for it."""
    made = to_hot(one, "t.yaml")
    if any(finding.severity is Severity.ERROR for finding in made.findings):
        return None
    text = print_template(made.template, made.comments)
    parsed = hot.parse(read(text), Source(text))
    assert exact(parsed) == exact(made.template), text
    return parsed


# --- expressions ------------------------------------------------------------------------------------------------------
_words = st.sampled_from(["a", "b", "bc", "", "b,c", "x\ny", "${Text}", "${", "-", "true", "7"])
_names = st.sampled_from(["a", "b"])


def _tuples(one: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[Any]:
    return st.lists(one, min_size=least, max_size=3).map(tuple)


_plain = st.one_of(
    _words.map(Literal),
    st.sampled_from(["Text", "Word", "Number"]).map(x.ParameterRef),
    st.sampled_from([x.Pseudo.STACK_NAME, x.Pseudo.REGION, x.Pseudo.ACCOUNT_ID]).map(x.PseudoRef),
)
_keys = _names.map(Literal) | st.just(x.ParameterRef("Word"))
_cells = st.builds(
    x.FindInMap, st.just(Literal("Sizes")), _keys, st.sampled_from([Literal("Name"), Literal("Count")]),
    st.none() | _words.map(Literal),
)  # fmt: skip
_comparable = st.one_of(
    _plain,
    _cells,
    st.builds(x.Concat, _tuples(_plain, 1)),
    st.builds(x.Join, _words.map(Literal), st.tuples(_tuples(_plain).map(ListOf) | st.just(x.ParameterRef("List")))),
    st.builds(x.Select, st.integers(0, 2).map(Literal), st.just(x.ParameterRef("List"))),
    st.builds(x.Select, st.integers(0, 1).map(Literal), st.builds(x.Split, st.just(Literal(",")), _plain)),
    st.just(x.Length(x.ParameterRef("List"))),
)
_conditions = st.recursive(
    st.builds(x.Equals, _comparable, _comparable, st.just(True)) | st.sampled_from(["C", "D"]).map(x.ConditionRef),
    lambda inner: st.one_of(
        inner.map(x.Not), st.builds(x.And, _tuples(inner, 2)), st.builds(x.Or, _tuples(inner, 2))
    ),
    max_leaves=3,
)  # fmt: skip


def _lists(texts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        _tuples(texts | st.builds(x.If, _conditions, texts, st.just(x.NoValue()) | st.none())).map(ListOf),
        st.builds(x.Split, st.just(Literal(",")), texts),
        st.just(x.ParameterRef("List")),
        st.just(x.AttributeRef("Web", Literal("list"))),
        st.builds(x.FindInMap, st.just(Literal("Sizes")), _keys, st.just(Literal("List"))),
        st.just(x.Cidr(Literal("10.0.0.0/16"), x.ParameterRef("Number"), Literal("8"))),
        st.just(x.AvailabilityZones(Literal(""))),
    )


def _more(texts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = _lists(texts)
    table = st.builds(x.TableLookup, st.just(ROWS), texts, st.none() | texts)
    loop = st.builds(
        x.ForEach,
        _tuples(st.builds(lambda a, b: MapOf((("k", a), ("v", b))), texts, texts | st.just(x.NoValue()))).map(ListOf),
        st.just("i"),
        st.just(x.Concat((x.Item("i", ("k",)), Literal("="), x.Item("i", ("v",))))),
    )
    return st.one_of(
        texts,
        st.builds(x.Concat, _tuples(texts, 1)),
        st.builds(x.Join, _words.map(Literal), st.tuples(lists)),
        st.builds(x.Select, st.integers(0, 2).map(Literal) | st.just(x.ParameterRef("Number")), lists),
        st.builds(x.If, _conditions, texts, texts | st.just(x.NoValue())),
        st.builds(x.Base64, texts),
        st.builds(x.Length, lists),
        st.builds(x.ToJson, lists),
        st.builds(x.Replace, texts, st.builds(lambda a: MapOf((("b", a),)), texts), st.just(x.ReplaceMode.PLAIN)),
        st.builds(x.PropertyPath, table, st.sampled_from([("cpus",), ("deep", "er"), ("nothing",)])),
        st.builds(x.Join, _words.map(Literal), st.tuples(loop)),
    )


_texts = st.recursive(
    st.one_of(
        _plain, _cells, st.just(x.ImportValue(Literal("exported"))), st.just(x.ResourceRef("Web")),
        st.sampled_from(["text", "yes"]).map(lambda name: x.AttributeRef("Web", Literal(name))),
        st.just(x.FindInMap(Literal("Web"), Literal("a"), x.Concat((Literal("Na"), Literal("me"))))),
    ),
    _more,
    max_leaves=6,
)  # fmt: skip
_values = st.one_of(
    _texts,
    _lists(_texts),
    st.dictionaries(st.sampled_from(["a", "if", "get_param", "b_c"]), _texts | _lists(_texts), max_size=3).map(
        lambda entries: MapOf(tuple(entries.items()))
    ),
    st.builds(
        lambda one, other, condition: x.MapMerge(ListOf((one, x.If(condition, other, None)))),
        _texts.map(lambda text: MapOf((("a", text), ("b", Literal("z"))))),
        _texts.map(lambda text: MapOf((("a", text), ("c", Literal(None))))),
        _conditions,
    ),
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    value=_values,
    conditions=st.tuples(st.builds(x.Equals, _comparable, _comparable, st.just(True)), _comparable, _comparable),
    parameters=st.fixed_dictionaries(
        {}, optional={"Text": _words, "Word": _names, "Number": st.sampled_from(["1", "2", "0"]), "List": _words}
    ),
)
def test_a_translation_gives_what_the_template_gives(value, conditions, parameters) -> None:
    first, left, right = conditions
    one = template(value, {"C": first, "D": x.Not(x.Equals(left, right, as_text=True))})
    try:
        wanted = given_by(one, parameters)
    except Invalid:
        assume(False)  # it gives nothing
    other = translated(one)
    assert other is not None
    assert given_by(other, parameters) == wanted
