"""The bus on RabbitMQ, with as many processes as there are buses."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from urllib.parse import urlsplit

import aio_pika
import pytest

from engine.bus import Hearing
from engine.bus.amqp import AmqpBus
from tests.services.gate import Gate

pytestmark = pytest.mark.services

RABBIT = os.environ.get("ISOTHERM_TEST_RABBIT", "rabbit://guest:guest@127.0.0.1:5672/")
AMQP = RABBIT.replace("rabbit://", "amqp://")
WITHIN = 20.0


class Worker:
    """An engine that only listens."""

    def __init__(self, *, room: bool = True) -> None:
        self.room, self.stopping = room, False
        self.rung: list[str] = []
        self.poked: list[str] = []
        self.offered: list[str] = []

    def ring(self, stack_id: str) -> bool:
        self.rung.append(stack_id)
        return not self.stopping

    def poke(self, stack_id: str) -> None:
        self.poked.append(stack_id)

    async def offer(self, stack_id: str) -> bool:
        self.offered.append(stack_id)
        return self.room


class Office:
    """Buses of one installation, and what they heard of changes."""

    def __init__(self, prefix: str) -> None:
        self.prefix, self.buses = prefix, []
        self.heard: list[list[str]] = []

    async def bus(self, worker: Worker | None = None, *, url: str = RABBIT) -> AmqpBus:
        bus, heard = AmqpBus(url, prefix=self.prefix), []

        def changed(keys: Sequence[str]) -> None:
            heard.extend(keys)

        await bus.start(Hearing(changed, worker))
        self.buses.append(bus)
        self.heard.append(heard)
        return bus


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    office = Office(f"isotherm_test_{uuid.uuid4().hex[:12]}")
    yield office
    for bus in office.buses:
        await bus.stop()
    async with await aio_pika.connect(AMQP) as connection:
        channel = await connection.channel()
        await channel.queue_delete(f"{office.prefix}.work")
        await channel.exchange_delete(f"{office.prefix}.hints")


@pytest.fixture
def gate() -> Iterator[Gate]:
    where = urlsplit(AMQP)
    gate = Gate(where.hostname or "127.0.0.1", where.port or 5672)
    yield gate
    gate.close()


def through(gate: Gate) -> str:
    where = urlsplit(AMQP)
    return where._replace(netloc=f"{where.username}:{where.password}@127.0.0.1:{gate.port}").geturl()


async def until(wanted: Callable[[], object]) -> None:
    async with asyncio.timeout(WITHIN):
        while not wanted():  # noqa: ASYNC110  (what is waited for happens in another library)
            await asyncio.sleep(0.01)


async def waiting(office: Office) -> int:
    """Messages in the queue of work."""
    async with await aio_pika.connect(AMQP) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(f"{office.prefix}.work", passive=True)
        return queue.declaration_result.message_count or 0


async def test_work_goes_to_one_engine_and_all_are_poked(office: Office) -> None:
    one, other = Worker(), Worker()
    api = await office.bus()
    await office.bus(one)
    await office.bus(other)
    for number in range(10):
        api.ring(f"s{number}")
    await until(lambda: len(one.offered + other.offered) == 10 and len(one.poked + other.poked) == 20)
    assert sorted(one.offered + other.offered) == [f"s{number}" for number in range(10)]
    assert one.offered
    assert other.offered
    assert one.poked == other.poked == [f"s{number}" for number in range(10)]


async def test_an_engine_s_own_ring_stays_in_its_house_but_for_the_poke(office: Office) -> None:
    one, other = Worker(), Worker()
    bus = await office.bus(one)
    await office.bus(other)
    bus.ring("s")
    assert one.rung == ["s"]
    await until(lambda: other.poked == ["s"])
    assert one.poked == one.offered == other.offered == []


async def test_what_a_stopping_engine_gives_back_is_offered_to_others(office: Office) -> None:
    one, other = Worker(), Worker()
    bus = await office.bus(one)
    one.stopping = True
    bus.ring("s")
    await bus.stop()
    await office.bus(other)
    await until(lambda: other.offered == ["s"])


async def test_an_engine_without_room_hands_work_on(office: Office) -> None:
    full, free = Worker(room=False), Worker()
    api = await office.bus()
    await office.bus(full)
    await office.bus(free)
    for number in range(6):
        api.ring(f"s{number}")
    await until(lambda: len(set(free.offered)) == 6)
    assert full.offered


async def test_work_nobody_has_room_for_does_not_go_round_for_ever(office: Office) -> None:
    full = Worker(room=False)
    api = await office.bus()
    await office.bus(full)
    api.ring("s")
    await until(lambda: len(full.offered) >= 6)
    full.room = True
    api.ring("another")
    await until(lambda: "another" in full.offered)
    assert full.offered.count("s") == 6
    assert await waiting(office) == 0


async def test_changes_are_heard_by_all_others(office: Office) -> None:
    api = await office.bus()
    await office.bus(Worker())
    await office.bus()
    api.changed(["s1", "s2/handle"])
    await until(lambda: office.heard[1] and office.heard[2])
    assert office.heard == [[], ["s1", "s2/handle"], ["s1", "s2/handle"]]


async def test_what_is_told_while_the_broker_is_away_is_told_when_it_is_back(office: Office, gate: Gate) -> None:
    worker = Worker()
    api = await office.bus(url=through(gate))
    await office.bus(worker)
    gate.shut()
    api.ring("s1")
    api.changed(["s1"])
    gate.open()
    api.ring("s2")
    await until(lambda: set(worker.offered) >= {"s2"} and office.heard[1] == ["s1"])


async def test_an_engine_hears_again_when_its_connection_is_made_anew(office: Office, gate: Gate) -> None:
    worker = Worker()
    await office.bus(worker, url=through(gate))
    api = await office.bus()
    gate.cut()
    api.ring("s")
    await until(lambda: worker.offered == ["s"])
    gate.cut()
    await until(lambda: _poked_again(api, worker))


def _poked_again(api: AmqpBus, worker: Worker) -> bool:
    api.ring("later")
    return "later" in worker.poked


async def test_who_starts_without_a_broker_is_connected_when_it_comes(office: Office, gate: Gate) -> None:
    gate.shut()
    worker = Worker()
    async with asyncio.timeout(3):
        bus = await office.bus(worker, url=through(gate))
    bus.changed(["nobody hears it yet"])
    api = await office.bus()
    api.ring("s")
    gate.open()
    await until(lambda: worker.offered == ["s"])


async def test_a_later_version_s_message_is_taken_from_the_queue(office: Office) -> None:
    worker = Worker()
    await office.bus(worker)
    async with await aio_pika.connect(AMQP) as connection:
        channel = await connection.channel()
        body = aio_pika.Message(b'{"v": 99, "kind": "work", "keys": ["s"], "from": "p"}')
        await channel.default_exchange.publish(body, routing_key=f"{office.prefix}.work")
    api = await office.bus()
    api.ring("s2")
    await until(lambda: worker.offered == ["s2"])
    assert await waiting(office) == 0
