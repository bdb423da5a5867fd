"""Processes apart to measure: `isotherm api` and engines on PostgreSQL and RabbitMQ, as for the services tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from bench.server import cpu_seconds, resident_mb
from tests.services.estate import Estate, Process

_LIMITS = "max_resources_per_stack = 100000\nmax_stacks_per_tenant = 100000"


class Apart:
    """What a measurement asks of an installation; `url` is the native API's."""

    def __init__(self, estate: Estate, engines: int) -> None:
        self.estate = estate
        self.engines: list[Process] = [estate.engine() for _ in range(engines)]
        self._api = estate.api()
        self.url = self._api.where

    def cloud(self) -> dict[str, Any]:
        entry: dict[str, Any] = yaml.safe_load(self.estate.clouds_yaml.read_text(encoding="utf-8"))["clouds"]["demo"]
        return entry

    def memory_mb(self) -> float:
        """Of the process that holds most."""
        return max(resident_mb(one.pid) for one in (self._api, *self.engines))

    def cpu_seconds(self) -> float:
        """Of all of them."""
        return sum(cpu_seconds(one.pid) for one in (self._api, *self.engines))


@contextmanager
def apart(folder: Path, engines: int) -> Iterator[Apart]:
    """Database, broker's queues and processes for as long as the block lasts."""
    folder.mkdir()
    estate = Estate(folder, engine=_LIMITS)
    try:
        yield Apart(estate, engines)
    finally:
        estate.close()
