"""Deaths at every instant of what happens to a stack between its creation and its end: snapshots, restores, suspending,
imports, adoptions. Copies are held to the same rule as objects: none lost, none twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.cloud.errors import WentToError
from engine.model.source import Source
from engine.model.stack import Options
from tests.engine.runs.sketch import ref, sketch, thing
from tests.engine.runs.story import CALLER, Story
from tests.engine.runs.test_crash import Scenario, _check, _told

DISK = "Test::Disk"


def _tree(size: int) -> str:
    inner = sketch(deep=thing(of=DISK, size=size))
    return sketch(d=thing(of=DISK, size=size), n=thing(of="OS::Heat::Stack", template=inner), a=thing(near=ref("d")))


@dataclass(frozen=True)
class Told(Scenario):
    """`copies` is how many there are in the end; `held` what is in each disk."""

    copies: int = 0
    held: str | None = None


async def _filled(story: Story) -> None:
    await story.create(_tree(1))
    for one in story.world.objects.values():
        one.held = "data" if one.type == DISK else ""


async def _taken(story: Story) -> str:
    await _filled(story)
    made = await story.run(story.engine.take_snapshot(CALLER, "s"))
    await story.end()
    return made.id


async def _changed(story: Story) -> None:
    await _taken(story)
    await story.update(_tree(5))
    for one in story.world.objects.values():
        one.held = "lost"


async def _restore(story: Story) -> None:
    (snapshot,) = await story.engine.list_snapshots(CALLER, "s")
    await story.engine.restore_snapshot(CALLER, "s", snapshot.id)


async def _lost(story: Story) -> None:
    """Objects that no stack has; `s` stands beside them."""
    await story.create(_tree(1), "former")
    story.adopted = dict(await story.run(story.engine.abandon_stack(CALLER, "former")))["resources"]  # type: ignore[attr-defined]


async def _adopt(story: Story) -> None:
    resources: Any = story.adopted  # type: ignore[attr-defined]
    made = await story.engine.adopt_stack(CALLER, "s", Source(_tree(1)), Options(), resources)
    story._ids = {"s": made.id}


async def _lone(story: Story) -> None:
    await story.create(sketch(b=thing(), c=thing()), "former")
    await story.run(story.engine.abandon_stack(CALLER, "former"))
    await story.create(sketch(a=thing()))


async def _import(story: Story) -> None:
    text = sketch(a=thing(), b=thing(policy="Retain"), c=thing(policy="Retain"))
    imports = {name: story.world.the(name).id for name in ("b", "c")}
    found = await story.change_set(text, kind="IMPORT", imports=imports)
    await story.engine.execute_change_set(CALLER, found.id)


async def _burning(story: Story) -> None:
    story.world.fail("ready", "d", WentToError("the host caught fire"), times=2)
    await story.begin(_tree(1))


async def _nothing(_story: Story) -> None: ...


ALL = ["a", "d", "deep"]
SCENARIOS = {
    "made-again": Told(_nothing, _burning, frozenset({"CREATE_COMPLETE"}), ALL, {}),
    "snapshot": Told(
        _filled, lambda s: s.engine.take_snapshot(CALLER, "s"), frozenset({"SNAPSHOT_COMPLETE"}), ALL, {},
        copies=2,
    ),
    "restore": Told(_changed, _restore, frozenset({"RESTORE_COMPLETE"}), ALL, {"d": 1, "deep": 1}, 2, "data"),
    "delete": Told(_taken, lambda s: s.engine.delete_stack(CALLER, "s"), frozenset({"DELETE_COMPLETE"}), [], {}),
    "suspend": Told(_filled, lambda s: s.engine.suspend_stack(CALLER, "s"), frozenset({"SUSPEND_COMPLETE"}), ALL, {}),
    "check": Told(_filled, lambda s: s.engine.check_stack(CALLER, "s"), frozenset({"CHECK_COMPLETE"}), ALL, {}),
    "adopt": Told(_lost, _adopt, frozenset({"ADOPT_COMPLETE"}), ALL, {}),
    "import": Told(_lone, _import, frozenset({"IMPORT_COMPLETE"}), ["a", "b", "c"], {}),
}  # fmt: skip


async def _through(
    scenario: Told, folder: Path, blank: Path, arm: Callable[[Story, int], None], check: Callable[..., Awaitable[None]]
) -> None:
    for more in range(1, 300):
        story = await _told(folder / str(more), blank, scenario, lambda s, more=more: arm(s, more))  # type: ignore[misc]
        if story is None:
            assert more > 1
            return
        await check(story, scenario, more)
    raise AssertionError("the story never ends")


async def _whole(story: Story, scenario: Told, moment: object) -> None:
    await story.end()
    assert len(story.world.copies) == scenario.copies, moment
    for one in story.world.objects.values():
        if scenario.held is not None and one.type == DISK:
            assert one.held == scenario.held, moment
    await _check(story, scenario, moment)


def _after_commits(story: Story, more: int) -> None:
    story.traffic.last_commit = story.traffic.commits + more
    story.traffic.on_cut = story.world.die


@pytest.mark.parametrize("name", SCENARIOS)
async def test_death_after_each_commit(name: str, tmp_path: Path, blank_database: Path) -> None:
    await _through(SCENARIOS[name], tmp_path, blank_database, _after_commits, _whole)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["made-again", "snapshot", "restore", "delete", "suspend"])
async def test_death_at_each_call_of_the_cloud(name: str, when: str, tmp_path: Path, blank_database: Path) -> None:
    def arm(story: Story, more: int) -> None:
        story.world.dies_at = (len(story.world.calls) + more, when)

    await _through(SCENARIOS[name], tmp_path, blank_database, arm, _whole)
