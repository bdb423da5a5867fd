"""A deployment: a template with its parameters bound, conditions decided and edges drawn, ready to plan or run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from engine.expr.conditions import decide_conditions
from engine.expr.evaluate import evaluate
from engine.expr.parameters import Bindings, bind
from engine.expr.references import references
from engine.graph.order import Cycle, topological, with_soft_edges
from engine.model.diagnostic import Diagnostic, Invalid
from engine.model.expression import Expression, ImportValue, walk
from engine.model.source import Source
from engine.model.template import Group, Resource, Template
from engine.model.value import UNKNOWN, Value
from engine.plan.scope import DeploymentScope, Facts, View
from engine.resources.base import StackIdentity
from engine.resources.implied import implied_dependencies
from engine.resources.registry import Registry

_TELLING = 4  # characters; shorter values stand in any sentence by chance


@dataclass(frozen=True, slots=True)
class Deployment:
    """`requires`: address → addresses that must be complete first; groups are nodes that require their members.

    `resources` and `groups` are those whose condition holds. `soft_dropped` are soft edges that would have closed a
    cycle.
    """

    identity: StackIdentity
    template: Template
    bindings: Bindings
    facts: Facts
    conditions: Mapping[str, Value]
    resources: Mapping[str, Resource]
    groups: Mapping[str, Group]
    requires: Mapping[str, frozenset[str]]
    order: tuple[str, ...]
    soft_dropped: tuple[tuple[str, str], ...] = ()
    facade: Mapping[str, Value] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)  # names of exports read so far, gathered while evaluating

    @property
    def has_secrets(self) -> bool:
        return any(parameter.hidden for parameter in self.template.parameters.values())

    def veil(self, text: str) -> str:
        """`text` without the values of hidden parameters: a refusal often quotes what it refuses."""
        for name, parameter in self.template.parameters.items():
            value = self.bindings.values.get(name)
            if parameter.hidden and isinstance(value, str) and len(value) >= _TELLING:
                text = text.replace(value, "******")
        return text

    def scope(self, view: View, *, masked: bool = False) -> DeploymentScope:
        """Where expressions are evaluated: `view` answers for resources; `masked` hides hidden parameters."""
        return DeploymentScope(self, view, masked=masked)

    def type_of(self, address: str) -> str:
        found = self.resources.get(address)
        return found.type if found is not None else self.groups[address].type


def bind_source(template: Template, source: Source) -> Bindings:
    """The parameters of `source` typed for `template`. Raises Invalid with all findings."""
    defaults = source.environment.get("parameter_defaults") or {}
    return bind(template, source.parameters, defaults=defaults)


def deploy(
    template: Template,
    bindings: Bindings,
    identity: StackIdentity,
    facts: Facts,
    registry: Registry,
    facade: Mapping[str, Value] | None = None,
) -> Deployment:
    """Draw the graph of `template`. Raises Invalid: unknown types, conditions without an answer, cycles."""
    _check_types(template, registry)
    bare = Deployment(identity, template, bindings, facts, {}, {}, {}, {}, (), facade=facade or {})
    conditions = decide_conditions(template, bare.scope(View()))
    decided = replace(bare, conditions=conditions)
    scope = decided.scope(View())
    resources = {a: r for a, r in template.resources.items() if _holds(r.condition, scope)}
    groups = {a: g for a, g in template.groups.items() if _holds(g.condition, scope)}
    hard, soft = _edges(decided, resources, groups)
    soft.extend(implied_dependencies({a: (r.type, r.properties) for a, r in resources.items()}))
    try:
        graph, dropped = with_soft_edges(hard, [(a, b) for a, b in soft if a in hard and b in hard])
        order = topological(graph)
    except Cycle as cycle:
        raise _circular(template, [str(key) for key in cycle.path]) from cycle
    return replace(
        decided,
        resources=resources,
        groups=groups,
        requires={a: frozenset(needed) for a, needed in graph.items()},
        order=tuple(order),
        soft_dropped=tuple(dropped),
    )


def _holds(condition: Expression | None, scope: DeploymentScope) -> bool:
    if condition is None:
        return True
    decided = evaluate(condition, scope)
    return decided is UNKNOWN or bool(decided)


def _check_types(template: Template, registry: Registry) -> None:
    unknown = [r for r in template.resources.values() if registry.find(r.type) is None]
    if not unknown:
        return
    findings = []
    for resource in unknown:
        near = registry.suggest(resource.type)
        way_out = f"Did you mean {near}?" if near else "`openstack orchestration resource type list` names the types."
        findings.append(
            Diagnostic(
                "UnknownResourceType",
                f"Unknown resource type {resource.type} of {resource.address}.",
                way_out,
                address=f"resources.{resource.address}.type",
                span=resource.span,
            )
        )
    raise Invalid(findings)


def _edges(
    deployment: Deployment, resources: Mapping[str, Resource], groups: Mapping[str, Group]
) -> tuple[dict[str, set[str]], list[tuple[str, str]]]:
    """Hard edges by address, and the soft ones the template itself names."""
    hard: dict[str, set[str]] = {address: set() for address in (*resources, *groups)}
    soft: list[tuple[str, str]] = []
    for address, resource in resources.items():
        needed = set(resource.depends_on)
        for expression in _expressions_of(resource):
            needed.update(_needed(expression, deployment.conditions))
        hard[address] = {one for one in needed if one in hard and one != address}
        soft.extend((address, one) for one in resource.soft_depends_on)
    for address, group in groups.items():
        hard[address] = {member for member in group.members if member in hard}
    return hard, soft


def _expressions_of(resource: Resource) -> Iterator[Expression]:
    yield resource.properties
    for expression in (resource.metadata, resource.update_policy, resource.creation_policy, resource.external_id):
        if expression is not None:
            yield expression


def _needed(expression: Expression, conditions: Mapping[str, Value]) -> Iterable[str]:
    """Addresses the expression needs; a branch of a decided `If` that is not taken needs nothing."""
    return (reference.address for reference in references(expression, conditions))


def imports_of(template: Template) -> bool:
    """Whether anything in the template imports an export."""
    expressions: list[Expression] = [o.value for o in template.outputs.values()]
    expressions += [r.properties for r in template.resources.values()]
    expressions += list(template.conditions.values())
    return any(isinstance(inner, ImportValue) for outer in expressions for inner in walk(outer))


def _circular(template: Template, path: list[str]) -> Invalid:
    short = list(dict.fromkeys(one.split("/")[0] for one in path))
    first = template.resources.get(path[0]) or template.groups.get(path[0])
    return Invalid(
        Diagnostic(
            "CircularDependency",
            f"Circular dependency between resources: [{', '.join(short)}]",
            f"{' needs '.join(path)}. Take one of these references out.",
            address=f"resources.{path[0]}",
            span=None if first is None else first.span,
        )
    )
