"""Every function of the CloudFormation language, in long and short form (cloudformation.md L14 to L41)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.model.expression import (
    AttributeRef,
    AvailabilityZones,
    Base64,
    Cidr,
    Concat,
    ConditionRef,
    Expression,
    Facade,
    FacadePart,
    FindInMap,
    If,
    ImportValue,
    Join,
    Length,
    ListOf,
    Literal,
    MapOf,
    MemberListToMap,
    NoValue,
    ParameterRef,
    Pseudo,
    PseudoRef,
    Replace,
    ResourceRef,
    Select,
    Split,
    ToJson,
)

Build = Callable[..., Expression]


def text(value: object) -> Literal:
    return Literal(value)


def texts(*values: object) -> ListOf:
    return ListOf(tuple(Literal(value) for value in values))


ARN = Concat(
    (
        text("arn:aws:cloudformation:"),
        PseudoRef(Pseudo.REGION),
        text(":"),
        PseudoRef(Pseudo.ACCOUNT_ID),
        text(":stack/"),
        PseudoRef(Pseudo.STACK_NAME),
        text("/"),
        PseudoRef(Pseudo.STACK_ID),
    )
)
FUNCTIONS = {
    "L14 Ref parameter": ("{Ref: Name}", ParameterRef("Name")),
    "L14 Ref resource": ("!Ref Other", ResourceRef("Other")),
    "L15 GetAtt list": ("{'Fn::GetAtt': [Other, Arn]}", AttributeRef("Other", text("Arn"))),
    "L15 GetAtt dotted attribute stays whole": ("!GetAtt Other.A.B", AttributeRef("Other", text("A.B"))),
    "L15 GetAtt long form, dotted": ("{'Fn::GetAtt': Other.Outputs.X}", AttributeRef("Other", text("Outputs.X"))),
    "L15 GetAtt short list": ("!GetAtt [Other, Arn]", AttributeRef("Other", text("Arn"))),
    "L15 GetAtt attribute by Ref": ("!GetAtt [Other, !Ref Name]", AttributeRef("Other", ParameterRef("Name"))),
    "L16 Sub parameter": ("!Sub 'a-${Name}'", Concat((text("a-"), ParameterRef("Name")))),
    "L16 Sub attribute": ("!Sub '${Other.Arn}'", Concat((AttributeRef("Other", text("Arn")),))),
    "L16 Sub resource": ("!Sub '${Other}!'", Concat((ResourceRef("Other"), text("!")))),
    "L16 Sub literal": ("!Sub 'a ${!Name} $b'", text("a ${Name} $b")),
    "L16 Sub with map": (
        "!Sub ['${A}/${Name}', {A: !GetAtt Other.Arn}]",
        Concat((AttributeRef("Other", text("Arn")), text("/"), ParameterRef("Name"))),
    ),
    "L16 Sub pseudo": ("{'Fn::Sub': '${AWS::Region}'}", Concat((PseudoRef(Pseudo.REGION),))),
    "L17 Join": ("!Join ['-', [a, !Ref Name]]", Join(text("-"), (ListOf((text("a"), ParameterRef("Name"))),))),
    "L17 Join of a function": ("!Join [',', !Ref Names]", Join(text(","), (ParameterRef("Names"),))),
    "L17 Join with empty delimiter": ("!Join ['', [a]]", Join(text(""), (texts("a"),))),
    "L18 If": ("!If [Always, 1, !Ref AWS::NoValue]", If(ConditionRef("Always"), text(1), NoValue())),
    "L23 FindInMap": ("!FindInMap [Sizes, eu, Small]", FindInMap(text("Sizes"), text("eu"), text("Small"))),
    "L23 FindInMap by Ref": (
        "!FindInMap [Sizes, !Ref AWS::Region, Small]",
        FindInMap(text("Sizes"), PseudoRef(Pseudo.REGION), text("Small")),
    ),
    "L24 Base64": ("!Base64 hello", Base64(text("hello"))),
    "L24 Base64 of a long form": ("!Base64 {'Fn::Sub': '${Name}'}", Base64(Concat((ParameterRef("Name"),)))),
    "L25 Select": ("!Select [1, [a, b]]", Select(text(1), texts("a", "b"))),
    "L25 Select, index as text": ("!Select ['0', !Ref Names]", Select(text(0), ParameterRef("Names"))),
    "L25 Select of GetAZs": ("!Select [0, !GetAZs '']", Select(text(0), AvailabilityZones(text("")))),
    "L26 Split": ("!Split [',', !Ref Name]", Split(text(","), ParameterRef("Name"))),
    "L27 GetAZs": ("{'Fn::GetAZs': {Ref: 'AWS::Region'}}", AvailabilityZones(PseudoRef(Pseudo.REGION))),
    "L27 GetAZs of nothing": ("{'Fn::GetAZs': }", AvailabilityZones(text(""))),
    "L28 ImportValue": ("!ImportValue net-Vpc", ImportValue(text("net-Vpc"))),
    "L28 ImportValue of Sub": (
        "{'Fn::ImportValue': !Sub '${Name}-Vpc'}",
        ImportValue(Concat((ParameterRef("Name"), text("-Vpc")))),
    ),
    "L29 Cidr": ("!Cidr [10.0.0.0/16, 4, 8]", Cidr(text("10.0.0.0/16"), text(4), text(8))),
    "L41 Replace": (
        "{'Fn::Replace': [{a: b}, text]}",
        Replace(text("text"), MapOf((("a", text("b")),)), serialize=False),
    ),
    "L41 MemberListToMap": (
        "{'Fn::MemberListToMap': [Name, Value, ['.member.0.Name=k']]}",
        MemberListToMap(text("Name"), text("Value"), texts(".member.0.Name=k")),
    ),
    "L41 ResourceFacade": ("{'Fn::ResourceFacade': Metadata}", Facade(FacadePart.METADATA)),
    "L42 Region": ("!Ref AWS::Region", PseudoRef(Pseudo.REGION)),
    "L43 StackName": ("!Ref AWS::StackName", PseudoRef(Pseudo.STACK_NAME)),
    "L44 AccountId": ("!Ref AWS::AccountId", PseudoRef(Pseudo.ACCOUNT_ID)),
    "L45 Partition": ("!Ref AWS::Partition", text("aws")),
    "L46 NoValue": ("!Ref AWS::NoValue", NoValue()),
    "L47 StackId is an ARN": ("!Ref AWS::StackId", ARN),
    "L48 URLSuffix": ("!Ref AWS::URLSuffix", text("amazonaws.com")),
    "L49 NotificationARNs": ("!Ref AWS::NotificationARNs", PseudoRef(Pseudo.NOTIFICATION_ARNS)),
    "plain map with a key Condition": (
        "{Condition: {StringEquals: {a: b}}}",
        MapOf((("Condition", MapOf((("StringEquals", MapOf((("a", text("b")),))),))),)),
    ),
    "plain map with a key Ref among others": (
        "{Ref: a, Other: b}",
        MapOf((("Ref", text("a")), ("Other", text("b")))),
    ),
}


@pytest.mark.parametrize(("value", "expected"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_function(expression: Build, value: str, expected: Expression) -> None:
    assert expression(value) == expected


EXTENSIONS = {
    "L31 Length": ("{'Fn::Length': !Ref Names}", Length(ParameterRef("Names"))),
    "L32 ToJsonString": ("{'Fn::ToJsonString': {a: 1}}", ToJson(MapOf((("a", text(1)),)))),
    "L23 FindInMap with a default": (
        "!FindInMap [Sizes, ap, Small, {DefaultValue: '3'}]",
        FindInMap(text("Sizes"), text("ap"), text("Small"), text("3")),
    ),
}


@pytest.mark.parametrize(("value", "expected"), EXTENSIONS.values(), ids=EXTENSIONS)
def test_function_of_the_language_extensions(expression: Build, value: str, expected: Expression) -> None:
    assert expression(value, head="Transform: AWS::LanguageExtensions") == expected


HEAT = {
    "TC-03 Select is lenient": ("!Select [a, {a: 1}]", Select(text("a"), MapOf((("a", text(1)),)), lenient=True)),
    "TC-06 Base64 leaves the text": ("{'Fn::Base64': hello}", text("hello")),
}


@pytest.mark.parametrize(("value", "expected"), HEAT.values(), ids=HEAT)
def test_function_in_a_template_of_heat(expression: Build, value: str, expected: Expression) -> None:
    assert expression(value, head="HeatTemplateFormatVersion: 2012-12-12") == expected


def test_tc_06_base64_leaves_the_text_inside_types_of_heat(expression: Build) -> None:
    assert expression("!Base64 hello", kind="OS::Nova::Server") == text("hello")


def test_expressions_know_their_place(expression: Build) -> None:
    built = expression("!Sub 'a-${Name}'")
    assert built.span is not None
    assert (built.span.file, built.span.line, built.span.column) == ("t", 16, 10)


# --- dynamic references -----------------------------------------------------------------------------------------------
def test_l91_l93_dynamic_references_stay_as_they_are_written(expression) -> None:
    text = "{{resolve:secretsmanager:db:SecretString:password}}"
    assert expression(f"'{text}'") == Literal(text)
    assert expression("!Join ['', ['{{resolve:', 'ssm:', !Ref Name, '}}']]") == Join(
        Literal(""),
        (ListOf((Literal("{{resolve:"), Literal("ssm:"), ParameterRef("Name"), Literal("}}"))),),
    )


def test_l92_secure_strings_stand_where_aws_takes_them(expression) -> None:
    text = "{{resolve:ssm-secure:/p:1}}"
    assert expression(f"{{Password: '{text}'}}", kind="OS::Some::Thing") == MapOf((("Password", Literal(text)),))
