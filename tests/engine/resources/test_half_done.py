"""Updates that failed on their way, and what takes them back: the object may be as before, as wanted, or between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from .harness import Driven
from .test_lifecycle import SERVER, SSH, Stage

ROUTES = [{"destination": "10.1.0.0/24", "nexthop": "10.9.0.7"}, {"destination": "10.2.0.0/24", "nexthop": "10.9.0.7"}]


async def _took_back(thing: Driven, before: Mapping[str, Any], attempted: Mapping[str, Any], name: str) -> None:
    """What a rollback does: nothing is known but that there was an attempt."""
    thing.before = thing.properties = thing.checked(before)
    await thing.kind.update(thing.op(attempts=[thing.checked(attempted)]), frozenset({name}))
    thing.attributes = await thing.kind.ready(thing.op())


async def _rules(thing: Driven) -> set[Any]:
    row = await thing.kind.read(thing.op())
    return {rule["port_range_min"] for rule in row["security_group_rules"] if rule["direction"] == "ingress"}


@pytest.mark.parametrize("far", [False, True])
async def test_rules_of_an_attempt_are_taken_away(cloud: Any, far: bool) -> None:
    before, attempted = {"rules": [SSH]}, {"rules": [{**SSH, "port_range_min": 80, "port_range_max": 80}]}
    thing = Driven("OS::Neutron::SecurityGroup", before, cloud)
    await thing.create()
    if far:
        await thing.update(attempted)
    await _took_back(thing, before, attempted, "rules")
    assert await _rules(thing) == {22}


@pytest.mark.parametrize("far", [False, True])
async def test_routes_of_an_attempt_are_taken_away(cloud: Any, far: bool) -> None:
    stage = Stage(cloud)
    await stage.set(("net", "subnet", "router", "interface"))
    before, attempted = (stage.filled({"router": "@router", "routes": [route]}) for route in ROUTES)
    thing = Driven("OS::Neutron::ExtraRouteSet", before, cloud)
    await thing.create()
    if far:
        await thing.update(attempted)
    await _took_back(thing, before, attempted, "routes")
    row = (await cloud.request("network", "GET", f"/routers/{stage.filled('@router')}")).body["router"]
    assert [route["destination"] for route in row["routes"]] == ["10.1.0.0/24"]


@pytest.mark.parametrize("far", [False, True])
async def test_interfaces_of_an_attempt_are_taken_away_and_those_before_are_there_again(cloud: Any, far: bool) -> None:
    stage = Stage(cloud)
    await stage.set(("net", "subnet"))
    other = Driven("OS::Neutron::Net", {"name": "other"}, cloud, address="other")
    await other.create()
    subnet = {"network": other.physical_id, "cidr": "10.8.0.0/24"}
    await Driven("OS::Neutron::Subnet", subnet, cloud, address="beside").create()
    before = stage.filled({**SERVER, "networks": [{"network": "@net"}]})
    attempted = {**before, "networks": [{"network": other.physical_id}]}
    thing = Driven("OS::Nova::Server", before, cloud)
    await thing.create()
    if far:
        await thing.update(attempted)
    await _took_back(thing, before, attempted, "networks")
    found = (await cloud.request("compute", "GET", f"/servers/{thing.physical_id}/os-interface")).body
    assert [one["net_id"] for one in found["interfaceAttachments"]] == [stage.filled("@net")]
