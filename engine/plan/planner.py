"""Telling what a run would do, without doing any of it: change sets, previews, and "no updates are to be performed"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.expr.evaluate import evaluate, holds
from engine.expr.parameters import HIDDEN
from engine.expr.references import references
from engine.expr.scope import Scope
from engine.model.expression import AttributeRef, Expression, MapOf, ParameterRef, ResourceRef, within
from engine.model.stack import Change, ChangeAction, PropertyChange, Replacement
from engine.model.template import DeletionPolicy, Group, Resource
from engine.model.value import NO_VALUE, UNKNOWN, Value, is_known
from engine.plan.decide import Decision, Step, candidate, decide
from engine.plan.deployment import Deployment
from engine.plan.scope import View
from engine.resources.base import ResourceType, Update
from engine.resources.registry import Registry
from engine.resources.schema import normalize
from engine.state.rows import ResourceRow

Rows = Mapping[str, Sequence[ResourceRow]]


@dataclass(slots=True)
class _Planned(View):
    """Answers for resources by what has been decided for them so far."""

    deployment: Deployment
    registry: Registry
    masked: bool = False
    decided: dict[str, Decision] = field(default_factory=dict)
    groups: dict[str, ResourceRow | None] = field(default_factory=dict)
    standing: set[str] = field(default_factory=set)  # addresses that something is there of

    def decide(self, address: str, decision: Decision) -> None:
        self.decided[address] = decision
        if decision.row is not None:
            self.standing.add(address)

    def decide_group(self, address: str, row: ResourceRow | None) -> None:
        self.groups[address] = row
        if row is not None:
            self.standing.add(address)

    def value(self, expression: Expression, scope: Scope) -> Value:
        """What it is in `scope`, a scope over this view."""
        refers = self.standing and any(
            isinstance(inner, ResourceRef | AttributeRef) and inner.address in self.standing
            for inner in within(expression)
        )
        return evaluate(expression, scope) if refers else self.deployment.foresee(expression)

    def reference(self, address: str) -> Value:
        if address in self.groups:
            row = self.groups[address]
            return UNKNOWN if row is None else row.physical_id
        decision = self.decided.get(address)
        if decision is None or decision.row is None or decision.step in (Step.CREATE, Step.REPLACE):
            return UNKNOWN
        if decision.maybe_replace:
            return UNKNOWN
        kind = self.registry.get(decision.row.type)
        return kind.reference(decision.row.physical_id, decision.row.attributes, address)

    def attribute(self, address: str, name: str | None) -> Value:
        if address in self.groups:
            row = self.groups[address]
            return UNKNOWN if row is None or name is None else row.attributes.get(name)
        decision = self.decided.get(address)
        if decision is None or decision.row is None or decision.step is not Step.NONE:
            return UNKNOWN
        if self.masked and self.registry.get(decision.row.type).hides(decision.row.attributes):
            return HIDDEN
        kind = self.registry.get(decision.row.type)
        if name is None:
            return kind.everything(decision.row.attributes)
        return kind.attribute(decision.row.attributes, name)

    def attribute_at(self, address: str, name: str, path: Sequence[Value]) -> tuple[Value, int]:
        decision = self.decided.get(address)
        if decision is None or decision.row is None or decision.step is not Step.NONE:
            return self.attribute(address, name), 0
        return self.registry.get(decision.row.type).attribute_at(decision.row.attributes, name, path)


def plan_changes(
    deployment: Deployment, rows: Rows, registry: Registry, revision: int | None = None,
    old_parameters: Mapping[str, str] | None = None,
) -> tuple[tuple[Change, ...], Mapping[str, Value]]:  # fmt: skip
    """One `Change` per resource and group, members included, in the order of the run, removals last; and the outputs
    as far as they are known."""
    view = _Planned(deployment, registry)
    hiding = _Planned(deployment, registry, True, view.decided, view.groups, view.standing)
    scope = deployment.scope(view)
    masked = deployment.scope(hiding, masked=True) if deployment.has_secrets else scope
    cause = _Causes(deployment, old_parameters or {})
    changes: list[Change] = []
    by_address: dict[str, Change] = {}
    for address in deployment.order:
        group = deployment.groups.get(address)
        if group is None:
            change = _resource(deployment.resources[address], rows, registry, view, scope, masked, revision, cause)
        else:
            members = [by_address[m] for m in group.members if m in by_address]
            change = _group(group, rows, members, view, scope, masked, cause)
        by_address[address] = change
        if change.action is not ChangeAction.NONE:
            cause.changing.add(address)
        changes.append(change)
    changes.extend(_removals(deployment, rows))
    return tuple(changes), _outputs(deployment, hiding)


def _resource(
    resource: Resource, rows: Rows, registry: Registry, view: _Planned, scope: Scope, masked: Scope,
    revision: int | None, cause: _Causes,
) -> Change:  # fmt: skip
    kind = registry.get(resource.type)
    row = candidate(rows.get(resource.address, ()), revision)
    after = normalize(kind, _map(view.value(resource.properties, scope)))
    decision = decide(row, kind, after, revision=revision)
    view.decide(resource.address, decision)
    shown = after if masked is scope else normalize(kind, _map(evaluate(resource.properties, masked)))
    before: Mapping[str, Value] = {} if row is None else (row.shown if row.shown is not None else row.properties)
    action, replacement = _verdict(decision)
    metadata_changed = row is not None and _metadata(resource, scope) != row.metadata
    if metadata_changed and action is ChangeAction.NONE:
        action = ChangeAction.MODIFY
    return Change(
        address=resource.address,
        type=resource.type,
        action=action,
        replacement=replacement,
        physical_id=None if row is None else row.physical_id,
        properties=_properties(decision, kind, before, shown, resource.properties, cause) if row is not None else (),
        other=("Metadata",) if metadata_changed else (),
        before=before,
        after=shown,
        group=resource.group,
    )


def _verdict(decision: Decision) -> tuple[ChangeAction, Replacement]:
    match decision.step:
        case Step.CREATE:
            return (ChangeAction.ADD if decision.row is None else ChangeAction.MODIFY), Replacement.NEVER
        case Step.NONE:
            return ChangeAction.NONE, Replacement.NEVER
        case Step.REPLACE:
            return ChangeAction.MODIFY, Replacement.ALWAYS
        case Step.UPDATE:
            return ChangeAction.MODIFY, Replacement.CONDITIONAL if decision.maybe_replace else Replacement.NEVER


def _metadata(resource: Resource, scope: Scope) -> Value:
    found = {} if resource.metadata is None else evaluate(resource.metadata, scope)
    return found if isinstance(found, Mapping) else {}


def _properties(
    decision: Decision, kind: ResourceType, before: Mapping[str, Value], after: Mapping[str, Value], source: MapOf,
    cause: _Causes,
) -> tuple[PropertyChange, ...]:  # fmt: skip
    found = []
    for name in sorted(decision.changed):
        declared = kind.properties.get(name)
        recreates = Replacement.NEVER
        if declared is not None and declared.update is Update.REPLACE:
            recreates = Replacement.ALWAYS if is_known(after.get(name)) else Replacement.CONDITIONAL
        found.append(
            PropertyChange(name, before.get(name), after.get(name), recreates, cause.of(source.get(name)))
        )  # fmt: skip
    return tuple(found)


def _group(
    group: Group, rows: Rows, members: Sequence[Change], view: _Planned, scope: Scope, masked: Scope, cause: _Causes
) -> Change:
    row = candidate(rows.get(group.address, ()), None)
    after = _map(view.value(group.properties, scope))
    shown = after if masked is scope else _map(evaluate(group.properties, masked))
    moved = any(member.action is not ChangeAction.NONE for member in members)
    view.decide_group(group.address, None if moved else row)
    if row is None:
        return Change(group.address, group.type, ChangeAction.ADD, after=shown, is_group=True)
    before = row.properties if row.shown is None else row.shown
    names = sorted({*before, *after})
    changed = [n for n in names if before.get(n) != (shown.get(n) if row.shown is not None else after.get(n))]
    found = tuple(
        PropertyChange(
            name, before.get(name), shown.get(name), _recreates(group, name, shown.get(name)),
            cause.of(group.properties.get(name)),
        )
        for name in changed
    )  # fmt: skip
    metadata = {} if group.metadata is None else evaluate(group.metadata, scope)
    other = ("Metadata",) if metadata != row.metadata else ()
    action = ChangeAction.MODIFY if moved or found or other else ChangeAction.NONE
    return Change(
        address=group.address, type=group.type, action=action, replacement=_group_replacement(found, members),
        physical_id=row.physical_id, properties=found, other=other, before=before, after=shown, is_group=True,
    )  # fmt: skip


def _recreates(group: Group, name: str, after: Value) -> Replacement:
    if name not in group.replace_on:
        return Replacement.NEVER
    return Replacement.ALWAYS if is_known(after) else Replacement.CONDITIONAL


def _group_replacement(found: Sequence[PropertyChange], members: Sequence[Change]) -> Replacement:
    kinds = {change.recreates for change in found}
    kinds |= {member.replacement for member in members if not found}
    for worst in (Replacement.ALWAYS, Replacement.CONDITIONAL):
        if worst in kinds:
            return worst
    return Replacement.NEVER


def _removals(deployment: Deployment, rows: Rows) -> list[Change]:
    found = []
    for address, generations in rows.items():
        row = candidate(generations, None)
        if row is None or address in deployment.requires:
            continue
        retained = row.deletion_policy in (DeletionPolicy.RETAIN, DeletionPolicy.RETAIN_EXCEPT_ON_CREATE)
        found.append(
            Change(
                address, row.type, ChangeAction.REMOVE, physical_id=row.physical_id, retained=retained,
                before=row.properties if row.shown is None else row.shown, group=row.group, is_group=row.is_group,
            )
        )  # fmt: skip
    return found


class _Causes:
    """Names what makes a property change: a parameter with another value, or a resource that changes too."""

    def __init__(self, deployment: Deployment, old_parameters: Mapping[str, str]) -> None:
        shown = deployment.bindings.shown
        self._parameters = {name for name, text in shown.items() if old_parameters.get(name) != text}
        self.changing: set[str] = set()

    def of(self, expression: Expression | None) -> str | None:
        if expression is None:
            return None
        for inner in within(expression):
            if isinstance(inner, ParameterRef) and inner.name in self._parameters:
                return inner.name
        for reference in references(expression):
            if reference.address in self.changing:
                return reference.address.split("/")[0]
        return None


def _outputs(deployment: Deployment, view: View) -> dict[str, Value]:
    """Every output whose condition holds, UNKNOWN where only running can tell."""
    scope = deployment.scope(view)
    found = {}
    for output in deployment.template.outputs.values():
        if output.condition is None or holds(output.condition, scope):
            found[output.name] = evaluate(output.value, scope)
    return found


def _map(value: Value) -> Mapping[str, Value]:
    return {} if value is NO_VALUE or value is UNKNOWN or value is None else value
