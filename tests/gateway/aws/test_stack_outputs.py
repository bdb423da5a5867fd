"""Fn::GetStackOutput: what another stack of the project put out (cloudformation.md L34)."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.gateway.aws.conftest import template
from tests.gateway.aws.serving import REGION


def reading(**more):
    output = {"StackName": {"Ref": "Other"}, "OutputName": "Word", **more}
    thing = {"Type": "OS::Heat::TestResource", "Properties": {"value": {"Fn::GetStackOutput": output}}}
    said = {"Said": {"Value": {"Fn::GetAtt": ["Thing", "output"]}}}
    return template({"Thing": thing}, Parameters={"Other": {"Type": "String"}}, Outputs=said)


@pytest.fixture
def other(aws, name, wait):
    aws.create_stack(StackName=f"other-{name}", TemplateBody=template(Outputs={"Word": {"Value": "hello"}}))
    wait("stack_create_complete", f"other-{name}")
    return [{"ParameterKey": "Other", "ParameterValue": f"other-{name}"}]


def test_l34_an_output_is_read(aws, name, wait, other):
    aws.create_stack(StackName=name, TemplateBody=reading(Region=REGION), Parameters=other)
    wait("stack_create_complete", name)
    (stack,) = aws.describe_stacks(StackName=name)["Stacks"]
    assert stack["Outputs"][0]["OutputValue"] == "hello"


@pytest.mark.parametrize(
    ("more", "given", "said"),
    [
        ({"OutputName": "Wrod"}, None, "has no output named Wrod. It has: Word."),
        ({"Region": "elsewhere"}, None, f"Outputs of stacks in elsewhere cannot be read: only those of {REGION}."),
        ({}, "none-such", "Stack with id none-such does not exist"),
    ],
    ids=["output", "region", "stack"],
)
def test_l34_what_cannot_be_read(aws, name, other, more, given, said):
    parameters = other if given is None else [{"ParameterKey": "Other", "ParameterValue": given}]
    with pytest.raises(ClientError) as caught:
        aws.create_stack(StackName=name, TemplateBody=reading(**more), Parameters=parameters)
    assert said in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    "value", [{"Fn::ImportValue": "none"}, {"Fn::GetStackOutput": {"StackName": "n", "OutputName": "o"}}]
)
def test_n07_validation_asks_no_other_stack(aws, value):
    thing = {"Type": "OS::Heat::TestResource", "Properties": {"value": value}}
    assert aws.validate_template(TemplateBody=template({"Thing": thing}))
