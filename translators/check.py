"""What a parsed template gets wrong in its references: names that are not there, and circles."""

from __future__ import annotations

import graphlib
from collections.abc import Iterator

from engine.model.diagnostic import Span
from engine.model.expression import AttributeRef, ConditionRef, Expression, ParameterRef, ResourceRef, walk
from engine.model.template import Dialect, Resource, Template
from translators.findings import Findings, nearest


def check(template: Template) -> None:
    """Raise Invalid with every unknown reference and the first circle."""
    findings = Findings()
    for resource in template.resources.values():
        for expression in _expressions(resource):
            _references(expression, template, f"resources.{resource.address}", findings)
        for name in resource.depends_on:
            if name not in template.resources and name not in template.groups:
                _unknown(name, template, f"resources.{resource.address}.depends_on", resource.span, findings)
    for output in template.outputs.values():
        for part in (output.value, output.condition, output.export):
            if part is not None:
                _references(part, template, f"outputs.{output.name}", findings)
    findings.check()
    _circles(template, findings)
    findings.check()


def _expressions(resource: Resource) -> Iterator[Expression]:
    parts = (
        resource.properties, resource.metadata, resource.condition, resource.update_policy, resource.creation_policy,
        resource.external_id,
    )  # fmt: skip
    return (part for part in parts if part is not None)


def _references(expression: Expression, template: Template, address: str, findings: Findings) -> None:
    for inner in walk(expression):
        match inner:
            case ResourceRef(name) | AttributeRef(name):
                if name not in template.resources and name not in template.groups:
                    _unknown(name, template, address, inner.span, findings)
            case ParameterRef(name):
                if name not in template.parameters:
                    _unknown(name, template, address, inner.span, findings)
            case ConditionRef(name):
                if name not in template.conditions:
                    findings.error("UnknownCondition", f"Template error: unresolved condition dependency {name}.",
                                   nearest(name, template.conditions), address=address, span=inner.span)  # fmt: skip
            case _:
                continue


def _unknown(name: str, template: Template, address: str, span: Span | None, findings: Findings) -> None:
    known = [*template.resources, *template.parameters]
    if template.dialect is Dialect.CFN:
        section = "Outputs" if address.startswith("outputs") else "Resources"
        findings.error(
            "UnresolvedDependency",
            f"Template format error: Unresolved resource dependencies [{name}] in the {section} block of the template",
            nearest(name, known), address=address, span=span,
        )  # fmt: skip
    else:
        findings.error("InvalidTemplateReference", f'The specified reference "{name}" (in {address}) is incorrect.',
                       nearest(name, known), address=address, span=span)  # fmt: skip


def _circles(template: Template, findings: Findings) -> None:
    graph: dict[str, set[str]] = {}
    for resource in template.resources.values():
        needed = set(resource.depends_on)
        for expression in _expressions(resource):
            for inner in walk(expression):
                if isinstance(inner, ResourceRef | AttributeRef):
                    needed.add(inner.address)
        graph[resource.address] = needed & set(template.resources)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        path = list(reversed(error.args[1]))
        findings.error(
            "CircularDependency",
            f"Circular dependency between resources: [{', '.join(dict.fromkeys(path))}]",
            f"{' needs '.join(path)}. Take one of these references out.",
            address=f"resources.{path[0]}", span=template.resources[path[0]].span,
        )  # fmt: skip
