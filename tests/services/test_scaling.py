"""Groups that are scaled by signals, between processes: no signal is lost, none counts twice (heat.md ENGA-14)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.services.estate import GRACE, LEASE, Estate, estate_fixture
from tests.services.test_many_engines import ends, until

pytestmark = pytest.mark.services

_SLOW = {"type": "OS::Heat::TestResource", "properties": {"action_wait_secs": {"create": 2, "update": 2}}}


def fleet(*, cooldown: int = 0, word: str = "a") -> dict[str, Any]:
    def reference(name: str) -> dict[str, str]:
        return {"get_resource": name}

    def policy() -> dict[str, Any]:
        properties = {
            "auto_scaling_group_id": reference("group"), "adjustment_type": "change_in_capacity",
            "scaling_adjustment": 1, "cooldown": cooldown,
        }  # fmt: skip
        return {"type": "OS::Heat::ScalingPolicy", "properties": properties}

    group = {
        "type": "OS::Heat::AutoScalingGroup", "properties": {"min_size": 1, "max_size": 50, "resource": _SLOW}
    }  # fmt: skip
    beside = {
        "type": "OS::Heat::TestResource",
        "properties": {"value": word, "action_wait_secs": {"update": 2}},
    }
    return {
        "heat_template_version": "2018-08-31",
        "resources": {"group": group, "up": policy(), "beside": beside},
        "outputs": {"size": {"value": {"get_attr": ["group", "current_size"]}}},
    }


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    yield from estate_fixture(tmp_path)


def size(heat: Any, name: str = "s") -> int:
    (output,) = heat.get_stack(name).outputs
    return int(output["output_value"])


def scale(heat: Any, name: str = "s") -> None:
    stack = heat.get_stack(name)
    answer = heat.post(f"/stacks/{name}/{stack.id}/resources/up/signal", json={})
    assert answer.status_code < 300, answer.text


def test_enga_14_many_signals_at_once_through_several_processes_are_one(estate: Estate) -> None:
    front = [estate.heat(estate.api()) for _ in range(2)]
    for _ in range(2):
        estate.engine()
    front[0].create_stack(name="s", template=fleet(cooldown=600))
    ends(front[0], "s")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: scale(front[number % 2]), range(16)))
    until(lambda: size(front[0]) == 2)
    until(lambda: not estate.rows("SELECT seq FROM signals"))
    assert not estate.rows("SELECT id FROM stacks WHERE run_json IS NOT NULL")
    assert size(front[1]) == 2


def test_enga_14_a_signal_outlives_the_engine_that_obeys_it(estate: Estate) -> None:
    heat = estate.heat(estate.api())
    first = estate.engine()
    heat.create_stack(name="s", template=fleet())
    ends(heat, "s")
    scale(heat)
    until(lambda: estate.rows("SELECT id FROM stacks WHERE parent_id IS NOT NULL AND status = 'IN_PROGRESS'"))
    first.signal(signal.SIGKILL)
    estate.engine()
    until(lambda: size(heat) == 2, LEASE + GRACE + 30)
    assert heat.get_stack("s").status == "CREATE_COMPLETE"


def test_enga_14_signals_between_updates_are_all_obeyed(estate: Estate) -> None:
    """Each comes when the stack runs, or has just come to rest: whoever ends last sees it."""
    heat = estate.heat(estate.api())
    for _ in range(2):
        estate.engine()
    heat.create_stack(name="s", template=fleet())
    ends(heat, "s")
    for number in range(4):
        heat.update_stack("s", template=fleet(word=str(number)))
        scale(heat)
        ends(heat, "s", "UPDATE_COMPLETE")
        until(lambda wanted=number + 2: size(heat) == wanted)
