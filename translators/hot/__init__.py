"""The HOT language: every version of heat.md §3.1, environments, template resources."""

from __future__ import annotations

from translators.hot.parser import parse

__all__ = ["parse"]
