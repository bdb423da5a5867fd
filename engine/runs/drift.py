"""Looking where a stack's live objects are not what its records say (cloudformation.md B15)."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.cloud.errors import CloudError
from engine.model.clock import to_datetime, to_microseconds
from engine.model.dynamic import references_in
from engine.model.source import Translator
from engine.model.stack import DriftStatus, PropertyDrift, ResourceDrift
from engine.model.status import Status
from engine.model.value import Value
from engine.resources.base import Differing, Gone, Operation, OperationFailed, ResourceType
from engine.resources.registry import Registry
from engine.state import tables as t
from engine.state.rows import ResourceRow
from engine.state.vault import Vault

_AT_ONCE: Final = 16  # looks under way together
_MOST: Final = 500  # addresses a statement
_DRIFTED: Final = (DriftStatus.MODIFIED, DriftStatus.DELETED)


def can_drift(kind: ResourceType) -> bool:
    """Whether there is one object to look at. A nested stack is a stack of its own, looked at by itself."""
    return not kind.local and not kind.nested


async def look(kind: ResourceType, row: ResourceRow, operation: Operation, now: int) -> ResourceDrift:
    """Compare one resource; what cannot be compared is UNKNOWN, with the reason."""
    drift = _unchecked(row, now)
    if not can_drift(kind) or (row.physical_id is None and row.status is not Status.COMPLETE):
        return drift
    expected = _shown(row)
    try:
        found = [one for one in await kind.drift(operation) if not is_reference(row, one)]
    except Gone as error:
        return gone(row, str(error), now)
    except (CloudError, OperationFailed) as error:
        return replace(drift, status=DriftStatus.UNKNOWN, expected=expected, reason=str(error))
    differences = tuple(_told(one, row) for one in found)
    actual = {**expected, **{one.path: one.actual for one in differences}}
    status = DriftStatus.MODIFIED if differences else DriftStatus.IN_SYNC
    return replace(drift, status=status, expected=expected, actual=actual, differences=differences)


def is_reference(row: ResourceRow, found: Differing) -> bool:
    """Whether the row has a dynamic reference there: what it stood for was never written down."""
    return any(references_in(row.properties.get(found.name)))


def gone(row: ResourceRow, reason: str, now: int) -> ResourceDrift:
    return replace(_unchecked(row, now), status=DriftStatus.DELETED, expected=_shown(row), reason=reason)


def _unchecked(row: ResourceRow, now: int) -> ResourceDrift:
    return ResourceDrift(
        row.stack_id, row.address, row.type, row.physical_id, DriftStatus.NOT_CHECKED, to_datetime(now)
    )  # fmt: skip


def _shown(row: ResourceRow) -> dict[str, Value]:
    return dict(row.properties if row.shown is None else row.shown)


def _told(one: Differing, row: ResourceRow) -> PropertyDrift:
    """Values of hidden parameters stay hidden."""
    expected = one.expected if row.shown is None else row.shown.get(one.name)
    return PropertyDrift(one.name, expected, one.actual)


async def look_at(
    registry: Registry, translator: Translator, rows: Iterable[ResourceRow], near: Operation, now: int
) -> list[ResourceDrift]:
    """Compare all of `rows`, groups by their members. `near` is any operation of the stack."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(row: ResourceRow) -> ResourceDrift:
        operation = replace(
            near, address=row.address, type_name=row.type, token=row.token, properties=row.properties,
            before=row.properties, physical_id=row.physical_id, data=row.data, metadata=row.metadata,
        )  # fmt: skip
        async with slots:
            return await look(registry.get(row.type), row, operation, now)

    rows = list(rows)
    found = list(await asyncio.gather(*(one(row) for row in rows if not row.is_group)))
    return [*found, *groups_of(found, rows, translator, now)]


def groups_of(
    found: Sequence[ResourceDrift], rows: Iterable[ResourceRow], translator: Translator, now: int
) -> list[ResourceDrift]:
    """What the members' looks say of their groups: gone is what has lost the object it is known by."""
    of_member = {one.address: one for one in found}
    rows = list(rows)
    result = []
    for group in rows:
        if not group.is_group:
            continue
        members = [of_member[row.address] for row in rows if row.group == group.address and row.address in of_member]
        result.append(_of_group(group, members, translator, now))
    return result


