"""Glance."""

from __future__ import annotations

from simulator.image.service import Image

__all__ = ["Image"]
