"""Resources that are stacks of their own: the child is made, waited for and deleted by the runner's services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.model.status import Action
from engine.model.value import Value
from engine.resources.base import Nested, Operation, ResourceType

#: Where the child's outputs are kept among the attributes.
OUTPUTS = "outputs"


class NestedType(ResourceType):
    """A type says what its child is; the physical id is the child's stack id."""

    nested = True
    saves = True
    race_safe = True  # the child's id is made from the token, so making it again finds it

    async def child(self, op: Operation) -> Nested:
        raise NotImplementedError

    async def gathered(self, op: Operation, outputs: Mapping[str, Value]) -> dict[str, Any]:
        """The attributes to keep once the child is complete."""
        return {OUTPUTS: dict(outputs)}

    async def create(self, op: Operation) -> str | None:
        return await op.services.start_nested(op, await self.child(op))

    async def adopt(self, op: Operation, given: Mapping[str, Value]) -> str | None:
        """The child adopts what the parent's export tells of its resources."""
        resources = given.get("resources")
        if not isinstance(resources, Mapping):
            return None
        return await op.services.start_nested(op, await self.child(op), adopt=resources)

    async def find(self, op: Operation) -> str | None:
        return await op.services.find_nested(op) if op.physical_id is None else op.physical_id

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        assert op.physical_id is not None
        return await self.gathered(op, await op.services.nested_done(op.physical_id))

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        await op.services.start_nested(op, await self.child(op))

    async def delete(self, op: Operation) -> None:
        if op.physical_id is not None:
            await op.services.delete_nested(op.physical_id)

    async def suspend(self, op: Operation) -> None:
        assert op.physical_id is not None
        await op.services.act_nested(op.physical_id, Action.SUSPEND)

    async def resume(self, op: Operation) -> None:
        assert op.physical_id is not None
        await op.services.act_nested(op.physical_id, Action.RESUME)

    async def check(self, op: Operation) -> Mapping[str, Value]:
        assert op.physical_id is not None
        await op.services.act_nested(op.physical_id, Action.CHECK)
        return await self.read(op)

    async def save(self, op: Operation, name: str) -> Mapping[str, Value]:
        assert op.physical_id is not None
        return {"snapshot_id": await op.services.save_nested(op.physical_id, name)}

    async def restore(self, op: Operation, saved: Mapping[str, Value]) -> None:
        assert op.physical_id is not None
        await op.services.restore_nested(op.physical_id, saved["snapshot_id"])

    async def discard(self, op: Operation, saved: Mapping[str, Value]) -> None:
        await op.services.discard_nested(op, saved["name"])

    async def read(self, op: Operation) -> Mapping[str, Value]:
        assert op.physical_id is not None
        return await self.gathered(op, await op.services.nested_done(op.physical_id))
