"""What the engine tells about stacks: immutable records, read from the store, complete enough for any view."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.model.status import Action, OnFailure, Status
from engine.model.value import Value


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `token` is the caller's own Keystone token, None when the request was signed with an EC2 key."""

    user_id: str
    project_id: str
    roles: tuple[str, ...] = ()
    user_name: str = ""
    project_name: str = ""
    token: str | None = field(default=None, repr=False)
    is_admin: bool = False
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """How a stack is to be run; kept with the stack. Tags of the native API have the value ""."""

    on_failure: OnFailure = OnFailure.ROLLBACK
    timeout_mins: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    notification_arns: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    role_arn: str | None = None
    termination_protection: bool = False
    stack_policy: str | None = None  # JSON text
    retain_except_on_create: bool = False
    rollback_configuration: Mapping[str, Value] = field(default_factory=dict)

    @property
    def tag_names(self) -> tuple[str, ...]:
        """The tags without values, as the native API has them; CloudFormation's are `key=value`."""
        return tuple(name if value == "" else f"{name}={value}" for name, value in self.tags.items())


class DriftStatus(enum.StrEnum):
    """Of stacks IN_SYNC, DRIFTED, UNKNOWN or NOT_CHECKED; of resources all but DRIFTED (cloudformation.md C08, B15)."""

    IN_SYNC = "IN_SYNC"
    DRIFTED = "DRIFTED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN"
    NOT_CHECKED = "NOT_CHECKED"


@dataclass(frozen=True, slots=True)
class PropertyDrift:
    """`path`: the property's name; `<member>/<name>` in a group. What is not there is None."""

    path: str
    expected: Value
    actual: Value


@dataclass(frozen=True, slots=True)
class ResourceDrift:
    """What a look at a resource's objects showed; `expected` and `actual` are its properties."""

    stack_id: str
    address: str
    type: str
    physical_id: str | None
    status: DriftStatus
    checked: dt.datetime
    expected: Mapping[str, Value] = field(default_factory=dict)
    actual: Mapping[str, Value] = field(default_factory=dict)
    differences: tuple[PropertyDrift, ...] = ()
    reason: str = ""


class DetectionStatus(enum.StrEnum):
    IN_PROGRESS = "DETECTION_IN_PROGRESS"
    FAILED = "DETECTION_FAILED"
    COMPLETE = "DETECTION_COMPLETE"


@dataclass(frozen=True, slots=True)
class DriftDetection:
    """`drifted` counts the resources that differ or are gone."""

    id: str
    stack_id: str
    status: DetectionStatus
    reason: str
    drift: DriftStatus
    drifted: int
    started: dt.datetime


@dataclass(frozen=True, slots=True)
class OutputValue:
    """`error` is set, and `value` None, when the output could not be evaluated."""

    name: str
    value: Value
    description: str = ""
    export: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as the store holds it; `id` is a UUID, times are aware UTC.

    `reverting`: what a ROLLBACK undoes (CREATE → ROLLBACK_*, UPDATE → UPDATE_ROLLBACK_* in CloudFormation).
    `cleaning`: an UPDATE or its rollback has succeeded and old objects are being removed.
    `parameters` are the typed values as text, hidden ones already `******`.
    `version` grows with every change of the record.
    """

    id: str
    name: str
    project_id: str
    action: Action
    status: Status
    status_reason: str
    options: Options
    created: dt.datetime
    user_id: str = ""
    user_name: str = ""
    updated: dt.datetime | None = None
    deleted: dt.datetime | None = None
    reverting: Action | None = None
    cleaning: bool = False
    description: str = ""
    dialect: str = "hot"
    parent_id: str | None = None
    parent_resource: str | None = None
    root_id: str = ""
    depth: int = 0
    revision: int | None = None  # the definition it has or is getting
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[OutputValue, ...] = ()
    operation_id: str | None = None
    client_token: str | None = None
    version: int = 0
    drift: DriftStatus = DriftStatus.NOT_CHECKED
    drift_checked: dt.datetime | None = None

    @property
    def state(self) -> str:
        """`ACTION_STATUS`, as the native API shows it."""
        return f"{self.action}_{self.status}"


@dataclass(frozen=True, slots=True)
class ResourceRecord:
    """A resource, or a group (`is_group`), of a stack. `group` is the group's address for a member."""

    stack_id: str
    address: str
    type: str
    action: Action
    status: Status
    status_reason: str
    created: dt.datetime
    updated: dt.datetime
    physical_id: str | None = None
    is_group: bool = False
    group: str | None = None
    generation: int = 0
    properties: Mapping[str, Value] = field(default_factory=dict)  # hidden parameters' values are masked
    attributes: Mapping[str, Value] = field(default_factory=dict)
    metadata: Mapping[str, Value] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    required_by: tuple[str, ...] = ()
    nested_stack_id: str | None = None
    description: str = ""
    skipped: bool = False  # kept in the cloud by its deletion policy (DELETE_SKIPPED)
    drift: DriftStatus = DriftStatus.NOT_CHECKED
    drift_checked: dt.datetime | None = None

    @property
    def state(self) -> str:
        return f"{self.action}_{self.status}"


