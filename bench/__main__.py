"""Runs every measurement against a fresh `isotherm serve` and prints the table."""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from pathlib import Path

from bench import latency, start, throughput
from bench.server import Server
from bench.table import Figure, render


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--resources", type=int, default=1000, help="no-op resources of a stack")
    parser.add_argument("--requests", type=int, default=2000, help="requests of each latency measurement")
    parser.add_argument("--only", choices=("start", "throughput", "latency"), action="append")
    arguments = parser.parse_args()
    wanted = set(arguments.only or ("start", "throughput", "latency"))
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        if "start" in wanted:
            figures += start.measure(Path(folder) / "start")
        with Server(Path(folder) / "state") as server:
            if "throughput" in wanted:
                figures += throughput.measure(server, arguments.resources)
            if "latency" in wanted:
                figures += latency.measure(server, arguments.requests)
            figures.append(Figure("memory after the runs", server.memory_mb(), "MB"))
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}, SQLite, one process")
    print(render(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
