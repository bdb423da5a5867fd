"""Isotherm::LaunchTemplate: properties of instances, of which every version is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.model.value import Value
from engine.resources.base import Kind, Operation
from engine.resources.declare import attribute, mapping, string
from engine.resources.heat.local import LocalType

_KEPT = "versions"  # a note: the data of every version, the first one first


class LaunchTemplate(LocalType):
    """A change of the data is a new version, told apart by numbers that begin with 1; the default stays the first."""

    name = "Isotherm::LaunchTemplate"
    properties = {
        "name": string(),
        "data": mapping(None, required=True, mutable=True),
    }
    attributes = {
        "versions": attribute(Kind.MAP),
        "latest": attribute(),
        "default": attribute(),
        "name": attribute(),
    }

    async def create(self, op: Operation) -> str | None:
        await self._keep(op)
        return f"lt-{op.token.removeprefix('oe-')[:17]}"

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        await self._keep(op)

    async def _keep(self, op: Operation) -> None:
        versions = list(op.data.get(_KEPT, ()))
        if not versions or versions[-1] != op.properties["data"]:
            await op.remember(**{_KEPT: [*versions, op.properties["data"]]})

    def values(self, op: Operation) -> Mapping[str, Value]:
        versions = op.data.get(_KEPT) or [op.properties["data"]]
        numbered: dict[str, Any] = {str(number): data for number, data in enumerate(versions, 1)}
        return {
            "versions": {**numbered, "$Latest": versions[-1], "$Default": versions[0]},
            "latest": str(len(versions)),
            "default": "1",
            "name": op.properties.get("name") or op.physical_name(128),
        }
