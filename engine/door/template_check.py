"""What can be known about a template without a cloud and without the values of its parameters."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from engine.door.group_members import group_members
from engine.door.nested_check import Child, child_findings, child_of, deployment_of, has_output
from engine.door.output_check import output_findings
from engine.expr.evaluate import evaluate
from engine.expr.parameters import Bindings, placeholders, wrong_defaults, wrong_values
from engine.model.diagnostic import Diagnostic, Invalid, Span, in_order
from engine.model.expression import AttributeRef, Expression, ListOf, Literal, MapOf, find
from engine.model.nearest import did_you_mean
from engine.model.source import Examined, Source, Translator, Unanswered
from engine.model.template import Constraint, DeletionPolicy, Parameter, Resource, Template
from engine.model.value import NO_VALUE, UNKNOWN, Value
from engine.plan.deployment import Deployment, decided, ordered, unknown_type, unknown_types
from engine.plan.scope import NOTHING_ASKED, View
from engine.resources.base import StackIdentity
from engine.resources.constraints import violation
from engine.resources.registry import Registry
from engine.resources.schema import Finding, check_map, check_properties

_MOST_LEVELS = 5  # of templates inside templates that are looked at


class TemplateCheck:
    """Needs the parser and the resource types, nothing else."""

    def __init__(self, translator: Translator, registry: Registry) -> None:
        self._translator, self._registry = translator, registry

    def offline(self, source: Source) -> Template:
        """What needs neither parameters' values nor a cloud. Raises Invalid with all findings, however much of the
        template some of them hide. Nothing is fetched."""
        examined = self._examined(source)
        bindings = placeholders(examined.template, source.parameters)
        template, unknown = self._known(examined.template, bindings)
        given = source.parameters
        if any(one.address in ("Parameters", "parameters") for one in examined.errors):
            given = {}  # which there are is not known
        found = [*examined.errors, *unknown, *wrong_values(template, given)]
        found += _news(found, self._further(template, bindings, examined.errors, source.parameters))
        if found:
            raise Invalid(in_order(found, source.name))
        return template

    def _known(self, template: Template, bindings: Bindings) -> tuple[Template, Iterable[Diagnostic]]:
        """`template` without the resources whose type there is not, and what is said of these."""
        unknown = unknown_types(template, self._registry, bindings)
        if not unknown:
            return template, ()
        known = {address: one for address, one in template.resources.items() if address not in unknown}
        return replace(template, resources=known), unknown.values()

    def _further(
        self, template: Template, bindings: Bindings, told: Sequence[Diagnostic], given: Container[str]
    ) -> Iterator[Diagnostic]:
        """What is wrong with properties, attributes, rules and the graph of a template of which that is known."""
        try:
            deployment = decided(template, bindings, StackIdentity("", "", "", ""), NOTHING_ASKED)
            yield from self._findings(deployment, _MOST_LEVELS)
            # Rules are for the values of a stack: what is not given may still be given.
            values = {name: value if name in given else UNKNOWN for name, value in bindings.values.items()}
            yield from broken_rules(replace(deployment, bindings=replace(bindings, values=values)))
            if all(one.code != "CircularDependency" for one in told):
                ordered(deployment)
        except Invalid as error:
            yield from error.diagnostics

    def _examined(self, source: Source) -> Examined:
        try:
            return self._translator.examine(source)
        except Unanswered as asked:
            if any(question.kind != "template" for question in asked.questions):
                raise
            answers = {**source.answers, **{question.key: "" for question in asked.questions}}
            return self._translator.examine(replace(source, answers=answers))

    def check(self, deployment: Deployment) -> None:
        """Raises Invalid with everything that is wrong with properties and attributes, as far as they are known, in
        templates inside too."""
        findings = dict.fromkeys(self._findings(deployment, _MOST_LEVELS))
        if findings:
            raise Invalid(findings)

    def _findings(self, deployment: Deployment, levels: int) -> Iterator[Diagnostic]:
        children: dict[str, Child] = {}
        members = []
        for member in group_members(deployment):
            if self._registry.find(member.type) is None:
                yield unknown_type(member, self._registry)
            else:
                members.append(member)
        for resource in (*deployment.resources.values(), *members):
            yield from self._inside(deployment, resource, children, levels)
        yield from wrong_defaults(deployment.template)
        yield from _named_limits(deployment)
        yield from self._properties(deployment, (*deployment.resources.values(), *members))
        yield from output_findings(deployment)
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
            defaults = child.source.environment.get("parameter_defaults") or {}
            template, unknown = self._known(child.template, placeholders(child.template, child.given, defaults))
            mistakes = [*child.errors, *unknown] if child.whole else []
            yield from (*wrong, *mistakes)
            if not wrong and levels:
                inner = deployment_of(child, template, deployment)
                if inner is not None:
                    yield from _news(mistakes, self._inner(inner, levels - 1, child.errors))
        except Invalid as error:
            yield from error.diagnostics

    def _inner(self, inner: Deployment, levels: int, told: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
        yield from self._findings(inner, levels)
        if all(one.code != "CircularDependency" for one in told):
            ordered(inner)

    def _properties(self, deployment: Deployment, resources: Iterable[Resource]) -> Iterable[Diagnostic]:
        for resource in resources:
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
            findings = check_properties(kind, values)
            for finding in findings:
                yield self._diagnostic(deployment, resource, finding)
            if any(finding.code == "UnknownProperty" for finding in findings):
                continue  # what is said to be missing may be what is misspelt
            for sentence in kind.validate(values):
                yield self._diagnostic(deployment, resource, Finding((), sentence, "PropertyConflict"))

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
                place = span_of(resource.update_policy, finding.path, key=finding.code == "UnknownProperty") or span
                yield Diagnostic(
                    finding.code, f"Property error: {where}: {finding.message}", finding.detail, where, place
                )
        elif given is not UNKNOWN:
            yield Diagnostic("PropertyType", f"Property error: {address}: an update policy is a map.",
                             f"{resource.type} has: {', '.join(known) or 'none'}.", address, span)  # fmt: skip

    def _snapshots(self, deployment: Deployment, resource: Resource) -> Iterable[Diagnostic]:
        """ENGU-10: what asks for a copy before it goes must have one; losing it silently is no answer. Of what became
        several objects, one is enough."""
        group = deployment.groups.get(resource.group or "")
        there = deployment.resources
        members = [resource] if group is None else [there[one] for one in group.members if one in there]
        if any(self._registry.get(one.type).snapshot_on_delete for one in members):
            return
        asked = {
            "deletion_policy": resource.deletion_policy, "update_replace_policy": resource.update_replace_policy,
        }  # fmt: skip
        for name, policy in asked.items():
            if policy is DeletionPolicy.SNAPSHOT:
                yield Diagnostic(
                    "SnapshotNotSupported",
                    f"Resource {resource.address}: the {name} Snapshot is not supported by {resource.type}.",
                    "Say Delete or Retain.", address=f"resources.{resource.address}", span=resource.place(name),
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
                    names = sorted(kind.attributes if child is None else child.template.outputs)
                    whole = asked.type if child is None else child.written
                    yield Diagnostic(
                        "UnknownAttribute",
                        f"The Referenced Attribute ({inner.address} {name}) is incorrect.",
                        did_you_mean(name, names) or f"{whole} has: {', '.join(names) or 'none'}.",
                        address=address,
                        span=inner.span,
                    )

    def _diagnostic(self, deployment: Deployment, resource: Resource, finding: Finding) -> Diagnostic:
        span = span_of(resource.properties, finding.path, key=finding.code == "UnknownProperty")
        if span is None:
            span = resource.place("properties")
        if span is None and resource.group is not None:
            span = deployment.template.groups[resource.group].span
        where = ".".join(_written(deployment, resource, finding.path, span))
        return Diagnostic(
            finding.code, f"Property error: {where}: {finding.message}", finding.detail, address=where, span=span
        )


def _written(
    deployment: Deployment, resource: Resource, path: tuple[str | int, ...], span: Span | None
) -> tuple[str, ...]:
    """The address of a property; of what an AWS type has become, that of the property it comes from."""
    if resource.group is None:
        return ("resources", resource.address, "properties", *(str(step) for step in path))
    found = _path_to(deployment.template.groups[resource.group].properties, span) if span is not None else None
    return ("resources", resource.group, *(() if found is None else ("properties", *found)))


def _path_to(expression: Expression, span: Span) -> tuple[str, ...] | None:
    """The steps to what stands at that place, inside maps and lists that are written out."""
    if expression.span == span:
        return ()
    inner: Iterable[tuple[str, Expression]] = ()
    match expression:
        case MapOf(entries):
            inner = entries
        case ListOf(items):
            inner = ((str(index), item) for index, item in enumerate(items))
        case _:
            return None
    found = ((step, _path_to(item, span)) for step, item in inner)
    return next(((step, *path) for step, path in found if path is not None), None)


def check_rules(deployment: Deployment) -> None:
    """Raises Invalid with every rule that is broken."""
    findings = list(broken_rules(deployment))
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


def _news(told: Iterable[Diagnostic], found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """What of `found` is not about a place of which something has been told: that would be an echo."""
    places = {one.span for one in told if one.span is not None}
    return (one for one in found if one.span not in places)


def broken_rules(deployment: Deployment) -> Iterator[Diagnostic]:
    """CFN Rules: every assertion that does not hold, of a rule whose condition does."""
    scope = deployment.scope(View())
    for rule in deployment.template.rules:
        if rule.condition is not None and evaluate(rule.condition, scope) in (UNKNOWN, False):
            continue
        for assertion, text in rule.assertions:
            if evaluate(assertion, scope) is False:
                said = text or f"Assertion of rule {rule.name} does not hold."
                yield Diagnostic("RuleFailed", f"Template error: Rule {rule.name}: {said}",
                                 address=f"Rules.{rule.name}", span=assertion.span)  # fmt: skip


def span_of(expression: Expression, path: tuple[str | int, ...], *, key: bool = False) -> Span | None:
    """The place of the value at `path`, with `key` of its key, or of the nearest thing around it that has one."""
    here: Expression | None = expression
    span = None
    for depth, step in enumerate(path, start=1):
        if key and depth == len(path) and isinstance(here, MapOf) and (found := here.key_span(str(step))) is not None:
            return found
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
