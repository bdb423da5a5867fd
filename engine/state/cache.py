"""Stacks kept in memory, for a process that knows it is the only one that writes them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from engine.model.stack import Stack

_MOST = 2000


class StackCache:
    """Forgets a stack when it is told of a commit. `enabled` False: every question goes to the database."""

    def __init__(self, *, enabled: bool = False) -> None:
        self.enabled = enabled
        self._found: OrderedDict[str, Stack] = OrderedDict()
        self._keys: dict[str, set[str]] = {}  # stack id → keys it was found by
        self._generation = 0
        self._lists: dict[str, Sequence[Stack]] = {}  # project id → its live root stacks, newest first

    async def get_list(self, project_id: str, ask: Callable[[], Awaitable[Sequence[Stack]]]) -> Sequence[Stack]:
        """A project's live root stacks as `ask` found them; any change of any stack forgets them."""
        if not self.enabled:
            return await ask()
        held = self._lists.get(project_id)
        if held is not None:
            return held
        asked_in = self._generation
        found = await ask()
        if asked_in == self._generation and len(found) <= _MOST:
            self._lists[project_id] = found
        return found

    async def get(self, key: str, ask: Callable[[], Awaitable[Stack | None]]) -> Stack | None:
        """What `ask` found for `key`; absences are not kept."""
        if not self.enabled:
            return await ask()
        held = self._found.get(key)
        if held is not None:
            self._found.move_to_end(key)
            return held
        asked_in = self._generation
        found = await ask()
        # An answer that crossed a commit may be older than the commit.
        if found is not None and asked_in == self._generation:
            self._found[key] = found
            self._keys.setdefault(found.id, set()).add(key)
            if len(self._found) > _MOST:
                self._drop(*self._found.popitem(last=False))
        return found

    def forget(self, stack_ids: Sequence[str]) -> None:
        """These stacks have changed."""
        self._generation += 1
        self._lists.clear()
        for stack_id in stack_ids:
            for key in self._keys.pop(stack_id, ()):
                self._found.pop(key, None)

    def _drop(self, key: str, stack: Stack) -> None:
        keys = self._keys.get(stack.id)
        if keys is not None:
            keys.discard(key)
            if not keys:
                del self._keys[stack.id]
