"""Stacks inside stacks, and stacks that share values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.cloud.errors import Permanent
from engine.model.errors import Refused
from engine.model.status import Action, OnFailure
from tests.engine.runs.sketch import attr, ref, sketch, thing
from tests.engine.runs.story import CALLER, SETTINGS, Story, copy


def inner(text: str, **more: Any) -> dict[str, Any]:
    return thing(of="OS::Heat::Stack", template=text, **more)


def _child(size: int = 1, **more: Any) -> str:
    return sketch(deep=thing(size=size), **more, outputs={"o": attr("deep", "size")})


async def test_engn_01_a_nested_stack_is_made_used_and_deleted(story: Story) -> None:
    text = sketch(n=inner(_child(4)), after=thing(needs=("n",)))
    stack = await story.create(text)
    assert stack.state == "CREATE_COMPLETE"
    assert story.world.verbs("create") == ["deep", "after"]
    (child,) = await story.engine.nested_stacks(stack, 1)
    assert (child.state, child.parent_id, child.parent_resource, child.depth) == ("CREATE_COMPLETE", stack.id, "n", 1)
    assert (await story.events(child.id))[0] == "- CREATE_IN_PROGRESS"
    assert (await story.delete()).state == "DELETE_COMPLETE"
    assert story.world.objects == {}
    assert (await story.find(child.id)).state == "DELETE_COMPLETE"
    assert "- DELETE_IN_PROGRESS" in await story.events(child.id)


async def test_engn_01_a_changed_child_is_updated_in_place(story: Story) -> None:
    stack = await story.create(sketch(n=inner(_child(1))))
    (child,) = await story.engine.nested_stacks(stack, 1)
    assert (await story.update(sketch(n=inner(_child(2))))).state == "UPDATE_COMPLETE"
    assert story.world.the("deep").properties["size"] == 2
    assert (await story.find(child.id)).state == "UPDATE_COMPLETE"


async def test_a_failure_inside_bubbles_up_and_everything_is_rolled_back(story: Story) -> None:
    story.world.fail("create", "deep", Permanent("the deep is closed"))
    stack = await story.create(sketch(n=inner(_child())))
    assert stack.state == "ROLLBACK_COMPLETE"
    reasons = [e.reason for e in await story.engine.list_events(stack) if e.action is Action.CREATE]
    assert any("the deep is closed" in reason for reason in reasons)
    assert [cause.reason for cause in await story.engine.root_causes(stack)] == ["the deep is closed"]
    assert story.world.objects == {}


async def test_a_failed_update_outside_takes_the_child_back_too(story: Story) -> None:
    await story.create(sketch(n=inner(_child(1)), last=thing(needs=("n",))))
    story.world.fail("update", "last", Permanent("no"))
    stack = await story.update(sketch(n=inner(_child(2)), last=thing(needs=("n",), size=2)))
    assert stack.state == "ROLLBACK_COMPLETE"
    assert story.world.the("deep").properties["size"] == 1


async def test_a_failed_child_is_mended_by_the_next_update(story: Story) -> None:
    story.world.fail("create", "deep", Permanent("the deep is closed"))
    await story.create(sketch(n=inner(_child())), on_failure=OnFailure.DO_NOTHING)
    assert (await story.update(sketch(n=inner(_child())))).state == "UPDATE_COMPLETE"
    assert story.world.addresses() == ["deep"]


async def test_deleting_while_the_child_is_made_leaves_nothing(story: Story) -> None:
    story.world.slow("ready", "deep", 600)
    await story.begin(sketch(n=inner(_child())))
    await story.quiet()
    stack = await story.delete()
    assert stack.state == "DELETE_COMPLETE"
    assert story.world.objects == {}
    assert story.clock.monotonic() < 600


async def test_a_crash_inside_leaves_one_child(story: Story) -> None:
    story.world.slow("ready", "deep", 300)
    stack = await story.begin(sketch(n=inner(_child())))
    await story.quiet()
    await story.kill()
    await story.open()
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert len(await story.engine.nested_stacks(stack, 1)) == 1
    assert story.world.addresses() == ["deep"]


async def test_engs_12_a_cancelled_create_stops_inside_too(story: Story) -> None:
    story.world.slow("ready", "deep", 600)
    begun = await story.begin(sketch(n=inner(_child())))
    await story.quiet()
    await story.engine.cancel_update(CALLER, "s", rollback=False)
    assert (await story.end()).state == "CREATE_FAILED"
    (child,) = await story.engine.nested_stacks(begun, 1)
    assert (await story.end(child.id)).state == "CREATE_FAILED"
    assert story.clock.monotonic() < 60
    assert (await story.update(sketch(n=inner(_child())))).state == "UPDATE_COMPLETE"
    assert story.world.addresses() == ["deep"]


async def test_engn_02_nesting_has_an_end(tmp_path: Path, blank_database: Path) -> None:
    copy(blank_database, tmp_path)
    story = Story(tmp_path, settings=replace(SETTINGS, max_nested_stack_depth=1))
    await story.open()
    text = sketch(n=inner(sketch(m=inner(_child()))))
    stack = await story.create(text, on_failure=OnFailure.DO_NOTHING)
    assert stack.state == "CREATE_FAILED"
    assert "Recursion depth exceeds 1" in stack.status_reason
    await story.close()


# --- exports ------------------------------------------------------------------------------------------------------
MAKER = sketch(a=thing(size=3), outputs={"o": {"value": attr("a", "size"), "export": "the-size"}})
USER = sketch(b=thing(size={"import": "the-size"}))


async def test_w44_an_export_is_read_and_locked(story: Story) -> None:
    await story.create(MAKER, "maker")
    assert (await story.create(USER, "user")).state == "CREATE_COMPLETE"
    assert story.world.the("b").properties["size"] == 3
    with pytest.raises(Refused, match="Export the-size cannot be deleted as it is in use by user"):
        await story.delete("maker")
    changed = MAKER.replace('"size": 3', '"size": 4')
    stack = await story.update(changed, "maker")
    assert stack.state == "ROLLBACK_COMPLETE"
    assert story.world.the("a").properties["size"] == 3
    await story.delete("user")
    assert (await story.delete("maker")).state == "DELETE_COMPLETE"
    assert await story.engine.list_exports(CALLER) == []


async def test_w44_an_export_s_name_is_taken_once(story: Story) -> None:
    await story.create(MAKER, "maker")
    stack = await story.create(MAKER, "other")
    assert stack.state == "ROLLBACK_COMPLETE"
    reasons = [e.reason for e in await story.engine.list_events(stack)]
    assert any("Export with name the-size is already exported by stack maker" in reason for reason in reasons)


async def test_the_reference_of_a_nested_stack_is_its_id(story: Story) -> None:
    stack = await story.create(sketch(n=inner(_child()), b=thing(near=ref("n"))))
    (child,) = await story.engine.nested_stacks(stack, 1)
    assert child.id in story.world.the("b").properties["near"]
