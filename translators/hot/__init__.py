"""The HOT language: every version of heat.md §3.1."""

from __future__ import annotations

from translators.hot.parser import Parsed, parse, parse_leniently

__all__ = ["Parsed", "parse", "parse_leniently"]
