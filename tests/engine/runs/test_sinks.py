"""Events are told to where an environment wants them (heat.md TE-15)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.cloud.errors import Permanent, Temporary
from engine.model.diagnostic import Invalid
from tests.engine.runs.sketch import sketch, thing
from tests.engine.runs.story import Story

SINKS = {"event_sinks": [{"type": "zaqar-queue", "target": "events", "ttl": 120}]}
TEXT = sketch(a=thing(size=3), dialect="hot")


@pytest.fixture(autouse=True)
def _messaging(story: Story) -> None:
    story.world.services = frozenset({"message"})


def told(story: Story, queue: str = "events") -> list[str]:
    payloads = [message["body"]["payload"] for message in story.world.queues.get(queue, ())]
    return [f"{p['resource_name']} {p['resource_action']}_{p['resource_status']}" for p in payloads]


async def test_enge_02_te_15_the_events_of_a_stack_reach_its_queue_in_order(story: Story) -> None:
    stack = await story.create(TEXT, environment=SINKS)
    await story.pass_time(1)
    assert told(story) == [
        "s CREATE_IN_PROGRESS",
        "a CREATE_IN_PROGRESS", "a CREATE_IN_PROGRESS", "a CREATE_COMPLETE",
        "s CREATE_COMPLETE",
    ]  # fmt: skip
    message: dict[str, Any] = story.world.queues["events"][3]
    body = message["body"]
    assert (message["ttl"], body["type"], body["payload"]["stack_id"]) == (120, "os.heat.event", stack.id)
    assert body["id"] in [event.id for event in await story.engine.list_events(stack)]


async def test_te_15_every_later_action_is_told_too_the_deletion_included(story: Story) -> None:
    await story.create(TEXT, environment=SINKS)
    await story.update(sketch(a=thing(size=4), dialect="hot"), environment=SINKS)
    await story.delete()
    await story.pass_time(1)
    found = told(story)
    assert list(dict.fromkeys(one for one in found if one.startswith("s "))) == [
        "s CREATE_IN_PROGRESS", "s CREATE_COMPLETE", "s UPDATE_IN_PROGRESS", "s UPDATE_COMPLETE",
        "s DELETE_IN_PROGRESS", "s DELETE_COMPLETE",
    ]  # fmt: skip
    assert len(found) == len({message["body"]["id"] for message in story.world.queues["events"]})


async def test_te_15_going_back_is_told_too(story: Story) -> None:
    story.world.fail("create", "a", Permanent("no"))
    await story.create(TEXT, environment=SINKS)
    await story.pass_time(1)
    assert told(story)[-1] == "s ROLLBACK_COMPLETE"
    assert "s ROLLBACK_IN_PROGRESS" in told(story)


async def test_enge_03_te_15_a_queue_that_refuses_holds_up_no_stack(story: Story) -> None:
    story.world.refusals = [Permanent("there is no such queue", status=404)] * 50
    assert (await story.create(TEXT, environment=SINKS)).state == "CREATE_COMPLETE"
    await story.pass_time(60)
    assert told(story) == []


async def test_te_15_a_busy_queue_is_asked_again(story: Story) -> None:
    story.world.refusals = [Temporary("busy", status=503)] * 2
    await story.create(TEXT, environment=SINKS)
    await story.pass_time(30)
    assert told(story)[0] == "s CREATE_IN_PROGRESS"
    assert told(story)[-1] == "s CREATE_COMPLETE"


async def test_enge_03_te_15_a_cloud_without_messages_is_told_before_anything_is_made(story: Story) -> None:
    story.world.services = frozenset()
    with pytest.raises(Invalid) as refused:
        await story.create(TEXT, environment=SINKS)
    assert [one.code for one in refused.value.diagnostics] == ["EventSinksNotSupported"]
