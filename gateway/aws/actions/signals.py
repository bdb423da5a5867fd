"""Signals of servers to their stack (cloudformation.md A25, N13)."""

from __future__ import annotations

from engine.door import Signal
from gateway.aws.call import Call


async def signal_resource(call: Call) -> None:
    stack = await call.stack(call.input["StackName"], deleted=False)
    signal = Signal(status=call.input["Status"], unique_id=call.input["UniqueId"])
    await call.engine.signal(call.caller, stack.id, call.input["LogicalResourceId"], signal)
