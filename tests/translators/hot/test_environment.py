"""Environments and the resource registry (heat.md TE rows)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from engine.model.diagnostic import Diagnostic, Invalid
from engine.model.expression import Literal, MapOf, ResourceRef
from engine.model.source import Source, Unanswered
from engine.model.template import Parameter, ParameterType, Template
from translators.hot.environment import combine, read_environment
from translators.operator import Operator
from translators.parsing import declared_anywhere, declared_parameters, parse
from translators.registry import Registry

Parse = Callable[..., Template]
Find = Callable[..., tuple[Diagnostic, ...]]


# --- documents --------------------------------------------------------------------------------------------------------
def test_an_environment_is_text_or_a_map_te_01() -> None:
    assert read_environment("parameters: {a: 1}") == {"parameters": {"a": 1}}
    assert read_environment({"parameters": {"a": 1}}) == {"parameters": {"a": 1}}
    assert read_environment("") == read_environment(None) == read_environment("# nothing\n~") == {}


@pytest.mark.parametrize(
    ("row", "given", "said"),
    [
        ("TE-01", {"parameter": {}}, "wrong section"),
        ("TE-01", {"parameters": None}, "empty section"),
        ("TE-01", {"parameters": []}, "must be a map"),
        ("TE-01", "[]", "not a valid YAML mapping"),
        ("TE-18", {"key_name": "x"}, "wrong section"),
        ("TE-06", {"parameter_merge_strategies": {"a": "append"}}, "no merge strategy"),
        ("TE-13", {"resource_registry": {"resources": {"r": {"hooks": "pre-begin"}}}}, 'Invalid hook "pre-begin"'),
        ("TE-14", {"resource_registry": {"resources": {"a": {"b": {"restricted_actions": ["delete"]}}}}},
         'Invalid restricted action "delete"'),
        ("TE-15", {"event_sinks": [{"type": "zaqar-queue"}]}, "needs the name of a queue"),
        ("TE-15", {"event_sinks": [{"type": "zaqar-queue", "target": "q", "ttl": 5}]}, "from 60 to"),
        ("TE-15", {"event_sinks": [{"type": "zaqar-queue", "target": "q", "tll": 90}]}, "nothing that an event sink"),
        ("TE-15", {"event_sinks": [{"type": "mail", "target": "q"}]}, "no event sink of the type"),
        ("TE-15", {"event_sinks": ["q"]}, "must be a map"),
        ("TE-07", {"resource_registry": {"A": 1}}, "no type's name"),
    ],
)  # fmt: skip
def test_a_wrong_environment_is_told(row: str, given: Any, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_environment(given)
    assert said in caught.value.diagnostics[0].summary


def test_a_document_that_cannot_be_read_is_told_with_its_place() -> None:
    with pytest.raises(Invalid) as caught:
        read_environment("parameters:\n  a: [", name="env.yaml")
    assert str(caught.value.diagnostics[0].span) == "env.yaml:3:1"


# --- precedence and merging -------------------------------------------------------------------------------------------
DECLARED = {
    name: Parameter(name, kind)
    for name, kind in {
        "s": ParameterType.STRING, "n": ParameterType.NUMBER, "l": ParameterType.LIST, "j": ParameterType.JSON,
        "b": ParameterType.BOOLEAN,
    }.items()
}  # fmt: skip


def merged(files: list[Mapping[str, Any]], **parameters: Any) -> Mapping[str, Any]:
    named = {f"file:///{i}.yaml": repr(dict(one)).replace("True", "true") for i, one in enumerate(files)}
    return combine(None, list(named), named, parameters, DECLARED).parameters


def test_the_request_wins_over_the_bodys_environment_te_03() -> None:
    found = combine({"parameters": {"s": "env", "n": 1}, "parameter_defaults": {"l": "d"}}, (), {}, {"s": "req"}, {})
    assert found.parameters == {"s": "req", "n": 1}
    assert found.environment == {"parameter_defaults": {"l": "d"}}


def test_files_win_over_the_request_and_later_files_over_earlier_te_04_trap_10() -> None:
    assert merged([{"parameters": {"s": "one", "n": 1}}, {"parameters": {"s": "two"}}], s="req") == {"s": "two", "n": 1}


def test_unknown_names_of_files_are_dropped_only_beside_others_te_04() -> None:
    assert merged([{"parameters": {"zz": 1}}], s="req") == {"s": "req"}
    assert merged([{"parameters": {"zz": 1}}]) == {"zz": 1}


def test_with_files_the_bodys_environment_is_ignored_te_05() -> None:
    found = combine("parameters: {s: body}", ["f"], {"f": "parameters: {n: 2}"}, {}, DECLARED)
    assert found.parameters == {"n": 2}


def test_a_missing_environment_file_is_told_te_05() -> None:
    with pytest.raises(Invalid) as caught:
        combine(None, ["a.yaml", "b.yaml"], {}, {}, {})
    assert [one.code for one in caught.value.diagnostics] == ["MissingFile", "MissingFile"]


@pytest.mark.parametrize(
    ("name", "old", "new", "strategy", "result"),
    [
        ("s", "a", "b", "overwrite", "b"),
        ("s", "a", "b", "merge", "ab"),
        ("n", 1, 2, "merge", 3),
        ("l", "a,b", "c", "merge", ["a", "b", "c"]),
        ("l", ["a"], ["b"], "merge", ["a", "b"]),
        ("j", {"a": {"x": 1}}, {"a": {"y": 2}}, "merge", {"a": {"y": 2}}),
        ("j", {"a": {"x": 1}}, {"a": {"y": 2}}, "deep_merge", {"a": {"x": 1, "y": 2}}),
        ("j", '{"a": [1]}', {"a": [2]}, "deep_merge", {"a": [1, 2]}),
    ],
)
def test_parameters_are_merged_by_their_strategy_te_06(
    name: str, old: Any, new: Any, strategy: str, result: Any
) -> None:
    second = {"parameters": {name: new}, "parameter_merge_strategies": {name: strategy}}
    first = {"parameters": {name: old}, "parameter_merge_strategies": {"default": strategy}}
    assert merged([first, second]) == {name: result}


def test_conflicting_strategies_are_an_error_te_06() -> None:
    one = {"parameters": {"s": "a"}, "parameter_merge_strategies": {"s": "merge"}}
    two = {"parameters": {"s": "b"}, "parameter_merge_strategies": {"s": "overwrite"}}
    with pytest.raises(Invalid, match="Conflicting merge strategies"):
        merged([one, two])


def test_booleans_cannot_be_merged_te_06() -> None:
    one = {"parameters": {"b": True}, "parameter_merge_strategies": {"b": "merge"}}
    with pytest.raises(Invalid, match="cannot be merged"):
        merged([one, one])


def test_registries_are_merged_te_05() -> None:
    files = {
        "a": "resource_registry: {A: B, resources: {r: {X: Y}}}",
        "b": "resource_registry: {C: D, resources: {s: {X: Y}}}",
    }
    found = combine(None, ["a", "b"], files, {}, {}).environment["resource_registry"]
    assert found == {"A": "B", "C": "D", "resources": {"r": {"X": "Y"}, "s": {"X": "Y"}}}


def test_declared_parameters_are_read_of_either_dialect_in_spite_of_other_mistakes() -> None:
    hot = "heat_template_version: newton\nparameters: {p: {type: json}}\nresources: {r: {}}"
    cfn = '{"Parameters": {"P": {"Type": "Number"}}, "Resources": {"R": {}}}'
    assert declared_parameters(Source(hot))["p"].type is ParameterType.JSON
    assert declared_parameters(Source(cfn))["P"].type is ParameterType.NUMBER


def test_files_of_environments_speak_to_nested_templates_too_te_02_te_04() -> None:
    child = "heat_template_version: newton\nparameters: {inner: {type: string}, same: {type: json}}"
    files = {
        "child.yaml": child, "broken.yaml": "heat_template_version: never", "script.sh": "#!/bin/sh",
        "a": "parameter_defaults: {inner: a, same: 1, stranger: 1}",
        "b": "parameter_defaults: {inner: b, same: 2, stranger: 2}\nparameter_merge_strategies: {same: merge}",
    }  # fmt: skip
    declared = declared_anywhere(Source("heat_template_version: newton\nparameters: {same: {type: number}}", files))
    assert {name: one.type for name, one in declared.items()} == {
        "inner": ParameterType.STRING, "same": ParameterType.NUMBER,
    }  # fmt: skip
    files["a"] += "\nparameter_merge_strategies: {same: merge}"
    found = combine(None, ["a", "b"], files, {}, declared)
    assert found.environment["parameter_defaults"] == {"inner": "b", "same": 3, "stranger": 1}


# --- the registry -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("row", "entries", "kind", "resource", "expected"),
    [
        ("TE-07", {"OS::A::B": "OS::C::D"}, "OS::A::B", "r", "OS::C::D"),
        ("TE-07", {"A": "B", "B": "C"}, "A", "r", "C"),
        ("TE-07", {"A": "B", "B": "A"}, "A", "r", "A"),
        ("TE-07", {}, "OS::A::B", "r", "OS::A::B"),
        ("TE-09", {"OS::Net*": "OS::Neutron*"}, "OS::Network", "r", "OS::Neutronwork"),
        ("TE-09", {"OS::X::*": "OS::Heat::None"}, "OS::X::Y", "r", "OS::Heat::None"),
        ("TE-09", {"OS::X::*": "OS::X::Y"}, "OS::X::Z", "r", "OS::X::Y"),
        ("TE-09", {"OS::X::*": "OS::X::Y"}, "OS::X::Y", "r", "OS::X::Y"),
        ("TE-12", {"OS::*": "A", "OS::X::*": "B"}, "OS::X::Y", "r", "B"),
        ("TE-12", {"OS::X::*": "A", "OS::X::Y": "B"}, "OS::X::Y", "r", "B"),
        ("TE-11", {"T": "A", "resources": {"r": {"T": "B"}}}, "T", "r", "B"),
        ("TE-11", {"T": "A", "resources": {"r": {"T": "B"}}}, "T", "s", "A"),
        ("TE-11", {"resources": {"web_*": {"T": "B"}, "web_1": {"T": "C"}}}, "T", "web_1", "C"),
        ("TE-11", {"resources": {"web_*": {"T": "B"}}}, "T", "web_1", "B"),
        ("TE-17", {}, "OS::Quantum::Net", "r", "OS::Neutron::Net"),
        ("TE-17", {}, "OS::Ceilometer::Alarm", "r", "OS::Aodh::Alarm"),
        ("TE-10", {"OS::Quantum*": None}, "OS::Quantum::Net", "r", "OS::Quantum::Net"),
        ("TE-10", {"OS::Ceilometer::*": None}, "OS::Ceilometer::Alarm", "r", "OS::Ceilometer::Alarm"),
    ],
)  # fmt: skip
def test_a_type_stands_for_what_the_registry_says(
    row: str, entries: Mapping[str, Any], kind: str, resource: str, expected: str
) -> None:
    assert Registry(entries).resolve(kind, resource) == expected


CHILD = "heat_template_version: newton\nparameters: {a: {type: string}}\nresources: {x: {type: file:///g.yaml}}"
URL = "https://example.org/c.yaml"
PARENT = """\
heat_template_version: newton
resources:
  o: {type: OS::Heat::None}
  r:
    type: KIND
    properties: {a: {get_resource: o}}
    depends_on: o
