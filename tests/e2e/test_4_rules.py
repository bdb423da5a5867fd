"""4: rules about objects that other stacks have made (cloudformation.md L06, L39, L40)."""

from __future__ import annotations

import pytest

VPC = """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.77.0.0/16, Tags: [{Key: Owner, Value: me}]}}
Outputs:
  Id: {Value: !Ref Vpc}
"""
RULED = """
Parameters: {Vpc: {Type: AWS::EC2::VPC::Id}, Owner: {Type: String}}
Rules:
  Mine:
    Assertions:
      - Assert: !Equals [!ValueOf [Vpc, Tags.Owner], !Ref Owner]
        AssertDescription: the network is somebody else's
      - Assert: !EachMemberEquals [!ValueOfAll ['AWS::EC2::VPC::Id', CidrBlock], 10.77.0.0/16]
Resources:
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
"""


@pytest.fixture(scope="module")
def aws(server):
    return server.boto3()


def given(**values):
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def test_l39_l40_what_a_stack_has_made_is_asked_about(aws, name, wait, refused):
    aws.create_stack(StackName=f"{name}-vpc", TemplateBody=VPC)
    wait(aws, "stack_create_complete", f"{name}-vpc")
    (output,) = aws.describe_stacks(StackName=f"{name}-vpc")["Stacks"][0]["Outputs"]
    vpc = output["OutputValue"]
    said = refused(aws.create_stack, StackName=name, TemplateBody=RULED, Parameters=given(Vpc=vpc, Owner="you"))
    assert "Rule Mine: the network is somebody else's" in said
    aws.create_stack(StackName=name, TemplateBody=RULED, Parameters=given(Vpc=vpc, Owner="me"))
    wait(aws, "stack_create_complete", name)
    for one in (name, f"{name}-vpc"):
        aws.delete_stack(StackName=one)
        wait(aws, "stack_delete_complete", one)
