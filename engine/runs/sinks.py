"""Telling a stack's events to where its environment wants them (heat.md TE-15).

The events of a run are told in their order while it goes on, at least once: an engine that takes a run over tells it
from its beginning, and an event's id says whether it was told before. A sink that does not take them loses them after
a few attempts; no run waits for a sink longer than a moment at its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from engine.cloud.contract import Cloud
from engine.cloud.errors import CloudError, Permanent
from engine.model.clock import Clock
from engine.model.ids import new_id
from engine.model.stack import Event, Stack
from engine.model.value import Value
from engine.runs.context import RunContext

log = structlog.get_logger(__name__)

_LOOK_AGAIN = 2.0  # seconds; hints of new events may be lost
_LAST_MOMENT = 10.0  # seconds that the end of a run waits for its sinks
_MOST = 10  # messages of one request: Zaqar takes 20 of 256 KiB together
_ATTEMPTS = 3
_PAUSE = 1.0
_TTL: Final = 3600  # seconds, as Heat's
_CLIENT: Final = new_id()  # Zaqar wants every client to have an id


@dataclass(frozen=True, slots=True)
class ZaqarQueue:
    """`zaqar-queue`: a queue of the project's."""

    target: str
    ttl: int = _TTL

    async def take(self, cloud: Cloud, events: Sequence[Mapping[str, Value]]) -> None:
        messages = [{"body": event, "ttl": self.ttl} for event in events]
        await cloud.request(
            "message", "POST", f"/queues/{self.target}/messages", json={"messages": messages},
            headers={"Client-ID": _CLIENT},
        )  # fmt: skip


def sinks_of(environment: Mapping[str, Value]) -> tuple[ZaqarQueue, ...]:
    """The sinks that a checked environment names."""
    return tuple(
        ZaqarQueue(str(one["target"]), int(one.get("ttl") or _TTL)) for one in environment.get("event_sinks") or ()
    )


class Telling:
    """One run's events on their way. `follow` is the task; `finish` lets it come to its end."""

    def __init__(
        self, context: RunContext, stack: Stack, sinks: Sequence[ZaqarQueue], cloud: Callable[[], Awaitable[Cloud]]
    ) -> None:
        self._context, self._stack, self._sinks, self._cloud = context, stack, sinks, cloud
        self._operations = {stack.operation_id}
        self._after: int | None = None
        self._told: set[int] = set()
        self._closing = False
        self._task = asyncio.create_task(self._follow(), name=f"events-{stack.id}")

    def covers(self, operation_id: str | None) -> None:
        """The run has gone on with another operation, whose events are told too."""
        self._operations.add(operation_id)

    async def finish(self) -> None:
        """Return when everything is told, or a moment has passed."""
        self._closing = True
        self._context.watch.changed([self._stack.id])
        late = asyncio.ensure_future(self._context.clock.sleep(_LAST_MOMENT))
        await asyncio.wait({self._task, late}, return_when=asyncio.FIRST_COMPLETED)
        late.cancel()
        self.cancel()

    def cancel(self) -> None:
        self._task.cancel()

    async def _follow(self) -> None:
        context = self._context
        while True:
            closing = self._closing
            found = await context.store.events(self._stack, after=self._after)
            mine = [one for one in found if one.operation_id in self._operations and one.seq not in self._told]
            for start in range(0, len(mine), _MOST):
                await self._tell([as_message(event, self._stack) for event in mine[start : start + _MOST]])
            self._advance(found, {event.seq for event in mine})
            if closing:
                return
            await context.watch.wait(self._stack.id, context.clock, _LOOK_AGAIN)

    def _advance(self, found: Sequence[Event], told: set[int]) -> None:
        """What was told, and what is older than the run, is not read again. An event of an operation that is not the
        run's may be of one that the run has yet to learn of: a rollback."""
        if told and self._after is None:
            self._after = min(told) - 1
        self._told |= told
        for event in found:
            if self._after is not None and event.seq > self._after:
                if event.seq not in self._told:
                    break
                self._after = event.seq
        self._told = {seq for seq in self._told if self._after is None or seq > self._after}

    async def _tell(self, events: Sequence[Mapping[str, Value]]) -> None:
        for sink in self._sinks:
            try:
                await _patiently(self._context.clock, sink, await self._cloud(), events)
            except CloudError as error:
                log.warning("events could not be told", stack=self._stack.id, sink=sink.target, lost=len(events),
                            error=error.message)  # fmt: skip


async def _patiently(clock: Clock, sink: ZaqarQueue, cloud: Cloud, events: Sequence[Mapping[str, Value]]) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            await sink.take(cloud, events)
            return
        except Permanent:
            raise
        except CloudError:
            if attempt == _ATTEMPTS:
                raise
            await clock.sleep(_PAUSE * attempt)


def as_message(event: Event, stack: Stack) -> dict[str, Any]:
    """The event as Heat writes it."""
    return {
        "timestamp": event.time.isoformat(),
        "version": "0.1",
        "type": "os.heat.event",
        "id": event.id,
        "payload": {
            "resource_name": event.address or stack.name,
            "physical_resource_id": event.physical_id,
            "stack_id": stack.id,
            "resource_action": event.action.value,
            "resource_status": event.status.value,
            "resource_status_reason": event.reason,
            "resource_type": event.type,
            "resource_properties": dict(event.properties),
            "version": "0.1",
        },
    }
