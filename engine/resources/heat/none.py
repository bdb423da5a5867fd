"""OS::Heat::None: stands where nothing is wanted."""

from __future__ import annotations

from collections.abc import Mapping

from engine.model.value import Value
from engine.resources.heat.local import LocalType


class NoneResource(LocalType):
    """Accepts any property, answers every attribute with null, is never replaced (RTX-07)."""

    name = "OS::Heat::None"
    any_properties = True

    def attribute(self, attributes: Mapping[str, Value], name: str) -> Value:
        return None
