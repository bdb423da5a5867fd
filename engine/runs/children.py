"""Nested stacks: each has a run of its own, the parent's step waits for it. Implements `Services` of resource types."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.cloud.contract import Cloud
from engine.model.aside import LONG, aside
from engine.model.diagnostic import Invalid
from engine.model.ids import new_id
from engine.model.settings import inside
from engine.model.source import Source
from engine.model.stack import Options, Stack
from engine.model.status import Action, Status
from engine.model.template import Template
from engine.model.value import Value
from engine.resources.base import Gone, Nested, Operation, OperationFailed, ResourceType, Standing
from engine.runs import reasons
from engine.runs.context import RunContext
from engine.runs.inside import CHILDREN, Inside, as_child, begin_child
from engine.runs.keeping import resources_of_tree
from engine.runs.ledger import Ledger
from engine.runs.outside import answered
from engine.runs.spec import RunSpec
from engine.state.rows import ResourceRow, event_params, options_value
from engine.state.store import dump

Begin = Callable[[AsyncConnection], Awaitable[None]]


class Children(Inside):
    def __init__(
        self, context: RunContext, stack: Stack, delegation_json: str | None, ledger: Ledger | None = None
    ) -> None:
        """`ledger`: that of the stack's run, which knows its resources before the disk does."""
        super().__init__(context, stack)
        self._delegation, self._ledger = delegation_json, ledger

    # --- time -----------------------------------------------------------------------------------------------------
    async def sleep(self, seconds: float) -> None:
        await self._context.clock.sleep(seconds)

    def now(self) -> int:
        return self._context.clock.now()

    def monotonic(self) -> float:
        return self._context.clock.monotonic()

    # --- nested stacks ----------------------------------------------------------------------------------------------
    async def start_nested(
        self, op: Operation, nested: Nested, *, adopt: Mapping[str, Mapping[str, Value]] | None = None
    ) -> str:
        """The child's id is made from the token, so that asking twice finds the same child."""
        child_id = self._child_id(op)
        existing = await self._context.store.stack(child_id)
        running, source, template = await self._wanted(op, nested, child_id, existing)
        if existing is not None and existing.deleted is not None:
            raise Gone(f"the nested stack {existing.name} does not exist any more")
        if existing is None:
            action = Action.CREATE if adopt is None else Action.ADOPT
            wanted = RunSpec(action, deadline=self._until(nested.timeout_mins), adopt=adopt or {})
            spec = as_child(wanted, running)
            options = _options(self._stack.options, nested)
            await self._create(child_id, op, spec, source, template.dialect.value, template.description, options)
        elif (running is not None and running.converge) or not await self._has(existing, source, nested.tags):
            skip = () if running is None else _inner(running.skip, op.address.split("/")[0])
            spec = RunSpec(Action.UPDATE, previous=existing.revision, skip=skip)
            await self._begin_inside(existing, spec, source=source, options=_options(existing.options, nested))
        self._context.ring(child_id)
        return child_id

    def _child_id(self, op: Operation) -> str:
        return str(uuid.uuid5(CHILDREN, f"{self._stack.id}/{op.token}"))

    async def nested_of(self, op: Operation) -> str | None:
        child_id = self._child_id(op)
        return None if await self._context.store.stack(child_id) is None else child_id

    async def by_itself(
        self, op: Operation, nested: Nested, begin_with: Callable[[Begin], Awaitable[None]]
    ) -> None:  # fmt: skip
        """Update the child while this stack rests; its end is told to this stack. `begin_with` gets what writes the
        child's operation, to be made part of a transaction."""
        assert op.physical_id is not None
        child = await self._child(op.physical_id)
        _, source, _ = await self._wanted(op, nested, child.id, child)
        spec = as_child(RunSpec(Action.UPDATE, previous=child.revision, tells=True), None)

        async def begin(connection: AsyncConnection) -> None:
            revision = await self._context.store.add_revision(connection, child.id, source)
            await begin_child(connection, self._context, child, replace(spec, target=revision), revision=revision)

        await begin_with(begin)
        self._context.store.cache.forget([child.id])
        self._context.ring(child.id)

    async def _wanted(
        self, op: Operation, nested: Nested, child_id: str, existing: Stack | None
    ) -> tuple[RunSpec | None, Source, Template]:
        """What this stack runs, and the definition that the child is to have. Raises OperationFailed."""
        if self._stack.depth + 1 > self._context.settings.max_nested_stack_depth:
            raise OperationFailed(
                f"Recursion depth exceeds {self._context.settings.max_nested_stack_depth}: {op.address} would be "
                "nested too deeply (max_nested_stack_depth)"
            )
        try:
            text = nested.template if nested.url is None else await self._context.fetch(nested.url)
        except Invalid as error:
            raise OperationFailed(str(error)) from error
        running, around = await self._running()
        source = Source(
            text,
            {**around.files, **nested.files},
            _inherited(around.environment, nested.environment, op.address.split("/")[0]),
            nested.parameters,
            name=nested.url or op.address,
        )
        try:
            source = await self._answered(op, existing, source)
            translate = self._context.translator.translate
            template = await aside(lambda: translate(source), when=len(source.text) > LONG)
        except Invalid as error:
            raise OperationFailed(str(error)) from error
        await self._refuse_too_many(child_id, len(template.groups) + sum(
            1 for resource in template.resources.values() if resource.group is None
        ))  # fmt: skip
        return running, source, template

    async def inherited(self, op: Operation) -> tuple[Mapping[str, str], Mapping[str, Value]]:
        _, around = await self._running()
        return around.files, _inherited(around.environment, {}, op.address.split("/")[0])

    async def _answered(self, op: Operation, child: Stack | None, source: Source) -> Source:
        """What the child's template asks of the outside, as it was answered when what runs in the child began."""
        if child is not None and child.revision is not None and child.status is Status.IN_PROGRESS:
            before = await self._context.store.source(child.revision)
            source = replace(source, answers=before.answers)

        async def cloud() -> Cloud:
            return op.cloud

        return await answered(self._context, self._stack.project_id, source, cloud)

    async def _refuse_too_many(self, child_id: str, wanted: int) -> None:
        """ENGN-03: counted over the whole tree."""
        limit = self._context.settings.max_resources_per_stack
        if limit < 0:
            return
        if wanted + await resources_of_tree(self._context, self._stack.root_id, child_id) > limit:
            raise OperationFailed(f"Maximum resources per stack exceeded ({limit}, max_resources_per_stack).")

    async def _has(self, child: Stack, source: Source, tags: Mapping[str, str] | None) -> bool:
        """Whether the child has, or is getting, just this definition and these tags."""
        if child.revision is None or child.status is Status.FAILED:
            return False
        if tags is not None and dict(child.options.tags) != dict(tags):
            return False
        return await self._context.store.source(child.revision) == source

    async def _create(
        self, child_id: str, op: Operation, spec: RunSpec, source: Source, dialect: str, description: str,
        options: Options,
    ) -> None:  # fmt: skip
        now = self._context.clock.now()
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
            "action": spec.kind.value,
            "status": Status.IN_PROGRESS.value,
            "reason": reasons.started(spec.kind),
            "reverting": None,
            "cleaning": False,
            "options_json": dump(options_value(options)),
            "parameters_json": "{}",
            "outputs_json": "[]",
            "created": now,
            "updated": None,
            "deleted": None,
            "good_revision": None,
            "operation_id": new_id(),
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
            self._stack, id=child_id, name=values["name"], action=spec.kind, status=Status.IN_PROGRESS,
            status_reason=values["reason"], reverting=None, cleaning=False, operation_id=values["operation_id"],
        )  # fmt: skip
        event = event_params(record, now, None)
        await self._context.store.add_stack(values, source, event)

    def _until(self, minutes: int | None) -> int | None:
        return self._context.clock.now() + minutes * 60_000_000 if minutes else None

    async def nested_done(self, stack_id: str) -> Mapping[str, Value]:
        return {output.name: output.value for output in (await self._done(stack_id)).outputs}

    async def delete_nested(self, stack_id: str) -> None:
        child = await self._context.store.stack(stack_id)
        if child is None or child.deleted is not None:
            return
        if child.action is not Action.DELETE or child.status is Status.FAILED:
            await self._begin_inside(child, RunSpec(Action.DELETE))
        self._context.ring(stack_id)
        await self._done(stack_id)

    async def stop_all(self, reason: str) -> None:
        """Stop what runs in the nested stacks of this one, where it is (heat.md ENGS-12)."""
        for child in await self._context.store.children(self._stack.id):
            if child.status is Status.IN_PROGRESS and child.action in (Action.CREATE, Action.UPDATE):
                await self._begin_inside(child, RunSpec(child.action, stop=reason))

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

    async def nested_standing(self, stack_id: str) -> Standing:
        child = await self._child(stack_id)
        source = Source("") if child.revision is None else await self._context.store.source(child.revision)
        well = {
            row.address: row.created
            for row in await self._context.store.resources(stack_id)
            if row.group is None and row.exists and not row.condemned and row.status is not Status.FAILED
        }
        return Standing(source.text, well)

    # --- signals ------------------------------------------------------------------------------------------------
    async def signals(self, op: Operation) -> Sequence[Mapping[str, Value]]:
        return await self._context.store.signals(self._stack.id, op.address)

    async def wait_signal(self, op: Operation, timeout: float) -> None:
        await self._context.watch.wait(f"{self._stack.id}/{op.address}", self._context.clock, timeout)

    async def clear_signals(self, op: Operation) -> None:
        await self._context.store.clear_signals(self._stack.id, op.address)

    async def signalled_address(self, reference: str) -> str | None:
        for row in await self._rows():
            if row.is_group or not row.exists or row.condemned:
                continue
            kind = self._context.registry.get(row.type)
            known_as = (kind.reference(row.physical_id, row.attributes, row.address), *row.attributes.values())
            if kind.signalable and reference in known_as:
                return row.address
        return None

    async def scaling_group(self, reference: str) -> str | None:
        found = await self._known_as(reference, lambda kind: kind.scalable)
        return None if found is None else found.address

    async def kept_by(self, reference: str) -> Mapping[str, Value] | None:
        found = await self._known_as(reference, lambda _: True)
        return None if found is None else found.attributes

    async def _known_as(self, reference: str, wanted: Callable[[ResourceType], bool]) -> ResourceRow | None:
        for row in await self._rows():
            if row.is_group or not row.exists or row.condemned:
                continue
            kind = self._context.registry.get(row.type)
            if wanted(kind) and kind.reference(row.physical_id, row.attributes, row.address) == reference:
                return row
        return None

    async def holder(self, op: Operation, physical_id: str) -> str | None:
        for row in await self._context.store.resources_with_physical_id(self._stack.project_id, physical_id):
            another = (row.stack_id, row.address) != (self._stack.id, op.address)
            if another and row.type == op.type_name and row.exists:
                stack = await self._context.store.stack(row.stack_id)
                return None if stack is None else stack.name
        return None

    async def _rows(self) -> Iterable[ResourceRow]:
        return self._ledger.all() if self._ledger else await self._context.store.resources(self._stack.id)

    async def ask_handler(self, service_token: str, request: Mapping[str, Value]) -> None:
        await self._context.handlers.ask(service_token, request)

    def signal_url(self, op: Operation, *, kind: str) -> str:
        return self._context.signal_url(self._stack.id, op.address, kind, self._stack.project_id)


