"""1: boto3, unchanged, at the server's root URL: stacks and how they are read. Ids are rows of cloudformation.md."""

from __future__ import annotations

import re

import botocore.exceptions
import pytest


def status(client, stack):
    return client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]


ARN = r"arn:aws:cloudformation:[a-zA-Z0-9-]+:\d{12}:stack/NAME/[0-9a-f-]{36}"


@pytest.fixture(scope="module")
def aws(server):
    return server.boto3()


@pytest.fixture
def one(make):
    """A template of one parameter, one resource and one output."""
    return make.cfn(
        {"Thing": make.thing(value={"Ref": "Word"})},
        Description="One thing",
        Parameters={"Word": {"Type": "String", "Default": "first", "AllowedPattern": "[a-z]+"}},
        Outputs={"Said": {"Value": {"Fn::GetAtt": ["Thing", "output"]}, "Description": "what it says"}},
    )


def word(value):
    return [{"ParameterKey": "Word", "ParameterValue": value}]


def test_1_create_update_delete_with_waiters(aws, name, one, wait, refused):
    arn = aws.create_stack(StackName=name, TemplateBody=one)["StackId"]
    assert re.fullmatch(ARN.replace("NAME", name), arn)
    wait(aws, "stack_exists", name)
    wait(aws, "stack_create_complete", name)
    updated = aws.update_stack(StackName=name, UsePreviousTemplate=True, Parameters=word("second"))
    assert updated["StackId"] == arn
    wait(aws, "stack_update_complete", name)
    stack = aws.describe_stacks(StackName=name)["Stacks"][0]
    assert stack["Outputs"] == [{"OutputKey": "Said", "OutputValue": "second", "Description": "what it says"}]
    assert aws.delete_stack(StackName=name)["ResponseMetadata"]["HTTPStatusCode"] == 200
    wait(aws, "stack_delete_complete", name)
    assert refused(aws.describe_stacks, StackName=name) == f"Stack with id {name} does not exist"
    assert aws.describe_stacks(StackName=arn)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"


def test_1_w51_a_described_stack_is_whole(aws, name, one, wait):
    aws.create_stack(
        StackName=name, TemplateBody=one, Tags=[{"Key": "team", "Value": "blue"}], Parameters=word("third"),
        Capabilities=["CAPABILITY_IAM"], NotificationARNs=["arn:aws:sns:RegionOne:123456789012:t"],
        EnableTerminationProtection=True,
    )  # fmt: skip
    wait(aws, "stack_create_complete", name)
    stack = aws.describe_stacks(StackName=name)["Stacks"][0]
    assert stack["StackName"] == name
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Description"] == "One thing"
    assert stack["Parameters"] == word("third")
    assert stack["Tags"] == [{"Key": "team", "Value": "blue"}]
    assert stack["Capabilities"] == ["CAPABILITY_IAM"]
    assert stack["NotificationARNs"] == ["arn:aws:sns:RegionOne:123456789012:t"]
    assert stack["EnableTerminationProtection"] is True
    assert stack["DisableRollback"] is False
    assert "StackDriftStatus" in stack["DriftInformation"]
    assert stack["CreationTime"].tzinfo is not None
    assert "LastUpdatedTime" not in stack


def test_1_w53_events_tell_the_story_newest_first(aws, name, one, wait):
    arn = aws.create_stack(StackName=name, TemplateBody=one, ClientRequestToken="token-1")["StackId"]
    wait(aws, "stack_create_complete", name)
    pages = aws.get_paginator("describe_stack_events").paginate(StackName=name)
    events = [event for page in pages for event in page["StackEvents"]]
    assert (events[0]["LogicalResourceId"], events[0]["ResourceStatus"]) == (name, "CREATE_COMPLETE")
    first = events[-1]
    assert (first["ResourceType"], first["ResourceStatus"]) == ("AWS::CloudFormation::Stack", "CREATE_IN_PROGRESS")
    assert (first["PhysicalResourceId"], first["ResourceStatusReason"]) == (arn, "User Initiated")
    assert {event["ClientRequestToken"] for event in events} == {"token-1"}
    thing = [event["ResourceStatus"] for event in events if event["LogicalResourceId"] == "Thing"]
    assert thing[0] == "CREATE_COMPLETE"
    assert thing[-1] == "CREATE_IN_PROGRESS"
    times = [event["Timestamp"] for event in events]
    assert times == sorted(times, reverse=True)


