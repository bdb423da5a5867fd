"""The engine dies at every instant of a story; the next one brings the story to the same end.

The end: every run has ended, the world holds exactly one object for each resource, and the stack is what it would
have been. Deaths are: right after each commit, and at each call of the cloud, before and after it took effect.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.cloud.errors import Permanent
from engine.model.status import Status
from tests.engine.runs.sketch import attr, ref, sketch, thing
from tests.engine.runs.story import CALLER, Story, copy

ONE = sketch(a=thing(size=2), b=thing(near=ref("a")), c=thing(size=attr("a", "size")), d=thing(needs=("b", "c")))
TWO = sketch(a=thing(size=3), b=thing(near=ref("a"), shape="square"), c=thing(size=attr("a", "size")),
             e=thing(near=ref("b")))  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    """`before` comes to its end undisturbed, `asks` is what the engine dies in."""

    before: Callable[[Story], Awaitable[object]]
    asks: Callable[[Story], Awaitable[object]]
    states: frozenset[str]
    objects: list[str]
    sizes: dict[str, int]


async def _nothing(_story: Story) -> None: ...


async def _failing_create(story: Story) -> None:
    story.world.fail("create", "d", Permanent("d is not wanted"), times=99)
    await story.begin(ONE)


async def _failing_update(story: Story) -> None:
    story.world.fail("create", "e", Permanent("e is not wanted"), times=99)
    await story.change(TWO)


def _inside(size: int) -> str:
    deep = sketch(deep=thing(size=size), outputs={"o": attr("deep", "size")})
    return sketch(n=thing(of="OS::Heat::Stack", template=deep), after=thing(needs=("n",)))


def _grouped(size: int) -> str:
    members = {"it": thing(size=size), "foot": thing(near=ref("g/it"), shape=str(size))}
    return sketch(g={"members": members}, after=thing(near=ref("g/it"), needs=("g",)))


SCENARIOS = {
    "nested": Scenario(
        lambda s: s.create(_inside(1)), lambda s: s.change(_inside(2)), frozenset({"UPDATE_COMPLETE"}),
        ["after", "deep"], {"deep": 2},
    ),
    "nested-create": Scenario(
        _nothing, lambda s: s.begin(_inside(1)), frozenset({"CREATE_COMPLETE"}), ["after", "deep"], {"deep": 1},
    ),
    "nested-delete": Scenario(
        lambda s: s.create(_inside(1)), lambda s: s.engine.delete_stack(CALLER, "s"), frozenset({"DELETE_COMPLETE"}),
        [], {},
    ),
    "group": Scenario(
        lambda s: s.create(_grouped(1)), lambda s: s.change(_grouped(2)), frozenset({"UPDATE_COMPLETE"}),
        ["after", "g/foot", "g/it"], {"g/it": 2},
    ),
    "create": Scenario(
        _nothing, lambda s: s.begin(ONE), frozenset({"CREATE_COMPLETE"}), ["a", "b", "c", "d"], {"a": 2, "c": 2}
    ),
    "create-failed": Scenario(_nothing, _failing_create, frozenset({"ROLLBACK_COMPLETE"}), [], {}),
    "update": Scenario(
        lambda s: s.create(ONE), lambda s: s.change(TWO), frozenset({"UPDATE_COMPLETE"}), ["a", "b", "c", "e"],
        {"a": 3, "c": 3},
    ),
    "update-failed": Scenario(
        lambda s: s.create(ONE), _failing_update, frozenset({"ROLLBACK_COMPLETE"}), ["a", "b", "c", "d"],
        {"a": 2, "c": 2},
    ),
    "delete": Scenario(
        lambda s: s.create(ONE), lambda s: s.engine.delete_stack(CALLER, "s"), frozenset({"DELETE_COMPLETE"}), [], {}
    ),
}  # fmt: skip


async def _told(folder: Path, blank: Path, scenario: Scenario, arm: Callable[[Story], None]) -> Story | None:
    """The story with a death in it; None when the story was over before the death came."""
    copy(blank, folder)
    story = Story(folder)
    await story.open()
    await scenario.before(story)
    await scenario.asks(story)
    arm(story)
    while True:
        await story.quiet()
        if story.dead:
            await story.kill()
            await story.open()
            return story
        if (await story.find()).status is not Status.IN_PROGRESS:
            await story.close()
            return None
        assert story.clock.jump()


async def _check(story: Story, scenario: Scenario, moment: object) -> None:
    stack = await story.end()
    assert stack.state in scenario.states, (moment, stack.status_reason)
    assert story.world.addresses() == scenario.objects, moment
    for address, size in scenario.sizes.items():
        assert story.world.the(address).properties["size"] == size, moment
    for one in story.world.objects.values():
        near = one.properties.get("near")
        assert near is None or near in story.world.objects, moment
    await story.close()


@pytest.mark.parametrize("name", SCENARIOS)
async def test_death_after_each_commit(name: str, tmp_path: Path, blank_database: Path) -> None:
    scenario = SCENARIOS[name]
    for more in range(200):

        def arm(story: Story, more: int = more) -> None:
            story.traffic.last_commit = story.traffic.commits + more
            story.traffic.on_cut = story.world.die

        story = await _told(tmp_path / str(more), blank_database, scenario, arm)
        if story is None:
            assert more > 2
            return
        await _check(story, scenario, f"after {more} commits")
    raise AssertionError("the story never ends")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", SCENARIOS)
async def test_death_at_each_call_of_the_cloud(name: str, when: str, tmp_path: Path, blank_database: Path) -> None:
    scenario = SCENARIOS[name]
    for more in range(1, 200):

        def arm(story: Story, more: int = more) -> None:
            story.world.dies_at = (len(story.world.calls) + more, when)

        story = await _told(tmp_path / str(more), blank_database, scenario, arm)
        if story is None:
            assert more > 2
            return
        await _check(story, scenario, f"{when} call {more}")
    raise AssertionError("the story never ends")
