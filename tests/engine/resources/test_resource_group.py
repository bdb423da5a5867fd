"""OS::Heat::ResourceGroup (ENGU-12, ENGU-14, ENGU-15)."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from engine.resources.heat.members import next_state
from engine.resources.heat.resource_group import definitions
from engine.resources.heat.rolling import batches

from .harness import Driven, Surroundings

DEFINITION = {"type": "OS::Heat::Value", "properties": {"value": "v%index%", "list": ["%index%", {"k": "a-%index%"}]}}


def group(services: Surroundings | None = None, **properties: Any) -> Driven:
    return Driven("OS::Heat::ResourceGroup", {"resource_def": DEFINITION, **properties}, services=services)


def members(services: Surroundings, position: int = -1) -> dict[str, Any]:
    return json.loads(services.nested[position].template)["resources"]


async def test_engu_15_members_have_their_index() -> None:
    thing = group(count=2)
    await thing.create()
    found = members(thing.services)
    assert list(found) == ["0", "1"]
    assert found["1"] == {
        "type": "OS::Heat::Value",
        "properties": {"value": "v1", "list": ["1", {"k": "a-1"}]},
    }


async def test_an_empty_group_is_a_stack_without_resources() -> None:
    thing = group(count=0)
    await thing.create()
    assert members(thing.services) == {}


async def test_another_index_variable() -> None:
    definition = {"type": "X", "properties": {"a": "%index%-__i__"}}
    thing = group(count=1, index_var="__i__", resource_def=definition)
    await thing.create()
    assert members(thing.services)["0"]["properties"] == {"a": "%index%-0"}


async def test_engu_15_a_removed_name_is_never_used_again() -> None:
    services = Surroundings()
    thing = group(services, count=3)
    await thing.create()
    services.members = [("0", "r0", {}), ("1", "r1", {}), ("2", "r2", {})]
    await thing.update({"resource_def": DEFINITION, "count": 2, "removal_policies": [{"resource_list": ["1"]}]})
    assert list(members(services)) == ["0", "2"]
    services.members = [("0", "r0", {}), ("2", "r2", {})]
    await thing.update({"resource_def": DEFINITION, "count": 3})
    assert list(members(services)) == ["0", "2", "3"]
    assert thing.get("removed_rsrc_list") == ["1"]


async def test_engu_15_members_are_removed_by_reference_too() -> None:
    services = Surroundings()
    thing = group(services, count=2)
    await thing.create()
    services.members = [("0", "r0", {}), ("1", "r1", {})]
    await thing.update({"resource_def": DEFINITION, "count": 1, "removal_policies": [{"resource_list": ["r0"]}]})
    assert list(members(services)) == ["1"]


async def test_engu_15_mode_update_forgets_what_was_removed() -> None:
    services = Surroundings()
    thing = group(services, count=1, removal_policies=[{"resource_list": ["0"]}])
    await thing.create()
    assert list(members(services)) == ["1"]
    services.members = [("1", "r1", {})]
    await thing.update({"resource_def": DEFINITION, "count": 1, "removal_policies_mode": "update"})
    assert list(members(services)) == ["0"]


# --- attributes -----------------------------------------------------------------------------------------------------
@pytest.fixture
async def three() -> Driven:
    services = Surroundings()
    services.members = [
        (str(index), f"r{index}", {"name": f"n{index}", "networks": {"lan": [f"10.0.0.{index}"]}})
        for index in (0, 10, 2)
    ]
    thing = group(services, count=3)
    await thing.create()
    return thing


def ask(thing: Driven, name: str, *path: Any) -> Any:
    value, taken = thing.kind.attribute_at(thing.attributes, name, path)
    assert taken in (0, len(path))
    return value


async def test_engu_15_refs_are_in_order(three: Driven) -> None:
    assert ask(three, "refs") == ["r0", "r2", "r10"]
    assert ask(three, "refs_map") == {"0": "r0", "2": "r2", "10": "r10"}


async def test_engu_15_any_name_asks_every_member(three: Driven) -> None:
    assert ask(three, "name") == ["n0", "n2", "n10"]
    assert ask(three, "networks", "lan", 0) == ["10.0.0.0", "10.0.0.2", "10.0.0.10"]
    assert three.kind.has_attribute("whatever")


async def test_engu_15_attributes_by_member(three: Driven) -> None:
    assert ask(three, "attributes", "name") == {"0": "n0", "2": "n2", "10": "n10"}


async def test_engu_15_one_member(three: Driven) -> None:
    assert ask(three, "resource.2") == "r2"
    assert ask(three, "resource.2.name") == "n2"
    assert ask(three, "resource.2", "networks", "lan") == ["10.0.0.2"]
    assert ask(three, "resource.7.name") is None


async def test_outputs_of_members_that_are_stacks() -> None:
    services = Surroundings(members=[("0", "c", {"outputs": {"ip": "1.2.3.4"}})])
    thing = group(services, count=1)
    await thing.create()
    assert ask(thing, "ip") == ["1.2.3.4"]


async def test_groups_in_groups() -> None:
    inner = {"refs": ["a"], "refs_map": {"0": "a"}, "removed_rsrc_list": [], "members": {"0": {"name": "deep"}}}
    services = Surroundings(members=[("0", "g", inner)])
    thing = group(services, count=1)
    await thing.create()
    assert ask(thing, "name") == [["deep"]]
    assert ask(thing, "refs") == ["g"]


# --- batches --------------------------------------------------------------------------------------------------------
async def test_engu_12_batches_of_a_create() -> None:
    services = Surroundings(virtual=True)
    thing = group(services, count=5)
    policy = {"batch_create": {"max_batch_size": 2, "pause_time": 3}}
    await thing.prepare()
    thing.physical_id = await thing.kind.create(thing.op(update_policy=policy))
    services.members = [("0", "r", {}), ("1", "r", {})]
    await thing.kind.ready(thing.op(update_policy=policy))
    assert [len(members(services, n)) for n in range(3)] == [2, 4, 5]
    assert services.slept == [3, 3]


async def test_engu_12_rolling_update_changes_so_many_at_a_time() -> None:
    services = Surroundings(virtual=True)
    thing = group(services, count=3)
    await thing.create()
    services.members = [(str(n), f"r{n}", {}) for n in range(3)]
    services.nested.clear()
    new = {"type": "OS::Heat::Value", "properties": {"value": "new"}}
    policy = {"rolling_update": {"max_batch_size": 1, "min_in_service": 3, "pause_time": 1}}
    await thing.update({"resource_def": new, "count": 3}, update_policy=policy)
    fresh = [[n for n, d in members(services, i).items() if d == new] for i in range(len(services.nested))]
    assert fresh[0] == ["3"]
    assert all(len(b) - len(a) <= 1 for a, b in itertools.pairwise(fresh))
    assert fresh[-1] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("target", "current", "size", "least", "expected"),
    [
        (3, 3, 1, 0, [(3, 1), (3, 1), (3, 1)]),
        (4, 4, 2, 3, [(5, 2), (5, 2), (4, 1)]),
        (2, 4, 2, 0, [(2, 2)]),
        (0, 2, 1, 0, [(0, 0)]),
        (4, 0, 2, 0, [(2, 2), (4, 2)]),
    ],
)
def test_engu_14_arithmetic(target: int, current: int, size: int, least: int, expected: list[tuple[int, int]]) -> None:
    assert list(batches(target, current, size, least)) == expected


def test_new_members_come_first() -> None:
    old = definitions({"count": 2, "resource_def": {"type": "A"}, "index_var": "%i%"}, ())
    new = definitions({"count": 3, "resource_def": {"type": "B"}, "index_var": "%i%"}, ())
    found = next_state(old, new, 2)
    assert [found[name]["type"] for name in found] == ["B", "A", "B"]
