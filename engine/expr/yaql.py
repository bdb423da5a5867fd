"""YAQL (heat.md TF-15), evaluated in a process of its own that the kernel keeps small.

Evaluation is a plain function, so the caller waits: an ordinary expression takes about a millisecond, a hostile one
`CPU_SECONDS` of the worker and then its process, once; the same question is refused at once afterwards. Asynchronous
callers evaluate beside the event loop (`engine.model.aside`, `foreseen`). An in-process evaluation cannot be bounded:
the library dispatches little of what an expression can make it do.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import select
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from pathlib import Path

from engine.model.aside import aside
from engine.model.diagnostic import Invalid
from engine.model.value import Value

_WORKER = Path(__file__).with_name("yaql_worker.py")
_SECONDS = 5.0  # for an answer, whatever else the machine does
_START_SECONDS = 20.0
_MOST_CHARACTERS = 10_000  # of an expression
_MOST_BYTES = 4 * 1024 * 1024  # of a question, and of an answer
_REMEMBERED = 256  # questions that had no answer


class YaqlFailed(Exception):
    """The expression cannot be parsed, evaluated or afforded; the text is for the user."""


def evaluate_yaql(expression: str, data: Value) -> Value:
    """The value of `expression` over `$.data`. Raises YaqlFailed, nothing else."""
    known = _known.get()
    if known is None:
        return _worker.ask({"expression": expression, "data": data})
    try:
        question = json.dumps([expression, data])
    except (TypeError, ValueError, RecursionError):
        return _worker.ask({"expression": expression, "data": data})  # which says what is wrong with the data
    if question not in known:
        known[question] = _told(expression, data)
    value, failed = known[question]
    if failed is not None:
        raise YaqlFailed(failed)
    return value


async def foreseen(work: Callable[[], object]) -> None:
    """Do `work`, an evaluation of what will be evaluated soon, beside the event loop: the answers that it gets are kept
    for the running task, so that its own evaluation need not wait. What `work` is refused is left to that one."""
    _known.set({})
    await aside(partial(_tried, work))


def _tried(work: Callable[[], object]) -> None:
    try:
        work()
    except Invalid:
        return  # raised again, and told, where the value is used


def _told(expression: str, data: Value) -> tuple[Value, str | None]:
    try:
        return _worker.ask({"expression": expression, "data": data}), None
    except YaqlFailed as error:
        return None, str(error)


#: Answers by question, of one task.
_known: ContextVar[dict[str, tuple[Value, str | None]] | None] = ContextVar("_known", default=None)


@functools.lru_cache(maxsize=256)
def check_yaql(expression: str) -> None:
    """Whether it can be parsed, for data that are not known yet. Raises YaqlFailed when not."""
    _worker.ask({"expression": expression, "only_parse": True})


class _Worker:
    """Starts the process when it is first needed, and again when it has ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._hopeless: OrderedDict[bytes, None] = OrderedDict()

    def ask(self, question: dict[str, Value]) -> Value:
        if len(question["expression"]) > _MOST_CHARACTERS:
            raise YaqlFailed(f"it is longer than {_MOST_CHARACTERS} characters")
        try:
            line = json.dumps(question).encode() + b"\n"
        except (TypeError, ValueError, RecursionError) as error:
            raise YaqlFailed(f"its data are no JSON: {error}") from error
        if len(line) > _MOST_BYTES:
            raise YaqlFailed(f"its data are larger than {_MOST_BYTES} bytes")
        key = hashlib.sha256(line).digest()
        with self._lock:
            if key in self._hopeless:
                raise YaqlFailed("it takes too long")
            answer = self._exchange(line)
            if answer is None:
                self._hopeless[key] = None
                if len(self._hopeless) > _REMEMBERED:
                    self._hopeless.popitem(last=False)
                raise YaqlFailed("it takes too long")
        if "error" in answer:
            raise YaqlFailed(str(answer["error"]))
        return answer["value"]

    def _exchange(self, line: bytes) -> dict[str, Value] | None:
        """The answer, or None when the process ended or had to be ended."""
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(line)
            process.stdin.flush()
            return self._read(process, _SECONDS)
        except (BrokenPipeError, _Silent):
            self.stop()
            return None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._process = subprocess.Popen(  # noqa: S603  (our own file, no shell)
                [sys.executable, "-I", str(_WORKER)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
                start_new_session=True,
            )  # fmt: skip
            try:
                self._read(self._process, _START_SECONDS)
            except _Silent as error:
                self.stop()
                raise YaqlFailed("its evaluator does not start") from error
        return self._process

    @staticmethod
    def _read(process: subprocess.Popen[bytes], seconds: float) -> dict[str, Value]:
        """One line. Raises _Silent when the process ends, is late or says too much."""
        assert process.stdout is not None
        until = time.monotonic() + seconds
        poll = select.poll()
        poll.register(process.stdout, select.POLLIN)
        parts: list[bytes] = []
        size = 0
        while True:
            left = until - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise _Silent
            part = process.stdout.read(65536)
            size += len(part or b"")
            if not part or size > _MOST_BYTES:
                raise _Silent
            parts.append(part)
            if part.endswith(b"\n"):
                found: dict[str, Value] = json.loads(b"".join(parts))
                return found

    def stop(self) -> None:
        """End the process; the next question starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


class _Silent(Exception):
    """No answer."""


_worker = _Worker()
atexit.register(_worker.stop)
