"""Engines that stop, die, and follow one another."""

from __future__ import annotations

import asyncio

from tests.engine.runs.sketch import sketch, thing
from tests.engine.runs.story import CALLER, Story


async def test_engc_19_a_stopped_engine_leaves_a_run_that_the_next_one_ends(story: Story) -> None:
    story.world.slow("ready", "a", 500)
    await story.begin(sketch(a=thing(), b=thing(needs=("a",))))
    await story.quiet()
    await story.close()
    await story.open()
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert story.world.verbs("create") == ["a", "b"]
    assert "a CREATE_FAILED" not in await story.events()


async def test_a_stopping_engine_writes_down_what_a_call_under_way_has_made(story: Story) -> None:
    gate = story.world.hold("create", "a")
    await story.begin(sketch(a=thing()))
    await story.quiet()
    stopping = asyncio.ensure_future(story.engine.stop())
    await story.quiet()
    gate.set()
    await asyncio.wait_for(stopping, 5)
    began = story.clock.monotonic()
    await story.open()
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert story.world.addresses() == ["a"]
    assert story.clock.monotonic() == began, "the object is known: nobody has to look for it"


async def test_a_stopping_engine_does_not_wait_for_a_cloud_that_hangs(story: Story) -> None:
    story.world.hold("create", "a")
    await story.begin(sketch(a=thing()))
    await story.quiet()
    began = story.clock.monotonic()
    stopping = asyncio.ensure_future(story.engine.stop())
    await story.quiet()
    story.clock.jump()
    await asyncio.wait_for(stopping, 5)
    assert story.clock.monotonic() - began <= story.settings.stop_grace
    await story.open()
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert story.world.addresses() == ["a"]


async def test_engc_06_another_engine_takes_over_when_the_lease_is_over(story: Story) -> None:
    story.world.slow("ready", "a", 500)
    await story.begin(sketch(a=thing(), b=thing(needs=("a",))))
    await story.quiet()
    await story.kill()
    began = story.clock.monotonic()
    await story.open(exclusive=False)
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert story.clock.monotonic() - began >= story.settings.lease
    assert story.world.addresses() == ["a", "b"]


async def test_a_newer_operation_nobody_rang_for_is_found_by_the_sweep(story: Story) -> None:
    story.world.slow("ready", "a", 3000)
    await story.begin(sketch(a=thing()))
    await story.quiet()
    other = Story(story.folder, world=story.world)
    other.clock, other.key = story.clock, story.key
    await other.open(exclusive=False)
    await other.engine.delete_stack(CALLER, "s")
    await other.close()
    assert (await story.end()).state == "DELETE_COMPLETE"
    assert story.clock.monotonic() <= story.settings.sweep_interval * 1.2
