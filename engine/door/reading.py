"""Asking without changing: stacks, resources, events, exports, plans."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

from engine.cloud.containers import files_of
from engine.door.commands import Commands
from engine.door.filters import StackFilter, pick, query_of
from engine.model.aside import LONG, aside
from engine.model.clock import to_datetime
from engine.model.diagnostic import Invalid, invalid
from engine.model.errors import ResourceNotFound, StackExists
from engine.model.source import Source
from engine.model.stack import (
    Caller,
    EngineService,
    Event,
    Export,
    Options,
    Plan,
    ResourceDrift,
    ResourceRecord,
    Stack,
)  # fmt: skip
from engine.model.status import Action, Status
from engine.model.template import Template
from engine.model.value import Value
from engine.plan.deployment import bind_source
from engine.resources.base import Operation, StackIdentity
from engine.runs.children import Children
from engine.state.rows import ResourceRow, resource_record
from engine.state.tables import services

_LOOK_AGAIN = 2.0  # seconds after which a waiter looks by itself: hints may be lost


class Reading(Commands):
    # --- templates and plans ------------------------------------------------------------------------------------------
    def translate(self, source: Source) -> Template:
        """The template; raises Invalid. Cached."""
        with self._validator.telling_all(source):
            return self._context.translator.translate(source)

    def outline(self, source: Source) -> Template:
        """What the template says of itself, its transforms aside. Raises Invalid."""
        with self._validator.telling_all(source):
            return self._context.translator.outline(source)

    async def validate(self, caller: Caller, source: Source) -> Template:
        """Everything that can be known before a stack exists: types, properties, references; parameters may be
        missing. Only the outline is known where these decide what the template is, and of templates with macros, which
        are not called."""
        async with self._validator.telling_all_aside(source):
            outline = await aside(partial(self._context.translator.outline, source), when=len(source.text) > LONG)
        if any(not name.startswith("AWS::") for name in outline.transforms):
            return outline
        try:
            return await self._validator.offline(await self.answered(caller, source, looking=True))
        except Invalid as error:
            if all(one.code.startswith("Undecided") for one in error.diagnostics):
                return outline
            raise

    async def container_files(
        self, caller: Caller, container: str, *, skip: Collection[str], most_bytes: int
    ) -> dict[str, str]:
        """The files in a container of the caller's project, but for those in `skip`. Raises CloudError."""
        return await files_of(await self._cloud(caller)(), container, skip=skip, most_bytes=most_bytes)

    async def preview_create(self, caller: Caller, name: str, source: Source, options: Options) -> Plan:
        """What creating the stack would make. Raises what `create_stack` would."""
        if await self._context.store.stack_by_name(caller.project_id, name) is not None:
            raise StackExists(name)
        identity = self._identity("", name, caller.project_id)
        source = await self.answered(caller, source)
        deployment = await self._validator.whole(identity, source, self._cloud(caller), options)
        return await self._plan(None, deployment, options, source)

    async def preview_update(self, caller: Caller, ref: str, source: Source) -> Plan:
        """What updating the stack would do."""
        stack = await self._live(caller, ref)
        identity = self._identity(stack.id, stack.name, stack.project_id, stack.root_id)
        source = await self.answered(caller, source)
        deployment = await self._validator.whole(identity, source, self._cloud(caller), stack.options)
        return await self._plan(stack, deployment, stack.options, source)

    async def source_of(self, stack: Stack) -> Source:
        """The stack's definition as sent, hidden parameters in clear: never show it unmasked."""
        return Source("") if stack.revision is None else await self._context.store.source(stack.revision)

    async def resolved_parameters(self, stack: Stack) -> Mapping[str, str]:
        """The values that those of its parameters had in the parameter store which name one there (ResolvedValue)."""
        if not stack.parameters or stack.dialect != "cfn":
            return {}
        source = await self.source_of(stack)
        if not any(key.startswith("parameter:") for key in source.answers):
            return {}
        return bind_source(self.translate(source), source).resolved

    # --- stacks -----------------------------------------------------------------------------------------------------
    async def list_stacks(self, caller: Caller, wanted: StackFilter) -> Sequence[Stack]:
        store, project_id = self._context.store, caller.project_id
        if wanted.is_plain:
            found = await store.cache.get_list(project_id, lambda: store.stacks(query_of(wanted, project_id)))
        else:
            found = await store.stacks(query_of(wanted, project_id))
        return pick(found, wanted, self._context.settings.hidden_stack_tags)

    async def settled(self, caller: Caller, stack: Stack, seconds: float) -> Stack:
        """The stack once nothing runs on it, or as it is when `seconds` are over or the process stops."""
        watch, clock = self._context.watch, self._context.clock
        until = clock.monotonic() + seconds
        while stack.status is Status.IN_PROGRESS and clock.monotonic() < until and not watch.closed:
            await watch.wait(stack.id, clock, min(_LOOK_AGAIN, until - clock.monotonic()))
            stack = await self.find_stack(caller, stack.id, deleted_by_id=True)
        return stack

    def release(self) -> None:
        """The process stops soon: let go of those who wait for a stack."""
        self._context.watch.close()

    async def count_stacks(self, caller: Caller, wanted: StackFilter) -> int:
        if wanted.tags or wanted.tags_any or wanted.not_tags or wanted.not_tags_any:
            return len(await self.list_stacks(caller, wanted))
        return await self._context.store.count(query_of(wanted, caller.project_id))

    async def nested_stacks(self, stack: Stack, depth: int) -> Sequence[Stack]:
        """Descendants down to `depth` levels, parents before their children."""
        found: list[Stack] = []
        level = [stack]
        for _ in range(max(0, depth)):
            level = [child for one in level for child in await self._context.store.children(one.id)]
            if not level:
                break
            found.extend(level)
        return found

    # --- resources --------------------------------------------------------------------------------------------------
    async def list_resources(self, stack: Stack, *, members: bool = False) -> Sequence[ResourceRecord]:
        """Top-level resources and groups, in order of address; `members` adds those inside groups.

        Of a deleted stack, the resources it had.
        """
        rows = _shown(await self._context.store.resources(stack.id), deleted=stack.deleted is not None)
        nested = await self._nested_ids(stack, rows)
        needers = _needers(rows)
        found = [
            resource_record(row, needers.get(row.address, ()), nested.get(row.address))
            for row in sorted(rows, key=lambda row: row.address)
            if members or row.group is None
        ]
        if stack.drift_checked is None:
            return found
        drifts = {one.address: one for one in await self._drifts(stack)}
        return [_with_drift(record, drifts.get(record.address)) for record in found]

    async def _nested_ids(self, stack: Stack, rows: Sequence[ResourceRow]) -> Mapping[str, str]:
        """Address → id of the nested stack behind it, for groups too."""
        registry, region = self._context.registry, self._context.settings.region
        found = {}
        for row in rows:
            kind = None if row.is_group else registry.find(row.type)
            if kind is not None and row.physical_id is not None and kind.inside(row.properties, region):
                found[row.address] = row.physical_id
                if row.group is not None:
                    found[row.group] = row.physical_id
        return found

    async def find_resource(self, stack: Stack, address: str) -> ResourceRecord:
        """Raises ResourceNotFound."""
        for record in await self.list_resources(stack, members=True):
            if record.address == address:
                return record
        raise ResourceNotFound(address, stack.name)

    async def find_by_physical_id(self, caller: Caller, physical_id: str) -> ResourceRecord:
        """Raises ResourceNotFound."""
        for row in await self._context.store.resources_with_physical_id(caller.project_id, physical_id):
            if row.exists and not row.condemned and row.group is None:
                return resource_record(row)
        raise ResourceNotFound(physical_id, "this project")

    async def live_attributes(
        self, caller: Caller, record: ResourceRecord, names: Sequence[str] = ()
    ) -> Mapping[str, Value]:
        """The kept attributes, and those of `names` that are only ever asked of the cloud (`show`, console URLs)."""
        registry = self._context.registry
        found = dict(record.attributes)
        kind = None if record.is_group else registry.find(record.type)
        if kind is None or record.physical_id is None:
            return found
        wanted = [n for n in names if n == "show" or (n in kind.attributes and kind.attributes[n].live)]
        if not wanted:
            return found
        stack = await self._again(record.stack_id)
        row = next(r for r in await self._context.store.resources(stack.id)
                   if (r.address, r.generation) == (record.address, record.generation))  # fmt: skip
        cloud = await self._context.clouds.for_caller(caller)

        async def remember(**data: Value) -> None:
            raise AssertionError("reading an attribute changes nothing")

        operation = Operation(
            stack=StackIdentity(stack.id, stack.name, stack.project_id, stack.root_id, self._context.settings.region),
            address=row.address, type_name=row.type, token=row.token, properties=row.properties, before=row.properties,
            physical_id=row.physical_id, data=row.data, metadata=row.metadata, remember=remember, cloud=cloud,
            services=Children(self._context, stack, None), deadline=self._context.clock.monotonic() + 30,
        )  # fmt: skip
        for name in wanted:
            found[name] = await kind.live_attribute(operation, name)
        return found

    # --- events -----------------------------------------------------------------------------------------------------
    async def list_events(
        self, stack: Stack, *, address: str | None = None, newest_first: bool = False, after: int | None = None,
        limit: int | None = None,
    ) -> Sequence[Event]:  # fmt: skip
        """`after` is the `seq` of the last one seen, in the order asked for. Members' events are left out."""
        return await self._context.store.events(
            stack, address=address, newest_first=newest_first, after=after, limit=limit
        )

    async def find_event(self, stack: Stack, event_id: str) -> Event:
        """Raises ResourceNotFound."""
        found = await self._context.store.event(stack, event_id)
        if found is None:
            raise ResourceNotFound(event_id, stack.name)
        return found

    async def root_causes(self, stack: Stack) -> Sequence[Event]:
        """The failed events that started the failure of the last failed operation, nested stacks included."""
        failures = await self._context.store.failures(stack)
        if not failures:
            return []
        last = failures[-1].operation_id
        found: list[Event] = []
        children = await self._context.store.children(stack.id, deleted=True)
        for event in failures:
            if event.operation_id != last or (event.group is None and event.is_group):
                continue
            nested = [c for c in children if c.parent_resource == event.address]
            # The child may be gone by now, or failed for another reason since: what it said then is in the event.
            below = [c for child in nested for c in await self.root_causes(child) if c.reason in event.reason]
            found.extend(below or [event])
        return found

    # --- exports, services --------------------------------------------------------------------------------------------
    async def list_exports(self, caller: Caller) -> Sequence[Export]:
        return await self._context.store.exports(caller.project_id)

    async def list_imports(self, caller: Caller, export_name: str) -> Sequence[str]:
        """Names of the stacks that import it. Raises Invalid when there is no such export or nobody imports it."""
        names = [name for _, name in await self._context.store.importers(caller.project_id, export_name)]
        if not names:
            raise invalid("ExportNotImported", f"Export '{export_name}' is not imported by any stack.")
        return names

    async def list_services(self) -> Sequence[EngineService]:
        async with self._context.store.database.reader.connect() as connection:
            return [
                EngineService(
                    row.id, row.host, row.host, row.binary, "engine", row.report_interval,
                    to_datetime(row.created), to_datetime(row.updated),
                )
                for row in await connection.execute(services.select())
            ]  # fmt: skip


def _with_drift(record: ResourceRecord, drift: ResourceDrift | None) -> ResourceRecord:
    """What the last look showed, unless the resource has been changed since."""
    if drift is None or record.updated > drift.checked:
        return record
    return replace(record, drift=drift.status, drift_checked=drift.checked)


def _shown(rows: Sequence[ResourceRow], *, deleted: bool) -> list[ResourceRow]:
    """The newest generation of each address that is, or in a deleted stack was, part of the stack."""
    newest: dict[str, ResourceRow] = {}
    for row in rows:
        unborn = row.action is Action.INIT  # it has stopped at a breakpoint
        if not (row.exists or row.skipped or deleted != unborn) or row.condemned:
            continue
        if row.address not in newest or newest[row.address].generation < row.generation:
            newest[row.address] = row
    return list(newest.values())


def _needers(rows: Sequence[ResourceRow]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for row in rows:
        for needed in row.requires:
            if row.group != needed.split("/")[0] and needed.split("/")[0] != row.address:
                found.setdefault(needed.split("/")[0], set()).add(row.address.split("/")[0])
    return {address: tuple(sorted(names)) for address, names in found.items()}
