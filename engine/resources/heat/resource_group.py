"""OS::Heat::ResourceGroup: so many of one kind, each with its index in its properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from typing import Any

from engine.model.value import Value
from engine.resources.base import Kind, Nested, Operation
from engine.resources.declare import attribute, between, integer, length, listing, mapping, number, one_of, string
from engine.resources.heat import members
from engine.resources.heat.members import Definitions, next_state, phase, resources_text
from engine.resources.heat.rolling import Pace, pace_of, pause, roll

_BATCH = {
    "max_batch_size": integer(between(1), default=1),
    "pause_time": number(between(0), default=0),
}


class ResourceGroup(members.MembersType):
    """The members are called 0, 1, 2 …; one that a removal policy took away leaves its name unused for ever."""

    name = "OS::Heat::ResourceGroup"
    properties = {
        "count": integer(between(0), default=1, mutable=True),
        "index_var": string(length(3), default="%index%"),
        "resource_def": mapping(
            {"type": string(required=True), "properties": mapping(None), "metadata": mapping(None)},
            required=True,
            mutable=True,
        ),
        "removal_policies": listing(mapping({"resource_list": listing(None, default=[])}), default=[], mutable=True),
        "removal_policies_mode": string(one_of("append", "update"), default="append", mutable=True),
    }
    attributes = {
        "refs": attribute(Kind.LIST),
        "refs_map": attribute(Kind.MAP),
        "attributes": attribute(Kind.MAP),
        "removed_rsrc_list": attribute(Kind.LIST),
    }
    update_policy = {
        "batch_create": mapping(_BATCH),
        "rolling_update": mapping({"min_in_service": integer(between(0), default=0), **_BATCH}),
    }

    # --- what templates ask ---------------------------------------------------------------------------------------
    def has_attribute(self, name: str) -> bool:
        """Any name: it is asked of every member."""
        return True

    async def child(self, op: Operation) -> Nested:
        return nested(definitions(op.properties, op.data.get("removed", ())))

    # --- the verbs ------------------------------------------------------------------------------------------------
    async def create(self, op: Operation) -> str | None:
        await self._note_removed(op, [])
        wanted = definitions(op.properties, op.data.get("removed", ()))
        pace = _pace(op, "batch_create")
        first = islice(wanted.items(), None if pace is None else pace.batch_size)
        return await op.services.start_nested(op, nested(dict(first)))

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        assert op.physical_id is not None
        wanted = definitions(op.properties, op.data.get("removed", ()))
        outputs = await op.services.nested_done(op.physical_id)
        pace = _pace(op, "batch_create")
        if pace is not None:
            begun = len(await op.services.nested_resources(op.physical_id))
            while begun < len(wanted):
                begun = min(begun + pace.batch_size, len(wanted))
                await pause(op, pace)
                outputs = await phase(op, nested(dict(islice(wanted.items(), begun))))
        return await self.gathered(op, outputs)

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        assert op.physical_id is not None
        present = [name for name, _, _ in await op.services.nested_resources(op.physical_id)]
        removed = op.data.get("removed", ())
        before = {n: d for n, d in definitions(op.before, removed, also=present).items() if n in present}
        await self._note_removed(op, await op.services.nested_resources(op.physical_id))
        wanted = definitions(op.properties, op.data.get("removed", ()))
        pace = _pace(op, "rolling_update")
        if pace is not None and before:
            await self._roll(op, before, pace)
        await op.services.start_nested(op, nested(wanted))

    async def gathered(self, op: Operation, outputs: Mapping[str, Value]) -> dict[str, Any]:
        assert op.physical_id is not None
        found = await op.services.nested_resources(op.physical_id)
        in_order = sorted(found, key=lambda one: (len(one[0]), one[0]))
        return members.gather(in_order, op.data.get("removed", ()))

    # --- batches --------------------------------------------------------------------------------------------------
    async def _roll(self, op: Operation, before: Definitions, pace: Pace) -> None:
        """Go from `before` to the new definitions batch by batch; the last state is left to the caller."""
        removed = op.data.get("removed", ())
        standing = {name: one for name, one in before.items() if name not in set(removed)}

        async def batch(capacity: int, fresh: int) -> None:
            nonlocal standing
            standing = next_state(standing, definitions(op.properties, removed, size=capacity), fresh)
            await phase(op, nested(standing))

        await roll(op, pace, op.properties["count"], len(standing), batch)

    # --- names ------------------------------------------------------------------------------------------------------
    async def _note_removed(self, op: Operation, present: Sequence[members.Member]) -> None:
        """Write down which names are never used again (from now on, or in place of those before)."""
        before = list(op.data.get("removed", ()))
        keep = before if op.properties["removal_policies_mode"] == "append" else []
        now = list(dict.fromkeys([*keep, *_to_remove(op.properties["removal_policies"], before, present)]))
        if now != before:
            await op.remember(removed=now)


def _to_remove(
    policies: Sequence[Mapping[str, Value]], known: Sequence[str], present: Sequence[members.Member]
) -> Iterator[str]:
    """Names of members by name or reference. Before there are any, every name counts."""
    names = {name for name, _, _ in present}
    by_reference = {reference: name for name, reference, _ in present if reference}
    for policy in policies:
        for one in policy.get("resource_list") or ():
            text = str(one)
            if not present or text in names or text in known:
                yield text
            elif text in by_reference:
                yield by_reference[text]


def _pace(op: Operation, policy: str) -> Pace | None:
    found = op.update_policy.get(policy)
    if not isinstance(found, Mapping):
        return None
    return pace_of(found)


def definitions(
    properties: Mapping[str, Value], removed: Sequence[str], *, size: int | None = None, also: Sequence[str] = ()
) -> Definitions:
    """Name → resource definition of the first `size` members (default: the count), and of those named in `also`."""
    gone = set(removed)
    free = (str(index) for index in count() if str(index) not in gone)
    names = [*islice(free, properties["count"] if size is None else size)]
    names += [name for name in also if name not in names]
    definition = properties["resource_def"]
    return {name: _with_index(definition, properties["index_var"], name) for name in names}


def _with_index(value: Value, variable: str, index: str) -> Value:
    if isinstance(value, str):
        return value.replace(variable, index)
    if isinstance(value, Mapping):
        return {key: _with_index(one, variable, index) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_with_index(one, variable, index) for one in value]
    return value


def nested(state: Definitions) -> Nested:
    return Nested(template=resources_text(state))
