"""Cinder."""

from __future__ import annotations

from simulator.volume.service import Volume

__all__ = ["Volume"]
