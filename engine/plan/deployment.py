"""A deployment: a template with its parameters bound, conditions decided and edges drawn, ready to plan or run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from engine.expr.conditions import decide_conditions
from engine.expr.evaluate import evaluate, holds
from engine.expr.functions import shown
from engine.expr.parameters import HIDDEN, Bindings, bind
from engine.expr.references import Reference, references
from engine.graph.order import Cycle, topological, with_soft_edges
from engine.model.diagnostic import Diagnostic, Invalid, Span, invalid
from engine.model.dynamic import unresolved
from engine.model.expression import Expression, ImportValue, find
from engine.model.source import Source
from engine.model.template import DeletionPolicy, Dialect, Group, Resource, Template
from engine.model.value import UNKNOWN, Value, texts_in
from engine.plan.scope import NOTHING_ASKED, DeploymentScope, Facts, View
from engine.resources.base import StackIdentity
from engine.resources.implied import implied_dependencies
from engine.resources.isotherm import HIDING
from engine.resources.registry import Registry

_STORED = "parameter:"  # answers to questions of that kind, by name
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
    sinks: Sequence[Value] = ()  # where the environment wants the stack's events
    hiding: bool = False  # a resource may say that what it shows must not be seen
    imported: set[str] = field(default_factory=set)  # names of exports read so far, gathered while evaluating
    foreseen: dict[int, tuple[Expression, Value]] = field(default_factory=dict)  # belongs to `foresee`

    @property
    def has_secrets(self) -> bool:
        """Whether anything of it may be secret: a hidden parameter, what another stack with secrets lets it read, what
        a handler says so of."""
        if self.facts.secrets or any(parameter.hidden for parameter in self.template.parameters.values()):
            return True
        return self.hiding

    def veil(self, text: str) -> str:
        """`text` without the values of hidden parameters and secrets of other stacks: a refusal often quotes what it
        refuses."""
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text

    def _secrets(self) -> set[str]:
        exports, others = self.facts.exports or {}, self.facts.stack_outputs or {}
        secrets: list[Value] = [exports.get(name) for name in self.facts.secrets]
        secrets += [others.get(name) for name in self.facts.secrets]
        parameters = self.template.parameters.items()
        secrets += [self.bindings.values.get(name) for name, parameter in parameters if parameter.hidden]
        return {one for one in texts_in(secrets) if len(one) >= _TELLING}

    def scope(self, view: View, *, masked: bool = False, known: Mapping[str, str] | None = None) -> DeploymentScope:
        """Where expressions are evaluated: `view` answers for resources; `masked` hides hidden parameters; `known` is
        what dynamic references stand for."""
        return DeploymentScope(self, view, masked=masked, known=known)

    def foresee(self, expression: Expression) -> Value:
        """The value as far as it is known before anything of the stack is made, worked out once: whoever checks a
        template plans it next. Raises Invalid."""
        # The key is an address in memory, which stays taken as long as the expression is kept beside its value.
        done = self.foreseen.get(id(expression))
        if done is None:
            done = self.foreseen[id(expression)] = (expression, evaluate(expression, self.scope(View())))
        return done[1]

    def checkable(self, properties: Value) -> Value:
        """Properties as they can be checked: what holds a dynamic reference is not known yet."""
        return unresolved(properties) if self.template.dialect is Dialect.CFN else properties

    def type_of(self, address: str) -> str:
        found = self.resources.get(address)
        return found.type if found is not None else self.groups[address].type


def bind_source(template: Template, source: Source) -> Bindings:
    """The parameters of `source` typed for `template`. Raises Invalid with all findings."""
    defaults = source.environment.get("parameter_defaults") or {}
    stored = {key.removeprefix(_STORED): told for key, told in source.answers.items() if key.startswith(_STORED)}
    return bind(template, source.parameters, defaults=defaults, stored=stored)


def deploy(
    template: Template,
    bindings: Bindings,
    identity: StackIdentity,
    facts: Facts,
    registry: Registry,
    facade: Mapping[str, Value] | None = None,
) -> Deployment:
    """Draw the graph of `template`. Raises Invalid: unknown types, conditions without an answer, cycles."""
    unknown = unknown_types(template, registry, bindings)
    if unknown:
        raise Invalid(unknown.values())
    return ordered(decided(template, bindings, identity, facts, facade))


def decided(
    template: Template,
    bindings: Bindings,
    identity: StackIdentity,
    facts: Facts,
    facade: Mapping[str, Value] | None = None,
) -> Deployment:
    """A deployment without its graph: what can be checked of it is. Raises Invalid: conditions without an answer, what
    they leave out is needed."""
    hiding = any(resource.type in HIDING for resource in template.resources.values())
    bare = Deployment(identity, template, bindings, facts, {}, {}, {}, {}, (), facade=facade or {}, hiding=hiding)
    conditions = decide_conditions(template, bare.scope(View()))
    scope = replace(bare, conditions=conditions).scope(View())
    resources = {a: _with_policy(r, scope) for a, r in template.resources.items() if _holds(r.condition, scope)}
    groups = {a: _with_policy(g, scope) for a, g in template.groups.items() if _holds(g.condition, scope)}
    _check_presence(template, resources, groups, scope)
    return replace(bare, conditions=conditions, resources=resources, groups=groups, foreseen={})


def ordered(deployment: Deployment) -> Deployment:
    """`deployment` with its graph. Raises Invalid where that has a cycle."""
    resources, scope = deployment.resources, deployment.scope(View())
    hard, soft = _edges(scope, resources, deployment.groups)
    soft.extend(implied_dependencies({a: (r.type, r.properties) for a, r in resources.items()}))
    try:
        graph, dropped = with_soft_edges(hard, [(a, b) for a, b in soft if a in hard and b in hard])
        order = topological(graph)
    except Cycle as cycle:
        raise _circular(deployment.template, [str(key) for key in cycle.path]) from cycle
    return replace(
        deployment,
        requires={a: frozenset(needed) for a, needed in graph.items()},
        order=tuple(order),
        soft_dropped=tuple(dropped),
    )


def _holds(condition: Expression | None, scope: DeploymentScope) -> bool:
    if condition is None:
        return True
    decided = holds(condition, scope)
    return decided is UNKNOWN or bool(decided)


_Held = TypeVar("_Held", Resource, Group)


def _with_policy(held: _Held, scope: DeploymentScope) -> _Held:
    """TR-05: Heat takes a function for a deletion policy; parameters decide it."""
    if held.computed_policy is None:
        return held
    found = evaluate(held.computed_policy, scope)
    if found is UNKNOWN:
        return held
    for policy in (DeletionPolicy.DELETE, DeletionPolicy.RETAIN, DeletionPolicy.SNAPSHOT):
        if found in (policy.value, policy.value.lower()):
            return replace(held, deletion_policy=policy)
    raise invalid(
        "InvalidPolicy", f'Invalid deletion policy "{shown(found)}" of {held.address}.', "Delete, Retain or Snapshot.",
        address=f"resources.{held.address}.deletion_policy", span=held.computed_policy.span,
    )  # fmt: skip


def unknown_types(template: Template, registry: Registry, bindings: Bindings) -> dict[str, Diagnostic]:
    """What is said of each resource, by its address, whose type there is not. In HOT a resource that its condition
    leaves out may be of any type: that is how templates do without what a cloud has not."""
    strangers = [one for one in template.resources.values() if registry.find(one.type) is None]
    if template.dialect is Dialect.HOT and any(one.condition is not None for one in strangers):
        strangers = [one for one in strangers if not _left_out_for_sure(one, template, bindings)]
    return {one.address: unknown_type(one, registry) for one in strangers}


def _left_out_for_sure(resource: Resource, template: Template, bindings: Bindings) -> bool:
    alone = replace(template, resources={}, groups={}, outputs={})
    try:
        deployment = decided(alone, bindings, StackIdentity("", "", "", ""), NOTHING_ASKED)
        return not _holds(resource.condition, deployment.scope(View()))
    except Invalid:  # told where conditions are decided
        return False


def unknown_type(resource: Resource, registry: Registry) -> Diagnostic:
    near = registry.suggest(resource.type)
    return Diagnostic(
        "UnknownResourceType",
        f"Unknown resource type {resource.type} of {resource.address}.",
        f"Did you mean {near}?" if near else "`openstack orchestration resource type list` names the types.",
        address=f"resources.{resource.address}.type",
        span=resource.place("type"),
    )


def _check_presence(
    template: Template, resources: Mapping[str, Resource], groups: Mapping[str, Group], scope: DeploymentScope
) -> None:
    """TR-09: what a condition leaves out cannot be referred to, except by what depends on the condition too."""
    absent = {*template.resources, *template.groups} - {*resources, *groups}
    # Members of lowered resources come and go by conditions of the mapping rows, which look after their references.
    absent -= {a for a in absent if a in template.resources and template.resources[a].group in groups}
    if not absent:
        return
    outputs = (one for one in template.outputs.values() if _holds(one.condition, scope))
    places = [(f"resources.{a}", r.span, part) for a, r in resources.items() for part in _expressions_of(r)]
    places += [(f"outputs.{one.name}", one.span, one.value) for one in outputs]
    findings = dict.fromkeys(
        _left_out(template, reference, place, reference.span or span)
        for place, span, part in places
        for reference in references(part, scope)
        if reference.address in absent
    )
    if findings:
        raise Invalid(findings)


def _left_out(template: Template, reference: Reference, place: str, span: Span | None) -> Diagnostic:
    name = reference.address.split("/")[0]
    if template.dialect is Dialect.CFN:
        section = "Outputs" if place.startswith("outputs") else "Resources"
        said = f"Unresolved resource dependencies [{name}] in the {section} block of the template"
        summary = f"Template format error: {said}"
    else:
        summary = f'The specified reference "{name}" (in {place}) is incorrect.'
    return Diagnostic(
        "UnresolvedDependency" if template.dialect is Dialect.CFN else "InvalidTemplateReference", summary,
        f"The condition of {name} does not hold, so it is not there; refer to it only where the condition holds.",
        address=place, span=span,
    )  # fmt: skip


def _edges(
    scope: DeploymentScope, resources: Mapping[str, Resource], groups: Mapping[str, Group]
) -> tuple[dict[str, set[str]], list[tuple[str, str]]]:
    """Hard edges by address, and the soft ones the template itself names."""
    hard: dict[str, set[str]] = {address: set() for address in (*resources, *groups)}
    soft: list[tuple[str, str]] = []
    for address, resource in resources.items():
        needed = set(resource.depends_on)
        for expression in _expressions_of(resource):
            needed.update(reference.address for reference in references(expression, scope))
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


def imports_of(template: Template) -> bool:
    """Whether anything in the template imports an export."""
    expressions: list[Expression] = [o.value for o in template.outputs.values()]
    expressions += [r.properties for r in template.resources.values()]
    expressions += list(template.conditions.values())
    return any(find(outer, ImportValue) for outer in expressions)


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
