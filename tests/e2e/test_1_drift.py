"""1: drift, through boto3, of objects that somebody has changed behind the stack's back (A31, A32, A34, A35, B15)."""

from __future__ import annotations

import json

import pytest

NET = {"Type": "OS::Neutron::Net", "Properties": {"name": "mine", "shared": False}}
GROUP = {
    "Type": "AWS::EC2::SecurityGroup",
    "Properties": {
        "GroupDescription": "web",
        "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0"}],
    },
}


@pytest.fixture
def aws(server):
    return server.boto3()


@pytest.fixture
def made(aws, make, name, wait):
    aws.create_stack(StackName=name, TemplateBody=make.cfn({"Net": NET, "Group": GROUP, "Word": make.thing()}))
    wait(aws, "stack_create_complete", name)
    return name


@pytest.fixture
def detected(aws, until):
    """`detected(stack)` → the answer of DescribeStackDriftDetectionStatus once it is complete."""

    def detect(stack, **more):
        begun = aws.detect_stack_drift(StackName=stack, **more)["StackDriftDetectionId"]

        def done():
            answer = aws.describe_stack_drift_detection_status(StackDriftDetectionId=begun)
            return answer if answer["DetectionStatus"] != "DETECTION_IN_PROGRESS" else None

        return until(done)

    return detect


def test_b15_a_stack_in_sync(aws, made, detected):
    answer = detected(made)
    assert (answer["DetectionStatus"], answer["StackDriftStatus"], answer["DriftedStackResourceCount"]) == (
        "DETECTION_COMPLETE", "IN_SYNC", 0,
    )  # fmt: skip
    (stack,) = aws.describe_stacks(StackName=made)["Stacks"]
    assert stack["DriftInformation"]["StackDriftStatus"] == "IN_SYNC"
    assert stack["DriftInformation"]["LastCheckTimestamp"] is not None
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    drifts = aws.describe_stack_resource_drifts(StackName=made)["StackResourceDrifts"]
    assert {d["LogicalResourceId"]: d["StackResourceDriftStatus"] for d in drifts} == {
        "Net": "IN_SYNC", "Group": "IN_SYNC",
    }  # fmt: skip


def test_b15_what_was_changed_and_what_is_gone(server, aws, made, detected):
    cloud = server.sdk()
    rows = {r["LogicalResourceId"]: r for r in aws.describe_stack_resources(StackName=made)["StackResources"]}
    net, group = rows["Net"]["PhysicalResourceId"], rows["Group"]["PhysicalResourceId"]
    cloud.network.update_network(net, name="theirs")
    found = cloud.network.find_security_group(group)  # its Ref is its name, outside of a VPC
    for rule in list(cloud.network.security_group_rules(security_group_id=found.id, direction="ingress")):
        cloud.network.delete_security_group_rule(rule)
    answer = detected(made)
    assert (answer["StackDriftStatus"], answer["DriftedStackResourceCount"]) == ("DRIFTED", 2)
    drifts = {d["LogicalResourceId"]: d for d in aws.describe_stack_resource_drifts(
        StackName=made, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"])["StackResourceDrifts"]}  # fmt: skip
    assert drifts["Net"]["PropertyDifferences"] == [
        {"PropertyPath": "/name", "ExpectedValue": "mine", "ActualValue": "theirs", "DifferenceType": "NOT_EQUAL"}
    ]
    assert json.loads(drifts["Net"]["ActualProperties"])["name"] == "theirs"
    assert drifts["Group"]["StackResourceDriftStatus"] == "MODIFIED"
    assert drifts["Group"]["PropertyDifferences"][0]["PropertyPath"].endswith("/rules")
    listed = aws.list_stack_resources(StackName=made)["StackResourceSummaries"]
    assert {r["LogicalResourceId"]: r["DriftInformation"]["StackResourceDriftStatus"] for r in listed} == {
        "Net": "MODIFIED", "Group": "MODIFIED", "Word": "NOT_CHECKED",
    }  # fmt: skip
    cloud.network.delete_network(net)
    one = aws.detect_stack_resource_drift(StackName=made, LogicalResourceId="Net")["StackResourceDrift"]
    assert one["StackResourceDriftStatus"] == "DELETED"


def test_b15_a_resource_of_several_objects_differs_in_the_words_of_its_template(
    server, aws, make, name, wait, detected, until
):
    volume = {
        "Type": "AWS::EC2::Volume",
        "Properties": {"Size": 1, "AvailabilityZone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]}},
    }
    aws.create_stack(StackName=name, TemplateBody=make.cfn({"Disk": volume}))
    wait(aws, "stack_create_complete", name)
    (row,) = aws.describe_stack_resources(StackName=name)["StackResources"]
    disks = server.sdk().block_storage
    disks.extend_volume(row["PhysicalResourceId"], 3)
    until(lambda: disks.get_volume(row["PhysicalResourceId"]).size == 3)
    assert detected(name)["StackDriftStatus"] == "DRIFTED"
    (drift,) = aws.describe_stack_resource_drifts(StackName=name)["StackResourceDrifts"]
    assert drift["PropertyDifferences"] == [
        {"PropertyPath": "/Size", "ExpectedValue": "1", "ActualValue": "3", "DifferenceType": "NOT_EQUAL"}
    ]
    assert json.loads(drift["ExpectedProperties"])["Size"] == 1
    assert json.loads(drift["ActualProperties"])["Size"] == 3


def test_b15_refusals(aws, made, make, name, refused):
    assert "does not exist" in refused(
        aws.describe_stack_drift_detection_status, StackDriftDetectionId="b78ac9b0-dec1-11e7-a451-503a3example"
    )
    assert "Resource None" in refused(aws.detect_stack_resource_drift, StackName=made, LogicalResourceId="None")
    aws.update_stack(StackName=name, TemplateBody=make.cfn({"Slow": make.thing(wait_secs=30)}))
    assert "can not be checked for drift" in refused(aws.detect_stack_drift, StackName=name)


def test_a35_pages(aws, made, detected):
    detected(made)
    first = aws.describe_stack_resource_drifts(StackName=made, MaxResults=1)
    rest = aws.describe_stack_resource_drifts(StackName=made, NextToken=first["NextToken"])
    names = [d["LogicalResourceId"] for answer in (first, rest) for d in answer["StackResourceDrifts"]]
    assert (names, "NextToken" in rest) == (["Group", "Net"], False)
