"""What a resource type is: a declaration, and the few verbs the runner calls. One class a type, one line a property.

`ResourceType` is the contract between runner and types. `engine.resources.openstack_type.OpenStackType` writes the
generic create, find, read, update and delete once, over the SDK's declarations; types without an outside object
subclass `ResourceType` directly.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from engine.cloud.contract import Cloud
from engine.model.status import Action
from engine.model.template import Constraint
from engine.model.value import Value


class Kind(enum.StrEnum):
    """Property types, named as the native API's resource schema names them."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    MAP = "map"
    ANY = "any"


class Update(enum.StrEnum):
    REPLACE = "replace"
    IN_PLACE = "in_place"
    IMMUTABLE = "immutable"  # a change is an error


@dataclass(frozen=True, slots=True)
class Property:
    """One property. `refers` names what a name is resolved to an id of (`network`, `flavor`, `image` …).

    `schema` describes a map's keys; `items` a list's items. `body` is the wire name when it differs.
    """

    kind: Kind
    required: bool = False
    default: Value = None
    update: Update = Update.REPLACE
    constraints: tuple[Constraint, ...] = ()
    refers: str | None = None
    schema: Mapping[str, Property] | None = None
    items: Property | None = None
    body: str | None = None  # "": the generic code does not send it
    description: str = ""
    secret: bool = False
    support: str = "SUPPORTED"
    null: Value = None  # what an explicit null means (a subnet's gateway_ip)
    stands_for: str | None = None  # an older name of that property: its value is moved there


@dataclass(frozen=True, slots=True)
class Attribute:
    """`body` is the dotted path in the live object when it differs from the name; `live`: asked anew when shown."""

    kind: Kind = Kind.STRING
    description: str = ""
    body: str | None = None
    live: bool = False


@dataclass(frozen=True, slots=True)
class StackIdentity:
    id: str
    name: str
    project_id: str
    root_id: str
    region: str = "RegionOne"


class Remember(Protocol):
    async def __call__(self, **data: Value) -> None: ...


@dataclass(slots=True)
class Operation:
    """One verb on one resource, handed to the type. Everything a type may know, and nothing else.

    `properties`: evaluated, validated, defaults filled; names already resolved to ids where `refers` says so.
    `before`: the properties as last applied (update). `data`: the type's private notes, durable and encrypted;
    change it only through `remember`, which returns when the note is committed. `token`: the durable mark of the
    physical object (tokens.md). `cloud`: the project-scoped client (`engine.cloud.client.Cloud`).
    `deadline`: loop-independent monotonic seconds of `clock`, when the step must have ended.
    """

    stack: StackIdentity
    address: str
    type_name: str
    token: str
    properties: Mapping[str, Value]
    before: Mapping[str, Value]
    physical_id: str | None
    data: Mapping[str, Value]
    metadata: Mapping[str, Value]
    remember: Remember
    cloud: Cloud
    services: Services
    deadline: float
    resumed: bool = False  # an earlier attempt may have reached the cloud
    owned_ids: frozenset[str] = frozenset()  # physical ids other records of ours own (tokens.md rule 3)
    update_policy: Mapping[str, Value] = field(default_factory=dict)  # the resource's own, evaluated (ENGU-12)
    made: Mapping[str, Any] | None = None  # the object as the create that has just succeeded showed it

    def physical_name(self, limit: int = 255) -> str:
        """`<stack>-<resource>-<12 characters of the token>`, shortened in the middle parts (heat.md TR-14)."""
        tail = self.token[-12:]
        room = limit - len(tail) - 1
        head = f"{self.stack.name}-{self.address.replace('/', '-')}"
        return f"{head[:room]}-{tail}"


