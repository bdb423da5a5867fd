"""How many members a group is to have: limits, adjustments (heat.md ENGA-12, ENGA-14), and cooldowns (ENGA-13)."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.model.value import Value
from engine.state.rows import TOLD

CHANGE, EXACT, PERCENT = ADJUSTMENTS = ("change_in_capacity", "exact_capacity", "percent_change_in_capacity")

#: Notes of groups and policies: when the cooldown ends (microseconds) and what began it; what is under way.
_END: Final = "cooldown_end"
_WHY: Final = "cooldown_why"
SCALING: Final = "scaling"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a group's properties say of its size. `cooldown` in seconds, None when they say nothing of it."""

    low: int
    high: int
    desired: int | None = None
    cooldown: float | None = None

    def clamp(self, size: int) -> int:
        return max(self.low, min(self.high, size))


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a policy's properties ask for. `least`: the smallest step of a change in percent."""

    group: str
    kind: str
    amount: float
    least: int = 0
    cooldown: float | None = None

    def __str__(self) -> str:
        return f"{self.kind} : {self.amount:g}"


def adjusted(current: int, adjustment: Adjustment, limits: Limits) -> int:
    """The size after the adjustment, within the limits."""
    match adjustment.kind:
        case "exact_capacity":
            wanted = int(adjustment.amount)
        case "percent_change_in_capacity":
            wanted = current + _step(current * adjustment.amount / 100, adjustment.least)
        case _:
            wanted = current + int(adjustment.amount)
    return limits.clamp(wanted)


def _step(change: float, least: int) -> int:
    """Less than one is one, otherwise what is beyond a whole number is dropped; nothing stays nothing."""
    rounded = math.copysign(math.ceil(abs(change)) if abs(change) < 1 else math.floor(abs(change)), change)
    if least > abs(rounded):
        rounded = math.copysign(least, change) if change else -least
    return int(rounded)


# --- notes ----------------------------------------------------------------------------------------------------------
def is_cooling(notes: Mapping[str, Value], now: int) -> bool:
    return bool(notes.get(_END, 0) > now)


def begun(scaling: Mapping[str, Value], notes: Mapping[str, Value]) -> dict[str, Any]:
    """Notes for the time while the size changes."""
    return {SCALING: dict(scaling), TOLD: _told(notes.get(_END), notes.get(_WHY), in_progress=True)}


def ended(notes: Mapping[str, Value], now: int, changed: tuple[float | None, str] | None) -> dict[str, Any]:
    """Notes for the time after; `changed`: seconds of cooldown and what began it, None when the size is as before. A
    cooldown never ends before an earlier one."""
    end, why = notes.get(_END), notes.get(_WHY)
    if changed is not None:
        end, why = max(end or 0, now + int(max(0.0, changed[0] or 0) * 1e6)), changed[1]
    return {SCALING: None, _END: end or 0, _WHY: why, TOLD: _told(end, why, in_progress=False)}


def _told(end: int | None, why: Value, *, in_progress: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"scaling_in_progress": in_progress}
    if end:
        when = dt.datetime.fromtimestamp(end / 1e6, dt.UTC).replace(tzinfo=None)
        found["cooldown_end"] = {when.isoformat(): why}
    return found
