"""From exec to ready, and the memory of a server that does nothing."""

from __future__ import annotations

import shutil
import statistics
import time
from pathlib import Path

from bench.server import Server
from bench.table import Figure

_TIMES = 5


def measure(folder: Path) -> list[Figure]:
    """Cold state each time; the median of five."""
    seconds, memory = [], 0.0
    for turn in range(_TIMES):
        with Server(folder / str(turn)) as server:
            seconds.append(server.ready_seconds)
            if turn == _TIMES - 1:
                time.sleep(3)
                memory = server.memory_mb()
        shutil.rmtree(folder / str(turn))
    return [
        Figure("ready after a cold start", statistics.median(seconds), "s", 1.5),
        Figure("idle memory", memory, "MB", 120, compared="Heat 580"),
    ]
