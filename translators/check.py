"""What a parsed template gets wrong as a whole: names that are not there, and circles.

Parsers report what they meet; this holds for whatever came out of them, each finding with its place.
"""

from __future__ import annotations

import graphlib
from collections.abc import Iterator

from engine.model.diagnostic import Span
from engine.model.expression import (
    AttributeRef,
    ConditionRef,
    Expression,
    FindInMap,
    If,
    Literal,
    ParameterRef,
    ResourceRef,
    children,
    find,
    within,
)
from engine.model.template import Dialect, Resource, Template
from translators.findings import Findings, nearest

_NAMING: tuple[type, ...] = (ResourceRef, AttributeRef, ParameterRef, ConditionRef, FindInMap)


def check(template: Template) -> None:
    """Raise Invalid with every unknown reference and the first circle of resources and of conditions."""
    findings = Findings()
    check_into(template, findings)
    findings.check()


def check_into(template: Template, findings: Findings) -> None:
    """Report every unknown reference and the first circle of resources and of conditions."""
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
    for name, expression in template.conditions.items():
        _references(expression, template, f"conditions.{name}", findings)
    _circle_of_resources(template, findings)
    _circle_of_conditions(template, findings)


def _expressions(resource: Resource) -> Iterator[Expression]:
    parts = (
        resource.properties, resource.metadata, resource.condition, resource.update_policy, resource.creation_policy,
        resource.external_id, resource.computed_policy,
    )  # fmt: skip
    return (part for part in parts if part is not None)


def _references(expression: Expression, template: Template, address: str, findings: Findings) -> None:
    for inner in find(expression, *_NAMING):
        match inner:
            case ResourceRef(name) | AttributeRef(name):
                if name not in template.resources and name not in template.groups:
                    _unknown(name, template, address, inner.span, findings)
            case ParameterRef(name):
                if name not in template.parameters:
                    _unknown_parameter(name, template, address, inner.span, findings)
            case ConditionRef(name):
                if name not in template.conditions:
                    findings.error("UnknownCondition", f"Template error: unresolved condition dependency {name}.",
                                   nearest(name, template.conditions), address=address, span=inner.span)  # fmt: skip
            case FindInMap(Literal(name) as written, default=None):
                if name not in template.mappings:
                    findings.error("UnknownMapping", f"Template error: Unable to get mapping for {name}.",
                                   nearest(name, template.mappings), address=address,
                                   span=written.span or inner.span)  # fmt: skip
            case _:
                continue


def _unknown(name: str, template: Template, address: str, span: Span | None, findings: Findings) -> None:
    known = [*template.resources, *template.parameters]
    way_out = nearest(name, known)
    if name in template.parameters:
        function = "Ref" if template.dialect is Dialect.CFN else "get_param"
        way_out = f"{name} is a parameter: write {function}."
    if template.dialect is Dialect.CFN:
        section = "Outputs" if address.startswith("outputs") else "Resources"
        findings.error(
            "UnresolvedDependency",
            f"Template format error: Unresolved resource dependencies [{name}] in the {section} block of the template",
            way_out, address=address, span=span,
        )  # fmt: skip
    else:
        findings.error("InvalidTemplateReference", f'The specified reference "{name}" (in {address}) is incorrect.',
                       way_out, address=address, span=span)  # fmt: skip


def _unknown_parameter(name: str, template: Template, address: str, span: Span | None, findings: Findings) -> None:
    if template.dialect is Dialect.CFN:
        _unknown(name, template, address, span, findings)
    else:
        findings.error("UnknownParameter", f"The Parameter ({name}) was not defined in template.",
                       nearest(name, template.parameters), address=address, span=span)  # fmt: skip


# --- circles ----------------------------------------------------------------------------------------------------------
def _circle_of_resources(template: Template, findings: Findings) -> None:
    """Only references that hold whatever the parameters are; the engine finds the rest when conditions are decided."""
    graph: dict[str, set[str]] = {}
    for resource in template.resources.values():
        if resource.condition is None:
            needed = set(resource.depends_on)
            for expression in _expressions(resource):
                needed.update(_always_needed(expression))
            graph[resource.address] = needed
    graph = {address: needed & graph.keys() for address, needed in graph.items()}
    path = _circle(graph)
    if path:
        findings.error(
            "CircularDependency",
            f"Circular dependency between resources: [{', '.join(dict.fromkeys(path))}]",
            f"{' needs '.join(path)}. Take one of these references out.",
            address=f"resources.{path[0]}", span=_needing(template.resources[path[0]], path[1]),
        )  # fmt: skip


def _needing(resource: Resource, needed: str) -> Span | None:
    """Where `resource` says that it needs another."""
    if f"depends_on.{needed}" in resource.places:
        return resource.places[f"depends_on.{needed}"]
    references = (one for part in _expressions(resource) for one in find(part, ResourceRef, AttributeRef))
    return next((one.span for one in references if one.address == needed), resource.span)


def _always_needed(expression: Expression) -> Iterator[str]:
    everything = within(expression)
    if not any(type(inner) is If for inner in everything):
        yield from (inner.address for inner in everything if isinstance(inner, ResourceRef | AttributeRef))
        return
    todo = [expression]
    while todo:
        here = todo.pop()
        if isinstance(here, ResourceRef | AttributeRef):
            yield here.address
        if not isinstance(here, If):
            todo.extend(children(here))


def _circle_of_conditions(template: Template, findings: Findings) -> None:
    graph = {
        name: {inner.name for inner in find(expression, ConditionRef)} & template.conditions.keys()
        for name, expression in template.conditions.items()
    }
    path = _circle(graph)
    if path:
        findings.error(
            "CircularCondition",
            f"Circular definition for condition {path[0]}: {' needs '.join(path)}.",
            "A condition cannot need itself.",
            address=f"conditions.{path[0]}",
            span=next(one.span for one in find(template.conditions[path[0]], ConditionRef) if one.name == path[1]),
        )  # fmt: skip


def _circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle, each name needing the next, the first one again at the end; empty when there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        path = list(reversed(error.args[1]))[:-1]
        first = min(range(len(path)), key=path.__getitem__)
        return [*path[first:], *path[:first], path[first]]
    return []
