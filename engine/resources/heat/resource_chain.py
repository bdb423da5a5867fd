"""OS::Heat::ResourceChain: resources of given types with the same properties, one after another (heat.md ENGU-16)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.model.value import Value
from engine.resources.base import Kind, Nested, Operation
from engine.resources.declare import attribute, boolean, listing, mapping, string
from engine.resources.heat import members


class ResourceChain(members.MembersType):
    """The members are called 0, 1, 2 … in the order of the list; each waits for the one before, unless `concurrent`."""

    name = "OS::Heat::ResourceChain"
    properties = {
        "resources": listing(string(), required=True, mutable=True),
        "concurrent": boolean(default=False),
        "resource_properties": mapping(None),
    }
    attributes = {"refs": attribute(Kind.LIST), "attributes": attribute(Kind.MAP)}

    def has_attribute(self, name: str) -> bool:
        """`resource.N` and `resource.N.attribute` besides those that are declared."""
        return super().has_attribute(name) or name.startswith("resource.")

    async def child(self, op: Operation) -> Nested:
        return chained(op.properties)

    async def gathered(self, op: Operation, outputs: Mapping[str, Value]) -> dict[str, Any]:
        assert op.physical_id is not None
        found = await op.services.nested_resources(op.physical_id)
        return members.gather(sorted(found, key=lambda one: int(one[0])), ())


def chained(properties: Mapping[str, Value]) -> Nested:
    """The chain as a template."""
    resources: dict[str, Any] = {}
    for number, kind in enumerate(properties["resources"]):
        resources[str(number)] = {"type": kind, "properties": properties.get("resource_properties") or {}}
        if number and not properties["concurrent"]:
            resources[str(number)]["depends_on"] = [str(number - 1)]
    return Nested(template=json.dumps({"heat_template_version": "2016-04-08", "resources": resources}))
