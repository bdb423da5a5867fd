"""The process that tries cases, one after the other, and says a line about each."""

from __future__ import annotations

import argparse
import gc
import json
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.corpus.examine import Outcome, Verdict
from tests.fuzz.cases import Case, Cases
from tests.fuzz.judge import Judge

MEGABYTES: Final = 200  # that the process may have while it tries a case
_ADDRESSES: Final = 4 * 1024**3  # bytes: the machine is not to be filled by a mistake
_FAILED: Final = (Verdict.CRASHED, Verdict.HUNG)


@dataclass(frozen=True, slots=True)
class Tried:
    """`megabytes` is the most that the process had meanwhile, `before` what it had when the case began."""

    outcome: Outcome
    megabytes: int
    before: int

    @property
    def failed(self) -> bool:
        return self.outcome.verdict in _FAILED or self.megabytes > MEGABYTES

    def describe(self) -> str:
        size = f"{self.megabytes} MB, {self.before} MB before it"
        findings = "; ".join(str(one)[:300] for one in self.outcome.findings[:5])
        said = f"{self.outcome.verdict}, {self.outcome.seconds:.2f} s, {size}"
        return "\n".join(part for part in (said, findings, self.outcome.trouble) if part)


def try_one(case: Case, judge: Judge | None = None) -> Tried:
    judge = judge or Judge()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # what making the case took is not counted
    before = _megabytes("VmRSS")
    outcome = judge.judge(case)
    return Tried(outcome, _megabytes("VmHWM"), before)


def _megabytes(of: str) -> int:
    """Resident megabytes now (`VmRSS`) or at most (`VmHWM`) since the peak was reset, after proc(5).

    Not getrusage's ru_maxrss: that one keeps what the parent had when it forked, over the exec.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, kilobytes = line.partition(":")
        if name == of:
            return int(kilobytes.split()[0]) // 1024
    raise LookupError(of)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--until", type=float, required=True)
    parser.add_argument("--corpus", type=Path)
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    cases, judge = Cases(arguments.seed, arguments.corpus), Judge()
    print(json.dumps({"ready": True}), flush=True)
    number = arguments.first
    while time.monotonic() < arguments.until:
        tried = try_one(cases.make(number), judge)
        said = {"verdict": tried.outcome.verdict, "seconds": tried.outcome.seconds, "megabytes": tried.megabytes,
                "failed": tried.failed, "described": tried.describe() if tried.failed else ""}  # fmt: skip
        print(json.dumps(said), flush=True)
        number += 1
        if tried.megabytes > MEGABYTES:
            break  # what it has kept of that is not the next case's fault: another process begins anew
        if tried.outcome.seconds > 0.2:
            gc.collect()


if __name__ == "__main__":
    sys.exit(main())
