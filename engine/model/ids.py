"""Identities."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

_AT_ONCE: Final = 256  # asking the system for the bytes of each costs more than all the rest
_VARIANT: Final = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def _random() -> Iterator[str]:
    while True:
        text = os.urandom(16 * _AT_ONCE).hex()
        for first in range(0, len(text), 32):
            raw = text[first : first + 32]
            yield f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-{_VARIANT[raw[16]]}{raw[17:20]}-{raw[20:]}"


_IDS: Final = _random()


def new_id() -> str:
    """A random UUID (RFC 9562, version 4) as text."""
    return next(_IDS)
