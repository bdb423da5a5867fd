"""cfn-lint's advice on a template, asked of a separate process: it takes seconds of processor time (engine.md §5).

`Linter` belongs to the gateway and lives as long as it. Its one worker process starts with the first question, answers
one question at a time, and goes when it has been idle, has answered many, or takes too long. Advice is never worth an
error: what goes wrong here gives no findings. Run as a module (`python -m gateway.linting`) this file is the worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import importlib.metadata
import json
import logging
import os
import re
import struct
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, Final

from engine.model.diagnostic import Diagnostic, Severity, Span

_LOG = logging.getLogger(__name__)
_HEADER: Final = struct.Struct(">I")
_LARGEST_TEMPLATE: Final = 1_048_576  # bytes, cloudformation.md Q02
_LARGEST_ANSWER: Final = 16 * 1024 * 1024  # bytes
_MEMORY: Final = 2 * 1024**3  # bytes of address space of the worker
_FALLBACK_REGION: Final = "us-east-1"  # the region whose types cfn-lint knows best; ours have other names
_NATIVE_TYPE = re.compile(r"Resource type '(?:OS::|Custom::|[^']*\.(?:yaml|yml|template|json)')")
_ROOT: Final = Path(__file__).resolve().parents[1]  # where `gateway` can be imported from
_KEPT_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "HOME", "LANG", "LC_ALL")


class Linter:
    """Asks cfn-lint. Not for threads: all calls come from one event loop.

    `limit` seconds are the most a caller waits; `idle` seconds without a question end the worker, as do
    `questions_per_worker` questions. At most `waiting` callers queue; those beyond get no findings at once.
    """

    def __init__(
        self,
        *,
        limit: float = 10.0,
        idle: float = 60.0,
        waiting: int = 8,
        cached: int = 256,
        questions_per_worker: int = 200,
    ) -> None:
        self._limit, self._idle = limit, idle
        self._most_waiting, self._most_cached = waiting, cached
        self._questions_per_worker = questions_per_worker
        self._cache: OrderedDict[str, tuple[Diagnostic, ...]] = OrderedDict()
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._worker: asyncio.subprocess.Process | None = None
        self._answered = 0
        self._idler: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False

    async def lint(self, text: str, region: str, *, name: str = "template") -> tuple[Diagnostic, ...]:
        """Return cfn-lint's findings on a CloudFormation template as warnings; () when it could not be asked."""
        key = _key(text, region, name)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        if self._closed or self._waiting >= self._most_waiting or len(text.encode()) > _LARGEST_TEMPLATE:
            return ()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._limit), self._turn:
                if key not in self._cache:
                    if self._closed:
                        return ()
                    self._remember(key, _diagnostics(await self._ask(text, region), name))
                return self._cache[key]
        except TimeoutError:
            _LOG.warning("cfn-lint gave no answer within %s s", self._limit)
        except (OSError, EOFError, ValueError) as why:
            _LOG.warning("cfn-lint gave no answer: %s: %s", type(why).__name__, why)
        finally:
            self._waiting -= 1
        return ()

    async def close(self) -> None:
        """End the worker and wait until it is gone; later questions get no findings."""
        self._closed = True
        self._dismiss()  # whoever waits for its answer gets none
        async with self._turn:
            self._dismiss()  # one that was just starting
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _ask(self, text: str, region: str) -> list[dict[str, Any]]:
        """One question to the worker. A worker whose answer is not waited for is ended: its pipe is out of step."""
        if self._idler is not None:
            self._idler.cancel()
        worker = self._worker if self._worker is not None and self._worker.returncode is None else await self._start()
        try:
            assert worker.stdin is not None
            assert worker.stdout is not None
            worker.stdin.write(_frame({"text": text, "region": region}))
            await worker.stdin.drain()
            (size,) = _HEADER.unpack(await worker.stdout.readexactly(_HEADER.size))
            if size > _LARGEST_ANSWER:
                raise ValueError(f"an answer of {size} bytes")
            answer = json.loads(await worker.stdout.readexactly(size))
        except BaseException:
            self._dismiss()
            raise
        self._answered += 1
        if self._answered >= self._questions_per_worker:
            self._dismiss()
        else:
            self._idler = asyncio.get_running_loop().call_later(self._idle, self._dismiss)
        if "failure" in answer:
            raise ValueError(answer["failure"])
        found: list[dict[str, Any]] = answer["findings"]
        return found

    async def _start(self) -> asyncio.subprocess.Process:
        self._answered = 0
        self._worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway.linting",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=_ROOT,
            env={name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ},
        )
        if self._closed:
            self._dismiss()
            raise EOFError("the linter is closing")
        return self._worker

    def _dismiss(self) -> None:
        """End the worker without waiting; `close` waits for what is still going."""
        if self._idler is not None:
            self._idler.cancel()
            self._idler = None
        worker, self._worker = self._worker, None
        if worker is None:
            return
        if worker.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it may end by itself at this moment
                worker.kill()
        going = asyncio.get_running_loop().create_task(_gone(worker))
        self._closing.add(going)
        going.add_done_callback(self._closing.discard)

    def _remember(self, key: str, found: tuple[Diagnostic, ...]) -> None:
        self._cache[key] = found
        while len(self._cache) > self._most_cached:
            self._cache.popitem(last=False)


async def _gone(worker: asyncio.subprocess.Process) -> None:
    await worker.communicate()  # also closes the pipes


def _key(text: str, region: str, name: str) -> str:
    return hashlib.sha256("\0".join((_version(), region, name, text)).encode()).hexdigest()


@functools.cache
def _version() -> str:
    return importlib.metadata.version("cfn-lint")


def _frame(message: dict[str, Any]) -> bytes:
    body = json.dumps(message).encode()
    return _HEADER.pack(len(body)) + body


def _diagnostics(found: list[dict[str, Any]], name: str) -> tuple[Diagnostic, ...]:
    return tuple(
        Diagnostic(
            code=f"Lint{one['id']}",
            summary=one["message"],
            detail=f"cfn-lint {one['id']}: {one['rule']}.",
            address=".".join(one["path"]),
            span=Span(name, one["line"], one["column"]),
            severity=Severity.WARNING,
        )
        for one in found
    )


# --- the worker ---------------------------------------------------------------------------------------------------


def _serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer questions until there are no more."""
    while len(header := questions.read(_HEADER.size)) == _HEADER.size:
        (size,) = _HEADER.unpack(header)
        question = json.loads(questions.read(size))
        try:
            answer: dict[str, Any] = {"findings": _lint(question["text"], question["region"])}
        except Exception as why:  # cfn-lint fails in many ways on odd templates; none may end the worker
            answer = {"failure": f"{type(why).__name__}: {why}"[:500]}
        answers.write(_frame(answer))
        answers.flush()


def _lint(text: str, region: str) -> list[dict[str, Any]]:
    from cfnlint.api import lint
    from cfnlint.helpers import REGIONS

    matches = lint(text, regions=[region if region in REGIONS else _FALLBACK_REGION])
    return [
        {
            "id": match.rule.id,
            "rule": match.rule.shortdesc.rstrip("."),
            "message": match.message,
            "line": match.linenumber,
            "column": match.columnnumber,
            "path": [str(step) for step in getattr(match, "path", None) or ()],
        }
        for match in matches
        if not (match.rule.id == "E3006" and _NATIVE_TYPE.match(match.message))  # it knows no OS:: types
    ]


def _main() -> None:
    import resource

    os.nice(10)  # advice gives way to stacks
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever else is printed must not mix with answers
    _serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    _main()
