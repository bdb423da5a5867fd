"""Nested stacks: each has a run of its own, the parent's step waits for it. Implements `Services` of resource types."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.model.diagnostic import Invalid
from engine.model.source import Source
from engine.model.stack import Stack
from engine.model.status import Action, OnFailure, Status
from engine.model.value import Value
from engine.resources.base import Nested, Operation, OperationFailed
from engine.runs import reasons
from engine.runs.context import RunContext
from engine.runs.spec import RunSpec, spec_of
from engine.state import tables as t
from engine.state.commit import Write
from engine.state.rows import event_params, options_value
from engine.state.store import dump, stack_record

_CHILDREN = uuid.UUID("6f1c0c9e-5a0e-4c8e-9d2a-8a5b6d1f7c31")


class Children:
    def __init__(self, context: RunContext, stack: Stack, delegation_json: str | None) -> None:
        self._context, self._stack, self._delegation = context, stack, delegation_json

    # --- time -----------------------------------------------------------------------------------------------------
    async def sleep(self, seconds: float) -> None:
        await self._context.clock.sleep(seconds)

    def monotonic(self) -> float:
        return self._context.clock.monotonic()

    # --- nested stacks ----------------------------------------------------------------------------------------------
    async def start_nested(self, op: Operation, nested: Nested) -> str:
        """The child's id is made from the token, so that asking twice finds the same child."""
        child_id = str(uuid.uuid5(_CHILDREN, f"{self._stack.id}/{op.token}"))
        if self._stack.depth + 1 > self._context.settings.max_nested_stack_depth:
            raise OperationFailed(
                f"Recursion depth exceeds {self._context.settings.max_nested_stack_depth}: {op.address} would be "
                "nested too deeply (max_nested_stack_depth)"
            )
        text = nested.template if nested.url is None else await self._context.fetch(nested.url)
        around = await self._surroundings()
        source = Source(
            text,
            {**around.files, **nested.files},
            _inherited(around.environment, nested.environment),
            nested.parameters,
            name=nested.url or op.address,
        )
        try:
            template = self._context.translator.translate(source)
        except Invalid as error:
            raise OperationFailed(str(error)) from error
        existing = await self._context.store.stack(child_id)
        if existing is None:
            await self._create(child_id, op, nested, source, template.dialect.value, template.description)
        elif not await self._has(existing, source):
            await self._update(existing, source)
        self._context.ring(child_id)
        return child_id

    async def _surroundings(self) -> Source:
        """The definition this run brings about: its files and registry hold for children too (heat.md TE-19)."""
        row = await self._context.store.row(self._stack.id)
        if row is None:
            return Source("")
        target = spec_of(self._context.store.vault.open(row.run_json)).target if row.run_json else None
        revision = row.revision if target is None else target
        return Source("") if revision is None else await self._context.store.source(revision)

    async def _has(self, child: Stack, source: Source) -> bool:
        """Whether the child has, or is getting, just this definition."""
        if child.revision is None or child.status is Status.FAILED:
            return False
        return await self._context.store.source(child.revision) == source

    async def _create(
        self, child_id: str, op: Operation, nested: Nested, source: Source, dialect: str, description: str
    ) -> None:
        now = self._context.clock.now()
        minutes = nested.timeout_mins
        spec = RunSpec(
            Action.CREATE, on_failure=OnFailure.DO_NOTHING, deadline=now + minutes * 60_000_000 if minutes else None
        )
        values: dict[str, Any] = {
            "id": child_id,
            "name": f"{self._stack.name}-{op.address.replace('/', '-')}-{op.token[-12:]}",
            "project_id": self._stack.project_id,
            "user_id": self._stack.user_id,
            "user_name": self._stack.user_name,
            "parent_id": self._stack.id,
            "parent_address": op.address,
            "root_id": self._stack.root_id,
            "depth": self._stack.depth + 1,
            "dialect": dialect,
            "description": description,
            "action": Action.CREATE.value,
            "status": Status.IN_PROGRESS.value,
            "reason": reasons.started(Action.CREATE),
            "reverting": None,
            "cleaning": False,
            "options_json": dump(options_value(self._stack.options)),
            "parameters_json": "{}",
            "outputs_json": "[]",
            "created": now,
            "updated": None,
            "deleted": None,
            "good_revision": None,
            "operation_id": str(uuid.uuid4()),
            "client_token": self._stack.client_token,
            "run_json": dump(spec.value()),
            "delegation_json": self._delegation,
            "owner": None,
            "epoch": 0,
            "lease_until": None,
            "version": 0,
            "live_name": None,
        }
        record = replace(
            self._stack, id=child_id, name=values["name"], action=Action.CREATE, status=Status.IN_PROGRESS,
            status_reason=values["reason"], reverting=None, cleaning=False, operation_id=values["operation_id"],
        )  # fmt: skip
        event = insert(t.events).values(event_params(record, now, None))
        await self._context.store.add_stack(values, source, [event])

    async def _update(self, child: Stack, source: Source) -> None:
        store = self._context.store

        async def begin(connection: Any) -> None:
            revision = await store.add_revision(connection, child.id, source)
            spec = RunSpec(Action.UPDATE, target=revision, previous=child.revision, on_failure=OnFailure.DO_NOTHING)
            await _begin(connection, self._context, child, spec, revision=revision)

        await self._context.committer.write(Write(stack_id=child.id, also=begin))

    async def nested_done(self, stack_id: str) -> Mapping[str, Value]:
        child = await self._ended(stack_id)
        if child.status is Status.FAILED:
            raise OperationFailed(child.status_reason or f"the nested stack {child.name} failed")
        return {output.name: output.value for output in child.outputs}

    async def delete_nested(self, stack_id: str) -> None:
        child = await self._context.store.stack(stack_id)
        if child is None or child.deleted is not None:
            return
        if child.action is not Action.DELETE or child.status is Status.FAILED:
            await self._context.committer.write(_beginning(self._context, child, RunSpec(Action.DELETE)))
        self._context.ring(stack_id)
        child = await self._ended(stack_id)
        if child.status is Status.FAILED:
            raise OperationFailed(child.status_reason)

    async def stop_all(self, reason: str) -> None:
        """Stop what runs in the nested stacks of this one, where it is (heat.md ENGS-12)."""
        for child in await self._context.store.children(self._stack.id):
            if child.status is Status.IN_PROGRESS and child.action in (Action.CREATE, Action.UPDATE):
                spec = RunSpec(child.action, on_failure=OnFailure.DO_NOTHING, stop=reason)
                await self._context.committer.write(_beginning(self._context, child, spec))
                self._context.ring(child.id)

    async def _ended(self, stack_id: str) -> Stack:
        """The child once it is not in progress; the parent's deadline and cancellation bound the waiting."""
        while True:
            child = await self._context.store.stack(stack_id)
            if child is None:
                raise OperationFailed(f"the nested stack {stack_id} does not exist")
            if child.status is not Status.IN_PROGRESS:
                return child
            await self._context.watch.wait(stack_id, self._context.clock, 2)

    async def nested_resources(self, stack_id: str) -> Sequence[tuple[str, str | None, Mapping[str, Value]]]:
        found = []
        for row in await self._context.store.resources(stack_id):
            if row.group is None and row.exists and not row.condemned:
                reference = row.physical_id
                if not row.is_group:
                    kind = self._context.registry.get(row.type)
                    reference = kind.reference(row.physical_id, row.attributes, row.address)
                found.append((row.address, reference, row.attributes))
        return sorted(found, key=lambda one: one[0])

    # --- signals ------------------------------------------------------------------------------------------------
    async def signals(self, op: Operation) -> Sequence[Mapping[str, Value]]:
        return await self._context.store.signals(self._stack.id, op.address)

    async def wait_signal(self, op: Operation, timeout: float) -> None:
        await self._context.watch.wait(f"{self._stack.id}/{op.address}", self._context.clock, timeout)

    async def clear_signals(self, op: Operation) -> None:
        await self._context.store.clear_signals(self._stack.id, op.address)

    async def signalled_address(self, reference: str) -> str | None:
        for row in await self._context.store.resources(self._stack.id):
            if row.is_group or not row.exists or row.condemned:
                continue
            kind = self._context.registry.get(row.type)
            known_as = (kind.reference(row.physical_id, row.attributes, row.address), *row.attributes.values())
            if kind.signalable and reference in known_as:
                return row.address
        return None

    def signal_url(self, op: Operation, *, kind: str) -> str:
        return self._context.signal_url(self._stack.id, op.address, kind, self._stack.project_id)


