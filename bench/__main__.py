"""Runs every measurement, most against a fresh `isotherm serve` or processes apart, and prints the table."""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from pathlib import Path

from bench import language, latency, makespan, scale, start, takeover, throughput
from bench.server import Server
from bench.table import Figure, render

_PARTS = ("language", "start", "throughput", "latency", "scale", "apart", "takeover", "makespan")

_SERVED = {"throughput", "latency"}  # what is measured on one server


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--resources", type=int, default=1000, help="no-op resources of a stack")
    parser.add_argument("--requests", type=int, default=2000, help="requests of each latency measurement")
    parser.add_argument("--large", type=int, default=10_000, help="no-op resources of the large stack")
    parser.add_argument("--stacks", type=int, default=1000, help="stacks of ten resources")
    parser.add_argument("--database", help="SQLAlchemy URL of an empty database, for the scale figures")
    parser.add_argument("--only", choices=_PARTS, action="append")
    arguments = parser.parse_args()
    wanted = set(arguments.only or _PARTS)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        if "language" in wanted:
            figures += language.measure()
        if "start" in wanted:
            figures += start.measure(Path(folder) / "start")
        if "scale" in wanted:
            figures += scale.measure(Path(folder), arguments.database, arguments.large, arguments.stacks)
        if "apart" in wanted:
            figures += scale.measure_apart(Path(folder), arguments.large, arguments.stacks)
        if "takeover" in wanted:
            figures += takeover.measure(Path(folder))
        if "makespan" in wanted:
            figures += makespan.measure(Path(folder))
        if wanted & _SERVED:
            with Server(Path(folder) / "state") as server:
                if "throughput" in wanted:
                    figures += throughput.measure(server, arguments.resources)
                if "latency" in wanted:
                    figures += latency.measure(server, arguments.requests)
                figures.append(Figure("memory after the runs", server.memory_mb(), "MB"))
    store = arguments.database or "SQLite"
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}, {store}")
    print(render(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
