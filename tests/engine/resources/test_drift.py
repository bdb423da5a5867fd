"""Where live objects differ from their records (cloudformation.md B15)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.resources.base import Gone
from engine.resources.drift import alike

from .harness import Driven
from .test_lifecycle import ROWS, SERVER, Row, Stage, acting


@pytest.fixture
async def stage(cloud: Any) -> Stage:
    return Stage(cloud)


@pytest.mark.parametrize("name", ROWS)
async def test_what_nobody_has_touched_has_not_drifted(name: str, stage: Stage, cloud: Any, admin: Any) -> None:
    row: Row = ROWS[name]
    await stage.set(row.needs)
    thing = Driven(row.type, stage.filled(row.before), acting(row, cloud, admin))
    await thing.create()
    assert list(await thing.kind.drift(thing.op())) == []
    if row.after is not None:
        await thing.update(stage.filled(row.after))
        assert list(await thing.kind.drift(thing.op())) == []
    await thing.delete()
    try:
        assert list(await thing.kind.drift(thing.op())), "what is part of another object is missing there"
    except Gone:
        pass


@pytest.mark.parametrize(
    ("name", "method", "path", "body", "differing"),
    [
        ("Net", "PUT", "/networks/{id}", {"network": {"name": "z"}}, {"name": ("a", "z")}),
        ("Subnet", "PUT", "/subnets/{id}", {"subnet": {"dns_nameservers": ["9.9.9.9"]}},
         {"dns_nameservers": (["1.1.1.1"], ["9.9.9.9"])}),
        ("Router", "PUT", "/routers/{id}", {"router": {"admin_state_up": False}}, {"admin_state_up": (True, False)}),
        ("ExtraRouteSet", "PUT", "/routers/{router}", {"router": {"routes": []}},
         {"routes": ([{"destination": "10.55.0.0/24", "nexthop": "10.9.0.9"}], [])}),
    ],
)  # fmt: skip
async def test_b15_what_somebody_changed_is_named(
    name: str, method: str, path: str, body: Any, differing: Any, stage: Stage, cloud: Any
) -> None:
    await stage.set(ROWS[name].needs)
    thing = Driven(ROWS[name].type, stage.filled(ROWS[name].before), cloud)
    await thing.create()
    router = str(thing.physical_id).partition(":")[0]
    await cloud.request("network", method, path.format(id=thing.physical_id, router=router), json=body)
    found = {one.name: (one.expected, one.actual) for one in await thing.kind.drift(thing.op())}
    assert found == differing


async def test_b15_a_server_of_another_size_and_name(stage: Stage, cloud: Any) -> None:
    await stage.set(("net", "subnet"))
    thing = Driven("OS::Nova::Server", stage.filled({**SERVER, "name": "a", "metadata": {"k": "v"}}), cloud)
    await thing.create()
    properties = thing.properties
    await thing.update(stage.filled({**SERVER, "name": "b", "flavor": "m1.small", "metadata": {"k": "w"}}))
    thing.properties = properties
    found = {one.name: (one.expected, one.actual) for one in await thing.kind.drift(thing.op())}
    assert found == {
        "name": ("a", "b"), "flavor": ("m1.tiny", "m1.small"), "metadata": ({"k": "v"}, {"k": "w"}),
    }  # fmt: skip


async def test_b15_a_volume_that_grew(cloud: Any) -> None:
    thing = Driven("OS::Cinder::Volume", {"size": 1}, cloud)
    await thing.create()
    properties = thing.properties
    await thing.update({"size": 2})
    thing.properties = properties
    assert [(one.name, one.expected, one.actual) for one in await thing.kind.drift(thing.op())] == [("size", 1, 2)]


async def test_b15_a_rule_that_is_gone_is_a_difference_one_that_was_added_is_not(cloud: Any) -> None:
    thing = Driven("OS::Neutron::SecurityGroup", {"rules": [{"protocol": "icmp"}]}, cloud)
    await thing.create()
    rule = {"security_group_id": thing.physical_id, "direction": "ingress", "protocol": "udp"}
    await cloud.request("network", "POST", "/security-group-rules", json={"security_group_rule": rule})
    assert list(await thing.kind.drift(thing.op())) == []
    row = await thing.kind.read(thing.op())
    (mine,) = [one["id"] for one in row["security_group_rules"] if one["protocol"] == "icmp"]
    await cloud.request("network", "DELETE", f"/security-group-rules/{mine}")
    assert [one.name for one in await thing.kind.drift(thing.op())] == ["rules"]


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        (1, "1", True), (True, "True", True), (False, None, False), ("", None, True), ([], None, True),
        ("TCP", "tcp", True), ("10.0.0.9/24", "10.0.0.0/24", True), ("::1", "0:0:0:0:0:0:0:1", True),
        ([1, 2], ["2", "1"], True), ([1], [1, 2], False), ({"a": 1}, {"a": "1", "b": 2}, True),
        ({"a": 1}, {"a": 2}, False), ({"a": 1}, "a", False), ("m1", {"id": 7, "original_name": "m1"}, True),
        ("m1", {"id": "m2"}, False), ("m1", {"what": "ever"}, True), ("a", ["a"], False),
        ([{"a": 1}, {"a": 2}], [{"a": 2, "b": 0}, {"a": 1}], True),
    ],
)  # fmt: skip
def test_what_may_be_the_same_is_no_difference(expected: Any, actual: Any, same: bool) -> None:
    assert alike(expected, actual) is same
