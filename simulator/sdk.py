"""openstacksdk's declarative `Resource` classes as data, read from their source.

They say of every collection where it is, what its JSON is called, which attributes and filters it has and what can be
done with it. Importing the SDK costs a third of a second and 36 MB; parsing the module of one class costs a
millisecond, when its collection is first used. A test compares with the classes themselves.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_VERBS = ("create", "fetch", "commit", "delete", "list")


@dataclass(frozen=True, slots=True)
class SdkClass:
    """`body`: wire names of the attributes; `filters`: wire names of the list's parameters."""

    base_path: str
    resource_key: str
    resources_key: str
    body: frozenset[str]
    filters: frozenset[str]
    allow: frozenset[str]


@functools.cache
def sdk_class(name: str) -> SdkClass:
    """The class `network.v2.port.Port`. Raises LookupError when the installed SDK has none of this name."""
    module, _, class_name = name.rpartition(".")
    values, body, filters = _read(f"openstack.{module}", class_name)
    return SdkClass(
        values.get("base_path") or "",
        values.get("resource_key") or "",
        values.get("resources_key") or "",
        frozenset(body.values()),
        frozenset(filters),
        frozenset(verb for verb in _VERBS if values.get(f"allow_{verb}")),
    )


_Facts = tuple[dict[str, Any], dict[str, str], set[str]]


def _read(module: str, name: str) -> _Facts:
    if module == "openstack.resource":  # the root of them all: its attributes are every resource's
        return {}, {"id": "id", "name": "name"}, {"limit", "marker"}
    classes, imports = _parse(module)
    node = classes.get(name)
    if node is None:
        raise LookupError(f"openstacksdk has no class {module}.{name}")
    values: dict[str, Any] = {}
    body: dict[str, str] = {}
    filters: set[str] = set()
    for base in reversed(node.bases):
        place = _place(module, classes, imports, base)
        if place is not None:
            more_values, more_body, more_filters = _read(*place)
            values |= more_values
            body |= more_body
            filters |= more_filters
    for statement in node.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=target)], value=value)
                | ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value)
            ):
                _take(values, body, filters, target, value)
            case _:
                pass
    return values, body, filters


def _take(values: dict[str, Any], body: dict[str, str], filters: set[str], target: str, value: ast.expr) -> None:
    match value:
        case ast.Constant(value=constant):
            body.pop(target, None)
            values[target] = constant
        case ast.Call(func=ast.Attribute(attr="Body") | ast.Name(id="Body"), args=[ast.Constant(value=str(wire)), *_]):
            body[target] = wire
        case ast.Call(func=ast.Attribute(attr="QueryParameters") | ast.Name(id="QueryParameters"), args=args):
            filters.clear()
            filters.update(("limit", "marker"))
            filters.update(str(arg.value) for arg in args if isinstance(arg, ast.Constant))
            for word in value.keywords:
                match word:
                    case ast.keyword(arg=str(), value=ast.Constant(value=str(wire))):
                        filters.add(wire)
                    case ast.keyword(arg=None, value=ast.Attribute(attr="_tag_query_parameters")):
                        filters.update(("tags", "tags-any", "not-tags", "not-tags-any"))
                    case _:
                        pass
        case ast.Call(func=ast.Attribute(attr="Header" | "URI" | "Computed")):
            body.pop(target, None)
        case _:
            pass


def _place(
    module: str, classes: Mapping[str, ast.ClassDef], imports: Mapping[str, str], base: ast.expr
) -> tuple[str, str] | None:
    match base:
        case ast.Name(id=name) if name in classes:
            return module, name
        case ast.Name(id=name):
            full = imports.get(name, "")
        case ast.Attribute(value=ast.Name(id=alias), attr=name):
            full = f"{imports.get(alias, '')}.{name}"
        case _:
            return None
    place, _, name = full.rpartition(".")
    return (place, name) if place.startswith("openstack.") else None


@functools.lru_cache(maxsize=16)
def _parse(module: str) -> tuple[dict[str, ast.ClassDef], dict[str, str]]:
    path = _root().joinpath(*module.split(".")[1:])
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LookupError(f"openstacksdk has no module {module}") from error
    imports: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            imports |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}, imports


@functools.cache
def _root() -> Path:
    spec = importlib.util.find_spec("openstack")
    if spec is None or not spec.submodule_search_locations:
        raise LookupError("openstacksdk is not installed")
    return Path(next(iter(spec.submodule_search_locations)))
