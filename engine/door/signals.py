"""Signals from outside: wait conditions, creation policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.door.part import Part
from engine.model.errors import NotSupported, ResourceNotFound
from engine.model.stack import Caller
from engine.model.status import Action
from engine.model.value import Value


@dataclass(frozen=True, slots=True)
class Signal:
    """`status` SUCCESS or FAILURE; the same `unique_id` again is ignored or overwrites, as the type says."""

    status: str | None = None
    unique_id: str | None = None
    reason: str | None = None
    data: Value = None
    raw: Mapping[str, Value] = field(default_factory=dict)  # the body as it came


class Signals(Part):
    async def signal(self, caller: Caller, ref: str, address: str, signal: Signal) -> None:
        """Keep the signal and wake who waits for it. Raises NotSupported for types that take none."""
        stack = await self._live(caller, ref)
        rows = [r for r in await self._context.store.resources(stack.id) if r.exists and not r.condemned]
        found = [r for r in rows if r.address == address]
        if not found:
            raise ResourceNotFound(address, stack.name)
        if stack.action in (Action.SUSPEND, Action.DELETE):
            raise NotSupported(f"Signal resource during {stack.action} is not supported.")
        takers = [r for r in rows if r.address == address or r.group == address]
        if not any(not r.is_group and self._context.registry.get(r.type).signalable for r in takers):
            raise NotSupported(f"Resource {address} of type {found[0].type} takes no signals.")
        value = {
            "status": signal.status,
            "unique_id": signal.unique_id,
            "reason": signal.reason,
            "data": signal.data,
            "raw": dict(signal.raw),
        }
        places = {address, *(r.address for r in takers if not r.is_group)}
        for place in sorted(places):
            await self._context.store.add_signal(stack.id, place, signal.unique_id, value)
        self._context.watch.changed([f"{stack.id}/{place}" for place in places])
