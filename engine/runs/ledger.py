"""The rows of one stack while a run has them: every transition of a resource goes to disk here, with its event.

A group's own row moves with its members: in progress with the first, failed with the first that fails.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.model.clock import to_datetime
from engine.model.stack import Stack
from engine.model.status import Action, Status
from engine.model.template import Group
from engine.runs.context import RunContext
from engine.runs.reasons import bounded
from engine.state import tables as t
from engine.state.commit import Write
from engine.state.rows import ResourceRow, event_params

#: Columns of a stack that has nothing to run any more.
RELEASED: Mapping[str, Any] = {"run_json": None, "owner": None, "lease_until": None}

_MAKING = (Action.CREATE, Action.UPDATE)
_MOST_POSTED = 2000  # items that wait for the disk; beyond, a run waits with them


class Unwritten(Exception):
    """The database did not take a transition: the run stops where it is, and is taken up again."""


class Ledger:
    def __init__(self, context: RunContext, stack: Stack, epoch: int, rows: Iterable[ResourceRow]) -> None:
        self._context = context
        self.stack, self.epoch = stack, epoch
        self.rows: dict[str, list[ResourceRow]] = {}
        self._posted: Write | None = None
        self.released = False  # the stack's last transition of this run is on disk
        for row in rows:
            self.rows.setdefault(row.address, []).append(row)
        self._groups_begun = {
            row.address
            for row in self.all()
            if row.is_group and not row.condemned and row.status is Status.IN_PROGRESS and row.action in _MAKING
        }

    # --- looking --------------------------------------------------------------------------------------------------
    def generations(self, address: str) -> Sequence[ResourceRow]:
        return self.rows.get(address, ())

    def live(self, address: str) -> ResourceRow | None:
        """The standing generation that nobody has condemned."""
        standing = [row for row in self.rows.get(address, ()) if row.exists and not row.condemned]
        return max(standing, key=lambda row: row.generation) if standing else None

    def all(self) -> Iterable[ResourceRow]:
        for generations in self.rows.values():
            yield from generations

    def owned_ids(self, but: ResourceRow) -> frozenset[str]:
        """Physical ids that other rows of the same type own (tokens.md rule 3)."""
        return frozenset(
            row.physical_id for row in self.all() if row.physical_id and row is not but and row.type == but.type
        )

    # --- writing --------------------------------------------------------------------------------------------------
    def new_row(self, address: str, kind: str, group: str | None) -> ResourceRow:
        """The next generation, not yet written; its token belongs to its object alone (tokens.md rule 5)."""
        generation = 1 + max((row.generation for row in self.rows.get(address, ())), default=-1)
        row = ResourceRow(
            stack_id=self.stack.id,
            address=address,
            type=kind,
            token=token_of(self.stack.id, address, generation, self.stack.operation_id),
            generation=generation,
            group=group,
            created=self._context.clock.now(),
        )
        self.rows.setdefault(address, []).append(row)
        return row

    def unborn(self, address: str, kind: str) -> ResourceRow | None:
        """A row that was begun and stopped before anything was made."""
        rows = self.rows.get(address, ())
        return next((row for row in rows if row.action is Action.INIT and row.type == kind), None)

    async def move(
        self,
        row: ResourceRow,
        action: Action,
        status: Status,
        reason: str = "",
        *,
        group: Group | None = None,
        also: Sequence[ResourceRow] = (),
        guarded: bool = True,
        announce: bool = True,
        durable: bool = True,
    ) -> None:
        """Write `row` in its new state with its event, and `also` silently, in one transaction.

        `guarded` False: written even when a newer operation has begun (what a call in flight has made is recorded).
        `durable` False: return before it is on disk; whatever is written later gets there later. Raises Fenced.
        """
        now = self._context.clock.now()
        row.action, row.status, row.reason, row.updated = action, status, bounded(reason), now
        changed, events = [row, *also], []
        if group is not None:
            opened = self._open_group(group, row, now)
            if opened is not None:
                changed.extend(self.rows[group.address])
                events.append(event_params(self.stack, now, opened))
        if announce:
            events.append(event_params(self.stack, now, row))
        await self.write(changed, events, guarded=guarded, durable=durable)

    async def note(self, row: ResourceRow, reason: str, *, also: Callable[[AsyncConnection], Awaitable[None]]) -> None:
        """Tell something about `row` that is no new state of it."""
        told = event_params(self.stack, self._context.clock.now(), row, reason=bounded(reason))
        await self.write([row], [told], also=also)

    async def write(self, rows: Sequence[ResourceRow], events: Sequence[dict[str, object]] = (),
                    *, guarded: bool = True, durable: bool = True,
                    also: Callable[[AsyncConnection], Awaitable[None]] | None = None) -> None:  # fmt: skip
        vault = self._context.store.vault
        item = Write(
            stack_id=self.stack.id,
            epoch=self.epoch,
            operation_id=self.stack.operation_id if guarded else None,
            resources=[row.params(vault) for row in rows],
            events=events,
            also=also,
            after=self._unanswered(),
        )
        committer = self._context.committer
        if not durable and committer.backlog < _MOST_POSTED:
            committer.post(item)
            self._posted = item
            return
        try:
            await committer.write(item)
        except (SQLAlchemyError, OSError) as error:
            raise Unwritten(str(error)) from error

    def _unanswered(self) -> Write | None:
        """The last item that was posted, unless it is known to be on disk."""
        if self._posted is not None and self._posted.durable:
            self._posted = None
        return self._posted

    async def move_stack(
        self, action: Action, status: Status, reason: str, *, announce: bool = True, also: Write | None = None,
        **columns: Any,
    ) -> None:  # fmt: skip
        """Write the stack's own new state, and tell of it where it is an end. `also` brings more to the same
        transaction. Raises Fenced."""
        now, reason = self._context.clock.now(), bounded(reason)
        reverting = columns.get("reverting", self.stack.reverting)
        cleaning = columns.get("cleaning", self.stack.cleaning)
        self.stack = replace(
            self.stack, action=action, status=status, status_reason=reason,
            reverting=None if reverting is None else Action(reverting), cleaning=bool(cleaning),
        )  # fmt: skip
        write = also or Write(stack_id=self.stack.id)
        write.epoch, write.operation_id = self.epoch, self.stack.operation_id
        write.after = self._unanswered()
        write.stack = {
            "action": action.value,
            "status": status.value,
            "reason": reason,
            "reverting": None if reverting is None else Action(reverting).value,
            **{name: value for name, value in columns.items() if name != "reverting"},
        }
        if announce:
            write.events = [*write.events, event_params(self.stack, now, None)]
        await self._context.committer.write(write)
        self.released = "run_json" in columns and columns["run_json"] is None
        if status is not Status.IN_PROGRESS:
            updated, description = columns.get("updated"), columns.get("description", self.stack.description)
            self._context.notifier.stack(replace(
                self.stack, description=description,
                updated=self.stack.updated if updated is None else to_datetime(updated),
            ))  # fmt: skip

    async def release(self, last: Write, changed: Mapping[str, Any]) -> None:
        """End a run that leaves the stack's state as it is. Nobody sees a new version of the stack unless columns are
        `changed`. Raises Fenced."""
        more = last.also

        async def also(connection: AsyncConnection) -> None:
            mine = update(t.stacks).where(t.stacks.c.id == self.stack.id)
            await connection.execute(mine.values(**RELEASED))
            if more is not None:
                await more(connection)

        last.epoch, last.operation_id, last.after = self.epoch, self.stack.operation_id, self._unanswered()
        last.stack, last.also = dict(changed) or None, also
        await self._context.committer.write(last)
        self.released = True

    # --- groups ---------------------------------------------------------------------------------------------------
    def _open_group(self, group: Group, member: ResourceRow, now: int) -> ResourceRow | None:
        """The group's row to write along with `member`'s transition, None when it need not move."""
        failing = member.status is Status.FAILED
        begun = group.address in self._groups_begun
        if (begun and not failing) or member.status is Status.COMPLETE:
            return None
        row = self.group_row(group)
        if row is None:
            row = self.new_group(group)
            if member.action is Action.IMPORT:
                row.action = Action.IMPORT
        elif failing and begun and row.status is Status.FAILED:
            return None
        elif not begun:
            unborn = row.action in (Action.CREATE, Action.IMPORT) and row.status is not Status.COMPLETE
            row.action = row.action if unborn else Action.UPDATE
        if member.action is Action.DELETE:
            return None
        row.status = Status.FAILED if failing else Status.IN_PROGRESS
        row.reason = member.reason if failing else ""
        row.updated = now
        self._groups_begun.add(group.address)
        return row

    def group_row(self, group: Group) -> ResourceRow | None:
        """The row of that very group; what else has its address (another type) is no part of it."""
        row = self.live(group.address)
        return row if row is not None and row.is_group and row.type == group.type else None

    def new_group(self, group: Group) -> ResourceRow:
        """The group's first row, not yet written; what had its address before is left to the cleanup."""
        for other in self.generations(group.address):
            other.condemned = True
        row = self.new_row(group.address, group.type, None)
        row.is_group, row.token, row.description = True, "", group.description
        row.action, row.status = Action.CREATE, Status.IN_PROGRESS
        return row

    def group_begun(self, address: str) -> bool:
        """Whether a member has moved in this run."""
        return address in self._groups_begun


def token_of(stack_id: str, address: str, generation: int, operation_id: str | None) -> str:
    """`oe-` and 26 lower-case hex digits (tokens.md rule 5). Generations are counted anew once their rows are gone, the
    operation is never the same again: what bears the token of a row that is forgotten is nobody's."""
    digest = hashlib.sha256(f"{stack_id}/{address}/{generation}/{operation_id}".encode()).hexdigest()
    return f"oe-{digest[:26]}"
