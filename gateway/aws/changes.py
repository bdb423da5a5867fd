"""Plans and change sets as the shapes of CloudFormation's answers (cloudformation.md C04)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.model.stack import Change, ChangeAction, ChangeSet, Plan, PropertyChange, Replacement
from engine.model.status import OnFailure
from engine.model.value import UNKNOWN, is_known
from gateway.aws.arns import Arns
from gateway.aws.views import NESTED_TYPES, json_text, parameters, tags, text_of

_RECREATES: Final[dict[Replacement, str]] = {
    Replacement.NEVER: "Never",
    Replacement.CONDITIONAL: "Conditionally",
    Replacement.ALWAYS: "Always",
}
_KNOWN_LATER: Final = "{{changeSet:KNOWN_AFTER_APPLY}}"


def change_set(one: ChangeSet, arns: Arns, *, with_values: bool) -> dict[str, Any]:
    """DescribeChangeSet's answer, its Changes not yet in pages."""
    options = one.options
    return {
        **change_set_summary(one, arns),
        "Parameters": parameters(one.parameters),
        "NotificationARNs": list(options.notification_arns),
        "RollbackConfiguration": options.rollback_configuration,
        "Capabilities": list(options.capabilities),
        "Tags": tags(options.tags),
        "Changes": changes(one.plan, one.parameters, with_values=with_values),
        "OnStackFailure": None if options.on_failure is OnFailure.ROLLBACK else options.on_failure.value,
    }


def change_set_summary(one: ChangeSet, arns: Arns) -> dict[str, Any]:
    """A member of ListChangeSets' `Summaries`."""
    return {
        "ChangeSetName": one.name,
        "ChangeSetId": arns.change_set(one.name, one.id),
        "StackId": arns.stack(one.stack_name, one.stack_id),
        "StackName": one.stack_name,
        "Description": one.description or None,
        "CreationTime": one.created,
        "ExecutionStatus": one.execution_status.value,
        "Status": one.status.value,
        "StatusReason": one.failure,
        "IncludeNestedStacks": False,
        "ImportExistingResources": False,
    }


def changes(plan: Plan | None, given: Mapping[str, str], *, with_values: bool) -> list[dict[str, Any]]:
    """What the plan does to each resource as the user wrote it: groups, not their members."""
    if plan is None:
        return []
    return [
        {"Type": "Resource", "ResourceChange": _resource_change(one, given, with_values)}
        for one in plan.changes
        if one.group is None and one.action is not ChangeAction.NONE
    ]


def _resource_change(one: Change, given: Mapping[str, str], with_values: bool) -> dict[str, Any]:
    modified = one.action is ChangeAction.MODIFY
    shown: dict[str, Any] = {
        "PolicyAction": _policy_action(one),
        "Action": one.action.value,
        "LogicalResourceId": one.address,
        "PhysicalResourceId": one.physical_id,
        "ResourceType": one.type,
        "Replacement": one.replacement.value if modified else None,
        "Scope": _scope(one) if modified else [],
        "Details": _details(one, given, with_values) if modified else [],
    }
    if with_values:
        shown["BeforeContext"] = json_text({"Properties": dict(one.before)}) if one.before else None
        shown["AfterContext"] = json_text({"Properties": dict(one.after)}) if one.after else None
    return shown


def _policy_action(one: Change) -> str | None:
    if one.action is ChangeAction.REMOVE:
        return "Retain" if one.retained else "Delete"
    if one.action is ChangeAction.MODIFY and one.replacement is Replacement.ALWAYS:
        return "ReplaceAndRetain" if one.retained else "ReplaceAndDelete"
    return None


def _scope(one: Change) -> list[str]:
    found = ["Tags" if change.name == "Tags" else "Properties" for change in one.properties]
    return list(dict.fromkeys([*found, *one.other])) or (["Properties"] if _is_automatic(one) else [])


def _is_automatic(one: Change) -> bool:
    """Whether it is for what its template is by now that a nested stack is changed, and not for what is said of it."""
    return one.type in NESTED_TYPES and not one.properties and not one.other


def _details(one: Change, given: Mapping[str, str], with_values: bool) -> list[dict[str, Any]]:
    details = [_detail(change, given, with_values) for change in one.properties]
    for attribute in one.other:
        target = {"Attribute": attribute, "RequiresRecreation": "Never"}
        details.append({"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"})
    if _is_automatic(one):
        target = {"Attribute": "Properties", "RequiresRecreation": "Never"}
        details.append({"Target": target, "Evaluation": "Dynamic", "ChangeSource": "Automatic"})
    return details


def _detail(one: PropertyChange, given: Mapping[str, str], with_values: bool) -> dict[str, Any]:
    attribute = "Tags" if one.name == "Tags" else "Properties"
    target: dict[str, Any] = {"Attribute": attribute, "RequiresRecreation": _RECREATES[one.recreates]}
    if attribute == "Properties":
        target["Name"] = one.name
    if with_values:
        target["Path"] = f"/Properties/{one.name}"
        target["BeforeValue"] = None if one.before is None else text_of(one.before)
        target["AfterValue"] = _after(one)
        target["AttributeChangeType"] = _change_type(one)
    return {
        "Target": target,
        "Evaluation": "Static" if is_known(one.after) else "Dynamic",
        "ChangeSource": _source(one.cause, given),
        "CausingEntity": one.cause,
    }


def _after(one: PropertyChange) -> str | None:
    if one.after is UNKNOWN:
        return _KNOWN_LATER
    return None if one.after is None else text_of(one.after)


def _change_type(one: PropertyChange) -> str:
    if one.before is None:
        return "Add"
    return "Remove" if one.after is None else "Modify"


def _source(cause: str | None, given: Mapping[str, str]) -> str:
    if cause is None:
        return "DirectModification"
    if cause in given:
        return "ParameterReference"
    return "ResourceAttribute" if "." in cause else "ResourceReference"
