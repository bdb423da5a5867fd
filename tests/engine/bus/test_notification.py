"""The frames of oslo.messaging, and the URLs of its brokers."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from engine.bus.notification import Notification
from engine.bus.rabbit_outlet import brokers

TOLD = Notification(
    "9f1b5a3c-0000-4000-8000-000000000001", "orchestration.stack.create.end", "INFO", "orchestration.here",
    {"stack_name": "s", "tags": None}, dt.datetime(2024, 5, 6, 7, 8, 9, 12, tzinfo=dt.UTC), {"tenant_id": "p"},
)  # fmt: skip
MESSAGE = {
    "message_id": "9f1b5a3c-0000-4000-8000-000000000001",
    "publisher_id": "orchestration.here",
    "event_type": "orchestration.stack.create.end",
    "priority": "INFO",
    "payload": {"stack_name": "s", "tags": None},
    "timestamp": "2024-05-06 07:08:09.000012",
    "_unique_id": "9f1b5a3c000040008000000000000001",
    "_context_tenant_id": "p",
}


def test_enge_04_messaging_is_the_message_itself() -> None:
    assert json.loads(TOLD.body(envelope=False)) == MESSAGE


def test_enge_04_messagingv2_wraps_it() -> None:
    outer = json.loads(TOLD.body(envelope=True))
    assert (set(outer), outer["oslo.version"]) == ({"oslo.version", "oslo.message"}, "2.0")
    assert json.loads(outer["oslo.message"]) == MESSAGE


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("rabbit://u:p@one:5672/", ["amqp://u:p@one:5672/"]),
        ("rabbit://u:p@one:5672", ["amqp://u:p@one:5672/"]),
        ("amqps://u:p@one/vhost", ["amqps://u:p@one/vhost"]),
        ("rabbit://u:p@one:5672,v:q@two/vhost", ["amqp://u:p@one:5672/vhost", "amqp://v:q@two/vhost"]),
        ("rabbit://u:p@one,two//vhost", ["amqp://u:p@one//vhost", "amqp://u:p@two//vhost"]),
        ("rabbit://one/?ssl=1", ["amqp://one/?ssl=1"]),
    ],
)
def test_the_brokers_of_a_url(url: str, found: list[str]) -> None:
    assert brokers(url) == found


@pytest.mark.parametrize("url", ["kafka://one:9092", "rabbit:", "one:5672", ""])
def test_what_is_no_url_of_rabbitmq(url: str) -> None:
    with pytest.raises(ValueError, match="a URL of RabbitMQ"):
        brokers(url)
