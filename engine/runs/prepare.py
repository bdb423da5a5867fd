"""From a stored definition to a deployment: translate, bind, ask the surroundings, draw the graph."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from engine.cloud.contract import Cloud
from engine.cloud.errors import CloudError
from engine.model.diagnostic import invalid
from engine.model.expression import AvailabilityZones, Expression, walk
from engine.model.source import Source
from engine.model.template import Template
from engine.model.value import Value
from engine.plan.deployment import Deployment, bind_source, deploy, imports_of
from engine.plan.scope import Facts
from engine.resources.base import StackIdentity
from engine.runs.context import RunContext

CloudGetter = Callable[[], Awaitable[Cloud]]


async def prepare(
    context: RunContext, identity: StackIdentity, source: Source, cloud: CloudGetter,
    notification_arns: tuple[str, ...] = (), facade: Mapping[str, Value] | None = None,
) -> Deployment:  # fmt: skip
    """Return the deployment of `source` for that stack. Raises Invalid with all findings."""
    template = context.translator.translate(source)
    bindings = bind_source(template, source)
    facts = await gather_facts(context, template, identity.project_id, cloud, notification_arns)
    return deploy(template, bindings, identity, facts, context.registry, facade)


async def gather_facts(
    context: RunContext, template: Template, project_id: str, cloud: CloudGetter, notification_arns: tuple[str, ...]
) -> Facts:
    """Ask only what the template asks."""
    zones: tuple[str, ...] = ()
    if any(isinstance(inner, AvailabilityZones) for outer in _expressions(template) for inner in walk(outer)):
        try:
            told = await (await cloud()).facts()
        except CloudError as error:
            raise invalid("CloudUnavailable", f"The availability zones cannot be listed: {error.message}") from error
        zones = tuple(told["zones"])
    exports: dict[str, str] = {}
    if imports_of(template):
        exports = {export.name: export.value for export in await context.store.exports(project_id)}
    return Facts(context.settings.region, zones, exports, notification_arns)


def _expressions(template: Template) -> list[Expression]:
    found: list[Expression] = [resource.properties for resource in template.resources.values()]
    found += [output.value for output in template.outputs.values()]
    found += [e for group in template.groups.values() for e in (group.reference, *group.attributes.values())]
    found += list(template.conditions.values())
    return found
