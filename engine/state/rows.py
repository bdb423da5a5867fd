"""Rows as the runner holds them. Apart from the records views read, because a row can do what a record must not:
change, carry secrets, and remember what was attempted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.model.clock import to_datetime
from engine.model.ids import new_id
from engine.model.stack import Event, Options, ResourceRecord, Stack
from engine.model.status import Action, OnFailure, Status
from engine.model.template import DeletionPolicy
from engine.model.value import Value
from engine.state.vault import Vault, dump

#: A note of a resource's: what it adds to the metadata of its template, as its views show it.
TOLD = "told_in_metadata"


@dataclass(slots=True)
class ResourceRow:
    """One generation of one resource. `properties` are those last applied, `attempted` those of a change under way.

    `condemned`: replaced or no longer wanted; the cleanup phase deletes its object.
    """

    stack_id: str
    address: str
    type: str
    token: str
    generation: int = 0
    is_group: bool = False
    group: str | None = None
    action: Action = Action.INIT
    status: Status = Status.COMPLETE
    reason: str = ""
    physical_id: str | None = None
    properties: Mapping[str, Value] = field(default_factory=dict)
    attempted: Mapping[str, Value] | None = None
    shown: Mapping[str, Value] | None = None
    attributes: Mapping[str, Value] = field(default_factory=dict)
    metadata: Mapping[str, Value] = field(default_factory=dict)
    data: Mapping[str, Value] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    replace_policy: DeletionPolicy = DeletionPolicy.DELETE
    description: str = ""
    revision: int | None = None
    condemned: bool = False
    external: bool = False
    skipped: bool = False
    secret: bool = False  # properties and attributes are sealed
    created: int = 0
    updated: int = 0

    @property
    def exists(self) -> bool:
        """Whether there may be an object behind it."""
        return not (self.action is Action.DELETE and self.status is Status.COMPLETE) and self.action is not Action.INIT

    def params(self, vault: Vault) -> dict[str, Any]:
        """The columns of `tables.resources`."""
        keep = vault.seal if self.secret else dump
        return {
            "stack_id": self.stack_id,
            "address": self.address,
            "generation": self.generation,
            "type": self.type,
            "is_group": self.is_group,
            "grp": self.group,
            "action": self.action.value,
            "status": self.status.value,
            "reason": self.reason,
            "physical_id": self.physical_id,
            "token": self.token,
            "properties_json": keep(self.properties),
            "attempted_json": None if self.attempted is None else keep(self.attempted),
            "shown_json": None if self.shown is None else dump(self.shown),
            "attributes_json": keep(self.attributes),
            "metadata_json": keep(self.metadata),
            "data_json": vault.seal(self.data) if self.data else "{}",
            "requires_json": dump(self.requires),
            "deletion_policy": self.deletion_policy.value,
            "replace_policy": self.replace_policy.value,
            "description": self.description,
            "revision": self.revision,
            "condemned": self.condemned,
            "external": self.external,
            "skipped": self.skipped,
            "created": self.created,
            "updated": self.updated,
        }


def resource_row(found: Any, vault: Vault) -> ResourceRow:
    """The row of a result of `select(tables.resources)`."""
    return ResourceRow(
        stack_id=found.stack_id,
        address=found.address,
        type=found.type,
        token=found.token,
        generation=found.generation,
        is_group=found.is_group,
        group=found.grp,
        action=Action(found.action),
        status=Status(found.status),
        reason=found.reason,
        physical_id=found.physical_id,
        properties=vault.open(found.properties_json),
        attempted=vault.open(found.attempted_json),
        shown=vault.open(found.shown_json),
        attributes=vault.open(found.attributes_json),
        metadata=vault.open(found.metadata_json),
        data=vault.open(found.data_json),
        requires=tuple(vault.open(found.requires_json)),
        deletion_policy=DeletionPolicy(found.deletion_policy),
        replace_policy=DeletionPolicy(found.replace_policy),
        description=found.description,
        revision=found.revision,
        condemned=found.condemned,
        external=found.external,
        skipped=found.skipped,
        secret=any(
            not text.startswith("{") for text in (found.properties_json, found.attributes_json, found.metadata_json)
        ),
        created=found.created,
        updated=found.updated,
    )


def resource_record(row: ResourceRow, required_by: tuple[str, ...] = (), nested: str | None = None) -> ResourceRecord:
    """What views see of a row."""
    return ResourceRecord(
        stack_id=row.stack_id,
        address=row.address,
        type=row.type,
        action=row.action,
        status=row.status,
        status_reason=row.reason,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
        physical_id=row.physical_id,
        is_group=row.is_group,
        group=row.group,
        generation=row.generation,
        properties=row.properties if row.shown is None else row.shown,
        attributes=row.attributes,
        metadata={**row.metadata, **row.data.get(TOLD, {})},
        requires=row.requires,
        required_by=required_by,
        nested_stack_id=nested,
        description=row.description,
        skipped=row.skipped,
    )


def event_params(
    stack: Stack,
    now: int,
    row: ResourceRow | None,
    *,
    action: Action | None = None,
    status: Status | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """The columns of `tables.events` for a transition of `row`, or of the stack itself when None."""
    if row is None:
        what: dict[str, Any] = {
            "address": None,
            "type": "OS::Heat::Stack",
            "action": (action or stack.action).value,
            "status": (status or stack.status).value,
            "reason": stack.status_reason if reason is None else reason,
            "physical_id": stack.id,
            "properties_json": None,
            "is_group": False,
            "grp": None,
            "skipped": False,
            "reverting": stack.reverting.value if stack.reverting else None,
            "cleaning": stack.cleaning,
        }
    else:
        shown = row.shown
        if shown is None and not row.secret:
            shown = row.attempted or row.properties
        what = {
            "address": row.address,
            "type": row.type,
            "action": (action or row.action).value,
            "status": (status or row.status).value,
            "reason": row.reason if reason is None else reason,
            "physical_id": row.physical_id,
            "properties_json": dump(shown) if shown else None,
            "is_group": row.is_group,
            "grp": row.group,
            "skipped": row.skipped,
            "reverting": None,
            "cleaning": False,
        }
    return {
        "id": new_id(),
        "stack_id": stack.id,
        "time": now,
        "client_token": stack.client_token,
        "operation_id": stack.operation_id,
        **what,
    }


def event_record(found: Any, stack_name: str, vault: Vault) -> Event:
    """The event of a result of `select(tables.events)`."""
    return Event(
        id=found.id,
        seq=found.seq,
        stack_id=found.stack_id,
        stack_name=stack_name,
        time=to_datetime(found.time),
        address=found.address,
        type=found.type,
        action=Action(found.action),
        status=Status(found.status),
        reason=found.reason,
        physical_id=found.physical_id,
        properties=vault.open(found.properties_json) or {},
        is_group=found.is_group,
        group=found.grp,
        client_token=found.client_token,
        operation_id=found.operation_id,
        skipped=found.skipped,
        reverting=Action(found.reverting) if found.reverting else None,
        cleaning=found.cleaning,
    )


def options_value(options: Options) -> dict[str, Value]:
    """`Options` as JSON; `options_of` reads it back."""
    return {
        "on_failure": options.on_failure.value,
        "timeout_mins": options.timeout_mins,
        "tags": dict(options.tags),
        "notification_arns": list(options.notification_arns),
        "capabilities": list(options.capabilities),
        "role_arn": options.role_arn,
        "termination_protection": options.termination_protection,
        "stack_policy": options.stack_policy,
        "retain_except_on_create": options.retain_except_on_create,
        "rollback_configuration": dict(options.rollback_configuration),
    }


def options_of(value: Mapping[str, Value]) -> Options:
    return Options(
        on_failure=OnFailure(value["on_failure"]),
        timeout_mins=value["timeout_mins"],
        tags=value["tags"],
        notification_arns=tuple(value["notification_arns"]),
        capabilities=tuple(value["capabilities"]),
        role_arn=value["role_arn"],
        termination_protection=value["termination_protection"],
        stack_policy=value["stack_policy"],
        retain_except_on_create=value["retain_except_on_create"],
        rollback_configuration=value["rollback_configuration"],
    )
