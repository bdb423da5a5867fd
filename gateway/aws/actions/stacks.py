"""Making, changing, deleting and describing stacks (cloudformation.md A01 to A08)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from engine.door import StackFilter
from engine.model.errors import Busy, StackExists, StackNotFound
from engine.model.stack import Stack
from engine.model.status import Action, Status
from gateway.aws import views
from gateway.aws.actions.inputs import (
    check_new_name,
    check_previous,
    checked,
    new_source,
    next_source,
    options_of,
    policy_text,
)
from gateway.aws.call import Call
from gateway.aws.errors import token_taken, wrong_state
from gateway.aws.faults import validation
from gateway.aws.paging import page
from gateway.aws.statuses import UPDATABLE, states_of

_HELD: Final = 20.0  # seconds that a waiter's DescribeStacks is held while its stack is in progress
_REMEMBERED: Final = dt.timedelta(days=90)  # how long ListStacks shows deleted stacks (W23)


async def create_stack(call: Call) -> dict[str, Any]:
    name, token = call.input["StackName"], call.input.get("ClientRequestToken")
    check_new_name(name)
    source, _ = await checked(call, await new_source(call))
    options = await options_of(call)
    try:
        made = await call.engine.create_stack(call.caller, name, source, options, client_token=token)
    except StackExists:
        there = await call.stack(name)
        if token is None or there.client_token != token:
            raise
        if there.action is not Action.CREATE:
            raise token_taken(token) from None
        made = there
    return _identified(call, made)


async def update_stack(call: Call) -> dict[str, Any]:
    stack, token = await call.stack(call.input["StackName"], deleted=False), call.input.get("ClientRequestToken")
    if _repeated(stack, token, Action.UPDATE):
        return _identified(call, stack)
    refuse_unless_updatable(call, stack)
    previous = await call.engine.source_of(stack)
    source = await next_source(call, previous)
    if any(one.get("UsePreviousValue") for one in call.input.get("Parameters", ())):
        before = call.engine.translate(previous) if previous.text else None
        check_previous(call.input["Parameters"], before, previous.parameters)
    source, _ = await checked(call, source)
    try:
        updated = await call.engine.update_stack(
            call.caller, stack.id, source, await options_of(call, stack.options), client_token=token,
            refuse_no_change=True, policy_during_update=await policy_text(call, "StackPolicyDuringUpdate"),
        )  # fmt: skip
    except Busy:
        updated = await call.stack(stack.id, deleted=False)
        if not _repeated(updated, token, Action.UPDATE):
            raise
    return _identified(call, updated)


def refuse_unless_updatable(call: Call, stack: Stack) -> None:
    """W43."""
    status = views.status_of(stack)
    if status not in UPDATABLE:
        raise wrong_state(call.arns.stack(stack.name, stack.id), status, "updated")


def _repeated(stack: Stack, token: str | None, action: Action) -> bool:
    """Whether the request has been carried out before; the same token for something else is refused (W27)."""
    if token is None or stack.client_token != token:
        return False
    if stack.action not in (action, Action.ROLLBACK):
        raise token_taken(token)
    return True


def _identified(call: Call, stack: Stack) -> dict[str, Any]:
    return {"StackId": call.arns.stack(stack.name, stack.id), "OperationId": stack.operation_id}


async def delete_stack(call: Call) -> None:
    """W32: nothing there is success."""
    try:
        stack = await call.stack(call.input["StackName"])
    except StackNotFound:
        return
    if stack.deleted is not None:
        return
    retain, token = call.input.get("RetainResources", ()), call.input.get("ClientRequestToken")
    status = views.status_of(stack)
    if retain and status != "DELETE_FAILED":
        raise validation(
            f"Invalid operation on stack [{call.arns.stack(stack.name, stack.id)}]. When you delete a stack, specify "
            "which resources to retain only when the stack is in the DELETE_FAILED state."
        )
    if _repeated_delete(stack, token):
        return
    force = call.input.get("DeletionMode") == "FORCE_DELETE_STACK"
    await call.engine.delete_stack(call.caller, stack.id, client_token=token, retain=retain, force=force)


def _repeated_delete(stack: Stack, token: str | None) -> bool:
    if token is None or stack.client_token != token:
        return False
    if stack.action is not Action.DELETE:
        raise token_taken(token)
    return stack.status is Status.IN_PROGRESS


async def cancel_update_stack(call: Call) -> None:
    """B07."""
    stack = await call.stack(call.input["StackName"], deleted=False)
    if _repeated(stack, call.input.get("ClientRequestToken"), Action.ROLLBACK):
        return
    if views.status_of(stack) != "UPDATE_IN_PROGRESS" or stack.action is not Action.UPDATE:
        raise validation("CancelUpdateStack cannot be called from current stack status")
    await call.engine.cancel_update(call.caller, stack.id, client_token=call.input.get("ClientRequestToken"))


async def continue_update_rollback(call: Call) -> dict[str, Any]:
    """B08."""
    stack = await call.stack(call.input["StackName"], deleted=False)
    status, token = views.status_of(stack), call.input.get("ClientRequestToken")
    if status != "UPDATE_ROLLBACK_FAILED" and _repeated(stack, token, Action.ROLLBACK):
        return {}
    if status != "UPDATE_ROLLBACK_FAILED":
        raise wrong_state(call.arns.stack(stack.name, stack.id), status, "continued to roll back")
    skip = call.input.get("ResourcesToSkip", ())
    await call.engine.continue_update_rollback(call.caller, stack.id, skip=skip, client_token=token)
    return {}


async def rollback_stack(call: Call) -> dict[str, Any]:
    """B09."""
    stack = await call.stack(call.input["StackName"], deleted=False)
    status, token = views.status_of(stack), call.input.get("ClientRequestToken")
    if _repeated(stack, token, Action.ROLLBACK):
        return _identified(call, stack)
    if status not in ("CREATE_FAILED", "UPDATE_FAILED"):
        raise wrong_state(call.arns.stack(stack.name, stack.id), status, "rolled back")
    rolled_back = await call.engine.rollback_stack(
        call.caller, stack.id, client_token=token, retain_except_on_create=call.input.get("RetainExceptOnCreate")
    )
    return _identified(call, rolled_back)


async def describe_stacks(call: Call) -> dict[str, Any]:
    """By name or ARN one stack, with what its parameters had in the parameter store (L66); else all that are not
    deleted, newest first (W23)."""
    reference, token = call.input.get("StackName"), call.input.get("NextToken")
    following = None
    resolved: Mapping[str, str] = {}
    if reference is not None:
        found = await call.stack(reference)
        shown = [await call.engine.settled(call.caller, found, _HELD) if call.patient else found]
        resolved = await call.engine.resolved_parameters(shown[0])
    else:
        every = await call.engine.list_stacks(call.caller, StackFilter(show_nested=True))
        shown, following = page(every, token, call.action, _age, newest_first=True)
    names = await call.names_above(shown)
    return {"Stacks": [views.stack(one, call.arns, names, resolved) for one in shown], "NextToken": following}


async def list_stacks(call: Call) -> dict[str, Any]:
    """Newest first, with those deleted in the last 90 days (W23)."""
    statuses = frozenset(call.input.get("StackStatusFilter", ()))
    wanted = StackFilter(show_deleted=True, show_nested=True)
    if statuses:
        wanted = replace(wanted, states=states_of(statuses))
    oldest = dt.datetime.now(dt.UTC) - _REMEMBERED
    found = [
        one
        for one in await call.engine.list_stacks(call.caller, wanted)
        if (one.deleted is None or one.deleted > oldest) and (not statuses or views.status_of(one) in statuses)
    ]
    shown, following = page(found, call.input.get("NextToken"), call.action, _age, newest_first=True)
    names = await call.names_above(shown)
    return {"StackSummaries": [views.stack_summary(one, call.arns, names) for one in shown], "NextToken": following}


def _age(stack: Stack) -> list[Any]:
    """What stacks are ordered by, as it is written in a token."""
    return [stack.created.timestamp(), stack.id]
