"""OS::Heat::WaitCondition: complete when its handle has had enough signals (ENGA-08, ENGA-09)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed
from engine.resources.declare import attribute, between, integer, number, string
from engine.resources.heat.local import LocalType
from engine.resources.patience import mark_of, patience

SUCCESS, FAILURE = "SUCCESS", "FAILURE"


class WaitCondition(LocalType):
    name = "OS::Heat::WaitCondition"
    properties = {
        "handle": string(required=True),
        "timeout": number(between(1, 43200), required=True),
        "count": integer(between(1), default=1, mutable=True),
    }
    attributes = {"data": attribute(live=True)}

    async def create(self, op: Operation) -> str | None:
        await self._wait(op)
        return op.physical_name()

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        return {"data": _data(received(await op.services.signals(await self._handle(op))))}

    async def read(self, op: Operation) -> Mapping[str, Value]:
        return await self.ready(op)

    async def live_attribute(self, op: Operation, name: str) -> Value:
        found = await self.ready(op)
        return found if name == "show" else found.get(name)

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        await self._wait(op)

    async def _handle(self, op: Operation) -> Operation:
        """The handle's operation, whose signals are waited for. Raises OperationFailed."""
        address = await op.services.signalled_address(op.properties["handle"])
        if address is None:
            raise OperationFailed(
                f"The handle {op.properties['handle']} is not a wait condition handle of this stack; "
                "give `{get_resource: <handle>}`"
            )
        return replace(op, address=address)

    async def _wait(self, op: Operation) -> None:
        handle = await self._handle(op)
        async with patience(op, float(op.properties["timeout"]), mark_of(op.properties)) as until:
            await _enough(handle, op.properties["count"], until)


async def _enough(handle: Operation, wanted: int, until: float) -> None:
    while True:
        signals = received(await handle.services.signals(handle))
        failures = [signal for signal in signals if signal.status != SUCCESS]
        if failures:
            raise OperationFailed(";".join(signal.reason for signal in failures))
        if len(signals) >= wanted:
            return
        left = until - handle.services.monotonic()
        if left <= 0:
            told = "; ".join(signal.reason for signal in signals)
            heard = f"WaitCondition timed out. {len(signals)} of {wanted} received"
            raise OperationFailed(f"{heard} - {told}" if told else heard)
        await handle.services.wait_signal(handle, left)


@dataclass(frozen=True, slots=True)
class Signal:
    id: str
    status: str
    reason: str
    data: Value


def received(signals: Sequence[Mapping[str, Value]]) -> list[Signal]:
    """Signals by id, in order of their first coming; the same id again takes the place of the one before.

    Whatever is not told is made up as the native API does: status SUCCESS, the number as id.
    """
    found: dict[str, Signal] = {}
    for one in signals:
        identity = str(one.get("unique_id") or len(found) + 1)
        status = str(one.get("status") or SUCCESS)
        reason = str(one.get("reason") or f"Signal {identity} received")
        found[identity] = Signal(identity, status, reason, one.get("data"))
    return list(found.values())


def _data(signals: Sequence[Signal]) -> str:
    shown: dict[str, Any] = {signal.id: signal.data for signal in signals}
    return json.dumps(shown)
