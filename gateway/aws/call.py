"""One request for an action, as its handler sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.door import Engine
from engine.model.errors import StackNotFound
from engine.model.stack import Caller, Stack
from gateway.aws.arns import Arns, is_arn
from gateway.context import RequestContext

_WAITER = "B"


@dataclass(frozen=True, slots=True)
class Call:
    """`input` is what the model made of the parameters: names and kinds are right, required ones are there."""

    action: str
    input: Mapping[str, Any]
    context: RequestContext
    engine: Engine
    arns: Arns
    fetch: Callable[[str], Awaitable[str]]
    patient: bool = False  # a waiter asks: it wants to know the end and sleeps long before it asks again

    @property
    def caller(self) -> Caller:
        return self.context.principal

    async def stack(self, reference: str, *, deleted: bool = True) -> Stack:
        """The stack of that name, or of that ARN (then a deleted one too, if `deleted`; W23). Raises StackNotFound."""
        by_arn = is_arn(reference)
        wanted = self.arns.stack_id_in(reference) if by_arn else reference
        if wanted is None:
            raise StackNotFound(reference)
        try:
            found = await self.engine.find_stack(self.caller, wanted, deleted_by_id=by_arn and deleted)
        except StackNotFound as error:
            raise StackNotFound(reference) from error
        if found.project_id != self.context.project:
            raise StackNotFound(reference)
        return found

    async def names_above(self, stacks: Iterable[Stack]) -> dict[str, str]:
        """Id → name of the parents and roots of nested ones among `stacks`."""
        found = {one.id: one.name for one in stacks}
        for one in stacks:
            if one.parent_id is not None:
                for wanted in (one.parent_id, one.root_id):
                    await self._add_name(found, wanted)
        return found

    async def names_of(self, stack_ids: Iterable[str]) -> dict[str, str]:
        """Id → name of those of the ids that are stacks, deleted ones included."""
        found: dict[str, str] = {}
        for wanted in stack_ids:
            await self._add_name(found, wanted)
        return found

    async def _add_name(self, found: dict[str, str], wanted: str) -> None:
        if wanted in found:
            return
        try:
            found[wanted] = (await self.engine.find_stack(self.caller, wanted)).name
        except StackNotFound:
            return


def is_waiter(user_agent: str) -> bool:
    """Whether one of the SDK's waiters sends the request.

    botocore lists the features in use as `m/A,B,…`, by the letters of `_USERAGENT_FEATURE_MAPPINGS` in its
    `useragent` module, where B is a waiter.
    """
    return any(
        part.startswith("m/") and _WAITER in part.removeprefix("m/").split(",") for part in user_agent.split(" ")
    )
