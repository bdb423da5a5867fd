"""Signals from outside: wait conditions, creation policies, breakpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.door.part import Part
from engine.model.diagnostic import invalid
from engine.model.errors import InvalidHook, InvalidState, NotSupported, ResourceNotFound
from engine.model.settings import HOOKS
from engine.model.stack import Caller
from engine.model.status import Action
from engine.model.value import Value
from engine.resources.heat.scaling_policy import Policy
from engine.resources.isotherm.custom_resource import REQUEST
from engine.runs.tending import leave_word
from engine.state import tables as t
from engine.state.commit import Write
from engine.state.rows import ResourceRow, event_params


@dataclass(frozen=True, slots=True)
class Signal:
    """`status` SUCCESS or FAILURE; the same `unique_id` again is ignored or overwrites, as the type says."""

    status: str | None = None
    unique_id: str | None = None
    reason: str | None = None
    data: Value = None
    raw: Mapping[str, Value] = field(default_factory=dict)  # the body as it came


class Signals(Part):
    async def signal(self, caller: Caller, ref: str, address: str, signal: Signal) -> None:
        """Keep the signal and wake who waits for it. Raises NotSupported for types that take none."""
        stack = await self._live(caller, ref)
        rows = [r for r in await self._context.store.resources(stack.id) if r.exists and not r.condemned]
        found = [r for r in rows if r.address == address]
        if not found:
            raise ResourceNotFound(address, stack.name)
        if stack.action in (Action.SUSPEND, Action.DELETE):
            raise NotSupported(f"Signal resource during {stack.action} is not supported.")
        takers = [r for r in rows if r.address == address or r.group == address]
        kinds = [self._context.registry.get(r.type) for r in takers if not r.is_group]
        if not any(kind.signalable for kind in kinds):
            raise NotSupported(f"Resource {address} of type {found[0].type} takes no signals.")
        _check_size(signal, min((kind.most_signal_bytes for kind in kinds if kind.most_signal_bytes), default=None))
        value = {
            "status": signal.status,
            "unique_id": signal.unique_id,
            "reason": signal.reason,
            "data": signal.data,
            "raw": dict(signal.raw),
        }
        policies = [r.address for r in takers if not r.is_group and self._scales(r)]
        if policies:
            await self._scale(stack.id, policies, signal.unique_id, value)
            return
        places = {address, *(r.address for r in takers if not r.is_group)}
        for place in sorted(places):
            await self._context.store.add_signal(stack.id, place, signal.unique_id, value)
        self._context.tell([f"{stack.id}/{place}" for place in places])

    def _scales(self, row: ResourceRow) -> bool:
        return isinstance(self._context.registry.get(row.type), Policy)

    async def _scale(
        self, stack_id: str, policies: Sequence[str], unique_id: str | None, value: Mapping[str, Value]
    ) -> None:
        """The stack takes it up when it rests; whether it is obeyed is seen then (heat.md ENGA-13)."""

        async def leave(connection: AsyncConnection) -> None:
            for address in policies:
                await leave_word(connection, self._context, stack_id, address, value, unique_id)

        await self._context.committer.write(Write(stack_id=stack_id, also=leave))
        self._context.ring(stack_id)

    async def respond(self, caller: Caller, ref: str, address: str, body: Mapping[str, Value]) -> None:
        """Keep what the handler of a custom resource says to a request. Raises InvalidState when that request does not
        wait for an answer (any more)."""
        stack = await self._live(caller, ref)
        rows = [row for row in await self._context.store.resources(stack.id) if row.address == address]
        if not rows:
            raise ResourceNotFound(address, stack.name)
        request_id = body.get("RequestId")
        if not any((row.data.get(REQUEST) or {}).get("id") == request_id for row in rows):
            raise InvalidState(f"The request [{str(request_id)[:60]}] does not wait for an answer.")
        await self._context.store.add_signal(stack.id, address, str(request_id), {"raw": dict(body)})
        self._context.tell([f"{stack.id}/{address}"])

    async def clear_hook(self, caller: Caller, ref: str, address: str, hook: str) -> None:
        """Let the run go on that has stopped at this breakpoint (ENGU-09). Raises InvalidHook when none has."""
        if hook not in HOOKS:
            raise InvalidHook(f'Invalid hook type "{hook}". There are: {", ".join(sorted(HOOKS))}.')
        stack = await self._live(caller, ref)
        rows = [row for row in await self._context.store.resources(stack.id) if row.address == address]
        if not rows:
            raise ResourceNotFound(address, stack.name)
        row = max(rows, key=lambda one: one.generation)
        h = t.hooks.c
        this = (
            h.stack_id == stack.id, h.address == address, h.hook == hook, h.operation_id == stack.operation_id,
            h.cleared.is_(False),
        )  # fmt: skip
        async with self._context.store.database.reader.connect() as connection:
            waiting = (await connection.execute(select(h.hook).where(*this))).first()
        if waiting is None:
            raise InvalidHook(
                f'The "{hook}" hook is not defined on {row.type} "{address}", or nothing waits for it now.'
            )

        async def clear(connection: AsyncConnection) -> None:
            await connection.execute(update(t.hooks).where(*this).values(cleared=True))

        told = event_params(stack, self._context.clock.now(), row, reason=f"Hook {hook} is cleared")
        await self._context.committer.write(Write(stack_id=stack.id, events=[told], also=clear))
        self._context.tell([f"{stack.id}/{address}"])


def _check_size(signal: Signal, most: int | None) -> None:
    """Raises Invalid for more data than the resource takes."""
    if most is None or signal.data is None:
        return
    text = signal.data if isinstance(signal.data, str) else json.dumps(signal.data)
    size = len(text.encode())
    if size > most:
        raise invalid("SignalTooLarge", f"The Data of a signal may have at most {most} bytes; this has {size}.",
                      "Store what is larger elsewhere, and signal where it is.")  # fmt: skip
