"""Everything that can be known before anything is made: one pass, all findings at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from engine.cloud.contract import Cloud
from engine.cloud.errors import CloudError, NotFound
from engine.door.template_check import TemplateCheck, check_rules, custom_limits, span_of
from engine.expr.evaluate import evaluate
from engine.model.aside import aside
from engine.model.diagnostic import Diagnostic, Invalid, Span, in_order, invalid
from engine.model.errors import LimitExceeded
from engine.model.source import Source, Unanswered
from engine.model.stack import Options
from engine.model.template import Constraint, Parameter, Template
from engine.model.value import Value
from engine.plan.deployment import Deployment
from engine.plan.scope import View
from engine.resources.base import StackIdentity
from engine.resources.constraints import cloud_kind
from engine.resources.openstack_type import OpenStackType
from engine.resources.schema import cloud_questions
from engine.runs.context import RunContext
from engine.runs.prepare import CloudGetter, asks_for_zones, prepare


class Validator:
    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._template = TemplateCheck(context.translator, context.registry)

    async def whole(self, identity: StackIdentity, source: Source, cloud: CloudGetter, options: Options) -> Deployment:
        """The deployment of `source`, checked as far as can be. Raises Invalid, LimitExceeded."""
        async with self.telling_all_aside(source):
            deployment = await prepare(self._context, identity, source, cloud, options)
        limit = self._context.settings.max_resources_per_stack
        if (
            0
            <= limit
            < len(deployment.template.groups)
            + sum(1 for resource in deployment.resources.values() if resource.group is None)
        ):
            raise LimitExceeded(f"Maximum resources per stack exceeded ({limit}, max_resources_per_stack).")
        check_rules(deployment)
        await aside(lambda: self._template.check(deployment))  # templates inside may wait too
        if self.outside(deployment):
            await self._ask_cloud(deployment, await cloud())
        return deployment

    async def offline(self, source: Source) -> Template:
        """What needs neither parameters' values nor a cloud. Raises Invalid."""
        return await aside(lambda: self._template.offline(source))

    @contextmanager
    def telling_all(self, source: Source) -> Iterator[None]:
        """An Invalid that is raised inside tells whatever else is wrong with the template too."""
        try:
            yield
        except Unanswered:
            raise
        except Invalid as error:
            raise Invalid(self._with_the_rest(source, error.diagnostics)) from error

    @asynccontextmanager
    async def telling_all_aside(self, source: Source) -> AsyncIterator[None]:
        """`telling_all` for what runs on the event loop."""
        try:
            yield
        except Unanswered:
            raise
        except Invalid as error:
            told = error.diagnostics
            raise Invalid(await aside(lambda: self._with_the_rest(source, told))) from error

    def _with_the_rest(self, source: Source, told: Sequence[Diagnostic]) -> Iterable[Diagnostic]:
        try:
            self._template.offline(source)
        except Unanswered:
            return told
        except Invalid as more:
            places = {one.span for one in told if one.span is not None}
            return in_order([*told, *(one for one in more.diagnostics if one.span not in places)], source.name)
        return told

    def outside(self, deployment: Deployment) -> bool:
        """Whether any resource has an object in the cloud, any parameter names one, its zones are asked for, or events
        go there."""
        if deployment.sinks:
            return True
        registry, custom = self._context.registry, deployment.bindings.custom
        return (
            any(not registry.get(r.type).local for r in deployment.resources.values())
            or any(cloud_kind(constraint) is not None for _, constraint, _ in custom)
            or asks_for_zones(deployment.template)
        )

    # --- asking the cloud -----------------------------------------------------------------------------------------
    async def _ask_cloud(self, deployment: Deployment, cloud: Cloud) -> None:
        services = await cloud.services()
        findings = [
            Diagnostic(
                "ServiceUnavailable",
                f"HEAT-E99001 Service {kind.service} is not available for resource type {resource.type}, reason: "
                f"{kind.service} service endpoint is not in the service catalogue.",
                address=f"resources.{resource.address}", span=resource.span,
            )
            for resource in deployment.resources.values()
            if (kind := self._context.registry.get(resource.type)).service is not None and kind.service not in services
        ]  # fmt: skip
        if deployment.sinks and not {"message", "messaging"} & services:
            findings.append(Diagnostic(
                "EventSinksNotSupported", "event_sinks: this cloud has no messaging service; no event would be sent.",
                "Leave them out; events can be listed.", address="environment.event_sinks",
            ))  # fmt: skip
        if findings:
            raise Invalid(findings)
        questions: dict[str, list[_Question]] = {}
        asking = await aside(lambda: [*self._of_properties(deployment)], when=deployment.template.waits)
        for question in dict.fromkeys([*_of_parameters(deployment), *asking]):
            questions.setdefault(question.kind, []).append(question)
        told = await asyncio.gather(*(_answers(cloud, kind, asked) for kind, asked in questions.items()))
        found = [finding for several in told for finding in several]
        found += [finding async for finding in self._externals(deployment, cloud)]
        if found:
            veil = deployment.veil
            raise Invalid(replace(one, summary=veil(one.summary), detail=veil(one.detail)) for one in found)

    async def _externals(self, deployment: Deployment, cloud: Cloud) -> AsyncIterator[Diagnostic]:
        """TR-08: an object that a resource stands for must be there."""
        scope = deployment.scope(View())
        for resource in deployment.resources.values():
            kind = self._context.registry.get(resource.type)
            if resource.external_id is None or not isinstance(kind, OpenStackType):
                continue
            written = resource.external_id
            wanted = await aside(partial(evaluate, written, scope), when=deployment.template.waits)
            if isinstance(wanted, str) and not await kind.exists(cloud, wanted):
                yield Diagnostic(
                    "ExternalNotFound",
                    f"Invalid external resource: Resource {wanted} ({resource.type}) can not be found.",
                    "Give the id of an object that the project can see.",
                    address=f"resources.{resource.address}.external_id", span=resource.external_id.span,
                )  # fmt: skip

    def _of_properties(self, deployment: Deployment) -> Iterator[_Question]:
        """Objects that properties name. Not of lowered resources: CloudFormation looks when it makes them, and a
        template may name what it makes itself."""
        scope = deployment.scope(View())
        for resource in deployment.resources.values():
            if resource.group is not None:
                continue
            kind = self._context.registry.get(resource.type)
            given = deployment.checkable(evaluate(resource.properties, scope))
            if not isinstance(given, Mapping):
                continue
            for path, asked, value in cloud_questions(kind, given):
                where = ".".join(["resources", resource.address, "properties", *(str(part) for part in path)])
                span = span_of(resource.properties, path) or resource.span
                yield _Question(asked, value, f"Property error: {where}", where, span)


