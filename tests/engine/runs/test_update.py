"""Updates: in place, by replacement, taken back."""

from __future__ import annotations

import pytest

from engine.cloud.errors import Permanent
from engine.model.diagnostic import Invalid
from engine.model.status import OnFailure
from engine.resources.base import Gone, MustReplace
from tests.engine.runs.sketch import attr, ref, sketch, thing
from tests.engine.runs.story import CALLER, Story


async def test_engs_03_no_change_means_no_call_and_no_event(story: Story) -> None:
    text = sketch(a=thing(), b=thing(near=ref("a")))
    await story.create(text)
    calls, events = list(story.world.calls), list(await story.events())
    assert (await story.update(text)).state == "UPDATE_COMPLETE"
    assert story.world.calls == calls
    assert (await story.events())[len(events) :] == ["- UPDATE_IN_PROGRESS", "- UPDATE_COMPLETE"]


async def test_engu_04_a_property_is_changed_in_place(story: Story) -> None:
    await story.create(sketch(a=thing(size=1), b=thing(size=attr("a", "size"))))
    made = story.world.the("a").id
    assert (await story.update(sketch(a=thing(size=2), b=thing(size=attr("a", "size"))))).state == "UPDATE_COMPLETE"
    assert (story.world.the("a").id, story.world.the("a").properties["size"]) == (made, 2)
    assert story.world.the("b").properties["size"] == 2
    assert story.world.verbs("update") == ["a", "b"]


async def test_engc_08_engu_06_a_replacement_is_made_before_the_old_one_goes_and_that_last(story: Story) -> None:
    await story.create(sketch(a=thing(), b=thing(near=ref("a"))))
    old, seen = story.world.the("a").id, len(story.world.calls)
    stack = await story.update(sketch(a=thing(shape="square"), b=thing(near=ref("a"))))
    assert stack.state == "UPDATE_COMPLETE"
    assert [c for c in story.world.calls[seen:] if c[0] != "ready"] == [
        ("create", "a"),
        ("update", "b"),
        ("delete", "a"),
    ]
    assert story.world.the("a").id != old
    assert story.world.the("b").properties["near"] == story.world.the("a").id
    happened = await story.events()
    assert happened.index("b UPDATE_COMPLETE") < happened.index("a DELETE_IN_PROGRESS")


async def test_s11_the_cleanup_of_an_update_shows(story: Story) -> None:
    await story.create(sketch(a=thing()))
    gate = story.world.hold("delete", "a")
    await story.change(sketch(a=thing(shape="square")))
    await story.quiet()
    stack = await story.find()
    assert (stack.state, stack.cleaning) == ("UPDATE_IN_PROGRESS", True)
    gate.set()
    stack = await story.end()
    assert (stack.state, stack.cleaning) == ("UPDATE_COMPLETE", False)


async def test_engu_05_another_type_means_another_object(story: Story) -> None:
    await story.create(sketch(a=thing()))
    await story.update(sketch(a=thing(of="Test::Other")))
    assert story.world.the("a").type == "Test::Other"


async def test_what_is_no_longer_in_the_template_goes(story: Story) -> None:
    await story.create(sketch(a=thing(), b=thing(near=ref("a"))))
    await story.update(sketch(a=thing()))
    assert story.world.addresses() == ["a"]
    assert await story.states() == {"a": "CREATE_COMPLETE"}


async def test_a_type_that_can_only_replace_says_so_while_updating(story: Story) -> None:
    await story.create(sketch(a=thing()))
    old = story.world.the("a").id
    story.world.fail("update", "a", MustReplace())
    assert (await story.update(sketch(a=thing(size=2)))).state == "UPDATE_COMPLETE"
    assert story.world.the("a").id != old


async def test_an_object_that_has_vanished_is_made_anew(story: Story) -> None:
    await story.create(sketch(a=thing()))
    story.world.objects.clear()
    assert (await story.update(sketch(a=thing(size=2)))).state == "UPDATE_COMPLETE"
    assert story.world.the("a").properties["size"] == 2


