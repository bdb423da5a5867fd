"""Types of the engine itself, each driven alone."""

from __future__ import annotations

import json
import string
import time
from typing import Any

import pytest

from engine.resources.base import MustReplace, OperationFailed
from engine.resources.heat.random_string import make
from engine.resources.heat.wait_condition import received

from .harness import Driven, Surroundings


@pytest.mark.parametrize(
    ("kind", "given", "meant"),
    [
        (None, {"a": [1]}, {"a": [1]}),
        ("string", 3, "3"),
        ("string", {"b": 1, "a": 2}, '{"a": 2, "b": 1}'),
        ("number", "1.5", 1.5),
        ("number", "7", 7),
        ("comma_delimited_list", "a, b", ["a", "b"]),
        ("comma_delimited_list", [1, "b"], ["1", "b"]),
        ("json", '{"a": 1}', {"a": 1}),
        ("boolean", "on", True),
        ("boolean", "N", False),
    ],
)
async def test_value_is_converted(kind: str | None, given: Any, meant: Any) -> None:
    thing = Driven("OS::Heat::Value", {"value": given, **({"type": kind} if kind else {})})
    await thing.create()
    assert thing.get("value") == meant


async def test_value_that_cannot_be_converted_is_told_before_anything_is_made() -> None:
    kind = Driven("OS::Heat::Value", {"value": "1"}).kind
    assert kind.validate({"value": "x", "type": "number"}) == ['Value "x" is not a number']


async def test_rtx_07_none_accepts_anything() -> None:
    thing = Driven("OS::Heat::None", {"what": "ever", "it": ["is"]})
    await thing.create()
    assert thing.kind.has_attribute("anything")
    assert thing.get("anything") is None


async def test_local_types_are_cheap() -> None:
    thing = Driven("OS::Heat::TestResource", {})
    op = thing.op()
    begin = time.perf_counter()
    for _ in range(1000):
        await thing.kind.create(op)
        await thing.kind.ready(op)
    assert (time.perf_counter() - begin) / 1000 < 100e-6


async def test_random_string_is_made_once() -> None:
    thing = Driven("OS::Heat::RandomString", {"length": 12})
    await thing.create()
    first = thing.get("value")
    await thing.kind.create(thing.op())
    assert thing.get("value") == first == thing.reference
    assert len(first) == 12
    assert set(first) <= set(string.ascii_letters + string.digits)


def test_random_string_keeps_the_minimums() -> None:
    found = make(
        {
            "length": 8,
            "character_classes": [{"class": "digits", "min": 3}],
            "character_sequences": [{"sequence": "!", "min": 5}],
        }
    )
    assert sorted(found)[:5] == ["!"] * 5
    assert sum(one.isdigit() for one in found) == 3


def test_random_string_too_short_for_its_minimums_is_refused() -> None:
    kind = Driven("OS::Heat::RandomString", {}).kind
    assert kind.validate({"length": 2, "character_classes": [{"class": "digits", "min": 3}]})


async def test_rtx_06_test_resource_waits_and_fails() -> None:
    services = Surroundings(virtual=True)
    thing = Driven("OS::Heat::TestResource", {"wait_secs": 5, "action_wait_secs": {"create": 2}}, services=services)
    await thing.create()
    assert thing.get("output") == "test_string"
    await thing.update({"wait_secs": 5, "value": "new"})
    assert services.slept == [2.0, 5.0]
    assert thing.get("output") == "new"
    with pytest.raises(OperationFailed, match="Test Resource failed thing"):
        await Driven("OS::Heat::TestResource", {"fail": True}).create()


async def test_rtx_06_test_resource_is_replaced_when_told() -> None:
    thing = Driven("OS::Heat::TestResource", {})
    assert thing.kind.replaces(thing.properties, {**thing.properties, "update_replace": True})
    with pytest.raises(MustReplace):
        await thing.kind.update(thing.op(properties={**thing.properties, "update_replace": True}), frozenset())


# --- wait conditions ----------------------------------------------------------------------------------------------
def waiting(**properties: Any) -> tuple[Driven, Surroundings]:
    services = Surroundings(virtual=True, handles={"h": "handle"})
    return Driven("OS::Heat::WaitCondition", {"handle": "h", "timeout": 10, **properties}, services=services), services


async def test_enga_08_enough_signals_complete() -> None:
    condition, services = waiting(count=2)
    services.signals_of["handle"] = [
        {"status": "SUCCESS", "unique_id": "a", "reason": "", "data": "one"},
        {"status": None, "unique_id": None, "reason": None, "data": {"x": 2}},
    ]
    await condition.create()
    assert json.loads(condition.get("data")) == {"a": "one", "2": {"x": 2}}


async def test_enga_08_a_failure_fails_with_its_reason() -> None:
    condition, services = waiting()
    services.signals_of["handle"] = [{"status": "FAILURE", "unique_id": "a", "reason": "disk full", "data": ""}]
    with pytest.raises(OperationFailed, match="disk full"):
        await condition.create()


async def test_enga_08_time_runs_out() -> None:
    condition, services = waiting()
    with pytest.raises(OperationFailed, match=r"^WaitCondition timed out\. 0 of 1 received"):
        await condition.create()
    assert sum(services.slept) == pytest.approx(10, abs=0.5)


async def test_a_handle_that_is_none_is_told() -> None:
    condition, _ = waiting(handle="other")
    with pytest.raises(OperationFailed, match="not a wait condition handle"):
        await condition.create()


def test_enga_09_the_same_id_overwrites() -> None:
    found = received([{"unique_id": "a", "data": 1}, {"unique_id": "a", "data": 2}])
    assert [one.data for one in found] == [2]


async def test_enga_02_handle_attributes() -> None:
    services = Surroundings(signals_of={"thing": [{"status": "SUCCESS"}]})
    handle = Driven("OS::Heat::WaitConditionHandle", {}, services=services)
    await handle.create()
    assert services.signals_of == {}
    assert handle.get("endpoint").startswith("http://gateway/waitcondition/")
    assert handle.get("endpoint") in handle.get("curl_cli")
    assert json.loads(handle.get("signal"))["alarm_url"] == handle.get("endpoint")


async def test_enga_10_update_handle_is_new_every_time_and_known_by_its_address() -> None:
    handle = Driven("OS::Heat::UpdateWaitConditionHandle", {})
    await handle.create()
    assert handle.kind.always_replace
    assert str(handle.reference).startswith("http://")


# --- nested stacks --------------------------------------------------------------------------------------------------
async def test_te_20_template_resource_shows_its_outputs() -> None:
    services = Surroundings(outputs={"ip": "10.0.0.1", "OS::stack_id": "the-server"})
    properties = {"template": "t", "parameters": {"a": 1, "b": None}, "files": {"f": "x"}, "environment": {}}
    thing = Driven("OS::Heat::TemplateResource", properties, services=services)
    await thing.create()
    assert services.nested[0].parameters == {"a": 1}
    assert services.nested[0].files == {"f": "x"}
    assert thing.get("ip") == thing.get("Outputs.ip") == "10.0.0.1"
    assert thing.reference == "the-server"


async def test_stack_shows_its_outputs() -> None:
    services = Surroundings(outputs={"ip": "10.0.0.1"})
    thing = Driven("OS::Heat::Stack", {"template": "t", "timeout": 5}, services=services)
    await thing.create()
    assert services.nested[0].timeout_mins == 5
    assert thing.get("outputs") == {"ip": "10.0.0.1"}
    assert thing.get("stack_name").startswith("trial-thing-")
    assert thing.reference == "child-1"
