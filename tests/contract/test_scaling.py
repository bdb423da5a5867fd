"""5: groups of servers that signals make larger and smaller, in both languages (ENGA-12, ENGA-14, M048 to M050)."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest
import requests

from tests.contract.test_vpc import PUBLIC, REAL, SECONDS, ref
from tests.contract.test_vpc_changes import Aws, get


@pytest.fixture
def aws(story, name):
    return Aws(story, name)


def configuration(flavor="m1.small", **more):
    return {
        "Type": "AWS::AutoScaling::LaunchConfiguration",
        "Properties": {"ImageId": "cirros", "InstanceType": flavor, **more},
    }


def group(low="1", high="4", *, policies=None, **more):
    properties = {
        "LaunchConfigurationName": ref("Config"), "MinSize": low, "MaxSize": high,
        "VPCZoneIdentifier": [ref("PubA"), ref("PubB")], **more,
    }  # fmt: skip
    return {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": properties, **(policies or {})}


def policy(amount=1, **more):
    properties = {
        "AutoScalingGroupName": ref("Group"), "AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": amount, **more
    }  # fmt: skip
    return {"Type": "AWS::AutoScaling::ScalingPolicy", "Properties": properties}


def fleet(**more):
    return {**PUBLIC, "Config": configuration(), "Group": group(**more), "Up": policy(), "Down": policy(-1)}


SHOWN = {
    "Name": ref("Group"),
    "Up": ref("Up"),
    "Down": get("Down", "AlarmUrl"),
    "Servers": get("Group", "InstanceList"),
}


def servers(aws):
    """Those of the story by id: their stacks are inside the story's."""
    marked = "aws:cloudformation:stack-name"
    return {s.id: s for s in aws.story.sdk.compute.servers() if s.metadata.get(marked, "").startswith(aws.name)}


def until(aws, wanted):
    """The servers, when `wanted(servers)` holds."""
    deadline = time.monotonic() + SECONDS
    while True:
        found = servers(aws)
        if wanted(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.5 if REAL else 0.05)


def described(aws):
    return aws.story.aws.describe_stacks(StackName=aws.name)["Stacks"][0]


def settled(aws, size):
    """The outputs, when the stack knows of so many servers."""
    deadline = time.monotonic() + SECONDS
    while True:
        found = aws.outputs(described(aws))
        if len(found["Servers"].split(",")) == size:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.5 if REAL else 0.05)


def test_m049_m050_a_group_grows_and_shrinks_when_its_policies_are_signalled(aws):
    found = aws.outputs(aws.create(fleet(DesiredCapacity="2"), SHOWN))
    first = set(servers(aws))
    assert len(first) == 2
    assert requests.post(found["Up"], timeout=30).status_code == 200
    until(aws, lambda there: len(there) == 3)
    addresses = settled(aws, 3)["Servers"].split(",")
    nets = Counter(s.id for a in addresses for s in aws.net().subnets.values() if _in(a, s, aws))
    assert sorted(nets.values()) == [1, 2], "spread over the subnets"
    assert described(aws)["StackStatus"] == "CREATE_COMPLETE"
    assert requests.post(found["Down"], timeout=30).status_code == 200
    left = until(aws, lambda there: len(there) == 2)
    assert len(first & set(left)) == 1, "the oldest was removed"
    settled(aws, 2)
    assert [one.metadata["aws:autoscaling:groupName"] for one in left.values()] == [found["Name"]] * 2


def _in(address, subnet, aws):
    """Whether a floating or own address leads into the subnet."""
    net = aws.story.sdk.network
    for ip in net.ips(floating_ip_address=address):
        address = ip.fixed_ip_address
    return address is not None and address.rsplit(".", 1)[0] == subnet.cidr.rsplit(".", 1)[0]


def test_engu_11_another_configuration_rolls_through_the_group(aws):
    rolling = {"UpdatePolicy": {"AutoScalingRollingUpdate": {"MaxBatchSize": "1", "MinInstancesInService": "1"}}}
    resources = fleet(DesiredCapacity="2", policies=rolling)
    aws.create(resources, SHOWN)
    before = servers(aws)
    resources["Config"] = configuration("m1.tiny")
    aws.update(resources, SHOWN)
    after = servers(aws)
    assert len(after) == 2
    assert set(after).isdisjoint(before), "they are other instances, not changed ones"
    flavors = {one.flavor["original_name"] for one in after.values()}
    assert flavors.isdisjoint(one.flavor["original_name"] for one in before.values())


