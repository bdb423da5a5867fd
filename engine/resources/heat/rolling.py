"""The arithmetic of rolling updates (heat.md ENGU-14): which size a group has, and how many are made new, per batch."""

from __future__ import annotations

from collections.abc import Iterator


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
