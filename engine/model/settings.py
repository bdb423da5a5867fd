"""What an environment says of single resources: hooks, restricted actions, and what holds inside nested stacks.

It is the part `resources` of an environment's `resource_registry` (heat.md TE-11 to TE-14): names, which may be
patterns, to settings.
"""

from __future__ import annotations

import enum
import fnmatch
from collections.abc import Iterator, Mapping
from typing import Final

from engine.model.value import Value


class Hook(enum.StrEnum):
    """Where a run stops until somebody clears the hook."""

    PRE_CREATE = "pre-create"
    POST_CREATE = "post-create"
    PRE_UPDATE = "pre-update"
    POST_UPDATE = "post-update"
    PRE_DELETE = "pre-delete"
    POST_DELETE = "post-delete"


HOOKS: Final = frozenset(one.value for one in Hook)
RESTRICTED: Final = frozenset({"update", "replace"})


def settings_of(resources: Value, name: str) -> Iterator[Mapping[str, Value]]:
    """The settings that hold for the resource `name`, its own before those of patterns, longer patterns first."""
    if not isinstance(resources, Mapping):
        return
    for pattern in sorted(resources, key=lambda one: (one != name, -len(one))):
        if isinstance(resources[pattern], Mapping) and fnmatch.fnmatchcase(name, pattern):
            yield resources[pattern]


def inside(resources: Value, name: str) -> dict[str, Value]:
    """The part `resources` for the nested stack that the resource `name` is (TE-11, TE-19)."""
    inner: dict[str, Value] = {}
    for settings in reversed(list(settings_of(resources, name))):
        inner.update({key: value for key, value in settings.items() if isinstance(value, Mapping)})
    return inner


class ResourceSettings:
    """The hooks and restricted actions of one stack's resources. A member of a lowered resource has its resource's."""

    def __init__(self, environment: Mapping[str, Value]) -> None:
        registry = environment.get("resource_registry")
        self._resources = registry.get("resources") if isinstance(registry, Mapping) else None

    def __bool__(self) -> bool:
        return bool(self._resources)

    def hooks(self, address: str) -> frozenset[str]:
        return self._words(address, "hooks")

    def restricted(self, address: str) -> frozenset[str]:
        """Of `update` and `replace`, what must not happen."""
        return self._words(address, "restricted_actions")

    def _words(self, address: str, key: str) -> frozenset[str]:
        found: set[str] = set()
        for settings in settings_of(self._resources, address.split("/")[0]):
            given = settings.get(key) or ()
            found.update([given] if isinstance(given, str) else given)
        return frozenset(found)
