"""Change sets (cloudformation.md A14 to A19)."""

from __future__ import annotations

from typing import Any

from engine.door import StackFilter
from engine.model.errors import ChangeSetNotFound, InvalidState, StackNotFound
from engine.model.source import Source
from engine.model.stack import ChangeSet, ChangeSetStatus, ExecutionStatus, Options, Stack
from engine.model.status import Action
from gateway.aws import changes, views
from gateway.aws.actions.importing import imports_of
from gateway.aws.actions.inputs import (
    check_new_name,
    check_previous,
    checked,
    new_source,
    next_source,
    options_of,
)
from gateway.aws.actions.stacks import refuse_unless_updatable
from gateway.aws.arns import is_arn
from gateway.aws.call import Call
from gateway.aws.errors import token_taken, wrong_state
from gateway.aws.faults import AwsError, validation
from gateway.aws.paging import numbered, page
from translators.parsing import processed

_NOT_SERVED = {
    "ImportExistingResources": "Objects that exist already are not looked for by their names; name them in "
    "ResourcesToImport of a change set of type IMPORT.",
    "DeploymentMode": "There is no deployment mode REVERT_DRIFT; leave DeploymentMode out.",
}


async def create_change_set(call: Call) -> dict[str, Any]:
    """W36 to W38: what is wrong with the template is told at once, what planning shows is told by the change set."""
    kind = call.input.get("ChangeSetType", "UPDATE")
    for name, why in _NOT_SERVED.items():
        if call.input.get(name):
            raise validation(why)
    name, reference = call.input["ChangeSetName"], call.input["StackName"]
    stack = await _subject(call, kind, reference, name)
    if stack is not None:
        there = await _of_the_same_name(call, stack, name)
        if there is not None:
            return _identified(call, there)
    source, before = await _wanted(call, kind, stack)
    source, template = await checked(call, source, expanding=False)
    imports = imports_of(call.input, template, processed(source))
    options = await options_of(call, before)
    made = await call.engine.create_change_set(
        call.caller, reference if stack is None else stack.id, name, source, options, kind=kind,
        description=call.input.get("Description", ""), client_token=call.input.get("ClientToken"), imports=imports,
    )  # fmt: skip
    return _identified(call, made)


async def _subject(call: Call, kind: str, reference: str, name: str) -> Stack | None:
    """The stack the change set is for, None when it is to be made."""
    try:
        stack = await call.stack(reference, deleted=False)
    except StackNotFound:
        if kind in ("CREATE", "IMPORT") and not is_arn(reference):
            check_new_name(reference)
            return None
        raise
    in_review = stack.action is Action.INIT
    if kind == "CREATE" and not in_review:
        raise validation(
            f"Stack [{stack.name}] already exists and cannot be created again with the changeSet [{name}]."
        )
    if kind == "UPDATE" or (kind == "IMPORT" and not in_review):
        refuse_unless_updatable(call, stack)
    return stack


async def _of_the_same_name(call: Call, stack: Stack, name: str) -> ChangeSet | None:
    """The change set that the same request has made before (W27). Raises AwsError for another one of that name.

    One that failed can never run, so it makes room: `aws cloudformation deploy` leaves failed ones behind and names
    them by the second.
    """
    token = call.input.get("ClientToken")
    for there in await call.engine.list_change_sets(call.caller, stack.id):
        if token is not None and there.client_token == token and there.name != name:
            raise token_taken(token)
        if there.name == name:
            if token is not None and there.client_token == token:
                return there
            if there.status is not ChangeSetStatus.FAILED:
                raise AwsError("AlreadyExistsException", f"ChangeSet [{name}] already exists for stack [{stack.name}]")
            await call.engine.delete_change_set(call.caller, there.id)
    return None


async def _wanted(call: Call, kind: str, stack: Stack | None) -> tuple[Source, Options | None]:
    if stack is None or kind == "CREATE" or stack.action is Action.INIT:
        return await new_source(call), None
    previous = await call.engine.source_of(stack)
    source = await next_source(call, previous)
    if any(one.get("UsePreviousValue") for one in call.input.get("Parameters", ())):
        before = call.engine.translate(previous) if previous.text else None
        check_previous(call.input["Parameters"], before, previous.parameters)
    return source, stack.options


def _identified(call: Call, made: ChangeSet) -> dict[str, Any]:
    return {
        "Id": call.arns.change_set(made.name, made.id),
        "StackId": call.arns.stack(made.stack_name, made.stack_id),
    }


