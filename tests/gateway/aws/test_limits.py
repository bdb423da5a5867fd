"""Limits on requests, with the very values that are the last to be taken and the first to be refused (cloudformation.md
§3.1). Those on one template are in tests/translators/language/rows/q.yaml."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.gateway.aws.conftest import template

WORD = {"Word": {"Type": "String", "Default": "x"}}


def refused(call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationError"
    return error["Message"]


def words(value, key="Word"):
    return {"TemplateBody": template(Parameters=WORD), "Parameters": [{"ParameterKey": key, "ParameterValue": value}]}


def padded(length):
    """A template of so many bytes."""
    bare = template(Metadata={"m": ""})
    return template(Metadata={"m": "x" * (length - len(bare))})


def tags(count):
    return [{"Key": f"k{number}", "Value": "v"} for number in range(count)]


def policy(length):
    statement = {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}
    return json.dumps({"Statement": [statement]}).ljust(length)


def test_q01_a_template_in_the_body(aws):
    aws.validate_template(TemplateBody=padded(51_200))
    said = refused(aws.validate_template, TemplateBody=padded(51_201))
    assert "at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200" in said


def test_q02_a_template_by_url(aws, served):
    served.files["most.json"] = padded(1_048_576).encode()
    served.files["more.json"] = padded(1_048_577).encode()
    aws.validate_template(TemplateURL=f"{served.url}/files/most.json")
    said = refused(aws.validate_template, TemplateURL=f"{served.url}/files/more.json")
    assert "it is larger than 1048576 bytes" in said


def test_q03_a_request(aws):
    said = refused(aws.validate_template, TemplateBody="x" * 1_100_000)
    assert said.startswith("Request body must be no larger than 1048576 bytes. A template of more than 51200 bytes")


def test_q05_a_parameters_value(aws, name, wait):
    aws.create_stack(StackName=name, **words("x" * 4096))
    wait("stack_create_complete", name)
    said = refused(aws.create_stack, StackName=f"{name}-2", **words("ä" * 2049))
    assert "at 'parameters.1.member.parameterValue' failed to satisfy constraint: Member must have length" in said
    assert "less than or equal to 4096" in said


@pytest.mark.parametrize("length", [128, 129])
def test_q10_a_stacks_name(aws, length):
    given = {"StackName": "n" * length, "TemplateBody": template()}
    if length == 128:
        aws.create_stack(**given)
    else:
        said = refused(aws.create_stack, **given)
        assert "at 'stackName' failed to satisfy constraint: Member must have length less than or equal to 128" in said


def test_q14_a_change_sets_description(aws, name):
    given = {"StackName": name, "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": template()}
    said = refused(aws.create_change_set, Description="x" * 1025, **given)
    assert "at 'description' failed to satisfy constraint: Member must have length less than or equal to 1024" in said
    aws.create_change_set(Description="x" * 1024, **given)


def test_q15_tags(aws, name, wait):
    said = refused(aws.create_stack, StackName=name, TemplateBody=template(), Tags=tags(51))
    assert "at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50" in said
    aws.create_stack(StackName=name, TemplateBody=template(), Tags=tags(50))
    wait("stack_create_complete", name)
    assert len(aws.describe_stacks(StackName=name)["Stacks"][0]["Tags"]) == 50


def test_q19_rollback_triggers(aws, name):
    given = {"StackName": name, "TemplateBody": template()}
    many = [{"Arn": f"arn:{number}", "Type": "AWS::CloudWatch::Alarm"} for number in range(6)]
    said = refused(aws.create_stack, RollbackConfiguration={"RollbackTriggers": many}, **given)
    assert "rollbackTriggers' failed to satisfy constraint: Member must have length less than or equal to 5" in said
    said = refused(aws.create_stack, RollbackConfiguration={"MonitoringTimeInMinutes": 181}, **given)
    assert "Member must have value less than or equal to 180" in said
    said = refused(aws.create_stack, RollbackConfiguration={"RollbackTriggers": many[:1]}, **given)
    assert said.startswith("Rollback Trigger Type not supported: there are no alarms to monitor here.")
    aws.create_stack(RollbackConfiguration={"RollbackTriggers": [], "MonitoringTimeInMinutes": 0}, **given)


@pytest.mark.parametrize(
    ("action", "key"),
    [
        ("create_stack", "StackPolicyBody"),
        ("set_stack_policy", "StackPolicyBody"),
        ("update_stack", "StackPolicyDuringUpdateBody"),
    ],
)
def test_q20_policies(aws, name, wait, action, key):
    given = {"StackName": name}
    if action != "create_stack":
        aws.create_stack(StackName=name, TemplateBody=template())
        wait("stack_create_complete", name)
    if action != "set_stack_policy":
        given["TemplateBody"] = template(Description="another")
    said = refused(getattr(aws, action), **{key: policy(16_385)}, **given)
    shown = key[0].lower() + key[1:]
    assert f"at '{shown}' failed to satisfy constraint: Member must have length less than or equal to 16384" in said
    if action != "update_stack":
        getattr(aws, action)(**{key: policy(16_384)}, **given)


def test_q21_notification_arns(aws, name):
    arns = [f"arn:aws:sns:r:1:t{number}" for number in range(6)]
    said = refused(aws.create_stack, StackName=name, TemplateBody=template(), NotificationARNs=arns)
    assert "at 'notificationARNs' failed to satisfy constraint: Member must have length less than or equal to 5" in said
    aws.create_stack(StackName=name, TemplateBody=template(), NotificationARNs=arns[:5])


@pytest.mark.parametrize("token", ["-a", "a b", "a" * 129, "a_b"])
def test_q23_request_tokens(aws, name, token):
    said = refused(aws.create_stack, StackName=name, TemplateBody=template(), ClientRequestToken=token)
    assert "at 'clientRequestToken' failed to satisfy constraint: Member must" in said


def test_q23_page_tokens(aws):
    said = refused(aws.describe_stacks, NextToken="t" * 1025)
    assert "at 'nextToken' failed to satisfy constraint: Member must have length less than or equal to 1024" in said
