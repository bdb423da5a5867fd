"""How long a stack stands still when the engine that runs it dies."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.apart import Apart, apart
from bench.table import Figure
from bench.throughput import call
from tests.services.estate import GRACE, LEASE

_DEATHS = 4
_STEP = 0.1  # seconds each resource of the chain takes
_LONGEST = 60.0  # seconds


def measure(folder: Path) -> list[Figure]:
    """One engine after another is killed while it runs a long chain; the next one is there already."""
    with apart(folder / "takeover", 1) as server:
        call(server, "POST", "/stacks", {"stack_name": "chain", "template": _chain(1000), "timeout_mins": 60})
        stood = [_stood_still(server) for _ in range(_DEATHS)]
    return [
        Figure(f"take-over, lease {LEASE:g} s + grace {GRACE:g} s, longest of {_DEATHS}", max(stood), "s",
               LEASE + GRACE + 1),
        Figure("take-over, shortest", min(stood), "s"),
    ]  # fmt: skip


def _stood_still(server: Apart) -> float:
    """Seconds from the death of the engine that runs the stack to the next thing that happens to it."""
    _until(lambda: _happened(server))
    owner = server.engines.pop()
    server.engines.append(server.estate.engine())
    owner.signal(signal.SIGKILL)
    died = time.perf_counter()
    before = _happened(server)
    _until(lambda: _happened(server, after=before))
    return time.perf_counter() - died


def _happened(server: Apart, after: int = 0) -> int:
    """How many events there are, 0 when they are not more than `after`."""
    count = int(server.estate.rows("SELECT count(*) AS n FROM events")[0]["n"])
    return count if count > after else 0


def _until(seen: Callable[[], object]) -> None:
    deadline = time.monotonic() + _LONGEST
    while not seen():
        if time.monotonic() > deadline:
            raise RuntimeError("nobody goes on with the stack")
        time.sleep(0.02)


def _chain(count: int) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    for number in range(count):
        properties = {"action_wait_secs": {"create": _STEP}}
        resources[f"r{number}"] = {"type": "OS::Heat::TestResource", "properties": properties}
        if number:
            resources[f"r{number}"]["depends_on"] = f"r{number - 1}"
    return {"heat_template_version": "2018-08-31", "resources": resources}
