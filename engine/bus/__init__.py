"""Hints between processes of one Isotherm: there is work, look at your stack, these stacks have changed.

The database is the only truth (design §3). Losing every hint costs latency only: engines sweep, waiters look again.
"""

from engine.bus.contract import Bus, Hearing, Worker
from engine.bus.local import LocalBus

__all__ = ["Bus", "Hearing", "LocalBus", "Worker"]
