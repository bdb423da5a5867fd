"""What comes to a stack that nobody asked to change: signals of its scaling policies, and word of nested stacks that
have changed by themselves.

It is left at an address of the stack, in the table of signals. A stack that rests is given a run of its own to take it
up, which leaves the stack's state as it is; one that runs takes it up when it rests. So the records of a stack have one
writer, and an engine that dies leaves the rest to the next.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.model.status import Action
from engine.model.value import Value
from engine.runs.context import RunContext
from engine.runs.spec import RunSpec
from engine.state import tables as t
from engine.state.vault import dump

_TENDING: Final = dump(RunSpec(Action.UPDATE, tending=True).value())


@dataclass(frozen=True, slots=True)
class Word:
    """Something that has come; `seq` orders it among the others."""

    seq: int
    address: str
    told: Mapping[str, Value]


async def leave_word(
    connection: AsyncConnection, context: RunContext, stack_id: str, address: str, told: Mapping[str, Value],
    unique_id: str | None = None,
) -> None:  # fmt: skip
    """Leave it for the stack, which is given a run if it rests; ring afterwards. A stack that is gone needs no word."""
    s = t.stacks.c
    # Locked: a run that ends at this moment either sees the word or is seen to have ended.
    query = select(s.run_json, s.deleted).where(s.id == stack_id).with_for_update(key_share=True)
    row = (await connection.execute(query)).first()
    if row is None or row.deleted is not None:
        return
    values = {
        "stack_id": stack_id, "address": address, "unique_id": unique_id,
        "signal_json": context.store.vault.seal(told), "time": context.clock.now(),
    }  # fmt: skip
    await connection.execute(insert(t.signals).values(values))
    if row.run_json is None:
        await connection.execute(update(t.stacks).where(s.id == stack_id).values(run_json=_TENDING))


async def words(context: RunContext, stack_id: str, addresses: Collection[str]) -> Sequence[Word]:
    """What has come to these addresses, oldest first."""
    g = t.signals.c
    query = select(g.seq, g.address, g.signal_json).where(g.stack_id == stack_id, g.address.in_(addresses))
    async with context.store.database.reader.connect() as connection:
        found = await connection.execute(query.order_by(g.seq))
        return [Word(row.seq, row.address, context.store.vault.open(row.signal_json)) for row in found]


async def take_up_later(connection: AsyncConnection, stack_id: str, addresses: Collection[str]) -> bool:
    """In the transaction in which a run ends: give the stack another if there is word at these addresses."""
    g = t.signals.c
    query = select(g.seq).where(g.stack_id == stack_id, g.address.in_(addresses)).limit(1)
    if (await connection.execute(query)).first() is None:
        return False
    await connection.execute(update(t.stacks).where(t.stacks.c.id == stack_id).values(run_json=_TENDING))
    return True


async def forget_words(connection: AsyncConnection, seqs: Collection[int]) -> int:
    """Returns how many there were."""
    return (await connection.execute(delete(t.signals).where(t.signals.c.seq.in_(seqs)))).rowcount
