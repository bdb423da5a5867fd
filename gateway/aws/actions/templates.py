"""Templates: as sent, summarized, validated (cloudformation.md A26 to A28)."""

from __future__ import annotations

from typing import Any

from engine.model.aside import aside
from engine.model.diagnostic import Invalid
from engine.model.source import Source, Unanswered
from engine.model.template import Template
from gateway.aws import views
from gateway.aws.actions.change_sets import find_change_set
from gateway.aws.actions.inputs import NO_TEMPLATE, template_text
from gateway.aws.call import Call
from gateway.aws.faults import AwsError, validation
from gateway.aws.statuses import REVIEW
from translators.parsing import processed
from translators.summary import resource_types, template_summary, validation_result

_ORIGINAL, _PROCESSED = "Original", "Processed"


async def get_template(call: Call) -> dict[str, Any]:
    """The text as it was sent (N05), or what its transforms have made of it (L90): JSON, as in AWS."""
    if "ChangeSetName" in call.input:
        found = await find_change_set(call)
        source = await call.engine.change_set_source(call.caller, found.id)
    elif "StackName" in call.input:
        source = await call.engine.source_of(await call.stack(call.input["StackName"]))
    else:
        raise validation("StackName is required if ChangeSetName is not specified.")
    stages = [_ORIGINAL, _PROCESSED] if source.text else [_ORIGINAL]
    stage = call.input.get("TemplateStage", _ORIGINAL)
    if stage not in stages:
        raise validation("Template is not ready. Ask for the stage Original.")
    return {"TemplateBody": processed(source) if stage == _PROCESSED else source.text, "StagesAvailable": stages}


async def get_template_summary(call: Call) -> dict[str, Any]:
    """N06."""
    if "StackSetName" in call.input:
        raise AwsError("StackSetNotFoundException", f"StackSet {call.input['StackSetName']} not found", 404)
    text, reference = await template_text(call), call.input.get("StackName")
    if text is not None and reference is not None:
        raise validation("Specify only one of StackName, TemplateBody and TemplateURL.")
    if reference is not None:
        stack = await call.stack(reference)
        if views.status_of(stack) == REVIEW:
            raise validation("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
        source = await call.engine.source_of(stack)
    elif text is not None:
        source = Source(text, presumed="cfn")
    else:
        raise validation("Either StackName or TemplateBody or TemplateURL must be specified.")
    template = await aside(lambda: summarized(call, source))
    return template_summary(template, _unrecognized(call, template))


def summarized(call: Call, source: Source) -> Template:
    """The template as far as it is known without asking anything outside and without the values of parameters: what
    transforms would make is not."""
    try:
        return call.engine.translate(source)
    except Unanswered:
        return call.engine.outline(source)
    except Invalid as error:
        if all(one.code.startswith("Undecided") for one in error.diagnostics):
            return call.engine.outline(source)
        raise


def _unrecognized(call: Call, template: Template) -> list[str]:
    """Types of native resources that no type is registered for; AWS types are judged by the translator."""
    kinds = set(resource_types(template).values()) - {group.type for group in template.groups.values()}
    if not kinds:
        return []
    known = call.engine.resource_types()
    return [kind for kind in kinds if kind not in known and kind.startswith("OS::")]


async def validate_template(call: Call) -> dict[str, Any]:
    """N07."""
    text = await template_text(call)
    if text is None:
        raise validation(NO_TEMPLATE)
    return validation_result(await call.engine.validate(call.caller, Source(text, presumed="cfn")))
