"""Keystone, as strict as the patched one."""

from __future__ import annotations

from simulator.identity.service import Identity

__all__ = ["Identity"]
