"""Runs with a stack in another region (heat.md ENGN-09): made once whatever is lost, and taken back with its parent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.cloud.errors import Permanent
from tests.engine.resources.test_remote_stack import There
from tests.engine.runs.sketch import attr, sketch, thing
from tests.engine.runs.story import CALLER, Story


def far(**more: Any) -> dict[str, Any]:
    return thing(of="OS::Heat::Stack", template="text", context={"region_name": "North"}, **more)


@pytest.fixture
def there(story: Story) -> There:
    story.world.there = There()
    return story.world.there


async def test_engn_09_a_create_without_an_answer_is_made_once(story: Story, there: There) -> None:
    there.loses = True
    stack = await story.create(sketch(f=far(parameters={"word": "hi"}), outputs={"o": attr("f", "Outputs.said")}))
    assert (stack.state, [one.value for one in stack.outputs]) == ("CREATE_COMPLETE", ["hi"])
    (resource,) = await story.engine.list_resources(stack)
    assert (resource.physical_id, resource.nested_stack_id) == (there.only["id"], None)
    assert len(there.asked) == 1


async def test_engn_09_killed_before_the_id_is_known_it_is_found(story: Story, there: There) -> None:
    there.holds = asyncio.Event()
    await story.begin(sketch(f=far()))
    await story.quiet()
    made = there.only["id"]
    await story.kill()
    there.holds = None
    await story.open()
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert there.only["id"] == made


async def test_engn_09_what_fails_here_takes_it_away_there(story: Story, there: There) -> None:
    story.world.fail("create", "a", Permanent("no"))
    stack = await story.create(sketch(f=far(), a=thing(needs=("f",))))
    assert (stack.state, there.only["stack_status"]) == ("ROLLBACK_COMPLETE", "DELETE_COMPLETE")


async def test_engn_09_a_failed_update_goes_back_there_too(story: Story, there: There) -> None:
    await story.create(sketch(f=far(parameters={"word": "old"})))
    story.world.fail("create", "a", Permanent("no"))
    await story.update(sketch(f=far(parameters={"word": "new"}), a=thing(needs=("f",))))
    assert there.bodies[there.only["id"]]["parameters"] == {"word": "old"}


async def test_engn_09_its_failure_is_the_reason_and_nothing_is_made_again(story: Story, there: There) -> None:
    there.fails = "no room"
    stack = await story.create(sketch(f=far()))
    assert stack.state == "ROLLBACK_FAILED"  # it cannot be deleted either
    assert "CREATE_FAILED: no room" in stack.status_reason
    assert [one for one in there.asked if one == "POST /stacks"] == ["POST /stacks"]


async def test_engn_09_snapshots_of_it_go_with_those_of_its_parent(story: Story, there: There) -> None:
    stack = await story.create(sketch(f=far()))
    snapshot = await story.engine.take_snapshot(CALLER, stack.id, None)
    await story.end()
    assert len(there.snapshots) == 1
    await story.run(story.engine.delete_snapshot(CALLER, stack.id, snapshot.id))
    await story.pass_time(1)
    assert there.snapshots == {}
