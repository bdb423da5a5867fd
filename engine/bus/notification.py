"""A notification as oslo.messaging's listeners (ceilometer, for one) understand it, and who takes it there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from engine.model.value import Value

_ENVELOPE_VERSION = "2.0"


@dataclass(frozen=True, slots=True)
class Notification:
    """`id` is the same whenever the same thing is told again; `level` is INFO, ERROR and so on; `time` is aware."""

    id: str
    event_type: str
    level: str
    publisher: str
    payload: Mapping[str, Value]
    time: dt.datetime
    context: Mapping[str, Value] = field(default_factory=dict)

    def message(self) -> dict[str, Any]:
        """The fields of oslo.messaging's Notifier and of its AMQP driver. A listener takes no `_unique_id` twice."""
        return {
            "message_id": self.id,
            "publisher_id": self.publisher,
            "event_type": self.event_type,
            "priority": self.level,
            "payload": dict(self.payload),
            "timestamp": str(self.time.astimezone(dt.UTC).replace(tzinfo=None)),
            "_unique_id": self.id.replace("-", ""),
            **{f"_context_{name}": value for name, value in self.context.items()},
        }

    def body(self, *, envelope: bool) -> bytes:
        """What goes over the wire: within an envelope for the driver `messagingv2`, without for `messaging`."""
        message = orjson.dumps(self.message())
        if not envelope:
            return message
        return orjson.dumps({"oslo.version": _ENVELOPE_VERSION, "oslo.message": message.decode()})


class Undelivered(Exception):
    """Nobody took the notification; trying again may help."""


class Outlet(Protocol):
    """One way for notifications to leave."""

    async def deliver(self, notification: Notification) -> None:
        """Return when it has been taken. Raises Undelivered."""
        ...

    async def close(self) -> None: ...
