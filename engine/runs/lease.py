"""Holding a stack's run: an engine whose lease is nearly spent sends no cloud call (self-fencing)."""

from __future__ import annotations

from engine.state.clock import Clock


class LeaseLost(Exception):
    """Another engine may own the stack by now: stop, and leave everything as it is."""


class Lease:
    """The lease of one process on its runs; renewed as a whole. Monotonic, so that a set clock cannot prolong it."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self.seconds = clock, seconds
        self._until = clock.monotonic() + seconds

    def renewed(self, sent_at: float) -> None:
        """The renewal that was sent at monotonic time `sent_at` has been committed."""
        self._until = sent_at + self.seconds

    def ensure(self) -> None:
        """Raise LeaseLost when less than a quarter is left."""
        if self._until - self._clock.monotonic() < self.seconds / 4:
            raise LeaseLost
