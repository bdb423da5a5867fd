"""The bus on RabbitMQ: a quorum queue of work for the engines, and a fanout exchange that every process hears.

Facts of RabbitMQ that shape this: a message must not stay unacknowledged for long, so work is acknowledged once the
claim is on disk; transient queues must be exclusive; a quorum queue takes a message's own time to live from 3.10 on.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage
from aio_pika.exceptions import AMQPError

from engine.bus.contract import Hearing
from engine.bus.message import Kind, Message, decode, merged
from engine.model.ids import new_id

log = structlog.get_logger(__name__)

_MOST_UNTOLD = 10_000  # hints kept while the broker is away or slow; older ones are dropped
_WITHIN = 10.0  # seconds for what the broker is asked
_TELL_LAST = 2.0  # seconds for what is still to be told when stopping
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_WORK_LIVES = 60  # seconds; by then every engine has swept
_HEARTBEAT = 20
# Work that nobody has room for goes from engine to engine so often, then it waits for a sweep. The arguments of a queue
# cannot be changed: other ones need a queue of another name.
_WORK_QUEUE: dict[str, str | int] = {"x-queue-type": "quorum", "x-delivery-limit": 5}


class AmqpBus:
    """One per process. `prefix` names queue and exchange, so that several installations can share a virtual host."""

    def __init__(self, url: str, *, prefix: str = "isotherm", prefetch: int = 20) -> None:
        """`url` is `amqp://user:password@host:port/vhost`, or oslo's `rabbit://…`."""
        self._url = "amqp://" + url.removeprefix("rabbit://") if url.startswith("rabbit://") else url
        self._prefix, self._prefetch = prefix, prefetch
        self._sender = new_id()
        self._untold: asyncio.Queue[Message] = asyncio.Queue(_MOST_UNTOLD)
        self._hearing: Hearing
        self._task: asyncio.Task[None] | None = None
        self._connected = False
        self._tried = asyncio.Event()

    async def start(self, hearing: Hearing) -> None:
        self._hearing = hearing
        self._task = asyncio.create_task(self._keep_connected(), name="bus")
        # Usually the broker is there; who starts without it is connected when it comes back.
        await self._tried.wait()

    async def stop(self) -> None:
        if self._task is None:
            return
        if self._connected:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._untold.join(), _TELL_LAST)
        self._task.cancel()
        await asyncio.wait({self._task}, timeout=_WITHIN)
        self._task = None

    def ring(self, stack_id: str) -> None:
        self._tell(Message(Kind.POKE, [stack_id], self._sender))
        worker = self._hearing.worker
        # This process's own engine is nearer than the queue.
        if worker is None or not worker.ring(stack_id):
            self._tell(Message(Kind.WORK, [stack_id], self._sender))

    def changed(self, keys: Sequence[str]) -> None:
        if keys:
            self._tell(Message(Kind.CHANGED, keys, self._sender))

    def _tell(self, message: Message) -> None:
        if self._untold.full():
            self._untold.get_nowait()
            self._untold.task_done()
        self._untold.put_nowait(message)

    # --- the connection ---------------------------------------------------------------------------------------------
    async def _keep_connected(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._session()
            except (AMQPError, OSError) as error:
                log.warning("the message broker is away; engines find work by looking for it",
                            error=str(error) or type(error).__name__)  # fmt: skip
            except Exception:
                log.exception("the connection to the message broker failed")
            self._tried.set()
            pause = _FIRST_PAUSE if self._connected else min(pause * 2, _LONGEST_PAUSE)
            self._connected = False
            await asyncio.sleep(pause)

    async def _session(self) -> None:
        """Hear and tell until the connection is lost."""
        async with asyncio.timeout(_WITHIN):
            connection = await aio_pika.connect(
                self._url, heartbeat=_HEARTBEAT,
                client_properties={"connection_name": f"{self._prefix} {socket.gethostname()} {self._sender}"},
            )  # fmt: skip
        async with connection:
            lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(_WITHIN):
                channel = await connection.channel(publisher_confirms=False)
                channel.close_callbacks.add(lambda *_: None if lost.done() else lost.set_result(None))
                exchange = await self._declare(channel)
            self._connected = True
            self._tried.set()
            telling = asyncio.create_task(self._publish(channel, exchange))
            try:
                await asyncio.wait({lost, telling}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                telling.cancel()
            if telling.done() and not telling.cancelled() and (error := telling.exception()) is not None:
                raise error
            raise ConnectionError("the connection was closed")

    async def _declare(self, channel: AbstractChannel) -> AbstractExchange:
        exchange = await channel.declare_exchange(
            f"{self._prefix}.hints", aio_pika.ExchangeType.FANOUT, durable=True
        )  # fmt: skip
        await channel.set_qos(prefetch_count=self._prefetch)
        own = await channel.declare_queue(exclusive=True, auto_delete=True, arguments={"x-max-length": _MOST_UNTOLD})
        await own.bind(exchange)
        await own.consume(self._heard, no_ack=True)
        work = await channel.declare_queue(f"{self._prefix}.work", durable=True, arguments={**_WORK_QUEUE})
        if self._hearing.worker is not None:
            await work.consume(self._offered)
        return exchange

    async def _publish(self, channel: AbstractChannel, exchange: AbstractExchange) -> None:
        while True:
            taken = [await self._untold.get()]
            while not self._untold.empty():
                taken.append(self._untold.get_nowait())
            left = merged(taken)
            try:
                while left:
                    await self._send(channel, exchange, left[0])
                    left.pop(0)
            finally:
                for message in left:  # the connection is lost: they are for the next one
                    self._tell(message)
                for _ in taken:
                    self._untold.task_done()

    async def _send(self, channel: AbstractChannel, exchange: AbstractExchange, message: Message) -> None:
        if message.kind is Kind.WORK:
            body = aio_pika.Message(message.encode(), expiration=_WORK_LIVES)
            await channel.default_exchange.publish(body, routing_key=f"{self._prefix}.work")
        else:
            await exchange.publish(aio_pika.Message(message.encode()), routing_key="")

    # --- hearing ----------------------------------------------------------------------------------------------------
    async def _heard(self, incoming: AbstractIncomingMessage) -> None:
        message = decode(incoming.body)
        if message is None or message.sender == self._sender:
            return
        if message.kind is Kind.POKE and self._hearing.worker is not None:
            for stack_id in message.keys:
                self._hearing.worker.poke(stack_id)
        elif message.kind is Kind.CHANGED:
            self._hearing.changed(message.keys)

    async def _offered(self, incoming: AbstractIncomingMessage) -> None:
        message = decode(incoming.body)
        worker, room = self._hearing.worker, True
        if message is not None and worker is not None:
            for stack_id in message.keys:
                room = await worker.offer(stack_id) and room
        # A connection that was lost meanwhile has taken the message back: it is offered again, to whom it may concern.
        with contextlib.suppress(AMQPError, OSError, RuntimeError):
            await (incoming.ack() if room else incoming.reject(requeue=True))
