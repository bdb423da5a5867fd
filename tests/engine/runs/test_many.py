"""Several engines on one database: room, offers, and taking over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.model.status import Status
from tests.engine.runs.sketch import sketch, thing
from tests.engine.runs.story import SETTINGS, Story, copy


async def _story(folder: Path, blank: Path, **settings: float) -> Story:
    copy(blank, folder)
    story = Story(folder, settings=replace(SETTINGS, **settings))
    await story.open()
    return story


async def test_an_engine_runs_no_more_stacks_at_once_than_it_may(tmp_path: Path, blank_database: Path) -> None:
    story = await _story(tmp_path, blank_database, max_concurrent_runs=2)
    for name in ("a", "b", "c", "d"):
        story.world.slow("ready", name, 500)
        await story.begin(sketch(**{name: thing()}), name)
    await story.quiet()
    assert story.world.verbs("create") == ["a", "b"]
    assert (await story.end("a")).state == "CREATE_COMPLETE"
    for name in ("b", "c", "d"):
        assert (await story.end(name)).state == "CREATE_COMPLETE"
    # As soon as there was room, and not at the next sweep.
    assert story.clock.monotonic() <= 1100
    await story.close()


async def test_nested_stacks_run_however_full_the_engine_is(tmp_path: Path, blank_database: Path) -> None:
    story = await _story(tmp_path, blank_database, max_concurrent_runs=1)
    inner = sketch(deep=thing())
    await story.begin(sketch(n=thing(of="OS::Heat::Stack", template=inner)))
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert story.clock.monotonic() < SETTINGS.sweep_interval
    await story.close()


async def test_who_takes_over_waits_until_the_calls_of_the_dead_have_ended(
    tmp_path: Path, blank_database: Path
) -> None:
    story = await _story(tmp_path, blank_database, grace=77)
    story.world.slow("ready", "a", 500)
    await story.begin(sketch(a=thing(), b=thing(needs=("a",))))
    await story.quiet()
    await story.kill()
    began = story.clock.monotonic()
    await story.open(exclusive=False)
    calls = len(story.world.calls)
    while len(story.world.calls) == calls:
        await story.quiet()
        assert story.clock.jump()
        await story.quiet()
    assert SETTINGS.lease + 77 <= story.clock.monotonic() - began <= SETTINGS.lease + 77 + 1
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert story.world.addresses() == ["a", "b"]
    await story.close()


async def test_an_offer_returns_when_the_claim_is_decided(story: Story) -> None:
    story.world.slow("ready", "a", 500)
    made = await story.begin(sketch(a=thing()))
    dispatcher = story.engine._dispatcher
    assert dispatcher is not None
    await story.run(dispatcher.offer(made.id))
    row = await story.engine._context.store.row(made.id)
    assert row.owner == dispatcher.engine_id
    assert (await story.find()).status is Status.IN_PROGRESS
    await story.run(dispatcher.offer("no such stack"))
    assert (await story.end()).state == "CREATE_COMPLETE"
