"""Notifications on a broker where things are, or are not, as others made them."""

from __future__ import annotations

import datetime as dt
import json
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel

from engine.bus.notification import Notification, Undelivered
from engine.bus.rabbit_outlet import Layout, RabbitOutlet
from tests.services.gate import Gate

pytestmark = pytest.mark.services

RABBIT = os.environ.get("ISOTHERM_TEST_RABBIT", "rabbit://guest:guest@127.0.0.1:5672/")
AMQP = RABBIT.replace("rabbit://", "amqp://")
NOW = dt.datetime(2024, 5, 6, tzinfo=dt.UTC)


class Broker:
    """A listener's side, with names that nobody else has."""

    def __init__(self, channel: AbstractChannel) -> None:
        self.channel, self.name = channel, f"notifications-{uuid.uuid4().hex[:10]}"
        self.outlets: list[RabbitOutlet] = []

    def outlet(self, url: str = RABBIT, **more: Any) -> RabbitOutlet:
        made = RabbitOutlet(url, Layout(self.name, more.pop("topics", (self.name,)), **more))
        self.outlets.append(made)
        return made

    async def told(self, queue: str, **declared: Any) -> list[str]:
        """The event types in a queue, which must be of this kind."""
        found, kept = [], await self.channel.declare_queue(queue, **declared)
        while (message := await kept.get(fail=False, no_ack=True)) is not None:
            found.append(json.loads(json.loads(message.body)["oslo.message"])["event_type"])
        return found


def notification(event_type: str, level: str = "INFO") -> Notification:
    return Notification(str(uuid.uuid4()), event_type, level, "here", {}, NOW)


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    async with await aio_pika.connect(AMQP) as connection:
        made = Broker(await connection.channel())
        yield made
        for outlet in made.outlets:
            await outlet.close()
        for queue in (".info", ".error", "-two.info"):
            await made.channel.queue_delete(made.name + queue)
        await made.channel.exchange_delete(made.name)


@pytest.fixture
def gate() -> Iterator[Gate]:
    where = urlsplit(RABBIT)
    made = Gate(where.hostname or "127.0.0.1", where.port or 5672)
    yield made
    made.close()


async def test_every_level_and_topic_has_its_queue(broker: Broker) -> None:
    outlet = broker.outlet(topics=(broker.name, f"{broker.name}-two"))
    await outlet.deliver(notification("a"))
    await outlet.deliver(notification("b"))
    assert await broker.told(f"{broker.name}.info") == ["a", "b"]
    assert await broker.told(f"{broker.name}-two.info") == ["a", "b"]


async def test_errors_go_to_the_queue_of_errors(broker: Broker) -> None:
    await broker.outlet().deliver(notification("a", "ERROR"))
    assert await broker.told(f"{broker.name}.error") == ["a"]


@pytest.mark.parametrize(
    ("layout", "declared"),
    [
        ({"durable": True}, {"durable": True}),
        ({"quorum": True}, {"durable": True, "arguments": {"x-queue-type": "quorum"}}),
    ],
)
async def test_made_as_configured(broker: Broker, layout: dict[str, Any], declared: dict[str, Any]) -> None:
    await broker.outlet(**layout).deliver(notification("a"))
    await broker.channel.declare_exchange(broker.name, aio_pika.ExchangeType.TOPIC, durable=True)
    assert await broker.told(f"{broker.name}.info", **declared) == ["a"]


async def test_what_a_listener_made_before_is_taken_as_it_is(broker: Broker) -> None:
    await broker.channel.declare_exchange(broker.name, aio_pika.ExchangeType.TOPIC, durable=True)
    await broker.channel.declare_queue(f"{broker.name}.info", durable=True)
    await broker.outlet().deliver(notification("a"))
    assert await broker.told(f"{broker.name}.info", durable=True) == ["a"]


async def test_a_connection_that_is_lost_is_made_again(broker: Broker, gate: Gate) -> None:
    where = urlsplit(RABBIT)
    outlet = broker.outlet(RABBIT.replace(f"{where.hostname}:{where.port}", f"127.0.0.1:{gate.port}"))
    await outlet.deliver(notification("a"))
    gate.shut()
    with pytest.raises(Undelivered):
        await outlet.deliver(notification("b"))
    with pytest.raises(Undelivered):
        await outlet.deliver(notification("c"))
    gate.open()
    await outlet.deliver(notification("d"))
    assert await broker.told(f"{broker.name}.info") == ["a", "d"]


async def test_of_several_brokers_the_first_that_answers(broker: Broker) -> None:
    user, _, rest = RABBIT.removeprefix("rabbit://").rpartition("@")
    await broker.outlet(f"rabbit://{user}@127.0.0.1:9,{rest}").deliver(notification("a"))
    assert await broker.told(f"{broker.name}.info") == ["a"]


async def test_a_user_who_is_not_let_in(broker: Broker) -> None:
    _, _, rest = RABBIT.removeprefix("rabbit://").rpartition("@")
    with pytest.raises(Undelivered):
        await broker.outlet(f"rabbit://nobody:wrong@{rest}").deliver(notification("a"))
