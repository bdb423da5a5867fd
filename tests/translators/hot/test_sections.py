"""The sections of HOT templates: what they become, and what is refused (heat.md TV, TP and TR rows)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.model import expression as x
from engine.model.diagnostic import Diagnostic
from engine.model.expression import Literal, MapOf
from engine.model.template import (
    MISSING,
    Constraint,
    DeletionPolicy,
    Dialect,
    ParameterGroup,
    ParameterType,
    Template,
)

Parse = Callable[..., Template]
Find = Callable[..., tuple[Diagnostic, ...]]


def codes(found: tuple[Diagnostic, ...]) -> list[str]:
    return [one.code for one in found]


# --- the template -----------------------------------------------------------------------------------------------------
def test_a_template_may_have_nothing_but_its_version(template: Parse) -> None:
    found = template("heat_template_version: 2013-05-23")
    assert (found.dialect, found.version, found.resources) == (Dialect.HOT, "2013-05-23", {})


def test_null_sections_are_empty_tr_12(template: Parse) -> None:
    text = "heat_template_version: 2016-10-14\n" + "".join(
        f"{section}: null\n" for section in ("parameters", "resources", "outputs", "conditions", "parameter_groups")
    )
    assert template(text).resources == {}


@pytest.mark.parametrize(
    ("row", "text", "code", "line", "column"),
    [
        ("TV-14", "description: x", "NoTemplateVersion", 1, 1),
        ("TV-14", "[]", "NotAMap", 1, 1),
        ("TV", "heat_template_version: 2013-05-24", "InvalidTemplateVersion", 1, 24),
        ("TV", "heat_template_version:", "InvalidTemplateVersion", 1, 23),
        ("TV-17", "heat_template_version: 2013-05-23\nresource: {}", "InvalidTemplateSection", 2, 1),
        ("TV-17", "heat_template_version: 2013-05-23\nResources: {}", "InvalidTemplateSection", 2, 1),
        ("TV-06", "heat_template_version: 2016-04-08\nconditions: {}", "InvalidTemplateSection", 2, 1),
        ("TV-17", "heat_template_version: 2016-04-08\nresources: []", "InvalidTemplateSection", 2, 12),
        ("TV-17", "heat_template_version: 2016-04-08\nparameters: text", "InvalidTemplateSection", 2, 13),
        ("TV-18", "heat_template_version: newton\nparameters: {a: {type: string}}\nresources:\n  a: {type: OS::A::B}",
         "DuplicateName", 4, 3),
    ],
)  # fmt: skip
def test_a_wrong_frame_is_told(row: str, text: str, code: str, line: int, column: int, findings: Find) -> None:
    (found,) = findings(text)
    assert found.span is not None
    assert (found.code, found.span.line, found.span.column) == (code, line, column)


def test_the_nearest_section_and_version_are_named(findings: Find) -> None:
    assert findings("heat_template_version: 2013-05-23\nResources: {}")[0].detail == "Did you mean resources?"
    assert findings("heat_template_version: 2013-5-23")[0].detail == "Did you mean 2013-05-23?"


# --- parameters -------------------------------------------------------------------------------------------------------
def test_a_parameter_has_all_its_keys_tp_02(template: Parse) -> None:
    found = template(
        """\
        heat_template_version: 2018-03-02
        parameters:
          p:
            type: number
            label: L
            description: D
            default: 3
            hidden: true
            immutable: yes
            tags: [a, b]
            constraints:
              - range: {min: 1, max: 5}
                description: small
              - modulo: {step: 2, offset: 1}
              - allowed_values: [1, 3, 5]
              - custom_constraint: nova.flavor
        """
    ).parameters["p"]
    assert (found.type, found.label, found.description, found.default) == (ParameterType.NUMBER, "L", "D", 3)
    assert (found.hidden, found.immutable, found.tags) == (True, True, ("a", "b"))
    assert found.constraints == (
        Constraint(range=(1, 5), description="small"),
        Constraint(modulo=(2, 1)),
        Constraint(allowed_values=(1, 3, 5)),
        Constraint(custom="nova.flavor"),
    )


@pytest.mark.parametrize(
    ("row", "body", "default"),
    [
        ("TP-01", "{type: string}", MISSING),
        ("TP-01", "{type: string, default: null}", MISSING),
        ("TP-01", "{type: string, default: ''}", ""),
        ("TV-15", "{type: string, default: 2013-05-23}", "2013-05-23"),
        ("TP-13", "{type: json, default: {a: [1]}}", {"a": [1]}),
        ("TP-13", "{type: json, default: '{\"a\": 1}'}", '{"a": 1}'),
        ("TP-14", "{type: comma_delimited_list, default: [a, 1]}", ["a", 1]),
        ("TP-15", "{type: boolean, default: off}", False),
    ],
)
def test_a_default_is_kept_as_written(row: str, body: str, default: Any, template: Parse) -> None:
    assert template(f"heat_template_version: 2013-05-23\nparameters: {{p: {body}}}").parameters["p"].default == default


@pytest.mark.parametrize(
    ("row", "body", "code"),
    [
        ("TP-01", "{}", "MissingKey"),
        ("TP-01", "{type: String}", "UnknownParameterType"),
        ("TP-01", "text", "InvalidDefinition"),
        ("TP-02", "{type: string, Default: a}", "UnknownKey"),
        ("TP-02", "{type: string, tags: [a]}", "UnknownKey"),
        ("TP-02", "{type: string, hidden: maybe}", "InvalidDefinition"),
        ("TP-12", "{type: string, default: [a]}", "ParameterDefaultInvalid"),
        ("TP-03", "{type: number, constraints: [{length: {min: 1}}]}", "InvalidConstraint"),
        ("TP-03", "{type: string, constraints: [{length: {}}]}", "InvalidConstraint"),
        ("TP-03", "{type: string, constraints: [{length: {least: 1}}]}", "UnknownKey"),
        ("TP-04", "{type: string, constraints: [{range: {min: 1}}]}", "InvalidConstraint"),
        ("TP-04", "{type: number, constraints: [{range: {min: a}}]}", "InvalidConstraint"),
        ("TP-05", "{type: number, constraints: [{modulo: {step: 2}}]}", "UnknownKey"),
        ("TP-06", "{type: string, constraints: [{allowed_values: a}]}", "InvalidConstraint"),
        ("TP-07", "{type: string, constraints: [{allowed_pattern: '['}]}", "InvalidConstraint"),
        ("TP-08", "{type: string, constraints: [{custom_constraint: nova.flavour}]}", "UnknownConstraint"),
        ("TP-09", "{type: string, constraints: [{description: only}]}", "InvalidConstraint"),
        ("TP-09", "{type: string, constraints: {length: {min: 1}}}", "InvalidConstraint"),
    ],
)
def test_a_wrong_parameter_is_told(row: str, body: str, code: str, findings: Find) -> None:
    found = findings(f"heat_template_version: 2016-10-14\nparameters: {{p: {body}}}")
    assert codes(found) == [code]
    assert all(one.span is not None and one.address.startswith("parameters.p") for one in found)


def test_parameter_groups_are_kept_tp_19(template: Parse) -> None:
    text = "heat_template_version: 2016-10-14\nparameters: {a: {type: string}}\n"
    found = template(text + "parameter_groups: [{label: L, description: D, parameters: [a]}]")
    assert found.parameter_groups == (ParameterGroup("L", "D", ("a",)),)


@pytest.mark.parametrize(
    ("groups", "code"),
    [
        ("[{parameters: [b]}]", "UnknownParameter"),
        ("[{parameters: [a]}, {parameters: [a]}]", "DuplicateName"),
        ("[{label: L}]", "MissingKey"),
        ("{label: L}", "InvalidTemplateSection"),
        ("[{parameters: [a], name: b}]", "UnknownKey"),
    ],
)
def test_a_wrong_parameter_group_is_told_tp_19(groups: str, code: str, findings: Find) -> None:
    text = f"heat_template_version: 2016-10-14\nparameters: {{a: {{type: string}}}}\nparameter_groups: {groups}"
    assert codes(findings(text)) == [code]


# --- resources --------------------------------------------------------------------------------------------------------
def test_a_resource_has_all_its_keys(template: Parse) -> None:
    found = template(
        """\
        heat_template_version: 2016-10-14
        conditions: {c: true}
        resources:
          a: {type: OS::Heat::None}
          r:
            type: OS::Nova::Server
            properties: {name: {get_resource: a}, if: plain}
            metadata: {m: {get_resource: a}}
            depends_on: [a, a]
            deletion_policy: retain
            update_policy: {batch: 1}
            description: D
            condition: c
        """
    ).resources["r"]
    assert (found.type, found.depends_on, found.deletion_policy) == ("OS::Nova::Server", ("a",), DeletionPolicy.RETAIN)
    assert found.properties == MapOf((("name", x.ResourceRef("a")), ("if", Literal("plain"))))
    assert found.metadata == MapOf((("m", x.ResourceRef("a")),))
    assert found.condition == x.ConditionRef("c")
    assert (found.update_policy, found.description) == (MapOf((("batch", Literal(1)),)), "D")
    assert found.span is not None
    assert (found.span.line, found.span.column) == (5, 3)


@pytest.mark.parametrize(
    ("row", "version", "body", "code"),
    [
        ("TR-01", "2016-10-14", "{}", "MissingKey"),
        ("TR-01", "2016-10-14", "{type: [a]}", "InvalidDefinition"),
        ("TR-01", "2016-10-14", "text", "InvalidDefinition"),
        ("TR-02", "2016-10-14", "{type: OS::A::B, properties: [a]}", "InvalidDefinition"),
        ("TR-02", "2016-10-14", "{type: OS::A::B, property: {}}", "UnknownKey"),
        ("TR-15", "2016-10-14", "{type: OS::A::B, Properties: {}}", "UnknownKey"),
        ("TR-04", "2016-10-14", "{type: OS::A::B, depends_on: s}", "InvalidTemplateReference"),
        ("TR-04", "2016-10-14", "{type: OS::A::B, depends_on: r}", "CircularDependency"),
        ("TR-04", "2016-10-14", "{type: OS::A::B, depends_on: [{a: b}]}", "InvalidFunctionArgument"),
        ("TR-05", "2016-10-14", "{type: OS::A::B, deletion_policy: keep}", "InvalidPolicy"),
        ("TR-05", "2016-04-08", "{type: OS::A::B, deletion_policy: retain}", "InvalidPolicy"),
        ("TR-08", "2016-04-08", "{type: OS::A::B, external_id: x}", "UnknownKey"),
        ("TR-09", "2016-04-08", "{type: OS::A::B, condition: true}", "UnknownKey"),
        ("TR-09", "2016-10-14", "{type: OS::A::B, condition: c}", "UnknownCondition"),
        ("TR-13", "2016-10-14", "{type: OS::A::B, metadata: {get_resource: s}}", "InvalidTemplateReference"),
    ],
)
def test_a_wrong_resource_is_told(row: str, version: str, body: str, code: str, findings: Find) -> None:
    found = findings(f"heat_template_version: {version}\nresources:\n  r: {body}")
    assert codes(found) == [code]
    assert found[0].span is not None
    assert (found[0].span.line, found[0].address.startswith("resources.r")) == (3, True)


def test_a_reference_to_no_resource_has_heats_sentence_tr_13(findings: Find) -> None:
    (found,) = findings("heat_template_version: 2016-10-14\nresources:\n  r: {type: OS::A::B, depends_on: s}")
    assert found.summary == 'The specified reference "s" (in resources.r.depends_on) is incorrect.'


@pytest.mark.parametrize("name", ["a/b", "''", "x" * 256])
def test_a_wrong_name_is_told_apix_14(name: str, findings: Find) -> None:
    assert codes(findings(f"heat_template_version: 2016-10-14\nresources: {{{name}: {{type: OS::A::B}}}}")) == [
        "InvalidName"
    ]


def test_a_circle_is_told_with_all_its_members_tr_13(findings: Find) -> None:
    (found,) = findings(
        """\
        heat_template_version: 2016-10-14
        resources:
          a: {type: OS::A::B, properties: {x: {get_resource: b}}}
          b: {type: OS::A::B, depends_on: c}
          c: {type: OS::A::B, properties: {x: [{y: {get_attr: [a, z]}}]}}
          d: {type: OS::A::B, depends_on: a}
        """
    )
    assert found.code == "CircularDependency"
    assert found.detail.startswith("a needs b needs c needs a.")
    assert found.span is not None
    assert found.span.line == 3


@pytest.mark.parametrize(
    "body",
    [
        "conditions: {c: true}\nresources:\n  a: {type: T, properties: {x: {if: [c, {get_resource: b}, 1]}}}\n"
        "  b: {type: T, properties: {x: {if: [c, 1, {get_resource: a}]}}}",
        "conditions: {c: true}\nresources:\n  a: {type: T, condition: c, depends_on: b}\n  b: {type: T, depends_on: a}",
    ],
)
def test_a_circle_that_conditions_may_open_is_left_to_the_engine(body: str, findings: Find) -> None:
    assert findings(f"heat_template_version: 2016-10-14\n{body}") == ()


# --- conditions and outputs -------------------------------------------------------------------------------------------
def test_conditions_are_functions_names_and_booleans_tr_11(template: Parse) -> None:
    found = template(
        """\
        heat_template_version: 2016-10-14
        parameters: {p: {type: string}}
        conditions:
          a: true
          b: a
          c: {not: {equals: [{get_param: p}, x]}}
        """
    ).conditions
    assert found["a"] == Literal(True)
    assert found["b"] == x.ConditionRef("a")
    assert found["c"] == x.Not(x.Equals(x.ParameterRef("p"), Literal("x")))


@pytest.mark.parametrize(
    ("conditions", "code"),
    [
        ("{a: b}", "UnknownCondition"),
        ("{a: {get_resource: r}}", "UnknownFunction"),
        ("{a: {equals: [1]}}", "InvalidFunctionArgument"),
        ("{a: {and: [true]}}", "InvalidFunctionArgument"),
        ("{a: {x: y, z: w}}", "InvalidCondition"),
        ("{a: [true]}", "InvalidCondition"),
        ("{a: b, b: c, c: {not: a}}", "CircularCondition"),
        ("{a: {not: a}}", "CircularCondition"),
    ],
)
def test_a_wrong_condition_is_told_tr_11(conditions: str, code: str, findings: Find) -> None:
    found = findings(f"heat_template_version: 2016-10-14\nconditions: {conditions}")
    assert codes(found) == [code]
    assert found[0].span is not None


def test_an_output_has_its_keys_tr_10(template: Parse) -> None:
    text = "heat_template_version: 2016-10-14\nconditions: {c: true}\noutputs:\n"
    found = template(text + "  o: {value: {list_join: ['', [a]]}, description: D, condition: c}\n  n: {value: null}")
    assert found.outputs["o"].description == "D"
    assert found.outputs["o"].condition == x.ConditionRef("c")
    assert found.outputs["n"].value == Literal(None)


@pytest.mark.parametrize(
    ("body", "code"),
    [("{}", "MissingKey"), ("{value: 1, Description: D}", "UnknownKey"), ("text", "InvalidDefinition"),
     ("{value: {get_attr: [r, x]}}", "InvalidTemplateReference")],
)  # fmt: skip
def test_a_wrong_output_is_told_tr_10(body: str, code: str, findings: Find) -> None:
    assert codes(findings(f"heat_template_version: 2016-10-14\noutputs: {{o: {body}}}")) == [code]
