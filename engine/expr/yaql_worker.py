"""The process in which YAQL is evaluated: one JSON line in, one JSON line out, until its input ends.

Run by its path, on its own; it imports nothing of ours. Memory and processor time are limited by the kernel, which ends
the process when an evaluation takes more: the library's own limits leave holes (a list times a billion, loops inside
loops, powers, backtracking patterns).
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from collections.abc import Mapping
from typing import Any

MEMORY = 512 * 1024 * 1024
CPU_SECONDS = 0.5  # of one evaluation
# Heat's limits ([yaql] limit_iterators, memory_quota).
ITERATORS, QUOTA = 200, 10_000


def main() -> None:
    import yaql

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    engine = yaql.YaqlFactory().create({"yaql.limitIterators": ITERATORS, "yaql.memoryQuota": QUOTA})
    context = yaql.create_context()
    print(json.dumps({"ready": True}), flush=True)  # noqa: T201  (the protocol)
    for line in sys.stdin:
        asked = json.loads(line)
        # Nobody handles the signal, so it ends the process, even inside a loop of the interpreter's own.
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        answer = _answer(engine, context, asked)
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(answer, flush=True)  # noqa: T201


def _answer(engine: Any, context: Any, asked: Mapping[str, Any]) -> str:
    try:
        parsed = engine(asked["expression"])
        if asked.get("only_parse"):
            return json.dumps({"value": None})
        found = parsed.evaluate(data={"data": asked["data"]}, context=context.create_child_context())
        return json.dumps({"value": _plain(found)}, allow_nan=False)
    except MemoryError:
        return json.dumps({"error": "it takes too much memory"})
    except RecursionError:
        return json.dumps({"error": "it is nested too deeply"})
    except KeyError as error:
        return json.dumps({"error": f"there is no key {error}"})
    except Exception as error:  # the library lets through whatever the functions it calls raise
        name = type(error).__name__
        said = f"{error}" if name.startswith("Yaql") else f"{name}: {error}"
        return json.dumps({"error": said.rstrip(".")[:500]})


def _plain(value: Any) -> Any:
    """JSON of what the library gives: sets and iterators become lists, dates text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset) or hasattr(value, "__next__"):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


if __name__ == "__main__":
    main()