def _of_group(
    group: ResourceRow, members: Sequence[ResourceDrift], translator: Translator, now: int
) -> ResourceDrift:  # fmt: skip
    """In the words of the template where it has them, of a member's property otherwise."""
    looked = [one for one in members if one.status is not DriftStatus.NOT_CHECKED]
    expected: dict[str, Any] = copy.deepcopy(_shown(group))
    actual, differences = copy.deepcopy(expected), []
    for one in looked:
        for found in one.differences:
            member = one.address.partition("/")[2]
            path = translator.written_as(group.type, member, found.path)
            if path is None:
                path = (member, found.path)
                put(expected, path, found.expected)
            put(actual, path, found.actual)
            differences.append(PropertyDrift("/".join(path), found.expected, found.actual))
    status = _group_status(group, looked)
    return ResourceDrift(
        group.stack_id, group.address, group.type, group.physical_id, status, to_datetime(now),
        expected=expected, actual={} if status is DriftStatus.DELETED else actual, differences=tuple(differences),
        reason="; ".join(one.reason for one in looked if one.reason),
    )  # fmt: skip


def put(properties: dict[str, Any], path: Sequence[str], value: Value) -> None:
    """Write `value` at `path`, maps being made on the way."""
    *maps, last = path
    for name in maps:
        inner = properties.get(name)
        if not isinstance(inner, dict):
            inner = properties[name] = {}
        properties = inner
    properties[last] = value


def _group_status(group: ResourceRow, members: Sequence[ResourceDrift]) -> DriftStatus:
    statuses = {one.status for one in members}
    lost = [one.physical_id for one in members if one.status is DriftStatus.DELETED]
    if lost and (group.physical_id in lost or statuses == {DriftStatus.DELETED}):
        return DriftStatus.DELETED
    if statuses & set(_DRIFTED):
        return DriftStatus.MODIFIED
    if DriftStatus.UNKNOWN in statuses:
        return DriftStatus.UNKNOWN
    return DriftStatus.IN_SYNC if statuses else DriftStatus.NOT_CHECKED


def visible(found: Iterable[ResourceDrift], rows: Iterable[ResourceRow]) -> list[ResourceDrift]:
    """Those of resources as the user wrote them, in place of their members."""
    members = {row.address for row in rows if row.group is not None}
    return [one for one in found if one.address not in members]


def drifted(found: Iterable[ResourceDrift]) -> int:
    return sum(1 for one in found if one.status in _DRIFTED)


def stack_status(found: Sequence[ResourceDrift]) -> DriftStatus:
    if drifted(found):
        return DriftStatus.DRIFTED
    return DriftStatus.UNKNOWN if any(one.status is DriftStatus.UNKNOWN for one in found) else DriftStatus.IN_SYNC


# --- storing --------------------------------------------------------------------------------------------------------
async def write_drifts(connection: AsyncConnection, vault: Vault, found: Sequence[ResourceDrift]) -> None:
    """Keep what the looks at one stack showed, in place of earlier ones at the same addresses."""
    d = t.drifts.c
    for at in range(0, len(found), _MOST):
        some = found[at : at + _MOST]
        addresses = [one.address for one in some]
        await connection.execute(delete(t.drifts).where(d.stack_id == some[0].stack_id, d.address.in_(addresses)))
    rows = [
        {
            "stack_id": one.stack_id, "address": one.address, "status": one.status.value,
            "found_json": vault.seal(_value(one)), "checked": to_microseconds(one.checked),
        }
        for one in found
    ]  # fmt: skip
    if rows:
        await connection.execute(insert(t.drifts), rows)


def _value(one: ResourceDrift) -> dict[str, Value]:
    return {
        "type": one.type, "physical_id": one.physical_id, "expected": dict(one.expected), "actual": dict(one.actual),
        "differences": [[d.path, d.expected, d.actual] for d in one.differences], "reason": one.reason,
    }  # fmt: skip


def drift_record(row: Any, vault: Vault) -> ResourceDrift:
    """The record of a row of `tables.drifts`."""
    body: Mapping[str, Any] = vault.open(row.found_json)
    return ResourceDrift(
        row.stack_id, row.address, body["type"], body["physical_id"], DriftStatus(row.status),
        to_datetime(row.checked), body["expected"], body["actual"],
        tuple(PropertyDrift(*one) for one in body["differences"]), body["reason"],
    )  # fmt: skip
