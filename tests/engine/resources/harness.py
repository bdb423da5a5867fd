"""Drives one resource type by itself, as a run would: intent, create, ready, update, check, delete."""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.cloud.contract import Cloud
from engine.model.status import Action
from engine.resources.base import Nested, Operation, ResourceType, StackIdentity, Standing
from engine.resources.registry import Registry
from engine.resources.schema import check_properties, difference, normalize

REGISTRY = Registry(plugins=False)
SECONDS = 60.0


@dataclass
class Surroundings:
    """`Services` without a run: real time, nested stacks and signals as plain records."""

    signals_of: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)  # reference → address
    groups: dict[str, str] = field(default_factory=dict)  # reference → address of what can be scaled
    kept: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # reference → attributes
    nested: list[Nested] = field(default_factory=list)
    members: list[tuple[str, str | None, Mapping[str, Any]]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    acted: list[tuple[str, Action]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    asked_of: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)  # handlers of custom resources
    virtual: bool = False
    around: tuple[Mapping[str, str], Mapping[str, Any]] = ({}, {})  # files and environment of the stack

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if not self.virtual:
            await asyncio.sleep(seconds)

    def now(self) -> int:
        return int(self.monotonic() * 1e6)

    def monotonic(self) -> float:
        return time.monotonic() + (sum(self.slept) if self.virtual else 0.0)

    async def start_nested(
        self, op: Operation, nested: Nested, *, adopt: Mapping[str, Mapping[str, Any]] | None = None
    ) -> str:
        self.nested.append(nested)
        return "child-1"

    async def nested_of(self, op: Operation) -> str | None:
        return "child-1" if self.nested else None

    async def nested_done(self, stack_id: str) -> Mapping[str, Any]:
        return self.outputs

    async def delete_nested(self, stack_id: str) -> None:
        self.nested.clear()

    async def act_nested(self, stack_id: str, action: Action) -> None:
        self.acted.append((stack_id, action))

    async def save_nested(self, stack_id: str, name: str) -> str:
        return f"snapshot of {stack_id}"

    async def restore_nested(self, stack_id: str, snapshot_id: str) -> None:
        self.acted.append((stack_id, Action.RESTORE))

    async def discard_nested(self, op: Operation, name: str) -> None:
        self.acted.append((name, Action.DELETE))

    async def forget_nested(self, stack_id: str) -> None:
        self.nested.clear()

    async def nested_resources(self, stack_id: str) -> Sequence[tuple[str, str | None, Mapping[str, Any]]]:
        return self.members

    async def inherited(self, op: Operation) -> tuple[Mapping[str, str], Mapping[str, Any]]:
        return self.around

    async def nested_standing(self, stack_id: str) -> Standing:
        return Standing(self.nested[-1].template, {name: age for age, (name, _, _) in enumerate(self.members)})

    async def scaling_group(self, reference: str) -> str | None:
        return self.groups.get(reference)

    async def kept_by(self, reference: str) -> Mapping[str, Any] | None:
        return self.kept.get(reference)

    async def signals(self, op: Operation) -> Sequence[Mapping[str, Any]]:
        return self.signals_of.get(op.address, [])

    async def wait_signal(self, op: Operation, timeout: float) -> None:
        await self.sleep(timeout)

    async def clear_signals(self, op: Operation) -> None:
        self.signals_of.pop(op.address, None)

    async def signalled_address(self, reference: str) -> str | None:
        return self.handles.get(reference)

    async def ask_handler(self, service_token: str, request: Mapping[str, Any]) -> None:
        self.asked_of.append((service_token, request))

    def signal_url(self, op: Operation, *, kind: str) -> str:
        return f"http://gateway/{kind}/{op.stack.id}/{op.address}?Signature=x"


class NoCloud:
    """For types that ask nothing of it."""

    project_id, user_id, region = "project", "user", "RegionOne"


class Driven:
    """One resource under test."""

    def __init__(
        self, type_name: str, properties: Mapping[str, Any], cloud: Cloud | None = None, *,
        address: str = "thing", services: Surroundings | None = None, metadata: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.kind: ResourceType = REGISTRY.get(type_name)
        self.services = services or Surroundings()
        self.stack = StackIdentity(str(uuid.uuid4()), "trial", "project" if cloud is None else cloud.project_id, "root")
        self.token = f"oe-{hashlib.sha256(f'{self.stack.id}{address}'.encode()).hexdigest()[:26]}"
        self.address, self.cloud, self.metadata = address, cloud or NoCloud(), metadata or {}
        self.properties = self.checked(properties)
        self.before: Mapping[str, Any] = {}
        self.data: dict[str, Any] = {}
        self.physical_id: str | None = None
        self.attributes: Mapping[str, Any] = {}

    def checked(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        assert check_properties(self.kind, properties) == []
        found = normalize(self.kind, properties)
        assert list(self.kind.validate(found)) == []
        return found

    def op(self, **changes: Any) -> Operation:
        async def remember(**data: Any) -> None:
            self.data.update(data)

        found = Operation(
            stack=self.stack, address=self.address, type_name=self.kind.name, token=self.token,
            properties=self.properties, before=self.before, physical_id=self.physical_id, data=self.data,
            metadata=self.metadata, remember=remember, cloud=self.cloud, services=self.services,
            deadline=self.services.monotonic() + SECONDS,
        )  # fmt: skip
        for name, value in changes.items():
            setattr(found, name, value)
        return found

    async def prepare(self) -> None:
        self.data.update(await self.kind.prepare(self.op()))

    async def create(self) -> str | None:
        await self.prepare()
        self.physical_id = await self.kind.create(self.op())
        self.attributes = await self.kind.ready(self.op())
        return self.physical_id

    async def update(self, properties: Mapping[str, Any], **changes: Any) -> None:
        self.before, self.properties = self.properties, self.checked(properties)
        found = difference(self.kind, self.before, self.properties)
        assert not found.replace, f"{sorted(found.changed)} need a new object"
        assert not self.kind.replaces(self.before, self.properties)
        await self.kind.update(self.op(**changes), found.changed)
        self.attributes = await self.kind.ready(self.op())

    async def delete(self) -> None:
        await self.kind.delete(self.op())

    def get(self, name: str) -> Any:
        return self.kind.attribute(self.attributes, name)

    @property
    def reference(self) -> Any:
        return self.kind.reference(self.physical_id, self.attributes, self.address)
