"""OS::Heat::AutoScalingGroup: so many of any one kind, made more and fewer by scaling policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.model.value import Value
from engine.resources.base import Kind, Operation
from engine.resources.declare import attribute, between, integer, mapping, number
from engine.resources.heat.capacity import Limits
from engine.resources.heat.rolling import Pace, pace_of
from engine.resources.heat.scaling_group import Maker, ScalingGroup, size_findings

_ONE_BY_ONE = {"min_in_service": 0, "max_batch_size": 1, "pause_time": 0}


class AutoScalingGroup(ScalingGroup):
    """Rolling updates are a property here (heat.md ENGU-13)."""

    name = "OS::Heat::AutoScalingGroup"
    properties = {
        "resource": mapping(None, required=True, mutable=True),
        "max_size": integer(between(0), required=True, mutable=True),
        "min_size": integer(between(0), required=True, mutable=True),
        "cooldown": integer(mutable=True),
        "desired_capacity": integer(mutable=True),
        "rolling_updates": mapping(
            {
                "min_in_service": integer(between(0), default=0),
                "max_batch_size": integer(between(1), default=1),
                "pause_time": number(between(0), default=0),
            },
            default=_ONE_BY_ONE,
            mutable=True,
        ),
    }
    attributes = {
        "outputs": attribute(Kind.MAP),
        "outputs_list": attribute(Kind.LIST),
        "current_size": attribute(Kind.INTEGER),
        "refs": attribute(Kind.LIST),
        "refs_map": attribute(Kind.MAP),
    }

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        found = size_findings(
            properties.get("min_size"), properties.get("max_size"), properties.get("desired_capacity"),
            ("min_size", "max_size", "desired_capacity"),
        )  # fmt: skip
        definition = properties.get("resource")
        if isinstance(definition, Mapping) and "type" not in definition:
            found.append("resource: a resource definition needs a type")
        return found

    def limits(self, properties: Mapping[str, Value]) -> Limits:
        return Limits(
            properties["min_size"], properties["max_size"], properties.get("desired_capacity"),
            properties.get("cooldown"),
        )  # fmt: skip

    async def maker(self, op: Operation) -> Maker:
        definition = {key: value for key, value in op.properties["resource"].items() if value is not None}
        return lambda _now, _others: definition

    def pace(self, op: Operation) -> Pace:
        return pace_of(op.properties.get("rolling_updates") or _ONE_BY_ONE)
