"""How much there may be of everything (heat.md ENGN-03, ENGN-04, ENGN-06, ENGU-20; cloudformation.md Q11, Q13, Q24)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cloud.errors import Permanent
from engine.model.errors import LimitExceeded
from engine.model.source import Source
from engine.model.stack import Caller, Options
from engine.model.status import OnFailure
from engine.runs.context import EngineSettings
from tests.engine.runs.sketch import sketch, thing
from tests.engine.runs.story import CALLER, SETTINGS, Story, copy


@pytest.fixture
def limited(tmp_path: Path, blank_database: Path) -> Callable[..., Story]:
    def make(**limits: Any) -> Story:
        copy(blank_database, tmp_path)
        values = {name: getattr(SETTINGS, name) for name in EngineSettings.__dataclass_fields__}
        return Story(tmp_path, settings=EngineSettings(**{**values, **limits}))

    return make


async def test_engn_03_a_template_with_too_many_resources_is_refused(limited: Callable[..., Story]) -> None:
    story = limited(max_resources_per_stack=2)
    await story.open()
    with pytest.raises(LimitExceeded, match="max_resources_per_stack"):
        await story.create(sketch(a=thing(), b=thing(), c=thing()))
    await story.create(sketch(a=thing(), b=thing()))
    await story.close()


async def test_engn_03_resources_are_counted_over_the_whole_tree(limited: Callable[..., Story]) -> None:
    story = limited(max_resources_per_stack=4)
    await story.open()

    def text(*names: str) -> str:
        inner = sketch(**{name: thing() for name in names})
        return sketch(n=thing(of="OS::Heat::Stack", template=inner), a=thing())

    assert (await story.create(text("b", "c"))).state == "CREATE_COMPLETE"
    stack = await story.update(text("b", "c", "d"), on_failure=OnFailure.DO_NOTHING)
    assert stack.state == "UPDATE_FAILED"
    assert "Maximum resources per stack exceeded (4" in stack.status_reason
    assert (await story.update(text("b", "e"))).state == "UPDATE_COMPLETE"
    await story.close()


async def test_engn_06_old_events_go_those_of_the_last_operation_stay(limited: Callable[..., Story]) -> None:
    story = limited(max_events_per_stack=6)
    await story.open()
    await story.create(sketch(a=thing(), b=thing(), c=thing()))
    assert len(await story.events()) > 6, "all of one operation"
    await story.update(sketch(a=thing(size=2), b=thing(), c=thing()))
    assert await story.events() == [
        "c CREATE_COMPLETE", "- CREATE_COMPLETE", "- UPDATE_IN_PROGRESS", "a UPDATE_IN_PROGRESS", "a UPDATE_COMPLETE",
        "- UPDATE_COMPLETE",
    ]  # fmt: skip
    await story.close()


async def test_engn_04_a_project_has_so_many_stacks_and_no_more(limited: Callable[..., Story]) -> None:
    story = limited(max_stacks_per_tenant=2)
    await story.open()
    inner = sketch(b=thing())
    await story.create(sketch(n=thing(of="OS::Heat::Stack", template=inner)), "one")  # nested ones are not counted
    await story.create(sketch(a=thing()), "two")
    with pytest.raises(LimitExceeded, match="maximum stacks per tenant, 2"):
        await story.create(sketch(a=thing()), "three")
    other = Caller("user", "elsewhere", user_name="mira")
    await story.engine.create_stack(other, "theirs", Source(sketch(a=thing())), Options())
    administrator = Caller("root", "project", user_name="root", is_admin=True)
    await story.engine.create_stack(administrator, "exempt", Source(sketch(a=thing())), Options())
    await story.delete("two")
    with pytest.raises(LimitExceeded):
        await story.create(sketch(a=thing()), "four")
    await story.engine.delete_stack(CALLER, "exempt")
    await story.quiet()
    await story.pass_time(10)
    await story.create(sketch(a=thing()), "five")
    await story.close()


async def test_engu_20_a_long_reason_is_cut_and_stops_nothing(story: Story) -> None:
    story.world.fail("create", "a", Permanent("no " * 1_000_000), times=99)
    stack = await story.create(sketch(a=thing()), on_failure=OnFailure.DO_NOTHING)
    assert stack.state == "CREATE_FAILED"
    assert 1000 < len(stack.status_reason) <= 65_535
    assert stack.status_reason.endswith("…")
    assert (await story.delete()).state == "DELETE_COMPLETE"
