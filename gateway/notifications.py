"""The options of notifications, and the notifier they ask for."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.bus.notification import Outlet
from engine.bus.post import Post
from engine.runs.notifier import Notifier
from gateway.listening import StartError

DRIVERS: Final = ("noop", "messaging", "messagingv2", "log")
LEVELS: Final = ("AUDIT", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL", "SAMPLE")


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    """Named as heat.conf names them; see `gateway.config_help`."""

    driver: Sequence[str] = ("noop",)
    topics: Sequence[str] = ("notifications",)
    transport_url: str | None = None
    control_exchange: str = "heat"
    default_publisher_id: str | None = None
    default_notification_level: str = "INFO"
    amqp_durable_queues: bool = False
    rabbit_quorum_queue: bool = False


def notifier_of(settings: NotificationSettings, transport_url: str | None) -> Notifier:
    """The notifier; `transport_url` is the installation's own broker. Raises StartError."""
    posts = [Post(_outlet(name, settings, transport_url)) for name in dict.fromkeys(settings.driver) if name != "noop"]
    publisher = settings.default_publisher_id or f"orchestration.{socket.gethostname()}"
    return Notifier(posts, publisher=publisher, level=settings.default_notification_level)


def _outlet(driver: str, settings: NotificationSettings, transport_url: str | None) -> Outlet:
    from engine.bus.log_outlet import LogOutlet
    from engine.bus.rabbit_outlet import Layout, RabbitOutlet

    if driver == "log":
        return LogOutlet()
    url = settings.transport_url or transport_url
    if url is None:
        raise StartError(
            f"[oslo_messaging_notifications] driver = {driver} needs a broker: set transport_url there or in [DEFAULT]."
        )
    layout = Layout(
        settings.control_exchange, tuple(settings.topics), envelope=driver == "messagingv2",
        durable=settings.amqp_durable_queues, quorum=settings.rabbit_quorum_queue,
    )  # fmt: skip
    try:
        return RabbitOutlet(url, layout)
    except ValueError as error:
        raise StartError(f"[oslo_messaging_notifications] transport_url: {error}") from error
