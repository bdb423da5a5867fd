"""Who runs what: claims stacks that have work, keeps the leases, finds what was left lying."""

from __future__ import annotations

import asyncio
import socket
import uuid

import structlog
from sqlalchemy import delete

from engine.runs.context import RunContext
from engine.runs.lease import Lease, LeaseLost
from engine.runs.runner import Runner
from engine.state import tables as t
from engine.state.commit import Fenced

log = structlog.get_logger(__name__)


class Dispatcher:
    """One per engine process. `ring` may be called from anywhere in the event loop; a lost ring costs a sweep."""

    def __init__(self, *, exclusive: bool) -> None:
        """`exclusive`: this process is known to be the only engine, so leases of earlier ones are dead."""
        self.engine_id = str(uuid.uuid4())
        self._exclusive = exclusive
        self._context: RunContext
        self._lease: Lease
        self._runners: dict[str, Runner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._pokes: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def start(self, context: RunContext) -> None:
        self._context = context
        self._lease = Lease(context.clock, context.settings.lease)
        if self._exclusive:
            await context.store.release_all()
        await self._report(first=True)
        self._loops = [
            asyncio.create_task(self._every(context.settings.lease / 3, self._renew), name="lease-renewal"),
            asyncio.create_task(self._every(context.settings.sweep_interval, self._sweep), name="sweeper"),
            asyncio.create_task(self._every(context.settings.report_interval, self._report), name="service-report"),
        ]
        await self._sweep()

    async def stop(self) -> None:
        """Leave every run where it is; whoever comes next carries on.

        Calls under way have a moment to end, so that what they made need not be searched for.
        """
        self._stopping = True
        for runner in self._runners.values():
            runner.leave()
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
        async with self._context.store.database.writer.begin() as connection:
            await connection.execute(delete(t.services).where(t.services.c.id == self.engine_id))

    def ring(self, stack_id: str) -> None:
        """There is, or may be, something to run or to stop for this stack."""
        if self._stopping:
            return
        runner = self._runners.get(stack_id)
        if runner is not None:
            poke = asyncio.ensure_future(runner.poke())
            self._pokes.add(poke)
            poke.add_done_callback(self._pokes.discard)
            self._again.add(stack_id)
        elif stack_id not in self._tasks:
            task = asyncio.create_task(self._take(stack_id), name=f"run-{stack_id}")
            self._tasks[stack_id] = task
            task.add_done_callback(lambda _: self._ended(stack_id))
        else:
            self._again.add(stack_id)

    def _ended(self, stack_id: str) -> None:
        self._tasks.pop(stack_id, None)
        self._runners.pop(stack_id, None)
        if stack_id in self._again:
            self._again.discard(stack_id)
            self.ring(stack_id)

    async def _take(self, stack_id: str) -> None:
        self._again.discard(stack_id)
        epoch = await self._context.store.claim(stack_id, self.engine_id, self._context.settings.lease)
        if epoch is None:
            return
        runner = Runner(self._context, self._lease, stack_id, epoch)
        self._runners[stack_id] = runner
        try:
            await runner.run()
        except (LeaseLost, Fenced):
            log.warning("the lease of a run was lost; another engine goes on", stack=stack_id)
        except asyncio.CancelledError:
            raise
        except Exception:
            # The database failed, or the engine is wrong: the run stays, a sweep takes it up again.
            log.exception("a run stopped", stack=stack_id)

    async def _every(self, seconds: float, act: object) -> None:
        assert callable(act)
        while True:
            await self._context.clock.sleep(seconds)
            try:
                await act()
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("a periodic task failed", task=getattr(act, "__name__", ""))

    async def _renew(self) -> None:
        sent_at = self._context.clock.monotonic()
        await self._context.store.renew(self.engine_id, self._context.settings.lease)
        self._lease.renewed(sent_at)

    async def _sweep(self) -> None:
        for stack_id, operation_id in (await self._context.store.work(self.engine_id)).items():
            runner = self._runners.get(stack_id)
            overtaken = runner is not None and runner.operation_id != operation_id
            if stack_id not in self._tasks or overtaken:
                self.ring(stack_id)

    async def _report(self, *, first: bool = False) -> None:
        now = self._context.clock.now()
        s = t.services
        async with self._context.store.database.writer.begin() as connection:
            if first:
                if self._exclusive:
                    await connection.execute(delete(s))
                await connection.execute(
                    s.insert().values(
                        id=self.engine_id,
                        host=socket.gethostname(),
                        binary="isotherm-engine",
                        report_interval=self._context.settings.report_interval,
                        created=now,
                        updated=now,
                    )
                )
            else:
                await connection.execute(s.update().where(s.c.id == self.engine_id).values(updated=now))