async def find_change_set(call: Call) -> ChangeSet:
    """The one of the input's ChangeSetName: an ARN, or a name along with StackName (W25, W33)."""
    wanted, reference = call.input["ChangeSetName"], call.input.get("StackName")
    if is_arn(wanted):
        change_set_id = call.arns.change_set_id_in(wanted)
        if change_set_id is None:
            raise ChangeSetNotFound(wanted)
        try:
            return await call.engine.find_change_set(call.caller, change_set_id)
        except ChangeSetNotFound as error:
            raise ChangeSetNotFound(wanted) from error
    if reference is None:
        raise validation("StackName must be specified if ChangeSetName is not specified as an ARN.")
    stack = await _stack_with_change_sets(call, reference)
    return await call.engine.find_change_set(call.caller, wanted, stack.id)


async def _stack_with_change_sets(call: Call, reference: str) -> Stack:
    """W30: a change set's stack that is missing is told in brackets, whatever the action."""
    try:
        return await call.stack(reference)
    except StackNotFound as error:
        raise validation(f"Stack [{reference}] does not exist") from error


async def describe_change_set(call: Call) -> dict[str, Any]:
    found = await find_change_set(call)
    shown = changes.change_set(found, call.arns, with_values=call.input.get("IncludePropertyValues", False))
    shown["Changes"], shown["NextToken"] = numbered(shown["Changes"], call.input.get("NextToken"), call.action)
    return shown


async def list_change_sets(call: Call) -> dict[str, Any]:
    stack = await call.stack(call.input["StackName"])
    found = await call.engine.list_change_sets(call.caller, stack.id)
    shown, following = page(found, call.input.get("NextToken"), call.action, _age)
    summaries = [changes.change_set_summary(one, call.arns) for one in shown]
    return {"Summaries": summaries, "NextToken": following}


def _age(one: ChangeSet) -> list[Any]:
    return [one.created.timestamp(), one.id]


async def execute_change_set(call: Call) -> dict[str, Any]:
    """N10."""
    try:
        found = await find_change_set(call)
    except ChangeSetNotFound:
        if await _has_run(call):
            return {}
        raise
    arn = call.arns.change_set(found.name, found.id)
    if found.execution_status is not ExecutionStatus.AVAILABLE:
        raise _not_executable(arn, found.execution_status)
    stack = await call.engine.find_stack(call.caller, found.stack_id)
    if found.kind == "UPDATE" or (found.kind == "IMPORT" and stack.action is not Action.INIT):
        refuse_unless_updatable(call, stack)
    elif stack.action is not Action.INIT:
        raise wrong_state(call.arns.stack(stack.name, stack.id), views.status_of(stack), "created")
    try:
        await call.engine.execute_change_set(
            call.caller, found.id, client_token=call.input.get("ClientRequestToken"),
            disable_rollback=call.input.get("DisableRollback"),
            retain_except_on_create=call.input.get("RetainExceptOnCreate"),
        )  # fmt: skip
    except InvalidState as error:  # the stack is not what the change set was made for
        if await _has_run(call):
            return {}
        raise _not_executable(arn, ExecutionStatus.OBSOLETE) from error
    return {}


async def _has_run(call: Call) -> bool:
    """Whether the same request has begun the last operation of its stack before; its change set is gone since (W27)."""
    token, reference = call.input.get("ClientRequestToken"), call.input.get("StackName")
    if token is None:
        return False
    if reference is not None:
        stacks = [await call.stack(reference)]
    else:
        stacks = list(await call.engine.list_stacks(call.caller, StackFilter()))
    return any(one.client_token == token for one in stacks)


def _not_executable(arn: str, status: ExecutionStatus) -> AwsError:
    text = f"ChangeSet [{arn}] cannot be executed in its current execution status of [{status}]"
    return AwsError("InvalidChangeSetStatus", text)


async def delete_change_set(call: Call) -> dict[str, Any]:
    """N11: a change set that does not exist is deleted already, if its stack exists."""
    try:
        found = await find_change_set(call)
    except ChangeSetNotFound:
        return {}
    if found.execution_status is ExecutionStatus.EXECUTE_IN_PROGRESS:
        arn = call.arns.change_set(found.name, found.id)
        raise AwsError(
            "InvalidChangeSetStatus",
            f"ChangeSet [{arn}] cannot be deleted in its current execution status of [{found.execution_status}]",
        )
    await call.engine.delete_change_set(call.caller, found.id)
    return {}
