"""1: objects that exist already become resources of stacks (B14, S19 to S22), through boto3."""

from __future__ import annotations

import pytest


def net(name, policy="Retain"):
    return {"Type": "OS::Neutron::Net", "DeletionPolicy": policy, "Properties": {"name": name}}


def wanted(resource, object_id, kind="OS::Neutron::Net", key="Id"):
    return [{"ResourceType": kind, "LogicalResourceId": resource, "ResourceIdentifier": {key: object_id}}]


@pytest.fixture
def aws(server):
    return server.boto3()


@pytest.fixture
def theirs(server, name):
    """A network that somebody made by hand."""
    return server.sdk().network.create_network(name=f"hand-{name}")


@pytest.fixture
def imported(aws, make, wait):
    def run(stack, resources, what):
        made = aws.create_change_set(
            StackName=stack, ChangeSetName="take", ChangeSetType="IMPORT", TemplateBody=make.cfn(resources),
            ResourcesToImport=what,
        )  # fmt: skip
        wait(aws, "change_set_create_complete", stack, ChangeSetName="take")
        shown = aws.describe_change_set(ChangeSetName=made["Id"])
        aws.execute_change_set(ChangeSetName=made["Id"])
        return shown

    return run


@pytest.fixture
def status(aws):
    return lambda stack: aws.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]


def test_b14_a_network_is_taken_into_a_new_stack_and_into_an_old_one(
    server, aws, make, name, theirs, imported, until, status
):
    shown = imported(name, {"Net": net(theirs.name)}, wanted("Net", theirs.id))
    (change,) = [one["ResourceChange"] for one in shown["Changes"]]
    assert (change["Action"], change["LogicalResourceId"], change["PhysicalResourceId"]) == ("Import", "Net", theirs.id)
    until(lambda: status(name) == "IMPORT_COMPLETE")
    (row,) = aws.describe_stack_resources(StackName=name)["StackResources"]
    assert (row["ResourceStatus"], row["PhysicalResourceId"]) == ("IMPORT_COMPLETE", theirs.id)
    second = server.sdk().network.create_network(name=f"second-{name}")
    both = {"Net": net(theirs.name), "Second": net(second.name)}
    imported(name, both, wanted("Second", second.id))
    until(lambda: len(aws.describe_stack_resources(StackName=name)["StackResources"]) == 2)
    until(lambda: status(name) == "IMPORT_COMPLETE")
    aws.delete_stack(StackName=name)
    until(lambda: not [s for s in aws.list_stacks(StackStatusFilter=["IMPORT_COMPLETE", "DELETE_IN_PROGRESS"])[
        "StackSummaries"] if s["StackName"] == name])  # fmt: skip
    assert server.sdk().network.get_network(theirs.id).name == theirs.name, "retained"


def test_s22_what_does_not_exist_is_not_imported(aws, make, name, wait, imported, until, status):
    aws.create_stack(StackName=name, TemplateBody=make.cfn({"Thing": make.thing()}))
    wait(aws, "stack_create_complete", name)
    resources = {"Thing": make.thing(), "Net": net("nobody's")}
    imported(name, resources, wanted("Net", "2f0d5bb8-6f3c-4a3d-9f8c-0a5d3ba40bfa"))
    until(lambda: status(name) == "IMPORT_ROLLBACK_COMPLETE")
    (row,) = aws.describe_stack_resources(StackName=name)["StackResources"]
    assert row["LogicalResourceId"] == "Thing"


def test_b14_refusals(aws, make, name, theirs, refused):
    def ask(resources, what, kind="IMPORT"):
        return refused(
            aws.create_change_set, StackName=name, ChangeSetName="take", ChangeSetType=kind,
            TemplateBody=make.cfn(resources), **({"ResourcesToImport": what} if what else {}),
        )  # fmt: skip

    plain = {"Type": "OS::Neutron::Net", "Properties": {"name": "x"}}
    take = wanted("Net", theirs.id)
    assert ask({"Net": plain}, take) == (
        "Resources [Net] must have DeletionPolicy attribute specified in the template."
    )
    assert "must be specified" in ask({"Net": net("x")}, None)
    assert "only be specified" in ask({"Net": net("x")}, take, kind="CREATE")
    assert "is not that in the template" in ask({"Net": net("x")}, wanted("Net", theirs.id, "OS::Nova::Server"))
    assert "must have DeletionPolicy" in ask({"Net": net("x")}, wanted("Other", theirs.id))
    two = {"ResourceIdentifier": {"A": "1", "B": "2"}}
    assert "exactly one entry" in ask({"Net": net("x")}, [{**take[0], **two}])
    vpc = {"Type": "AWS::EC2::VPC", "DeletionPolicy": "Retain", "Properties": {"CidrBlock": "10.0.0.0/16"}}
    assert "not supported for Import" in ask({"Vpc": vpc}, wanted("Vpc", "r", "AWS::EC2::VPC", "VpcId"))
