"""Breakpoints and restricted actions: what an environment lets happen to single resources."""

from __future__ import annotations

from typing import Any

import pytest

from engine.cloud.errors import Permanent
from engine.model.errors import InvalidHook, ResourceNotFound
from engine.resources.base import MustReplace
from tests.engine.runs.sketch import ref, sketch, thing
from tests.engine.runs.story import CALLER, Story

PAIR = sketch(a=thing(), b=thing(near=ref("a")))


def says(**resources: Any) -> dict[str, Any]:
    """An environment that says something of single resources."""
    return {"resource_registry": {"resources": resources}}


def hooks(*names: str, of: str = "a") -> dict[str, Any]:
    return says(**{of: {"hooks": list(names)}})


async def reasons(story: Story, address: str, name: str = "s") -> list[str]:
    found = await story.engine.list_events(await story.find(name))
    return [f"{one.action}_{one.status} {one.reason}" for one in found if one.address == address]


# --- hooks --------------------------------------------------------------------------------------------------------
async def test_te_13_engu_09_a_create_stops_before_and_after_until_its_hooks_are_cleared(story: Story) -> None:
    await story.begin(PAIR, environment=hooks("pre-create", "post-create"))
    await story.pass_time(600)
    assert story.world.addresses() == []
    assert await story.states() == {"a": "INIT_COMPLETE"}
    await story.run(story.engine.clear_hook(CALLER, "s", "a", "pre-create"))
    await story.pass_time(600)
    assert story.world.addresses() == ["a"]
    assert (await story.states())["a"] == "CREATE_COMPLETE"
    await story.run(story.engine.clear_hook(CALLER, "s", "a", "post-create"))
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert await reasons(story, "a") == [
        "INIT_COMPLETE CREATE paused until Hook pre-create is cleared",
        "INIT_COMPLETE Hook pre-create is cleared",
        "CREATE_IN_PROGRESS ",
        "CREATE_IN_PROGRESS Resource creation Initiated",
        "CREATE_COMPLETE ",
        "CREATE_COMPLETE CREATE paused until Hook post-create is cleared",
        "CREATE_COMPLETE Hook post-create is cleared",
    ]


async def test_te_13_an_update_stops_before_what_is_there_whether_it_changes_or_not(story: Story) -> None:
    await story.create(PAIR)
    await story.change(sketch(a=thing(), b=thing(near=ref("a"), size=2)), environment=hooks("pre-update"))
    await story.pass_time(60)
    assert story.world.verbs("update") == []
    await story.run(story.engine.clear_hook(CALLER, "s", "a", "pre-update"))
    assert (await story.end()).state == "UPDATE_COMPLETE"
    assert story.world.verbs("update") == ["b"]


async def test_te_13_after_an_update_only_what_was_changed_is_stopped_at(story: Story) -> None:
    await story.create(PAIR)
    await story.change(
        sketch(a=thing(size=3), b=thing(near=ref("a"))), environment=says(**{"*": {"hooks": "post-update"}})
    )
    await story.pass_time(60)
    assert story.world.the("a").properties["size"] == 3
    await story.run(story.engine.clear_hook(CALLER, "s", "a", "post-update"))
    assert (await story.end()).state == "UPDATE_COMPLETE"


async def test_te_13_a_delete_stops_too(story: Story) -> None:
    await story.create(PAIR, environment=hooks("pre-delete", "post-delete", of="b"))
    await story.engine.delete_stack(CALLER, "s")
    await story.pass_time(60)
    assert story.world.addresses() == ["a", "b"]
    await story.run(story.engine.clear_hook(CALLER, "s", "b", "pre-delete"))
    await story.pass_time(60)
    assert story.world.addresses() == ["a"]
    await story.run(story.engine.clear_hook(CALLER, "s", "b", "post-delete"))
    assert (await story.end()).state == "DELETE_COMPLETE"


async def test_engu_09_a_breakpoint_outlives_the_engine(story: Story) -> None:
    await story.begin(PAIR, environment=hooks("pre-create", "post-create"))
    await story.pass_time(60)
    await story.run(story.engine.clear_hook(CALLER, "s", "a", "pre-create"))
    await story.pass_time(60)
    await story.kill()
    await story.open()
    await story.pass_time(60)
    assert story.world.addresses() == ["a"]
    await story.run(story.engine.clear_hook(CALLER, "s", "a", "post-create"))
    assert (await story.end()).state == "CREATE_COMPLETE"
    told = await reasons(story, "a")
    assert len([one for one in told if "paused" in one]) == 2


async def test_engu_09_a_hook_that_nobody_waits_at_cannot_be_cleared(story: Story) -> None:
    await story.begin(PAIR, environment=hooks("pre-create"))
    await story.pass_time(60)
    with pytest.raises(InvalidHook, match='The "post-create" hook is not defined on Test::Thing "a"'):
        await story.run(story.engine.clear_hook(CALLER, "s", "a", "post-create"))
    with pytest.raises(InvalidHook, match='Invalid hook type "pre-begin"'):
        await story.run(story.engine.clear_hook(CALLER, "s", "a", "pre-begin"))
    with pytest.raises(ResourceNotFound):
        await story.run(story.engine.clear_hook(CALLER, "s", "b", "pre-create"))


