"""What can be known about a template without a cloud and without the values of its parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from engine.door.nested_check import Child, child_findings, child_of, deployment_of, has_output
from engine.expr.evaluate import evaluate
from engine.expr.parameters import placeholders
from engine.model.diagnostic import Diagnostic, Invalid, Span
from engine.model.expression import AttributeRef, Expression, ListOf, Literal, MapOf, find
from engine.model.source import Source, Translator, Unanswered
from engine.model.template import Constraint, DeletionPolicy, Dialect, Group, Parameter, Resource, Template
from engine.model.value import NO_VALUE, UNKNOWN, Value
from engine.plan.deployment import Deployment, deploy
from engine.plan.scope import NOTHING_ASKED, View
from engine.resources.base import StackIdentity
from engine.resources.constraints import violation
from engine.resources.registry import Registry
from engine.resources.schema import check_map, check_properties

_MOST_LEVELS = 5  # of templates inside templates that are looked at


class TemplateCheck:
    """Needs the parser and the resource types, nothing else."""

    def __init__(self, translator: Translator, registry: Registry) -> None:
        self._translator, self._registry = translator, registry

    def offline(self, source: Source) -> Template:
        """What needs neither parameters' values nor a cloud. Raises Invalid. Nothing is fetched."""
        try:
            template = self._translator.translate(source)
        except Unanswered as asked:
            if any(question.kind != "template" for question in asked.questions):
                raise
            source = replace(source, answers={**source.answers, **{question.key: "" for question in asked.questions}})
            template = self._translator.translate(source)
        bindings = placeholders(template, source.parameters)
        identity = StackIdentity("", "", "", "")
        deployment = deploy(template, bindings, identity, NOTHING_ASKED, self._registry)
        self.check(deployment)
        return template

    def check(self, deployment: Deployment) -> None:
        """Raises Invalid with everything that is wrong with properties and attributes, as far as they are known, in
        templates inside too."""
        findings = dict.fromkeys(self._findings(deployment, _MOST_LEVELS))
        if findings:
            raise Invalid(findings)

    def _findings(self, deployment: Deployment, levels: int) -> Iterator[Diagnostic]:
        children: dict[str, Child] = {}
        for resource in deployment.resources.values():
            yield from self._inside(deployment, resource, children, levels)
        yield from _named_limits(deployment)
        yield from self._properties(deployment)
        if deployment.template.dialect is Dialect.CFN:
            yield from _others(deployment)
        yield from self._attributes(deployment, children)

    def _inside(
        self, deployment: Deployment, resource: Resource, children: dict[str, Child], levels: int
    ) -> Iterator[Diagnostic]:
        """TE-20: findings in the template that a resource is, which is put into `children`."""
        try:
            child = child_of(deployment, resource, self._translator)
            if child is None:
                return
            children[resource.address] = child
            wrong = list(child_findings(child, resource, self._registry))
            yield from wrong
            if not wrong and levels:
                inner = deployment_of(child, self._translator, deployment, self._registry)
                if inner is not None:
                    yield from self._findings(inner, levels - 1)
        except Invalid as error:
            yield from error.diagnostics

    def _properties(self, deployment: Deployment) -> Iterable[Diagnostic]:
        for resource in deployment.resources.values():
            if resource.external_id is not None:
                continue  # TR-08: it is neither made nor changed, so its properties are never used
            yield from self._snapshots(deployment, resource)
            yield from self._update_policy(deployment, resource)
            try:
                given = deployment.foresee(resource.properties)
            except Invalid as error:
                yield from error.diagnostics
                continue
            kind = self._registry.get(resource.type)
            if given is UNKNOWN:
                continue
            values: Mapping[str, Value] = {} if given is NO_VALUE else deployment.checkable(given)
            for finding in check_properties(kind, values):
                yield self._diagnostic(deployment, resource, finding.path, finding.code, finding.message)
            for sentence in kind.validate(values):
                yield self._diagnostic(deployment, resource, (), "PropertyConflict", sentence)

    def _update_policy(self, deployment: Deployment, resource: Resource) -> Iterable[Diagnostic]:
        """TR-06: only what the type knows; most know none."""
        if resource.update_policy is None:
            return
        try:
            given = evaluate(resource.update_policy, deployment.scope(View()))
        except Invalid as error:
            yield from error.diagnostics
            return
        address, span = f"resources.{resource.address}.update_policy", resource.update_policy.span
        known = self._registry.get(resource.type).update_policy
        if isinstance(given, Mapping):
            for finding in check_map(known, given):
                where = ".".join([address, *(str(part) for part in finding.path)])
                place = span_of(resource.update_policy, finding.path) or span
                yield Diagnostic(finding.code, f"Property error: {where}: {finding.message}", address=where, span=place)
        elif given is not UNKNOWN:
            yield Diagnostic("PropertyType", f"Property error: {address}: an update policy is a map.",
                             f"{resource.type} has: {', '.join(known) or 'none'}.", address, span)  # fmt: skip

    def _snapshots(self, deployment: Deployment, resource: Resource) -> Iterable[Diagnostic]:
        """ENGU-10: what asks for a copy before it goes must have one; losing it silently is no answer. Of what became
        several objects, one is enough."""
        group = deployment.groups.get(resource.group or "")
        members = [resource.address] if group is None else [one for one in group.members if one in deployment.resources]
        if any(self._registry.get(deployment.resources[one].type).snapshot_on_delete for one in members):
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

    def _attributes(self, deployment: Deployment, children: Mapping[str, Child]) -> Iterator[Diagnostic]:
        """TF-03: an attribute that is asked for must be one of the type's."""
        places: list[tuple[str, Expression]] = [
            (f"resources.{resource.address}", part)
            for resource in deployment.resources.values()
            for part in (resource.properties, resource.metadata)
            if part is not None
        ]
        places += [(f"outputs.{output.name}", output.value) for output in deployment.template.outputs.values()]
        for address, outer in places:
            for inner in find(outer, AttributeRef):
                if not isinstance(inner.attribute, Literal):
                    continue
                asked = deployment.resources.get(inner.address)
                if asked is None:
                    continue
                kind, name = self._registry.get(asked.type), str(inner.attribute.value)
                child = children.get(inner.address)
                if not (kind.has_attribute(name) if child is None else has_output(child, name)):
                    names = kind.attributes if child is None else child.template.outputs
                    known = ", ".join(sorted(names)) or "none"
                    yield Diagnostic(
                        "UnknownAttribute",
                        f"The Referenced Attribute ({inner.address} {name}) is incorrect.",
                        f"{asked.type if child is None else child.written} has: {known}.",
                        address=address,
                        span=inner.span,
                    )

    def _diagnostic(
        self, deployment: Deployment, resource: Resource, path: tuple[str | int, ...], code: str, message: str
    ) -> Diagnostic:
        where = ".".join(["resources", resource.address, "properties", *(str(p) for p in path)])
        span = span_of(resource.properties, path) or resource.span
        if span is None and resource.group is not None:
            span = deployment.template.groups[resource.group].span
        return Diagnostic(code, f"Property error: {where}: {message}", address=where, span=span)


