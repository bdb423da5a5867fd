"""p50 and p95 by one client, requests a second by eight, with a stack of 100 resources present."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable

import aiohttp

from bench.clients import signed, token
from bench.server import Server
from bench.table import Figure
from bench.throughput import create_and_wait, independent

Prepared = tuple[str, str, bytes | None, dict[str, str]]  # method, URL, body, headers


def measure(server: Server, requests: int) -> list[Figure]:
    """Every request signed freshly, as a client does, but outside the measured time."""
    create_and_wait(server, "latency", independent(100, "OS::Heat::RandomString"))
    env = server.env()
    secret, project = token(server.cloud())

    def describe() -> Prepared:
        url, body, headers = signed(env, Action="DescribeStacks", StackName="latency")
        return "POST", url, body, headers

    def native() -> Prepared:
        return "GET", f"{server.url}/v1/{project}/stacks", None, {"X-Auth-Token": secret}

    return [
        *_figures("DescribeStacks", describe, requests, (1.5, 1000), "Heat 125 ms 9/s, LocalStack 1.8 ms 535/s"),
        *_figures("GET stacks", native, requests, (None, None), "Heat 22 ms 68/s"),
    ]


def _figures(
    name: str, make: Callable[[], Prepared], requests: int, goals: tuple[float | None, float | None], compared: str
) -> list[Figure]:
    one = asyncio.run(_send([[make() for _ in range(requests)]]))
    eight = asyncio.run(_send([[make() for _ in range(requests // 4)] for _ in range(8)]))
    ordered = sorted(one.seconds)
    return [
        Figure(f"{name} p50, one client", statistics.median(ordered) * 1000, "ms", goals[0], compared=compared),
        Figure(f"{name} p95, one client", ordered[int(len(ordered) * 0.95)] * 1000, "ms"),
        Figure(f"{name}, eight clients", len(eight.seconds) / eight.elapsed, "req/s", goals[1], at_least=True),
    ]


class _Result:
    def __init__(self, seconds: list[float], elapsed: float) -> None:
        self.seconds, self.elapsed = seconds, elapsed


async def _send(clients: list[list[Prepared]]) -> _Result:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        began = time.perf_counter()
        found = await asyncio.gather(*(_client(session, requests) for requests in clients))
        elapsed = time.perf_counter() - began
    return _Result([one for seconds in found for one in seconds], elapsed)


async def _client(session: aiohttp.ClientSession, requests: list[Prepared]) -> list[float]:
    seconds = []
    for method, url, body, headers in requests:
        began = time.perf_counter()
        async with session.request(method, url, data=body, headers=headers) as reply:
            await reply.read()
            if reply.status != 200:
                raise RuntimeError(f"{method} {url}: {reply.status} {await reply.text()}")
        seconds.append(time.perf_counter() - began)
    return seconds
