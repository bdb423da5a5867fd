"""Parameters of AWS's own types: their values are looked up in the cloud before anything is made (cloudformation.md L55
to L64, L69)."""

from __future__ import annotations

import json
import uuid

import pytest
from botocore.exceptions import ClientError

# type → what EC2 and Route 53 say of a value that there is not
KINDS = {
    "L56 AWS::EC2::Image::Id": "The image id '[{}]' does not exist.",
    "L57 AWS::EC2::Instance::Id": "The instance ID '{}' does not exist.",
    "L58 AWS::EC2::KeyPair::KeyName": "The key pair '{}' does not exist.",
    "L59 AWS::EC2::SecurityGroup::GroupName": "The security group '{}' does not exist.",
    "L60 AWS::EC2::SecurityGroup::Id": "The security group '{}' does not exist.",
    "L61 AWS::EC2::Subnet::Id": "The subnet ID '{}' does not exist.",
    "L62 AWS::EC2::Volume::Id": "The volume '{}' does not exist.",
    "L63 AWS::EC2::VPC::Id": "The vpc ID '{}' does not exist.",
}
NOBODY = "nobody-has-it"


def declaring(kind, **more):
    return json.dumps({
        "Parameters": {"P": {"Type": kind, **more}},
        "Resources": {"R": {"Type": "AWS::CloudFormation::WaitConditionHandle", "Metadata": {"p": {"Ref": "P"}}}},
    })  # fmt: skip


def given(value):
    return [{"ParameterKey": "P", "ParameterValue": value}]


def refused(story, name, body, value):
    with pytest.raises(ClientError) as caught:
        story.aws.create_stack(StackName=name, TemplateBody=body, Parameters=given(value))
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    return caught.value.response["Error"]["Message"]


def made(story, name, body, value):
    story.aws.create_stack(StackName=name, TemplateBody=body, Parameters=given(value))
    return story.wait(name, "CREATE_COMPLETE")


@pytest.mark.parametrize(("row", "said"), KINDS.items(), ids=KINDS)
def test_l55_to_l64_values_that_the_cloud_does_not_know(story, name, row, said):
    """L56, L57, L58, L59, L60, L61, L62, L63, L64: one value, a value in a list."""
    kind = row.split()[1]
    found = refused(story, name, declaring(kind), NOBODY)
    failed = f"Parameter validation failed: parameter value {NOBODY} for parameter name P does not exist."
    assert found.startswith(f"{failed} {said.format(NOBODY)}")
    found = refused(story, name, declaring(f"List<{kind}>"), f"{NOBODY},other-{NOBODY}")
    assert said.format(NOBODY) in found
    assert said.format(f"other-{NOBODY}") in found


def test_l64_zones_of_dns(story, name):
    found = refused(story, name, declaring("AWS::Route53::HostedZone::Id"), NOBODY)
    if story.sdk.has_service("dns"):
        assert f"No hosted zone found with ID: {NOBODY}" in found
    else:
        assert "This cloud has no dns service" in found


def test_l55_zones_of_elsewhere_are_taken(story, name):
    """D08: `us-east-1b` stands for one of the cloud's zones."""
    made(story, name, declaring("AWS::EC2::AvailabilityZone::Name"), "us-east-1b")


def test_l58_to_l60_values_that_the_cloud_knows(story, name):
    key = story.sdk.compute.create_keypair(name=f"{name}-key")
    try:
        made(story, name, declaring("AWS::EC2::KeyPair::KeyName"), key.name)
        (group,) = story.sdk.network.security_groups(name="default", project_id=story.sdk.current_project_id)
        made(story, f"{name}-name", declaring("AWS::EC2::SecurityGroup::GroupName"), "default")
        made(story, f"{name}-ids", declaring("List<AWS::EC2::SecurityGroup::Id>"), group.id)
    finally:
        story.sdk.compute.delete_keypair(key)


def test_l56_l68_images_of_the_table_are_taken(story, name):
    public = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    made(story, name, declaring("AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"), public)


def test_l69_what_a_stored_parameter_holds_is_looked_up(story, name):
    path = f"/{uuid.uuid4().hex}/key"
    store = {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": path, "Value": NOBODY}}}
    story.aws.create_stack(StackName=f"{name}-store", TemplateBody=json.dumps({"Resources": store}))
    story.wait(f"{name}-store", "CREATE_COMPLETE")
    found = refused(story, name, declaring("AWS::SSM::Parameter::Value<AWS::EC2::KeyPair::KeyName>"), path)
    assert f"The key pair '{NOBODY}' does not exist." in found


def test_l73_constraint_descriptions_are_told_too(story, name):
    body = declaring("AWS::EC2::KeyPair::KeyName", ConstraintDescription="must be one of your key pairs.")
    assert "must be one of your key pairs." in refused(story, name, body, NOBODY)


def test_l76_hidden_values_are_not_repeated(story, name):
    assert NOBODY not in refused(story, name, declaring("AWS::EC2::KeyPair::KeyName", NoEcho=True), NOBODY)
