"""Service models of botocore, read from its data files and kept as small shapes.

The files are read directly: importing botocore takes longer and more memory than everything else in the gateway.
"""

from __future__ import annotations

import functools
import gzip
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson


@dataclass(slots=True, eq=False)
class Scalar:
    """`kind` is string, integer, long, float, double, boolean or timestamp. `shown_pattern` is what messages print."""

    kind: str
    least: float | None = None
    most: float | None = None
    pattern: re.Pattern[str] | None = None
    shown_pattern: str = ""
    values: tuple[str, ...] = ()
    in_bytes: bool = False  # `most` counts bytes of UTF-8


@dataclass(slots=True, eq=False)
class Sequence:
    member: Shape
    least: int | None = None
    most: int | None = None


@dataclass(slots=True, eq=False)
class Mapped:
    key: Shape
    value: Shape


@dataclass(slots=True, eq=False)
class Structure:
    members: dict[str, Shape] = field(default_factory=dict)
    required: tuple[str, ...] = ()


Shape: TypeAlias = Scalar | Sequence | Mapped | Structure


@dataclass(frozen=True, slots=True)
class Operation:
    """`output` is None for actions whose response has no result element (W11)."""

    name: str
    input: Structure
    output: Structure | None


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    version: str
    namespace: str
    operations: Mapping[str, Operation]


# What AWS enforces and the model does not tell (W15, W49). Reading accepts what the native API may have named a stack.
_STACK_NAME: Final[dict[str, Any]] = {
    "min": 1,
    "max": 2048,
    "pattern": r"[a-zA-Z][-a-zA-Z0-9_.]*|arn:[-a-zA-Z0-9:/._+]*",
    "shown": "[a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*",
}
_ENFORCED: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "cloudformation": {
        "StackName": _STACK_NAME,
        "StackNameOrId": _STACK_NAME,
        "ParameterKey": {"min": 1, "max": 255},
        "ParameterValue": {"max": 4096, "in_bytes": True},
        "TemplateBody": {"max": 51200, "in_bytes": True},
    }
}


@functools.cache
def load(service: str) -> Service:
    """The newest model of `service` that the installed botocore has. Raises LookupError when it has none."""
    return _service(service, orjson.loads(_data(service)))


def _data(service: str) -> bytes:
    spec = importlib.util.find_spec("botocore")
    for place in spec.submodule_search_locations or () if spec else ():
        for path in sorted(Path(place, "data", service).glob("*/service-2.json*"), reverse=True):
            content = path.read_bytes()
            return gzip.decompress(content) if path.suffix == ".gz" else content
    raise LookupError(f"botocore has no model of the service {service}")


def _service(name: str, document: Mapping[str, Any]) -> Service:
    metadata = document["metadata"]
    shapes = _Shapes(document["shapes"], _ENFORCED.get(name, {}))
    operations = {}
    for action, declared in document["operations"].items():
        wanted, given = declared.get("input"), declared.get("output")
        operations[action] = Operation(
            action,
            _structure(shapes.get(wanted["shape"])) if wanted else Structure(),
            _structure(shapes.get(given["shape"])) if given else None,
        )
    return Service(name, metadata["apiVersion"], metadata["xmlNamespace"], operations)


def _structure(shape: Shape) -> Structure:
    assert isinstance(shape, Structure)
    return shape


class _Shapes:
    """Each shape of the document once; shapes may contain themselves."""

    def __init__(self, declared: Mapping[str, Mapping[str, Any]], enforced: Mapping[str, Mapping[str, Any]]) -> None:
        self._declared, self._enforced = declared, enforced
        self._made: dict[str, Shape] = {}

    def get(self, name: str) -> Shape:
        if name not in self._made:
            self._make(name)
        return self._made[name]

    def _make(self, name: str) -> None:
        declared = {**self._declared[name], **self._enforced.get(name, {})}
        match declared["type"]:
            case "structure":
                made = Structure(required=tuple(declared.get("required", ())))
                self._made[name] = made
                made.members.update((key, self.get(one["shape"])) for key, one in declared["members"].items())
            case "list":
                member = self.get(declared["member"]["shape"])
                self._made[name] = Sequence(member, declared.get("min"), declared.get("max"))
            case "map":
                self._made[name] = Mapped(self.get(declared["key"]["shape"]), self.get(declared["value"]["shape"]))
            case kind:
                self._made[name] = _scalar(kind, declared)


def _scalar(kind: str, declared: Mapping[str, Any]) -> Scalar:
    pattern = declared.get("pattern")
    return Scalar(
        kind=kind,
        least=declared.get("min"),
        most=declared.get("max"),
        pattern=_compiled(pattern) if pattern else None,
        shown_pattern=declared.get("shown", pattern) or "",
        values=tuple(declared.get("enum", ())),
        in_bytes=declared.get("in_bytes", False),
    )


def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Patterns are Java's: one that Python cannot read is left to whoever uses the value."""
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None
