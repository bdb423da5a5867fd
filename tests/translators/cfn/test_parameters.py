"""Parameters: types, keys and constraints (cloudformation.md L50 to L76)."""

from __future__ import annotations

import pytest

from engine.model.expression import Literal, ParameterRef, TableLookup
from engine.model.source import Source, Unanswered
from engine.model.template import MISSING, Constraint, ParameterGroup, ParameterType
from translators.cfn import parse
from translators.source import read

RESOURCES = "\nResources: {R: {Type: AWS::SQS::Queue, Properties: {P: !Ref P}}}\n"

TYPES = {
    "L50 String": ("String", ParameterType.STRING, None),
    "L51 Number": ("Number", ParameterType.NUMBER, None),
    "L52 List<Number>": ("List<Number>", ParameterType.LIST, None),
    "L53 List<String>": ("List<String>", ParameterType.LIST, None),
    "L54 CommaDelimitedList": ("CommaDelimitedList", ParameterType.LIST, None),
    "L55 zone": ("AWS::EC2::AvailabilityZone::Name", ParameterType.STRING, None),
    "L55 zones": ("List<AWS::EC2::AvailabilityZone::Name>", ParameterType.LIST, None),
    "L56 image": ("AWS::EC2::Image::Id", ParameterType.STRING, "glance.image"),
    "L57 instance": ("AWS::EC2::Instance::Id", ParameterType.STRING, "nova.server"),
    "L58 key pair": ("AWS::EC2::KeyPair::KeyName", ParameterType.STRING, "nova.keypair"),
    "L59 group name": ("AWS::EC2::SecurityGroup::GroupName", ParameterType.STRING, "neutron.security_group"),
    "L60 groups": ("List<AWS::EC2::SecurityGroup::Id>", ParameterType.LIST, "neutron.security_group"),
    "L61 subnet": ("AWS::EC2::Subnet::Id", ParameterType.STRING, "neutron.subnet"),
    "L61 subnets": ("List<AWS::EC2::Subnet::Id>", ParameterType.LIST, "neutron.subnet"),
    "L62 volume": ("AWS::EC2::Volume::Id", ParameterType.STRING, "cinder.volume"),
    "L63 VPC": ("AWS::EC2::VPC::Id", ParameterType.STRING, "neutron.router"),
    "L64 zone": ("AWS::Route53::HostedZone::Id", ParameterType.STRING, "designate.zone"),
    "TP-01 Json": ("Json", ParameterType.JSON, None),
    "TP-01 Boolean": ("Boolean", ParameterType.BOOLEAN, None),
}


@pytest.mark.parametrize(("written", "kind", "custom"), TYPES.values(), ids=TYPES)
def test_type(template, written: str, kind: ParameterType, custom: str | None) -> None:
    parameter = template(f"Parameters: {{P: {{Type: '{written}'}}}}{RESOURCES}").parameters["P"]
    asked = [one.custom for one in parameter.constraints]
    assert (parameter.type, parameter.source_type, asked) == (kind, written, [custom] if custom else [])
    assert parameter.default is MISSING


CONSTRAINTS = {
    "L71 AllowedValues": ("Type: String, AllowedValues: [a, 1, true]", Constraint(allowed_values=("a", "1", "true"))),
    "L72 AllowedPattern": ("Type: String, AllowedPattern: '[a-z]+'", Constraint(pattern="[a-z]+")),
    "L72 AllowedPattern of Java": (r"Type: String, AllowedPattern: '[\w-.]+'", Constraint(pattern=r"[\w\-.]+")),
    "L73 ConstraintDescription": (
        "Type: String, MinLength: 1, ConstraintDescription: say something",
        Constraint(length=(1, None), description="say something"),
    ),
    "L74 MinLength and MaxLength": ("Type: String, MinLength: '1', MaxLength: 5", Constraint(length=(1, 5))),
    "L75 MinValue and MaxValue": ("Type: Number, MinValue: 1, MaxValue: '9.5'", Constraint(range=(1.0, 9.5))),
}


@pytest.mark.parametrize(("keys", "expected"), CONSTRAINTS.values(), ids=CONSTRAINTS)
def test_constraint(template, keys: str, expected: Constraint) -> None:
    parsed = template(f"Parameters: {{P: {{{keys}}}}}{RESOURCES}")
    assert parsed.parameters["P"].constraints == (expected,)