def test_engu_11_without_a_policy_instances_stay_as_they_are(aws):
    resources = fleet(DesiredCapacity="2")
    found = aws.outputs(aws.create(resources, SHOWN))
    before = servers(aws)
    resources["Config"] = configuration("m1.tiny")
    aws.update(resources, SHOWN)
    assert set(servers(aws)) == set(before)
    requests.post(found["Up"], timeout=30)
    after = until(aws, lambda there: len(there) == 3)
    (new,) = set(after) - set(before)
    until(aws, lambda there: there[new].status == "ACTIVE")
    assert len({one.flavor["original_name"] for one in servers(aws).values()}) == 2


def test_l82_a_group_is_complete_when_its_instances_have_said_so(aws):
    waiting = {"CreationPolicy": {"ResourceSignal": {"Count": 1, "Timeout": "PT2M"}}}
    body = {"Resources": fleet(policies=waiting)}
    aws.story.aws.create_stack(StackName=aws.name, TemplateBody=json.dumps(body))
    until(aws, lambda there: any(one.status == "ACTIVE" for one in there.values()))
    assert described(aws)["StackStatus"] == "CREATE_IN_PROGRESS"
    aws.story.aws.signal_resource(StackName=aws.name, LogicalResourceId="Group", UniqueId="i-1", Status="SUCCESS")
    aws.story.wait(aws.name, "CREATE_COMPLETE")


