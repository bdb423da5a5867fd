"""Groups whose members are instances: OS::Heat::InstanceGroup and Isotherm::AutoScalingGroup (ENGU-11, M039, M049)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from engine.resources.base import OperationFailed

from .harness import REGISTRY, Driven, Surroundings

SMALL = {"ImageId": "cirros", "InstanceType": "m1.small"}
LARGE = {"ImageId": "cirros", "InstanceType": "m1.large"}


class Around(Surroundings):
    """The child's members are those of its template."""

    async def nested_standing(self, stack_id: str) -> Any:
        self.members = list(await self.nested_resources(stack_id))
        return await super().nested_standing(stack_id)

    async def nested_resources(self, stack_id: str) -> Sequence[tuple[str, str | None, Mapping[str, Any]]]:
        return [(name, f"i-{name}", {"PublicIp": "", "PrivateIp": f"ip-{name}"}) for name in members(self)]


def members(services: Surroundings, position: int = -1) -> dict[str, Any]:
    document = json.loads(services.nested[position].template)
    found: dict[str, Any] = document.get("Resources") or {}
    return found


def instances(services: Surroundings, position: int = -1) -> list[Mapping[str, Any]]:
    return [one["Properties"] for one in members(services, position).values()]


def group(services: Surroundings | None = None, **properties: Any) -> Driven:
    given = {"name": "web", "min_size": 1, "max_size": 9, "instance": SMALL, **properties}
    return Driven("Isotherm::AutoScalingGroup", given, services=services or Around(virtual=True))


def changed(thing: Driven, **properties: Any) -> dict[str, Any]:
    return {name: value for name, value in {**thing.properties, **properties}.items() if value is not None}


# --- what a member is -------------------------------------------------------------------------------------------------
async def test_m049_members_are_instances_with_the_tags_that_are_theirs() -> None:
    tags = [
        {"Key": "a", "Value": "1", "PropagateAtLaunch": True},
        {"Key": "b", "Value": "2", "PropagateAtLaunch": False},
    ]
    own = {**SMALL, "Tags": [{"Key": "a", "Value": "0"}, {"Key": "c", "Value": "3"}]}
    thing = group(instance=own, tags=tags)
    await thing.create()
    (one,) = members(thing.services).values()
    assert one["Type"] == "AWS::EC2::Instance"
    assert one["Properties"]["Tags"] == [
        {"Key": "c", "Value": "3"},
        {"Key": "a", "Value": "1"},
        {"Key": "aws:autoscaling:groupName", "Value": "web"},
    ]
    assert json.loads(thing.services.nested[-1].template)["AWSTemplateFormatVersion"] == "2010-09-09"
    assert thing.reference == "web"


async def test_m049_instances_are_spread_over_the_subnets_and_stay_there() -> None:
    thing = group(subnets=["s1", "s2"], desired_capacity=3)
    await thing.create()
    assert sorted(one["SubnetId"] for one in instances(thing.services)) == ["s1", "s1", "s2"]
    before = {name: one["Properties"]["SubnetId"] for name, one in members(thing.services).items()}
    await thing.update(changed(thing, subnets=["s2", "s1", "s3"], desired_capacity=6, rolling={}))
    after = {name: one["Properties"]["SubnetId"] for name, one in members(thing.services).items()}
    assert {name: after[name] for name in before} == before
    assert sorted(after.values()) == ["s1", "s1", "s2", "s2", "s3", "s3"]


async def test_m049_a_subnet_that_is_taken_away_is_left() -> None:
    thing = group(subnets=["s1", "s2"], desired_capacity=2)
    await thing.create()
    await thing.update(changed(thing, subnets=["s2"], rolling={}))
    assert [one["SubnetId"] for one in instances(thing.services)] == ["s2", "s2"]


async def test_m049_an_interface_that_is_written_out_has_the_subnet() -> None:
    nic = {"DeviceIndex": "0", "AssociatePublicIpAddress": True}
    thing = group(subnets=["s1"], instance={**SMALL, "NetworkInterfaces": [nic]})
    await thing.create()
    (one,) = instances(thing.services)
    assert one["NetworkInterfaces"] == [{**nic, "SubnetId": "s1"}]
    assert "SubnetId" not in one


async def test_m049_without_subnets_the_zones() -> None:
    thing = group(zones=["a", "b"], desired_capacity=2)
    await thing.create()
    assert sorted(one["AvailabilityZone"] for one in instances(thing.services)) == ["a", "b"]


async def test_m049_a_group_of_nobody() -> None:
    thing = group(min_size=0)
    await thing.create()
    assert json.loads(thing.services.nested[-1].template)["resources"] == {}
    assert thing.get("InstanceList") is None
    await thing.update(changed(thing, min_size=1))
    assert len(members(thing.services)) == 1


