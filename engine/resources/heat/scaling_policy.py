"""OS::Heat::ScalingPolicy: a signal makes a group larger or smaller (heat.md ENGA-12, ENGA-13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed
from engine.resources.declare import attribute, between, integer, number, one_of, string
from engine.resources.heat.capacity import ADJUSTMENTS, PERCENT, Adjustment
from engine.resources.heat.local import LocalType


class Policy(LocalType):
    """A type says what its properties ask for; what a signal brings about is the run's (`engine.runs.scaling`)."""

    signalable = True
    secret_attributes = True

    def adjustment(self, properties: Mapping[str, Value]) -> Adjustment:
        raise NotImplementedError

    async def create(self, op: Operation) -> str | None:
        """Raises OperationFailed when the stack has no such group."""
        group = self.adjustment(op.properties).group
        if await op.services.scaling_group(group) is None:
            raise OperationFailed(
                f"{op.address} could not find a scaling group named {group!r} in its stack; give a reference to one, "
                "as `{get_resource: <group>}`"
            )
        await op.services.clear_signals(op)
        return op.physical_name()


class ScalingPolicy(Policy):
    """Both addresses are the same: its signature is the credential (ENGA-05)."""

    name = "OS::Heat::ScalingPolicy"
    properties = {
        "auto_scaling_group_id": string(required=True),
        "scaling_adjustment": number(required=True, mutable=True),
        "adjustment_type": string(one_of(*ADJUSTMENTS), required=True, mutable=True),
        "cooldown": number(mutable=True),
        "min_adjustment_step": integer(between(0), mutable=True),
    }
    attributes = {"alarm_url": attribute(live=True), "signal_url": attribute()}

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        kind, step = properties.get("adjustment_type"), properties.get("min_adjustment_step")
        if step is not None and isinstance(kind, str) and kind != PERCENT:
            return [f"min_adjustment_step can be given only where adjustment_type is {PERCENT}"]
        return ()

    def values(self, op: Operation) -> Mapping[str, Any]:
        url = op.services.signal_url(op, kind="signal")
        return {"alarm_url": url, "signal_url": url}

    def adjustment(self, properties: Mapping[str, Value]) -> Adjustment:
        return Adjustment(
            group=properties["auto_scaling_group_id"],
            kind=properties["adjustment_type"],
            amount=properties["scaling_adjustment"],
            least=properties.get("min_adjustment_step") or 0,
            cooldown=properties.get("cooldown"),
        )
