"""The right to go on: who has lost it sends nothing, who rests gives it back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import update

from engine.runs.lease import LeaseLost, Leases
from engine.state import tables as t
from tests.engine.runs.moment import VirtualClock
from tests.engine.runs.sketch import sketch, thing
from tests.engine.runs.story import SETTINGS, Story


def test_a_renewal_gives_no_right_to_what_another_engine_has_taken() -> None:
    clock = VirtualClock()
    lease = Leases(clock, 12)
    mine, taken = lease.hold("mine"), lease.hold("taken")
    held = lease.held()
    new = lease.hold("claimed since")
    lease.renewed(clock.monotonic(), held, {"mine"})
    mine.ensure()
    new.ensure()
    with pytest.raises(LeaseLost):
        taken.ensure()


async def test_a_lease_with_less_than_a_quarter_left_is_good_for_nothing() -> None:
    clock = VirtualClock()
    lease = Leases(clock, 12)
    hold = lease.hold("s")
    for seconds in (8, 2):
        sleep = asyncio.ensure_future(clock.sleep(seconds))
        await asyncio.sleep(0)
        hold.ensure()
        clock.jump()
        await sleep
    with pytest.raises(LeaseLost):
        hold.ensure()
    lease.renewed(clock.monotonic(), lease.held(), {"s"})
    hold.ensure()


async def test_an_engine_that_was_stopped_too_long_leaves_its_run_to_the_one_that_has_it(story: Story) -> None:
    story.world.slow("ready", "a", 500)
    made = await story.begin(sketch(a=thing(), b=thing(needs=("a",))))
    await story.quiet()
    store, s = story.engine._context.store, t.stacks
    mine = update(s).where(s.c.id == made.id)
    await store.database.write(mine.values(owner="another", epoch=s.c.epoch + 1, lease_until=2**60))
    await story.pass_time(SETTINGS.sweep_interval * 3)
    assert story.world.verbs("create") == ["a"]
    await store.database.write(mine.values(owner=None, lease_until=None))
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert story.world.addresses() == ["a", "b"]


async def test_a_stopped_engine_gives_back_what_rests(story: Story) -> None:
    story.world.slow("ready", "a", 500)
    made = await story.begin(sketch(a=thing(), b=thing(needs=("a",))))
    await story.quiet()
    store = story.engine._context.store
    await story.close()
    assert (await store.row(made.id)).owner is None
    began = story.clock.monotonic()
    await story.open(exclusive=False)
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert story.clock.monotonic() - began < SETTINGS.lease


async def test_a_stopped_engine_keeps_the_lease_of_calls_that_hang(story: Story) -> None:
    story.world.hold("create", "a")
    made = await story.begin(sketch(a=thing()))
    await story.quiet()
    store = story.engine._context.store
    stopping = asyncio.ensure_future(story.engine.stop())
    await story.quiet()
    story.clock.jump()
    await asyncio.wait_for(stopping, 5)
    assert (await store.row(made.id)).owner is not None
    await story.open()
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert story.world.addresses() == ["a"]


async def test_a_dead_engine_is_followed_the_moment_its_lease_is_over(story: Story) -> None:
    story.settings = replace(SETTINGS, sweep_interval=10 * SETTINGS.lease)
    story.world.slow("ready", "a", 500)
    await story.begin(sketch(a=thing(), b=thing(needs=("a",))))
    await story.quiet()
    await story.kill()
    began, calls = story.clock.monotonic(), len(story.world.calls)
    await story.open(exclusive=False)
    while len(story.world.calls) == calls:
        await story.quiet()
        assert story.clock.jump()
        await story.quiet()
    assert story.clock.monotonic() - began <= SETTINGS.lease + SETTINGS.grace + 1
    assert (await story.end()).state == "CREATE_COMPLETE"
