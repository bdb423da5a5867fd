"""Holding a stack's run: an engine whose lease is nearly spent sends no cloud call (self-fencing)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from engine.model.clock import Clock


class LeaseLost(Exception):
    """Another engine may own the stack by now: stop, and leave everything as it is."""


class Leases:
    """What one process holds; renewed as a whole. Monotonic, so that a set clock cannot prolong it."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self.seconds = clock, seconds
        self._until = clock.monotonic() + seconds
        self._lent: dict[str, Lease] = {}

    def hold(self, stack_id: str) -> Lease:
        """The lease of a run that has just been claimed."""
        self._lent[stack_id] = Lease(self)
        return self._lent[stack_id]

    def drop(self, stack_id: str) -> None:
        self._lent.pop(stack_id, None)

    def held(self) -> Mapping[str, Lease]:
        """The leases of this moment, by stack: to be handed to `renewed`."""
        return dict(self._lent)

    def renewed(self, sent_at: float, held: Mapping[str, Lease], kept: Collection[str]) -> None:
        """The renewal that was sent at monotonic time `sent_at`, when there was what is `held`, has been committed, and
        was good for the stacks `kept`.

        The others are another engine's: one that was stopped for longer than its lease must not take a renewal for its
        right to go on. What has been claimed since the renewal was sent is not judged by it.
        """
        for stack_id, lease in held.items():
            lease.lost = lease.lost or stack_id not in kept
        self._until = sent_at + self.seconds

    def spent(self) -> bool:
        """Whether less than a quarter is left."""
        return self._until - self._clock.monotonic() < self.seconds / 4


class Lease:
    """The right to one run."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self.lost = False

    def ensure(self) -> None:
        """Raise LeaseLost when another engine may own the run soon, or owns it."""
        if self.lost or self._leases.spent():
            raise LeaseLost
