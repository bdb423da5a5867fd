"""OS::Heat::AutoScalingGroup and OS::Heat::ScalingPolicy by themselves (ENGA-12, ENGA-13, ENGA-14)."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from engine.resources.base import OperationFailed
from engine.resources.heat.capacity import Adjustment, Limits, adjusted, ended, is_cooling
from engine.resources.heat.scaling_group import Maker, Members

from .harness import REGISTRY, Driven, Surroundings

DEFINITION: dict[str, Any] = {"type": "OS::Heat::Value", "properties": {"value": "v"}}
OTHER: dict[str, Any] = {"type": "OS::Heat::Value", "properties": {"value": "w"}}


def always(definition: dict[str, Any]) -> Maker:
    return lambda _now, _others: definition


# --- arithmetic -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("current", "kind", "amount", "least", "wanted"),
    [
        (2, "change_in_capacity", 1, 0, 3),
        (2, "change_in_capacity", -1, 0, 1),
        (2, "change_in_capacity", -5, 0, 1),
        (2, "change_in_capacity", 50, 0, 10),
        (2, "exact_capacity", 4, 0, 4),
        (2, "exact_capacity", 0, 0, 1),
        (2, "percent_change_in_capacity", 10, 0, 3),  # 0.2 is one
        (2, "percent_change_in_capacity", -10, 0, 1),
        (5, "percent_change_in_capacity", 50, 0, 7),  # 2.5 is two
        (5, "percent_change_in_capacity", -50, 0, 3),
        (5, "percent_change_in_capacity", 20, 3, 8),
        (5, "percent_change_in_capacity", -20, 3, 2),
        (4, "percent_change_in_capacity", 75, 2, 7),
    ],
)
def test_enga_12_adjustments(current: int, kind: str, amount: float, least: int, wanted: int) -> None:
    assert adjusted(current, Adjustment("g", kind, amount, least), Limits(1, 10)) == wanted


def test_enga_13_a_cooldown_never_ends_before_an_earlier_one() -> None:
    notes = ended({}, 1_000_000, (60, "first"))
    notes = ended(notes, 2_000_000, (5, "second"))
    assert is_cooling(notes, 60_999_999)
    assert not is_cooling(notes, 61_000_000)
    assert notes == {**ended(notes, 3_000_000, None)}, "what changed nothing begins none"


def test_enga_13_no_cooldown_is_over_at_once() -> None:
    assert not is_cooling(ended({}, 1_000_000, (None, "why")), 1_000_000)


# --- who stays ------------------------------------------------------------------------------------------------------
def members(*names: str, failed: tuple[str, ...] = ()) -> Members:
    return Members(dict.fromkeys(names, DEFINITION), tuple(name for name in names if name not in failed))


def test_enga_14_the_oldest_goes_first() -> None:
    assert list(members("a", "b", "c").turned("t", 2, always(DEFINITION))) == ["b", "c"]


def test_enga_14_what_failed_goes_before_the_oldest() -> None:
    assert list(members("a", "b", "c", failed=("c",)).turned("t", 2, always(DEFINITION))) == ["a", "b"]


def test_enga_14_new_ones_come_last_under_names_of_their_own() -> None:
    state = members("a", "b").turned("t", 4, always(OTHER))
    assert list(state)[:2] == ["a", "b"]
    assert [state["a"], state["b"]] == [DEFINITION, DEFINITION]
    assert [*state.values()][2:] == [OTHER, OTHER]
    assert len(state) == 4
    assert members("a", "b").turned("t", 4, always(OTHER)) == state
    assert set(members("a").turned("t", 4, always(OTHER))).isdisjoint({*state} - {"a"})


def test_enga_14_what_failed_is_made_new_first() -> None:
    state = members("a", "b", "c", failed=("b",)).turned("t", 3, always(OTHER), 1)
    assert state == {"a": DEFINITION, "b": OTHER, "c": DEFINITION}


def test_engu_11_what_is_rolled_in_has_another_name_where_it_is_another_one() -> None:
    turn = functools.partial(members("a", "b", "c").turned, "t", 3, always(OTHER), 1, lambda old, new: old != new)
    state = turn()
    assert list(state)[:2] == ["b", "c"]
    assert list(state.values()) == [DEFINITION, DEFINITION, OTHER]
    assert turn() == state
    again = Members(state, tuple(state)).turned("t", 3, always(OTHER), 1, lambda old, new: old != new)
    assert list(again)[:2] == ["c", list(state)[2]], "what is new already stays"


def test_a_group_can_be_empty() -> None:
    assert members("a", "b").turned("t", 0, always(DEFINITION)) == {}


# --- the group ------------------------------------------------------------------------------------------------------
def group(services: Surroundings | None = None, **properties: Any) -> Driven:
    given = {"resource": DEFINITION, "min_size": 1, "max_size": 4, **properties}
    return Driven("OS::Heat::AutoScalingGroup", given, services=services)


@pytest.mark.parametrize(
    ("properties", "wanted"), [({}, 1), ({"desired_capacity": 3}, 3), ({"min_size": 0}, 0), ({"min_size": 2}, 2)]
)
async def test_enga_14_where_it_begins(properties: dict[str, Any], wanted: int) -> None:
    thing = group(**properties)
    await thing.create()
    found = json.loads(thing.services.nested[-1].template)["resources"]
    assert [*found.values()] == [DEFINITION] * wanted


@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        ({"min_size": 5}, "min_size can not be greater than max_size"),
        ({"desired_capacity": 5}, "desired_capacity must be between min_size and max_size"),
        ({"desired_capacity": 0}, "desired_capacity must be between min_size and max_size"),
        ({"resource": {"properties": {}}}, "resource: a resource definition needs a type"),
    ],
)
def test_enga_14_limits_that_contradict_each_other(properties: dict[str, Any], sentence: str) -> None:
    kind = REGISTRY.get("OS::Heat::AutoScalingGroup")
    assert kind.validate({"resource": DEFINITION, "min_size": 1, "max_size": 4, **properties}) == [sentence]


@pytest.fixture
async def three() -> Driven:
    services = Surroundings()
    thing = group(services, desired_capacity=3)
    await thing.create()
    names = list(json.loads(services.nested[-1].template)["resources"])
    services.members = [
        (name, f"r{number}", {"name": f"n{number}", "networks": {"lan": [f"10.0.0.{number}"]}})
        for number, name in enumerate(names)
    ]
    thing.attributes = await thing.kind.ready(thing.op())
    return thing


def ask(thing: Driven, name: str, *path: Any) -> Any:
    value, taken = thing.kind.attribute_at(thing.attributes, name, path)
    assert taken in (0, len(path))
    return value


async def test_what_templates_ask(three: Driven) -> None:
    names = [name for name, _, _ in three.services.members]
    assert ask(three, "current_size") == 3
    assert ask(three, "refs") == ["r0", "r1", "r2"]
    assert ask(three, "refs_map") == dict(zip(names, ["r0", "r1", "r2"], strict=True))
    assert ask(three, "outputs_list", "name") == ["n0", "n1", "n2"]
    assert ask(three, "outputs_list", "networks", "lan", 0) == ["10.0.0.0", "10.0.0.1", "10.0.0.2"]
    assert ask(three, "outputs", "name") == dict(zip(names, ["n0", "n1", "n2"], strict=True))
    assert ask(three, f"resource.{names[1]}.name") == "n1"
    assert ask(three, "resource.1.name") == "n1", "a place by age"
    assert ask(three, "resource.1") == "r1"
    assert ask(three, "resource.7") is None
    assert three.kind.has_attribute("resource.0.name")
    assert not three.kind.has_attribute("size")


# --- the policy -----------------------------------------------------------------------------------------------------
def policy(**properties: Any) -> dict[str, Any]:
    return {
        "auto_scaling_group_id": "g",
        "scaling_adjustment": 1,
        "adjustment_type": "change_in_capacity",
        **properties,
    }


async def test_enga_12_a_policy_has_signed_addresses() -> None:
    thing = Driven("OS::Heat::ScalingPolicy", policy(), services=Surroundings(groups={"g": "g"}))
    await thing.create()
    assert thing.get("alarm_url") == thing.get("signal_url")
    assert thing.get("alarm_url").startswith("http://gateway/signal/")


async def test_enga_12_without_a_group_there_is_no_policy() -> None:
    thing = Driven("OS::Heat::ScalingPolicy", policy())
    with pytest.raises(OperationFailed, match="could not find a scaling group named 'g'"):
        await thing.create()


def test_enga_12_a_smallest_step_is_of_changes_in_percent() -> None:
    kind = REGISTRY.get("OS::Heat::ScalingPolicy")
    assert kind.validate(policy(min_adjustment_step=2)) == [
        "min_adjustment_step can be given only where adjustment_type is percent_change_in_capacity"
    ]
    assert not kind.validate(policy(min_adjustment_step=2, adjustment_type="percent_change_in_capacity"))
