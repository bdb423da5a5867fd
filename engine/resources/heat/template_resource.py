"""OS::Heat::TemplateResource: what a type that is mapped to a template becomes (TE-08, TE-20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.model.value import Value
from engine.resources.base import Nested, Operation
from engine.resources.declare import anything, integer, listing, mapping, string
from engine.resources.heat import members
from engine.resources.heat.nested import OUTPUTS, NestedType

#: An output of this name says what `get_resource` gives.
REFERENCE_OUTPUT = "OS::stack_id"


class TemplateResource(NestedType):
    """Its properties are the child's parameters, its attributes the child's outputs.

    Written by the translators only: `type` is the name the user wrote, `path` the file or URL it stands for,
    `template` the text of that, or `url` its address where it could not be asked for. `inner` are the child's resources
    that the parent asks for by `resource.NAME`: no others are kept.
    """

    name = "OS::Heat::TemplateResource"
    support = "HIDDEN"
    properties = {
        "type": string(mutable=True),
        "template": string(mutable=True),
        "path": string(mutable=True),
        "url": string(mutable=True),
        "files": mapping(None, default={}, mutable=True),
        "environment": mapping(None, default={}, mutable=True),
        "parameters": mapping(None, default={}, mutable=True),
        "timeout": integer(mutable=True),
        "metadata": anything(mutable=True),
        "inner": listing(string(), default=[], mutable=True),
    }

    async def child(self, op: Operation) -> Nested:
        properties = op.properties
        return Nested(
            template=properties.get("template") or "",
            parameters={name: value for name, value in properties["parameters"].items() if value is not None},
            files=properties["files"],
            environment=properties["environment"],
            timeout_mins=properties.get("timeout"),
            url=properties.get("url"),
        )

    async def gathered(self, op: Operation, outputs: Mapping[str, Value]) -> dict[str, Any]:
        found = await super().gathered(op, outputs)
        inner = op.properties.get("inner") or ()
        if inner and op.physical_id is not None:
            resources = await op.services.nested_resources(op.physical_id)
            found |= members.gather(one for one in resources if one[0] in inner)
        return found

    def reference(self, physical_id: str | None, attributes: Mapping[str, Value], address: str) -> Value:
        outputs = attributes.get(OUTPUTS) or {}
        return outputs.get(REFERENCE_OUTPUT, physical_id)

    def attribute(self, attributes: Mapping[str, Value], name: str) -> Value:
        """An output of the child; `outputs` is the map of all, `Outputs.X` CloudFormation's way to write X."""
        outputs = attributes.get(OUTPUTS) or {}
        if name in outputs:
            return outputs[name]
        if name.startswith("Outputs."):
            return outputs.get(name.removeprefix("Outputs."))
        if name.startswith("resource."):
            return self.attribute_at(attributes, name, ())[0]
        return outputs if name in (OUTPUTS, "show") else None

    def attribute_at(self, attributes: Mapping[str, Value], name: str, path: Sequence[Value]) -> tuple[Value, int]:
        """`resource.NAME` is the reference of one of the child's resources, an attribute of it follows."""
        if name.startswith("resource.") and name not in (attributes.get(OUTPUTS) or {}):
            return members.of_one(attributes, [*name.split(".", 2)[1:], *path]), len(path)
        return super().attribute_at(attributes, name, path)

    def everything(self, attributes: Mapping[str, Value]) -> dict[str, Value]:
        return dict(attributes.get(OUTPUTS) or {})

    def has_attribute(self, name: str) -> bool:
        """Only the child's template could tell."""
        return True
