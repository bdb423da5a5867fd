"""6: what fails rolls back or stays to be looked at, says why first, and a killed server carries on."""

from __future__ import annotations

import collections

import pytest
import requests

FAILING_HOT = """\
heat_template_version: 2018-08-31
resources:
  good: {type: OS::Heat::TestResource}
  bad: {type: OS::Heat::TestResource, depends_on: good, properties: {fail: true}}
  never: {type: OS::Heat::TestResource, depends_on: bad}
"""


@pytest.fixture(scope="module")
def aws(server):
    return server.boto3()


@pytest.fixture(scope="module")
def heat(server):
    return server.sdk().orchestration


def status(aws, name):
    return aws.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]


def test_6_cloudformation_rolls_back_and_says_why(aws, make, name, until):
    body = make.cfn({"Good": make.thing(), "Bad": {**make.thing(fail=True), "DependsOn": "Good"}})
    aws.create_stack(StackName=name, TemplateBody=body)
    until(lambda: status(aws, name) == "ROLLBACK_COMPLETE")
    reason = aws.describe_stacks(StackName=name)["Stacks"][0]["StackStatusReason"]
    assert reason == "The following resource(s) failed to create: [Bad]. Bad: Test Resource failed Bad"
    events = aws.describe_stack_events(StackName=name)["StackEvents"]
    (turned,) = [event for event in events if event["ResourceStatus"] == "ROLLBACK_IN_PROGRESS"]
    assert turned["ResourceStatusReason"].startswith("The following resource(s) failed to create: [Bad].")
    failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("FAILED")]
    assert failed[0]["LogicalResourceId"] == "Bad"
    assert "Test Resource failed" in failed[0]["ResourceStatusReason"]
    assert {event["LogicalResourceId"] for event in events if event["ResourceStatus"] == "DELETE_COMPLETE"} >= {"Good"}
    assert not [
        row for row in aws.describe_stack_resources(StackName=name)["StackResources"]
        if row["ResourceStatus"] != "DELETE_COMPLETE"
    ]  # fmt: skip


@pytest.mark.parametrize("options", [{"OnFailure": "DO_NOTHING"}, {"DisableRollback": True}], ids=lambda o: str(*o))
def test_6_cloudformation_told_not_to_roll_back(aws, make, name, until, options):
    aws.create_stack(StackName=name, TemplateBody=make.cfn({"Bad": make.thing(fail=True)}), **options)
    until(lambda: status(aws, name) == "CREATE_FAILED")


def test_6_on_failure_delete(aws, make, name, until):
    body = make.cfn({"Bad": make.thing(fail=True)})
    arn = aws.create_stack(StackName=name, TemplateBody=body, OnFailure="DELETE")["StackId"]
    until(lambda: status(aws, arn) == "DELETE_COMPLETE")


def test_6_a_failed_update_goes_back_to_what_was(aws, make, name, wait, until):
    aws.create_stack(StackName=name, TemplateBody=make.cfn({"Thing": make.thing(value="old")}))
    wait(aws, "stack_create_complete", name)
    bad = {**make.thing(fail=True), "DependsOn": "Thing"}
    aws.update_stack(StackName=name, TemplateBody=make.cfn({"Thing": make.thing(value="new"), "Bad": bad}))
    until(lambda: status(aws, name) == "UPDATE_ROLLBACK_COMPLETE")
    (row,) = aws.describe_stack_resources(StackName=name)["StackResources"]
    assert row["LogicalResourceId"] == "Thing"
    reason = aws.describe_stacks(StackName=name)["Stacks"][0]["StackStatusReason"]
    assert reason.startswith("The following resource(s) failed to create: [Bad]. Bad: ")


def test_6_hot_that_was_rolled_back_says_why(heat, name, until):
    heat.create_stack(name=name, template=FAILING_HOT, disable_rollback=False)
    until(lambda: heat.get_stack(name).status == "ROLLBACK_COMPLETE")
    reason = heat.get_stack(name).status_reason
    assert reason.startswith("Stack ROLLBACK completed successfully. It was rolled back because: ")
    assert "resources.bad: Test Resource failed" in reason


def test_6_hot_is_left_for_inspection(heat, name, until):
    heat.create_stack(name=name, template=FAILING_HOT)
    until(lambda: heat.get_stack(name).status == "CREATE_FAILED")
    assert "resources.bad" in heat.get_stack(name).status_reason
    assert "Test Resource failed" in heat.get_stack(name).status_reason
    kept = {resource.name: resource.status for resource in heat.resources(heat.get_stack(name))}
    assert kept["good"] == "CREATE_COMPLETE"
    assert kept["bad"] == "CREATE_FAILED"


def test_6_what_the_client_shows_first_is_the_reason(server, name, tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(FAILING_HOT)
    arguments = ("stack", "create", "-t", str(file), "--wait", "--poll", "1", name)
    done = server.openstack(*arguments)
    assert "CREATE_FAILED" in done.refused()
    reasons = [line for line in done.out.splitlines() if "CREATE_FAILED" in line]
    assert "bad" in reasons[0]
    assert "Test Resource failed" in reasons[0]


def test_6_what_the_cloud_said_is_the_reason(aws, faults, make, name, until):
    faults(
        service="network", method="POST", path="networks$", status=400, count=1, message="the cloud does not like it"
    )
    body = make.cfn({"Net": {"Type": "OS::Neutron::Net"}})
    aws.create_stack(StackName=name, TemplateBody=body)
    until(lambda: status(aws, name) == "ROLLBACK_COMPLETE")
    events = aws.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("FAILED")]
    assert failed[0]["LogicalResourceId"] == "Net"
    assert "the cloud does not like it" in failed[0]["ResourceStatusReason"]


