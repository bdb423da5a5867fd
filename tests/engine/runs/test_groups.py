"""Lowered composites: one name over several resources, seen from outside as one resource."""

from __future__ import annotations

from engine.cloud.errors import Permanent
from engine.model.status import OnFailure
from tests.engine.runs.sketch import attr, ref, sketch, thing
from tests.engine.runs.story import Story


def far(size: int = 1, *, type: str = "Far::Thing", **more: object) -> dict[str, object]:  # noqa: A002
    """A group: the thing itself, and its foot, which stands on it."""
    return {
        "type": type, "properties": {"Size": size},
        "members": {"it": thing(size=size), "foot": thing(near=ref(more.pop("name", "g") + "/it"))}, **more,  # type: ignore[operator]
    }  # fmt: skip


async def test_a_group_begins_with_its_first_member_and_ends_after_its_last(story: Story) -> None:
    stack = await story.create(sketch(g=far(), after=thing(near=ref("g/it"), needs=("g",))))
    assert stack.state == "CREATE_COMPLETE"
    happened = await story.events()
    assert [e for e in happened if e.startswith("g ")] == ["g CREATE_IN_PROGRESS", "g CREATE_COMPLETE"]
    assert happened.index("g CREATE_COMPLETE") < happened.index("after CREATE_IN_PROGRESS")
    assert not [e for e in happened if e.startswith("g/")], "members are nobody's business"
    (shown,) = [r for r in await story.engine.list_resources(stack) if r.is_group]
    assert shown.physical_id == story.world.the("g/it").id
    assert shown.attributes == {"Size": 1}


async def test_a_group_fails_with_its_member(story: Story) -> None:
    story.world.fail("create", "g/foot", Permanent("no foot"))
    stack = await story.create(sketch(g=far()), on_failure=OnFailure.DO_NOTHING)
    assert stack.status_reason == "The following resource(s) failed to create: [g]. g: no foot"
    assert await story.states() == {"g": "CREATE_FAILED"}


async def test_a_half_made_group_is_rolled_back_in_order(story: Story) -> None:
    story.world.fail("create", "g/foot", Permanent("no foot"))
    stack = await story.create(sketch(g=far()))
    assert stack.state == "ROLLBACK_COMPLETE"
    assert story.world.objects == {}
    happened = [e for e in await story.events() if e.startswith("g ")]
    assert happened[-2:] == ["g DELETE_IN_PROGRESS", "g DELETE_COMPLETE"]


async def test_a_group_s_deletion_begins_before_and_ends_after_its_members(story: Story) -> None:
    await story.create(sketch(g=far(), after=thing(needs=("g",))))
    stack = await story.delete()
    assert story.world.verbs("delete") == ["after", "g/foot", "g/it"]
    happened = await story.events()
    assert happened[-3:] == ["g DELETE_IN_PROGRESS", "g DELETE_COMPLETE", "- DELETE_COMPLETE"]
    assert stack.state == "DELETE_COMPLETE"


async def test_a_group_is_updated_with_its_members(story: Story) -> None:
    await story.create(sketch(g=far(1), after=thing(size=attr("g/it", "size"))))
    seen = len(await story.events())
    assert (await story.update(sketch(g=far(2), after=thing(size=attr("g/it", "size"))))).state == "UPDATE_COMPLETE"
    happened = (await story.events())[seen:]
    assert [e for e in happened if e.startswith("g ")] == ["g UPDATE_IN_PROGRESS", "g UPDATE_COMPLETE"]


async def test_old_members_of_a_group_that_stays_go_after_what_needed_the_whole(story: Story) -> None:
    """A pool does not go before the subnets in it, though these only know its group."""
    await story.create(sketch(g=far(1), after=thing(shape="round", needs=("g",))))
    grown = {"type": "Far::Thing", "properties": {"Size": 2},
             "members": {"it": thing(shape="square"), "foot": thing(near=ref("g/it"), shape="square")}}  # fmt: skip
    story.world.fail("delete", "after", Permanent("it is held"))
    await story.update(sketch(g=grown, after=thing(shape="square", needs=("g",))))
    assert story.world.addresses() == ["after", "after", "g/foot", "g/foot", "g/it", "g/it"]


async def test_a_group_without_change_is_left_alone(story: Story) -> None:
    await story.create(sketch(g=far()))
    seen = len(await story.events())
    await story.update(sketch(g=far()))
    assert len(await story.events()) == seen + 2


async def test_a_member_whose_delete_fails_fails_the_group(story: Story) -> None:
    await story.create(sketch(g=far()))
    story.world.fail("delete", "g/it", Permanent("it is held"))
    assert (await story.delete()).state == "DELETE_FAILED"
    assert await story.states() == {"g": "DELETE_FAILED"}
    assert (await story.delete()).state == "DELETE_COMPLETE"


async def test_a_plain_resource_becomes_a_group_and_loses_no_object(story: Story) -> None:
    await story.create(sketch(g=thing()))
    assert (await story.update(sketch(g=far()))).state == "UPDATE_COMPLETE"
    assert story.world.addresses() == ["g/foot", "g/it"]
    assert (await story.update(sketch(g=thing()))).state == "UPDATE_COMPLETE"
    assert story.world.addresses() == ["g"]
    assert await story.states() == {"g": "CREATE_COMPLETE"}


async def test_a_group_of_another_type_takes_the_address(story: Story) -> None:
    await story.create(sketch(g=far()))
    assert (await story.update(sketch(g=far(type="Near::Thing")))).state == "UPDATE_COMPLETE"
    (shown,) = await story.engine.list_resources(await story.find())
    assert shown.type == "Near::Thing"


async def test_a_new_engine_does_not_begin_a_group_twice(story: Story) -> None:
    story.world.slow("ready", "g/it", 100)
    await story.begin(sketch(g=far()))
    await story.quiet()
    await story.kill()
    await story.open()
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert [e for e in await story.events() if e.startswith("g ")] == ["g CREATE_IN_PROGRESS", "g CREATE_COMPLETE"]
