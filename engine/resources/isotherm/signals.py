"""Waiting for signals that come to another address of the stack (CreationPolicy, cloudformation.md L82)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed
from engine.resources.declare import anything, between, integer, string
from engine.resources.duration import seconds
from engine.resources.heat import wait_condition_handle as heat
from engine.resources.heat.local import LocalType
from engine.resources.heat.wait_condition import SUCCESS, received
from engine.resources.patience import mark_of, patience


class SignalBox(LocalType):
    """Takes the signals of `of`; a new one starts without any, so it is made before whatever sends them."""

    name = "Isotherm::SignalBox"
    signalable = True
    properties = {"of": string(required=True), "made_for": anything()}

    async def create(self, op: Operation) -> str | None:
        await op.services.clear_signals(replace(op, address=op.properties["of"]))
        return op.physical_name()


class WaitConditionHandle(heat.WaitConditionHandle):
    """A handle that takes as much data as CloudFormation's does (cloudformation.md Q17)."""

    name = "Isotherm::WaitConditionHandle"
    most_signal_bytes = 4096


class Signals(LocalType):
    """Complete when `count` signals have come to `of`; a signal of failure, or too few in time, fails it. With
    `percent` so many of the hundred are enough.

    `timeout`: seconds, or a duration of ISO 8601 (`PT15M`).
    """

    name = "Isotherm::Signals"
    properties = {
        "of": string(required=True),
        "count": integer(between(0), default=1, mutable=True),
        "timeout": string(default="PT5M", mutable=True),
        "percent": integer(between(0, 100), default=100, mutable=True),
        "made_for": anything(),
    }

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        timeout = properties.get("timeout")
        if isinstance(timeout, str) and seconds(timeout) is None:
            return [f"timeout: {timeout!r} is no duration; write PT15M for fifteen minutes"]
        return ()

    async def create(self, op: Operation) -> str | None:
        box = replace(op, address=op.properties["of"])
        async with patience(op, seconds(op.properties["timeout"]) or 0, mark_of(op.properties)) as until:
            await enough(box, op.properties["count"], op.properties["percent"], until)
        return op.physical_name()


async def enough(box: Operation, wanted: int, percent: int, until: float, but: Collection[str] = ()) -> None:
    """Return when `percent` of `wanted` signals of success have come, those with ids in `but` aside. Raises
    OperationFailed when too many told of a failure, or too few came `until` that moment."""
    needed = math.ceil(wanted * percent / 100)
    while True:
        signals = [one for one in received(await box.services.signals(box)) if one.id not in but]
        failures = [signal for signal in signals if signal.status != SUCCESS]
        if len(failures) > wanted - needed:
            told = "; ".join(dict.fromkeys(signal.reason for signal in failures))
            raise OperationFailed(f"Received FAILURE signal with UniqueId {failures[0].id}: {told}")
        if len(signals) - len(failures) >= needed:
            return
        left = until - box.services.monotonic()
        if left <= 0:
            raise OperationFailed(
                f"Failed to receive {needed} resource signal(s) within the specified duration: "
                f"{len(signals) - len(failures)} of {needed} received"
            )
        await box.services.wait_signal(box, left)