SERVERS = """\
heat_template_version: 2018-08-31
resources:
  net: {type: OS::Neutron::Net}
  subnet: {type: OS::Neutron::Subnet, properties: {network: {get_resource: net}, cidr: 10.7.0.0/24}}
  group:
    type: OS::Heat::ResourceGroup
    properties:
      count: 4
      resource_def:
        type: OS::Nova::Server
        properties: {image: cirros, flavor: m1.tiny, networks: [{network: {get_resource: net}}]}
  volume: {type: OS::Cinder::Volume, properties: {size: 1}}
  attachment:
    type: OS::Cinder::VolumeAttachment
    properties: {volume_id: {get_resource: volume}, instance_uuid: {get_attr: [group, resource.0]}}
outputs:
  first: {value: {get_attr: [group, resource.0]}}
"""
WHOLE = {"networks": 1, "subnets": 1, "servers": 4, "volumes": 1}


def made(server):
    """How many of the project's objects there are in the simulated cloud, of the kinds that stacks make here."""
    sdk = server.sdk()
    project = sdk.current_project_id
    return {
        "networks": sum(1 for _ in sdk.network.networks(project_id=project)),
        "subnets": sum(1 for _ in sdk.network.subnets(project_id=project)),
        "servers": sum(1 for _ in sdk.compute.servers()),
        "volumes": sum(1 for _ in sdk.block_storage.volumes()),
    }


@pytest.mark.parametrize("seen", ["networks", "servers", "volumes"])
def test_engc_13_6_killed_in_the_middle_of_a_create_the_stack_completes_and_nothing_is_made_twice(
    fresh_server, name, until, seen
):
    server = fresh_server(build=0.6, settle=1.0, lease=1.5)
    before = made(server)
    server.sdk().orchestration.create_stack(name=name, template=SERVERS)
    until(lambda: made(server)[seen] > before[seen], every=0.01)
    server.kill9()
    server.start()
    heat = server.sdk().orchestration
    until(lambda: heat.get_stack(name).status == "CREATE_COMPLETE", seconds=40)
    after = collections.Counter(made(server))
    after.subtract(before)
    assert dict(after) == WHOLE
    heat.delete_stack(heat.get_stack(name))
    until(lambda: heat.find_stack(name) is None, seconds=40)
    assert made(server) == before


def test_6_killed_in_the_middle_of_a_delete_it_ends_too(fresh_server, name, until):
    server = fresh_server(build=0.3, settle=1.0, lease=1.5)
    before = made(server)
    heat = server.sdk().orchestration
    heat.create_stack(name=name, template=SERVERS)
    until(lambda: heat.get_stack(name).status == "CREATE_COMPLETE", seconds=40)
    heat.delete_stack(heat.get_stack(name))
    until(lambda: made(server)["servers"] < 4, every=0.01)
    server.kill9()
    server.start()
    heat = server.sdk().orchestration
    until(lambda: heat.find_stack(name) is None, seconds=40)
    assert made(server) == before


def test_6_sigterm_stops_cleanly_and_a_restart_carries_on(fresh_server, name, until, make):
    server = fresh_server(lease=1.5)
    aws = server.boto3()
    body = make.cfn({"Slow": make.thing(action_wait_secs={"create": 3})})
    aws.create_stack(StackName=name, TemplateBody=body)
    assert server.stop() == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url, timeout=2)
    server.start()
    until(lambda: status(server.boto3(), name) == "CREATE_COMPLETE", seconds=20)


def test_6_a_state_directory_is_served_by_one_process(server):
    said = server.run("isotherm", "serve", "--port", "0", "--state-dir", str(server.state_dir)).refused()
    assert "in use by another isotherm serve" in said


@pytest.fixture
def faults(server):
    """`faults(**fault)` tells the simulated cloud what goes wrong; all is well again after the test."""
    yield lambda **fault: server.simulator("faults", "POST", json=fault)
    server.simulator("faults", "DELETE")


@pytest.mark.parametrize("skip", [[], ["Net"]], ids=["again", "skipping"])
def test_6_a_rollback_that_fails_is_continued(aws, faults, make, name, wait, until, refused, skip):
    def net(value):
        return {"Type": "OS::Neutron::Net", "Properties": {"name": value}}

    aws.create_stack(StackName=name, TemplateBody=make.cfn({"Net": net("old")}))
    wait(aws, "stack_create_complete", name)
    refused(aws.continue_update_rollback, StackName=name)
    faults(service="network", method="PUT", path="networks/", status=400, skip=1, count=1, message="not now")
    bad = {**make.thing(fail=True), "DependsOn": "Net"}
    aws.update_stack(StackName=name, TemplateBody=make.cfn({"Net": net("new"), "Bad": bad}))
    until(lambda: status(aws, name) == "UPDATE_ROLLBACK_FAILED")
    aws.continue_update_rollback(StackName=name, ResourcesToSkip=skip)
    until(lambda: status(aws, name) == "UPDATE_ROLLBACK_COMPLETE")
    (row,) = aws.describe_stack_resources(StackName=name)["StackResources"]
    assert row["LogicalResourceId"] == "Net"
