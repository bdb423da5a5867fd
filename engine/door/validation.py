"""Everything that can be known before anything is made: one pass, all findings at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.cloud.contract import Cloud
from engine.cloud.errors import CloudError, NotFound, Permanent
from engine.expr.evaluate import evaluate
from engine.expr.parameters import placeholders
from engine.model.diagnostic import Diagnostic, Invalid, Span, invalid
from engine.model.errors import LimitExceeded
from engine.model.expression import AttributeRef, Expression, ListOf, Literal, MapOf, walk
from engine.model.source import Source
from engine.model.template import DeletionPolicy, Resource, Template
from engine.model.value import NO_VALUE, UNKNOWN, Value
from engine.plan.deployment import Deployment, deploy
from engine.plan.scope import Facts, View
from engine.resources.base import StackIdentity
from engine.resources.constraints import cloud_kind
from engine.resources.schema import check_properties, cloud_questions
from engine.runs.context import RunContext
from engine.runs.prepare import CloudGetter, prepare

_AT_ONCE = 8  # look-ups under way together


class Validator:
    def __init__(self, context: RunContext) -> None:
        self._context = context

    async def whole(
        self, identity: StackIdentity, source: Source, cloud: CloudGetter, notification_arns: tuple[str, ...] = ()
    ) -> Deployment:
        """The deployment of `source`, checked as far as can be. Raises Invalid, LimitExceeded."""
        deployment = await prepare(self._context, identity, source, cloud, notification_arns)
        limit = self._context.settings.max_resources_per_stack
        if (
            0
            <= limit
            < len(deployment.template.groups)
            + sum(1 for resource in deployment.resources.values() if resource.group is None)
        ):
            raise LimitExceeded(f"Maximum resources per stack exceeded ({limit}, max_resources_per_stack).")
        self.check_rules(deployment)
        findings = [*self._properties(deployment), *self._attributes(deployment)]
        if findings:
            raise Invalid(findings)
        if self.outside(deployment):
            await self._ask_cloud(deployment, await cloud())
        return deployment

    def offline(self, source: Source) -> Template:
        """What needs neither parameters' values nor a cloud. Raises Invalid."""
        template = self._context.translator.translate(source)
        bindings = placeholders(template, source.parameters)
        identity = StackIdentity("", "", "", "")
        deployment = deploy(template, bindings, identity, Facts(), self._context.registry)
        findings = [*self._properties(deployment), *self._attributes(deployment)]
        if findings:
            raise Invalid(findings)
        return template

    def outside(self, deployment: Deployment) -> bool:
        """Whether any resource has an object in the cloud."""
        return any(not self._context.registry.get(r.type).local for r in deployment.resources.values())

    def check_rules(self, deployment: Deployment) -> None:
        """CFN Rules: every assertion of a rule whose condition holds."""
        scope = deployment.scope(View())
        findings = []
        for rule in deployment.template.rules:
            if rule.condition is not None and not evaluate(rule.condition, scope):
                continue
            for assertion, text in rule.assertions:
                if evaluate(assertion, scope) is False:
                    said = text or f"Assertion of rule {rule.name} does not hold."
                    findings.append(Diagnostic("RuleFailed", f"Template error: Rule {rule.name}: {said}",
                                               address=f"Rules.{rule.name}"))  # fmt: skip
        if findings:
            raise Invalid(findings)

    def _properties(self, deployment: Deployment) -> Iterable[Diagnostic]:
        scope = deployment.scope(View())
        for resource in deployment.resources.values():
            yield from self._snapshots(resource)
            try:
                given = evaluate(resource.properties, scope)
            except Invalid as error:
                yield from error.diagnostics
                continue
            kind = self._context.registry.get(resource.type)
            values: Mapping[str, Value] = {} if given is NO_VALUE or given is UNKNOWN else given
            for finding in check_properties(kind, values):
                yield self._diagnostic(deployment, resource, finding.path, finding.code, finding.message)
            for sentence in kind.validate(values):
                yield self._diagnostic(deployment, resource, (), "PropertyConflict", sentence)

    def _snapshots(self, resource: Resource) -> Iterable[Diagnostic]:
        """ENGU-10: what asks for a copy before it goes must have one; losing it silently is no answer."""
        if self._context.registry.get(resource.type).snapshot_on_delete:
            return
        asked = {
            "deletion_policy": resource.deletion_policy, "update_replace_policy": resource.update_replace_policy,
        }  # fmt: skip
        for name, policy in asked.items():
            if policy is DeletionPolicy.SNAPSHOT:
                yield Diagnostic(
                    "SnapshotNotSupported",
                    f"Resource {resource.address}: the {name} Snapshot is not supported by {resource.type}.",
                    "Say Delete or Retain.", address=f"resources.{resource.address}", span=resource.span,
                )  # fmt: skip

    def _attributes(self, deployment: Deployment) -> Iterator[Diagnostic]:
        """TF-03: an attribute that is asked for must be one of the type's."""
        places: list[tuple[str, Expression]] = [
            (f"resources.{resource.address}", part)
            for resource in deployment.resources.values()
            for part in (resource.properties, resource.metadata)
            if part is not None
        ]
        places += [(f"outputs.{output.name}", output.value) for output in deployment.template.outputs.values()]
        for address, outer in places:
            for inner in walk(outer):
                if not isinstance(inner, AttributeRef) or not isinstance(inner.attribute, Literal):
                    continue
                asked = deployment.resources.get(inner.address)
                if asked is None:
                    continue
                kind, name = self._context.registry.get(asked.type), str(inner.attribute.value)
                if not kind.has_attribute(name):
                    known = ", ".join(sorted(kind.attributes)) or "none"
                    yield Diagnostic(
                        "UnknownAttribute",
                        f"The Referenced Attribute ({inner.address} {name}) is incorrect.",
                        f"{asked.type} has: {known}.",
                        address=address,
                        span=inner.span,
                    )

    def _diagnostic(
        self, deployment: Deployment, resource: Resource, path: tuple[str | int, ...], code: str, message: str
    ) -> Diagnostic:
        where = ".".join(["resources", resource.address, "properties", *(str(p) for p in path)])
        span = _span_of(resource.properties, path) or resource.span
        if span is None and resource.group is not None:
            span = deployment.template.groups[resource.group].span
        return Diagnostic(code, f"Property error: {where}: {message}", address=where, span=span)

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
        if findings:
            raise Invalid(findings)
        slots = asyncio.Semaphore(_AT_ONCE)

        async def ask(question: _Question) -> Diagnostic | None:
            async with slots:
                try:
                    await cloud.resolve(question.kind, question.value)
                except (NotFound, Permanent) as error:
                    return question.answered(error.message)
                except CloudError as error:
                    raise invalid("CloudUnavailable", f"{question.what} cannot be checked: {error.message}") from error
            return None

        questions = dict.fromkeys([*_of_parameters(deployment), *self._of_properties(deployment)])
        found = [finding for finding in await asyncio.gather(*map(ask, questions)) if finding is not None]
        if found:
            raise Invalid(found)

    def _of_properties(self, deployment: Deployment) -> Iterator[_Question]:
        """Objects that properties name. Not of lowered resources: CloudFormation looks when it makes them, and a
        template may name what it makes itself."""
        scope = deployment.scope(View())
        for resource in deployment.resources.values():
            if resource.group is not None:
                continue
            kind = self._context.registry.get(resource.type)
            given = evaluate(resource.properties, scope)
            if not isinstance(given, Mapping):
                continue
            for path, asked, value in cloud_questions(kind, given):
                where = ".".join(["resources", resource.address, "properties", *(str(part) for part in path)])
                span = _span_of(resource.properties, path) or resource.span
                yield _Question(asked, value, f"Property error: {where}", where, span)


