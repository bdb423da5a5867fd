"""How long is waited for signals and answers counts from its beginning, whichever engine waits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.runs.sketch import ref, sketch, thing
from tests.engine.runs.story import Story

HANDLE = {"handle": thing(of="OS::Heat::WaitConditionHandle")}
SIGNALS = {"type": "Isotherm::Signals", "properties": {"of": "handle", "timeout": "PT1000S"}}
WAITS = {
    "condition": {**HANDLE, "it": thing(of="OS::Heat::WaitCondition", handle=ref("handle"), timeout=1000)},
    "creation policy": {
        **HANDLE,
        "it": {"type": "Isotherm::Signals", "properties": {"of": "handle", "timeout": "PT1000S"}},
    },
}


async def _killed(story: Story) -> None:
    await story.kill()
    await story.open()


@pytest.mark.parametrize("resources", WAITS.values(), ids=WAITS)
async def test_an_engine_that_takes_over_waits_for_what_is_left(story: Story, resources: dict[str, Any]) -> None:
    await story.begin(sketch(**resources))
    await story.pass_time(700)
    await _killed(story)
    began = story.clock.monotonic()
    stack = await story.end()
    assert stack.state == "ROLLBACK_COMPLETE"
    assert story.clock.monotonic() - began < 400
