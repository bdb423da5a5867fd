"""Isotherm::AutoScalingGroup: instances that scaling policies make more and fewer, in CloudFormation's reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.model.value import Value
from engine.resources.base import Kind, Operation, OperationFailed
from engine.resources.declare import attribute, between, boolean, integer, listing, mapping, number, string
from engine.resources.duration import seconds
from engine.resources.heat.capacity import Limits
from engine.resources.heat.instances import Instances, instance_maker
from engine.resources.heat.members import Definitions
from engine.resources.heat.rolling import Pace
from engine.resources.heat.scaling_group import Definition, Maker, size_findings
from engine.resources.heat.wait_condition import received
from engine.resources.isotherm.signals import enough
from engine.resources.patience import mark_of, patience

_WAITING = "batch_waits_for"  # a note: of which instances a batch waits for how many signals, and those before it
_SIZES = frozenset({"min_size", "max_size", "desired_capacity"})
_NOT_THE_GROUP = frozenset({"rolling", "keep_size", "replace", "signals_of"})  # they say how to update, not what


class AutoScalingGroup(Instances):
    """Known by its name. Without `rolling` instances keep what they were made with (heat.md ENGU-11).

    `instance`: the properties of an instance. `keep_size`: sizes that are not changed leave the group as policies have
    made it. `replace`: another instance means another group. `signals_of`: the address that instances signal to.
    """

    name = "Isotherm::AutoScalingGroup"
    properties = {
        "name": string(),
        "min_size": integer(between(0), required=True, mutable=True),
        "max_size": integer(between(0), required=True, mutable=True),
        "desired_capacity": integer(between(0), mutable=True),
        "cooldown": number(between(0), mutable=True),
        "instance": mapping(None, required=True, mutable=True),
        "subnets": listing(string(), default=[], mutable=True),
        "zones": listing(string(), default=[], mutable=True),
        "tags": listing(mapping({"Key": string(), "Value": string(), "PropagateAtLaunch": boolean()}), default=[],
                        mutable=True),
        "rolling": mapping(
            {
                "min_in_service": integer(between(0), default=0),
                "max_batch_size": integer(between(1), default=1),
                "pause_time": string(),
                "wait_for_signals": boolean(default=False),
                "percent": integer(between(0, 100), default=100),
            },
            mutable=True,
        ),
        "keep_size": boolean(default=False, mutable=True),
        "replace": boolean(default=False, mutable=True),
        "signals_of": string(mutable=True),
        "heat_format": boolean(default=False),
    }  # fmt: skip
    attributes = {
        "name": attribute(),
        "stack_id": attribute(),
        "current_size": attribute(Kind.INTEGER),
        "refs": attribute(Kind.LIST),
        "InstanceList": attribute(),
    }

    def reference(self, physical_id: str | None, attributes: Mapping[str, Value], address: str) -> Value:
        return attributes.get("name")

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        found = size_findings(
            properties.get("min_size"), properties.get("max_size"), properties.get("desired_capacity"),
            ("MinSize", "MaxSize", "DesiredCapacity"),
        )  # fmt: skip
        rolling = properties.get("rolling")
        pause = rolling.get("pause_time") if isinstance(rolling, Mapping) else None
        if isinstance(pause, str) and seconds(pause) is None:
            found.append(f"PauseTime: {pause!r} is no duration; write PT15M for fifteen minutes")
        return found

    def replaces(self, before: Mapping[str, Value], after: Mapping[str, Value]) -> bool:
        looks = ("instance", "subnets", "zones")
        return bool(after["replace"]) and any(before.get(name) != after.get(name) for name in looks)

    # --- what it is made of -----------------------------------------------------------------------------------------
    def version(self, op: Operation) -> Mapping[str, str]:
        return super().version(op) if op.properties["heat_format"] else {"AWSTemplateFormatVersion": "2010-09-09"}

    def limits(self, properties: Mapping[str, Value]) -> Limits:
        return Limits(
            properties["min_size"], properties["max_size"], properties.get("desired_capacity"),
            properties.get("cooldown"),
        )  # fmt: skip

    async def maker(self, op: Operation) -> Maker:
        given = op.properties
        own = "metering.AutoScalingGroupName" if given["heat_format"] else "aws:autoscaling:groupName"
        tags = [
            *(tag for tag in given["tags"] if tag.get("PropagateAtLaunch") is not False),
            {"Key": own, "Value": _name(op)},
        ]
        return instance_maker(given["instance"], tags, given["subnets"], given["zones"])

    def pace(self, op: Operation) -> Pace | None:
        rolling = op.properties.get("rolling")
        if rolling is None:
            return None
        waits = rolling.get("wait_for_signals")
        pause = 0.0 if waits else seconds(rolling.get("pause_time") or "PT0S") or 0.0
        return Pace(rolling.get("max_batch_size") or 1, rolling.get("min_in_service") or 0, pause)

    async def gathered(self, op: Operation, outputs: Mapping[str, Value]) -> dict[str, Any]:
        return {**await super().gathered(op, outputs), "name": _name(op), "stack_id": op.physical_id}

    # --- updates ------------------------------------------------------------------------------------------------------
    def renews(self, op: Operation, old: Definition, new: Definition) -> bool:
        """CloudFormation rolls new instances in; Heat changes those that there are. Tags are changed by both."""
        return not op.properties["heat_format"] and _but_tags(old) != _but_tags(new)

    def size_to_be(self, op: Operation, changed: frozenset[str], now: int) -> int:
        if changed <= _NOT_THE_GROUP or (op.properties["keep_size"] and not changed & _SIZES):
            return now
        return super().size_to_be(op, changed, now)

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        waiting = op.data.get(_WAITING)
        if waiting is not None and waiting["instance"] == op.properties["instance"]:
            # The engine that began the batch has died.
            assert op.physical_id is not None
            await op.services.nested_done(op.physical_id)
            await self._signalled(op, waiting)
        await super().update(op, changed)

    async def batch(self, op: Operation, state: Definitions, fresh: int) -> None:
        """Instances that are new are waited for where they are to say that they are ready."""
        rolling = op.properties.get("rolling") or {}
        if not rolling.get("wait_for_signals"):
            await super().batch(op, state, fresh)
            return
        before = [one.id for one in received(await op.services.signals(self._box(op)))]
        waiting = {"count": fresh, "before": before, "instance": op.properties["instance"]}
        await op.remember(**{_WAITING: waiting})
        await super().batch(op, state, fresh)
        await self._signalled(op, waiting)

    async def _signalled(self, op: Operation, waiting: Mapping[str, Value]) -> None:
        rolling = op.properties.get("rolling") or {}
        before, pause = frozenset(waiting["before"]), seconds(rolling.get("pause_time") or "PT5M") or 0.0
        try:
            async with patience(op, pause, mark_of(waiting)) as until:
                await enough(self._box(op), waiting["count"], rolling.get("percent", 100), until, before)
        except OperationFailed:
            await op.remember(**{_WAITING: None})
            raise
        await op.remember(**{_WAITING: None})

    def _box(self, op: Operation) -> Operation:
        return replace(op, address=op.properties.get("signals_of") or op.address)


def _name(op: Operation) -> str:
    return str(op.properties.get("name") or op.physical_name())


def _but_tags(definition: Definition) -> dict[str, Value]:
    return {name: value for name, value in definition["Properties"].items() if name != "Tags"}