@dataclass(frozen=True, slots=True)
class _Question:
    """Something the cloud must know. `what` begins the sentence that says it does not."""

    kind: str
    value: str
    what: str
    address: str
    span: Span | None

    def answered(self, said: str) -> Diagnostic:
        return Diagnostic(
            "ConstraintFailed",
            f"{self.what}: Error validating value '{self.value}': {said}",
            address=self.address,
            span=self.span,
        )


def _of_parameters(deployment: Deployment) -> Iterator[_Question]:
    for name, constraint, value in _custom(deployment):
        kind = cloud_kind(constraint)
        if kind is not None and value:
            span = _parameter_span(deployment.template, name)
            yield _Question(kind, value, f"Parameter '{name}' is invalid", f"parameters.{name}", span)


def _custom(deployment: Deployment) -> list[tuple[str, str, str]]:
    """(parameter, constraint, value) of everything the cloud must know; list items one by one."""
    found: list[tuple[str, str, str]] = []
    for name, constraint, value in deployment.bindings.custom:
        values: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
        found.extend((name, constraint, one) for one in values if isinstance(one, str))
    return found


def _parameter_span(template: Template, name: str) -> Any:
    found = template.parameters.get(name)
    return None if found is None else found.span


def _span_of(expression: Expression, path: tuple[str | int, ...]) -> Any:
    """The place of the value at `path`, or of the nearest thing around it that has one."""
    here: Expression | None = expression
    span = None
    for step in path:
        match here:
            case MapOf():
                here = here.get(str(step))
            case ListOf(items) if isinstance(step, int) and step < len(items):
                here = items[step]
            case _:
                here = None
        if here is None:
            break
        span = here.span or span
    return span
