"""Notifications on their way out: nobody waits for them, and what cannot be delivered is dropped and logged."""

from __future__ import annotations

import asyncio

import structlog

from engine.bus.notification import Notification, Outlet, Undelivered
from engine.model.clock import Clock, SystemClock

log = structlog.get_logger(__name__)

_MOST = 1000  # that wait; beyond, the oldest is dropped
_ATTEMPTS = 4
_FIRST_PAUSE = 0.5  # seconds, doubled each time
_LAST_MOMENT = 2.0  # seconds for what is still to be delivered when stopping


class Post:
    """The queue before one outlet. In order; each one is tried a few times."""

    def __init__(self, outlet: Outlet, *, clock: Clock | None = None, most: int = _MOST) -> None:
        self._outlet, self._clock = outlet, clock or SystemClock()
        self._waiting: asyncio.Queue[Notification] = asyncio.Queue(most)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._deliver_all(), name="notifications")

    async def stop(self) -> None:
        """Deliver what a moment allows, then end."""
        if self._task is None:
            return
        delivered = asyncio.ensure_future(self._waiting.join())
        late = asyncio.ensure_future(self._clock.sleep(_LAST_MOMENT))
        await asyncio.wait({delivered, late}, return_when=asyncio.FIRST_COMPLETED)
        for task in (delivered, late, self._task):
            task.cancel()
        await asyncio.gather(delivered, late, self._task, return_exceptions=True)
        self._task = None
        while not self._waiting.empty():
            _lost(self._waiting.get_nowait(), "the process stops")
        await self._outlet.close()

    def send(self, notification: Notification) -> None:
        """Never waits and never fails."""
        if self._waiting.full():
            _lost(self._waiting.get_nowait(), "too many wait")
            self._waiting.task_done()
        self._waiting.put_nowait(notification)

    async def _deliver_all(self) -> None:
        while True:
            notification = await self._waiting.get()
            try:
                await self._deliver(notification)
            except Undelivered as error:
                _lost(notification, str(error))
            except asyncio.CancelledError:
                _lost(notification, "the process stops")
                raise
            except Exception:
                log.exception("a notification could not be delivered", event_type=notification.event_type)
            finally:
                self._waiting.task_done()

    async def _deliver(self, notification: Notification) -> None:
        pause = _FIRST_PAUSE
        for _ in range(_ATTEMPTS - 1):
            try:
                await self._outlet.deliver(notification)
                return
            except Undelivered as error:
                log.debug("a notification is tried again", error=str(error), again_in=pause)
            await self._clock.sleep(pause)
            pause *= 2
        await self._outlet.deliver(notification)


def _lost(notification: Notification, why: str) -> None:
    log.warning("a notification is lost", event_type=notification.event_type, message_id=notification.id, error=why)
