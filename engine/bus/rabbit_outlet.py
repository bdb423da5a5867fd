"""Notifications on RabbitMQ, in the frames of oslo.messaging's drivers `messaging` and `messagingv2`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity

from engine.bus.notification import Notification, Undelivered

_WITHIN = 10.0  # seconds for what the broker is asked
_HEARTBEAT = 60


@dataclass(frozen=True, slots=True)
class Layout:
    """Names and kinds as oslo.messaging declares them. A queue `<topic>.<level>` keeps what comes before its first
    listener; what there is already stays as whoever made it wanted it."""

    exchange: str = "heat"
    topics: Sequence[str] = ("notifications",)
    envelope: bool = True
    durable: bool = False
    quorum: bool = False


class RabbitOutlet:
    """`url` as oslo.messaging takes it: several brokers of a cluster are separated by commas."""

    def __init__(self, url: str, layout: Layout) -> None:
        self._urls, self._layout = brokers(url), layout
        self._connection: AbstractConnection | None = None
        self._exchange: AbstractExchange | None = None
        self._queues: set[str] = set()

    async def deliver(self, notification: Notification) -> None:
        try:
            for topic in self._layout.topics:
                await self._publish(f"{topic}.{notification.level.lower()}", notification)
        except (AMQPError, OSError, RuntimeError) as error:  # RuntimeError: the channel was closed meanwhile
            await self.close()
            raise Undelivered(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        connection, self._connection, self._exchange = self._connection, None, None
        self._queues.clear()
        if connection is not None:
            with contextlib.suppress(AMQPError, OSError, RuntimeError):
                await asyncio.wait_for(connection.close(), _WITHIN)

    async def _publish(self, key: str, notification: Notification) -> None:
        async with asyncio.timeout(_WITHIN):
            connection = await self._connected()
            if self._exchange is None:
                self._exchange = await self._declared(connection)
            if key not in self._queues:
                await self._bound(connection, self._exchange, key)
            message = aio_pika.Message(
                notification.body(envelope=self._layout.envelope), content_type="application/json",
                content_encoding="utf-8", delivery_mode=aio_pika.DeliveryMode.PERSISTENT, priority=0,
            )  # fmt: skip
            await self._exchange.publish(message, routing_key=key, mandatory=False)

    async def _connected(self) -> AbstractConnection:
        """The connection, made anew if need be: the first broker that lets us in."""
        if self._connection is not None:
            return self._connection
        for url in self._urls[:-1]:
            with contextlib.suppress(AMQPError, OSError):
                self._connection = await aio_pika.connect(url, heartbeat=_HEARTBEAT)
                return self._connection
        self._connection = await aio_pika.connect(self._urls[-1], heartbeat=_HEARTBEAT)
        return self._connection

    async def _declared(self, connection: AbstractConnection) -> AbstractExchange:
        name, durable = self._layout.exchange, self._layout.durable or self._layout.quorum
        with contextlib.suppress(ChannelNotFoundEntity):
            return await (await connection.channel()).get_exchange(name)
        channel = await connection.channel()  # the broker has closed the one that asked in vain
        return await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=durable)

    async def _bound(self, connection: AbstractConnection, exchange: AbstractExchange, key: str) -> None:
        """See that what is published with `key` is kept: in a queue of that name."""
        channel: AbstractChannel = await connection.channel()
        try:
            queue = await channel.get_queue(key)
        except ChannelNotFoundEntity:
            channel = await connection.channel()
            durable = self._layout.durable or self._layout.quorum
            queue = await channel.declare_queue(
                key, durable=durable, arguments={"x-queue-type": "quorum"} if self._layout.quorum else None
            )
        await queue.bind(exchange.name, routing_key=key)
        await channel.close()
        self._queues.add(key)


def brokers(url: str) -> list[str]:
    """`rabbit://user:password@one:5672,user:password@two/vhost` as URLs of AMQP. Who gives no user has that of the
    broker before. Raises ValueError."""
    parts = urlsplit(url)
    scheme = {"rabbit": "amqp", "amqp": "amqp", "amqps": "amqps", "kombu": "amqp"}.get(parts.scheme)
    if scheme is None or not parts.netloc:
        raise ValueError("a URL of RabbitMQ is expected, rabbit://user:password@host:port/vhost")
    found, user = [], ""
    for one in parts.netloc.split(","):
        before, at, host = one.rpartition("@")
        user = before + at if at else user
        found.append(f"{scheme}://{user}{host}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else ""))
    return found
