"""What Neutron's types have in common: the mark in the description, tags by a call of their own, agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from engine.cloud.contract import Ready
from engine.cloud.errors import Conflict, NotFound
from engine.model.value import Value
from engine.resources.base import Operation
from engine.resources.openstack_type import OpenStackType

#: DOWN is what an object nobody uses yet is.
BUILT = Ready(ok=frozenset({"active", "down", "n/a"}))


class NeutronType(OpenStackType):
    service: ClassVar[str | None] = "network"
    shown_whole = True

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        row = await self.unmarked(op, await self.settled(op))
        wanted = op.properties.get("tags")
        if wanted is not None and set(wanted) != set(row.get("tags") or ()):
            # POST takes no tags (tokens.md §3), so they come with the first look at the object.
            await self.tag(op, wanted)
            row = {**row, "tags": list(wanted)}
        if await self.arrange(op, row):
            row = await self.read_row(op)
        return self.kept(op, row)

    async def arrange(self, op: Operation, row: Mapping[str, Any]) -> bool:
        """Bring about what else the object needs to be usable, safe to repeat; returns whether the object changed."""
        return False

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        if "tags" in changed:
            await self.tag(op, op.properties.get("tags") or [])
        body = await self.changes(op, changed)
        if body:
            await self.put(op, body)

    async def tag(self, op: Operation, tags: Sequence[str]) -> None:
        await self.call(op, "PUT", f"{self.path(op)}/tags", {"tags": list(tags)})

    async def set_agents(self, op: Operation, wanted: Sequence[str], mine: str, theirs: str, key: str) -> None:
        """Bring the object's agents to `wanted`: `mine` below the object lists them, `theirs` below the agent adds."""
        reply = await self.call(op, "GET", f"{self.path(op)}/{mine}")
        present = {str(agent["id"]) for agent in reply["agents"]}
        for agent in sorted(set(wanted) - present):
            try:
                await self.call(op, "POST", f"/agents/{agent}/{theirs}", {key: op.physical_id})
            except Conflict:
                continue  # somebody scheduled it there in the meantime
        for agent in sorted(present - set(wanted)):
            try:
                await self.call(op, "DELETE", f"/agents/{agent}/{theirs}/{op.physical_id}")
            except NotFound:
                continue
