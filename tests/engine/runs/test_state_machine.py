"""Whatever is asked in whatever order, whatever the cloud answers, whenever the engine dies.

Two stacks are created, changed, cancelled, suspended, checked and deleted at random moments, on a cloud that refuses,
loses answers and is slow, by an engine that dies after any commit and around any call. Then, always:

- every run ends, in bounded (virtual) time;
- no token has two objects, and every object belongs to a row of a stack that stands, or is being found by its token;
- a stack that is complete has exactly the objects its template says, as the template says them;
- a stack that is deleted, or whose creation was rolled back, has none;
- once the cloud is well again, every stack can be deleted, and nothing is left.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from engine.cloud.errors import OutcomeUnknown, Permanent, Temporary
from engine.model.errors import Refused
from engine.model.stack import Stack
from engine.model.status import Action, OnFailure, Status
from tests.engine.runs.sketch import sketch
from tests.engine.runs.story import CALLER, Story, copy
from tests.engine.runs.test_random import NAMES, templates
from tests.engine.runs.world import Object

T = TypeVar("T")
COMMANDS = st.sampled_from(["suspend_stack", "resume_stack", "check_stack", "continue_update_rollback"])
STACKS = st.sampled_from(["s", "t"])
ON_FAILURE = st.sampled_from([OnFailure.ROLLBACK, OnFailure.DO_NOTHING])
DIALECTS = st.sampled_from(["cfn", "hot"])
VERBS = st.sampled_from(["create", "ready", "update", "delete", "suspend", "resume"])
TROUBLES = st.sampled_from(
    [(Temporary, False), (OutcomeUnknown, False), (OutcomeUnknown, True), (Permanent, False)]
)  # fmt: skip
_LONG_ENOUGH = 500_000.0  # virtual seconds, far beyond every deadline of the settings


class Lives(RuleBasedStateMachine):
    """`blank` is a database at the newest schema."""

    blank: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._folder = tempfile.TemporaryDirectory()
        self._ids: dict[str, str] = {}

    # --- the engine and its deaths ----------------------------------------------------------------------------------
    @initialize()
    def begins(self) -> None:
        copy(self.blank, Path(self._folder.name))
        self.story = Story(Path(self._folder.name))
        self._run(self.story.open())

    def _run(self, told: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(told)

    async def _revived(self) -> bool:
        """Whether the engine was dead: another one has begun in its place then."""
        if not self.story.dead:
            return False
        await self.story.kill()
        await self.story.open()
        return True

    async def _asked(self, question: Coroutine[Any, Any, object]) -> None:
        """Ask the engine; it may die before it answers, and it may refuse."""
        task = asyncio.ensure_future(question)
        while not task.done():
            await self.story.quiet()
            if self.story.dead:
                task.cancel()
                await asyncio.wait({task})
            elif not task.done():
                assert self.story.clock.jump(), "the engine neither answers nor waits"
        if not await self._revived():
            with suppress(Refused, asyncio.CancelledError):
                task.result()
        await self._look()

    async def _look(self) -> None:
        """Learn the ids of stacks, whatever became of the answers."""
        for name in ("s", "t"):
            with suppress(Refused):
                self._ids[name] = (await self.story.engine.find_stack(CALLER, name)).id

    # --- what users do ----------------------------------------------------------------------------------------------
    @rule(name=STACKS, template=templates(), on_failure=ON_FAILURE, dialect=DIALECTS)
    def create(self, name: str, template: dict[str, Any], on_failure: OnFailure, dialect: str) -> None:
        text = sketch(dialect=dialect, **template)
        self._run(self._asked(self.story.begin(text, name, on_failure)))

    @rule(name=STACKS, template=templates(), on_failure=ON_FAILURE)
    def update(self, name: str, template: dict[str, Any], on_failure: OnFailure) -> None:
        self._run(self._asked(self.story.change(sketch(**template), name, on_failure=on_failure)))

    @rule(name=STACKS, rollback=st.booleans())
    def cancel(self, name: str, rollback: bool) -> None:
        self._run(self._asked(self.story.engine.cancel_update(CALLER, name, rollback=rollback)))

    @rule(
        name=STACKS, ask=st.sampled_from(["suspend_stack", "resume_stack", "check_stack", "continue_update_rollback"])
    )
    def each(self, name: str, ask: str) -> None:
        self._run(self._asked(getattr(self.story.engine, ask)(CALLER, name)))

    @rule(name=STACKS)
    def delete(self, name: str) -> None:
        self._run(self._asked(self.story.engine.delete_stack(CALLER, name)))

    # --- what happens to them ---------------------------------------------------------------------------------------
    @rule(verb=VERBS, address=st.sampled_from(NAMES), trouble=TROUBLES, times=st.integers(1, 3))
    def cloud_fails(self, verb: str, address: str, trouble: tuple[type[Exception], bool], times: int) -> None:
        error, after = trouble
        self.story.world.fail(verb, address, error("not now"), after=after, times=times)

    @rule(verb=VERBS, address=st.sampled_from(NAMES), seconds=st.sampled_from([1, 40, 2000, 5000]))
    def cloud_is_slow(self, verb: str, address: str, seconds: int) -> None:
        self.story.world.slow(verb, address, seconds)

    @rule(jumps=st.integers(0, 5))
    def time_passes(self, jumps: int) -> None:
        async def passes() -> None:
            for _ in range(jumps):
                await self.story.quiet()
                await self._revived()
                self.story.clock.jump()
            await self.story.quiet()

        self._run(passes())

    @rule(commits=st.integers(0, 12))
    def engine_will_die_after_a_commit(self, commits: int) -> None:
        self.story.traffic.on_cut = self.story.world.die
        self.story.traffic.last_commit = self.story.traffic.commits + commits
        self._run(self._revived())

    @rule(calls=st.integers(1, 6), when=st.sampled_from(["before", "after"]))
    def engine_will_die_at_a_call(self, calls: int, when: str) -> None:
        self.story.world.dies_at = (len(self.story.world.calls) + calls, when)

    @rule()
    def engine_dies_now(self) -> None:
        async def dies() -> None:
            await self.story.kill()
            await self.story.open()

        self._run(dies())

    @rule()
    def engine_is_restarted(self) -> None:
        async def restarts() -> None:
            if await self._revived():
                return
            stopping = asyncio.ensure_future(self.story.engine.stop())
            while not stopping.done():
                await self.story.quiet()
                if self.story.dead:
                    stopping.cancel()
                    await asyncio.wait({stopping})
                elif not stopping.done():
                    self.story.clock.jump()
            if self.story.dead:
                await self.story.kill()
            await self.story.open()

        self._run(restarts())

    # --- what must hold ---------------------------------------------------------------------------------------------
    @rule()
    def all_rest(self) -> None:
        self._run(self._rest())
        self._run(self._holds())

    async def _rest(self) -> None:
        """Let time pass until nothing runs."""
        until = self.story.clock.monotonic() + _LONG_ENOUGH
        while True:
            await self.story.quiet()
            if await self._revived():
                continue
            stacks = await self._stacks()
            await self.story.quiet()
            if all(stack.status is not Status.IN_PROGRESS for stack in stacks):
                return
            assert self.story.clock.monotonic() < until, f"{[s.state for s in stacks]}: stuck"
            assert self.story.clock.jump(), f"{[s.state for s in stacks]} and nobody sleeps"

    async def _stacks(self) -> list[Stack]:
        await self._look()
        return [
            await self.story.engine.find_stack(CALLER, stack_id, deleted_by_id=True) for stack_id in self._ids.values()
        ]

    async def _holds(self) -> None:
        objects = list(self.story.world.objects.values())
        assert len({one.token for one in objects}) == len(objects), "made twice"
        for stack in await self._stacks():
            mine = [one for one in objects if one.stack == stack.id]
            await self._accounted_for(stack, mine)
            gone = stack.action is Action.DELETE or stack.reverting is Action.CREATE
            if gone and stack.status is Status.COMPLETE:
                assert mine == [], f"{stack.state} leaves {mine}"
            elif stack.status is Status.COMPLETE and stack.action in (Action.CREATE, Action.UPDATE):
                await self._as_the_template_says(stack)

    async def _accounted_for(self, stack: Stack, objects: list[Object]) -> None:
        rows = [row for row in await self.story.engine._context.store.resources(stack.id) if row.exists]
        known = {row.physical_id for row in rows} | {row.token for row in rows if row.physical_id is None}
        lost = [one for one in objects if one.id not in known and one.token not in known]
        assert not lost, f"{stack.state} has forgotten {lost}"

    async def _as_the_template_says(self, stack: Stack) -> None:
        wanted = json.loads((await self.story.engine.source_of(stack)).text)["resources"]
        rows = [row for row in await self.story.engine._context.store.resources(stack.id) if row.exists]
        standing = {row.address: row for row in rows if not row.condemned}
        assert sorted(standing) == sorted(wanted), stack.state
        for address, body in wanted.items():
            made = self.story.world.objects[standing[address].physical_id or ""]
            assert made.type == body["type"]
            for name, value in body["properties"].items():
                meant = standing[value["ref"]].physical_id if isinstance(value, dict) else value
                assert made.properties[name] == meant, f"{stack.state}: {address}.{name}"

    def teardown(self) -> None:
        try:
            self._run(self._ends())
        finally:
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.close()
            self._folder.cleanup()

    async def _ends(self) -> None:
        await self._rest()
        await self._holds()
        self.story.world.well_again()
        self.story.traffic.last_commit = None
        for stack in await self._stacks():
            if stack.action is not Action.DELETE or stack.status is not Status.COMPLETE:
                await self.story.engine.delete_stack(CALLER, stack.id)
        await self._rest()
        assert {stack.state for stack in await self._stacks()} <= {"DELETE_COMPLETE"}
        assert self.story.world.objects == {}
        await self.story.close()


@pytest.fixture(scope="module", autouse=True)
def _blank(blank_database: Path) -> None:
    Lives.blank = blank_database


class TestLives(Lives.TestCase):  # type: ignore[misc, valid-type]
    """A few lives by default; `make test-lives LIVES=1000` looks longer."""

    settings = settings(
        max_examples=int(os.environ.get("LIVES", "15")),
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
