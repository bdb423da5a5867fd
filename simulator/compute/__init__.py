"""Nova."""

from __future__ import annotations

from simulator.compute.service import Compute

__all__ = ["Compute"]