class Services(Protocol):
    """What the runner lends to types that are more than one cloud object."""

    async def sleep(self, seconds: float) -> None: ...
    def monotonic(self) -> float: ...
    def now(self) -> int:
        """Wall time in microseconds, for what has to be known after a restart."""
        ...

    async def start_nested(
        self, op: Operation, nested: Nested, *, adopt: Mapping[str, Mapping[str, Value]] | None = None
    ) -> str:
        """Make or update the child stack and start its run; idempotent; returns its id. `adopt`: its objects are there
        already, as an export tells of them by address."""
        ...

    async def nested_of(self, op: Operation) -> str | None:
        """The id of the child that was made for the operation's resource; None when there never was one."""
        ...

    async def nested_done(self, stack_id: str) -> Mapping[str, Value]:
        """Wait for the child to end; returns its outputs; raises OperationFailed with its reason."""
        ...

    async def delete_nested(self, stack_id: str) -> None:
        """Delete the child and wait; done when it does not exist."""
        ...

    async def act_nested(self, stack_id: str, action: Action) -> None:
        """SUSPEND, RESUME or CHECK the child and wait; raises OperationFailed with its reason."""
        ...

    async def save_nested(self, stack_id: str, name: str) -> str:
        """Take a snapshot of the child and wait; the same name gives the same snapshot. Returns its id."""
        ...

    async def restore_nested(self, stack_id: str, snapshot_id: str) -> None:
        """Bring the child back to the snapshot and wait."""
        ...

    async def discard_nested(self, op: Operation, name: str) -> None:
        """Remove the child's snapshot of that name, its copies with it; nothing there is success."""
        ...

    async def forget_nested(self, stack_id: str) -> None:
        """Let the child and all inside be no stacks any more; their objects stay."""
        ...

    async def nested_resources(self, stack_id: str) -> Sequence[tuple[str, str | None, Mapping[str, Value]]]:
        """(address, reference id, attributes) of the child's top-level resources."""
        ...

    async def inherited(self, op: Operation) -> tuple[Mapping[str, str], Mapping[str, Value]]:
        """The files and the environment that hold for whatever is inside this resource too (heat.md TE-19)."""
        ...

    async def nested_standing(self, stack_id: str) -> Standing:
        """The definition the child has, and which of its resources are well."""
        ...

    async def signals(self, op: Operation) -> Sequence[Mapping[str, Value]]:
        """Signals received by this resource, oldest first: status, unique_id, reason, data."""
        ...

    async def wait_signal(self, op: Operation, timeout: float) -> None:
        """Return when another signal has come for this resource or `timeout` seconds have passed."""
        ...

    async def clear_signals(self, op: Operation) -> None:
        """Forget the signals this resource has received (a new handle starts with none)."""
        ...

    async def signalled_address(self, reference: str) -> str | None:
        """The address of the resource of this stack that takes signals and is known to templates as `reference`."""
        ...

    async def scaling_group(self, reference: str) -> str | None:
        """The address of the resource of this stack that can be scaled and is known to templates as `reference`."""
        ...

    async def kept_by(self, reference: str) -> Mapping[str, Value] | None:
        """The attributes of the resource of this stack that is known to templates as `reference`."""
        ...

    async def holder(self, op: Operation, physical_id: str) -> str | None:
        """The name of the stack with another resource of this type that has the physical id, in this project."""
        ...

    def signal_url(self, op: Operation, *, kind: str) -> str:
        """A signed URL that signals this resource without credentials; kind `waitcondition`, `signal` or
        `customresource`."""
        ...

    async def ask_handler(self, service_token: str, request: Mapping[str, Value]) -> None:
        """Send a request to the handler of a custom resource. Raises OperationFailed when there is none or it refuses,
        Temporary when it cannot be reached, OutcomeUnknown when it may have the request."""
        ...


@dataclass(frozen=True, slots=True)
class Nested:
    """A child stack to be: `template` is its text, `files`/`environment` what the text refers to."""

    template: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, Value] = field(default_factory=dict)
    timeout_mins: int | None = None
    url: str | None = None  # a template to fetch instead of `template`
    tags: Mapping[str, str] | None = None  # in place of its parent's


@dataclass(frozen=True, slots=True)
class Standing:
    """`text`: the definition a child has or is getting. `well`: the addresses of its resources that are there and have
    not failed, with the time when each was begun."""

    text: str
    well: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Differing:
    """A property whose live value is another; `expected` has ids in place of names, as the live object has."""

    name: str
    expected: Value
    actual: Value


class OperationFailed(Exception):
    """The step failed for good; the message names what the cloud or the resource said."""


class MustReplace(Exception):
    """Raised by `update` when only a new object can have these properties."""


class WouldLose(OperationFailed):
    """Raised by `update` when only a new object can have these properties, and it would not hold what this one does."""


class Superseded(Exception):
    """Raised by `update` when another object has come of it; the one before stands and is to be removed in the end.

    `data` and `attributes` are the new one's; `forgotten` are notes of the one before that hold no longer.
    """

    def __init__(
        self, physical_id: str, data: Mapping[str, Value], attributes: Mapping[str, Value], *,
        forgotten: Mapping[str, Value],
    ) -> None:  # fmt: skip
        self.physical_id, self.data, self.attributes, self.forgotten = physical_id, data, attributes, forgotten
        super().__init__(physical_id)


class Gone(Exception):
    """Raised by `read` and `check` when the object does not exist any more."""


