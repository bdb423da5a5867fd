"""Cancelling, going on, suspending, checking, adopting: everything that is not create, update or delete."""

from __future__ import annotations

import pytest

from engine.cloud.errors import Permanent
from engine.model.errors import InvalidState, NotSupported, ResourceNotFound
from engine.model.source import Source
from engine.model.stack import Options
from engine.model.status import OnFailure
from tests.engine.runs.sketch import ref, sketch, thing
from tests.engine.runs.story import CALLER, Story

PAIR = sketch(a=thing(), b=thing(near=ref("a")))


async def test_engs_11_a_cancelled_update_is_rolled_back(story: Story) -> None:
    await story.create(PAIR)
    story.world.slow("update", "a", 900)
    await story.change(sketch(a=thing(size=2), b=thing(near=ref("a"), size=2)))
    await story.quiet()
    await story.engine.cancel_update(CALLER, "s")
    stack = await story.end()
    assert (stack.state, stack.reverting) == ("ROLLBACK_COMPLETE", "UPDATE")
    assert story.world.the("a").properties["size"] == 1


async def test_engs_12_cancelled_without_rollback_the_stack_stays_where_it_is(story: Story) -> None:
    await story.create(PAIR)
    story.world.slow("update", "a", 900)
    await story.change(sketch(a=thing(size=2), b=thing(near=ref("a"), size=2)))
    await story.quiet()
    await story.engine.cancel_update(CALLER, "s", rollback=False)
    stack = await story.end()
    assert stack.state == "UPDATE_FAILED"
    assert "cancelled" in stack.status_reason
    assert await story.states() == {"a": "UPDATE_FAILED", "b": "CREATE_COMPLETE"}


async def test_b07_only_an_update_under_way_can_be_cancelled(story: Story) -> None:
    await story.create(PAIR)
    with pytest.raises(InvalidState):
        await story.engine.cancel_update(CALLER, "s")


async def test_b08_a_failed_rollback_goes_on_without_what_is_skipped(story: Story) -> None:
    await story.create(PAIR)
    story.world.fail("update", "b", Permanent("b is stubborn"), times=2)
    stack = await story.update(sketch(a=thing(size=2), b=thing(near=ref("a"), size=2)))
    assert stack.state == "ROLLBACK_FAILED"
    assert "b is stubborn" in stack.status_reason
    await story.engine.continue_update_rollback(CALLER, "s", skip=["b"])
    stack = await story.end()
    assert (stack.state, stack.reverting) == ("ROLLBACK_COMPLETE", "UPDATE")
    assert story.world.the("a").properties["size"] == 1


async def test_b09_a_failed_create_is_rolled_back_later(story: Story) -> None:
    story.world.fail("create", "b", Permanent("no"))
    await story.create(PAIR, on_failure=OnFailure.DO_NOTHING)
    await story.engine.rollback_stack(CALLER, "s")
    assert (await story.end()).state == "ROLLBACK_COMPLETE"
    assert story.world.objects == {}


async def test_b09_a_failed_update_is_rolled_back_later(story: Story) -> None:
    await story.create(PAIR)
    story.world.fail("update", "b", Permanent("no"))
    await story.update(sketch(a=thing(size=2), b=thing(near=ref("a"), size=2)), on_failure=OnFailure.DO_NOTHING)
    await story.engine.rollback_stack(CALLER, "s")
    assert (await story.end()).state == "ROLLBACK_COMPLETE"
    assert story.world.the("a").properties["size"] == 1


async def test_engc_16_engs_06_suspend_goes_backwards_and_resume_forwards(story: Story) -> None:
    await story.create(PAIR)
    await story.engine.suspend_stack(CALLER, "s")
    assert (await story.end()).state == "SUSPEND_COMPLETE"
    assert story.world.verbs("suspend") == ["b", "a"]
    with pytest.raises(InvalidState):
        await story.change(PAIR)
    await story.engine.resume_stack(CALLER, "s")
    assert (await story.end()).state == "RESUME_COMPLETE"
    assert story.world.verbs("resume") == ["a", "b"]


async def test_after_a_resume_an_update_without_change_touches_nothing(story: Story) -> None:
    await story.create(PAIR)
    await story.engine.suspend_stack(CALLER, "s")
    await story.end()
    await story.engine.resume_stack(CALLER, "s")
    await story.end()
    seen = len(await story.events())
    assert (await story.update(PAIR)).state == "UPDATE_COMPLETE"
    assert (await story.events())[seen:] == ["- UPDATE_IN_PROGRESS", "- UPDATE_COMPLETE"]


async def test_engs_08_a_suspended_stack_is_not_checked_but_resumed_first(story: Story) -> None:
    await story.create(sketch(a=thing()))
    await story.engine.suspend_stack(CALLER, "s")
    await story.end()
    with pytest.raises(InvalidState, match=r"SUSPEND_COMPLETE state and can not be checked\. Resume it first"):
        await story.engine.check_stack(CALLER, "s")
    await story.engine.resume_stack(CALLER, "s")
    assert (await story.end()).state == "RESUME_COMPLETE"