async def test_a_vanished_object_is_not_gone_back_to(story: Story) -> None:
    await story.create(sketch(a=thing(), b=thing(needs=("a",))))
    story.world.fail("update", "a", Gone("it is gone"))
    story.world.objects.pop(story.world.the("a").id)
    story.world.fail("update", "b", Permanent("no"))
    stack = await story.update(sketch(a=thing(size=2), b=thing(needs=("a",), size=2)))
    assert stack.state == "ROLLBACK_COMPLETE"
    assert story.world.the("a").properties["size"] == 1


async def test_engc_10_engs_04_a_failed_update_goes_back_to_the_old_object(story: Story) -> None:
    await story.create(sketch(a=thing(), b=thing(near=ref("a"))))
    old = story.world.the("a").id
    story.world.fail("update", "b", Permanent("b is stubborn"))
    stack = await story.update(sketch(a=thing(shape="square"), b=thing(near=ref("a"))))
    assert stack.state == "ROLLBACK_COMPLETE"
    assert stack.reverting == "UPDATE"
    assert story.world.the("a").id == old
    assert story.world.the("b").properties["near"] == old
    assert "b is stubborn" in [e.reason for e in await story.engine.list_events(stack)]


async def test_engc_09_a_failed_replacement_is_not_taken_for_the_old_object(story: Story) -> None:
    await story.create(sketch(a=thing()))
    old = story.world.the("a").id
    story.world.fail("ready", "a", Permanent("square things break"))
    stack = await story.update(sketch(a=thing(shape="square")))
    assert stack.state == "ROLLBACK_COMPLETE"
    assert story.world.the("a").id == old
    assert story.world.verbs("create") == ["a", "a"]


async def test_what_the_failed_update_added_goes_again(story: Story) -> None:
    await story.create(sketch(a=thing()))
    story.world.fail("create", "c", Permanent("no"))
    stack = await story.update(sketch(a=thing(size=2), b=thing(), c=thing(needs=("a", "b"))))
    assert stack.state == "ROLLBACK_COMPLETE"
    assert story.world.addresses() == ["a"]
    assert story.world.the("a").properties["size"] == 1


async def test_b02_without_rollback_a_failed_update_stays_and_the_next_one_mends_it(story: Story) -> None:
    await story.create(sketch(a=thing(), b=thing(needs=("a",))))
    story.world.fail("update", "b", Permanent("b is stubborn"))
    wanted = sketch(a=thing(size=2), b=thing(needs=("a",), size=2))
    stack = await story.update(wanted, on_failure=OnFailure.DO_NOTHING)
    assert stack.state == "UPDATE_FAILED"
    assert stack.status_reason == "The following resource(s) failed to update: [b]. b: b is stubborn"
    assert (await story.update(wanted)).state == "UPDATE_COMPLETE"
    assert story.world.the("b").properties["size"] == 2
    assert story.world.verbs("create") == ["a", "b"]


async def test_engc_12_an_update_that_takes_too_long_is_taken_back(story: Story) -> None:
    await story.create(sketch(a=thing()))
    story.world.slow("update", "a", 100_000)
    stack = await story.update(sketch(a=thing(size=2)))
    assert stack.state == "ROLLBACK_COMPLETE"
    assert story.world.the("a").properties["size"] == 1


async def test_engc_07_a_newer_update_overtakes_and_nothing_is_made_twice(story: Story) -> None:
    await story.create(sketch(a=thing()))
    story.world.slow("ready", "b", 600)
    await story.change(sketch(a=thing(), b=thing(), c=thing(needs=("b",))))
    await story.quiet()
    stack = await story.update(sketch(a=thing(size=5), b=thing(size=3), d=thing(near=ref("b"))), supersede=True)
    assert stack.state == "UPDATE_COMPLETE"
    assert story.world.addresses() == ["a", "b", "d"]
    assert story.world.the("b").properties["size"] == 3
    assert sorted(story.world.verbs("create")) == ["a", "b", "d"]


