"""`python -m simulator`: a simulated OpenStack as a process of its own, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from simulator.server import Simulator
from simulator.settings import Settings


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000, help="0 takes a free one")
    parser.add_argument("--state-file", type=Path, help="kept over restarts; without it all is in memory")
    parser.add_argument(
        "--build-seconds", type=float, default=Settings().build_seconds, help="until a server is ACTIVE"
    )
    parser.add_argument("--delete-seconds", type=float, default=Settings().delete_seconds)
    parser.add_argument("--delay-ms", type=float, default=0.0, help="added to every request")
    given = parser.parse_args()
    settings = Settings(
        state_file=given.state_file, build_seconds=given.build_seconds, delete_seconds=given.delete_seconds,
        delay_ms=given.delay_ms,
    )  # fmt: skip
    try:
        asyncio.run(_serve(settings, given.host, given.port))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The simulator cannot start: {error}\n")
        return 1
    return 0


async def _serve(settings: Settings, host: str, port: int) -> None:
    simulator = Simulator(settings)
    await simulator.start(host, port)
    sys.stdout.write(f"The simulated OpenStack is at {simulator.auth_url} (admin/secret, demo/demo)\n")
    sys.stdout.flush()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    await ended.wait()
    await simulator.stop()


if __name__ == "__main__":
    sys.exit(main())
