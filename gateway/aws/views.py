"""The engine's records as the shapes of CloudFormation's answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from engine.model.stack import DriftStatus, Event, OutputValue, ResourceDrift, ResourceRecord, Stack
from engine.model.status import Action, OnFailure, Status
from engine.model.value import UNKNOWN, Value
from gateway.aws.arns import Arns
from gateway.aws.statuses import NATIVE_ONLY, operation_type, resource_status, stack_status

HIDDEN: Final = "****"  # L76
_HIDDEN_BY_ENGINE: Final = "******"
STACK_TYPE: Final = "AWS::CloudFormation::Stack"
NESTED_TYPES: Final = frozenset({STACK_TYPE, "OS::Heat::Stack"})
_STARTED = re.compile(r"Stack [A-Z]+ started")
_COMPLETED = re.compile(r"Stack [A-Z]+ completed successfully(\. It was rolled back because: )?")


def status_of(stack: Stack) -> str:
    return stack_status(stack.action, stack.status, stack.reverting, stack.cleaning)


def stack_reason(action: Action, status: Status, reason: str) -> str | None:
    """AWS says `User Initiated` at the start and nothing at a good end (W53); native actions are named (B21). After a
    rollback the reason stays that of the failure, because it is what a user asks for first."""
    if _STARTED.fullmatch(reason):
        reason = "User Initiated"
    else:
        reason = _COMPLETED.sub("", reason, count=1)
    if action in NATIVE_ONLY:
        reason = f"{action}_{status} (asked for through the native API). {reason}".rstrip()
    return reason or None


def _plain(reason: str) -> str:
    """The reason of an event, without what other events have told before."""
    return "" if _COMPLETED.match(reason) else reason


def text_of(value: Value) -> str:
    """A value where CloudFormation shows text: lists of scalars joined by commas, anything deeper as JSON."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple() if all(isinstance(item, str | int | float) for item in value):
            return ",".join(text_of(item) for item in value)
        case list() | tuple() | dict():
            return json_text(value)
        case _:
            return str(value)


def json_text(value: Value) -> str:
    return orjson.dumps(value, default=_unknown).decode()


def _unknown(value: Any) -> str:
    if value is UNKNOWN:
        return "{{changeSet:KNOWN_AFTER_APPLY}}"  # as AWS's change sets say it
    raise TypeError(f"{type(value).__name__} in a property")


def parameters(values: Mapping[str, str], resolved: Mapping[str, str] | None = None) -> list[dict[str, str]]:
    """`resolved`: what those that name a stored parameter had there."""
    return [
        {
            "ParameterKey": name,
            "ParameterValue": HIDDEN if value == _HIDDEN_BY_ENGINE else value,
            **({"ResolvedValue": resolved[name]} if resolved and name in resolved else {}),
        }
        for name, value in values.items()
        if not name.startswith(("OS::", "AWS::"))
    ]


def tags(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in values.items()]