async def test_engc_07_a_create_can_be_overtaken_while_the_cloud_is_asked(story: Story) -> None:
    gate = story.world.hold("create", "a")
    await story.begin(sketch(a=thing(), b=thing(needs=("a",))))
    await story.quiet()
    await story.change(sketch(a=thing(size=7)), supersede=True)
    await story.quiet()
    gate.set()
    assert (await story.end()).state == "UPDATE_COMPLETE"
    assert story.world.addresses() == ["a"]
    assert story.world.the("a").properties["size"] == 7
    assert story.world.verbs("create") == ["a"]


async def test_engu_04_an_immutable_property_is_refused_before_anything_happens(story: Story) -> None:
    await story.create(sketch(a=thing(fixed="x")))
    with pytest.raises(Invalid, match="Property fixed of Test::Thing cannot be changed"):
        await story.change(sketch(a=thing(fixed="y")))
    assert (await story.find()).state == "CREATE_COMPLETE"


# --- changes that nobody knows how far they came ----------------------------------------------------------------------
async def test_b08_a_continued_rollback_takes_back_what_a_failed_change_has_left(story: Story) -> None:
    await story.create(sketch(a=thing(size=1)))
    story.world.fail("update", "a", Permanent("half done"), after=True)
    story.world.fail("update", "a", Permanent("not now"))
    assert (await story.update(sketch(a=thing(size=2)))).state == "ROLLBACK_FAILED"
    await story.engine.continue_update_rollback(CALLER, "s")
    assert (await story.end()).state == "ROLLBACK_COMPLETE"
    assert story.world.the("a").properties["size"] == 1


async def test_b08_a_continued_rollback_goes_into_a_nested_stack_that_has_failed(story: Story) -> None:
    def outside(size: int) -> str:
        return sketch(n=thing(of="OS::Heat::Stack", template=sketch(deep=thing(size=size))))

    await story.create(outside(1))
    story.world.fail("update", "deep", Permanent("half done"), after=True)
    story.world.fail("update", "deep", Permanent("not now"))
    stack = await story.update(outside(2))
    assert stack.state == "ROLLBACK_FAILED"
    await story.engine.continue_update_rollback(CALLER, "s")
    assert (await story.end()).state == "ROLLBACK_COMPLETE"
    assert story.world.the("deep").properties["size"] == 1
    assert [child.state for child in await story.engine.nested_stacks(stack, 1)] == ["UPDATE_COMPLETE"]


async def test_several_changes_that_failed_are_all_remembered_until_one_is_finished(story: Story) -> None:
    await story.create(sketch(a=thing(size=1, word="x")))
    for changed in ({"size": 2, "word": "x"}, {"size": 1, "word": "y"}):
        story.world.fail("update", "a", Permanent("half done"), after=True)
        await story.update(sketch(a=thing(**changed)), on_failure=OnFailure.DO_NOTHING)
    story.world.fail("update", "a", Permanent("not now"))
    before = sketch(a=thing(size=1, word="x"))
    await story.update(before, on_failure=OnFailure.DO_NOTHING)
    assert (await story.update(before)).state == "UPDATE_COMPLETE"
    found = story.world.the("a").properties
    assert (found["size"], found["word"]) == (1, "x")
    calls = len(story.world.verbs("update"))
    await story.update(sketch(a=thing(size=1, word="x"), b=thing()))
    assert len(story.world.verbs("update")) == calls


async def test_what_is_known_of_failed_changes_is_nobody_else_s(story: Story) -> None:
    await story.create(sketch(a=thing(word="x")))
    story.world.fail("update", "a", Permanent("half done"), after=True)
    await story.update(sketch(a=thing(word="secret")), on_failure=OnFailure.DO_NOTHING)
    told = await story.engine.export_stack(CALLER, "s")
    assert told["resources"]["a"]["resource_data"] == {}