"""


def nested(template: Template) -> dict[str, Any]:
    """The properties of the nested stack `r`, literals as values."""
    found = template.resources["r"]
    assert found.type == "OS::Heat::TemplateResource"
    return {name: value.value if isinstance(value, Literal) else value for name, value in found.properties.entries}


@pytest.mark.parametrize(
    ("kind", "registry"),
    [("file:///c.yaml", {}), ("My::Type", {"My::Type": "file:///c.yaml"}), ("My::Type", {"My::*": "file:///c.yaml"})],
)
def test_a_type_that_is_a_template_becomes_a_nested_stack_te_08_te_20(
    kind: str, registry: Mapping[str, Any], template: Parse
) -> None:
    files = {"file:///c.yaml": CHILD, "file:///g.yaml": "heat_template_version: newton", "file:///other": "x"}
    found = nested(template(PARENT.replace("KIND", kind), files, resource_registry=registry))
    assert (found["template"], found["type"]) == (CHILD, kind)
    assert found["parameters"] == MapOf((("a", ResourceRef("o")),))
    assert set(found) == {"template", "files", "environment", "type", "path", "parameters"}
    assert {"file:///g.yaml"} <= set(found["files"])
    assert "file:///other" not in found["files"]


def test_a_url_as_a_type_is_asked_for_te_08() -> None:
    source = Source(PARENT.replace("KIND", URL))
    with pytest.raises(Unanswered) as asked:
        parse(source)
    (question,) = asked.value.questions
    assert (question.kind, question.subject) == ("template", URL)
    assert question.span is not None
    found = nested(parse(replace(source, answers={question.key: CHILD})))
    assert (found["template"], found["path"]) == (CHILD, URL)
    later = nested(parse(replace(source, answers={question.key: ""})))
    assert (later["url"], "template" in later) == (URL, False)


def test_a_url_in_the_registry_is_asked_for_once_beside_other_mistakes_not_at_all_te_08() -> None:
    text = PARENT.replace("KIND", "My::Type") + "  s: {type: My::Type}\n"
    source = Source(text, environment={"resource_registry": {"My::*": URL}})
    with pytest.raises(Unanswered) as asked:
        parse(source)
    assert len(asked.value.questions) == 1
    with pytest.raises(Invalid) as refused:
        parse(replace(source, text=text + "  t: {type: c.yaml}\n"))
    assert [one.code for one in refused.value.diagnostics] == ["MissingFile"]


def test_the_operators_environment_holds_for_every_stack_te_17() -> None:
    operator = Operator({"My::*": "file:///opt/c.yaml", "Other": "OS::Heat::None"}, {"file:///opt/c.yaml": CHILD})
    source = Source(PARENT.replace("KIND", "My::Type"))
    assert nested(parse(source, operator))["template"] == CHILD
    mine = replace(source, environment={"resource_registry": {"My::Type": "OS::Heat::Value"}})
    assert parse(mine, operator).resources["r"].type == "OS::Heat::Value"
    removed = replace(source, environment={"resource_registry": {"My::*": None}})
    assert parse(removed, operator).resources["r"].type == "My::Type"
    with pytest.raises(Invalid):
        parse(replace(source, text=source.text.replace("My::Type", "file:///etc/c.yaml")), operator)


def test_a_template_that_was_not_sent_is_told_te_23(findings: Find) -> None:
    (found,) = findings(PARENT.replace("KIND", "c.yaml"), {"file:///d.yaml": ""})
    assert (found.code, found.address) == ("MissingFile", "resources.r.type")
    assert found.span is not None
    assert found.span.line == 5


def test_a_child_inherits_the_registry_and_the_defaults_te_19(template: Parse) -> None:
    registry = {"A": "B", "resources": {"r": {"C": "D", "x": {"E": "F"}}, "o": {"y": {"G": "H"}}}}
    found = nested(
        template(PARENT.replace("KIND", "c.yaml"), {"c.yaml": CHILD.replace("file:///g.yaml", "A")},
                 resource_registry=registry, parameter_defaults={"p": 1}, encrypted_param_names=[])
    )  # fmt: skip
    assert found["environment"] == {
        "parameter_defaults": {"p": 1},
        "resource_registry": {"A": "B", "resources": {"x": {"E": "F"}}},
    }


def test_the_registry_holds_for_cloudformation_templates_too() -> None:
    text = '{"Resources": {"R": {"Type": "My::Own::Type", "Properties": {"A": "b"}}}}'
    source = Source(text, files={"c.yaml": CHILD}, environment={"resource_registry": {"My::Own::*": "c.yaml"}})
    found = parse(source).resources["R"]
    assert found.type == "OS::Heat::TemplateResource"


GROUP = """\
heat_template_version: newton
resources:
  g:
    type: OS::Heat::ResourceGroup
    properties: {count: 2, resource_def: {type: KIND, properties: {a: "%index%"}, metadata: {m: 1}}}
