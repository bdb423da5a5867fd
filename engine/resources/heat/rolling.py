"""Rolling through the members of a group: its arithmetic (heat.md ENGU-14), and the pauses between its batches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from engine.model.value import Value
from engine.resources.base import Operation


@dataclass(frozen=True, slots=True)
class Pace:
    """How a group goes through its members. `pause` in seconds."""

    batch_size: int = 1
    min_in_service: int = 0
    pause: float = 0


def pace_of(policy: Mapping[str, Value]) -> Pace:
    """The pace of a policy in the native API's words."""
    return Pace(
        int(policy.get("max_batch_size") or 1),
        int(policy.get("min_in_service") or 0),
        float(policy.get("pause_time") or 0),
    )


def batches(target: int, current: int, batch_size: int, min_in_service: int) -> Iterator[tuple[int, int]]:
    """Yield (members in all, members made new) until all of `target` are new and there are no others.

    The group grows for a while when that is what `min_in_service` needs.
    """
    updated = 0
    while updated < target or current != target:
        most = min(batch_size, max(target - updated, 0))
        least = min(min_in_service, target, current)
        capacity = most + max(min(current, target - most), least)
        yield capacity, most
        updated += most - max(capacity - max(current, target), 0)
        current = capacity


async def roll(
    op: Operation, pace: Pace, target: int, current: int, phase: Callable[[int, int], Awaitable[None]]
) -> None:
    """Carry out `phase` (members in all, members made new) for every batch, with the pace's pauses between them."""
    for number_of, (capacity, fresh) in enumerate(batches(target, current, pace.batch_size, pace.min_in_service)):
        if number_of:
            await pause(op, pace)
        await phase(capacity, fresh)


async def pause(op: Operation, pace: Pace) -> None:
    if pace.pause > 0:
        await op.services.sleep(pace.pause)
