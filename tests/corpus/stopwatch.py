"""A limit on the processor time of this process."""

from __future__ import annotations

import signal
import time
from types import FrameType, TracebackType
from typing import Self


class TooLong(BaseException):
    """Not an Exception: nothing on the way may take it for a mistake of the template."""


class Stopwatch:
    """`with` it measures; raises TooLong once all that was measured together reaches the limit."""

    def __init__(self, limit: float) -> None:
        self.seconds, self._limit, self._start = 0.0, limit, 0.0

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGPROF, _stop)
        self._start = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, max(self._limit - self.seconds, 0.001))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, self._before)
        self.seconds += time.process_time() - self._start


def _stop(number: int, frame: FrameType | None) -> None:
    raise TooLong
