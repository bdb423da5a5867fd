"""Binding parameters: types, precedence, constraints and their sentences (heat.md TP rows, cloudformation.md W47)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from engine.expr.parameters import HIDDEN, Bindings, bind, check_immutable, placeholders
from engine.model.diagnostic import Diagnostic, Invalid, Span
from engine.model.template import MISSING, Constraint, Dialect, Parameter, ParameterType, Template
from engine.model.value import UNKNOWN

STRING, NUMBER, LIST, JSON, BOOLEAN = ParameterType
SPAN = Span("t", 2, 3)


def declare(*parameters: Parameter, dialect: Dialect = Dialect.HOT) -> Template:
    return Template(dialect, "", {}, parameters={one.name: one for one in parameters})


def bound(kind: ParameterType, given: Any, source_type: str = "") -> Any:
    return bind(declare(Parameter("p", kind, source_type=source_type)), {"p": given}).values["p"]


def refused(template: Template, given: Mapping[str, Any]) -> tuple[Diagnostic, ...]:
    with pytest.raises(Invalid) as caught:
        bind(template, given)
    return caught.value.diagnostics


# --- types ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("row", "kind", "given", "value"),
    [
        ("TP-01", STRING, "a", "a"), ("TP-01", STRING, 80, "80"), ("TP-01", STRING, True, "True"),
        ("TP-01", STRING, "", ""),
        ("TP-13", JSON, {"a": 1}, {"a": 1}), ("TP-13", JSON, '{"a": [1]}', {"a": [1]}), ("TP-13", JSON, "[1]", [1]),
        ("TP-13", JSON, "", {}),
        ("TP-14", LIST, "a, b,c", ["a", "b", "c"]), ("TP-14", LIST, ["a", 1, True], ["a", "1", "True"]),
        ("TP-14", LIST, "", []), ("TP-14", LIST, 5, ["5"]),
        ("TP-15", BOOLEAN, "Yes", True), ("TP-15", BOOLEAN, "1", True), ("TP-15", BOOLEAN, 0, False),
        ("TP-15", BOOLEAN, "oFF", False), ("TP-15", BOOLEAN, True, True),
        ("TP-16", NUMBER, "12", 12), ("TP-16", NUMBER, "1.5", 1.5), ("TP-16", NUMBER, 7, 7),
        ("TP-16", NUMBER, 1.5, 1.5), ("TP-16", NUMBER, 2.0, 2.0), ("TP-16", NUMBER, "2.0", 2.0),
        ("TP-16", NUMBER, "1e3", 1000.0),
    ],
)  # fmt: skip
def test_a_value_is_typed(row: str, kind: ParameterType, given: Any, value: Any) -> None:
    found = bound(kind, given)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("row", "kind", "source_type", "given", "value"),
    [("L51", NUMBER, "Number", "08", "08"), ("L51", NUMBER, "Number", 8, "8"), ("L50", STRING, "String", True, "true"),
     ("L52", LIST, "List<Number>", "1, 2", ["1", "2"])],
)  # fmt: skip
def test_cloudformation_keeps_numbers_as_text(
    row: str, kind: ParameterType, source_type: str, given: Any, value: Any
) -> None:
    assert bound(kind, given, source_type) == value


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (STRING, ["a"]), (STRING, {"a": 1}), (NUMBER, "a"), (NUMBER, ""), (NUMBER, True), (NUMBER, "nan"),
        (NUMBER, "inf"), (NUMBER, "1e999"), (NUMBER, "1_0"), (NUMBER, "9" * 5000), (NUMBER, [1]), (BOOLEAN, "maybe"),
        (LIST, {"a": 1}), (JSON, "{"), (JSON, "[NaN]"), (JSON, "[" * 100_000),
    ],
)  # fmt: skip
def test_what_is_not_of_the_type_is_refused(kind: ParameterType, given: Any) -> None:
    (found,) = refused(declare(Parameter("p", kind, span=SPAN)), {"p": given})
    assert (found.code, found.span, found.address) == ("ParameterInvalid", SPAN, "parameters.p")
    assert found.summary.startswith("Parameter 'p' is invalid: ")


# --- where values come from -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "defaults", "value"),
    [({"p": "g"}, {"p": "d"}, "g"), ({}, {"p": "d"}, "d"), ({}, {}, "t"), ({"p": None}, {"q": "x"}, "t")],
)
def test_the_users_value_wins_over_the_environments_over_the_templates_te_03(
    given: dict[str, Any], defaults: dict[str, Any], value: str
) -> None:
    template = declare(Parameter("p", STRING, default="t"))
    assert bind(template, given, defaults=defaults).values == {"p": value}


def test_missing_parameters_are_all_told_tp_18() -> None:
    found = refused(declare(Parameter("a", STRING), Parameter("b", STRING)), {})
    assert [one.summary for one in found] == [
        "The Parameter (a) was not provided.",
        "The Parameter (b) was not provided.",
    ]


def test_missing_parameters_are_told_in_one_sentence_of_cloudformation_w47() -> None:
    template = declare(Parameter("A", STRING), Parameter("B", STRING), dialect=Dialect.CFN)
    (found,) = refused(template, {})
    assert (found.code, found.summary) == ("ParameterMissing", "Parameters: [A, B] must have values")


def test_unknown_parameters_are_told_tp_17_w47() -> None:
    (found,) = refused(declare(Parameter("name", STRING, default="")), {"nmae": "x"})
    assert found.summary == "The Parameter (nmae) was not defined in template."
    assert found.detail == "Did you mean name?"
    (found,) = refused(declare(dialect=Dialect.CFN), {"Y": 1, "X": 2})
    assert found.summary == "Parameters: [X, Y] do not exist in the template"


def test_everything_wrong_is_told_at_once() -> None:
    template = declare(
        Parameter("a", NUMBER), Parameter("b", STRING), Parameter("c", STRING, constraints=(Constraint(pattern="x"),))
    )
    assert [one.code for one in refused(template, {"a": "x", "c": "y", "d": 1})] == [
        "UnknownParameter",
        "ParameterInvalid",
        "ParameterConstraint",
        "ParameterMissing",
    ]


@pytest.mark.parametrize("allowed", [(True,), ("true",), ("Yes", "maybe")])
def test_allowed_values_of_a_boolean_are_booleans_however_they_are_written_tp_06(allowed: tuple[Any, ...]) -> None:
    limit = (Constraint(allowed_values=allowed),)
    template = declare(Parameter("p", BOOLEAN, constraints=limit))
    assert bind(template, {"p": "on"}).values["p"] is True
    (found,) = refused(template, {"p": "no"})
    assert found.code == "ParameterConstraint"


# --- constraints ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("row", "kind", "limit", "good", "bad", "heat", "aws"),
    [
        ("TP-03", STRING, Constraint(length=(2, 3)), "ab", "a", "length (1) is out of range (min: 2, max: 3)",
         "must contain at least 2 characters"),
        ("TP-03", STRING, Constraint(length=(None, 3)), "abc", "abcd", "length (4) is out of range (max: 3)",
         "must contain at most 3 characters"),
        ("TP-03", LIST, Constraint(length=(2, None)), "a,b", "a", "length (1) is out of range (min: 2)",
         "must contain at least 2 elements"),
        ("TP-04", NUMBER, Constraint(range=(1, 5)), "5", "6", "6 is out of range (min: 1, max: 5)",
         "must be a number not greater than 5"),
        ("TP-04", NUMBER, Constraint(range=(65536000.0, None)), "65536000", "1",
         "1 is out of range (min: 65536000)", "must be a number not less than 65536000"),
        ("TP-05", NUMBER, Constraint(modulo=(2, 1)), "3", "4", "4 is not a multiple of 2 with an offset of 1", None),
        ("TP-06", STRING, Constraint(allowed_values=("a", 1)), "1", "c", '"c" is not an allowed value [a, 1]',
         "must be one of AllowedValues: [a, 1]"),
        ("TP-06", NUMBER, Constraint(allowed_values=(1, 2.0)), "2", "3", '"3" is not an allowed value [1, 2.0]',
         "must be one of AllowedValues: [1, 2.0]"),
        ("TP-06", LIST, Constraint(allowed_values=("a", "b")), "a,b", "a,c",
         '"a,c" is not an allowed value [a, b]', "must be one of AllowedValues: [a, b]"),
        ("TP-07", STRING, Constraint(pattern="[a-z]+"), "abc", "abc1", '"abc1" does not match pattern "[a-z]+"',
         "must match pattern [a-z]+"),
    ],
)  # fmt: skip
def test_a_constraint_holds_and_is_told_in_the_dialects_words(
    row: str, kind: ParameterType, limit: Constraint, good: str, bad: str, heat: str, aws: str | None
) -> None:
    template = declare(Parameter("p", kind, constraints=(limit,)))
    assert bind(template, {"p": good}).values
    assert refused(template, {"p": bad})[0].summary == f"Parameter 'p' is invalid: {heat}"
    if aws is not None:
        of_aws = declare(Parameter("p", kind, constraints=(limit,)), dialect=Dialect.CFN)
        assert refused(of_aws, {"p": bad})[0].summary == f"Parameter 'p' {aws}"


def test_a_constraints_description_is_heats_sentence_tp_09() -> None:
    limit = Constraint(length=(3, None), description="a name needs three letters")
    assert refused(declare(Parameter("p", STRING, constraints=(limit,))), {"p": "a"})[0].summary == (
        "Parameter 'p' is invalid: a name needs three letters"
    )
    of_aws = declare(Parameter("p", STRING, constraints=(limit,)), dialect=Dialect.CFN)
    assert "must contain at least 3 characters (a name needs" in refused(of_aws, {"p": "a"})[0].summary


def test_a_pattern_that_never_ends_is_stopped() -> None:
    template = declare(Parameter("p", STRING, constraints=(Constraint(pattern="(a|a)*b|(a+)+c"),)))
    began = time.monotonic()
    (found,) = refused(template, {"p": "a" * 60})
    assert time.monotonic() - began < 5
    assert "does not match" in found.summary or "takes too long" in found.summary


def test_a_default_must_be_valid_even_where_it_is_not_used_tp_12() -> None:
    template = declare(Parameter("p", STRING, default="abc", constraints=(Constraint(length=(None, 2)),)))
    (found,) = refused(template, {"p": "a"})
    assert found.code == "ParameterDefaultInvalid"
    assert found.summary.startswith("The default of parameter 'p' is invalid: length (3)")


def test_custom_constraints_are_left_for_the_cloud_tp_08() -> None:
    template = declare(Parameter("p", STRING, constraints=(Constraint(custom="nova.flavor"),)))
    assert bind(template, {"p": "m1.small"}).custom == (("p", "nova.flavor", "m1.small"),)


# --- secrets and showing ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "limit", "given"),
    [
        (STRING, Constraint(pattern="x"), "s3cret"),
        (STRING, Constraint(allowed_values=("x",)), "s3cret"),
        (NUMBER, Constraint(range=(0, 1)), "777"),
        (NUMBER, Constraint(modulo=(2, 0)), "777"),
        (BOOLEAN, Constraint(), "s3cret"),
    ],
)
def test_a_hidden_value_is_never_told_tp_10(kind: ParameterType, limit: Constraint, given: str) -> None:
    found = refused(declare(Parameter("p", kind, hidden=True, constraints=(limit,))), {"p": given})
    assert all(given not in str(one) for one in found)


def test_hidden_values_are_masked_and_all_are_shown_as_text_tp_10_tp_21() -> None:
    template = declare(
        Parameter("h", STRING, hidden=True), Parameter("l", LIST), Parameter("j", JSON), Parameter("b", BOOLEAN),
        Parameter("n", NUMBER),
    )  # fmt: skip
    found = bind(template, {"h": "s", "l": "a,b", "j": {"a": 1}, "b": "yes", "n": "1.5"})
    assert found.values["h"] == "s"
    assert found.masked["h"] == HIDDEN
    assert found.shown == {"h": HIDDEN, "l": "a,b", "j": '{"a": 1}', "b": "True", "n": "1.5"}


def test_placeholders_know_what_is_known_already() -> None:
    template = declare(Parameter("a", STRING), Parameter("b", NUMBER, default="3"), Parameter("c", STRING))
    assert placeholders(template, {"c": "x"}).values == {"a": UNKNOWN, "b": 3, "c": "x"}
    assert isinstance(placeholders(declare(Parameter("a", STRING, default=MISSING)), {}), Bindings)


def test_an_immutable_parameter_keeps_its_value_tp_11() -> None:
    template = declare(Parameter("p", STRING, immutable=True), Parameter("q", STRING))
    check_immutable(template, {"p": "a", "q": "b"}, {"p": "a", "q": "c"})
    check_immutable(template, {}, {"p": "a", "q": "c"})
    with pytest.raises(Invalid) as caught:
        check_immutable(template, {"p": "a"}, {"p": "b"})
    assert caught.value.diagnostics[0].code == "ImmutableParameterModified"


# --- the parameter store ----------------------------------------------------------------------------------------------
def test_l66_values_of_the_parameter_store_are_bound_and_their_names_shown():
    of_text = Parameter("p", ParameterType.STRING, source_type="AWS::SSM::Parameter::Value<String>")
    of_list = Parameter("l", ParameterType.LIST, source_type="AWS::SSM::Parameter::Value<CommaDelimitedList>")
    stored = {"/a": "value", "/l": "x, y"}
    found = bind(declare(of_text, of_list), {"p": "/a", "l": "/l"}, stored=stored)
    assert found.values == {"p": "value", "l": ["x", "y"]}
    assert found.shown == {"p": "/a", "l": "/l"}
    assert found.resolved == {"p": "value", "l": "x,y"}


def test_l66_limits_are_for_the_name_of_a_stored_parameter():
    limits = (Constraint(pattern="/[a-z]+"),)
    declared = Parameter(
        "p", ParameterType.STRING, source_type="AWS::SSM::Parameter::Value<String>", constraints=limits
    )
    assert bind(declare(declared), {"p": "/a"}, stored={"/a": "VALUE"}).values == {"p": "VALUE"}


def test_only_stored_parameters_are_looked_up():
    assert bind(declare(Parameter("p", ParameterType.STRING)), {"p": "/a"}, stored={"/a": "v"}).values == {"p": "/a"}


def test_a_list_of_maps_is_flattened_te_20() -> None:
    found = bound(ParameterType.LIST, [{"key": "a", "value": 1}, {"key": "b"}])
    assert found == [".member.0.key=a", ".member.0.value=1", ".member.1.key=b"]
