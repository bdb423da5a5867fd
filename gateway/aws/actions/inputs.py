"""What several actions take alike: templates, parameters, tags, policies, how to run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Final

from engine.model.aside import aside
from engine.model.source import Source
from engine.model.stack import Options
from engine.model.status import OnFailure
from engine.model.template import Template
from engine.model.value import Value
from engine.plan.policy import read_policy
from gateway.aws.call import Call
from gateway.aws.errors import insufficient_capabilities
from gateway.aws.faults import validation
from gateway.aws.protocol.constraints import message
from gateway.aws.protocol.query import constraint
from translators.summary import missing_capabilities, resource_types

NO_TEMPLATE: Final = "Either Template URL or Template Body must be specified."
_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*")
_LONGEST_NAME: Final = 128
_AUTO_EXPAND: Final = "CAPABILITY_AUTO_EXPAND"


def check_new_name(name: str) -> None:
    """The name of a stack to be made; existing ones may have been named by the native API, which allows more (W24)."""
    found = []
    if not _NAME.fullmatch(name):
        found.append(f"Member must satisfy regular expression pattern: {_NAME.pattern}")
    if len(name) > _LONGEST_NAME:
        found.append(f"Member must have length less than or equal to {_LONGEST_NAME}")
    if found:
        raise validation(message([constraint(name, "stackName", failed) for failed in found]))


async def template_text(call: Call) -> str | None:
    """The text given in the body or by URL, None when neither is. Raises AwsError, Invalid."""
    body, url = call.input.get("TemplateBody"), call.input.get("TemplateURL")
    if body is not None and url is not None:
        raise validation("You cannot specify both TemplateURL and TemplateBody")
    if url is not None:
        return await call.fetch(url)
    return None if body is None else str(body)


async def new_source(call: Call) -> Source:
    """What a stack is to be made of."""
    text = await template_text(call)
    if text is None or call.input.get("UsePreviousTemplate"):
        raise validation(NO_TEMPLATE)
    return Source(text, parameters=parameter_values(call.input.get("Parameters", ()), {}), presumed="cfn")


async def next_source(call: Call, previous: Source) -> Source:
    """What a stack that was made of `previous` is to become (N02). Files and environment of a stack of the native API
    stay: AWS has no word for them. What the template asks of the outside is asked anew."""
    text = await template_text(call)
    keep = call.input.get("UsePreviousTemplate", False)
    if (text is None) != bool(keep):
        raise validation(NO_TEMPLATE if text is None else "You cannot specify both usePreviousTemplate and a template")
    parameters = parameter_values(call.input.get("Parameters", ()), previous.parameters)
    text = previous.text if text is None else text
    return replace(previous, text=text, parameters=parameters, presumed="cfn", answers={})


def parameter_values(given: Sequence[Mapping[str, Any]], previous: Mapping[str, Value]) -> dict[str, Value]:
    """The values by name. A parameter that is not given has its default, whatever it was before. UsePreviousValue of
    one that had its default leaves it so. Raises AwsError."""
    found: dict[str, Value] = {}
    seen: set[str] = set()
    for one in given:
        name, value = one.get("ParameterKey"), one.get("ParameterValue")
        if name is None:
            raise validation("Every member of Parameters needs a ParameterKey.")
        if name in seen:
            raise validation(f"Duplicate parameter key {name} in Parameters.")
        seen.add(name)
        if not one.get("UsePreviousValue"):
            if value is not None:
                found[name] = value
            continue
        if value is not None:
            raise validation(
                f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true with a value"
            )
        if name in previous:
            found[name] = previous[name]
    return found


def check_previous(given: Sequence[Mapping[str, Any]], before: Template | None, previous: Mapping[str, Value]) -> None:
    """UsePreviousValue is for parameters that the previous template had. Raises AwsError."""
    for one in given:
        name = one.get("ParameterKey")
        known = name in previous or (before is not None and name in before.parameters)
        if one.get("UsePreviousValue") and not known:
            raise validation(
                f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter key "
                "not in the previous template"
            )


async def checked(call: Call, source: Source, *, expanding: bool = True) -> tuple[Source, Template]:
    """`source` with what its template asked of the outside, and the template: its capabilities are acknowledged and its
    types allowed (W41, N01). `expanding` False: a change set, which shows what transforms made before anything happens.
    Raises AwsError, Invalid."""
    acknowledged = set(call.input.get("Capabilities", ()))
    if not expanding:
        acknowledged.add(_AUTO_EXPAND)
    if _AUTO_EXPAND not in acknowledged and "Transform" in source.text:
        outline = await aside(lambda: call.engine.outline(source))
        if outline.transforms:
            raise insufficient_capabilities((_AUTO_EXPAND,))  # no macro is called before that
    source = await call.engine.answered(call.caller, source)
    template = call.engine.translate(source)
    missing = missing_capabilities(template, acknowledged)
    if missing:
        raise insufficient_capabilities(missing)
    allowed = call.input.get("ResourceTypes")
    if allowed:
        for kind in resource_types(template).values():
            if not any(fnmatchcase(kind, pattern) for pattern in allowed):
                raise validation(
                    f"Resource type {kind} is not allowed by parameter ResourceTypes [{', '.join(allowed)}]"
                )
    return source, template


def tag_values(given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        key = one["Key"]
        if key in found:
            raise validation(f"Duplicate tag keys found: {key}. Please note that Tag keys are case insensitive.")
        if key.startswith("aws:"):
            raise validation(f"Tag keys must not begin with the reserved prefix aws: {key}")
        found[key] = one["Value"]
    return found


async def policy_text(call: Call, stem: str) -> str | None:
    """The stack policy in `<stem>Body` or behind `<stem>URL`, checked (B13)."""
    body, url = call.input.get(f"{stem}Body"), call.input.get(f"{stem}URL")
    if body is not None and url is not None:
        raise validation(f"You cannot specify both {stem}URL and {stem}Body")
    text = await call.fetch(url) if url is not None else body
    if text is None:
        return None
    read_policy(text)
    return str(text)


async def options_of(call: Call, before: Options | None = None) -> Options:
    """How the stack is to be run: what is not given stays as it was `before` (tags: N02)."""
    given, kept = call.input, before or Options()
    return replace(
        kept,
        on_failure=on_failure(given),
        timeout_mins=given.get("TimeoutInMinutes"),
        tags=tag_values(given["Tags"]) if "Tags" in given else kept.tags,
        notification_arns=tuple(given.get("NotificationARNs", kept.notification_arns)),
        capabilities=tuple(given.get("Capabilities", ())),
        role_arn=given.get("RoleARN", kept.role_arn),
        termination_protection=given.get("EnableTerminationProtection", kept.termination_protection),
        stack_policy=await policy_text(call, "StackPolicy") or kept.stack_policy,
        retain_except_on_create=given.get("RetainExceptOnCreate", False),
        rollback_configuration=_rollback_configuration(given.get("RollbackConfiguration", kept.rollback_configuration)),
    )


def _rollback_configuration(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Only an empty one (B05): there are no alarms to watch, and a stack must not seem to be guarded by one."""
    if given.get("RollbackTriggers") or given.get("MonitoringTimeInMinutes"):
        raise validation(
            "Rollback Trigger Type not supported: there are no alarms to monitor here. Leave RollbackTriggers and "
            "MonitoringTimeInMinutes out."
        )
    return given


def on_failure(given: Mapping[str, Any]) -> OnFailure:
    """B01 to B03: OnFailure, or OnStackFailure of a change set, or DisableRollback; not two of them."""
    named = given.get("OnFailure", given.get("OnStackFailure"))
    disable = given.get("DisableRollback", given.get("DeploymentConfig", {}).get("DisableRollback"))
    if named is not None:
        if disable is not None:
            raise validation("You can specify either DisableRollback or OnFailure, but not both.")
        return OnFailure(named)
    return OnFailure.DO_NOTHING if disable else OnFailure.ROLLBACK
