"""Guards of a stack: termination protection and the stack policy (cloudformation.md A09 to A11, B12, B13)."""

from __future__ import annotations

from typing import Any

from gateway.aws.actions.inputs import policy_text
from gateway.aws.call import Call
from gateway.aws.faults import validation


async def update_termination_protection(call: Call) -> dict[str, Any]:
    stack = await call.stack(call.input["StackName"], deleted=False)
    if stack.parent_id is not None:
        raise validation(
            f"Termination protection is set on the root stack, not on the nested stack [{stack.name}] itself"
        )
    wanted = call.input["EnableTerminationProtection"]
    await call.engine.set_options(call.caller, stack.id, termination_protection=wanted)
    return {"StackId": call.arns.stack(stack.name, stack.id)}


async def set_stack_policy(call: Call) -> None:
    text = await policy_text(call, "StackPolicy")
    if text is None:
        raise validation("You must specify either StackPolicyURL or StackPolicyBody")
    stack = await call.stack(call.input["StackName"], deleted=False)
    await call.engine.set_options(call.caller, stack.id, stack_policy=text)


async def get_stack_policy(call: Call) -> dict[str, Any]:
    stack = await call.stack(call.input["StackName"])
    return {"StackPolicyBody": stack.options.stack_policy}
