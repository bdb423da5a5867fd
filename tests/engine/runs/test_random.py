"""Any template, changed to any other, with a death at any moment: the world ends as the last template says."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.cloud.errors import OutcomeUnknown, Temporary
from engine.model.status import Status
from tests.engine.runs.sketch import ref, sketch, thing
from tests.engine.runs.story import Story, copy

NAMES = "abcdef"


@st.composite
def templates(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Resources that need only earlier ones, so that there is no cycle; address → body."""
    found: dict[str, dict[str, Any]] = {}
    for name in draw(st.permutations(NAMES))[: draw(st.integers(1, len(NAMES)))]:
        properties: dict[str, Any] = {
            "size": draw(st.integers(1, 2)), "shape": draw(st.sampled_from(["round", "square"])),
        }  # fmt: skip
        if found and draw(st.booleans()):
            where = "near" if draw(st.booleans()) else "beside"
            properties[where] = ref(draw(st.sampled_from(sorted(found))))
        found[name] = thing(of=draw(st.sampled_from(["Test::Thing", "Test::Other"])), **properties)
    return found


# By the cloud's contract a Temporary create has made nothing; only an unknown outcome may have.
TROUBLES = st.lists(
    st.tuples(
        st.sampled_from(["create", "ready", "update", "delete"]), st.sampled_from(NAMES),
        st.sampled_from([Temporary, OutcomeUnknown]), st.booleans(),
    ).filter(lambda trouble: not (trouble[0] == "create" and trouble[2] is Temporary and trouble[3])),
    max_size=3,
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=templates(), second=templates(), deaths=st.lists(st.integers(0, 25), max_size=3), troubles=TROUBLES)
def test_the_world_ends_as_the_last_template_says(
    blank_database: Path, first: dict[str, Any], second: dict[str, Any], deaths: list[int], troubles: list[Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_tell(blank_database, Path(folder), first, second, deaths, troubles))


async def _tell(
    blank: Path, folder: Path, first: dict[str, Any], second: dict[str, Any], deaths: list[int], troubles: list[Any]
) -> None:
    copy(blank, folder)
    story = Story(folder)
    await story.open()
    for verb, address, error, after in troubles:
        story.world.fail(verb, address, error("not now"), after=after)
    await story.begin(sketch(**first))
    await _through(story, deaths)
    assert (await story.end()).state == "CREATE_COMPLETE"
    _is(story, first)
    await story.change(sketch(**second))
    await _through(story, deaths)
    assert (await story.end()).state == "UPDATE_COMPLETE"
    _is(story, second)
    await story.close()


async def _through(story: Story, deaths: list[int]) -> None:
    """Let the engine die after so many commits, again and again, until the operation is over."""
    for commits in deaths:
        story.traffic.on_cut = story.world.die
        story.traffic.last_commit = story.traffic.commits + commits
        while not story.dead:
            await story.quiet()
            if story.dead:
                break
            if (await story.find()).status is not Status.IN_PROGRESS:
                story.traffic.last_commit = None
                return
            assert story.clock.jump()
        await story.kill()
        await story.open()


def _is(story: Story, wanted: dict[str, Any]) -> None:
    assert story.world.addresses() == sorted(wanted)
    for address, body in wanted.items():
        made = story.world.the(address)
        assert made.type == body["type"]
        for name, value in body["properties"].items():
            meant = story.world.the(value["ref"]).id if isinstance(value, dict) else value
            assert made.properties[name] == meant
