"""Notifications reach a listener of oslo.messaging's topics on RabbitMQ, frame by frame."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from tests.services.estate import RABBIT, Estate, estate_fixture
from tests.services.test_many_engines import ends, slow

pytestmark = pytest.mark.services

AMQP = RABBIT.replace("rabbit://", "amqp://")
WITHIN = 20.0
_OPTIONS = """
[DEFAULT]
control_exchange = {name}
default_publisher_id = orchestration.test
[oslo_messaging_notifications]
driver = messagingv2
topics = {name}
"""


@pytest.fixture
def name() -> Iterator[str]:
    """Of an exchange and a topic that nobody else has."""
    made = f"notifications-{uuid.uuid4().hex[:10]}"
    yield made
    asyncio.run(_forget(made))


async def _forget(name: str) -> None:
    async with await aio_pika.connect(AMQP) as connection:
        channel = await connection.channel()
        for level in ("info", "error"):
            await channel.queue_delete(f"{name}.{level}")
        await channel.exchange_delete(name)


@pytest.fixture
def estate(tmp_path: Path, name: str) -> Iterator[Estate]:
    yield from estate_fixture(tmp_path, cloud=_OPTIONS.format(name=name))


async def _heard(queue: str, count: int) -> list[tuple[Any, dict[str, Any]]]:
    """So many messages of a queue that is declared as oslo.messaging declares it, which fails where another is."""
    found = []
    async with await aio_pika.connect(AMQP) as connection, asyncio.timeout(WITHIN):
        channel = await connection.channel()
        declared = await channel.declare_queue(queue, durable=False, auto_delete=False)
        async with declared.iterator() as messages:
            async for message in messages:
                await message.ack()
                found.append((message, json.loads(message.body)))
                if len(found) == count:
                    break
    return found


def test_enge_04_enge_05_a_stack_is_told_of_in_oslo_messagings_frames(estate: Estate, name: str) -> None:
    heat = estate.heat(estate.api())
    estate.engine()
    stack = heat.create_stack(name="s", template=slow(0.1), tags="web")
    ends(heat, "s")
    heard = asyncio.run(_heard(f"{name}.info", 2))

    for message, outer in heard:
        assert (message.exchange, message.routing_key) == (name, f"{name}.info")
        assert (message.content_type, message.content_encoding) == ("application/json", "utf-8")
        assert (set(outer), outer["oslo.version"]) == ({"oslo.version", "oslo.message"}, "2.0")
    start, end = (json.loads(outer["oslo.message"]) for _, outer in heard)
    project = heat.get_project_id()
    assert {one: end[one] for one in ("publisher_id", "event_type", "priority")} == {
        "publisher_id": "orchestration.test",
        "event_type": "orchestration.stack.create.end",
        "priority": "INFO",
    }
    assert start["event_type"] == "orchestration.stack.create.start"
    assert (end["_context_tenant_id"], end["_unique_id"]) == (project, end["message_id"].replace("-", ""))
    shown = heat.get_stack(stack.id)
    assert end["payload"] == {
        "tenant_id": project, "user_id": "demo", "user_identity": end["_context_user_id"], "username": "demo",
        "stack_identity": stack.id, "stack_name": "s", "state": "CREATE_COMPLETE",
        "state_reason": shown.status_reason, "create_at": shown.created_at, "updated_at": None,
        "description": start["payload"]["description"], "tags": ["web"],
    }  # fmt: skip
