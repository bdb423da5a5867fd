"""Notifications in the log, as oslo.messaging's driver `log` writes them."""

from __future__ import annotations

import structlog

from engine.bus.notification import Notification

log = structlog.get_logger("oslo.messaging.notification")


class LogOutlet:
    async def deliver(self, notification: Notification) -> None:
        tell = log.error if notification.level == "ERROR" else log.info
        tell("notification", event_type=notification.event_type, message=notification.body(envelope=False).decode())

    async def close(self) -> None:
        return
