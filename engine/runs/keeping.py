"""How much is kept and made: events of a stack, resources of a tree (heat.md ENGN-03, ENGN-06)."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from engine.model.status import Action, Status
from engine.runs.context import RunContext
from engine.state import tables as t


async def prune_events(context: RunContext, stack_id: str) -> None:
    """Forget the oldest events beyond `max_events_per_stack`; those of the last operation stay, however many."""
    most = context.settings.max_events_per_stack
    if most < 0:
        return
    e = t.events.c
    database = context.store.database
    oldest = select(e.seq).where(e.stack_id == stack_id).order_by(e.seq.desc()).limit(1).offset(most)
    async with database.reader.connect() as connection:
        last = (await connection.execute(oldest)).scalar()
    if last is None:
        return
    now = select(t.stacks.c.operation_id).where(t.stacks.c.id == stack_id).scalar_subquery()
    await database.write(
        delete(t.events).where(e.stack_id == stack_id, e.seq <= last, e.operation_id.is_distinct_from(now))
    )


async def resources_of_tree(context: RunContext, root_id: str, but: str) -> int:
    """How many resources the stacks of a tree have, as users see them, those of the stack `but` left out."""
    r, s = t.resources.c, t.stacks.c
    gone = (r.action == Action.DELETE.value) & (r.status == Status.COMPLETE.value)
    query = (
        select(func.count())
        .select_from(t.resources.join(t.stacks, s.id == r.stack_id))
        .where(s.root_id == root_id, s.deleted.is_(None), s.id != but, r.grp.is_(None), ~r.condemned, ~gone)
    )
    async with context.store.database.reader.connect() as connection:
        return int((await connection.execute(query)).scalar_one())
