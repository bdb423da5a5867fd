"""OS::Heat::Stack: a stack inside a stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.model.value import Value
from engine.resources.base import Kind, Nested, Operation, OperationFailed
from engine.resources.declare import attribute, boolean, integer, mapping, string
from engine.resources.heat.nested import OUTPUTS, NestedType


class Stack(NestedType):
    """The template comes as text (usually by `get_file`). Another region or cloud is not reached from here."""

    name = "OS::Heat::Stack"
    properties = {
        "context": mapping(
            {
                "region_name": string(),
                "credential_secret_id": string(mutable=True),
                "ca_cert": string(mutable=True),
                "insecure": boolean(default=False, mutable=True),
            },
            mutable=True,
        ),
        "template": string(required=True, mutable=True),
        "timeout": integer(mutable=True),
        "parameters": mapping(None, default={}, mutable=True),
    }
    attributes = {"stack_name": attribute(), "outputs": attribute(Kind.MAP)}

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        context = properties.get("context")
        if not isinstance(context, Mapping):
            return ()
        if context.get("credential_secret_id"):
            return ["context.credential_secret_id: stacks in another cloud are not supported; leave it out"]
        return ()

    async def child(self, op: Operation) -> Nested:
        region = (op.properties.get("context") or {}).get("region_name")
        if region and region != op.stack.region:
            raise OperationFailed(f"context.region_name: this engine works in {op.stack.region}, not in {region}")
        return Nested(
            template=op.properties["template"],
            parameters=op.properties["parameters"],
            timeout_mins=op.properties.get("timeout"),
        )

    async def gathered(self, op: Operation, outputs: Mapping[str, Value]) -> dict[str, Any]:
        name = f"{op.stack.name}-{op.address.replace('/', '-')}-{op.token[-12:]}"
        return {OUTPUTS: dict(outputs), "stack_name": name}

    def attribute(self, attributes: Mapping[str, Value], name: str) -> Value:
        if name.startswith("Outputs."):
            return (attributes.get(OUTPUTS) or {}).get(name.removeprefix("Outputs."))
        return dict(attributes) if name == "show" else attributes.get(name)

    def has_attribute(self, name: str) -> bool:
        return name.startswith("Outputs.") or super().has_attribute(name)
