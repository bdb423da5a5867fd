"""openstacksdk's declarative `Resource` classes, read from their source without running it.

Importing the SDK costs 0.35 s of CPU and 36 MB; its classes are data (`base_path`, `resource_key`, `Body("wire
name")`), and parsing the few modules that are needed costs milliseconds. A test compares with the classes themselves.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class SdkResource:
    """One class. `service` is the official catalogue type; `base_path` may hold `%(name)s` of a parent.

    `body`: the SDK's attribute name → the name on the wire; `identity`: the wire name of the id. `allow`: which of
    create, fetch, commit, delete and list the API has.
    """

    name: str
    service: str
    base_path: str
    resource_key: str | None
    resources_key: str | None
    create_method: str
    commit_method: str
    identity: str
    body: Mapping[str, str]
    query: Mapping[str, str]
    allow: frozenset[str]
    max_microversion: str | None


@functools.cache
def describe(name: str) -> SdkResource:
    """Return the class `name`, as in `network.v2.router.Router`. Raises LookupError when the SDK has none."""
    module, _, class_name = name.rpartition(".")
    found = _read_class(f"openstack.{module}", class_name)
    values = found.values
    return SdkResource(
        name=name,
        service=name.split(".", 1)[0].replace("_", "-"),
        base_path=values.get("base_path") or "",
        resource_key=values.get("resource_key"),
        resources_key=values.get("resources_key"),
        create_method=values.get("create_method") or "POST",
        commit_method=values.get("commit_method") or "PATCH",
        identity=found.alternate_id or found.body.get("id", "id"),
        body=found.body,
        query=found.query,
        allow=frozenset(verb for verb in _VERBS if values.get(f"allow_{verb}")),
        max_microversion=values.get("_max_microversion"),
    )


_VERBS = ("create", "fetch", "commit", "delete", "list")


@dataclass(slots=True)
class _Class:
    values: dict[str, Any] = field(default_factory=dict)
    body: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    alternate_id: str | None = None

    def inherit(self, other: _Class) -> None:
        self.values |= other.values
        self.body |= other.body
        self.query |= other.query
        self.alternate_id = other.alternate_id or self.alternate_id

    def forget(self, name: str) -> None:
        self.body.pop(name, None)


@dataclass(frozen=True, slots=True)
class _Module:
    classes: Mapping[str, ast.ClassDef]
    imports: Mapping[str, str]  # local name → dotted name


@functools.cache
def _root() -> Path:
    spec = importlib.util.find_spec("openstack")  # finds a top-level package without importing it
    if spec is None or not spec.submodule_search_locations:
        raise LookupError("openstacksdk is not installed")
    return Path(next(iter(spec.submodule_search_locations)))


@functools.cache
def _read_module(module: str) -> _Module:
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
    return _Module({node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}, imports)


def _read_class(module: str, name: str) -> _Class:
    source = _read_module(module)
    node = source.classes.get(name)
    if node is None:
        raise LookupError(f"openstacksdk has no class {module}.{name}")
    found = _Class()
    for base in reversed(node.bases):
        place = _place(source, module, base)
        if place is not None:
            found.inherit(_read_class(*place))
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=value):
                _assign(found, target, value)
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value):
                _assign(found, target, value)
            case _:
                pass
    return found


def _place(source: _Module, module: str, base: ast.expr) -> tuple[str, str] | None:
    """The module and name of a base class; None for one that is not the SDK's."""
    match base:
        case ast.Name(id=name) if name in source.classes:
            return module, name
        case ast.Name(id=name):
            full = source.imports.get(name, "")
        case ast.Attribute(value=ast.Name(id=alias), attr=name):
            full = f"{source.imports.get(alias, '')}.{name}"
        case _:
            return None
    place, _, name = full.rpartition(".")
    return (place, name) if place.startswith("openstack.") else None


def _assign(found: _Class, target: str, value: ast.expr) -> None:
    match value:
        case ast.Constant(value=constant):
            found.forget(target)
            found.values[target] = constant
        case ast.Call(func=ast.Attribute(attr="Body") | ast.Name(id="Body"), args=[ast.Constant(value=str(wire)), *_]):
            found.body[target] = wire
            if any(word.arg == "alternate_id" and _is_true(word.value) for word in value.keywords):
                found.alternate_id = wire
        case ast.Call(func=ast.Attribute(attr="CreateOpts") | ast.Name(id="CreateOpts"), keywords=words):
            method = next((word.value for word in words if word.arg == "method"), None)
            found.values["create_method"] = method.value if isinstance(method, ast.Constant) else "POST"
        case ast.Call(func=ast.Attribute(attr="QueryParameters") | ast.Name(id="QueryParameters")):
            found.query = _query(value)
        case ast.Call(func=ast.Attribute(attr=kind) | ast.Name(id=kind)) if kind in {"Header", "URI", "Computed"}:
            found.forget(target)
        case ast.Name(id=other) if other in found.body:
            found.body[target] = found.body[other]
        case _:
            pass


def _query(call: ast.Call) -> dict[str, str]:
    names = {"limit": "limit", "marker": "marker"}
    for argument in call.args:
        if isinstance(argument, ast.Constant):
            names[str(argument.value)] = str(argument.value)
    for word in call.keywords:
        if word.arg and isinstance(word.value, ast.Constant) and isinstance(word.value.value, str):
            names[word.arg] = word.value.value
    return names


def _is_true(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is True
