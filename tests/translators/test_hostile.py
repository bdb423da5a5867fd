"""What `make fuzz` has found: texts that made a crash or took minutes."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from engine.door import TemplateCheck
from engine.expr.parameters import bind
from engine.model.diagnostic import Invalid
from engine.model.source import Source
from engine.plan.deployment import deploy
from engine.plan.planner import plan_changes
from engine.plan.scope import Facts, View
from engine.resources.base import StackIdentity
from engine.resources.registry import Registry
from mappings import Mappings
from translators.hot.environment import read_environment
from translators.translator import Translator

_IDENTITY = StackIdentity("id", "name", "project", "id", "")


def planned(resources: dict[str, Any], parameters: dict[str, Any] | None = None, **given: Any) -> None:
    """Take it as far as a plan. Raises Invalid."""
    document = {"heat_template_version": "2021-04-16", "parameters": parameters or {}, "resources": resources}
    translator, registry = Translator(Mappings()), Registry(plugins=False)
    template = translator.translate(Source(json.dumps(document)))
    deployment = deploy(template, bind(template, given), _IDENTITY, Facts(), registry)
    TemplateCheck(translator, registry).check(deployment)
    deployment.scope(View())
    plan_changes(deployment, {}, registry)


def value(expression: Any) -> dict[str, Any]:
    return {"v": {"type": "OS::Heat::Value", "properties": {"value": expression}}}


def code_of(error: pytest.ExceptionInfo[Invalid]) -> set[str]:
    return {one.code for one in error.value.diagnostics}


_TEXT = "ab" * 50_000


@pytest.mark.parametrize(
    "expression",
    [
        {"str_replace": {"template": _TEXT, "params": {"a": _TEXT, "b": _TEXT}}},
        {"list_join": [_TEXT, ["x"] * 1000]},
        {"repeat": {"template": {"repeat": {"template": "x y", "for_each": {"x": list(range(9000))}}},
                    "for_each": {"y": list(range(9000))}}},
    ],
    ids=["str_replace", "list_join", "repeat"],
)  # fmt: skip
def test_functions_that_would_fill_the_memory(expression: Any) -> None:
    began = time.process_time()
    with pytest.raises(Invalid) as caught:
        planned(value(expression))
    assert code_of(caught) == {"TooLarge"}
    assert time.process_time() - began < 3


def test_many_functions_together_make_no_more_than_one_may() -> None:
    many = [{"str_replace": {"template": {"get_param": "t"}, "params": {"b": "cde"}}}] * 900
    with pytest.raises(Invalid) as caught:
        planned(value(many), {"t": {"type": "string", "default": _TEXT}})
    assert code_of(caught) == {"TooLarge"}


def test_thousands_of_misspelt_names() -> None:
    began = time.process_time()
    properties = {f"nam{number}": 1 for number in range(3000)}
    with pytest.raises(Invalid) as caught:
        planned({"n": {"type": "OS::Neutron::Net", "properties": properties}})
    assert len(caught.value.diagnostics) == 3000
    assert time.process_time() - began < 5


def test_a_type_of_our_own_written_by_a_user() -> None:
    planned({"t": {"type": "OS::Heat::TemplateResource", "properties": {"template": "heat_template_version: rocky"}}})


def test_a_type_whose_name_no_file_could_have() -> None:
    for name in ("AWS::EC2::" + "é" * 300, "AWS::\x00::X", "AWS::..::..::loader"):
        text = json.dumps({"Resources": {"A": {"Type": name}}})
        with pytest.raises(Invalid):
            Translator(Mappings()).translate(Source(text))


@pytest.mark.parametrize(
    ("kind", "given"),
    [("number", "1e999"), ("json", "[" * 2000), ("json", '"\\ud800"'), ("json", "[" * 500 + "]" * 500)],
)
def test_values_of_parameters(kind: str, given: Any) -> None:
    with pytest.raises(Invalid) as caught:
        planned({}, {"p": {"type": kind}}, p=given)
    assert code_of(caught) == {"ParameterInvalid"}


def test_a_number_that_no_fraction_is_as_large_as() -> None:
    planned({}, {"p": {"type": "number"}}, p=10**400)
    planned({}, {"p": {"type": "number", "default": 10**400}})
    with pytest.raises(Invalid) as caught:
        planned({}, {"p": {"type": "number", "constraints": [{"modulo": {"step": 0.5, "offset": 0}}]}}, p=10**400 + 1)
    assert code_of(caught) == {"ParameterConstraint"}


@pytest.mark.parametrize(
    "text",
    [
        "parameter_merge_strategies: {a: [b]}",
        "parameter_merge_strategies: {a: {b: c}}",
        "resource_registry: {resources: {a: {hooks: [{}]}}}",
        "resource_registry: {resources: {a: {hooks: [[]]}}}",
    ],
)
def test_environments(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_environment(text)
    assert code_of(caught) == {"InvalidEnvironment"}


def test_keys_of_an_environment_are_text() -> None:
    found = read_environment("resource_registry: {null: A, yes: B, 1: C}\nparameters: {p: {1.5: x}}")
    assert found == {"resource_registry": {"null": "A", "true": "B", "1": "C"}, "parameters": {"p": {"1.5": "x"}}}
    document = Source(json.dumps({"heat_template_version": "2018-08-31"}), environment=found)
    Translator(Mappings()).translate(document)


def test_an_environment_with_thousands_of_mistakes_is_placed_soon() -> None:
    began = time.process_time()
    lines = "\n".join(f"  a{number}: [x]" for number in range(4000))
    with pytest.raises(Invalid) as caught:
        read_environment(f"resource_registry:\n{lines}")
    assert caught.value.diagnostics[-1].span is not None
    assert caught.value.diagnostics[-1].span.line == 4001
    assert time.process_time() - began < 3
