"""What has happened to a stack, newest first (cloudformation.md A20, A21)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.model.errors import ChangeSetNotFound
from engine.model.stack import Event, Stack
from engine.model.status import Status
from gateway.aws import views
from gateway.aws.call import Call
from gateway.aws.faults import validation
from gateway.aws.paging import PAGE, make_token, page, read_token
from gateway.aws.statuses import operation_type


async def describe_stack_events(call: Call) -> dict[str, Any]:
    stack = await call.stack(call.input["StackName"])
    token = call.input.get("NextToken")
    after = None if token is None else read_token(token, call.action)
    if after is not None and not isinstance(after, int):
        raise validation(f"Token is invalid: {token}")
    found = await call.engine.list_events(stack, newest_first=True, after=after, limit=PAGE + 1)
    following = make_token(call.action, found[PAGE - 1].seq) if len(found) > PAGE else None
    shown = [one for one in found[:PAGE] if not one.passing]  # CloudFormation goes from in progress to its rollback
    names = await _nested_names(call, shown)
    return {"StackEvents": [views.event(one, call.arns, names) for one in shown], "NextToken": following}


async def describe_events(call: Call) -> dict[str, Any]:
    """The events of a stack, or of one of its operations, or the failed ones only (N15)."""
    stack = await _subject(call)
    events = await call.engine.list_events(stack, newest_first=True)
    kinds: dict[str | None, str] = {}
    for one in reversed(events):  # the stack's own first event tells what an operation is
        if one.address is None:
            kinds.setdefault(one.operation_id, operation_type(one.action))
    wanted = call.input.get("OperationId")
    failed = call.input.get("Filters", {}).get("FailedEvents", False)
    chosen = [
        one
        for one in events
        if not one.passing
        and (wanted is None or one.operation_id == wanted)
        and (not failed or one.status is Status.FAILED)
    ]
    shown, following = page(chosen, call.input.get("NextToken"), call.action, lambda one: one.seq, newest_first=True)
    names = await _nested_names(call, shown)
    told = [views.operation_event(one, kinds.get(one.operation_id), call.arns, names) for one in shown]
    return {"OperationEvents": told, "NextToken": following}


async def _subject(call: Call) -> Stack:
    reference, change_set = call.input.get("StackName"), call.input.get("ChangeSetName")
    if reference is not None:
        return await call.stack(reference)
    if change_set is None:
        raise validation("Specify a StackName, or a ChangeSetName as an ARN.")
    change_set_id = call.arns.change_set_id_in(change_set)
    if change_set_id is None:
        raise ChangeSetNotFound(change_set)
    found = await call.engine.find_change_set(call.caller, change_set_id)
    return await call.engine.find_stack(call.caller, found.stack_id)


async def _nested_names(call: Call, shown: Sequence[Event]) -> dict[str, str]:
    """Of the nested stacks that the events are about."""
    return await call.names_of(
        one.physical_id for one in shown if one.type in views.NESTED_TYPES and one.address and one.physical_id
    )