def stack(
    one: Stack, arns: Arns, names: Mapping[str, str], resolved: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A member of DescribeStacks' `Stacks` (W51); `names` are those of the stacks above it, by id; `resolved`: see
    `parameters`."""
    options = one.options
    return {
        "StackId": arns.stack(one.name, one.id),
        "StackName": one.name,
        "Description": one.description or None,
        "Parameters": parameters(one.parameters, resolved),
        "CreationTime": one.created,
        "DeletionTime": one.deleted,
        "LastUpdatedTime": one.updated,
        "RollbackConfiguration": options.rollback_configuration,
        "StackStatus": status_of(one),
        "StackStatusReason": stack_reason(one.action, one.status, one.status_reason),
        "DisableRollback": options.on_failure is OnFailure.DO_NOTHING,
        "NotificationARNs": list(options.notification_arns),
        "TimeoutInMinutes": options.timeout_mins,
        "Capabilities": list(options.capabilities),
        "Outputs": [output(found) for found in one.outputs if found.error is None and found.value is not None],
        "RoleARN": options.role_arn,
        "Tags": tags(options.tags),
        "EnableTerminationProtection": options.termination_protection,
        "ParentId": above(one, one.parent_id, arns, names),
        "RootId": above(one, one.root_id, arns, names),
        "DriftInformation": {"StackDriftStatus": one.drift.value, "LastCheckTimestamp": one.drift_checked},
        "RetainExceptOnCreate": options.retain_except_on_create or None,
        "LastOperations": last_operations(one),
    }


def stack_summary(one: Stack, arns: Arns, names: Mapping[str, str]) -> dict[str, Any]:
    """A member of ListStacks' `StackSummaries`."""
    return {
        "StackId": arns.stack(one.name, one.id),
        "StackName": one.name,
        "TemplateDescription": one.description or None,
        "CreationTime": one.created,
        "LastUpdatedTime": one.updated,
        "DeletionTime": one.deleted,
        "StackStatus": status_of(one),
        "StackStatusReason": stack_reason(one.action, one.status, one.status_reason),
        "ParentId": above(one, one.parent_id, arns, names),
        "RootId": above(one, one.root_id, arns, names),
        "DriftInformation": {"StackDriftStatus": one.drift.value, "LastCheckTimestamp": one.drift_checked},
        "LastOperations": last_operations(one),
    }


def above(one: Stack, stack_id: str | None, arns: Arns, names: Mapping[str, str]) -> str | None:
    """The ARN of the stack around `one`, None for a stack that stands alone."""
    if one.parent_id is None or stack_id is None or stack_id not in names:
        return None
    return arns.stack(names[stack_id], stack_id)


def last_operations(one: Stack) -> list[dict[str, str]] | None:
    if one.operation_id is None:
        return None
    return [{"OperationType": operation_type(one.action), "OperationId": one.operation_id}]


def output(one: OutputValue) -> dict[str, Any]:
    return {
        "OutputKey": one.name,
        "OutputValue": text_of(one.value),
        "Description": one.description or None,
        "ExportName": one.export,
    }


# --- resources ----------------------------------------------------------------------------------------------------


def physical_id(kind: str, given: str | None, arns: Arns, names: Mapping[str, str]) -> str | None:
    """A nested stack is known by its ARN; `names` are those of nested stacks, by id."""
    if given is not None and kind in NESTED_TYPES and given in names:
        return arns.stack(names[given], given)
    return given


def _resource(one: ResourceRecord, arns: Arns, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "LogicalResourceId": one.address,
        "PhysicalResourceId": physical_id(one.type, one.nested_stack_id or one.physical_id, arns, names),
        "ResourceType": one.type,
        "ResourceStatus": resource_status(one.action, one.status, one.skipped),
        "ResourceStatusReason": one.status_reason or None,
        "DriftInformation": {
            "StackResourceDriftStatus": one.drift.value,
            "LastCheckTimestamp": one.drift_checked,
        },
    }


def _of_stack(one: ResourceRecord, owner: Stack, arns: Arns) -> dict[str, Any]:
    return {
        "StackName": owner.name,
        "StackId": arns.stack(owner.name, owner.id),
        "Description": one.description or None,
    }


def resource(one: ResourceRecord, owner: Stack, arns: Arns, names: Mapping[str, str]) -> dict[str, Any]:
    """A member of DescribeStackResources' `StackResources`."""
    return {**_resource(one, arns, names), **_of_stack(one, owner, arns), "Timestamp": one.updated}


def resource_summary(one: ResourceRecord, arns: Arns, names: Mapping[str, str]) -> dict[str, Any]:
    """A member of ListStackResources' `StackResourceSummaries` (W50)."""
    return {**_resource(one, arns, names), "LastUpdatedTimestamp": one.updated}


def resource_detail(one: ResourceRecord, owner: Stack, arns: Arns, names: Mapping[str, str]) -> dict[str, Any]:
    """DescribeStackResource's `StackResourceDetail`; cfn-init reads its Metadata (N12)."""
    metadata = json_text(dict(one.metadata)) if one.metadata else None
    return {
        **resource_summary(one, arns, names),
        **_of_stack(one, owner, arns),
        "Metadata": metadata,
    }


def resource_drift(one: ResourceDrift, owner: Stack, arns: Arns) -> dict[str, Any]:
    """A StackResourceDrift."""
    compared = one.status not in (DriftStatus.NOT_CHECKED, DriftStatus.UNKNOWN)
    return {
        "StackId": arns.stack(owner.name, owner.id),
        "LogicalResourceId": one.address,
        "PhysicalResourceId": one.physical_id,
        "ResourceType": one.type,
        "ExpectedProperties": json_text(dict(one.expected)) if compared else None,
        "ActualProperties": json_text(dict(one.actual)) if compared and one.actual else None,
        "PropertyDifferences": [
            {
                "PropertyPath": f"/{d.path}",
                "ExpectedValue": text_of(d.expected),
                "ActualValue": text_of(d.actual),
                "DifferenceType": "REMOVE" if d.actual is None else "NOT_EQUAL",
            }
            for d in one.differences
        ],
        "StackResourceDriftStatus": one.status.value,
        "Timestamp": one.checked,
        "DriftStatusReason": one.reason or None,
    }


# --- events -------------------------------------------------------------------------------------------------------


def event(one: Event, arns: Arns, names: Mapping[str, str]) -> dict[str, Any]:
    """A member of DescribeStackEvents' `StackEvents` (W53)."""
    arn = arns.stack(one.stack_name, one.stack_id)
    if one.address is None:
        what: dict[str, Any] = {
            "LogicalResourceId": one.stack_name,
            "PhysicalResourceId": arn,
            "ResourceType": STACK_TYPE,
            "ResourceStatus": stack_status(one.action, one.status, one.reverting, one.cleaning),
            "ResourceStatusReason": stack_reason(one.action, one.status, _plain(one.reason)),
        }
    else:
        what = {
            "LogicalResourceId": one.address,
            "PhysicalResourceId": physical_id(one.type, one.physical_id, arns, names) or "",
            "ResourceType": one.type,
            "ResourceStatus": resource_status(one.action, one.status, one.skipped),
            "ResourceStatusReason": one.reason or None,
            "ResourceProperties": json_text(dict(one.properties)) if one.properties else None,
        }
    return {
        "StackId": arn,
        "EventId": one.id,
        "StackName": one.stack_name,
        "OperationId": one.operation_id,
        "Timestamp": one.time,
        "ClientRequestToken": one.client_token,
        **what,
    }


def operation_event(one: Event, kind: str | None, arns: Arns, names: Mapping[str, str]) -> dict[str, Any]:
    """A member of DescribeEvents' `OperationEvents` (N15); `kind` is the operation's type, if known."""
    failed = one.status is Status.FAILED and one.address is not None
    shown = event(one, arns, names)
    del shown["StackName"]  # the only member that this shape has not
    return {**shown, "OperationType": kind, "EventType": "PROVISIONING_ERROR" if failed else "STACK_EVENT"}
