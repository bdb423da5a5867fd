"""The engine's public door: everything a front end may ask, in the engine's own terms.

Contract (bodies follow): every method raises `engine.model.errors.Refused` subclasses or `Invalid`; nothing else is a
user's mistake. A stack reference is a name or a UUID; a stack of another project does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.model.source import Source
from engine.model.stack import (
    Caller, ChangeSet, EngineService, Event, Export, Options, Plan, ResourceRecord, Stack,
)  # fmt: skip
from engine.model.template import Template
from engine.model.value import Value


@dataclass(frozen=True, slots=True)
class StackFilter:
    """What `list_stacks` returns; every given condition must hold, values of one condition are alternatives."""

    where: Mapping[str, Sequence[str]] = field(default_factory=dict)  # id, name, status, action, user_name, parent_id …
    states: Sequence[tuple[str, str]] = ()  # (action, status) pairs, alternatives
    tags: Sequence[str] = ()
    tags_any: Sequence[str] = ()
    not_tags: Sequence[str] = ()
    not_tags_any: Sequence[str] = ()
    show_deleted: bool = False
    show_nested: bool = False
    show_hidden: bool = False
    all_projects: bool = False
    limit: int | None = None
    marker: str | None = None  # stack id
    sort_keys: Sequence[str] = ()  # name, status, created, updated
    ascending: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """`status` SUCCESS or FAILURE; the same `unique_id` again is ignored or overwrites, as the type says."""

    status: str | None = None
    unique_id: str | None = None
    reason: str | None = None
    data: Value = None
    raw: Mapping[str, Value] = field(default_factory=dict)  # the body as it came


class Engine(Protocol):
    # --- changing -----------------------------------------------------------------------------------------------
    async def create_stack(
        self, caller: Caller, name: str, source: Source, options: Options, *, client_token: str | None = None
    ) -> Stack:
        """Validate everything, store, start; returns the CREATE_IN_PROGRESS stack."""
        ...

    async def update_stack(
        self, caller: Caller, ref: str, source: Source, options: Options | None = None, *,
        client_token: str | None = None, refuse_no_change: bool = False, supersede: bool = False,
        policy_during_update: str | None = None, converge: bool = False,
    ) -> Stack:  # fmt: skip
        """Start an update. `options` None keeps the stack's. `supersede`: a running update is overtaken (native API);
        else a busy stack raises InvalidState. `refuse_no_change` raises NoChange."""
        ...

    async def delete_stack(
        self, caller: Caller, ref: str, *, client_token: str | None = None, retain: Sequence[str] = (),
        force: bool = False,
    ) -> None: ...  # fmt: skip

    async def cancel_update(
        self, caller: Caller, ref: str, *, rollback: bool = True, client_token: str | None = None
    ) -> None: ...
    async def continue_update_rollback(
        self, caller: Caller, ref: str, *, skip: Sequence[str] = (), client_token: str | None = None
    ) -> None: ...
    async def rollback_stack(self, caller: Caller, ref: str, *, client_token: str | None = None) -> Stack:
        """From CREATE_FAILED or UPDATE_FAILED back to the last stable state."""
        ...

    async def suspend_stack(self, caller: Caller, ref: str) -> None: ...
    async def resume_stack(self, caller: Caller, ref: str) -> None: ...
    async def check_stack(self, caller: Caller, ref: str) -> None: ...
    async def adopt_stack(
        self, caller: Caller, name: str, source: Source, options: Options, resources: Mapping[str, Mapping[str, Value]]
    ) -> Stack: ...
    async def abandon_stack(self, caller: Caller, ref: str) -> Mapping[str, Value]:
        """Forget the stack, keep its objects; returns what `export_stack` returns."""
        ...

    async def export_stack(self, caller: Caller, ref: str) -> Mapping[str, Value]:
        """heat.md API-27's abandon data."""
        ...

    async def set_options(
        self, caller: Caller, ref: str, *, termination_protection: bool | None = None, stack_policy: str | None = None
    ) -> Stack: ...
    async def signal(self, caller: Caller, ref: str, address: str, signal: Signal) -> None: ...
    async def mark_unhealthy(self, caller: Caller, ref: str, resource: str, *, unhealthy: bool, reason: str) -> None:
        """`resource` is an address or a physical id."""
        ...

    # --- change sets --------------------------------------------------------------------------------------------
    async def create_change_set(
        self, caller: Caller, ref: str, name: str, source: Source, options: Options, *, kind: str,
        description: str = "", client_token: str | None = None,
    ) -> ChangeSet:  # fmt: skip
        """kind CREATE makes the stack in review when it does not exist; UPDATE needs one."""
        ...

    async def find_change_set(self, caller: Caller, name_or_id: str, ref: str | None = None) -> ChangeSet: ...
    async def list_change_sets(self, caller: Caller, ref: str) -> Sequence[ChangeSet]: ...
    async def delete_change_set(self, caller: Caller, change_set_id: str) -> None: ...
    async def execute_change_set(
        self,
        caller: Caller,
        change_set_id: str,
        *,
        client_token: str | None = None,
        disable_rollback: bool | None = None,
    ) -> None: ...
    async def change_set_source(self, caller: Caller, change_set_id: str) -> Source: ...

    # --- asking -------------------------------------------------------------------------------------------------
    def translate(self, source: Source) -> Template:
        """The template; raises Invalid. Cached."""
        ...

    async def validate(self, caller: Caller, source: Source) -> Template:
        """Everything that can be known before a stack exists: types, properties, references; parameters may be
        missing."""
        ...

    async def preview_create(self, caller: Caller, name: str, source: Source, options: Options) -> Plan: ...
    async def preview_update(self, caller: Caller, ref: str, source: Source) -> Plan: ...
    async def find_stack(self, caller: Caller, ref: str, *, deleted_by_id: bool = True) -> Stack:
        """A live stack by name; by UUID also a deleted one. Raises StackNotFound."""
        ...

    async def list_stacks(self, caller: Caller, wanted: StackFilter) -> Sequence[Stack]: ...
    async def count_stacks(self, caller: Caller, wanted: StackFilter) -> int: ...
    async def source_of(self, stack: Stack) -> Source:
        """The stack's definition as sent, hidden parameters in clear: never show it unmasked."""
        ...

    async def list_resources(self, stack: Stack, *, members: bool = False) -> Sequence[ResourceRecord]:
        """Top-level resources and groups, in order of address; `members` adds those inside groups."""
        ...

    async def find_resource(self, stack: Stack, address: str) -> ResourceRecord: ...
    async def find_by_physical_id(self, caller: Caller, physical_id: str) -> ResourceRecord: ...
    async def live_attributes(
        self, caller: Caller, record: ResourceRecord, names: Sequence[str] = ()
    ) -> Mapping[str, Value]: ...
    async def nested_stacks(self, stack: Stack, depth: int) -> Sequence[Stack]:
        """Descendants down to `depth` levels."""
        ...

    async def list_events(
        self,
        stack: Stack,
        *,
        address: str | None = None,
        newest_first: bool = False,
        after: int | None = None,
        limit: int | None = None,
    ) -> Sequence[Event]:
        """`after` is the `seq` of the last one seen, in the order asked for. Members' events are left out."""
        ...

    async def find_event(self, stack: Stack, event_id: str) -> Event: ...
    async def root_causes(self, stack: Stack) -> Sequence[Event]:
        """The failed events that started the failure of the last operation, nested stacks included."""
        ...

    async def list_exports(self, caller: Caller) -> Sequence[Export]: ...
    async def list_imports(self, caller: Caller, export_name: str) -> Sequence[str]:
        """Names of the stacks that import it. Raises Invalid when there is no such export."""
        ...

    async def list_services(self) -> Sequence[EngineService]: ...

    # --- knowledge ----------------------------------------------------------------------------------------------
    def resource_types(self) -> Mapping[str, object]:
        """Type name → `engine.resources.base.ResourceType`."""
        ...
