"""Where a stack's objects are not what its template says (cloudformation.md A31, A32, A34, A35)."""

from __future__ import annotations

from typing import Any

from engine.model.errors import DetectionNotFound
from engine.model.stack import DetectionStatus, DriftStatus, Stack
from gateway.aws import views
from gateway.aws.call import Call
from gateway.aws.errors import wrong_state
from gateway.aws.faults import validation
from gateway.aws.paging import PAGE, page
from gateway.aws.statuses import COMPARABLE


async def detect_stack_drift(call: Call) -> dict[str, Any]:
    stack = await _comparable(call)
    begun = await call.engine.detect_drift(call.caller, stack.id, call.input.get("LogicalResourceIds", ()))
    return {"StackDriftDetectionId": begun.id}


async def detect_stack_resource_drift(call: Call) -> dict[str, Any]:
    stack = await _comparable(call)
    address = call.input["LogicalResourceId"]
    found = await call.engine.detect_resource_drift(call.caller, stack.id, address)
    return {"StackResourceDrift": views.resource_drift(found, stack, call.arns)}


async def _comparable(call: Call) -> Stack:
    stack = await call.stack(call.input["StackName"], deleted=False)
    status = views.status_of(stack)
    if status not in COMPARABLE:
        raise wrong_state(call.arns.stack(stack.name, stack.id), status, "checked for drift")
    return stack


async def describe_stack_drift_detection_status(call: Call) -> dict[str, Any]:
    wanted = call.input["StackDriftDetectionId"]
    try:
        found = await call.engine.drift_detection(call.caller, wanted)
    except DetectionNotFound as error:
        raise validation(f"Stack drift detection [{wanted}] does not exist") from error
    stack = await call.engine.find_stack(call.caller, found.stack_id)
    ended = found.status is not DetectionStatus.IN_PROGRESS
    return {
        "StackId": call.arns.stack(stack.name, stack.id),
        "StackDriftDetectionId": found.id,
        "StackDriftStatus": found.drift.value if ended and found.drift is not DriftStatus.NOT_CHECKED else None,
        "DetectionStatus": found.status.value,
        "DetectionStatusReason": found.reason or None,
        "DriftedStackResourceCount": found.drifted if ended else None,
        "Timestamp": found.started,
    }


async def describe_stack_resource_drifts(call: Call) -> dict[str, Any]:
    """Those of the last looks; a resource that was never looked at is not among them."""
    stack = await call.stack(call.input["StackName"])
    wanted = frozenset(call.input.get("StackResourceDriftStatusFilters", ()))
    found = [
        one
        for one in await call.engine.resource_drifts(stack)
        if (one.status.value in wanted if wanted else one.status is not DriftStatus.NOT_CHECKED)
    ]
    most = call.input.get("MaxResults", PAGE)
    shown, following = page(found, call.input.get("NextToken"), call.action, lambda one: one.address, size=most)
    return {
        "StackResourceDrifts": [views.resource_drift(one, stack, call.arns) for one in shown],
        "NextToken": following,
    }
