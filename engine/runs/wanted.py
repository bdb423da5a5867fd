"""What the template wants of one resource, evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.model.template import Group, Resource
from engine.model.value import Value
from engine.resources.base import ResourceType


@dataclass(frozen=True, slots=True)
class Wanted:
    """`properties` are checked and in their normal form; `group` is what the resource is a member of."""

    resource: Resource
    kind: ResourceType
    properties: Mapping[str, Value]
    group: Group | None

    @property
    def address(self) -> str:
        return self.resource.address
