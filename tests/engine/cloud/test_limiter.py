"""AIMD: the limit halves when a service says 429 or 503, and comes back by and by."""

from __future__ import annotations

import asyncio

from engine.cloud.limiter import Limiter


async def test_a_refusal_halves_the_limit_once_for_all_that_were_under_way(virtual_clock):
    limiter = Limiter(32, virtual_clock)
    started = [await limiter.acquire() for _ in range(8)]
    virtual_clock.time += 1
    for time in started:
        limiter.release(time, refused=True)
    assert limiter.limit == 16
    virtual_clock.time += 1
    limiter.release(await limiter.acquire(), refused=True)
    assert limiter.limit == 8


async def test_the_limit_never_goes_below_one(virtual_clock):
    limiter = Limiter(4, virtual_clock)
    for _ in range(10):
        virtual_clock.time += 1
        limiter.release(await limiter.acquire(), refused=True)
    assert limiter.limit == 1


async def test_success_brings_it_back_up_to_the_ceiling(virtual_clock):
    limiter = Limiter(4, virtual_clock)
    virtual_clock.time += 1
    limiter.release(await limiter.acquire(), refused=True)
    for _ in range(30):
        limiter.release(await limiter.acquire(), refused=False)
    assert limiter.limit == 4


async def test_nothing_starts_before_retry_after(virtual_clock):
    limiter = Limiter(4, virtual_clock)
    limiter.release(await limiter.acquire(), refused=True, retry_after=5.0)
    task = asyncio.ensure_future(limiter.acquire())
    await virtual_clock.advance(4.9)
    assert not task.done()
    await virtual_clock.advance(0.2)
    assert task.done()


async def test_first_come_first_served(virtual_clock):
    limiter, order = Limiter(1, virtual_clock), []

    async def work(name):
        started = await limiter.acquire()
        order.append(name)
        await asyncio.sleep(0)
        limiter.release(started, refused=False)

    await asyncio.gather(*(work(name) for name in range(5)))
    assert order == [0, 1, 2, 3, 4]
    assert limiter.in_flight == 0


async def test_a_place_given_to_a_cancelled_waiter_goes_to_the_next(virtual_clock):
    limiter = Limiter(1, virtual_clock)
    started = await limiter.acquire()
    second, third = asyncio.ensure_future(limiter.acquire()), asyncio.ensure_future(limiter.acquire())
    await asyncio.sleep(0)
    limiter.release(started, refused=False)
    second.cancel()
    await virtual_clock.advance(0)
    assert third.done()
    assert not third.cancelled()
    assert limiter.in_flight == 1
