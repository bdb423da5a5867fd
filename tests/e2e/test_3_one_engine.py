"""3: one engine: a stack made through either API is listed, shown, updated and deleted through the other."""

from __future__ import annotations

import pytest

HOT = """\
heat_template_version: 2018-08-31
parameters: {word: {type: string, default: hello}}
resources:
  thing: {type: OS::Heat::TestResource, properties: {value: {get_param: word}}}
outputs:
  said: {value: {get_attr: [thing, output]}}
"""


@pytest.fixture(scope="module")
def aws(server):
    return server.boto3()


@pytest.fixture(scope="module")
def heat(server):
    return server.sdk().orchestration


@pytest.fixture
def reaches(heat, until):
    return lambda name, status: until(lambda: heat.get_stack(name).status == status)


def test_3_made_by_cloudformation_and_kept_by_heat(aws, heat, make, name, wait, reaches, until):
    body = make.cfn(
        {"Thing": make.thing(value={"Ref": "Word"}), "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
        Parameters={"Word": {"Type": "String", "Default": "hello"}},
        Outputs={"Said": {"Value": {"Fn::GetAtt": ["Thing", "output"]}}},
    )
    arn = aws.create_stack(StackName=name, TemplateBody=body)["StackId"]
    wait(aws, "stack_create_complete", name)
    assert name in {stack.name for stack in heat.stacks()}
    stack = heat.get_stack(name)
    assert arn.endswith("/" + stack.id)
    assert stack.status == "CREATE_COMPLETE"
    assert stack.outputs[0]["output_value"] == "hello"
    assert {"Thing", "Handle"} <= {resource.name for resource in heat.resources(stack)}
    assert "Thing" in {event.resource_name for event in heat.stack_events(stack)}
    heat.put(f"/stacks/{name}/{stack.id}", json={"template": body, "parameters": {"Word": "bye"}})
    reaches(name, "UPDATE_COMPLETE")
    described = aws.describe_stacks(StackName=name)["Stacks"][0]
    assert (described["StackStatus"], described["Outputs"][0]["OutputValue"]) == ("UPDATE_COMPLETE", "bye")
    heat.delete_stack(stack)
    wait(aws, "stack_delete_complete", name)
    assert aws.describe_stacks(StackName=arn)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"


def test_3_made_by_heat_and_kept_by_cloudformation(aws, heat, name, wait, reaches, until):
    heat.create_stack(name=name, template=HOT)
    reaches(name, "CREATE_COMPLETE")
    described = aws.describe_stacks(StackName=name)["Stacks"][0]
    assert described["Outputs"][0] == {"OutputKey": "said", "OutputValue": "hello"}
    (row,) = aws.describe_stack_resources(StackName=name)["StackResources"]
    assert (row["LogicalResourceId"], row["ResourceType"]) == ("thing", "OS::Heat::TestResource")
    aws.update_stack(
        StackName=name, UsePreviousTemplate=True, Parameters=[{"ParameterKey": "word", "ParameterValue": "bye"}]
    )
    wait(aws, "stack_update_complete", name)
    assert heat.get_stack(name).outputs[0]["output_value"] == "bye"
    events = aws.describe_stack_events(StackName=name)["StackEvents"]
    assert {event["LogicalResourceId"] for event in events} == {name, "thing"}
    aws.delete_stack(StackName=name)
    until(lambda: heat.find_stack(name) is None)


def test_engc_01_3_either_api_takes_either_language(aws, heat, make, name, wait, reaches):
    aws.create_stack(StackName=f"{name}-hot", TemplateBody=HOT)
    wait(aws, "stack_create_complete", f"{name}-hot")
    heat.create_stack(name=f"{name}-cfn", template=make.cfn({"Thing": make.thing(value="x")}))
    reaches(f"{name}-cfn", "CREATE_COMPLETE")
    (row,) = aws.describe_stack_resources(StackName=f"{name}-cfn")["StackResources"]
    assert row["LogicalResourceId"] == "Thing"
