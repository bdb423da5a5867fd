"""Neutron."""

from __future__ import annotations

from simulator.network.service import Network

__all__ = ["Network"]
