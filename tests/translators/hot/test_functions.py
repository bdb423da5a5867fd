"""HOT functions by version: what each becomes, and what is refused (heat.md TF and TV rows)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.model import expression as x
from engine.model.diagnostic import Diagnostic, Invalid
from engine.model.expression import ListOf, Literal, MapOf
from translators import functions, versions
from translators.hot.functions import READERS
from translators.hot.versions import DESCRIPTIONS, VERSIONS

Built = Callable[..., Any]


def lit(*values: Any) -> tuple[Literal, ...]:
    return tuple(Literal(value) for value in values)


A, B = lit("a", "b")
AB = ListOf((A, B))
NAME, NAMES = x.ParameterRef("name"), x.ParameterRef("names")


@pytest.mark.parametrize(
    ("row", "written", "expected"),
    [
        ("TF-01", "{get_param: name}", NAME),
        ("TF-01", "{get_param: [data, a, 0]}", x.ParameterRef("data", lit("a", 0))),
        ("TF-01", "{get_param: [data, {get_param: name}]}", x.ParameterRef("data", (NAME,))),
        ("TP-20", "{get_param: 'OS::stack_name'}", x.PseudoRef(x.Pseudo.STACK_NAME)),
        ("TF-02", "{get_resource: other}", x.ResourceRef("other")),
        ("TF-03", "{get_attr: [other, show]}", x.AttributeRef("other", Literal("show"))),
        ("TF-03", "{get_attr: [other, show, 0, b]}", x.AttributeRef("other", Literal("show"), lit(0, "b"))),
        ("TF-03", "{get_attr: [other]}", x.AttributeRef("other", None)),
        ("TF-04", "{get_file: f.sh}", Literal("#!/bin/sh")),
        ("TF-05", "{list_join: [',', [a, b]]}", x.Join(Literal(","), (AB,), serialize=True)),
        ("TF-05", "{list_join: [',', [a], [b]]}", x.Join(Literal(","), (ListOf((A,)), ListOf((B,))), serialize=True)),
        (
            "TF-06",
            "{str_replace: {template: a, params: {a: b}}}",
            x.Replace(A, MapOf((("a", B),)), x.ReplaceMode.PLAIN, serialize=True),
        ),
        (
            "TF-07",
            "{str_replace_strict: {template: a, params: {a: b}}}",
            x.Replace(A, MapOf((("a", B),)), x.ReplaceMode.STRICT, serialize=True),
        ),
        (
            "TF-08",
            "{str_replace_vstrict: {template: a, params: {a: b}}}",
            x.Replace(A, MapOf((("a", B),)), x.ReplaceMode.VERY_STRICT, serialize=True),
        ),
        ("TF-09", "{str_split: [a, b]}", x.Split(A, B)),
        ("TF-09", "{str_split: [a, b, 1]}", x.Split(A, B, Literal(1))),
        (
            "TF-10",
            "{repeat: {template: a, for_each: {b: {get_param: names}}, permutations: false}}",
            x.Repeat(A, MapOf((("b", NAMES),)), Literal(False)),
        ),
        ("TF-11", "{digest: [md5, a]}", x.Digest(Literal("md5"), A)),
        ("TF-12", "{resource_facade: deletion_policy}", x.Facade(x.FacadePart.DELETION_POLICY)),
        ("TF-13", "{map_merge: [{a: b}, {get_param: data}]}",
         x.MapMerge(ListOf((MapOf((("a", B),)), x.ParameterRef("data"))))),
        ("TF-14", "{map_replace: [{get_param: data}, {keys: {a: b}}]}",
         x.MapReplace(x.ParameterRef("data"), MapOf((("keys", MapOf((("a", B),))),)))),
        ("TF-15", "{yaql: {expression: $.data, data: [a, b]}}", x.Yaql(Literal("$.data"), AB)),
        ("TF-16", "{if: [wanted, a, b]}", x.If(x.ConditionRef("wanted"), A, B)),
        ("TF-16", "{if: [wanted, a]}", x.If(x.ConditionRef("wanted"), A, None)),
        ("TF-16", "{if: [true, a, b]}", x.If(Literal(True), A, B)),
        ("TF-16", "{if: [{equals: [a, {get_param: name}]}, a, b]}", x.If(x.Equals(A, NAME), A, B)),
        ("TF-17", "{filter: [[a], [a, b]]}", x.Filter(ListOf((A,)), AB)),
        ("TF-18", "{make_url: {host: a}}", x.MakeUrl(MapOf((("host", A),)))),
        ("TF-19", "{list_concat: [[a, b]]}", x.ListConcat(ListOf((AB,)))),
        ("TF-20", "{list_concat_unique: [[a, b]]}", x.ListConcat(ListOf((AB,)), unique=True)),
        ("TF-21", "{contains: [a, [a, b]]}", x.Contains(A, AB)),
        (
            "TF-22 … TF-25",
            "{if: [{and: [wanted, {or: [{not: wanted}, {equals: [a, b]}]}]}, a, b]}",
            x.If(
                x.And((x.ConditionRef("wanted"), x.Or((x.Not(x.ConditionRef("wanted")), x.Equals(A, B))))), A, B
            ),
        ),
    ],
)  # fmt: skip
def test_a_function_becomes_its_expression(row: str, written: str, expected: Any, built: Built) -> None:
    assert built(written, files={"f.sh": "#!/bin/sh"}) == expected


@pytest.mark.parametrize(
    ("row", "written", "expected"),
    [
        ("TF-27", "{Ref: other}", x.ResourceRef("other")),
        ("TF-27", "{Ref: name}", NAME),
        ("TF-26", "{'Fn::Select': [0, [a, b]]}", x.Select(Literal(0), AB, lenient=True)),
        ("TC-04", "{'Fn::Join': [a, [a, b]]}", x.Join(A, (AB,))),
        ("TC-05", "{'Fn::Split': [a, b]}", x.Split(A, B)),
        ("TC-06", "{'Fn::Base64': a}", A),
        ("TC-08", "{'Fn::GetAZs': ''}", x.AvailabilityZones(Literal(""))),
        ("TC-09", "{'Fn::Replace': [{a: b}, a]}", x.Replace(A, MapOf((("a", B),)))),
        ("TC-10", "{'Fn::MemberListToMap': [a, b, [a, b]]}", x.MemberListToMap(A, B, AB)),
        ("TC-11", "{'Fn::ResourceFacade': Metadata}", x.Facade(x.FacadePart.METADATA)),
        ("TF-05", "{list_join: [a, [a, b]]}", x.Join(A, (AB,), serialize=False)),
        ("TF-06", "{str_replace: {template: a, params: {a: b}}}", x.Replace(A, MapOf((("a", B),)), serialize=False)),
    ],
)
def test_the_oldest_version_has_the_functions_of_cloudformation_tv_01(
    row: str, written: str, expected: Any, built: Built
) -> None:
    assert built(written, version="2013-05-23") == expected


# --- versions ---------------------------------------------------------------------------------------------------------
_CALLS = {
    "get_attr": "[other, show]", "get_file": "f", "list_join": "[a, [b]]", "get_param": "name",
    "get_resource": "other", "str_replace": "{template: a, params: {a: b}}",
    "str_replace_strict": "{template: a, params: {a: b}}", "str_replace_vstrict": "{template: a, params: {a: b}}",
    "repeat": "{template: a, for_each: {b: [a]}}", "digest": "[md5, a]", "resource_facade": "metadata",
    "str_split": "[a, b]", "map_merge": "[{a: b}]", "map_replace": "[{a: b}, {keys: {a: c}}]",
    "yaql": "{expression: $, data: {}}", "if": "[true, a, b]", "filter": "[[a], [b]]", "make_url": "{host: a}",
    "list_concat": "[[a]]", "list_concat_unique": "[[a]]", "contains": "[a, [b]]", "Ref": "other",
    "Fn::GetAZs": "''", "Fn::Select": "[0, [a]]", "Fn::Join": "[a, [b]]", "Fn::Split": "[a, b]",
    "Fn::Replace": "[{a: b}, a]", "Fn::Base64": "a", "Fn::MemberListToMap": "[a, b, [c]]",
    "Fn::ResourceFacade": "Metadata",
}  # fmt: skip
# What each version has that the one before had not, and what it has no more (heat.md TV-01 … TV-11).
_COUNTS = {
    "2013-05-23": 16, "2014-10-16": 8, "2015-04-30": 10, "2015-10-15": 10, "2016-04-08": 11, "2016-10-14": 14,
    "2017-02-24": 16, "2017-09-01": 21, "2018-03-02": 21, "2018-08-31": 21, "2021-04-16": 21,
}  # fmt: skip
_PLAIN_WORDS = {"if", "filter", "contains", "digest", "repeat", "yaql"}


@pytest.mark.parametrize("version", _COUNTS)
def test_a_version_has_its_functions_and_refuses_the_others(version: str, built: Built) -> None:
    allowed = VERSIONS[version].functions
    assert len(allowed) == _COUNTS[version]
    for name, argument in _CALLS.items():
        call = f"{{'{name}': {argument}}}"
        if name in allowed:
            assert built(call, version=version, files={"f": "x"}) is not None
        elif name not in _PLAIN_WORDS:
            with pytest.raises(Invalid) as caught:
                built(call, version=version, files={"f": "x"})
            assert [one.code for one in caught.value.diagnostics] == ["UnknownFunction"], name


def test_every_function_is_described_and_read() -> None:
    everywhere = set().union(*(version.functions | version.condition_functions for version in VERSIONS.values()))
    assert everywhere == set(READERS)
    assert everywhere <= set(DESCRIPTIONS)


@pytest.mark.parametrize(
    ("alias", "version"),
    [("newton", "2016-10-14"), ("ocata", "2017-02-24"), ("pike", "2017-09-01"), ("queens", "2018-03-02"),
     ("rocky", "2018-08-31"), ("wallaby", "2021-04-16")],
)  # fmt: skip
def test_a_release_name_is_a_version(alias: str, version: str, template: Callable[..., Any]) -> None:
    assert template(f"heat_template_version: {alias}").version == version


def test_versions_are_listed_as_the_api_lists_them_api_07() -> None:
    listed = {one.version: one for one in versions()}
    assert listed["heat_template_version.2016-10-14"] == (
        "heat_template_version.2016-10-14", "hot", ("heat_template_version.newton",),
    )  # fmt: skip
    assert listed["AWSTemplateFormatVersion.2010-09-09"].type == "cfn"
    assert sum(one.type == "hot" for one in listed.values()) == 11


def test_functions_are_listed_with_and_without_those_of_conditions_api_08() -> None:
    plain = [one.name for one in functions("heat_template_version.wallaby")]
    both = [one.name for one in functions("heat_template_version.2021-04-16", with_conditions=True)]
    assert len(plain) == 21
    assert sorted(set(both) - set(plain)) == ["and", "equals", "not", "or"]
    assert all(one.description for version in versions() for one in functions(version.version, with_conditions=True))


def test_functions_of_no_version_are_refused_api_08() -> None:
    with pytest.raises(Invalid) as caught:
        functions("heat_template_version.2016-10-15")
    assert "heat_template_version.2016-10-14" in caught.value.diagnostics[0].detail


# --- mistakes ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("written", "code", "hint"),
    [
        ("{get_param: nmae}", "UnknownParameter", "Did you mean name?"),
        ("{get_resource: othr}", "InvalidTemplateReference", "Did you mean other?"),
        ("{get_attr: [othr, show]}", "InvalidTemplateReference", "Did you mean other?"),
        ("{get_parm: name}", "UnknownFunction", "Did you mean get_param?"),
        ("{get_parameter: name}", "UnknownFunction", "Did you mean get_param?"),
        ("{get_atr: [other, show]}", "UnknownFunction", "Did you mean get_attr?"),
        ("{str_repalce: {template: a, params: {a: b}}}", "UnknownFunction", "Did you mean str_replace?"),
        ("{'Fn::Sub': a}", "UnknownFunction", ""),
        ("{Ref: name}", "UnknownFunction", ""),
        ("!Ref name", "UnknownTag", "get_param"),
        ("{get_file: nothing}", "MissingFile", "path"),
        ("{get_attr: other}", "InvalidFunctionArgument", "get_attr: ["),
        ("{list_join: a}", "InvalidFunctionArgument", "list_join: ["),
        ("{str_replace: {template: a}}", "InvalidFunctionArgument", "str_replace: {"),
        ("{str_split: [a]}", "InvalidFunctionArgument", "str_split: ["),
        ("{repeat: {template: a, for_each: [b]}}", "InvalidFunctionArgument", "repeat: {"),
        ("{digest: md5}", "InvalidFunctionArgument", "digest: ["),
        ("{resource_facade: nothing}", "InvalidFunctionArgument", "metadata"),
        ("{map_replace: [{a: b}]}", "InvalidFunctionArgument", "map_replace: ["),
        ("{yaql: {data: a}}", "InvalidFunctionArgument", "yaql: {"),
        ("{if: [wanted]}", "InvalidFunctionArgument", "if: ["),
        ("{if: [wantd, a, b]}", "UnknownCondition", "Did you mean wanted?"),
        ("{if: [{get_resource: other}, a, b]}", "UnknownFunction", ""),
        ("{if: [{a: b, c: d}, a, b]}", "InvalidCondition", "equals"),
        ("{contains: [a]}", "InvalidFunctionArgument", "contains: ["),
        ("{filter: [a]}", "InvalidFunctionArgument", "filter: ["),
    ],
)
def test_a_mistake_is_told_with_the_way_out_and_the_place(written: str, code: str, hint: str, built: Built) -> None:
    with pytest.raises(Invalid) as caught:
        built(written)
    (finding,) = caught.value.diagnostics
    assert (finding.code, hint in finding.detail) == (code, True)
    assert finding.span is not None
    assert finding.span.line == 12
    assert finding.address.startswith("resources.r.properties.p")


@pytest.mark.parametrize(
    "written",
    ["{get_resources: {action: std.noop}}", "{if: only}", "{filter: x, other: y}", "{get_param: name, b: c}", "{}"],
)
def test_a_map_that_only_looks_like_a_call_stays_a_map(written: str, built: Built) -> None:
    if written == "{if: only}":
        assert isinstance(built(written, version="2015-10-15"), MapOf)
    else:
        assert isinstance(built(written), MapOf)


def test_two_armed_if_and_permutations_are_refused_where_they_are_not_yet(built: Built) -> None:
    for call in ("{if: [wanted, a]}", "{repeat: {template: a, for_each: {b: [a]}, permutations: false}}"):
        with pytest.raises(Invalid):
            built(call, version="2017-02-24")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_text(
    findings: Callable[..., tuple[Diagnostic, ...]],
) -> None:
    found = findings(
        """\
        heat_template_version: 2018-08-31
        parameters:
          a: {type: strng}
        resources:
          r:
            type: OS::Heat::Value
            propertys: {}
            properties: {value: {get_param: b}, type: {get_attr: [s, t]}}
        outputs:
          o: {valeu: 1}
        """
    )
    assert [(one.code, one.span.line if one.span else 0) for one in found] == [
        ("UnknownParameterType", 3),
        ("UnknownKey", 7),
        ("UnknownParameter", 8),
        ("InvalidTemplateReference", 8),
        ("UnknownKey", 10),
    ]
