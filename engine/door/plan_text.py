"""Plans as JSON, to be kept with their change sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.model.stack import Change, ChangeAction, Plan, PropertyChange, Replacement
from engine.model.value import UNKNOWN, Value

_UNKNOWN_MARK: Final = {"\u0000isotherm": "unknown"}


def plan_value(plan: Plan) -> dict[str, Value]:
    """A plan as JSON; UNKNOWN becomes a mark that no template can contain."""
    return {
        "stack_id": plan.stack_id,
        "base": plan.base,
        "other_changes": list(plan.other_changes),
        "changes": [
            {
                "address": c.address, "type": c.type, "action": c.action.value, "replacement": c.replacement.value,
                "physical_id": c.physical_id, "other": list(c.other), "retained": c.retained,
                "before": _mark(c.before), "after": _mark(c.after), "group": c.group, "is_group": c.is_group,
                "properties": [
                    [p.name, _mark(p.before), _mark(p.after), p.recreates.value, p.cause] for p in c.properties
                ],
            }
            for c in plan.changes
        ],
    }  # fmt: skip


def plan_of(value: Mapping[str, Value]) -> Plan:
    return Plan(
        value["stack_id"],
        value["base"],
        tuple(
            Change(
                c["address"], c["type"], ChangeAction(c["action"]), Replacement(c["replacement"]), c["physical_id"],
                tuple(
                    PropertyChange(name, _unmark(before), _unmark(after), Replacement(recreates), cause)
                    for name, before, after, recreates, cause in c["properties"]
                ),
                tuple(c["other"]), c["retained"], _unmark(c["before"]), _unmark(c["after"]), c["group"], c["is_group"],
            )
            for c in value["changes"]
        ),
        tuple(value["other_changes"]),
    )  # fmt: skip


def _mark(value: Value) -> Value:
    if value is UNKNOWN:
        return _UNKNOWN_MARK
    if isinstance(value, Mapping):
        return {key: _mark(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mark(item) for item in value]
    return value


def _unmark(value: Value) -> Value:
    if value == _UNKNOWN_MARK:
        return UNKNOWN
    if isinstance(value, dict):
        return {key: _unmark(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unmark(item) for item in value]
    return value
