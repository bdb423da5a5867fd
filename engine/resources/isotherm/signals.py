"""Waiting for signals that come to another address of the stack (CreationPolicy, cloudformation.md L82)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed
from engine.resources.declare import anything, between, integer, string
from engine.resources.heat import wait_condition_handle as heat
from engine.resources.heat.local import LocalType
from engine.resources.heat.wait_condition import SUCCESS, received

_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")


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
    """Complete when `count` signals have come to `of`; a signal of failure, or too few in time, fails it.

    `timeout`: seconds, or a duration of ISO 8601 (`PT15M`).
    """

    name = "Isotherm::Signals"
    properties = {
        "of": string(required=True),
        "count": integer(between(0), default=1, mutable=True),
        "timeout": string(default="PT5M", mutable=True),
        "made_for": anything(),
    }

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        timeout = properties.get("timeout")
        if isinstance(timeout, str) and seconds(timeout) is None:
            return [f"timeout: {timeout!r} is no duration; write PT15M for fifteen minutes"]
        return ()

    async def create(self, op: Operation) -> str | None:
        box = replace(op, address=op.properties["of"])
        wanted, patience = op.properties["count"], seconds(op.properties["timeout"]) or 0
        until = min(op.services.monotonic() + patience, op.deadline)
        while True:
            signals = received(await op.services.signals(box))
            failures = [signal for signal in signals if signal.status != SUCCESS]
            if failures:
                told = "; ".join(dict.fromkeys(signal.reason for signal in failures))
                raise OperationFailed(f"Received FAILURE signal with UniqueId {failures[0].id}: {told}")
            if len(signals) >= wanted:
                return op.physical_name()
            left = until - op.services.monotonic()
            if left <= 0:
                raise OperationFailed(
                    f"Failed to receive {wanted} resource signal(s) within the specified duration: "
                    f"{len(signals)} of {wanted} received"
                )
            await op.services.wait_signal(box, left)


def seconds(text: str) -> float | None:
    """Seconds of `90` or `PT1M30S`; None for anything else."""
    try:
        return float(text)
    except ValueError:
        found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    hours, minutes, rest = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest
