"""Queries over the tables: what front ends read, and what the runner loads. Writes go through `commit`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    case,
    cast,
    delete,
    extract,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from engine.model.clock import Clock, to_datetime
from engine.model.errors import StackExists
from engine.model.source import Source
from engine.model.stack import DriftStatus, Event, Export, OutputValue, Stack
from engine.model.status import Action, Status
from engine.model.value import Value
from engine.state import tables as t
from engine.state.cache import StackCache
from engine.state.database import Database
from engine.state.rows import ResourceRow, event_record, options_of, resource_row
from engine.state.together import Together
from engine.state.uncancelled import uncancelled
from engine.state.vault import Vault, dump

_IDS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Claim:
    """`row` is the stack's, as the claim left it; `taken_over`: another engine's lease had run out."""

    row: Any
    taken_over: bool


@dataclass(frozen=True, slots=True, eq=False)
class _NewStack:
    values: Mapping[str, Any]
    revision: Mapping[str, Any]
    event: Mapping[str, Any] | None

    def row(self, revision: int) -> dict[str, Any]:
        """Every column, so that the rows of one statement are alike."""
        named = {column.name: self.values.get(column.name) for column in t.stacks.columns}
        return {**named, "revision": revision if self.values["run_json"] else None}


class Store:
    """Reads, and the small writes that need no group commit. All methods are safe to call concurrently."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self.database, self.vault, self.clock = database, vault, clock
        self.cache = StackCache()
        self._by_name = Together(self._rows_by(t.stacks, t.stacks.c.live_name))
        self._sources = Together(self._rows_by(t.revisions, t.revisions.c.id))
        self._resources = Together(self._rows_by(t.resources, t.resources.c.stack_id))
        self._claims: dict[tuple[str, float, bool], Together[str, Any]] = {}
        self._new = Together(self._add_stacks)
        self._live = Together(self._live_stacks)

    def _rows_by(
        self, table: Table, column: ColumnElement[Any]
    ) -> Callable[[Sequence[Any]], Awaitable[Mapping[Any, list[Any]]]]:
        """Rows of `table` by the value of `column`, of several values at once."""
        query = select(table).where(column.in_(bindparam("keys", expanding=True)))

        async def ask(keys: Sequence[Any]) -> Mapping[Any, list[Any]]:
            found: dict[Any, list[Any]] = {}
            async with self.database.reader.connect() as connection:
                for row in await connection.execute(query, {"keys": keys}):
                    found.setdefault(getattr(row, column.key or ""), []).append(row)
            return found

        return ask

    # --- stacks -------------------------------------------------------------------------------------------------
    async def stack(self, stack_id: str) -> Stack | None:
        query = select(t.stacks).where(t.stacks.c.id == stack_id)
        return await self.cache.get(stack_id, lambda: self._one_stack(query))

    async def stack_by_name(self, project_id: str, name: str) -> Stack | None:
        """The live root stack of that name."""
        key = live_name(project_id, name)

        async def ask() -> Stack | None:
            found = await self._by_name.get(key)
            return self._stack(found[0]) if found else None

        return await self.cache.get(key, ask)

    async def children(self, stack_id: str, *, deleted: bool = False) -> Sequence[Stack]:
        query = select(t.stacks).where(t.stacks.c.parent_id == stack_id)
        if not deleted:
            query = query.where(t.stacks.c.deleted.is_(None))
        return await self.stacks(query.order_by(t.stacks.c.created))

    async def stacks(self, query: Select[Any]) -> Sequence[Stack]:
        async with self.database.reader.connect() as connection:
            return [self._stack(row) for row in await connection.execute(query)]

    async def count(self, query: Select[Any]) -> int:
        async with self.database.reader.connect() as connection:
            found = await connection.execute(select(func.count()).select_from(query.subquery()))
            return int(found.scalar_one())

    async def live_stacks(self, project_id: str) -> int:
        """How many root stacks the project has that are not deleted."""
        return await self._live.get(project_id) or 0

    async def _live_stacks(self, project_ids: Sequence[str]) -> Mapping[str, int]:
        s = t.stacks.c
        query = (
            select(s.project_id, func.count().label("live"))
            .where(s.project_id.in_(project_ids), s.parent_id.is_(None), s.deleted.is_(None))
            .group_by(s.project_id)
        )
        async with self.database.reader.connect() as connection:
            return {row.project_id: row.live for row in await connection.execute(query)}

    async def row(self, stack_id: str) -> Any:
        """The whole row of `tables.stacks`, run and lease included, or None."""
        async with self.database.reader.connect() as connection:
            return (await connection.execute(select(t.stacks).where(t.stacks.c.id == stack_id))).first()

    async def _one_stack(self, query: Select[Any]) -> Stack | None:
        async with self.database.reader.connect() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else self._stack(row)

    def _stack(self, row: Any) -> Stack:
        return stack_record(row, self.vault)

    async def add_stack(self, values: Mapping[str, Any], source: Source, event: Mapping[str, Any] | None = None) -> int:
        """Insert a stack with its first revision and its first event; returns the revision. Raises StackExists."""
        revision = {"stack_id": values["id"], "source_json": self.vault.seal(source_value(source)),
                    "created": self.clock.now()}  # fmt: skip
        made = await self._new.get(_NewStack(values, revision, event))
        if isinstance(made, IntegrityError):
            raise StackExists(values["name"]) from made
        self.cache.forget([values["id"]])
        assert made is not None
        return made

    async def _add_stacks(self, asked: Sequence[_NewStack]) -> Mapping[_NewStack, int | IntegrityError]:
        try:
            async with self.database.writer.begin() as connection:
                added = await connection.execute(
                    insert(t.revisions).returning(t.revisions.c.id, sort_by_parameter_order=True),
                    [one.revision for one in asked],
                )
                revisions = dict(zip(asked, added.scalars(), strict=True))
                await connection.execute(insert(t.stacks), [one.row(revisions[one]) for one in asked])
                if happened := [dict(one.event) for one in asked if one.event is not None]:
                    await connection.execute(insert(t.events), happened)
            return revisions
        except IntegrityError as error:
            if len(asked) == 1:
                return {asked[0]: error}
        found: dict[_NewStack, int | IntegrityError] = {}  # one of them exists already: it must not stop the others
        for one in asked:
            found.update(await self._add_stacks([one]))
        return found

    async def add_revision(self, connection: AsyncConnection, stack_id: str, source: Source) -> int:
        found = await connection.execute(
            insert(t.revisions).returning(t.revisions.c.id),
            {"stack_id": stack_id, "source_json": self.vault.seal(source_value(source)), "created": self.clock.now()},
        )
        return int(found.scalar_one())

    async def source(self, revision: int) -> Source:
        found = await self._sources.get(revision)
        if not found:
            raise LookupError(f"There is no revision {revision}.")
        return source_of(self.vault.open(found[0].source_json))

    # --- resources ----------------------------------------------------------------------------------------------
    async def resources(self, stack_id: str) -> list[ResourceRow]:
        """Every generation of every resource of the stack."""
        return [resource_row(row, self.vault) for row in await self._resources.get(stack_id) or ()]

    async def resources_with_physical_id(self, project_id: str, physical_id: str) -> list[ResourceRow]:
        query = (
            select(t.resources)
            .join(t.stacks, t.stacks.c.id == t.resources.c.stack_id)
            .where(t.resources.c.physical_id == physical_id, t.stacks.c.project_id == project_id)
        )
        async with self.database.reader.connect() as connection:
            return [resource_row(row, self.vault) for row in await connection.execute(query)]

    # --- events -------------------------------------------------------------------------------------------------
    async def events(
        self,
        stack: Stack,
        *,
        address: str | None = None,
        newest_first: bool = False,
        after: int | None = None,
        limit: int | None = None,
    ) -> Sequence[Event]:
        e = t.events.c
        query = select(t.events).where(e.stack_id == stack.id, e.grp.is_(None))
        if address is not None:
            query = query.where(e.address == address)
        if after is not None:
            query = query.where(e.seq < after if newest_first else e.seq > after)
        query = query.order_by(e.seq.desc() if newest_first else e.seq)
        if limit is not None:
            query = query.limit(limit)
        async with self.database.reader.connect() as connection:
            return [event_record(row, stack.name, self.vault) for row in await connection.execute(query)]

    async def event(self, stack: Stack, event_id: str) -> Event | None:
        query = select(t.events).where(t.events.c.stack_id == stack.id, t.events.c.id == event_id)
        async with self.database.reader.connect() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else event_record(row, stack.name, self.vault)

    async def failures(self, stack: Stack) -> Sequence[Event]:
        """Failed resource events of the stack's newest failed operation, oldest first."""
        e = t.events.c
        query = (
            select(t.events)
            .where(e.stack_id == stack.id, e.status == Status.FAILED.value, e.address.isnot(None))
            .order_by(e.seq)
        )
        async with self.database.reader.connect() as connection:
            return [event_record(row, stack.name, self.vault) for row in await connection.execute(query)]

    # --- exports, imports, signals --------------------------------------------------------------------------------
    async def exports(self, project_id: str) -> Sequence[Export]:
        query = (
            select(t.exports, t.stacks.c.name.label("stack_name"))
            .join(t.stacks, t.stacks.c.id == t.exports.c.stack_id)
            .where(t.exports.c.project_id == project_id)
            .order_by(t.exports.c.name)
        )
        async with self.database.reader.connect() as connection:
            return [_export(row, self.vault) for row in await connection.execute(query)]

    async def has_secret_outputs(self, stack_id: str) -> bool:
        """Whether the stack's outputs are kept sealed."""
        query = select(t.stacks.c.outputs_json).where(t.stacks.c.id == stack_id)
        async with self.database.reader.connect() as connection:
            return not ((await connection.execute(query)).scalar() or "[]").startswith("[")

    async def importers(self, project_id: str, name: str) -> Sequence[tuple[str, str]]:
        """(id, name) of the live stacks that import `name`."""
        query = (
            select(t.stacks.c.id, t.stacks.c.name)
            .join(t.imports, t.stacks.c.id == t.imports.c.stack_id)
            .where(t.imports.c.project_id == project_id, t.imports.c.name == name, t.stacks.c.deleted.is_(None))
            .order_by(t.stacks.c.name)
        )
        async with self.database.reader.connect() as connection:
            return [(row.id, row.name) for row in await connection.execute(query)]

    async def signals(self, stack_id: str, address: str) -> Sequence[Mapping[str, Value]]:
        """Signals of a resource, oldest first; each as the type sees it."""
        query = (
            select(t.signals.c.signal_json)
            .where(t.signals.c.stack_id == stack_id, t.signals.c.address == address)
            .order_by(t.signals.c.seq)
        )
        async with self.database.reader.connect() as connection:
            return [self.vault.open(text) for text in (await connection.execute(query)).scalars()]

    async def add_signal(self, stack_id: str, address: str, unique_id: str | None, signal: Mapping[str, Value]) -> None:
        await self.database.write(
            insert(t.signals).values(
                stack_id=stack_id,
                address=address,
                unique_id=unique_id,
                signal_json=self.vault.seal(signal),
                time=self.clock.now(),
            )
        )

    async def clear_signals(self, stack_id: str, address: str) -> None:
        await self.database.write(
            delete(t.signals).where(t.signals.c.stack_id == stack_id, t.signals.c.address == address)
        )

    # --- work -----------------------------------------------------------------------------------------------------
    async def work(self, engine_id: str, most: int = 10_000) -> Mapping[str, str]:
        """Stacks that have a run and no living owner other than `engine_id`: id → the operation to be run. At most
        `most`, those of `engine_id` first, then nested ones, then the oldest."""
        s = t.stacks.c
        urgency = case((s.owner == engine_id, 0), (s.parent_id.isnot(None), 1), else_=2)
        query = (
            select(s.id, s.operation_id)
            .where(s.run_json.isnot(None), self._free_for(engine_id))
            .order_by(urgency, s.created)
            .limit(most)
        )
        async with self.database.reader.connect() as connection:
            return {row.id: row.operation_id for row in await connection.execute(query)}

    async def next_expiry(self, engine_id: str) -> float | None:
        """In how many seconds the first lease of another engine runs out, if nothing renews it; None: there is none."""
        s, now = t.stacks.c, self._lease_now()
        held = and_(s.run_json.isnot(None), s.owner.isnot(None), s.owner != engine_id, s.lease_until >= now)
        async with self.database.reader.connect() as connection:
            left = (await connection.execute(select(func.min(s.lease_until) - now).where(held))).scalar()
        return None if left is None else float(left) / 1e6

    async def claim(self, stack_id: str, engine_id: str, lease: float, *, nested_only: bool = False) -> Claim | None:
        """Take the stack's run; None when another engine has it, or when it is no nested one and only those are
        wanted."""
        kind = (engine_id, lease, nested_only)
        if kind not in self._claims:
            self._claims[kind] = Together(self._claim_free(*kind))
        # Nearly always nobody has it.
        row = await self._claims[kind].get(stack_id)
        if row is not None:
            return Claim(row, taken_over=False)
        return await self._claim_lapsed(stack_id, *kind)

    def _claim_free(
        self, engine_id: str, lease: float, nested_only: bool
    ) -> Callable[[Sequence[str]], Awaitable[Mapping[str, Any]]]:
        """Takes those that nobody has, or this engine; what is being changed at that moment is left out."""
        s = t.stacks.c
        free = and_(s.run_json.isnot(None), or_(s.owner.is_(None), s.owner == engine_id))
        if nested_only:
            free = and_(free, s.parent_id.isnot(None))
        # In one order, as group commits lock them: each would wait for the other otherwise.
        those = select(s.id).where(s.id.in_(bindparam("ids", expanding=True)), free).order_by(s.id)
        locked = those.with_for_update(skip_locked=True, key_share=True)

        async def claim(stack_ids: Sequence[str]) -> Mapping[str, Any]:
            statement = self._taking(engine_id, lease).where(s.id.in_(locked))
            async with self.database.at_once(self.database.leases).begin() as connection:
                return {row.id: row for row in await connection.execute(statement, {"ids": stack_ids})}

        return claim

    @uncancelled
    async def _claim_lapsed(self, stack_id: str, engine_id: str, lease: float, nested_only: bool) -> Claim | None:
        """Take what was another engine's, whose lease has run out, and what was being changed a moment ago."""
        s = t.stacks.c
        wanted = and_(s.id == stack_id, s.run_json.isnot(None), self._free_for(engine_id))
        if nested_only:
            wanted = and_(wanted, s.parent_id.isnot(None))
        async with self.database.reader.connect() as connection:
            if (await connection.execute(select(s.id).where(wanted))).first() is None:
                return None
        async with self.database.leases.begin() as connection:
            # Locked from here on: another engine may be claiming it at this moment.
            known = select(s.owner).where(s.id == stack_id).with_for_update(key_share=True)
            former = (await connection.execute(known)).scalar()
            row = (await connection.execute(self._taking(engine_id, lease).where(wanted))).first()
        return None if row is None else Claim(row, former not in (None, engine_id))

    def _taking(self, engine_id: str, lease: float) -> ReturningUpdate[Any]:
        s = t.stacks.c
        values = {"owner": engine_id, "epoch": s.epoch + 1, "lease_until": self._lease_until(lease)}
        return update(t.stacks).values(values).returning(t.stacks)

    @uncancelled
    async def renew(self, engine_id: str, lease: float) -> Collection[str]:
        """Prolong every lease of this engine; returns the stacks that are still its own."""
        s = t.stacks.c
        mine = and_(s.owner == engine_id, s.run_json.isnot(None))
        # In one order, as group commits lock them: each would wait for the other otherwise.
        locked = select(s.id).where(mine).order_by(s.id).with_for_update(key_share=True)
        statement = (
            update(t.stacks).where(s.id.in_(locked), mine).values(lease_until=self._lease_until(lease)).returning(s.id)
        )
        async with self.database.renewals.begin() as connection:
            return frozenset((await connection.execute(statement)).scalars())

    @uncancelled
    async def release(self, engine_id: str, stack_ids: Sequence[str]) -> None:
        """Give back runs that rest: nobody has to wait for their leases to run out."""
        s = t.stacks.c
        for start in range(0, len(stack_ids), _IDS_AT_ONCE):
            some = stack_ids[start : start + _IDS_AT_ONCE]
            await self.database.write(
                update(t.stacks).where(s.id.in_(some), s.owner == engine_id).values(owner=None, lease_until=None)
            )

    async def release_all(self) -> None:
        """Free every lease: only for a process that knows it is the only one (the embedded default's state lock)."""
        await self.database.write(update(t.stacks).values(owner=None, lease_until=None))

    def _free_for(self, engine_id: str) -> ColumnElement[bool]:
        s = t.stacks.c
        return or_(s.owner.is_(None), s.lease_until < self._lease_now(), s.owner == engine_id)

    def _lease_now(self) -> ColumnElement[int]:
        """Leases are told by one clock: that of the database, where engines of several hosts share it."""
        if self.database.is_sqlite:
            return literal(self.clock.now(), BigInteger)
        return cast(extract("epoch", func.now()) * 1_000_000, BigInteger)

    def _lease_until(self, lease: float) -> ColumnElement[int]:
        return self._lease_now() + int(lease * 1e6)


def live_name(project_id: str, name: str) -> str:
    return f"{project_id}/{name}"


def source_value(source: Source) -> dict[str, Value]:
    return {
        "text": source.text,
        "files": dict(source.files),
        "environment": dict(source.environment),
        "parameters": dict(source.parameters),
        "name": source.name,
        **({"answers": dict(source.answers)} if source.answers else {}),
    }


def source_of(value: Mapping[str, Value]) -> Source:
    return Source(
        value["text"], value["files"], value["environment"], value["parameters"], value["name"],
        answers=value.get("answers", {}),
    )  # fmt: skip


def output_values(value: Sequence[Mapping[str, Value]]) -> tuple[OutputValue, ...]:
    return tuple(OutputValue(o["name"], o["value"], o["description"], o["export"], o["error"]) for o in value)


def outputs_value(outputs: Sequence[OutputValue]) -> list[dict[str, Value]]:
    return [
        {"name": o.name, "value": o.value, "description": o.description, "export": o.export, "error": o.error}
        for o in outputs
    ]


def stack_record(row: Any, vault: Vault) -> Stack:
    """The `Stack` of a row of `tables.stacks`."""
    return Stack(
        id=row.id,
        name=row.name,
        project_id=row.project_id,
        action=Action(row.action),
        status=Status(row.status),
        status_reason=row.reason,
        options=options_of(vault.open(row.options_json)),
        created=to_datetime(row.created),
        user_id=row.user_id,
        user_name=row.user_name,
        updated=None if row.updated is None else to_datetime(row.updated),
        deleted=None if row.deleted is None else to_datetime(row.deleted),
        reverting=Action(row.reverting) if row.reverting else None,
        cleaning=row.cleaning,
        description=row.description,
        dialect=row.dialect,
        parent_id=row.parent_id,
        parent_resource=row.parent_address,
        root_id=row.root_id,
        depth=row.depth,
        revision=row.revision,
        parameters=vault.open(row.parameters_json),
        outputs=output_values(vault.open(row.outputs_json)),
        operation_id=row.operation_id,
        client_token=row.client_token,
        version=row.version,
        drift=DriftStatus(row.drift_status or DriftStatus.NOT_CHECKED),
        drift_checked=None if row.drift_checked is None else to_datetime(row.drift_checked),
    )


__all__ = ["Store", "dump", "live_name", "outputs_value", "source_of", "source_value", "stack_record"]


def _export(row: Any, vault: Vault) -> Export:
    value, secret = vault.open_text(row.value)
    return Export(row.name, value, row.stack_id, row.stack_name, secret)
