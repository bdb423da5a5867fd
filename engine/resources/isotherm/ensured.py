"""Types whose key is made of their properties and whose work may be repeated: nothing is looked up before it is done
again, so a crash costs no settle time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, TypeVar

from engine.cloud.errors import Temporary
from engine.model.value import Value
from engine.resources.base import Operation, ResourceType

T = TypeVar("T")

_ATTEMPTS = 5
_FIRST_PAUSE = 0.5  # seconds, doubled at each attempt


async def patiently(op: Operation, call: Callable[[], Awaitable[T]]) -> T:
    """Repeat what is safe to repeat while the cloud is unavailable or does not say what became of it."""
    pause = _FIRST_PAUSE
    for _ in range(_ATTEMPTS - 1):
        try:
            return await call()
        except Temporary as error:
            if op.services.monotonic() >= op.deadline:
                raise
            await op.services.sleep(error.retry_after or pause)
            pause *= 2
    return await call()


class Ensured(ResourceType):
    """`key` is the physical id, told without asking the cloud; `ensure` brings everything about, as often as asked."""

    service: ClassVar[str | None] = "network"

    def key(self, op: Operation) -> str:
        raise NotImplementedError

    async def ensure(self, op: Operation) -> Mapping[str, Value]:
        """Bring about what the properties say; return the attributes."""
        raise NotImplementedError

    async def create(self, op: Operation) -> str | None:
        return self.key(op)

    async def find(self, op: Operation) -> str | None:
        return self.key(op)

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        return await patiently(op, lambda: self.ensure(op))

    async def check(self, op: Operation) -> Mapping[str, Value]:
        return await self.read(op)