DEFAULTS = {
    "L70 text": ("Type: String, Default: x", "x"),
    "L70 number as text": ("Type: String, Default: 8080", "8080"),
    "L70 truth as text": ("Type: String, Default: true", "true"),
    "L51 number stays text": ("Type: Number, Default: 2", "2"),
    "L54 list as text": ("Type: CommaDelimitedList, Default: 'a, b'", "a, b"),
    "TP-14 list as list": ("Type: CommaDelimitedList, Default: [a, 1]", ["a", "1"]),
    "TP-13 json": ("Type: Json, Default: {a: 1}", {"a": 1}),
    "empty": ("Type: String, Default: ''", ""),
}


@pytest.mark.parametrize(("keys", "expected"), DEFAULTS.values(), ids=DEFAULTS)
def test_default(template, keys: str, expected: object) -> None:
    assert template(f"Parameters: {{P: {{{keys}}}}}{RESOURCES}").parameters["P"].default == expected


@pytest.mark.parametrize(
    ("written", "hidden"), [("true", True), ("'True'", True), ("false", False), ("'false'", False)]
)
def test_l76_no_echo(template, written: str, hidden: bool) -> None:
    parsed = template(f"Parameters: {{P: {{Type: String, NoEcho: {written}}}}}{RESOURCES}")
    assert parsed.parameters["P"].hidden is hidden


def test_l04_labels_and_groups_of_the_interface(template) -> None:
    parsed = template(
        """
        Metadata:
          AWS::CloudFormation::Interface:
            ParameterGroups: [{Label: {default: Network}, Parameters: [P]}]
            ParameterLabels: {P: {default: The name}}
        Parameters: {P: {Type: String}}
        Resources: {R: {Type: AWS::SQS::Queue}}
        """
    )
    assert parsed.parameters["P"].label == "The name"
    assert parsed.parameter_groups == (ParameterGroup("Network", "", ("P",)),)


IMAGE_PATH = "/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2"
IMAGE_PARAMETER = f"""
Parameters:
  P: {{Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>', Default: {IMAGE_PATH}}}
"""


def test_l68_public_image_path_is_left_to_the_property_that_takes_an_image(template) -> None:
    parsed = template(IMAGE_PARAMETER + RESOURCES)
    assert parsed.resources["R"].properties.get("P") == ParameterRef("P")
    assert parsed.parameters["P"].default == IMAGE_PATH


def test_l68_public_image_path_goes_through_the_rows_at_hand() -> None:
    text = IMAGE_PARAMETER + RESOURCES
    rows = (("/aws/service/*", "linux"),)
    parsed = parse(read(text), Source(text), images=rows)
    assert parsed.resources["R"].properties.get("P") == TableLookup(rows, ParameterRef("P"))


def test_l91_dynamic_reference_to_a_public_image_is_its_path(template) -> None:
    reference = "{{resolve:ssm:" + IMAGE_PATH + "}}"
    parsed = template(f"Resources: {{R: {{Type: AWS::EC2::Instance, Properties: {{P: '{reference}'}}}}}}")
    assert parsed.resources["R"].properties.get("P") == Literal(IMAGE_PATH)


@pytest.mark.parametrize("kind", ["Name", "Value<String>", "Value<List<String>>", "Value<AWS::EC2::KeyPair::KeyName>"])
def test_l65_to_l69_stored_parameters_are_asked_for_by_their_names(template, kind) -> None:
    text = f"Parameters: {{P: {{Type: AWS::SSM::Parameter::{kind}, Default: /own}}}}" + RESOURCES
    for given, name in (({}, "/own"), ({"P": "/other"}, "/other")):
        with pytest.raises(Unanswered) as caught:
            template(text, given)
        assert [(one.key, str(one.span)) for one in caught.value.questions] == [(f"parameter:{name}", "t:1:14")]
    assert template(text.replace(", Default: /own", "")).parameters["P"].source_type.endswith(kind)


def test_l68_public_paths_of_images_are_not_asked_for(template) -> None:
    assert template(IMAGE_PARAMETER + RESOURCES, {"P": IMAGE_PATH})


def test_range_of_a_text_is_ignored_with_a_warning(template) -> None:
    parsed = template("Parameters: {P: {Type: String, MinValue: 1}}" + RESOURCES)
    assert parsed.parameters["P"].constraints == ()
    assert [one.code for one in parsed.warnings] == ["ConstraintIgnored"]


def test_pattern_that_only_java_knows_is_ignored_with_a_warning(template) -> None:
    parsed = template(r"Parameters: {P: {Type: String, AllowedPattern: '[\p{L}]+'}}" + RESOURCES)
    assert parsed.parameters["P"].constraints == ()
    assert [one.code for one in parsed.warnings] == ["ConstraintIgnored"]
