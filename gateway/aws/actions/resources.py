"""The resources of a stack (cloudformation.md A22 to A24)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.model.errors import ResourceNotFound
from engine.model.stack import ResourceRecord, Stack
from engine.model.status import Action
from gateway.aws import views
from gateway.aws.call import Call
from gateway.aws.faults import validation
from gateway.aws.paging import PAGE, page


async def describe_stack_resource(call: Call) -> dict[str, Any]:
    stack = await call.stack(call.input["StackName"])
    found = [one for one in await _begun(call, stack) if one.address == call.input["LogicalResourceId"]]
    if not found:
        raise ResourceNotFound(call.input["LogicalResourceId"], stack.name)
    names = await _nested_names(call, found)
    return {"StackResourceDetail": views.resource_detail(found[0], stack, call.arns, names)}


async def describe_stack_resources(call: Call) -> dict[str, Any]:
    """Of the stack of that name, or of the stack that has the physical id; at most 100 (W22)."""
    reference, physical = call.input.get("StackName"), call.input.get("PhysicalResourceId")
    if (reference is None) == (physical is None):
        raise validation("Specify either StackName or PhysicalResourceId, and not both.")
    if physical is not None:
        stack = await _owner(call, physical)
    else:
        stack = await call.stack(str(reference))
    found = await _begun(call, stack)
    logical = call.input.get("LogicalResourceId")
    if logical is not None:
        found = [one for one in found if one.address == logical]
        if not found:
            raise ResourceNotFound(logical, stack.name)
    shown = found[:PAGE]
    names = await _nested_names(call, shown)
    return {"StackResources": [views.resource(one, stack, call.arns, names) for one in shown]}


async def _owner(call: Call, physical: str) -> Stack:
    nested = call.arns.stack_id_in(physical)  # a nested stack is known by its ARN
    try:
        record = await call.engine.find_by_physical_id(call.caller, nested or physical)
    except ResourceNotFound as error:
        raise validation(f"Stack for {physical} does not exist") from error
    return await call.engine.find_stack(call.caller, record.stack_id)


async def list_stack_resources(call: Call) -> dict[str, Any]:
    stack = await call.stack(call.input["StackName"])
    found = await _begun(call, stack)
    shown, following = page(found, call.input.get("NextToken"), call.action, lambda one: one.address)
    names = await _nested_names(call, shown)
    summaries = [views.resource_summary(one, call.arns, names) for one in shown]
    return {"StackResourceSummaries": summaries, "NextToken": following}


async def _begun(call: Call, stack: Stack) -> list[ResourceRecord]:
    """AWS shows nothing of a resource before its creation has begun."""
    return [one for one in await call.engine.list_resources(stack) if one.action is not Action.INIT]


async def _nested_names(call: Call, shown: Sequence[ResourceRecord]) -> dict[str, str]:
    return await call.names_of(one.nested_stack_id for one in shown if one.nested_stack_id is not None)