@dataclass(frozen=True, slots=True)
class Event:
    """One transition. `address` is None for the stack's own; `seq` orders events within the store.

    `reverting`: what a rollback undoes; of a failure, that it is undone at once.
    """

    id: str
    seq: int
    stack_id: str
    stack_name: str
    time: dt.datetime
    address: str | None
    type: str
    action: Action
    status: Status
    reason: str
    physical_id: str | None = None
    properties: Mapping[str, Value] = field(default_factory=dict)
    is_group: bool = False
    group: str | None = None
    client_token: str | None = None
    operation_id: str | None = None
    skipped: bool = False
    reverting: Action | None = None
    cleaning: bool = False

    @property
    def passing(self) -> bool:
        """Whether this is a state of the stack that it leaves at once, for a rollback."""
        return self.address is None and self.status is Status.FAILED and self.reverting is self.action


class ChangeAction(enum.StrEnum):
    ADD = "Add"
    MODIFY = "Modify"
    REMOVE = "Remove"
    IMPORT = "Import"
    NONE = "None"


class Replacement(enum.StrEnum):
    NEVER = "False"
    ALWAYS = "True"
    CONDITIONAL = "Conditional"


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """`before`/`after` are absent as None; UNKNOWN when only running can tell."""

    name: str
    before: Value
    after: Value
    recreates: Replacement
    cause: str | None = None  # the parameter or resource whose change brings it about


@dataclass(frozen=True, slots=True)
class Change:
    """What a plan does to one resource or group (members included, with `group` set)."""

    address: str
    type: str
    action: ChangeAction
    replacement: Replacement = Replacement.NEVER
    physical_id: str | None = None
    properties: tuple[PropertyChange, ...] = ()
    other: tuple[str, ...] = ()  # Metadata, DeletionPolicy, Tags … changed
    retained: bool = False  # Remove that leaves the object in the cloud
    before: Mapping[str, Value] = field(default_factory=dict)
    after: Mapping[str, Value] = field(default_factory=dict)
    group: str | None = None
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What running would do; immutable. `base` is the stack version it was made for."""

    stack_id: str | None
    base: int
    changes: tuple[Change, ...]
    other_changes: tuple[str, ...] = ()  # Outputs, Tags, … of the stack itself

    @property
    def is_empty(self) -> bool:
        return not self.other_changes and all(change.action is ChangeAction.NONE for change in self.changes)


class ChangeSetStatus(enum.StrEnum):
    CREATE_PENDING = "CREATE_PENDING"
    CREATE_COMPLETE = "CREATE_COMPLETE"
    FAILED = "FAILED"


class ExecutionStatus(enum.StrEnum):
    UNAVAILABLE = "UNAVAILABLE"
    AVAILABLE = "AVAILABLE"
    EXECUTE_IN_PROGRESS = "EXECUTE_IN_PROGRESS"
    EXECUTE_COMPLETE = "EXECUTE_COMPLETE"
    EXECUTE_FAILED = "EXECUTE_FAILED"
    OBSOLETE = "OBSOLETE"


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """`kind` is CREATE or UPDATE; `failure` tells why `status` is FAILED (`no_change` when nothing would change)."""

    id: str
    name: str
    stack_id: str
    stack_name: str
    kind: str
    status: ChangeSetStatus
    execution_status: ExecutionStatus
    created: dt.datetime
    options: Options
    description: str = ""
    failure: str | None = None
    no_change: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    plan: Plan | None = None
    client_token: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stack at one moment; `data` is what an export of it would have told then, None until it is complete."""

    id: str
    stack_id: str
    name: str | None
    status: Status
    reason: str
    created: dt.datetime
    data: Mapping[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """`secret`: its stack has secrets, so that it is kept sealed."""

    name: str
    value: str
    stack_id: str
    stack_name: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class EngineService:
    """One engine process, as the service list shows it."""

    id: str
    host: str
    hostname: str
    binary: str
    topic: str
    report_interval: int
    created: dt.datetime
    updated: dt.datetime