async def test_heat_s_format_where_the_template_is_heat_s() -> None:
    thing = group(heat_format=True)
    await thing.create()
    assert "HeatTemplateFormatVersion" in json.loads(thing.services.nested[-1].template)
    assert instances(thing.services)[0]["Tags"] == [{"Key": "metering.AutoScalingGroupName", "Value": "web"}]


# --- updates ----------------------------------------------------------------------------------------------------------
async def test_engu_11_without_a_policy_instances_keep_what_they_were_made_with() -> None:
    thing = group(desired_capacity=2)
    await thing.create()
    await thing.update(changed(thing, instance=LARGE, desired_capacity=3))
    assert sorted(one["InstanceType"] for one in instances(thing.services)) == ["m1.large", "m1.small", "m1.small"]


async def test_engu_11_batches_and_pauses() -> None:
    thing = group(desired_capacity=3)
    await thing.create()
    rolling = {"max_batch_size": 2, "min_in_service": 0, "pause_time": "PT30S"}
    await thing.update(changed(thing, instance=LARGE, rolling=rolling))
    steps = [sum(one["InstanceType"] == "m1.large" for one in instances(thing.services, n)) for n in range(1, 4)]
    assert steps == [2, 3, 3]
    assert thing.services.slept == [30]


async def test_engu_11_the_group_grows_for_a_while_where_enough_must_be_in_service() -> None:
    thing = group(desired_capacity=2)
    await thing.create()
    await thing.update(changed(thing, instance=LARGE, rolling={"min_in_service": 2}))
    assert [len(members(thing.services, n)) for n in range(len(thing.services.nested))] == [2, 3, 3, 3, 2, 2]


class Signalling(Around):
    """Every instance that is new says so."""

    failing = False

    async def nested_done(self, stack_id: str) -> Mapping[str, Any]:
        there = self.signals_of.setdefault("Group", [])
        for name in members(self):
            if len(self.nested) > 1 and name not in [one["unique_id"] for one in there]:
                status = "FAILURE" if self.failing else "SUCCESS"
                there.append({"unique_id": f"{name}-{len(self.nested)}", "status": status, "reason": "no disk"})
        return await super().nested_done(stack_id)


async def test_engu_11_a_batch_waits_for_its_instances_to_say_that_they_are_ready() -> None:
    thing = group(Signalling(virtual=True), desired_capacity=2, signals_of="Group")
    await thing.create()
    rolling = {"wait_for_signals": True, "pause_time": "PT5M"}
    await thing.update(changed(thing, instance=LARGE, rolling=rolling))
    assert thing.services.slept == [], "the pause is how long they have, not how long to wait"
    assert [one["InstanceType"] for one in instances(thing.services)] == ["m1.large"] * 2


async def test_engu_11_too_few_signals_in_time_fail_the_update() -> None:
    thing = group(desired_capacity=1, signals_of="Group")
    await thing.create()
    rolling = {"wait_for_signals": True, "pause_time": "PT5M"}
    with pytest.raises(OperationFailed, match=r"Failed to receive 1 resource signal\(s\)"):
        await thing.update(changed(thing, instance=LARGE, rolling=rolling))
    assert thing.services.monotonic() >= 60  # the harness gives a step a minute


async def test_engu_11_a_signal_of_failure_fails_it_unless_enough_are_well() -> None:
    services = Signalling(virtual=True)
    services.failing = True
    thing = group(services, desired_capacity=1, signals_of="Group")
    await thing.create()
    with pytest.raises(OperationFailed, match="no disk"):
        await thing.update(changed(thing, instance=LARGE, rolling={"wait_for_signals": True}))
    await thing.update(changed(thing, instance=SMALL, rolling={"wait_for_signals": True, "percent": 0}))


async def test_engu_11_an_engine_that_takes_over_waits_for_the_signals_of_the_batch() -> None:
    services = Around(virtual=True)
    thing = group(services, desired_capacity=1, signals_of="Group")
    await thing.create()
    thing.data["batch_waits_for"] = {"count": 1, "before": ["old"], "instance": LARGE}
    services.signals_of["Group"] = [{"unique_id": "old", "status": "SUCCESS"}]
    rolling = {"wait_for_signals": True, "pause_time": "PT1M"}
    with pytest.raises(OperationFailed, match="0 of 1 received"):
        await thing.update(changed(thing, instance=LARGE, rolling=rolling))
    assert thing.data["batch_waits_for"] is None