def check_rules(deployment: Deployment) -> None:
    """CFN Rules: every assertion of a rule whose condition holds. Raises Invalid."""
    scope = deployment.scope(View())
    findings = []
    for rule in deployment.template.rules:
        if rule.condition is not None and not evaluate(rule.condition, scope):
            continue
        for assertion, text in rule.assertions:
            if evaluate(assertion, scope) is False:
                said = text or f"Assertion of rule {rule.name} does not hold."
                findings.append(Diagnostic("RuleFailed", f"Template error: Rule {rule.name}: {said}",
                                           address=f"Rules.{rule.name}", span=assertion.span))  # fmt: skip
    if findings:
        raise Invalid(findings)


def custom_limits(deployment: Deployment) -> Iterator[tuple[Parameter, Constraint, Value]]:
    """Each named limit of a parameter with each value that must keep it: a list's items are values of their own."""
    for name, parameter in deployment.template.parameters.items():
        value = deployment.bindings.values.get(name, UNKNOWN)
        for limit in parameter.constraints:
            if limit.custom is not None:
                for one in value if isinstance(value, list | tuple) else [value]:
                    if one is not UNKNOWN and not isinstance(one, list | dict) and not _is_known(limit, one):
                        yield parameter, limit, one


def _is_known(limit: Constraint, value: Value) -> bool:
    return any(fnmatchcase(str(value), glob) for glob in limit.known)


def _others(deployment: Deployment) -> Iterator[Diagnostic]:
    """What metadata and outputs ask for that nothing can give, whatever resources turn out to be."""
    scope = deployment.scope(View())
    held: list[Resource | Group] = [*deployment.resources.values(), *deployment.groups.values()]
    places = [(f"Resources.{one.address}.Metadata", one.metadata) for one in held]
    places += [
        (f"Outputs.{one.name}", part)
        for one in deployment.template.outputs.values()
        if one.condition is None or evaluate(one.condition, scope)
        for part in (one.value, one.export)
    ]
    yield from _exports(deployment)
    for address, part in places:
        if part is not None:
            try:
                evaluate(part, scope)
            except Invalid as error:
                yield from (replace(one, address=one.address or address) for one in error.diagnostics)


_EXPORT_NAME: Final = re.compile(r"[A-Za-z0-9:-]{1,255}")


def _exports(deployment: Deployment) -> Iterator[Diagnostic]:
    """Q22: names of exports that are put together are known as soon as parameters are."""
    scope = deployment.scope(View())
    for output in deployment.template.outputs.values():
        if output.export is None or (output.condition is not None and not evaluate(output.condition, scope)):
            continue
        try:
            name = evaluate(output.export, scope)
        except Invalid:
            continue  # told with what is wrong with outputs
        if name is not UNKNOWN and not (isinstance(name, str) and _EXPORT_NAME.fullmatch(name)):
            yield Diagnostic(
                "InvalidExport",
                f"Template format error: Output {output.name} is malformed. The Name field of every Export member must "
                "be specified and consist only of alphanumeric characters, colons, or hyphens.",
                f"It is {str(name)[:60]!r}; names have at most 255 characters.",
                address=f"Outputs.{output.name}", span=output.export.span or output.span,
            )  # fmt: skip


def _named_limits(deployment: Deployment) -> Iterator[Diagnostic]:
    """TK-01: those limits that need nobody's answer."""
    for parameter, limit, value in custom_limits(deployment):
        broken = violation(limit, value)
        if broken is not None:
            kept = limit.description or f"the value does not keep the constraint {limit.custom}"
            yield Diagnostic(
                "ParameterConstraint",
                f"Parameter '{parameter.name}' is invalid: {kept if parameter.hidden else broken}",
                address=f"parameters.{parameter.name}", span=parameter.span,
            )  # fmt: skip


def span_of(expression: Expression, path: tuple[str | int, ...]) -> Span | None:
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
