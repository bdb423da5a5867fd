"""What Keystone's types have in common: the mark in an attribute that Keystone keeps without knowing it (M5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from engine.resources.base import Operation
from engine.resources.mark import EXTRA_KEY, InExtra, Mark, Row
from engine.resources.openstack_type import OpenStackType


class KeystoneType(OpenStackType):
    service: ClassVar[str | None] = "identity"
    mark: ClassVar[Mark] = InExtra()
    race_safe = True  # names are unique in their domain

    def is_ours(self, row: Row, op: Operation) -> bool:
        return True

    def presented(self, op: Operation, row: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in row.items() if key != EXTRA_KEY}

    async def unmarked(self, op: Operation, row: dict[str, Any]) -> dict[str, Any]:
        return row
