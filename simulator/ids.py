"""Ids that follow from names: a new simulated cloud has the same ones every time."""

from __future__ import annotations

import uuid

_SPACE = uuid.UUID("5d0f4b0e-6c0b-4b43-9e0c-7f1f0f6e2a11")


def stable_id(name: str) -> str:
    """A UUID with dashes."""
    return str(uuid.uuid5(_SPACE, name))


def stable_hex(name: str) -> str:
    """A UUID without dashes, as Keystone has them."""
    return uuid.uuid5(_SPACE, name).hex
