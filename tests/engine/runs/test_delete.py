"""Deleting stacks, and what deletion policies keep."""

from __future__ import annotations

import asyncio

import pytest

from engine.cloud.errors import Conflict, Permanent
from engine.model.diagnostic import Invalid
from engine.model.errors import Forbidden, InvalidState, ResourceNotFound, StackNotFound
from engine.model.status import OnFailure
from tests.engine.runs.sketch import ref, sketch, thing
from tests.engine.runs.story import CALLER, Story

CHAIN = sketch(a=thing(), b=thing(near=ref("a")), c=thing(near=ref("b")))


async def test_engs_05_a_stack_goes_in_the_reverse_order(story: Story) -> None:
    await story.create(CHAIN)
    stack = await story.delete()
    assert stack.state == "DELETE_COMPLETE"
    assert stack.deleted is not None
    assert story.world.verbs("delete") == ["c", "b", "a"]
    assert len(story.world.revoked) == 1
    with pytest.raises(StackNotFound):
        await story.engine.find_stack(CALLER, "s")


async def test_w32_deletes_at_the_same_moment_are_one(story: Story) -> None:
    await story.create(CHAIN)
    asked = asyncio.gather(*(story.engine.delete_stack(CALLER, "s") for _ in range(5)))
    await story.run(asked)
    assert (await story.end()).state == "DELETE_COMPLETE"
    assert story.world.verbs("delete") == ["c", "b", "a"]


async def test_the_name_is_free_once_the_stack_is_deleted(story: Story) -> None:
    await story.create(CHAIN)
    await story.delete()
    assert (await story.create(CHAIN)).state == "CREATE_COMPLETE"


async def test_b10_retain_keeps_the_object(story: Story) -> None:
    await story.create(sketch(a=thing(), b=thing(policy="Retain", near=ref("a"))))
    assert (await story.delete()).state == "DELETE_COMPLETE"
    assert story.world.addresses() == ["b"]


async def test_b04_retain_does_not_keep_what_a_failed_create_made_when_so_asked(story: Story) -> None:
    story.world.fail("create", "b", Permanent("no"))
    text = sketch(a=thing(policy="Retain"), b=thing(needs=("a",)))
    assert (await story.create(text, retain_except_on_create=True)).state == "ROLLBACK_COMPLETE"
    assert story.world.objects == {}


async def test_b04_retain_keeps_what_a_failed_create_made(story: Story) -> None:
    story.world.fail("create", "b", Permanent("no"))
    text = sketch(a=thing(policy="Retain"), b=thing(needs=("a",)))
    assert (await story.create(text)).state == "ROLLBACK_COMPLETE"
    assert story.world.addresses() == ["a"]


async def test_b04_retain_except_on_create_tells_a_failed_create_from_a_delete(story: Story) -> None:
    text = sketch(a=thing(policy="RetainExceptOnCreate"), b=thing(needs=("a",)))
    story.world.fail("create", "b", Permanent("no"))
    await story.create(text, "one")
    assert story.world.objects == {}
    await story.create(text, "two")
    await story.delete("two")
    assert story.world.addresses() == ["a"]


async def test_b04_what_a_failed_update_added_is_not_retained_either(story: Story) -> None:
    await story.create(sketch(z=thing()))
    story.world.fail("create", "b", Permanent("no"))
    text = sketch(z=thing(), a=thing(policy="RetainExceptOnCreate"), b=thing(needs=("a",)))
    assert (await story.update(text)).state == "ROLLBACK_COMPLETE"
    assert story.world.addresses() == ["z"]


async def test_b11_update_replace_policy_keeps_the_replaced_object(story: Story) -> None:
    await story.create(sketch(a={**thing(), "replace_policy": "Retain"}))
    assert (
        await story.update(sketch(a={**thing(shape="square"), "replace_policy": "Retain"}))
    ).state == "UPDATE_COMPLETE"
    assert story.world.addresses() == ["a", "a"]


async def test_engu_10_a_snapshot_is_made_before_the_object_goes(story: Story) -> None:
    await story.create(sketch(a=thing(of="Test::Disk", policy="Snapshot")))
    await story.delete()
    assert [c for c in story.world.calls if c[0] in ("snapshot", "delete")] == [("snapshot", "a"), ("delete", "a")]


async def test_engu_10_a_snapshot_that_nobody_can_make_is_refused(story: Story) -> None:
    with pytest.raises(Invalid, match="the deletion_policy Snapshot is not supported by Test::Thing"):
        await story.begin(sketch(a=thing(policy="Snapshot")))


