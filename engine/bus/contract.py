"""What a bus is to the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Worker(Protocol):
    """Who runs stacks in this process. Nothing here raises."""

    def ring(self, stack_id: str) -> bool:
        """Take the stack's run, or look whether it has a newer operation. False: nothing is taken here any more."""
        ...

    def poke(self, stack_id: str) -> None:
        """Look, if this process runs the stack; else do nothing."""
        ...

    async def offer(self, stack_id: str) -> bool:
        """Take the stack's run if it is free; return when that is decided, and on disk. False: it has no room."""
        ...


@dataclass(frozen=True, slots=True)
class Hearing:
    """Who hears hints. `worker` None: this process runs nothing. `changed` wakes who waits for these stacks."""

    changed: Callable[[Sequence[str]], None]
    worker: Worker | None = None


class Bus(Protocol):
    """Giving a hint never waits and never fails."""

    async def start(self, hearing: Hearing) -> None:
        """Begin to hear and to tell. A bus whose broker is away starts all the same, and connects when it can."""
        ...

    async def stop(self) -> None: ...

    def ring(self, stack_id: str) -> None:
        """The stack has a new operation: whoever runs it must look, and whoever is free may take it."""
        ...

    def changed(self, keys: Sequence[str]) -> None:
        """Tell the other processes that these stacks, or `stack/address` for a signal, have changed."""
        ...
