"""What really exists, and the resource types that make it so. Objects are found by token; faults are scripted."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from engine.cloud.errors import NotFound, OutcomeUnknown
from engine.model.value import Value
from engine.resources.base import (
    Attribute,
    Differing,
    Gone,
    Kind,
    MustReplace,
    Operation,
    OperationFailed,
    Property,
    ResourceType,
    Update,
)


@dataclass(slots=True)
class Object:
    """One thing of the cloud."""

    id: str
    address: str
    stack: str
    token: str
    type: str
    properties: dict[str, Value]
    suspended: bool = False
    held: str = ""


@dataclass(slots=True)
class Fault:
    """What happens at a call: `error` is raised before or `after` it took effect, or it lasts `seconds` longer."""

    error: Exception | None = None
    after: bool = False
    seconds: float = 0
    gate: asyncio.Event | None = None
    times: int = 1


@dataclass
class World:
    objects: dict[str, Object] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)  # name → what the object held
    calls: list[tuple[str, str]] = field(default_factory=list)  # (verb, address) in order; looks are not listed
    most_at_once: int = 0
    revoked: list[Mapping[str, Value]] = field(default_factory=list)
    services: frozenset[str] = frozenset()
    queues: dict[str, list[Any]] = field(default_factory=dict)  # of the messaging service, by name
    there: Any = None  # the cloud of whatever is elsewhere
    refusals: list[Exception] = field(default_factory=list)  # what its next requests are answered with
    dead: bool = False  # the engine that calls is dead: nothing it asks happens any more
    dies_at: tuple[int, str] | None = None  # (number of the call, "before" or "after" it took effect)
    _faults: dict[tuple[str, str], list[Fault]] = field(default_factory=dict)
    _made: int = 0
    _busy: int = 0

    # --- scripting ------------------------------------------------------------------------------------------------
    def fail(self, verb: str, address: str, error: Exception, *, after: bool = False, times: int = 1) -> None:
        self._faults.setdefault((verb, address), []).append(Fault(error, after, times=times))

    def slow(self, verb: str, address: str, seconds: float) -> None:
        self._faults.setdefault((verb, address), []).append(Fault(seconds=seconds))

    def hold(self, verb: str, address: str) -> asyncio.Event:
        """The next such call waits, before it takes effect, until the event is set."""
        gate = asyncio.Event()
        self._faults.setdefault((verb, address), []).append(Fault(gate=gate))
        return gate

    def well_again(self) -> None:
        """Nothing that was scripted happens any more."""
        self._faults.clear()
        self.dies_at = None

    # --- looking --------------------------------------------------------------------------------------------------
    def of(self, address: str) -> list[Object]:
        return [one for one in self.objects.values() if one.address == address]

    def the(self, address: str) -> Object:
        """The only object made for `address`."""
        (one,) = self.of(address)
        return one

    def addresses(self) -> list[str]:
        """Of all objects, sorted; an address stands as often as it has objects."""
        return sorted(one.address for one in self.objects.values())

    def verbs(self, verb: str) -> list[str]:
        """The addresses that `verb` was called for, in order."""
        return [address for called, address in self.calls if called == verb]

    def die(self) -> None:
        self.dead = True

    # --- being called ---------------------------------------------------------------------------------------------
    async def call(self, verb: str, op: Operation, act: Any) -> Any:
        """Carry out `act`, with whatever was scripted for it."""
        await self._live()
        fault = self._next_fault(verb, op.address)
        self.calls.append((verb, op.address))
        number = len(self.calls)
        self._busy += 1
        self.most_at_once = max(self.most_at_once, self._busy)
        try:
            if self.dies_at == (number, "before"):
                self.dead = True
                await self._live()
            if fault.gate is not None:
                await fault.gate.wait()
            if fault.seconds:
                await op.services.sleep(fault.seconds)
            if fault.error is not None and not fault.after:
                raise fault.error
            result = act()
            if self.dies_at == (number, "after"):
                self.dead = True
            await self._live()
            if fault.error is not None:
                raise fault.error
            return result
        finally:
            self._busy -= 1

    async def _live(self) -> None:
        if self.dead:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(0)

    def _next_fault(self, verb: str, address: str) -> Fault:
        waiting = self._faults.get((verb, address), [])
        if not waiting:
            return Fault()
        first = waiting[0]
        first.times -= 1
        if first.times == 0:
            waiting.pop(0)
        return first

    def make(self, op: Operation) -> str:
        self._made += 1
        made = f"{op.address.replace('/', '-')}-{self._made}"
        self.objects[made] = Object(made, op.address, op.stack.id, op.token, op.type_name, dict(op.properties))
        return made

    async def find(self, op: Operation) -> str | None:
        await self._live()
        for one in self.objects.values():
            if one.token == op.token and one.type == op.type_name and one.id not in op.owned_ids:
                return one.id
        return None

    def get(self, object_id: str | None) -> Object:
        found = self.objects.get(object_id or "")
        if found is None:
            raise Gone(f"{object_id} does not exist")
        return found


class ThingType(ResourceType):
    """`size`, `near` and `many` change in place, `shape` needs a new object, `fixed` never changes."""

    name = "Test::Thing"
    properties: ClassVar[Mapping[str, Property]] = {
        "size": Property(Kind.INTEGER, default=1, update=Update.IN_PLACE),
        "near": Property(Kind.STRING, update=Update.IN_PLACE),
        "shape": Property(Kind.STRING, default="round"),
        "beside": Property(Kind.STRING),
        "fixed": Property(Kind.STRING, update=Update.IMMUTABLE),
        "word": Property(Kind.STRING, update=Update.IN_PLACE),
    }
    attributes: ClassVar[Mapping[str, Attribute]] = {"size": Attribute(Kind.INTEGER), "word": Attribute()}

    def __init__(self, world: World) -> None:
        self._world = world

    def validate(self, properties: Mapping[str, Value]) -> list[str]:
        return ["size must not be 13"] if properties.get("size") == 13 else []

    async def find(self, op: Operation) -> str | None:
        return await self._world.find(op)

    async def create(self, op: Operation) -> str | None:
        made: str = await self._world.call("create", op, lambda: self._world.make(op))
        return made

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        def look() -> Mapping[str, Value]:
            properties = self._world.get(op.physical_id).properties
            return {"size": properties.get("size"), "word": properties.get("word")}

        shown: Mapping[str, Value] = await self._world.call("ready", op, look)
        return shown

    async def read(self, op: Operation) -> Mapping[str, Value]:
        return dict(self._world.get(op.physical_id).properties)

    async def drift(self, op: Operation) -> list[Differing]:
        live = self._world.get(op.physical_id).properties
        return [Differing(n, value, live.get(n)) for n, value in op.properties.items() if live.get(n) != value]

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        def act() -> None:
            self._world.get(op.physical_id).properties = dict(op.properties)

        await self._world.call("update", op, act)

    async def delete(self, op: Operation) -> None:
        await self._world.call("delete", op, lambda: self._world.objects.pop(op.physical_id or "", None))

    async def suspend(self, op: Operation) -> None:
        def act() -> None:
            self._world.get(op.physical_id).suspended = True

        await self._world.call("suspend", op, act)

    async def resume(self, op: Operation) -> None:
        def act() -> None:
            self._world.get(op.physical_id).suspended = False

        await self._world.call("resume", op, act)


class OtherType(ThingType):
    """Another type with the same properties, for changes of type; it takes signals."""

    name = "Test::Other"
    signalable = True


class VaultType(ThingType):
    """A type that can be saved: before it is deleted, and in its stack's snapshots. Its `held` is what a copy holds."""

    name = "Test::Disk"
    snapshot_on_delete = True
    saves = True

    async def save(self, op: Operation, name: str) -> Mapping[str, Value]:
        def act() -> None:
            self._world.copies.setdefault(name, self._world.get(op.physical_id).held)

        await self._world.call("save", op, act)
        return {"copy": name}

    async def restore(self, op: Operation, saved: Mapping[str, Value]) -> None:
        def act() -> None:
            self._world.get(op.physical_id).held = self._world.copies[saved["copy"]]

        await self._world.call("restore", op, act)

    async def discard(self, op: Operation, saved: Mapping[str, Value]) -> None:
        await self._world.call("discard", op, lambda: self._world.copies.pop(saved["name"], None))

    async def snapshot(self, op: Operation) -> None:
        await self._world.call("snapshot", op, lambda: self._world.get(op.physical_id))