@dataclass(frozen=True, slots=True)
class _Question:
    """Something the cloud must know. `what` begins the sentence that says it does not."""

    kind: str
    value: str
    what: str
    address: str
    span: Span | None
    words: str = ""  # the constraint's own description
    missing: str = ""  # CloudFormation's words for what does not exist

    def answered(self, error: CloudError) -> Diagnostic:
        said = error.message
        if self.missing and isinstance(error, NotFound):
            what, said = self.missing, " ".join(filter(None, (self.words, said)))
            return Diagnostic("ConstraintFailed", what, said, address=self.address, span=self.span)
        sentence = self.words or f"Error validating value '{self.value}': {said}"
        return Diagnostic("ConstraintFailed", f"{self.what}: {sentence}", address=self.address, span=self.span)


async def _answers(cloud: Cloud, kind: str, questions: Sequence[_Question]) -> list[Diagnostic]:
    """What the cloud does not know of all that is asked about one kind of object; one listing at most."""
    try:
        found = await cloud.resolve_all(kind, {question.value for question in questions})
    except CloudError as error:
        raise invalid("CloudUnavailable", f"{questions[0].what} cannot be checked: {error.message}") from error
    return [
        question.answered(missing) for question in questions if isinstance(missing := found[question.value], CloudError)
    ]


def _of_parameters(deployment: Deployment) -> Iterator[_Question]:
    """Everything that parameters name and the cloud must know; list items one by one."""
    for parameter, limit, value in custom_limits(deployment):
        kind = cloud_kind(limit.custom or "")
        if kind is not None and value:
            what, where = f"Parameter '{parameter.name}' is invalid", f"parameters.{parameter.name}"
            yield _Question(
                kind, value, what, where, parameter.span, limit.description, _missing(parameter, limit, value)
            )


def _missing(parameter: Parameter, limit: Constraint, value: Value) -> str:
    """What CloudFormation says of a parameter's value that does not exist, and EC2 of the value."""
    if not limit.missing:
        return ""
    failed = f"Parameter validation failed: parameter value {value} for parameter name {parameter.name} does not exist."
    return f"{failed} {limit.missing.format(value)}."
