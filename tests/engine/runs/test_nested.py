"""Stacks inside stacks, and stacks that share values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.cloud.errors import Permanent
from engine.model.diagnostic import invalid
from engine.model.errors import Refused
from engine.model.source import Source
from engine.model.stack import Options
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


@pytest.mark.parametrize("trouble", [invalid("FetchFailed", "It answered 404."), RuntimeError("out of order")])
async def test_a_child_whose_template_is_not_there_is_no_hindrance_to_deleting(
    story: Story, trouble: Exception
) -> None:
    story.texts["http://there/t"] = trouble
    stack = await story.create(sketch(n=thing(of="Isotherm::Stack", template_url="http://there/t")))
    assert (stack.state, str(trouble) in stack.status_reason) == ("ROLLBACK_COMPLETE", True)
    assert (await story.delete()).state == "DELETE_COMPLETE"


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


async def test_a_nested_stack_that_was_taken_out_can_be_put_in_again(story: Story) -> None:
    text = sketch(n=inner(_child(4)))
    stack = await story.create(text)
    await story.update(sketch(other=thing()))
    assert story.world.addresses() == ["other"]
    assert (await story.update(text)).state == "UPDATE_COMPLETE"
    assert story.world.addresses() == ["deep"]
    assert [child.state for child in await story.engine.nested_stacks(stack, 1)] == ["CREATE_COMPLETE"]


# --- what is done to the whole tree -----------------------------------------------------------------------------------
async def test_engs_06_engs_07_suspending_and_resuming_reach_inside(story: Story) -> None:
    stack = await story.create(sketch(n=inner(_child()), after=thing(needs=("n",))))
    await story.engine.suspend_stack(CALLER, "s")
    assert (await story.end()).state == "SUSPEND_COMPLETE"
    assert story.world.verbs("suspend") == ["after", "deep"]
    (child,) = await story.engine.nested_stacks(stack, 1)
    assert child.state == "SUSPEND_COMPLETE"
    await story.engine.resume_stack(CALLER, "s")
    assert (await story.end()).state == "RESUME_COMPLETE"
    assert story.world.verbs("resume") == ["deep", "after"]
    assert (await story.find(child.id)).state == "RESUME_COMPLETE"


async def test_engs_06_a_failure_inside_is_told_outside(story: Story) -> None:
    await story.create(sketch(n=inner(_child())))
    story.world.fail("suspend", "deep", Permanent("it will not sleep"))
    await story.engine.suspend_stack(CALLER, "s")
    stack = await story.end()
    assert stack.state == "SUSPEND_FAILED"
    assert "it will not sleep" in stack.status_reason
    await story.engine.suspend_stack(CALLER, "s")
    assert (await story.end()).state == "SUSPEND_COMPLETE"


async def test_engs_07_what_was_not_suspended_is_not_resumed(story: Story) -> None:
    await story.create(sketch(n=inner(_child())))
    with pytest.raises(Refused, match="can not be resumed"):
        await story.engine.resume_stack(CALLER, "s")


async def test_engs_08_a_check_finds_what_is_gone_inside_and_the_next_update_mends_just_that(story: Story) -> None:
    text = sketch(n=inner(_child(size=1, near_by=thing())))
    stack = await story.create(text)
    (child,) = await story.engine.nested_stacks(stack, 1)
    kept = story.world.the("near_by").id
    story.world.objects.pop(story.world.the("deep").id)
    await story.engine.check_stack(CALLER, "s")
    assert (await story.end()).state == "CHECK_FAILED"
    assert (await story.find(child.id)).state == "CHECK_FAILED"
    assert await story.states(child.id) == {"deep": "CHECK_FAILED", "near_by": "CHECK_COMPLETE"}
    assert (await story.update(text)).state == "UPDATE_COMPLETE"
    assert (await story.find(child.id)).state == "UPDATE_COMPLETE"
    assert (story.world.addresses(), story.world.the("near_by").id) == (["deep", "near_by"], kept)


async def test_engu_22_a_nested_stack_marked_unhealthy_is_replaced_as_a_whole(story: Story) -> None:
    text = sketch(n=inner(_child()))
    await story.create(text)
    old = story.world.the("deep").id
    await story.engine.mark_unhealthy(CALLER, "s", "n", unhealthy=True, reason="smells")
    assert (await story.update(text)).state == "UPDATE_COMPLETE"
    assert story.world.the("deep").id != old


async def test_a_check_taken_up_after_a_crash_ends(story: Story) -> None:
    story.world.slow("create", "never", 1)
    await story.create(sketch(n=inner(_child())))
    gate = story.world.hold("ready", "deep")
    await story.engine.check_stack(CALLER, "s")
    await story.quiet()
    await story.kill()
    gate.set()
    await story.open()
    assert (await story.end()).state == "CHECK_COMPLETE"


async def test_engs_13_engs_02_a_tree_is_abandoned_and_adopted_as_a_whole(story: Story) -> None:
    text = sketch(n=inner(sketch(m=inner(_child(4)), near_by=thing())), after=thing(needs=("n",)))
    stack = await story.create(text)
    before = dict(story.world.objects)
    tree = await story.engine.nested_stacks(stack, 5)
    exported = await story.engine.export_stack(CALLER, "s")
    data = await story.run(story.engine.abandon_stack(CALLER, "s"))
    assert data == exported
    assert data["resources"]["n"]["resources"]["m"]["resources"]["deep"]["resource_id"] == story.world.the("deep").id
    assert story.world.objects == before
    for one in tree:
        assert (await story.find(one.id)).deleted is not None
    made = await story.run(story.engine.adopt_stack(CALLER, "t", Source(text), Options(), data["resources"]))
    assert (await story.end(made.id)).state == "ADOPT_COMPLETE"
    assert story.world.objects == before
    adopted = await story.engine.nested_stacks(made, 5)
    assert [one.state for one in adopted] == ["ADOPT_COMPLETE", "ADOPT_COMPLETE"]
    await story.engine.delete_stack(CALLER, made.id)
    assert (await story.end(made.id)).state == "DELETE_COMPLETE"
    assert story.world.objects == {}


async def test_trap_16_a_tree_whose_adoption_fails_leaves_objects_and_no_stacks(story: Story) -> None:
    text = sketch(n=inner(_child(4)), last=thing(needs=("n",)))
    await story.create(text)
    data = await story.run(story.engine.abandon_stack(CALLER, "s"))
    resources = {"n": data["resources"]["n"]}
    made = await story.run(story.engine.adopt_stack(CALLER, "t", Source(text), Options(), resources))
    assert (await story.end(made.id)).state == "ROLLBACK_COMPLETE"
    assert story.world.addresses() == ["deep", "last"]
    assert await story.engine.nested_stacks(made, 1) == []
