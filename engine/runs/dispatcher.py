"""Who runs what: claims stacks that have work, keeps the leases, finds what was left lying."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from engine.cloud.permit import permit
from engine.model.ids import new_id
from engine.runs.context import RunContext
from engine.runs.lease import LeaseLost, Leases
from engine.runs.ledger import Unwritten
from engine.runs.presence import Presence
from engine.runs.runner import Runner
from engine.state.commit import Fenced
from engine.state.silent import end_silent
from engine.state.store import Claim

log = structlog.get_logger(__name__)

_AWAY = (SQLAlchemyError, OSError)  # what a database that cannot be asked raises; OSError includes TimeoutError
_AFTER_EXPIRY = 0.02  # seconds; by then a lease that has run out is seen to have run out


class Dispatcher:
    """One per engine process. `ring` may be called from anywhere in the event loop; a lost ring costs a sweep."""

    def __init__(self, *, exclusive: bool) -> None:
        """`exclusive`: this process is known to be the only engine, so leases of earlier ones are dead."""
        self.engine_id = new_id()
        self._exclusive = exclusive
        self._context: RunContext
        self._leases: Leases
        self._presence: Presence
        self._runners: dict[str, Runner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._deciding: dict[str, asyncio.Future[bool]] = {}  # claims under way; False: there was no room
        self._roots: set[str] = set()  # runs that count for max_concurrent_runs
        self._left_work = False  # something was not taken because there were too many
        self._loops: list[asyncio.Task[None]] = []
        self._pokes: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def start(self, context: RunContext) -> None:
        self._context, settings = context, context.settings
        self._leases = Leases(context.clock, settings.lease)
        self._presence = Presence(context, self.engine_id)
        if self._exclusive:
            await context.store.release_all()
        await self._presence.begin(alone=self._exclusive)
        first = await self._sweep()
        self._loops = [
            asyncio.create_task(self._every(settings.lease / 3, self._renew), name="lease-renewal"),
            asyncio.create_task(self._every(settings.report_interval, self._presence.report), name="service-report"),
            asyncio.create_task(self._every(settings.sweep_interval, self._end_silent), name="silent-sessions"),
            asyncio.create_task(self._look_around(first), name="sweeper"),
        ]

    # --- stopping -------------------------------------------------------------------------------------------------
    async def stop(self) -> None:
        """Leave every run where it is; whoever comes next carries on.

        Calls under way have a moment to end, so that what they made need not be searched for.
        """
        self._stopping = True
        for runner in self._runners.values():
            runner.leave()
        running = {stack_id: task for stack_id, task in self._tasks.items() if stack_id in self._runners}
        tasks = {*self._loops, *self._tasks.values(), *self._pokes}
        for task in tasks:
            task.cancel()
        grace = asyncio.ensure_future(self._context.clock.sleep(self._context.settings.stop_grace))
        left = set(tasks)
        while left and not grace.done():
            await asyncio.wait({grace, *left}, return_when=asyncio.FIRST_COMPLETED)
            left = {task for task in left if not task.done()}
        grace.cancel()
        for task in left:
            task.cancel()
        await asyncio.gather(grace, *tasks, return_exceptions=True)
        await self._give_back([stack_id for stack_id, task in running.items() if task not in left])

    async def _give_back(self, resting: list[str]) -> None:
        """Others may take up at once what rests. What was cut off may have calls under way and keeps its lease, and so
        does what had just been claimed: it may be another's that has to be waited for."""
        try:
            await self._context.store.release(self.engine_id, resting)
            await self._presence.end()
        except _AWAY as error:
            log.warning("the database is away while the engine stops; its leases run out by themselves",
                        error=_brief(error))  # fmt: skip
            return
        for stack_id in resting:
            self._context.ring(stack_id)

    # --- being told -----------------------------------------------------------------------------------------------
    def ring(self, stack_id: str) -> bool:
        """There is, or may be, something to run or to stop for this stack. False: this engine takes nothing more."""
        if self._stopping:
            return False
        runner = self._runners.get(stack_id)
        if runner is not None:
            self._aside(runner.poke())
            self._again.add(stack_id)
        elif stack_id not in self._tasks:
            self._deciding[stack_id] = asyncio.get_running_loop().create_future()
            task = asyncio.create_task(self._take(stack_id), name=f"run-{stack_id}")
            self._tasks[stack_id] = task
            task.add_done_callback(lambda _: self._ended(stack_id))
        else:
            self._again.add(stack_id)
        return True

    def poke(self, stack_id: str) -> None:
        """Look, if this engine runs the stack."""
        if stack_id in self._tasks:
            self.ring(stack_id)

    async def offer(self, stack_id: str) -> bool:
        """Take the stack's run if it is free and there is room; return when that is decided, False when there was no
        room for it here."""
        if not self.ring(stack_id):
            return False
        deciding = self._deciding.get(stack_id)
        return deciding is None or await asyncio.shield(deciding)

    # --- running --------------------------------------------------------------------------------------------------
    @property
    def _full(self) -> bool:
        """Asked by one whose own claim is under way."""
        return len(self._roots) + len(self._deciding) > self._context.settings.max_concurrent_runs

    async def _take(self, stack_id: str) -> None:
        self._again.discard(stack_id)
        context, full = self._context, self._full
        try:
            claimed = await context.store.claim(stack_id, self.engine_id, context.settings.lease, nested_only=full)
            if claimed is None:
                self._left_work = self._left_work or full
                self._decided(stack_id, taken=not full)
                return
            if claimed.row.parent_id is None:
                self._roots.add(stack_id)
            lease = self._leases.hold(stack_id)
            self._decided(stack_id, taken=True)
            row = await self._safe_to_go_on(claimed)
            if row is not None:
                self._runners[stack_id] = runner = Runner(context, lease, row)
                permit.set(lease.ensure)
                await runner.run()
        except (LeaseLost, Fenced):
            log.warning("the lease of a run was lost; another engine goes on", stack_id=stack_id)
        except asyncio.CancelledError:
            raise
        except (Unwritten, *_AWAY) as error:
            log.warning("a run stopped where it was, the database is away; it is taken up again", stack_id=stack_id,
                        error=_brief(error))  # fmt: skip
        except Exception:
            log.exception("a run stopped by a fault of the engine; it is taken up again", stack_id=stack_id)

    async def _safe_to_go_on(self, claimed: Claim) -> Any:
        """The stack's row once no call of a former owner can be under way, whatever became of him."""
        if not claimed.taken_over:
            return claimed.row
        stack_id, grace = claimed.row.id, self._context.settings.grace
        log.warning("the run of a dead engine is taken over", stack_id=stack_id, waits=grace)
        await self._context.clock.sleep(grace)
        return await self._context.store.row(stack_id)

    def _decided(self, stack_id: str, *, taken: bool) -> None:
        deciding = self._deciding.pop(stack_id, None)
        if deciding is not None and not deciding.done():
            deciding.set_result(taken)

    def _ended(self, stack_id: str) -> None:
        self._tasks.pop(stack_id, None)
        self._runners.pop(stack_id, None)
        self._leases.drop(stack_id)
        makes_room = stack_id in self._roots
        self._roots.discard(stack_id)
        self._decided(stack_id, taken=True)
        if self._stopping:
            return
        if makes_room and self._left_work:
            self._left_work = False
            self._aside(self._sweep_once())
        if stack_id in self._again:
            self._again.discard(stack_id)
            self.ring(stack_id)

    # --- from time to time ----------------------------------------------------------------------------------------
    def _aside(self, act: Coroutine[Any, Any, object]) -> None:
        task: asyncio.Task[Any] = asyncio.create_task(act)
        self._pokes.add(task)
        task.add_done_callback(self._pokes.discard)

    async def _every(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._context.clock.sleep(seconds)
            # What failed is tried again soon: leases do not wait for a database that was away.
            while not await self._done(act):
                await self._context.clock.sleep(min(seconds, 1))

    async def _done(self, act: Callable[[], Awaitable[None]]) -> bool:
        try:
            await act()
        except _AWAY as error:
            log.warning("the database is away", during=getattr(act, "__name__", ""), error=_brief(error))
            return False
        except Exception:
            log.exception("a periodic task failed", task=getattr(act, "__name__", ""))
            return False
        return True

    async def _renew(self) -> None:
        sent_at, held = self._context.clock.monotonic(), self._leases.held()
        kept = await self._context.store.renew(self.engine_id, self._context.settings.lease)
        self._leases.renewed(sent_at, held, kept)

    async def _end_silent(self) -> None:
        if ended := await end_silent(self._context.store.database):
            log.warning("a process went silent in the middle of a transaction; its session is ended", sessions=ended)

    async def _look_around(self, seconds: float) -> None:
        while True:
            await self._context.clock.sleep(seconds)
            seconds = await self._sweep_once()

    async def _sweep_once(self) -> float:
        try:
            return await self._sweep()
        except _AWAY as error:
            log.warning("looking for work failed, the database is away", error=_brief(error))
        except Exception:
            log.exception("looking for work failed; the next sweep looks again")
        return self._context.settings.sweep_interval

    async def _sweep(self) -> float:
        """Take what nobody runs; return how many seconds to wait before the next look."""
        store, settings = self._context.store, self._context.settings
        for stack_id, operation_id in (await store.work(self.engine_id, 2 * settings.max_concurrent_runs)).items():
            runner = self._runners.get(stack_id)
            overtaken = runner is not None and runner.operation_id != operation_id
            if stack_id not in self._tasks or overtaken:
                self.ring(stack_id)
        if self._exclusive:
            return settings.sweep_interval
        expiry = await store.next_expiry(self.engine_id)
        return settings.sweep_interval if expiry is None else min(settings.sweep_interval, expiry + _AFTER_EXPIRY)


def _brief(error: Exception) -> str:
    """Its first line: SQLAlchemy adds the statement."""
    return (str(error) or type(error).__name__).splitlines()[0]
