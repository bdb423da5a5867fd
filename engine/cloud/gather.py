"""Many questions for the rows of one object each become one: `GET /ports?device_id=a&device_id=b`.

Servers that become ready in the same round of the poll hub all want to know their ports; a list call each would cost
Neutron more than making them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from engine.model.clock import Clock

Rows = Sequence[dict[str, Any]]
Ask = Callable[[Sequence[str]], Awaitable[Rows]]

#: (service, path, filter): filters that may be given several times and then mean any of the values. Neutron's lists
#: take every filter so (API reference, "Filtering and Column Selection").
GATHERED: frozenset[tuple[str, str, str]] = frozenset({
    ("network", "/ports", "device_id"), ("network", "/networks", "id"), ("network", "/subnets", "id"),
})  # fmt: skip

_LINGER = 0.005  # seconds that a question waits for others
_MOST = 50  # values of one request: 50 UUIDs are 2.4 KB of a URL, which servers cut at 8 KB


def gathered(service: str, path: str, params: Mapping[str, str] | None) -> tuple[str, str] | None:
    """The filter and its value when the question is one that can be asked along with others."""
    if params is None or len(params) != 1:
        return None
    ((name, value),) = params.items()
    return (name, value) if (service, path, name) in GATHERED else None


class Gatherer:
    """One per cloud. Questions of different keys (project, service, path) are never asked together."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[tuple[str, ...], dict[str, asyncio.Future[Rows]]] = {}
        self._rounds: set[asyncio.Task[None]] = set()

    async def rows(self, key: tuple[str, ...], name: str, value: str, ask: Ask) -> Rows:
        """The rows whose field `name` is `value`. Raises what `ask` raises."""
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = {}
            task = asyncio.ensure_future(self._round(key, name, ask))
            self._rounds.add(task)
            task.add_done_callback(self._rounds.discard)
        if value not in waiting:
            waiting[value] = asyncio.get_running_loop().create_future()
        # Others may wait for the same answer.
        return await asyncio.shield(waiting[value])

    async def _round(self, key: tuple[str, ...], name: str, ask: Ask) -> None:
        await self._clock.sleep(_LINGER)
        waiting = self._waiting.pop(key)
        values = list(waiting)
        for start in range(0, len(values), _MOST):
            some = values[start : start + _MOST]
            try:
                found = await ask(some)
            except Exception as error:
                for value in some:
                    waiting[value].set_exception(error)
                    waiting[value].exception()  # asked for, so that an abandoned waiter leaves no warning
                continue
            for value in some:
                waiting[value].set_result([row for row in found if row.get(name) == value])
