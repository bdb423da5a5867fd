"""Texts to source trees, safely: bounded in depth, size and aliases, with every value's line and column."""

from __future__ import annotations

from translators.source.node import SourceNode
from translators.source.reader import MAX_BYTES, decode, read

__all__ = ["MAX_BYTES", "SourceNode", "decode", "read"]