def _beginning(context: RunContext, child: Stack, spec: RunSpec) -> Write:
    """Begin an operation of a nested stack that keeps its definition."""

    async def begin(connection: AsyncConnection) -> None:
        await _begin(connection, context, child, spec)

    return Write(stack_id=child.id, also=begin)


async def _begin(connection: AsyncConnection, context: RunContext, child: Stack, spec: RunSpec, **columns: Any) -> None:
    """Write the child's next operation, with the event it begins with."""
    values = {
        "action": spec.kind.value, "status": Status.IN_PROGRESS.value, "reason": reasons.started(spec.kind),
        "run_json": dump(spec.value()), "operation_id": str(uuid.uuid4()), "reverting": None, "cleaning": False,
        **columns,
    }  # fmt: skip
    await connection.execute(update(t.stacks).where(t.stacks.c.id == child.id).values(values))
    row = (await connection.execute(select(t.stacks).where(t.stacks.c.id == child.id))).one()
    record = stack_record(row, context.store.vault)
    await connection.execute(insert(t.events).values(event_params(record, context.clock.now(), None)))


#: Sections of an environment that hold for the whole tree of stacks.
_FOR_ALL = ("resource_registry", "parameter_defaults", "event_sinks")


def _inherited(outer: Mapping[str, Value], own: Mapping[str, Value]) -> dict[str, Value]:
    """A child's environment: its own, over what holds for the whole tree."""
    found = dict(own)
    for section in _FOR_ALL:
        above, below = outer.get(section), own.get(section)
        if isinstance(above, Mapping) and (below is None or isinstance(below, Mapping)):
            found[section] = {**above, **(below or {})}
        elif above is not None and below is None:
            found[section] = above
    return found