class FakeCloud:
    """The project as `Clouds` lends it; things ask the world itself. It has a messaging service at most."""

    project_id, user_id, region = "project", "user", "RegionOne"

    def __init__(self, world: World) -> None:
        self._world = world

    async def services(self) -> frozenset[str]:
        return self._world.services

    async def request(self, service: str, method: str, path: str, *, json: Any, headers: Mapping[str, str]) -> None:
        assert (service, method, "Client-ID" in headers) == ("message", "POST", True)
        if self._world.refusals:
            raise self._world.refusals.pop(0)
        self._world.queues.setdefault(path.split("/")[2], []).extend(json["messages"])

    async def elsewhere(self, _place: object) -> Any:
        return self._world.there

    async def facts(self) -> Mapping[str, Value]:
        return {"zones": ["nova"], "region": self.region, "external_network": None}

    async def resolve(self, kind: str, name_or_id: str) -> str:
        raise NotFound(f"there is no {kind} {name_or_id}")

    async def resolve_all(self, kind: str, names: Collection[str]) -> Mapping[str, NotFound]:
        return {name: NotFound(f"there is no {kind} {name}") for name in names}


class FakeClouds:
    """Implements `engine.runs.context.Clouds`."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def for_caller(self, _caller: object) -> Any:
        return FakeCloud(self._world)

    async def establish(self, _caller: object) -> Mapping[str, Value]:
        return {"way": "trust", "secret": "delegated-secret"}

    async def for_delegation(self, delegation: Mapping[str, Value]) -> Any:
        assert delegation == {"way": "trust", "secret": "delegated-secret"}
        return FakeCloud(self._world)

    async def revoke(self, delegation: Mapping[str, Value]) -> None:
        self._world.revoked.append(delegation)


__all__ = [
    "FakeClouds",
    "MustReplace",
    "OperationFailed",
    "OtherType",
    "OutcomeUnknown",
    "ThingType",
    "VaultType",
    "World",
]
