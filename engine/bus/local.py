"""The bus of a process that is alone."""

from __future__ import annotations

from collections.abc import Sequence

from engine.bus.contract import Hearing


class LocalBus:
    """Rings reach the process's own engine at once; there is nobody else to tell."""

    def __init__(self) -> None:
        self._hearing: Hearing | None = None

    async def start(self, hearing: Hearing) -> None:
        self._hearing = hearing

    async def stop(self) -> None:
        self._hearing = None

    def ring(self, stack_id: str) -> None:
        if self._hearing is not None and self._hearing.worker is not None:
            self._hearing.worker.ring(stack_id)

    def changed(self, keys: Sequence[str]) -> None:
        return
