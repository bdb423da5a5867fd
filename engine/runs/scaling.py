"""Making groups larger and smaller on signals (heat.md ENGA-12 to ENGA-15).

A signal is used up in the same transaction that writes the new definition of the group's stack, with its run: it is
neither lost nor obeyed twice. That run tells this stack when it ends; then the cooldown begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.cloud.errors import CloudError
from engine.model.stack import Stack
from engine.model.status import Action, Status
from engine.model.value import Value
from engine.resources.base import OperationFailed
from engine.resources.heat.capacity import SCALING, Adjustment, adjusted, begun, ended, is_cooling
from engine.resources.heat.nested import NestedType
from engine.resources.heat.scaling_group import ScalingGroup
from engine.resources.heat.scaling_policy import Policy
from engine.runs.children import Begin, Children
from engine.runs.context import RunContext
from engine.runs.ledger import Ledger
from engine.runs.reasons import bounded
from engine.runs.step import Stepper
from engine.runs.tending import Word, forget_words, words
from engine.state.commit import Fenced
from engine.state.rows import ResourceRow, event_params

log = structlog.get_logger(__name__)


class Scaling:
    """Of one run of the stack that has the groups and policies."""

    def __init__(
        self, context: RunContext, ledger: Ledger, stepper: Stepper, children: Children, events_of: str | None
    ) -> None:
        """`events_of`: the operation that its events are part of."""
        self._context, self._ledger, self._stepper, self._children = context, ledger, stepper, children
        self._stack = replace(ledger.stack, operation_id=events_of)

    # --- what has come to the stack -----------------------------------------------------------------------------------
    async def take_up(self) -> Sequence[Word]:
        """Obey signals, or ignore them, and look at nested stacks that have changed; returns the words of these, to be
        forgotten when all that follows from them is on disk."""
        heard = []
        for word in await words(self._context, self._ledger.stack.id, listening(self._context, self._ledger)):
            row = self._ledger.live(word.address)
            kind = None if row is None else self._context.registry.get(row.type)
            if row is not None and isinstance(kind, Policy):
                await self._signal(word, row, kind)
            else:
                heard.append(word)
                if row is not None and isinstance(kind, NestedType):
                    await self._look(row, kind)
        return heard

    async def _look(self, row: ResourceRow, kind: NestedType) -> None:
        """The nested stack has changed by itself. While it changes on, its next end is told too."""
        child = None if row.physical_id is None else await self._context.store.stack(row.physical_id)
        if child is None or child.deleted is not None or child.status is Status.IN_PROGRESS:
            return
        row.attributes = await self._gathered(row, kind, child)
        if row.data.get(SCALING):
            await self._end(row, child)
        else:
            await self._ledger.write([row])

    async def _gathered(self, row: ResourceRow, kind: NestedType, child: Stack) -> Mapping[str, Value]:
        operation = self._stepper.operation(row, row.properties)
        return await kind.gathered(operation, {output.name: output.value for output in child.outputs})

    # --- beginning ----------------------------------------------------------------------------------------------------
    async def _signal(self, word: Word, policy: ResourceRow, kind: Policy) -> None:
        adjustment = kind.adjustment(policy.properties)
        log.info("a scaling policy was signalled", stack=self._ledger.stack.name, policy=policy.address,
                 state=_alarm_state(word.told))  # fmt: skip
        group = await self._group(adjustment.group)
        why_not = "there is no such group" if group is None else await self._why_not(policy, group)
        if group is None or why_not:
            await self._ignore(word, policy, why_not)
            return
        group_kind = self._context.registry.get(group.type)
        assert isinstance(group_kind, ScalingGroup)
        operation = self._stepper.operation(group, group.properties)
        limits, current = group_kind.limits(group.properties), (await group_kind.standing(operation)).size
        size = adjusted(current, adjustment, limits)
        if size == current:
            await self._ignore(word, policy, f"the group has {current} already, or may not have more or fewer")
            return

        async def together(begin: Begin) -> None:
            await self._begin(word, policy, group, adjustment, (current, size, limits.cooldown), begin)

        async def resize() -> None:
            await self._children.by_itself(operation, await group_kind.resized(operation, size), together)

        try:
            await self._stepper.patiently(resize)
        except (OperationFailed, CloudError) as error:
            reason = bounded(f"{_name(group)} cannot be scaled from {current} to {size}: {error}")
            told = self._event(policy, Status.FAILED, reason)
            await self._ledger.write([], [told], also=_used_up(word))

    async def _begin(
        self, word: Word, policy: ResourceRow, group: ResourceRow, adjustment: Adjustment,
        sizes: tuple[int, int, float | None], begin: Begin,
    ) -> None:  # fmt: skip
        current, size, cooldown = sizes
        note: dict[str, Value] = {
            "policy": policy.address, "from": current, "to": size, "why": str(adjustment),
            "adjustment": adjustment.amount, "adjustment_type": adjustment.kind,
            "cooldown": cooldown if adjustment.cooldown is None else adjustment.cooldown,
            "policy_cooldown": adjustment.cooldown,
        }  # fmt: skip
        for row in (policy, group):
            row.data = {**row.data, **begun(note, row.data)}
        told = self._event(
            policy, Status.COMPLETE, f"Scaling {_name(group)} from {current} to {size} ({adjustment})"
        )  # fmt: skip
        used_up = _used_up(word)

        async def both(connection: AsyncConnection) -> None:
            await used_up(connection)
            await begin(connection)

        await self._ledger.write([policy, group], [told], also=both)
        self._notify("start", group, note, current, "Start resizing the group {}")

    async def _why_not(self, policy: ResourceRow, group: ResourceRow) -> str:
        """Why the signal is ignored (ENGA-13); nothing where it is obeyed."""
        if self._ledger.stack.action in (Action.SUSPEND, Action.DELETE):
            return f"the stack is in state {self._ledger.stack.state}"
        if group.status is not Status.COMPLETE or group.physical_id is None:
            return f"the group is in state {group.action}_{group.status}"
        child = await self._context.store.stack(group.physical_id)
        if child is None or child.deleted is not None:
            return "the group does not exist any more"
        if child.status is Status.IN_PROGRESS:
            return "the group is being changed"
        await self.settle(group)  # what changed it has ended, word of that comes after the signal
        now = self._context.clock.now()
        return "cooldown" if is_cooling(policy.data, now) or is_cooling(group.data, now) else ""

    async def _ignore(self, word: Word, policy: ResourceRow, why: str) -> None:
        log.info("the signal is ignored", stack=self._ledger.stack.name, policy=policy.address, because=why)
        await self._ledger.write([], also=_used_up(word))

    async def _group(self, reference: str) -> ResourceRow | None:
        address = await self._children.scaling_group(reference)
        return None if address is None else self._ledger.live(address)

    # --- ending -------------------------------------------------------------------------------------------------------
    async def settle(self, row: ResourceRow) -> None:
        """Wait until the group, if its size is being changed, stands as it is to be."""
        kind = self._context.registry.get(row.type)
        if row.data.get(SCALING) and isinstance(kind, NestedType) and row.physical_id is not None:
            child = await self._children.ended(row.physical_id)
            row.attributes = await self._gathered(row, kind, child)
            await self._end(row, child)

    async def overtake(self, row: ResourceRow) -> None:
        """A change of the group itself takes the place of what changes its size."""
        if row.data.get(SCALING):
            await self._end(row, None)

    async def _end(self, group: ResourceRow, child: Stack | None) -> None:
        """`child`: the group's stack, at its end; None where its run has been overtaken."""
        note, now = group.data[SCALING], self._context.clock.now()
        failed = child is not None and child.status is Status.FAILED
        policy = self._ledger.live(note["policy"])
        group.data = {**group.data, **ended(group.data, now, None if failed else (note["cooldown"], note["why"]))}
        if policy is not None:
            cooldown = None if failed else (note["policy_cooldown"], note["why"])
            policy.data = {**policy.data, **ended(policy.data, now, cooldown)}
        what = f"from {note['from']} to {note['to']}"
        if child is not None and failed:
            told = self._event(group, Status.FAILED, bounded(f"Scaling {what} failed: {child.status_reason}"))
        else:
            told = self._event(group, Status.COMPLETE, f"Scaled {what} ({note['why']})")
        await self._ledger.write([group] if policy is None else [group, policy], [told])
        if child is not None and failed:
            self._notify("error", group, note, note["from"], bounded(child.status_reason))
        else:
            self._notify("end", group, note, note["to"], "End resizing the group {}")

    def _notify(self, suffix: str, group: ResourceRow, note: Mapping[str, Value], capacity: int, message: str) -> None:
        """ENGE-06, in Heat's words. A note of an older version does not say what was asked."""
        kind = self._context.registry.get(group.type)
        name = str(kind.reference(group.physical_id, group.attributes, group.address))
        self._context.notifier.autoscaling(
            self._ledger.stack, suffix, groupname=name, message=message.replace("{}", name), capacity=capacity,
            adjustment=note.get("adjustment"), adjustment_type=note.get("adjustment_type"),
        )  # fmt: skip

    def _event(self, row: ResourceRow, status: Status, reason: str) -> dict[str, object]:
        """Of a row that is part of a group, the group's event."""
        shown = (self._ledger.live(row.group) if row.group else None) or row
        return event_params(
            self._stack, self._context.clock.now(), shown, action=Action.SIGNAL, status=status, reason=reason
        )


def listening(context: RunContext, ledger: Ledger) -> list[str]:
    """Addresses to which word may come: of scaling policies, and of nested stacks."""
    found = []
    for row in ledger.all():
        kind = None if row.is_group else context.registry.find(row.type)
        if kind is not None and (kind.nested or isinstance(kind, Policy)):
            found.append(row.address)
    return found


def _used_up(word: Word) -> Begin:
    async def use(connection: AsyncConnection) -> None:
        if await forget_words(connection, [word.seq]) != 1:
            raise Fenced(f"signal {word.seq}")  # somebody else has obeyed it

    return use


def _name(row: ResourceRow) -> str:
    return row.group or row.address


def _alarm_state(told: Mapping[str, Value]) -> str:
    """ENGA-15: what an alarm says of itself; every signal scales."""
    raw = told.get("raw") or {}
    return str(raw.get("current", raw.get("state", "alarm"))).lower()
