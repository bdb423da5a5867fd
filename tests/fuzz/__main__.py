"""`make fuzz`: cases made at random, each taken its whole way without a cloud, for some time.

Fails where a case raises anything but findings, takes more than a second of processor time, or makes the process larger
than 200 MB. A case that fails is written to a folder, with the command that tries it again.
"""

from __future__ import annotations

import argparse
import json
import random
import selectors
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import IO, Any, Final

from tests.fuzz.cases import ROOT, Case, Cases

_SILENCE: Final = 30.0  # seconds without a word from the worker: it is in a loop that no signal reaches
_MOST_FAILURES: Final = 20  # places, each told once
_TRACEBACK: Final = "Traceback (most recent call last)"
_TELLING: Final = 4  # lines at the end of a traceback that tell the place


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, help="another one each time, unless it is given")
    parser.add_argument("--corpus", type=Path, help="a folder of more templates to begin with")
    parser.add_argument("--failures", type=Path, default=Path(".fuzz"), help="where cases that fail are written")
    parser.add_argument("--replay", type=Path, metavar="FOLDER", help="try one written case again")
    arguments = parser.parse_args()
    if arguments.replay is not None:
        return _replay(arguments.replay)
    seed = random.SystemRandom().randrange(2**31) if arguments.seed is None else arguments.seed
    return _Run(seed, arguments.corpus, arguments.failures).run(arguments.seconds)


def _replay(folder: Path) -> int:
    from tests.fuzz.worker import Tried, try_one

    tried: Tried = try_one(Case.read(folder))
    print(tried.describe())
    return 1 if tried.failed else 0


class _Run:
    """Watches a worker, and starts another where one has ended."""

    def __init__(self, seed: int, corpus: Path | None, failures: Path) -> None:
        self._seed, self._corpus, self._folder = seed, corpus, failures
        self._cases = Cases(seed, corpus)
        self._verdicts: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()  # by the place where they come to light
        self._slowest, self._largest = 0.0, 0

    def run(self, seconds: float) -> int:
        print(f"seed {self._seed}", flush=True)
        until, number = time.monotonic() + seconds, 0
        while time.monotonic() < until and len(self._failures) < _MOST_FAILURES:
            number = self._watch(number, until)
        said = ", ".join(f"{count} {name}" for name, count in sorted(self._verdicts.items()))
        print(f"{number} cases ({said}); slowest {self._slowest:.2f} s, largest {self._largest} MB; "
              f"{self._failures.total()} failed in {len(self._failures)} places")  # fmt: skip
        return 1 if self._failures else 0

    def _watch(self, first: int, until: float) -> int:
        """The number of the next case, after the worker that began with `first` has ended or had to be ended."""
        given = ["--seed", str(self._seed), "--first", str(first), "--until", str(until)]
        given += [] if self._corpus is None else ["--corpus", str(self._corpus)]
        worker = subprocess.Popen([sys.executable, "-m", "tests.fuzz.worker", *given], stdout=subprocess.PIPE, cwd=ROOT)
        assert worker.stdout is not None
        number = first
        try:
            while said := _line(worker.stdout):
                if "verdict" in said:
                    self._take(number, said)
                    number += 1
            if worker.wait() < 0:
                self._fail(number, f"the process ended by signal {-worker.returncode}")
                number += 1
            elif worker.returncode > 0:
                raise RuntimeError("the worker itself has failed")
        except TimeoutError:
            self._fail(number, f"no answer in {_SILENCE:g} s")
            number += 1
        finally:
            worker.kill()
            worker.wait()
            worker.stdout.close()
        return number

    def _take(self, number: int, said: dict[str, Any]) -> None:
        self._verdicts[said["verdict"]] += 1
        self._slowest, self._largest = max(self._slowest, said["seconds"]), max(self._largest, said["megabytes"])
        if said["failed"]:
            self._fail(number, said["described"])

    def _fail(self, number: int, described: str) -> None:
        """Told, and written, once for each place."""
        place = "\n".join(described.splitlines()[-_TELLING:]) if _TRACEBACK in described else described.split(",")[0]
        self._failures[place] += 1
        if self._failures[place] > 1:
            return
        folder = self._folder / f"{self._seed}-{number}"
        self._cases.make(number).write(folder)
        print(f"\ncase {number}: {described}\n  again: {sys.executable} -m tests.fuzz --replay {folder}\n", flush=True)


def _line(stream: IO[bytes]) -> dict[str, Any]:
    """What the worker says next, nothing where it has ended. Raises TimeoutError."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        if not selector.select(_SILENCE):
            raise TimeoutError
    line = stream.readline()
    return json.loads(line) if line else {}  # type: ignore[no-any-return]


if __name__ == "__main__":
    sys.exit(main())
