"""Updates that look at the live objects first (heat.md ENGU-07, API-22)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.cloud.errors import Permanent
from tests.engine.runs.sketch import ref, sketch, thing
from tests.engine.runs.story import SETTINGS, Story, copy
from tests.engine.runs.world import ThingType

PAIR = sketch(a=thing(), b=thing(near=ref("a")))


async def test_engu_07_what_somebody_changed_is_put_right(story: Story) -> None:
    await story.create(PAIR)
    old = story.world.the("a").id
    story.world.the("a").properties["size"] = 7
    assert (await story.update(PAIR)).state == "UPDATE_COMPLETE"
    assert story.world.the("a").properties["size"] == 7, "nobody looked"
    assert (await story.update(PAIR, converge=True)).state == "UPDATE_COMPLETE"
    assert (story.world.the("a").properties["size"], story.world.the("a").id) == (1, old)
    assert story.world.verbs("update") == ["a"]


async def test_engu_07_what_has_vanished_is_made_anew(story: Story) -> None:
    await story.create(PAIR)
    story.world.objects.pop(story.world.the("a").id)
    assert (await story.update(PAIR, converge=True)).state == "UPDATE_COMPLETE"
    assert story.world.the("b").properties["near"] == story.world.the("a").id


async def test_engu_07_what_can_only_be_made_so_is_replaced(story: Story) -> None:
    await story.create(PAIR)
    old = story.world.the("a").id
    story.world.the("a").properties["shape"] = "bent"
    await story.update(PAIR, converge=True)
    assert story.world.the("a").id != old
    assert story.world.the("a").properties["shape"] == "round"


async def test_engu_07_what_cannot_be_looked_at_is_left(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    await story.create(PAIR)

    async def broken(self: object, op: object) -> object:
        raise Permanent("no right to look")

    monkeypatch.setattr(ThingType, "drift", broken)
    assert (await story.update(PAIR, converge=True)).state == "UPDATE_COMPLETE"
    assert story.world.verbs("update") == []


async def test_engu_07_nested_stacks_are_looked_into(story: Story) -> None:
    text = sketch(n=thing(of="OS::Heat::Stack", template=sketch(m=thing(of="OS::Heat::Stack", template=PAIR))))
    await story.create(text)
    story.world.the("a").properties["size"] = 7
    assert (await story.update(text, converge=True)).state == "UPDATE_COMPLETE"
    assert story.world.the("a").properties["size"] == 1


async def test_cfg_35_every_update_looks_where_it_is_configured(tmp_path: Path, blank_database: Path) -> None:
    copy(blank_database, tmp_path)
    story = Story(tmp_path, settings=replace(SETTINGS, observe_on_update=True))
    await story.open()
    await story.create(PAIR)
    story.world.the("a").properties["size"] = 7
    await story.update(PAIR)
    assert story.world.the("a").properties["size"] == 1
    await story.close()


async def test_engu_07_going_back_after_a_vanished_object_makes_it_anew(story: Story) -> None:
    await story.create(sketch(a=thing(), b=thing(needs=("a",))))
    story.world.objects.pop(story.world.the("a").id)
    story.world.fail("update", "b", Permanent("no"))
    stack = await story.update(sketch(a=thing(), b=thing(needs=("a",), size=2)), converge=True)
    assert stack.state == "ROLLBACK_COMPLETE"
    assert story.world.addresses() == ["a", "b"]