def test_1_resources_described_and_listed(aws, name, one, wait, refused):
    aws.create_stack(StackName=name, TemplateBody=one)
    wait(aws, "stack_create_complete", name)
    (listed,) = aws.describe_stack_resources(StackName=name)["StackResources"]
    assert (listed["LogicalResourceId"], listed["ResourceStatus"]) == ("Thing", "CREATE_COMPLETE")
    detail = aws.describe_stack_resource(StackName=name, LogicalResourceId="Thing")["StackResourceDetail"]
    assert detail["PhysicalResourceId"] == listed["PhysicalResourceId"]
    pages = aws.get_paginator("list_stack_resources").paginate(StackName=name)
    (summary,) = [row for page in pages for row in page["StackResourceSummaries"]]
    assert summary["LastUpdatedTimestamp"]
    assert summary["DriftInformation"]["StackResourceDriftStatus"]
    by_id = aws.describe_stack_resources(PhysicalResourceId=listed["PhysicalResourceId"])["StackResources"]
    assert [row["StackName"] for row in by_id] == [name]
    missing = refused(aws.describe_stack_resource, StackName=name, LogicalResourceId="Nothing")
    assert missing == f"Resource Nothing does not exist for stack {name}"


def test_1_w22_paginators_walk_every_stack(aws, name, make, wait):
    empty = make.cfn({"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}})
    names = {f"{name}-{number}" for number in range(105)}
    for each in names:
        aws.create_stack(StackName=each, TemplateBody=empty)
    first = aws.list_stacks(StackStatusFilter=["CREATE_IN_PROGRESS", "CREATE_COMPLETE"])
    assert first["NextToken"]
    pages = aws.get_paginator("list_stacks").paginate(StackStatusFilter=["CREATE_IN_PROGRESS", "CREATE_COMPLETE"])
    listed = [row["StackName"] for page in pages for row in page["StackSummaries"] if row["StackName"] in names]
    assert sorted(listed) == sorted(names)
    described = [row["StackName"] for page in aws.get_paginator("describe_stacks").paginate() for row in page["Stacks"]]
    assert names <= set(described)
    for each in names:
        aws.delete_stack(StackName=each)
    for each in names:
        wait(aws, "stack_delete_complete", each)
    deleted = aws.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
    assert names <= {row["StackName"] for page in deleted for row in page["StackSummaries"]}


def test_1_w22_a_foreign_token_is_refused(aws, refused):
    refused(aws.list_stacks, NextToken="nonsense")


def test_1_get_template_returns_the_text_as_written(aws, name, wait):
    text = "# mine\nResources:\n  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}  # kept\n"
    aws.create_stack(StackName=name, TemplateBody=text)
    wait(aws, "stack_create_complete", name)
    answer = aws.get_template(StackName=name)
    assert answer["TemplateBody"] == text
    assert answer["StagesAvailable"] == ["Original", "Processed"]


def test_1_template_summary_and_validation(aws, one):
    summary = aws.get_template_summary(TemplateBody=one)
    assert [parameter["ParameterKey"] for parameter in summary["Parameters"]] == ["Word"]
    assert summary["Parameters"][0]["DefaultValue"] == "first"
    assert summary["ResourceTypes"] == ["OS::Heat::TestResource"]
    assert summary["Version"] == "2010-09-09"
    valid = aws.validate_template(TemplateBody=one)
    assert valid["Description"] == "One thing"
    assert valid["Parameters"][0]["NoEcho"] is False


def test_1_w34_the_name_is_taken(aws, name, one, wait):
    aws.create_stack(StackName=name, TemplateBody=one)
    with pytest.raises(aws.exceptions.AlreadyExistsException, match=rf"Stack \[{name}\] already exists"):
        aws.create_stack(StackName=name, TemplateBody=one)
    wait(aws, "stack_create_complete", name)


def test_1_w27_a_repeated_create_with_its_token_is_the_same_create(aws, name, one, wait):
    first = aws.create_stack(StackName=name, TemplateBody=one, ClientRequestToken="again")["StackId"]
    assert aws.create_stack(StackName=name, TemplateBody=one, ClientRequestToken="again")["StackId"] == first
    wait(aws, "stack_create_complete", name)


def test_1_w35_nothing_to_update(aws, name, one, wait, refused):
    aws.create_stack(StackName=name, TemplateBody=one)
    wait(aws, "stack_create_complete", name)
    assert refused(aws.update_stack, StackName=name, TemplateBody=one) == "No updates are to be performed."
    again = refused(aws.update_stack, StackName=name, UsePreviousTemplate=True)
    assert again == "No updates are to be performed."


def test_1_w32_deleting_what_is_not_there(aws):
    assert aws.delete_stack(StackName="never-was")["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("describe_stacks", "Stack with id gone does not exist"),
        ("get_template", "Stack with id gone does not exist"),
        ("get_template_summary", "Stack with id gone does not exist"),
        ("describe_stack_resources", "Stack with id gone does not exist"),
        ("list_stack_resources", "Stack with id gone does not exist"),
        ("describe_stack_events", "Stack [gone] does not exist"),
        ("list_change_sets", "Stack [gone] does not exist"),
        ("get_stack_policy", "Stack [gone] does not exist"),
    ],
)
def test_1_w28_to_w31_a_missing_stack(aws, refused, call, message):
    assert refused(getattr(aws, call), StackName="gone") == message


def test_1_w41_capabilities_are_asked_for(aws, name, make, refused):
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": {}}}
    body = make.cfn({"Role": role})
    said = refused(aws.create_stack, "InsufficientCapabilitiesException", StackName=name, TemplateBody=body)
    assert said == "Requires capabilities : [CAPABILITY_NAMED_IAM]"


def test_1_w15_constraints_of_the_model(aws, refused, one):
    said = refused(aws.create_stack, StackName="9-starts-with-a-digit", TemplateBody=one)
    assert said.startswith(
        "1 validation error detected: Value '9-starts-with-a-digit' at 'stackName' failed to satisfy"
    )


def test_1_waiter_tells_of_a_failed_create(aws, name, make, wait):
    aws.create_stack(StackName=name, TemplateBody=make.cfn({"Bad": make.thing(fail=True)}))
    with pytest.raises(botocore.exceptions.WaiterError, match="ROLLBACK"):
        wait(aws, "stack_create_complete", name)


def test_1_a_waiter_is_told_the_end_without_sleeping(aws, make, name, monkeypatch):
    monkeypatch.setattr("botocore.waiter.time.sleep", lambda seconds: pytest.fail(f"the waiter slept {seconds} s"))
    slow = make.thing(action_wait_secs={"create": 1, "delete": 1})
    stack = aws.create_stack(StackName=name, TemplateBody=make.cfn({"Slow": slow}))["StackId"]
    assert status(aws, name) == "CREATE_IN_PROGRESS"
    aws.get_waiter("stack_create_complete").wait(StackName=name)
    assert status(aws, name) == "CREATE_COMPLETE"
    aws.delete_stack(StackName=name)
    aws.get_waiter("stack_delete_complete").wait(StackName=stack)
    assert status(aws, stack) == "DELETE_COMPLETE"