def test_m039_versions_of_a_launch_template(aws):
    def template(flavor):
        data = {
            "ImageId": "cirros", "InstanceType": flavor,
            "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "of", "Value": "template"}]}],
        }  # fmt: skip
        return {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": data}}

    def uses(version):
        made = group(policies={"UpdatePolicy": {"AutoScalingRollingUpdate": {}}})
        del made["Properties"]["LaunchConfigurationName"]
        made["Properties"]["LaunchTemplate"] = {"LaunchTemplateId": ref("Template"), "Version": version}
        return made

    def flavors():
        return {one.flavor["original_name"] for one in servers(aws).values()}

    latest = get("Template", "LatestVersionNumber")
    shown = {"Latest": latest}
    resources = {**PUBLIC, "Template": template("m1.small"), "Group": uses(latest)}
    assert aws.outputs(aws.create(resources, shown)) == {"Latest": "1"}
    (server,) = servers(aws).values()
    assert server.metadata["of"] == "template"
    before = flavors()
    resources = {**PUBLIC, "Template": template("m1.tiny"), "Group": uses(latest)}
    assert aws.outputs(aws.update(resources, shown)) == {"Latest": "2"}
    assert flavors().isdisjoint(before)
    resources["Group"] = uses("1")
    aws.update(resources, shown)
    assert flavors() == before


def test_enga_14_a_native_group_of_servers(story, name):
    network = {
        "net": {"type": "OS::Neutron::Net"},
        "subnet": {"type": "OS::Neutron::Subnet", "properties": {"network": ref_to("net"), "cidr": "10.7.0.0/24"}},
    }
    member = {
        "type": "OS::Nova::Server",
        "properties": {"image": "cirros", "flavor": "m1.tiny", "networks": [{"subnet": ref_to("subnet")}]},
    }
    template = {
        "heat_template_version": "2016-10-14",
        "resources": {
            **network,
            "group": {
                "type": "OS::Heat::AutoScalingGroup",
                "properties": {"min_size": 1, "max_size": 3, "resource": member},
            },
            "up": {
                "type": "OS::Heat::ScalingPolicy",
                "properties": {
                    "auto_scaling_group_id": ref_to("group"), "adjustment_type": "change_in_capacity",
                    "scaling_adjustment": 1,
                },
            },
        },
        "outputs": {
            "size": {"value": {"get_attr": ["group", "current_size"]}},
            "addresses": {"value": {"get_attr": ["group", "outputs_list", "first_address"]}},
        },
    }  # fmt: skip
    story.heat.create_stack(name=name, template=json.dumps(template), timeout_mins=10)
    story.wait(name, "CREATE_COMPLETE")

    def outputs():
        return {one["output_key"]: one["output_value"] for one in story.heat.get_stack(name).outputs}

    assert outputs()["size"] == 1
    stack = story.heat.get_stack(name)
    answer = story.heat.post(f"/stacks/{name}/{stack.id}/resources/up/signal", json={"current": "alarm"})
    assert answer.status_code < 300
    deadline = time.monotonic() + SECONDS
    while outputs()["size"] != 2:
        assert time.monotonic() < deadline, story.failures(name)
        time.sleep(0.5 if REAL else 0.05)
    assert len(set(outputs()["addresses"])) == 2
    assert story.heat.get_stack(name).status == "CREATE_COMPLETE"
    shown = story.heat.get(f"/stacks/{name}/{stack.id}/resources/group").json()["resource"]
    metadata = story.heat.get(f"/stacks/{name}/{stack.id}/resources/group/metadata").json()["metadata"]
    assert shown["attributes"]["current_size"] == 2
    assert metadata["scaling_in_progress"] is False


def ref_to(name):
    return {"get_resource": name}


def test_heat_templates_scale_instances_by_the_names_of_aws(story, name):
    networks = [
        one
        for one in story.sdk.network.networks(project_id=story.sdk.current_project_id)
        if one.subnet_ids and not one.is_router_external
    ]
    if len(networks) != 1:
        pytest.skip("the project has not exactly one network")

    def fleet(flavor):
        config = {
            "type": "AWS::AutoScaling::LaunchConfiguration",
            "properties": {"ImageId": "cirros", "InstanceType": flavor, "UserData": "#!/bin/sh\necho hello\n"},
        }
        grown = {
            "type": "AWS::AutoScaling::AutoScalingGroup",
            "properties": {
                "AvailabilityZones": [], "LaunchConfigurationName": ref_to("config"), "MinSize": 1, "MaxSize": 3
            },
        }  # fmt: skip
        plain = {
            "type": "OS::Heat::InstanceGroup",
            "properties": {"AvailabilityZones": [], "LaunchConfigurationName": ref_to("config"), "Size": 2},
            "update_policy": {"RollingUpdate": {"MaxBatchSize": 2}},
        }
        up = {
            "type": "AWS::AutoScaling::ScalingPolicy",
            "properties": {
                "AutoScalingGroupName": ref_to("grown"), "AdjustmentType": "ExactCapacity", "ScalingAdjustment": 3
            },
        }  # fmt: skip
        outputs = {
            one: {"value": {"get_attr": [where, what]}}
            for one, where, what in (
                ("url", "up", "AlarmUrl"),
                ("grown", "grown", "InstanceList"),
                ("plain", "plain", "InstanceList"),
            )
        }
        resources = {"config": config, "grown": grown, "plain": plain, "up": up}
        return json.dumps({"heat_template_version": "2016-10-14", "resources": resources, "outputs": outputs})

    def outputs():
        return {one["output_key"]: one["output_value"] for one in story.heat.get_stack(name).outputs}

    story.heat.create_stack(name=name, template=fleet("m1.tiny"), timeout_mins=10)
    story.wait(name, "CREATE_COMPLETE")
    assert [len(outputs()[one].split(",")) for one in ("grown", "plain")] == [1, 2]
    assert requests.post(outputs()["url"], timeout=30).status_code == 200
    deadline = time.monotonic() + SECONDS
    while len(outputs()["grown"].split(",")) != 3:
        assert time.monotonic() < deadline, story.failures(name)
        time.sleep(0.5 if REAL else 0.05)
    if REAL:
        return  # instances are resized where they are, which takes a second host
    before = outputs()
    story.heat.update_stack(name, template=fleet("m1.small"))
    story.wait(name, "UPDATE_COMPLETE")
    assert outputs()["grown"] == before["grown"], "without a policy they stay"
    small = [one for one in story.sdk.compute.servers() if one.flavor["original_name"] == "m1.small"]
    assert len(small) == 2
