"""The public translator: dispatch, lowering, the cache."""

from __future__ import annotations

import pytest

from engine.model.diagnostic import Invalid
from engine.model.source import Source
from engine.model.source import Translator as Contract
from engine.model.template import Dialect
from mappings import Mappings
from translators.translator import _CACHED, Translator

HOT = "heat_template_version: 2018-08-31\nresources: {r: {type: OS::Heat::None}}\n# "
CFN = "Resources: {R: {Type: OS::Heat::None}}"


@pytest.fixture(name="translator")
def _translator() -> Translator:
    return Translator(Mappings())


def test_it_keeps_the_engines_contract(translator: Translator) -> None:
    contract: Contract = translator
    assert contract.translate(Source(HOT)).dialect is Dialect.HOT


def test_the_version_key_chooses_the_language_tv_14(translator: Translator) -> None:
    assert translator.translate(Source(CFN)).dialect is Dialect.CFN
    with pytest.raises(Invalid) as caught:
        translator.translate(Source("a: b"))
    assert caught.value.diagnostics[0].summary == "Template format version not found."


@pytest.mark.parametrize(
    "text",
    [
        "heat_template_version: rocky\nresources: {v: {type: AWS::EC2::VPC, properties: {CidrBlock: 10.0.0.0/16}}}",
        "Resources: {v: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}}",
    ],
)
def test_types_of_aws_are_lowered_in_both_dialects(text: str, translator: Translator) -> None:
    found = translator.translate(Source(text))
    assert found.groups["v"].type == "AWS::EC2::VPC"
    assert not any(one.type.startswith("AWS::") for one in found.resources.values())


def test_the_same_source_is_translated_once(translator: Translator) -> None:
    first = translator.translate(Source(HOT, files={"a": "b"}, environment={"parameter_defaults": {"c": 1}}))
    again = translator.translate(Source(HOT, files={"a": "b"}, environment={"parameter_defaults": {"c": 1}}))
    assert again is first
    assert translator.translate(Source(HOT, files={"a": "c"})) is not first


def test_parameters_do_not_make_another_template(translator: Translator) -> None:
    assert translator.translate(Source(HOT, parameters={"a": 1})) is translator.translate(Source(HOT))


def test_the_cache_is_bounded_by_number_and_by_size(translator: Translator) -> None:
    for number in range(_CACHED + 10):
        translator.translate(Source(HOT + str(number)))
    assert len(translator._cache) == _CACHED
    for number in range(5):
        translator.translate(Source(HOT + "x" * 900_000 + str(number)))
    assert len(translator._cache) <= 3
