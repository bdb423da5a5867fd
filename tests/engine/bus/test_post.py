"""Notifications on their way: in order, tried again, dropped with a word, and in nobody's way."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator

import pytest
import structlog

from engine.bus.notification import Notification, Undelivered
from engine.bus.post import Post
from tests.engine.runs.moment import Traffic, VirtualClock, drive

NOW = dt.datetime(2024, 5, 6, 7, 8, 9, 12, tzinfo=dt.UTC)


def notification(name: str) -> Notification:
    return Notification(name, f"orchestration.{name}", "INFO", "here", {}, NOW)


class Outlet:
    """Raises what it is to raise, then takes."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.taken, self.closed = list(errors), [], False
        self.asked_at: list[float] = []
        self.clock = VirtualClock()

    async def deliver(self, notification: Notification) -> None:
        self.asked_at.append(self.clock.monotonic())
        if self.errors:
            raise self.errors.pop(0)
        self.taken.append(notification.id)

    async def close(self) -> None:
        self.closed = True

    async def until(self, asked: int) -> None:
        await drive(self.clock, Traffic(), lambda: len(self.asked_at) >= asked)
        await Traffic().quiet()


@pytest.fixture
async def logs() -> AsyncIterator[list[dict[str, object]]]:
    with structlog.testing.capture_logs() as found:
        yield found


def _lost(logs: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(one["event_type"], one["error"]) for one in logs if one["log_level"] == "warning"]


def _post(outlet: Outlet, **more: int) -> Post:
    post = Post(outlet, clock=outlet.clock, **more)
    post.start()
    return post


async def test_in_their_order_and_the_outlet_is_closed_at_the_end() -> None:
    outlet = Outlet()
    post = _post(outlet)
    for name in "abc":
        post.send(notification(name))
    await post.stop()
    assert (outlet.taken, outlet.closed) == (["a", "b", "c"], True)


async def test_tried_again_after_growing_pauses(logs: list[dict[str, object]]) -> None:
    outlet = Outlet(*[Undelivered("away")] * 3)
    post = _post(outlet)
    post.send(notification("a"))
    await outlet.until(4)
    assert (outlet.asked_at, outlet.taken, _lost(logs)) == ([0, 0.5, 1.5, 3.5], ["a"], [])
    await post.stop()


async def test_after_some_attempts_it_is_dropped_with_a_word_and_the_next_has_its_turn(
    logs: list[dict[str, object]],
) -> None:
    outlet = Outlet(*[Undelivered("away")] * 4)
    post = _post(outlet)
    for name in "ab":
        post.send(notification(name))
    await outlet.until(5)
    assert (outlet.taken, _lost(logs)) == (["b"], [("orchestration.a", "away")])
    await post.stop()


async def test_of_too_many_the_oldest_is_dropped(logs: list[dict[str, object]]) -> None:
    outlet = Outlet()
    post = _post(outlet, most=2)
    for name in "abc":
        post.send(notification(name))
    await outlet.until(2)
    assert (outlet.taken, _lost(logs)) == (["b", "c"], [("orchestration.a", "too many wait")])
    await post.stop()


async def test_a_fault_stops_nothing(logs: list[dict[str, object]]) -> None:
    outlet = Outlet(ZeroDivisionError("a fault"))
    post = _post(outlet)
    for name in "ab":
        post.send(notification(name))
    await outlet.until(2)
    assert outlet.taken == ["b"]
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["a notification could not be delivered"]
    await post.stop()


async def test_a_stop_waits_for_a_moment_only(logs: list[dict[str, object]]) -> None:
    outlet = Outlet(*[Undelivered("away")] * 99)
    post = _post(outlet)
    for name in "ab":
        post.send(notification(name))
    stopping = asyncio.ensure_future(post.stop())
    await drive(outlet.clock, Traffic(), stopping.done)
    assert (outlet.clock.monotonic(), outlet.closed) == (2.0, True)
    assert _lost(logs) == [("orchestration.a", "the process stops"), ("orchestration.b", "the process stops")]
