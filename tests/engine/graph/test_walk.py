"""Walking: as wide as the edges allow, stopping as asked."""

from __future__ import annotations

import asyncio

from engine.graph.walk import Walk


class Recorder:
    """Visits that end when told to."""

    def __init__(self, *failing: str) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self._failing = failing
        self.gates: dict[str, asyncio.Event] = {}

    def hold(self, key: str) -> asyncio.Event:
        return self.gates.setdefault(key, asyncio.Event())

    async def visit(self, key: str) -> None:
        self.begun.append(key)
        if key in self.gates:
            await self.gates[key].wait()
        if key in self._failing:
            raise ValueError(key)
        self.ended.append(key)


async def test_independent_keys_run_together_and_dependants_wait() -> None:
    recorder = Recorder()
    a, b = recorder.hold("a"), recorder.hold("b")
    running = asyncio.ensure_future(Walk({"a": (), "b": (), "c": ("a", "b")}, recorder.visit).run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert recorder.begun == ["a", "b"]

    a.set()
    b.set()
    outcome = await running

    assert outcome.ok
    assert recorder.ended[-1] == "c"


async def test_a_failure_skips_what_depends_on_it_and_everything_not_begun() -> None:
    recorder = Recorder("a")

    outcome = await Walk({"a": (), "b": ("a",), "c": ("b",)}, recorder.visit).run()

    assert list(outcome.failed) == ["a"]
    assert outcome.skipped == {"b", "c"}
    assert recorder.begun == ["a"]


async def test_without_stop_on_failure_the_others_go_on() -> None:
    recorder = Recorder("a")

    outcome = await Walk({"a": (), "b": ("a",), "c": (), "d": ("c",)}, recorder.visit, stop_on_failure=False).run()

    assert recorder.ended == ["c", "d"]
    assert outcome.skipped == {"b"}


async def test_running_visits_are_cancelled_when_asked_to() -> None:
    recorder = Recorder("a")
    recorder.hold("slow")

    outcome = await Walk({"slow": (), "a": ()}, recorder.visit, cancel_running=True).run()

    assert outcome.cancelled == {"slow"}


async def test_running_visits_end_on_their_own_otherwise() -> None:
    recorder = Recorder("a")
    gate = recorder.hold("slow")
    running = asyncio.ensure_future(Walk({"slow": (), "a": ()}, recorder.visit).run())
    await asyncio.sleep(0)
    gate.set()

    outcome = await running

    assert recorder.ended == ["slow"]
    assert not outcome.cancelled


async def test_stop_ends_a_walk_that_waits() -> None:
    recorder = Recorder()
    recorder.hold("slow")
    walk = Walk({"slow": (), "next": ("slow",)}, recorder.visit)
    running = asyncio.ensure_future(walk.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    walk.stop()
    outcome = await running

    assert outcome.cancelled == {"slow"}
    assert outcome.skipped == {"next"}


async def test_ten_thousand_keys_walk_in_linear_time() -> None:
    graph = {key: ((key - 1) // 2,) if key else () for key in range(10_000)}
    seen: list[int] = []

    async def visit(key: int) -> None:
        seen.append(key)

    outcome = await Walk(graph, visit).run()

    assert outcome.ok
    assert len(seen) == 10_000
