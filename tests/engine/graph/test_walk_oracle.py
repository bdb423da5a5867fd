"""Random walks in virtual time, held against a naive simulation of what a walk is."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.graph.walk import Outcome, Walk

End = Literal["done", "failed", "cancelled"]
ELSEWHERE = 99  # a key that is required and not in the graph


@dataclass(frozen=True)
class Visit:
    """Takes `seconds`; when it is cancelled it takes `grace` more and then ends as `cut_off` says."""

    requires: tuple[int, ...] = ()
    seconds: float = 0.0
    end: End = "done"
    grace: float = 0.0
    cut_off: End = "cancelled"


@dataclass(frozen=True)
class Case:
    visits: Mapping[int, Visit]
    stop_on_failure: bool = True
    cancel_running: bool = False
    stop_at: float | None = None  # `stop` is called
    cancel_at: float | None = None  # the caller is cancelled


@dataclass
class Story:
    """What was seen: when each visit began, when and how it ended; None as outcome: the walk was cancelled."""

    begun: dict[int, float] = field(default_factory=dict)
    ended: dict[int, tuple[float, End]] = field(default_factory=dict)
    outcome: tuple[set[int], set[int], set[int]] | None = None
    returned: float = 0.0


# --- the oracle -------------------------------------------------------------------------------------------------------


class Simulation:
    """Looks at every key at every moment: slow, and short enough to be seen to be right."""

    def __init__(self, case: Case) -> None:
        self.case, self.story, self.now, self.stopped = case, Story(), 0.0, False
        self.running: dict[int, tuple[float, End]] = {}
        self.told: set[int] = set()

    def run(self) -> Story:
        interruptions = sorted(at for at in (self.case.stop_at, self.case.cancel_at) if at is not None)
        while True:
            self._begin()
            if not self.running:
                break
            self.now = min([end for end, _ in self.running.values()] + interruptions)
            if self.now in interruptions:
                interruptions.remove(self.now)
                self._stop()
            else:
                self._end()
        # An interruption at this very moment is what ended the last visit: nothing else happens then.
        cancelled = self.case.cancel_at is not None and self.case.cancel_at <= self.now
        self.story.returned = self.now
        self.story.outcome = None if cancelled else (self._who("failed"), self._who("cancelled"), self._skipped())
        return self.story

    def _begin(self) -> None:
        for key, visit in self.case.visits.items():
            ready = all(one in self._who("done") or one == ELSEWHERE for one in visit.requires)
            if ready and not self.stopped and key not in self.story.begun:
                self.story.begun[key] = self.now
                self.running[key] = (self.now + visit.seconds, visit.end)

    def _end(self) -> None:
        ending = {key: how for key, (at, how) in self.running.items() if at == self.now}
        for key, how in ending.items():
            del self.running[key]
            self.story.ended[key] = (self.now, how)
        if "failed" in ending.values() and self.case.stop_on_failure:
            self.stopped = True
            if self.case.cancel_running:
                self._stop()

    def _stop(self) -> None:
        self.stopped = True
        for key in set(self.running) - self.told:
            self.told.add(key)
            visit = self.case.visits[key]
            self.running[key] = (self.now + visit.grace, visit.cut_off)

    def _who(self, how: End) -> set[int]:
        return {key for key, (_, ended) in self.story.ended.items() if ended == how}

    def _skipped(self) -> set[int]:
        return set(self.case.visits) - set(self.story.begun)


# --- the walk itself --------------------------------------------------------------------------------------------------


class _Jump(selectors.DefaultSelector):
    """Where a loop would wait, its time jumps."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "the walk waits for nothing"
        self.now += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now


async def observed(case: Case) -> Story:
    loop, story, visits = asyncio.get_running_loop(), Story(), case.visits

    async def visit(key: int) -> None:
        assert key not in story.begun, "each key once"
        story.begun[key] = loop.time()
        how = await _spend(visits[key])
        story.ended[key] = (loop.time(), how)
        if how == "failed":
            raise ValueError(key)
        if how == "cancelled":
            raise asyncio.CancelledError

    walk = Walk(
        {key: list(one.requires) for key, one in visits.items()}, visit,
        stop_on_failure=case.stop_on_failure, cancel_running=case.cancel_running,
    )  # fmt: skip
    running = asyncio.ensure_future(walk.run())
    timers = [loop.call_at(at, act) for at, act in ((case.stop_at, walk.stop), (case.cancel_at, running.cancel)) if at]
    await asyncio.wait([running])
    for timer in timers:
        timer.cancel()
    story.returned = loop.time()
    story.outcome = None if running.cancelled() else _sets(running.result())
    return story


async def _spend(visit: Visit) -> End:
    try:
        if visit.seconds:
            await asyncio.sleep(visit.seconds)
    except asyncio.CancelledError:
        if visit.grace:
            await asyncio.sleep(visit.grace)
        return visit.cut_off
    return visit.end


def _sets(outcome: Outcome[int]) -> tuple[set[int], set[int], set[int]]:
    assert all(str(error) == str(key) for key, error in outcome.failed.items())
    return set(outcome.failed), outcome.cancelled, outcome.skipped


# --- cases ------------------------------------------------------------------------------------------------------------
# Each time has a binary digit of its own, so that two things happen at once only where one causes the other.


def _with_digit(whole: int, place: int) -> float:
    return whole + 2.0**-place if whole else 0.0


@st.composite
def _visits(draw: st.DrawFn) -> dict[int, Visit]:
    count = draw(st.integers(0, 9))
    keys = st.sampled_from([*range(count), ELSEWHERE]) if count else st.nothing()
    return {
        key: Visit(
            requires=tuple(draw(st.lists(keys, max_size=3))),
            seconds=_with_digit(draw(st.integers(0, 4)), key + 1),
            end=draw(st.sampled_from(["done", "done", "done", "failed", "cancelled"])),
            grace=_with_digit(draw(st.integers(0, 3)), key + 11),
            cut_off=draw(st.sampled_from(["cancelled", "cancelled", "done", "failed"])),
        )
        for key in draw(st.permutations(range(count)))
    }


def _interruption(place: int) -> st.SearchStrategy[float | None]:
    return st.none() | st.integers(1, 8).map(lambda whole: _with_digit(whole, place))


CASES = st.builds(
    Case, _visits(), stop_on_failure=st.booleans(), cancel_running=st.booleans(),
    stop_at=_interruption(21), cancel_at=_interruption(22),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(CASES)
@example(Case({0: Visit(end="failed"), 1: Visit(seconds=1.5, grace=1.25), 2: Visit((1,))}, cancel_running=True))
@example(Case({0: Visit((1,)), 1: Visit((0,)), 2: Visit((2,)), 3: Visit((ELSEWHERE, ELSEWHERE))}))
@example(Case({0: Visit(seconds=2.5, grace=3.25)}, stop_at=1.125, cancel_at=2.0625))
def test_a_walk_is_what_its_naive_simulation_is(case: Case) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        seen = runner.run(observed(case))
    assert seen == Simulation(case).run()


@settings(max_examples=200, deadline=None)
@given(_visits())
def test_engc_04_every_visit_begins_at_the_moment_its_last_requirement_is_done(visits: dict[int, Visit]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        seen = runner.run(observed(Case(visits, stop_on_failure=False)))
    for key, began in seen.begun.items():
        ends = [seen.ended[one] for one in visits[key].requires if one != ELSEWHERE]
        assert {how for _, how in ends} <= {"done"}
        assert began == max([at for at, _ in ends], default=0.0)
