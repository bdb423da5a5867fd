"""Isotherm::Stack: a nested stack whose template is fetched from an address, and which may have tags of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.model.value import Value
from engine.resources.base import Kind, Nested, Operation
from engine.resources.declare import attribute, integer, listing, mapping, string
from engine.resources.heat.nested import OUTPUTS, NestedType


class Stack(NestedType):
    """Lists among the parameters become comma-delimited text, as CloudFormation takes them."""

    name = "Isotherm::Stack"
    properties = {
        "template_url": string(required=True, mutable=True),
        "parameters": mapping(None, default={}, mutable=True),
        "timeout_mins": integer(mutable=True),
        "tags": listing(mapping({"Key": string(required=True), "Value": string(required=True)}), mutable=True),
    }
    attributes = {"stack_name": attribute(), OUTPUTS: attribute(Kind.MAP)}

    async def child(self, op: Operation) -> Nested:
        given, tags = op.properties["parameters"], op.properties.get("tags")
        return Nested(
            template="",
            parameters={name: _text(value) for name, value in given.items()},
            timeout_mins=op.properties.get("timeout_mins"),
            url=op.properties["template_url"],
            tags=None if tags is None else {one["Key"]: one["Value"] for one in tags},
        )

    async def outdated(self, op: Operation) -> bool:
        return await op.services.nested_outdated(op, op.properties["template_url"])

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        found = await super().ready(op)
        await op.services.nested_settled(op)
        return found

    async def gathered(self, op: Operation, outputs: Mapping[str, Value]) -> dict[str, Any]:
        name = f"{op.stack.name}-{op.address.replace('/', '-')}-{op.token[-12:]}"
        return {OUTPUTS: dict(outputs), "stack_name": name}

    def attribute(self, attributes: Mapping[str, Value], name: str) -> Value:
        if name.startswith("Outputs."):
            return (attributes.get(OUTPUTS) or {}).get(name.removeprefix("Outputs."))
        return attributes.get(name)

    def has_attribute(self, name: str) -> bool:
        return name.startswith("Outputs.") or super().has_attribute(name)


def _text(value: Value) -> Value:
    if isinstance(value, list | tuple):
        return ",".join(str(_text(item)) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