async def test_l83_sizes_that_are_not_changed_are_left_where_the_template_says_so() -> None:
    thing = group(desired_capacity=1)
    await thing.create()
    thing.physical_id = await thing.services.start_nested(thing.op(), await thing.kind.resized(thing.op(), 4))
    await thing.update(changed(thing, keep_size=True, tags=[{"Key": "a", "Value": "b"}]))
    assert len(members(thing.services)) == 4
    await thing.update(changed(thing, keep_size=False))
    assert len(members(thing.services)) == 4, "how to update is no change of the group"
    await thing.update(changed(thing, tags=[]))
    assert len(members(thing.services)) == 1


def test_l83_another_instance_is_another_group_where_it_will_be_replaced() -> None:
    kind = REGISTRY.get("Isotherm::AutoScalingGroup")
    before = {"instance": SMALL, "subnets": [], "zones": [], "max_size": 1}
    assert kind.replaces({**before, "replace": True}, {**before, "instance": LARGE, "replace": True})
    assert not kind.replaces({**before, "replace": True}, {**before, "max_size": 2, "replace": True})
    assert not kind.replaces({**before, "replace": False}, {**before, "instance": LARGE, "replace": False})


def test_a_pause_that_is_none() -> None:
    kind = REGISTRY.get("Isotherm::AutoScalingGroup")
    assert kind.validate({"min_size": 2, "max_size": 1, "rolling": {"pause_time": "soon"}}) == [
        "MinSize can not be greater than MaxSize",
        "PauseTime: 'soon' is no duration; write PT15M for fifteen minutes",
    ]


# --- launch templates -----------------------------------------------------------------------------------------------
async def test_m039_every_version_is_kept() -> None:
    thing = Driven("Isotherm::LaunchTemplate", {"data": SMALL})
    assert (await thing.create() or "").startswith("lt-")
    assert (thing.get("latest"), thing.get("default")) == ("1", "1")
    await thing.update({"data": LARGE})
    await thing.update({"data": LARGE})
    assert thing.get("latest") == "2"
    assert thing.get("versions") == {"1": SMALL, "2": LARGE, "$Latest": LARGE, "$Default": SMALL}


# --- OS::Heat::InstanceGroup ------------------------------------------------------------------------------------------
def plain(services: Surroundings, **properties: Any) -> Driven:
    given = {"AvailabilityZones": [], "LaunchConfigurationName": "config", "Size": 2, **properties}
    return Driven("OS::Heat::InstanceGroup", given, services=services)


@pytest.fixture
def around() -> Around:
    kept = {"config": {"values": {"instance": SMALL}}, "other": {"values": {"instance": LARGE}}, "x": {"values": {}}}
    return Around(virtual=True, kept=kept)


async def test_an_instance_group_has_as_many_as_it_says(around: Around) -> None:
    thing = plain(around)
    await thing.create()
    assert [one["InstanceType"] for one in instances(around)] == ["m1.small"] * 2
    assert thing.get("InstanceList") == ",".join(f"ip-{name}" for name in members(around))
    await thing.update(changed(thing, Size=1))
    assert len(members(around)) == 1
    assert "cooldown_end" not in thing.data, "nothing scales it"


@pytest.mark.parametrize("name", ["nothing", "x"])
async def test_an_instance_group_needs_its_configuration(around: Around, name: str) -> None:
    with pytest.raises(OperationFailed, match="there is no launch configuration"):
        await plain(around, LaunchConfigurationName=name).create()


async def test_engu_11_an_instance_group_rolls_only_with_a_policy(around: Around) -> None:
    thing = plain(around)
    await thing.create()
    await thing.update(changed(thing, LaunchConfigurationName="other"))
    assert [one["InstanceType"] for one in instances(around)] == ["m1.small"] * 2
    policy = {"RollingUpdate": {"MaxBatchSize": 1, "MinInstancesInService": 1, "PauseTime": "PT10S"}}
    await thing.update(changed(thing, LaunchConfigurationName="other"), update_policy=policy)
    assert [one["InstanceType"] for one in instances(around)] == ["m1.large"] * 2
    assert set(around.slept) == {10}


async def test_engu_11_a_pause_is_an_hour_at_most(around: Around) -> None:
    thing = plain(around)
    await thing.create()
    with pytest.raises(OperationFailed, match="no duration of at most an hour"):
        await thing.update(changed(thing, Size=3), update_policy={"RollingUpdate": {"PauseTime": "PT2H"}})


def test_bad_instance_groups() -> None:
    kind = REGISTRY.get("OS::Heat::InstanceGroup")
    assert kind.validate({"Size": -1, "LoadBalancerNames": ["lb"]}) == [
        "Size can not be less than zero",
        "LoadBalancerNames: there are no load balancers of that kind; leave it out",
    ]
