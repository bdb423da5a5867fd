"""From a stored definition to a deployment: translate, bind, ask the surroundings, draw the graph."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial

from engine.cloud.contract import Cloud
from engine.cloud.errors import CloudError
from engine.expr.parameters import Bindings
from engine.model.aside import LONG, aside
from engine.model.diagnostic import invalid
from engine.model.expression import AvailabilityZones, Expression, ObjectAttribute, ParameterRef, walk
from engine.model.source import Source
from engine.model.stack import Options
from engine.model.template import Template
from engine.model.value import Value
from engine.plan.deployment import Deployment, bind_source, deploy, imports_of
from engine.plan.scope import Facts
from engine.resources.base import StackIdentity
from engine.runs.context import RunContext
from engine.runs.stack_outputs import stack_outputs

CloudGetter = Callable[[], Awaitable[Cloud]]


async def prepare(
    context: RunContext, identity: StackIdentity, source: Source, cloud: CloudGetter,
    options: Options, facade: Mapping[str, Value] | None = None,
) -> Deployment:  # fmt: skip
    """Return the deployment of `source` for that stack. Raises Invalid with all findings."""
    long = len(source.text) > LONG
    template = await aside(partial(context.translator.translate, source), when=long)
    bindings = bind_source(template, source)
    facts = await gather_facts(context, template, identity.project_id, cloud, options)
    if "GetStackOutput" in source.text:
        others = await stack_outputs(context.store, identity, template, bindings, facts, _expressions(template))
        facts = replace(facts, stack_outputs=others.outputs, secrets=facts.secrets | others.secrets)
    if template.rules:
        facts = replace(facts, objects=await _objects(context, template, bindings, identity.project_id))
    made = partial(deploy, template, bindings, identity, facts, context.registry, facade)
    deployment = await aside(made, when=long or template.waits)
    sinks = source.environment.get("event_sinks") or ()
    return replace(deployment, sinks=sinks) if sinks else deployment


async def gather_facts(
    context: RunContext, template: Template, project_id: str, cloud: CloudGetter, options: Options
) -> Facts:
    """Ask only what the template asks."""
    zones: tuple[str, ...] = ()
    if asks_for_zones(template):
        try:
            told = await (await cloud()).facts()
        except CloudError as error:
            raise invalid("CloudUnavailable", f"The availability zones cannot be listed: {error.message}") from error
        zones = tuple(told["zones"])
    found = await context.store.exports(project_id) if imports_of(template) else ()
    exports = {export.name: export.value for export in found}
    secrets = frozenset(export.name for export in found if export.secret)
    return Facts(context.settings.region, zones, exports, options.notification_arns, options.tags, secrets=secrets)


def asks_for_zones(template: Template) -> bool:
    return any(isinstance(inner, AvailabilityZones) for outer in _expressions(template) for inner in walk(outer))


async def _objects(
    context: RunContext, template: Template, bindings: Bindings, project_id: str
) -> dict[str, Mapping[str, Value]]:
    """Attributes and tags, by physical id, of what rules ask about and a stack of the project has made."""
    found: dict[str, Mapping[str, Value]] = {}
    for named in _asked_about(template, bindings):
        for row in await context.store.resources_with_physical_id(project_id, named):
            if row.is_group and row.exists and not row.condemned:
                tags = row.properties.get("Tags") or ()
                found[named] = {**row.attributes, **{f"Tags.{tag.get('Key')}": tag.get("Value") for tag in tags}}
    return found


def _asked_about(template: Template, bindings: Bindings) -> set[str]:
    expressions = [one for rule in template.rules for one in (rule.condition, *(check for check, _ in rule.assertions))]
    asked = [
        inner.reference
        for outer in expressions
        if outer is not None
        for inner in walk(outer)
        if isinstance(inner, ObjectAttribute)
    ]
    names = {inner.name for outer in asked for inner in walk(outer) if isinstance(inner, ParameterRef)}
    values = [bindings.values[name] for name in names if name in bindings.values]
    return {str(one) for value in values for one in (value if isinstance(value, list) else [value])}


def _expressions(template: Template) -> list[Expression]:
    found: list[Expression] = [resource.properties for resource in template.resources.values()]
    found += [output.value for output in template.outputs.values()]
    found += [e for group in template.groups.values() for e in (group.reference, *group.attributes.values())]
    found += list(template.conditions.values())
    return found
