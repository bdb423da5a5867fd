"""Types that have no object outside the engine: the record is the resource."""

from __future__ import annotations

from collections.abc import Mapping

from engine.model.value import Value
from engine.resources.base import Operation, ResourceType


class LocalType(ResourceType):
    """`values` says what the attributes are; nothing is waited for."""

    local = True

    def values(self, op: Operation) -> Mapping[str, Value]:
        return {}

    async def create(self, op: Operation) -> str | None:
        return op.physical_name()

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        return self.values(op)

    async def read(self, op: Operation) -> Mapping[str, Value]:
        return self.values(op)

    async def live_attribute(self, op: Operation, name: str) -> Value:
        found = self.values(op)
        return found if name == "show" else found.get(name)