"""


def definition(template: Template) -> dict[str, Any]:
    found = template.resources["g"].properties.get("resource_def")
    assert isinstance(found, MapOf)
    return dict(found.entries)


def test_members_of_a_group_may_be_templates_te_08(template: Parse) -> None:
    found = definition(template(GROUP.replace("KIND", "My::Node"), {"n.yaml": CHILD},
                                resource_registry={"My::Node": "n.yaml"}))  # fmt: skip
    assert found["type"] == Literal("OS::Heat::TemplateResource")
    assert found["metadata"] == MapOf((("m", Literal(1)),))
    inner = dict(found["properties"].entries)
    assert inner["template"] == Literal(CHILD)
    assert inner["type"] == Literal("My::Node")
    assert inner["parameters"] == MapOf((("a", Literal("%index%")),))


def test_members_of_a_group_may_be_mapped_types_te_07(template: Parse) -> None:
    mapped = {"OS::A::B": "OS::Heat::None", "resources": {"g": {"0": {"OS::C::D": "OS::E::F"}}}}
    assert definition(template(GROUP.replace("KIND", "OS::A::B"), resource_registry=mapped))["type"] == Literal(
        "OS::Heat::None"
    )


def test_a_members_template_that_was_not_sent_is_told_te_23(findings: Find) -> None:
    (found,) = findings(GROUP.replace("KIND", "n.yaml"))
    assert (found.code, found.address) == ("MissingFile", "resources.g.properties.resource_def.type")
    assert found.span is not None
    assert found.span.line == 5
