"""Large stacks and many stacks: 10,000 resources in one, ten in each of a thousand."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from bench.apart import apart
from bench.server import Installation, Server
from bench.table import Figure
from bench.throughput import call, chained, create_and_wait, delete_and_wait, independent, wait

_CONFIG = "[engine]\nmax_resources_per_stack = 100000\nmax_stacks_per_tenant = 100000\n"
_SENDERS = 16


def measure(folder: Path, database: str | None, large: int, many: int) -> list[Figure]:
    """On SQLite, or on `database` (an SQLAlchemy URL, empty at first)."""
    head = "" if database is None else f"[DEFAULT]\ndatabase = {database}\n"
    with Server(folder / "scale", head + _CONFIG) as server:
        create_and_wait(server, "warm", independent(10))
        return [*_large(server, large, 5000 if database is None else 2500), *_many(server, many, None)]


def measure_apart(folder: Path, large: int, many: int, engines: int = 2) -> list[Figure]:
    """On PostgreSQL and RabbitMQ, the API and the engines each in a process of its own."""
    with apart(folder / "apart", engines) as server:
        create_and_wait(server, "warm", independent(10))
        figures = [*_large(server, large, 2500), *_many(server, many, 100)]
    return [replace(one, name=f"{engines} engines: {one.name}") for one in figures]


def _large(server: Installation, count: int, goal: float) -> list[Figure]:
    idle = server.memory_mb()
    made = create_and_wait(server, "large", independent(count))
    stack = call(server, "GET", "/stacks?name=large")["stacks"][0]
    began = time.perf_counter()
    call(server, "PUT", f"/stacks/large/{stack['id']}", {"template": independent(count)})
    wait(server, "large", "UPDATE_COMPLETE")
    unchanged = time.perf_counter() - began
    memory = server.memory_mb()
    gone = delete_and_wait(server, "large")
    chain = create_and_wait(server, "chain", chained(1000))
    return [
        Figure(f"create {count} independent", count / made, "res/s", goal, at_least=True),
        Figure(f"update {count} without a change", unchanged, "s", 2.0),
        Figure("memory then", memory, "MB", 250),
        Figure("memory more than idle", memory - idle, "MB"),
        Figure(f"delete {count}", count / gone, "res/s"),
        Figure("create a chain of 1000", 1000 / chain, "res/s", 300, at_least=True),
    ]


def _many(server: Installation, count: int, goal: float | None) -> list[Figure]:
    template = independent(10)
    cpu, began = server.cpu_seconds(), time.perf_counter()

    def create(number: int) -> None:
        call(server, "POST", "/stacks", {"stack_name": f"many-{number}", "template": template, "timeout_mins": 10})

    with ThreadPoolExecutor(_SENDERS) as senders:
        list(senders.map(create, range(count)))
    while call(server, "GET", "/stacks?status=IN_PROGRESS")["stacks"]:
        time.sleep(0.05)
    took, cpu = time.perf_counter() - began, server.cpu_seconds() - cpu
    return [
        Figure(f"{count} stacks of 10", count / took, "stacks/s", goal, at_least=True),
        Figure("CPU a stack of 10", cpu / count * 1000, "ms"),
    ]
