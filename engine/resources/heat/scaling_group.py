"""Groups whose size is a matter of the moment: what their types share (heat.md ENGA-14).

The members of today are those of the child's definition: it is written together with whatever changes them, so nothing
else needs to remember how many there are. A change takes away, or makes new, those first that have failed, then the
oldest.
"""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from engine.model.value import Value
from engine.resources.base import Nested, Operation
from engine.resources.heat import capacity, members
from engine.resources.heat.capacity import Limits
from engine.resources.heat.members import Definitions, next_state, phase, resources_text
from engine.resources.heat.rolling import Pace, roll

_NAMES: Final = uuid.UUID("0b1f0a52-8f4e-4a8e-9f64-6d2f6c1c7a11")
_KEPT = "size_to_be"  # a note: the size that an update which goes through batches is to end with

Definition = Mapping[str, Value]
#: Makes the definition a member is to have from the one it has, None for a new one, and those of the others.
Maker = Callable[[Definition | None, Sequence[Definition]], Definition]
#: Whether a member that gets the second definition after the first is another one, and not the same one changed.
Renewing = Callable[[Definition, Definition], bool]


@dataclass(frozen=True, slots=True)
class Members:
    """The members as they stand: definitions in the order of the child's template, and names by age."""

    definitions: Definitions
    well: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Members that have failed do not count."""
        return len(self.well)

    def are_made_by(self, make: Maker) -> bool:
        return all(one == make(one, self._but(name)) for name, one in self.definitions.items())

    def turned(
        self, token: str, size: int, make: Maker, fresh: int = 0, renewing: Renewing = lambda _old, _new: False
    ) -> Definitions:
        """`size` members, of which so many get the definition that is made now: new ones, then failed, then old ones.
        Names of new members follow from those that stand: asked twice, the answer is the same."""
        by_age = [*(name for name in self.definitions if name not in self.well), *self.well]
        kept = by_age[max(0, len(by_age) - size) :]
        standing = {name: self.definitions[name] for name in kept}
        wanted = {name: make(one, [o for n, o in standing.items() if n != name]) for name, one in standing.items()}
        seed = f"{token}/{'/'.join(self.definitions)}"
        for number in range(size - len(kept)):
            name = uuid.uuid5(_NAMES, f"{seed}/{number}").hex[:12]
            wanted[name] = make(None, list(wanted.values()))
        state = next_state(standing, wanted, fresh)
        order = [
            *(name for name in self.definitions if name in state),
            *(name for name in wanted if name not in standing),
        ]
        new = {
            name: uuid.uuid5(_NAMES, f"{seed}/{name}").hex[:12]
            for name, one in standing.items()
            if state[name] != one and renewing(one, state[name])
        }
        order.sort(key=lambda name: name in new)  # what stays goes before what is new
        return {new.get(name, name): state[name] for name in order}

    def _but(self, name: str) -> list[Definition]:
        return [one for other, one in self.definitions.items() if other != name]


class ScalingGroup(members.MembersType):
    """A type says what a member is, what its limits are, and how it goes through its members when they change."""

    scalable: ClassVar[bool] = True

    def limits(self, properties: Mapping[str, Value]) -> Limits:
        raise NotImplementedError

    async def maker(self, op: Operation) -> Maker:
        """What makes the definitions of members."""
        raise NotImplementedError

    def pace(self, op: Operation) -> Pace | None:
        """None: members keep the definition they were made with."""
        raise NotImplementedError

    # --- what templates ask -----------------------------------------------------------------------------------------
    def has_attribute(self, name: str) -> bool:
        """`resource.N` and `resource.N.attribute` besides those that are declared; N is a name, or a place by age."""
        return super().has_attribute(name) or name.startswith("resource.")

    def attribute(self, attributes: Mapping[str, Value], name: str) -> Value:
        return self.attribute_at(attributes, name, ())[0]

    def attribute_at(self, attributes: Mapping[str, Value], name: str, path: Sequence[Value]) -> tuple[Value, int]:
        found = attributes.get(members.MEMBERS) or {}
        if name == "outputs" and path:
            return members.by_member(found, path), len(path)
        if name == "outputs_list" and path:
            return list(members.by_member(found, path).values()), len(path)
        if name in ("outputs", "outputs_list"):
            return ({**found} if name == "outputs" else list(found.values())), 0
        if name.startswith("resource."):
            steps = name.split(".", 2)[1:]
            steps[0] = _by_place(steps[0], list(found))
            return members.of_one(attributes, [*steps, *path]), len(path)
        if name == "show":
            return members.ask(attributes, name, path)
        return attributes.get(name), 0

    def everything(self, attributes: Mapping[str, Value]) -> dict[str, Value]:
        return members.without_members(attributes)

    async def gathered(self, op: Operation, outputs: Mapping[str, Value]) -> dict[str, Any]:
        assert op.physical_id is not None
        found = {one[0]: one for one in await op.services.nested_resources(op.physical_id)}
        by_age = [found[name] for name in (await self.standing(op)).well if name in found]
        return {**members.gather(by_age), "current_size": len(by_age)}

    # --- the verbs ------------------------------------------------------------------------------------------------
    async def child(self, op: Operation) -> Nested:
        """The group as it begins."""
        limits = self.limits(op.properties)
        return await self._of_size(
            op, Members({}), limits.clamp(limits.low if limits.desired is None else limits.desired)
        )

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        """Making a group, and updating it, begin a cooldown too."""
        found = await super().ready(op)
        if not self.scalable:
            return found
        limits, now = self.limits(op.properties), op.services.now()
        size = found["current_size"]
        await op.remember(**capacity.ended(op.data, now, (limits.cooldown, f"exact_capacity : {size}")))
        return found

    def size_to_be(self, op: Operation, changed: frozenset[str], now: int) -> int:
        """The size that an update ends with, before the limits are applied; `now`: the size it finds."""
        desired = self.limits(op.properties).desired
        return now if desired is None else desired

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        pace, make = self.pace(op), await self.maker(op)
        standing, kept = await self.standing(op), op.data.get(_KEPT)
        size = self.limits(op.properties).clamp(self.size_to_be(op, changed, standing.size if kept is None else kept))
        if pace is not None and not standing.are_made_by(make):
            await op.remember(**{_KEPT: size})
            await self._roll(op, pace, make)
        await op.services.start_nested(op, await self._of_size(op, await self.standing(op), size))
        if op.data.get(_KEPT) is not None:
            await op.remember(**{_KEPT: None})

    # --- sizes ------------------------------------------------------------------------------------------------------
    async def standing(self, op: Operation) -> Members:
        assert op.physical_id is not None
        child = await op.services.nested_standing(op.physical_id)
        definitions = self.definitions_in(child.text)
        well = [name for name in definitions if name in child.well]
        return Members(definitions, tuple(sorted(well, key=lambda name: child.well[name])))

    async def resized(self, op: Operation, size: int) -> Nested:
        """The child with so many members."""
        return await self._of_size(op, await self.standing(op), size)

    async def _of_size(self, op: Operation, standing: Members, size: int) -> Nested:
        return Nested(template=self.text_of(op, standing.turned(op.token, size, await self.maker(op))))

    def renews(self, op: Operation, old: Definition, new: Definition) -> bool:
        """Whether a member that is to be so makes room for another one."""
        return False

    def text_of(self, op: Operation, state: Definitions) -> str:
        """The child's template."""
        return resources_text(state)

    def definitions_in(self, text: str) -> Definitions:
        """What `text_of` was made of."""
        found: Definitions = json.loads(text)["resources"]
        return found

    async def _roll(self, op: Operation, pace: Pace, make: Maker) -> None:
        """Give all members the new definition, batch by batch; there are as many afterwards as before."""

        async def batch(size: int, fresh: int) -> None:
            before = await self.standing(op)
            state = before.turned(op.token, size, make, fresh, functools.partial(self.renews, op))
            await self.batch(op, state, sum(one != before.definitions.get(name) for name, one in state.items()))

        there = len((await self.standing(op)).definitions)
        await roll(op, pace, there, there, batch)

    async def batch(self, op: Operation, state: Definitions, fresh: int) -> None:
        """Bring the members to `state` and wait until they are there; so many of them are made new."""
        await phase(op, Nested(template=self.text_of(op, state)))


def _by_place(name: str, by_age: Sequence[str]) -> str:
    if name in by_age or not name.isdigit() or int(name) >= len(by_age):
        return name
    return by_age[int(name)]


def size_findings(low: Value, high: Value, desired: Value, names: tuple[str, str, str]) -> list[str]:
    """What is wrong with the limits of a group, in the words of the properties `names`; any may be unknown."""
    least, most, wanted = (one if isinstance(one, int) else None for one in (low, high, desired))
    if least is not None and most is not None and least > most:
        return [f"{names[0]} can not be greater than {names[1]}"]
    if wanted is not None and ((least is not None and wanted < least) or (most is not None and wanted > most)):
        return [f"{names[2]} must be between {names[0]} and {names[1]}"]
    return []
