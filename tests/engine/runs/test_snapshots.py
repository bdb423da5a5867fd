"""Snapshots and what is gone back to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.cloud.errors import OutcomeUnknown, Permanent
from engine.model.errors import Busy, InvalidState, LimitExceeded, NotSupported, SnapshotNotFound
from engine.model.stack import Snapshot
from engine.model.status import OnFailure
from engine.resources.base import WouldLose
from tests.engine.runs.sketch import ref, sketch, thing
from tests.engine.runs.story import CALLER, SETTINGS, Story, copy

DISK = "Test::Disk"
TEXT = sketch(d=thing(of=DISK), a=thing(near=ref("d")), parameters={"word": {"default": "x", "hidden": True}})


async def taken(story: Story, name: str | None = "before") -> Snapshot:
    begun = await story.run(story.engine.take_snapshot(CALLER, "s", name))
    await story.end()
    return await story.engine.find_snapshot(CALLER, "s", begun.id)


async def gone_back(story: Story, snapshot: Snapshot) -> str:
    await story.run(story.engine.restore_snapshot(CALLER, "s", snapshot.id))
    return (await story.end()).state


async def test_engs_09_a_snapshot_copies_what_can_be_copied(story: Story) -> None:
    await story.create(TEXT, parameters={"word": "secret"})
    story.world.the("d").held = "data"
    found = await taken(story)
    assert (await story.find()).state == "SNAPSHOT_COMPLETE"
    assert (found.name, found.status, found.reason) == ("before", "COMPLETE", "")
    assert list(story.world.copies.values()) == ["data"]
    assert await story.states() == {"d": "SNAPSHOT_COMPLETE", "a": "SNAPSHOT_COMPLETE"}
    assert found.data is not None
    assert found.data["resources"]["d"]["resource_data"]["copy"] in story.world.copies
    assert found.data["environment"]["parameters"] == {"word": "******"}
    assert [one.id for one in await story.engine.list_snapshots(CALLER, "s")] == [found.id]


async def test_engs_10_a_restore_brings_back_definition_and_contents(story: Story) -> None:
    await story.create(TEXT)
    story.world.the("d").held = "data"
    snapshot = await taken(story)
    old = story.world.the("d").id
    await story.update(sketch(d=thing(of=DISK, size=5), new=thing()))
    story.world.the("d").held = "lost"
    assert await gone_back(story, snapshot) == "RESTORE_COMPLETE"
    disk = story.world.the("d")
    assert (disk.id, disk.held, disk.properties["size"]) == (old, "data", 1)
    assert story.world.addresses() == ["a", "d"]
    assert (await story.update(TEXT)).state == "UPDATE_COMPLETE"
    assert story.world.verbs("restore") == ["d"], "the next update has nothing to bring back"


async def test_engs_10_what_was_replaced_since_is_made_from_its_copy(story: Story) -> None:
    await story.create(TEXT)
    story.world.the("d").held = "data"
    snapshot = await taken(story)
    await story.update(sketch(a=thing()))
    assert await gone_back(story, snapshot) == "RESTORE_COMPLETE"
    assert story.world.the("d").held == "data"
    assert story.world.the("a").properties["near"] == story.world.the("d").id


async def test_engs_10_what_cannot_be_changed_back_is_made_anew_from_its_copy(story: Story) -> None:
    """A disk does not shrink, for it would lose what it holds; what a copy holds is not lost."""
    await story.create(TEXT)
    story.world.the("d").held = "data"
    snapshot, old = await taken(story), story.world.the("d").id
    await story.update(sketch(d=thing(of=DISK, size=5), a=thing(near=ref("d"))))
    story.world.fail("update", "d", WouldLose("a disk does not shrink"), times=2)
    assert (await story.update(TEXT, on_failure=OnFailure.DO_NOTHING)).state == "UPDATE_FAILED"
    assert story.world.the("d").id == old
    assert await gone_back(story, snapshot) == "RESTORE_COMPLETE"
    disk = story.world.the("d")
    assert (disk.id != old, disk.held, disk.properties["size"]) == (True, "data", 1)
    assert story.world.the("a").properties["near"] == disk.id


async def test_engs_10_a_failed_restore_goes_back(story: Story) -> None:
    await story.create(TEXT)
    snapshot = await taken(story)
    await story.update(sketch(d=thing(of=DISK, size=5), new=thing()))
    story.world.fail("restore", "d", Permanent("the copy is torn"))
    assert await gone_back(story, snapshot) == "ROLLBACK_COMPLETE"
    assert story.world.addresses() == ["d", "new"]
    assert story.world.the("d").properties["size"] == 5
    assert "the copy is torn" in [one.reason for one in await story.engine.list_events(await story.find())]


async def test_engs_10_a_restore_survives_a_crash_and_restores_once(story: Story) -> None:
    await story.create(TEXT)
    story.world.the("d").held = "data"
    snapshot = await taken(story)
    story.world.slow("create", "late", 600)
    await story.update(sketch(d=thing(of=DISK)))
    story.world.slow("create", "a", 600)
    await story.run(story.engine.restore_snapshot(CALLER, "s", snapshot.id))
    await story.pass_time(60)
    assert story.world.verbs("restore") == ["d"]
    await story.kill()
    await story.open()
    assert (await story.end()).state == "RESTORE_COMPLETE"
    assert story.world.verbs("restore") == ["d"]


async def test_engs_09_a_failed_snapshot_says_why_and_can_be_removed(story: Story) -> None:
    await story.create(TEXT)
    story.world.fail("save", "d", Permanent("no room for copies"))
    found = await taken(story)
    assert (await story.find()).state == "SNAPSHOT_FAILED"
    assert (found.status, found.data) == ("FAILED", None)
    assert "no room for copies" in found.reason
    with pytest.raises(NotSupported):
        await story.run(story.engine.restore_snapshot(CALLER, "s", found.id))
    await story.run(story.engine.delete_snapshot(CALLER, "s", found.id))
    assert await story.engine.list_snapshots(CALLER, "s") == []


async def test_engs_09_a_lost_answer_makes_no_second_copy(story: Story) -> None:
    await story.create(TEXT)
    story.world.fail("save", "d", OutcomeUnknown("no answer"), after=True)
    assert (await taken(story)).status == "COMPLETE"
    assert len(story.world.copies) == 1


async def test_api_32_a_removed_snapshot_takes_its_copies_along(story: Story) -> None:
    await story.create(TEXT)
    snapshot = await taken(story)
    story.world.slow("save", "d", 60)
    other = await story.run(story.engine.take_snapshot(CALLER, "s"))
    with pytest.raises(NotSupported):
        await story.run(story.engine.delete_snapshot(CALLER, "s", other.id))
    with pytest.raises(Busy):
        await story.run(story.engine.delete_snapshot(CALLER, "s", snapshot.id))
    await story.end()
    await story.run(story.engine.delete_snapshot(CALLER, "s", snapshot.id))
    assert len(story.world.copies) == 1
    with pytest.raises(SnapshotNotFound):
        await story.engine.find_snapshot(CALLER, "s", snapshot.id)


async def test_engc_15_deleting_the_stack_removes_its_copies_even_unfinished_ones(story: Story) -> None:
    await story.create(TEXT)
    await taken(story)
    story.world.slow("ready", "nothing", 1)
    story.world.fail("discard", "d", Permanent("not now"))
    assert (await story.delete()).state == "DELETE_FAILED"
    assert (await story.delete()).state == "DELETE_COMPLETE"
    assert story.world.copies == {}
    assert story.world.objects == {}


async def test_engc_15_a_snapshot_under_way_when_the_stack_is_deleted_leaves_nothing(story: Story) -> None:
    await story.create(TEXT)
    gate = story.world.hold("save", "d")
    await story.run(story.engine.take_snapshot(CALLER, "s"))
    await story.quiet()
    await story.engine.delete_stack(CALLER, "s")
    await story.quiet()
    gate.set()
    assert (await story.end()).state == "DELETE_COMPLETE"
    assert story.world.copies == {}


async def test_engn_05_snapshots_are_counted(tmp_path: Path, blank_database: Path) -> None:
    copy(blank_database, tmp_path)
    story = Story(tmp_path, settings=replace(SETTINGS, max_snapshots_per_stack=1))
    await story.open()
    await story.create(TEXT)
    await taken(story)
    with pytest.raises(LimitExceeded, match="maximum snapshots per stack, 1"):
        await story.run(story.engine.take_snapshot(CALLER, "s"))
    await story.close()


async def test_engs_09_only_a_stack_that_rests_is_taken(story: Story) -> None:
    story.world.slow("ready", "d", 60)
    await story.begin(TEXT)
    with pytest.raises(Busy):
        await story.run(story.engine.take_snapshot(CALLER, "s"))
    await story.end()
    await story.run(story.engine.suspend_stack(CALLER, "s"))
    await story.end()
    with pytest.raises(InvalidState, match="Resume it first"):
        await story.run(story.engine.take_snapshot(CALLER, "s"))


async def test_a_snapshot_reaches_into_nested_stacks(story: Story) -> None:
    inner = sketch(d=thing(of=DISK))
    text = sketch(n=thing(of="OS::Heat::Stack", template=inner))
    await story.create(text, on_failure=OnFailure.ROLLBACK)
    story.world.the("d").held = "data"
    snapshot = await taken(story)
    await story.update(sketch(n=thing(of="OS::Heat::Stack", template=sketch(d=thing(of=DISK, size=3)))))
    story.world.the("d").held = "lost"
    assert await gone_back(story, snapshot) == "RESTORE_COMPLETE"
    assert (story.world.the("d").held, story.world.the("d").properties["size"]) == ("data", 1)
    await story.update(sketch(other=thing()))
    assert await gone_back(story, snapshot) == "RESTORE_COMPLETE"
    assert story.world.the("d").held == "data", "the child was made anew"
    assert (await story.delete()).state == "DELETE_COMPLETE"
    assert story.world.copies == {}