async def test_engu_09_a_stop_counts_in_the_time_a_run_may_take_and_going_back_is_not_stopped(story: Story) -> None:
    environment = hooks("pre-create", "pre-delete", of="b")
    await story.begin(PAIR, environment=environment, timeout_mins=5)
    stack = await story.end()
    assert stack.state == "ROLLBACK_COMPLETE"
    assert story.world.addresses() == []
    assert (await reasons(story, "b"))[-1] == "INIT_COMPLETE Failure occurred while waiting."
    assert await story.states() == {}


async def test_engu_09_a_newer_update_passes_a_breakpoint_that_it_does_not_have(story: Story) -> None:
    await story.begin(PAIR, environment=hooks("pre-create"))
    await story.pass_time(60)
    stack = await story.update(PAIR, supersede=True)
    assert stack.state == "UPDATE_COMPLETE"
    assert await story.states() == {"a": "CREATE_COMPLETE", "b": "CREATE_COMPLETE"}


async def test_te_11_hooks_reach_into_nested_stacks_by_their_names(story: Story) -> None:
    child = sketch(a=thing())
    text = sketch(a=thing(), n=thing(of="OS::Heat::Stack", template=child))
    begun = await story.begin(text, environment=says(n={"a": {"hooks": "pre-create"}}))
    await story.pass_time(60)
    assert story.world.addresses() == ["a"]
    (inner,) = await story.engine.nested_stacks(begun, 1)
    await story.run(story.engine.clear_hook(CALLER, inner.id, "a", "pre-create"))
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert story.world.addresses() == ["a", "a"]


async def test_engu_09_a_lowered_resource_stops_as_a_whole(story: Story) -> None:
    group = {"members": {"x": thing(), "y": thing(near=ref("g/x"))}}
    environment = hooks("pre-create", "post-create", "pre-delete", of="g")
    await story.begin(sketch(g=group), environment=environment)
    await story.pass_time(60)
    assert story.world.addresses() == []
    await story.run(story.engine.clear_hook(CALLER, "s", "g", "pre-create"))
    await story.pass_time(60)
    assert story.world.addresses() == ["g/x", "g/y"]
    await story.run(story.engine.clear_hook(CALLER, "s", "g", "post-create"))
    assert (await story.end()).state == "CREATE_COMPLETE"
    await story.engine.delete_stack(CALLER, "s")
    await story.pass_time(60)
    assert story.world.addresses() == ["g/x", "g/y"]
    await story.run(story.engine.clear_hook(CALLER, "s", "g", "pre-delete"))
    assert (await story.end()).state == "DELETE_COMPLETE"


# --- restricted actions -------------------------------------------------------------------------------------------
async def test_te_14_engu_08_a_restricted_update_fails_the_resource(story: Story) -> None:
    await story.create(PAIR)
    changed = sketch(a=thing(size=2), b=thing(near=ref("a")))
    stack = await story.update(changed, environment=says(a={"restricted_actions": "update"}))
    assert stack.state == "ROLLBACK_COMPLETE"
    assert "UPDATE_FAILED update is restricted for resource." in await reasons(story, "a")
    assert story.world.the("a").properties["size"] == 1
    assert (await story.update(changed)).state == "UPDATE_COMPLETE"


async def test_te_14_engu_08_a_restricted_replacement_lets_updates_pass(story: Story) -> None:
    restricted = says(a={"restricted_actions": ["replace"]})
    await story.create(PAIR, environment=restricted)
    old = story.world.the("a").id
    assert (await story.update(sketch(a=thing(size=2), b=thing(near=ref("a"))), environment=restricted)).state == (
        "UPDATE_COMPLETE"
    )
    stack = await story.update(sketch(a=thing(shape="square"), b=thing(near=ref("a"))), environment=restricted)
    assert stack.state == "ROLLBACK_COMPLETE"
    assert "UPDATE_FAILED replace is restricted for resource." in await reasons(story, "a")
    assert story.world.the("a").id == old


async def test_engu_08_a_replacement_that_only_running_shows_is_refused_too(story: Story) -> None:
    restricted = says(a={"restricted_actions": ["replace"]})
    await story.create(PAIR)
    old = story.world.the("a").id
    story.world.fail("update", "a", MustReplace())
    await story.update(sketch(a=thing(size=2), b=thing(near=ref("a"))), environment=restricted)
    assert story.world.the("a").id == old


async def test_engu_08_going_back_is_not_restricted(story: Story) -> None:
    restricted = says(a={"restricted_actions": ["update", "replace"]})
    await story.create(PAIR, environment=restricted)
    story.world.fail("update", "b", Permanent("no"))
    stack = await story.update(sketch(a=thing(size=2), b=thing(near=ref("a"), size=2)))
    assert stack.state == "ROLLBACK_COMPLETE"
    assert story.world.the("a").properties["size"] == 1


async def test_engu_09_what_a_run_has_made_itself_is_not_stopped_at_as_an_update_after_a_crash(story: Story) -> None:
    environment = says(**{"*": {"hooks": "pre-update"}})
    for text, asked in ((PAIR, story.begin), (sketch(a=thing(), b=thing(near=ref("a")), c=thing()), story.change)):
        story.world.slow("ready", "b" if asked == story.begin else "c", 300)
        await asked(text, environment=environment)
        await story.quiet()
        if asked == story.change:
            for address in ("a", "b"):
                await story.run(story.engine.clear_hook(CALLER, "s", address, "pre-update"))
        await story.pass_time(60)
        await story.kill()
        await story.open()
        assert (await story.end()).state == ("CREATE_COMPLETE" if asked == story.begin else "UPDATE_COMPLETE")