async def test_engu_02_what_is_in_use_is_waited_for(story: Story) -> None:
    await story.create(CHAIN)
    story.world.fail("delete", "b", Conflict("b is in use"), times=4)
    assert (await story.delete()).state == "DELETE_COMPLETE"
    assert story.world.objects == {}


async def test_s09_a_failed_delete_names_the_reason_and_can_be_repeated(story: Story) -> None:
    await story.create(CHAIN)
    story.world.fail("delete", "b", Permanent("b is locked"))
    stack = await story.delete()
    assert stack.state == "DELETE_FAILED"
    assert stack.status_reason == "The following resource(s) failed to delete: [b]. b: b is locked"
    assert story.world.addresses() == ["a", "b"]
    assert (await story.delete()).state == "DELETE_COMPLETE"
    assert story.world.objects == {}


async def test_b10_retain_resources_leaves_them_in_the_cloud(story: Story) -> None:
    await story.create(CHAIN)
    with pytest.raises(InvalidState):
        await story.delete(retain=["b"])
    story.world.fail("delete", "b", Permanent("b is locked"), times=9)
    await story.delete()
    assert (await story.delete(retain=["b"])).state == "DELETE_COMPLETE"
    assert story.world.addresses() == ["b"]


async def test_b10_a_resource_to_retain_has_to_be_one_of_the_stack(story: Story) -> None:
    await story.create(CHAIN)
    story.world.fail("delete", "b", Permanent("b is locked"))
    await story.delete()
    with pytest.raises(ResourceNotFound, match="B"):
        await story.engine.delete_stack(CALLER, "s", retain=["b", "B"])
    assert (await story.find()).state == "DELETE_FAILED"
    assert (await story.delete(retain=["b"])).state == "DELETE_COMPLETE"


async def test_b01_a_failed_create_that_cannot_be_deleted_tells_of_both(story: Story) -> None:
    story.world.fail("create", "b", Permanent("there is no room"))
    story.world.fail("delete", "a", Permanent("a is locked"))
    stack = await story.create(sketch(a=thing(), b=thing(needs=("a",))), on_failure=OnFailure.DELETE)
    assert stack.state == "DELETE_FAILED"
    assert "a is locked" in stack.status_reason
    assert "there is no room" in stack.status_reason


async def test_b10_force_keeps_what_cannot_be_deleted(story: Story) -> None:
    await story.create(CHAIN)
    story.world.fail("delete", "b", Permanent("b is locked"), times=9)
    assert (await story.delete(force=True)).state == "DELETE_COMPLETE"
    assert story.world.addresses() == ["b"]


async def test_b12_a_protected_stack_stays(story: Story) -> None:
    await story.create(CHAIN, termination_protection=True)
    with pytest.raises(Forbidden, match="TerminationProtection"):
        await story.engine.delete_stack(CALLER, "s")


async def test_b12_a_nested_stack_has_the_protection_of_its_root(story: Story) -> None:
    stack = await story.create(sketch(n=thing(of="OS::Heat::Stack", template=CHAIN)))
    (child,) = await story.engine.nested_stacks(stack, 1)
    await story.engine.set_options(CALLER, "s", termination_protection=True)
    assert (await story.find(child.id)).options.termination_protection
    with pytest.raises(Forbidden, match=r"TerminationProtection is enabled on its root stack \[s\]"):
        await story.engine.delete_stack(CALLER, child.id)
    await story.engine.set_options(CALLER, "s", termination_protection=False)
    await story.engine.delete_stack(CALLER, child.id)
    assert (await story.end(child.id)).state == "DELETE_COMPLETE"


async def test_engc_14_a_stack_is_deleted_while_it_is_being_made(story: Story) -> None:
    gate = story.world.hold("create", "b")
    await story.begin(CHAIN)
    await story.quiet()
    await story.engine.delete_stack(CALLER, "s")
    await story.quiet()
    gate.set()
    assert (await story.end()).state == "DELETE_COMPLETE"
    assert story.world.objects == {}


async def test_a_delete_whose_type_raises_what_it_should_not_fails_normally(story: Story) -> None:
    await story.create(CHAIN)
    story.world.fail("delete", "c", ZeroDivisionError("oops"))
    stack = await story.delete()
    assert stack.state == "DELETE_FAILED"
    assert "Isotherm's own fault" in stack.status_reason
