"""Swift."""

from __future__ import annotations

from simulator.object_store.service import ObjectStore

__all__ = ["ObjectStore"]