class ResourceType:
    """Base of all types; one shared instance per type, so no state on self."""

    name: ClassVar[str]
    properties: ClassVar[Mapping[str, Property]] = {}
    attributes: ClassVar[Mapping[str, Attribute]] = {}
    any_properties: ClassVar[bool] = False  # accepts whatever is given (OS::Heat::None)
    service: ClassVar[str | None] = None  # must be in the catalogue, else the type is unavailable
    local: ClassVar[bool] = False  # no outside effect: create needs neither token look-up nor settle time
    signalable: ClassVar[bool] = False
    most_signal_bytes: ClassVar[int | None] = None  # of the data of one signal
    nested: ClassVar[bool] = False
    scalable: ClassVar[bool] = False  # signals of scaling policies change how many members it has
    snapshot_on_delete: ClassVar[bool] = False
    saves: ClassVar[bool] = False  # takes part in snapshots of its stack
    support: ClassVar[str] = "SUPPORTED"
    description: ClassVar[str] = ""
    secret_attributes: ClassVar[bool] = False  # kept sealed: signed URLs, private keys
    always_replace: ClassVar[bool] = False  # replaced at every update (UpdateWaitConditionHandle)
    update_policy: ClassVar[Mapping[str, Property]] = {}
    race_safe: ClassVar[bool] = False  # a second create is refused or changes nothing: needs no settle time

    def reference(self, physical_id: str | None, attributes: Mapping[str, Value], address: str) -> Value:
        """What get_resource / Ref gives."""
        return physical_id

    def attribute(self, attributes: Mapping[str, Value], name: str) -> Value:
        """The kept value of attribute `name`; types with computed names (`Outputs.X`, `resource.0.name`) override."""
        return attributes.get(name)

    def attribute_at(self, attributes: Mapping[str, Value], name: str, path: Sequence[Value]) -> tuple[Value, int]:
        """The kept value of attribute `name`, and how many items of `path` were taken to find it.

        The caller follows the rest of the path. Groups look inside their members (`[group, networks, net, 0]`).
        """
        return self.attribute(attributes, name), 0

    def has_attribute(self, name: str) -> bool:
        """Whether a template may ask for it; types with computed names override."""
        return name == "show" or self.any_properties or name in self.attributes

    def inside(self, properties: Mapping[str, Value], region: str) -> bool:
        """Whether the object is a nested stack of this engine, which works in `region`."""
        return self.nested

    def hides(self, attributes: Mapping[str, Value]) -> bool:
        """Whether what it shows must not be seen in outputs, events and plans."""
        return False

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        """Findings over several properties together; UNKNOWN may be anywhere inside. Each one sentence."""
        return ()

    def replaces(self, before: Mapping[str, Value], after: Mapping[str, Value]) -> bool:
        """Whether this change needs a new object though every changed property is IN_PLACE."""
        return False

    async def prepare(self, op: Operation) -> Mapping[str, Value]:
        """Notes to be committed with the intent, before `create` (M7's before-list). Must not change the cloud."""
        return {}

    async def find(self, op: Operation) -> str | None:
        """The physical id of the object that carries `op.token`, or None (tokens.md). Read only."""
        return None

    async def create(self, op: Operation) -> str | None:
        """Make the object, return its physical id at once; `ready` waits."""
        raise NotImplementedError

    async def adopt(self, op: Operation, given: Mapping[str, Value]) -> str | None:
        """The physical id of the object that is there already, out of what an export tells of it."""
        return given.get("resource_id")

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        """Wait until usable; return the attributes to keep. Raises OperationFailed."""
        return {}

    async def read(self, op: Operation) -> Mapping[str, Value]:
        """The live object as the cloud shows it; raises Gone."""
        return {}

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        """Bring the object from `op.before` to `op.properties`; must be safe to repeat. Raises MustReplace
        and WouldLose."""

    async def delete(self, op: Operation) -> None:
        """Remove and wait until gone; nothing there is success; must be safe to repeat."""

    async def snapshot(self, op: Operation) -> None:
        """Make the copy that outlives the object (deletion policy Snapshot); called before `delete`, where
        `snapshot_on_delete` says so. Must be safe to repeat."""

    async def save(self, op: Operation, name: str) -> Mapping[str, Value]:
        """Make a copy, called `name`, of what the object holds, where `saves` says so; return what `restore` and
        `discard` need besides the name. Must be safe to repeat: a copy of that name is the one that was asked for."""
        return {}

    def whereabouts(self, op: Operation) -> Mapping[str, Value]:
        """What `discard` needs besides the name to look for a copy of which `save` has told nothing."""
        return {}

    async def restore(self, op: Operation, saved: Mapping[str, Value]) -> None:
        """Bring back into the object what the copy holds; must be safe to repeat."""

    async def discard(self, op: Operation, saved: Mapping[str, Value]) -> None:
        """Remove the copy; nothing there is success. `saved` has its `name` at least; of the object, no more is known
        than its address and token."""

    async def check(self, op: Operation) -> Mapping[str, Value]:
        """Compare with the cloud: raises Gone or OperationFailed; returns fresh attributes."""
        return await self.ready(op)

    async def drift(self, op: Operation) -> Sequence[Differing]:
        """Where the live object is not what `op.properties` say; raises Gone, or OperationFailed where only that it is
        broken can be told. Read only."""
        await self.check(op)
        return ()

    async def suspend(self, op: Operation) -> None: ...

    async def resume(self, op: Operation) -> None: ...

    async def live_attribute(self, op: Operation, name: str) -> Value:
        """An attribute declared `live`, or `show`."""
        return (await self.read(op)) if name == "show" else None
