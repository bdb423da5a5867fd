"""OS::Heat::ResourceChain (ENGU-16)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .harness import Driven, Surroundings

TYPES = ["OS::Heat::Value", "OS::Heat::RandomString", "OS::Heat::Value"]


def chain(**properties: Any) -> Driven:
    return Driven("OS::Heat::ResourceChain", {"resources": TYPES, **properties}, services=Surroundings())


def members(thing: Driven) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(thing.services.nested[-1].template)["resources"]
    return found


async def test_engu_16_each_waits_for_the_one_before() -> None:
    thing = chain(resource_properties={"value": "v"})
    await thing.create()
    assert members(thing) == {
        "0": {"type": "OS::Heat::Value", "properties": {"value": "v"}},
        "1": {"type": "OS::Heat::RandomString", "properties": {"value": "v"}, "depends_on": ["0"]},
        "2": {"type": "OS::Heat::Value", "properties": {"value": "v"}, "depends_on": ["1"]},
    }


async def test_engu_16_concurrent_ones_wait_for_nobody() -> None:
    thing = chain(concurrent=True)
    await thing.create()
    assert [one.get("depends_on") for one in members(thing).values()] == [None, None, None]


async def test_engu_16_types_can_be_added_and_taken_away() -> None:
    thing = chain()
    await thing.create()
    await thing.update({"resources": TYPES[:1]})
    assert list(members(thing)) == ["0"]


@pytest.fixture
async def made() -> Driven:
    thing = chain()
    thing.services.members = [("10", "r10", {"value": "k"}), ("2", "r2", {"value": "c"}), ("0", "r0", {"value": "a"})]
    await thing.create()
    return thing


async def test_references_are_in_the_order_of_the_chain(made: Driven) -> None:
    assert made.kind.attribute(made.attributes, "refs") == ["r0", "r2", "r10"]


async def test_attributes_by_member(made: Driven) -> None:
    found, taken = made.kind.attribute_at(made.attributes, "attributes", ["value"])
    assert (found, taken) == ({"0": "a", "2": "c", "10": "k"}, 1)
    assert made.kind.attribute(made.attributes, "resource.2.value") == "c"
    assert made.kind.has_attribute("resource.2.value")
    assert not made.kind.has_attribute("value")