def _options(around: Options, nested: Nested) -> Options:
    """What a child is run with: what its parent, or the child before, is; but the tags may be its own."""
    return around if nested.tags is None else replace(around, tags=nested.tags)


def _inner(names: Iterable[str], address: str) -> tuple[str, ...]:
    """Of names of resources, what is said of those inside `address` (`Nested.Inner`)."""
    return tuple(name.partition(".")[2] for name in names if name.startswith(f"{address}."))


#: Sections of an environment that hold for the whole tree of stacks.
_FOR_ALL = ("resource_registry", "parameter_defaults", "event_sinks")


def _inherited(outer: Mapping[str, Value], own: Mapping[str, Value], address: str) -> dict[str, Value]:
    """A child's environment: its own, over what holds for the whole tree. What the registry says of single resources
    holds inside `address` as far as it speaks of that."""
    found = dict(own)
    for section in _FOR_ALL:
        above, below = outer.get(section), own.get(section)
        if section == "resource_registry" and isinstance(above, Mapping) and "resources" in above:
            narrowed = inside(above["resources"], address)
            above, below = _without_resources(above), _without_resources(below or {})
            above |= {"resources": narrowed} if narrowed else {}
        if isinstance(above, Mapping) and (below is None or isinstance(below, Mapping)):
            merged = {**above, **(below or {})}
            if merged:
                found[section] = merged
        elif above is not None and below is None:
            found[section] = above
    return found


def _without_resources(registry: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in registry.items() if name != "resources"}
