"""Finding rows and tables: the operator's folders first, then the project's, each file read when it is needed.

The project has one file per type, whose path is the type's name (`rows/AWS/EC2/VPC.yaml`). An operator's folder has
any `*.yaml` files with rows, and `tables/*.yaml` with entries that go before the project's of the same table; those
are few and read at once, so that a mistake is told when the service starts.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from mappings.row import MappingError, Row, read_row

BUILTIN = Path(__file__).parent

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

CUSTOM_RESOURCE = "AWS::CloudFormation::CustomResource"
_CUSTOM = "Custom::"  # types of users; an operator may have rows of their own for them

TableRows = tuple[tuple[str, Any], ...]


class Mappings:
    """`options` are the operator's choices that the lowering reads (see `OPTIONS`)."""

    def __init__(self, folders: Iterable[Path] = (), options: Mapping[str, str] | None = None) -> None:
        self.options = {**OPTIONS, **_known_options(options or {})}
        self._rows: dict[str, Row] = {}
        self._tables: dict[str, TableRows] = {}
        self._own_tables: dict[str, list[tuple[str, Any]]] = {}
        for folder in reversed([Path(one) for one in folders]):
            self._read_folder(folder)

    def row(self, name: str) -> Row | None:
        """The row of that type, None when nobody has decided what it means. Raises MappingError."""
        if name not in self._rows and name not in _builtin() and name.startswith(_CUSTOM):
            return self.row(CUSTOM_RESOURCE)
        found = self._rows.get(name)
        if found is None and name in _builtin():
            found = self._rows[name] = self._read_one(_builtin()[name], name)
        return found

    def types(self) -> tuple[str, ...]:
        """The names of all types that have a row."""
        return tuple(sorted({*_builtin(), *self._rows}))

    def table(self, name: str) -> TableRows:
        """Rows (glob, value) of a table, the operator's first. Raises MappingError."""
        found = self._tables.get(name)
        if found is None:
            path = BUILTIN / "tables" / f"{name}.yaml"
            own = tuple(self._own_tables.get(name, ()))
            if not own and not path.is_file():
                raise MappingError(f"there is no table {name}")
            found = self._tables[name] = own + (tuple(_entries(path)) if path.is_file() else ())
        return found

    def _read_one(self, path: Path, name: str) -> Row:
        tree = _read(path)
        if set(tree) != {name}:
            raise MappingError(f"{path}: it must hold the row of {name} and nothing else")
        return read_row(name, tree[name], str(path))

    def _read_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            raise MappingError(f"{folder}: there is no such folder of mappings")
        for path in sorted(folder.rglob("*.yaml")):
            if path.parent.name == "tables":
                self._own_tables[path.stem] = [*_entries(path), *self._own_tables.get(path.stem, ())]
                continue
            for name, tree in _read(path).items():
                self._rows[name] = read_row(str(name), tree, str(path))


#: Choices that change what templates become, with their defaults.
OPTIONS: Mapping[str, str] = {
    "public_subnet_snat": "allow",  # allow: instances without a public address in public subnets can reach out; deny
    "network_acl": "warn",  # warn: rules of network ACLs are kept and not enforced; error: they are refused
}
CHOICES: Mapping[str, tuple[str, ...]] = {"public_subnet_snat": ("allow", "deny"), "network_acl": ("warn", "error")}


@functools.cache
def _builtin() -> Mapping[str, Path]:
    """The project's own rows: type → file."""
    root = BUILTIN / "rows"
    return {"::".join(path.relative_to(root).with_suffix("").parts): path for path in root.rglob("*.yaml")}


def _known_options(options: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in options.items():
        if name not in CHOICES or value not in CHOICES[name]:
            known = "; ".join(f"{one} = {' | '.join(choices)}" for one, choices in CHOICES.items())
            raise MappingError(f"option {name} = {value} of the mappings is not known; there are: {known}")
    return options


def _entries(path: Path) -> list[tuple[str, Any]]:
    return [(str(key), value) for key, value in _read(path).items()]


def _read(path: Path) -> dict[Any, Any]:
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506  (the safe loader, in C)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MappingError(f"{path}: {error}") from error
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise MappingError(f"{path}: it must hold a map")
    return tree
