"""OS::Heat::Stack: a stack inside a stack."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from engine.cloud.errors import NotFound
from engine.model.status import Action
from engine.model.value import NO_VALUE, UNKNOWN, Value
from engine.resources.base import Kind, Nested, Operation
from engine.resources.declare import attribute, boolean, integer, mapping, string
from engine.resources.heat.nested import OUTPUTS, NestedType
from engine.resources.heat.remote_stack import RemoteStack, is_elsewhere, name_of, reach

log = structlog.get_logger(__name__)


class Stack(NestedType):
    """The template comes as text (usually by `get_file`). With a `context` of another region, or with the credentials
    of another cloud, the stack is made there; otherwise it is one of ours."""

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

    def inside(self, properties: Mapping[str, Value], region: str) -> bool:
        return not is_elsewhere(properties.get("context"), region)

    def repeatable(self, op: Operation) -> bool:
        return not is_elsewhere(op.properties.get("context"), op.stack.region)

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        context = properties.get("context")
        if not isinstance(context, Mapping):
            return ()
        certificate = context.get("ca_cert")
        if certificate and context.get("insecure") is True:
            return ["context: ca_cert and insecure exclude each other; what is not verified needs no certificate"]
        if isinstance(certificate, str) and certificate and not _is_certificate(certificate):
            return ["context.ca_cert: a certificate in PEM is expected, its text and not the name of a file"]
        return ()

    def replaces(self, before: Mapping[str, Value], after: Mapping[str, Value]) -> bool:
        """Another place is another stack; other credentials may be those of the same place."""
        old, new = before.get("context") or {}, after.get("context") or {}
        if not isinstance(old, Mapping) or not isinstance(new, Mapping):
            return False
        regions, secrets = _both(old, new, "region_name"), _both(old, new, "credential_secret_id")
        return regions[0] != regions[1] or bool(secrets[0]) != bool(secrets[1])

    # --- one of ours --------------------------------------------------------------------------------------------------
    async def child(self, op: Operation) -> Nested:
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
        if name == "show" and "show" not in attributes:
            return dict(attributes)
        return attributes.get(name)

    def has_attribute(self, name: str) -> bool:
        return name.startswith("Outputs.") or super().has_attribute(name)

    # --- either -------------------------------------------------------------------------------------------------------
    async def create(self, op: Operation) -> str | None:
        there = await _elsewhere(op)
        return await super().create(op) if there is None else await there.create()

    async def adopt(self, op: Operation, given: Mapping[str, Value]) -> str | None:
        there = await _elsewhere(op)
        if there is None:
            return await super().adopt(op, given)
        stack_id = given.get("resource_id")
        return await there.adopt(str(stack_id)) if stack_id else None

    async def find(self, op: Operation) -> str | None:
        there = await _elsewhere(op)
        return await super().find(op) if there is None else await there.find()

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        there = await _elsewhere(op)
        return await super().ready(op) if there is None else await there.ready()

    async def read(self, op: Operation) -> Mapping[str, Value]:
        there = await _elsewhere(op)
        return await super().read(op) if there is None else await there.read()

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        there = await _elsewhere(op)
        await (super().update(op, changed) if there is None else there.update())

    async def delete(self, op: Operation) -> None:
        if op.physical_id is not None:
            there = await _elsewhere(op)
            await (super().delete(op) if there is None else there.delete())

    async def suspend(self, op: Operation) -> None:
        there = await _elsewhere(op)
        await (super().suspend(op) if there is None else there.act(Action.SUSPEND))

    async def resume(self, op: Operation) -> None:
        there = await _elsewhere(op)
        await (super().resume(op) if there is None else there.act(Action.RESUME))

    async def check(self, op: Operation) -> Mapping[str, Value]:
        there = await _elsewhere(op)
        if there is None:
            return await super().check(op)
        await there.act(Action.CHECK)
        return await there.read()

    async def save(self, op: Operation, name: str) -> Mapping[str, Value]:
        there = await _elsewhere(op)
        return await super().save(op, name) if there is None else {"snapshot_id": await there.save(name)}

    def whereabouts(self, op: Operation) -> Mapping[str, Value]:
        context = op.properties.get("context")
        if not is_elsewhere(context, op.stack.region):
            return {}
        return {"context": context, "stack_name": name_of(op), "stack_id": op.physical_id}

    async def restore(self, op: Operation, saved: Mapping[str, Value]) -> None:
        there = await _elsewhere(op)
        await (super().restore(op, saved) if there is None else there.restore(saved["snapshot_id"]))

    async def discard(self, op: Operation, saved: Mapping[str, Value]) -> None:
        if "context" not in saved:
            await super().discard(op, saved)
            return
        try:
            there = await reach(op, saved["context"], saved["stack_name"], saved["stack_id"])
        except NotFound as error:
            # Without its credentials nobody gets there any more; and snapshots go with their stack.
            log.warning("a snapshot in another cloud is left to itself", name=saved["name"], error=error.message)
            return
        await there.discard(saved["name"])


async def _elsewhere(op: Operation) -> RemoteStack | None:
    """The stack in another place; None where it is one of ours."""
    context = op.properties.get("context") or {}
    if not is_elsewhere(context, op.stack.region):
        return None
    return await reach(op, context, name_of(op), op.physical_id)


def _both(old: Mapping[str, Value], new: Mapping[str, Value], name: str) -> tuple[Value, Value]:
    """The values before and after; the same where only running can tell."""
    before, after = old.get(name) or None, new.get(name) or None
    return (before, before) if after is UNKNOWN or after is NO_VALUE else (before, after)


def _is_certificate(text: str) -> bool:
    try:
        ssl.create_default_context(cadata=text)
    except (ssl.SSLError, ValueError):
        return False
    return True
