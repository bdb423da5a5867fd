"""What the corpus gives for parameters is what they take."""

from __future__ import annotations

import pytest

from engine.expr.parameters import bind
from engine.model.source import Source
from tests.corpus.plausible import plausible
from translators.parsing import parse

_AWS = "Parameters: {{P: {}}}\nResources: {{R: {{Type: AWS::S3::Bucket}}}}\n"
_HEAT = "heat_template_version: 2018-08-31\nparameters: {{P: {}}}\n"


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("{Type: String, Default: here}", None),
        ("{Type: String, AllowedValues: [one, two]}", "one"),
        ("{Type: String}", "operator"),
        ("{Type: String, MinLength: 12, MaxLength: 12}", "operatorxxxx"),
        ("{Type: String, AllowedPattern: '[0-9]{12}'}", "123456789012"),
        ("{Type: String, AllowedPattern: 'x[ab]{3}'}", "xaaa"),
        ("{Type: Number, MinValue: 3, MaxValue: 9}", 3.0),
        ("{Type: 'AWS::EC2::VPC::Id'}", "vpc-0123456789abcdef0"),
        ("{Type: 'List<AWS::EC2::Subnet::Id>'}", ["subnet-0123456789abcdef0"] * 4),
        ("{Type: 'List<Number>'}", ["1"] * 4),
    ],
)
def test_cloudformation(declared: str, expected: object) -> None:
    template = parse(Source(_AWS.format(declared)))
    given = plausible(template.parameters)
    assert given.get("P") == expected
    bind(template, given)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("{type: boolean}", True),
        ("{type: json}", {}),
        ("{type: number, constraints: [{modulo: {step: 4, offset: 3}}, {range: {min: 5}}]}", 7),
        ("{type: string, constraints: [{custom_constraint: net_cidr}]}", "10.0.0.0/16"),
        ("{type: string, constraints: [{custom_constraint: mac_addr}]}", "fa:16:3e:00:00:01"),
        ("{type: comma_delimited_list, constraints: [{length: {max: 2}}]}", ["operator"] * 2),
    ],
)
def test_heat(declared: str, expected: object) -> None:
    template = parse(Source(_HEAT.format(declared)))
    given = plausible(template.parameters)
    assert given == {"P": expected}
    bind(template, given)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("VpcCIDR", "10.0.0.0/16"), ("AlarmEmail", "operator@example.org"), ("private_net_pool_end", "10.0.0.20")],
)
def test_names_speak(name: str, expected: str) -> None:
    template = parse(Source(_HEAT.format("{type: string}").replace("P:", f"{name}:")))
    assert plausible(template.parameters) == {name: expected}


def test_limits_that_nothing_keeps_are_told() -> None:
    template = parse(Source(_AWS.format("{Type: String, AllowedPattern: 'a{5}', MaxLength: 3}")))
    with pytest.raises(LookupError, match="parameter P"):
        plausible(template.parameters)
