"""Which types there are: a table of names per family, so that a type's module is imported when it is first used.

A family is a folder here whose `__init__` has `TYPES`: type name → `module:Class`. Packages outside the project add
types with the entry point group `isotherm.resource_types`: entry name = type name, value = `package.module:Class`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any

from engine.model.nearest import closest
from engine.resources.base import ResourceType
from engine.resources.describe import schema_of, template_of

#: Folders of `engine.resources` that hold types.
_FAMILIES = ("cinder", "heat", "isotherm", "keystone", "neutron", "nova", "swift")

#: Prefixes of retired names → today's (heat.md TE-17).
_PREFIXES = {"OS::Quantum::": "OS::Neutron::"}

ENTRY_POINTS = "isotherm.resource_types"


class Registry:
    """Type name → its one instance. `plugins` False leaves out what other packages bring."""

    def __init__(self, *, plugins: bool = True) -> None:
        self._loaders: dict[str, Callable[[], Any]] = {}
        self._loaded: dict[str, ResourceType] = {}
        for family in _FAMILIES:
            module = importlib.import_module(f"engine.resources.{family}")
            for name, place in module.TYPES.items():
                self._loaders[name] = _Loader(f"{module.__name__}.{place}")
        if plugins:
            for entry in entry_points(group=ENTRY_POINTS):
                self._loaders[entry.name] = entry.load

    def get(self, name: str) -> ResourceType:
        """The type. Raises LookupError when there is none."""
        found = self._loaded.get(name)
        if found is None:
            found = self.find(name)
            if found is None:
                raise LookupError(f"There is no resource type {name}")
        return found

    def find(self, name: str) -> ResourceType | None:
        """The type, None when there is none."""
        found = self._loaded.get(name)
        if found is not None:
            return found
        loader = self._loaders.get(name)
        if loader is None:
            for prefix, today in _PREFIXES.items():
                if name.startswith(prefix):
                    return self.find(today + name.removeprefix(prefix))
            return None
        found = loader()()
        assert isinstance(found, ResourceType)
        self._loaded[name] = found
        return found

    def suggest(self, name: str) -> str | None:
        """The known name nearest to a misspelt one."""
        return closest(name, self._loaders, cutoff=0.8)

    def all_types(self) -> Mapping[str, ResourceType]:
        """Every type by name, imported; in order of name."""
        return {name: self.get(name) for name in sorted(self._loaders)}

    def schema_of(self, name: str) -> dict[str, Any]:
        """The body of `GET resource_types/{name}` (heat.md API-05). Raises LookupError."""
        return schema_of(self.get(name))

    def template_of(self, name: str, dialect: str = "cfn") -> dict[str, Any]:
        """The body of `GET resource_types/{name}/template` (API-06) in `cfn` or `hot`. Raises LookupError."""
        return template_of(self.get(name), dialect)


class _Loader:
    """Imports `module:Class` when called."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __call__(self) -> Any:
        module, _, name = self._place.partition(":")
        return getattr(importlib.import_module(module), name)