async def test_engs_08_a_check_visits_all_and_what_failed_is_replaced(story: Story) -> None:
    await story.create(sketch(a=thing(), b=thing(near=ref("a")), c=thing()))
    story.world.objects.pop(story.world.the("a").id)
    await story.engine.check_stack(CALLER, "s")
    assert (await story.end()).state == "CHECK_FAILED"
    assert (await story.states())["a"] == "CHECK_FAILED"
    assert (await story.states())["c"] == "CHECK_COMPLETE"
    assert (await story.update(sketch(a=thing(), b=thing(near=ref("a")), c=thing()))).state == "UPDATE_COMPLETE"
    assert story.world.the("b").properties["near"] == story.world.the("a").id


async def test_engu_22_what_is_marked_unhealthy_is_replaced(story: Story) -> None:
    await story.create(PAIR)
    old = story.world.the("a").id
    await story.engine.mark_unhealthy(CALLER, "s", "a", unhealthy=True, reason="smells")
    assert (await story.states())["a"] == "CHECK_FAILED"
    await story.update(PAIR)
    assert story.world.the("a").id != old
    assert story.world.the("b").properties["near"] == story.world.the("a").id


async def test_engu_22_a_busy_stack_s_resources_are_not_marked(story: Story) -> None:
    story.world.slow("ready", "a", 60)
    await story.begin(PAIR)
    await story.quiet()
    with pytest.raises(InvalidState):
        await story.engine.mark_unhealthy(CALLER, "s", "a", unhealthy=True, reason="smells")


async def test_engs_13_an_abandoned_stack_leaves_its_objects_and_engs_02_adoption_takes_them(story: Story) -> None:
    await story.create(PAIR)
    data = await story.engine.abandon_stack(CALLER, "s")
    assert story.world.addresses() == ["a", "b"]
    made = story.world.the("a").id
    assert data["resources"]["a"]["resource_id"] == made
    found = await story.engine.adopt_stack(CALLER, "t", Source(PAIR), Options(), data["resources"])
    stack = await story.end(found.id)
    assert stack.state == "ADOPT_COMPLETE"
    assert story.world.the("a").id == made
    assert story.world.verbs("create") == ["a", "b"]
    assert await story.states(found.id) == {"a": "ADOPT_COMPLETE", "b": "ADOPT_COMPLETE"}


async def test_engu_18_trap_16_adoption_without_an_id_fails_and_deletes_nothing(story: Story) -> None:
    await story.create(PAIR)
    data = await story.engine.abandon_stack(CALLER, "s")
    resources = {"a": data["resources"]["a"]}
    found = await story.engine.adopt_stack(CALLER, "t", Source(PAIR), Options(), resources)
    stack = await story.end(found.id)
    assert stack.state == "ROLLBACK_COMPLETE"
    assert story.world.addresses() == ["a", "b"]
    assert "Resource ID was not provided." in [e.reason for e in await story.engine.list_events(stack)]


async def test_tr_08_an_external_object_is_neither_made_nor_changed_nor_deleted(story: Story) -> None:
    await story.create(sketch(a=thing(size=4)), "owner")
    theirs = story.world.the("a").id
    text = sketch(x={**thing(), "external": theirs}, y=thing(near=ref("x")))
    assert (await story.create(text)).state == "CREATE_COMPLETE"
    assert story.world.the("y").properties["near"] == theirs
    await story.update(sketch(x={**thing(size=9), "external": theirs}, y=thing(near=ref("x"))))
    await story.delete()
    assert story.world.the("a").properties["size"] == 4


async def test_a_signal_to_what_takes_none_is_refused(story: Story) -> None:
    from engine.door import Signal

    await story.create(sketch(a=thing(), b=thing(of="Test::Other")))
    await story.engine.signal(CALLER, "s", "b", Signal(status="SUCCESS"))
    with pytest.raises(NotSupported):
        await story.engine.signal(CALLER, "s", "a", Signal(status="SUCCESS"))


async def test_b08_what_is_skipped_may_be_inside_a_nested_stack(story: Story) -> None:
    def text(size: int) -> str:
        child = sketch(deep=thing(size=size), even=thing(size=size, needs=("deep",)))
        return sketch(n=thing(of="OS::Heat::Stack", template=child))

    await story.create(text(1))
    story.world.fail("update", "even", Permanent("even is stubborn"), times=2)
    stack = await story.update(text(2))
    assert stack.state == "ROLLBACK_FAILED"
    with pytest.raises(ResourceNotFound):
        await story.run(story.engine.continue_update_rollback(CALLER, "s", skip=["n.odd"]))
    with pytest.raises(ResourceNotFound):
        await story.run(story.engine.continue_update_rollback(CALLER, "s", skip=["m"]))
    story.world.fail("update", "even", Permanent("even is stubborn"))
    await story.run(story.engine.continue_update_rollback(CALLER, "s", skip=["n.even"]))
    assert (await story.end()).state == "ROLLBACK_COMPLETE"
    assert story.world.the("deep").properties["size"] == 1


async def test_b09_b04_a_rollback_may_take_what_would_be_retained(story: Story) -> None:
    story.world.fail("create", "b", Permanent("no"))
    text = sketch(a=thing(policy="Retain"), b=thing(near=ref("a")))
    await story.create(text, on_failure=OnFailure.DO_NOTHING)
    await story.engine.rollback_stack(CALLER, "s", retain_except_on_create=True)
    assert (await story.end()).state == "ROLLBACK_COMPLETE"
    assert story.world.objects == {}
