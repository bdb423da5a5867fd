"""One row: a resource type in HOT terms. Reading one checks its shape; what it names is checked by a test."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

# A tree of YAML: maps with one known key are functions (`{get_property: CidrBlock}`), everything else is itself.
Tree: TypeAlias = Any


class MappingError(Exception):
    """A row or table that cannot be used; the text names the file and the place."""


class Level(enum.StrEnum):
    """What becomes of a property. Those that a member uses are mapped without being said so."""

    MAPPED = "mapped"  # a Python function of the lowering reads it
    EMULATED = "emulated"  # kept by the engine; the effect is there as far as the reason says
    SILENT = "silent"  # does nothing here, and nobody need know (what AWS itself gives, a hint without effect)
    IGNORED = "ignored"  # a warning with the reason
    REJECTED = "rejected"  # an error with the reason and the way out


@dataclass(frozen=True, slots=True)
class Decision:
    """`unless` are written values for which it does not apply (`Encrypted: false`)."""

    level: Level
    reason: str
    unless: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A resource of the engine. Its address is `<logical id>/<name>`."""

    name: str
    type: str
    properties: Mapping[str, Tree] = field(default_factory=dict)
    condition: Tree = None
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """`ref` and `attributes` are expressions; an attribute `Outputs.*` stands for every name that begins so.

    `replace_on` are the properties whose change makes a new object; `in_place` those that AWS would replace for and
    we do not. `python` is `module:function` of `translators.lowering`, called when the members are built. `narrow`:
    members wait for what they refer to, not for the whole of it. `any_properties`: templates may write others too.
    """

    type: str
    origin: str
    members: tuple[Member, ...] = ()
    ref: Tree = None
    attributes: Mapping[str, Tree] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    replace_on: frozenset[str] = frozenset()
    in_place: Mapping[str, str] = field(default_factory=dict)
    python: str | None = None
    narrow: bool = False
    any_properties: bool = False
    note: str = ""

    used: frozenset[str] = field(init=False, compare=False)  # properties that members, `ref` or attributes read

    def __post_init__(self) -> None:
        found: set[str] = set()
        trees = [self.ref, *self.attributes.values()]
        trees += [tree for member in self.members for tree in (member.properties, member.condition)]
        for tree in trees:
            found.update(_used(tree))
        object.__setattr__(self, "used", frozenset(found))

    def known(self) -> frozenset[str]:
        """Every property that a template may write; `rejected` ones included."""
        return self.used | frozenset(self.decisions)

    def written_as(self, member: str, name: str) -> tuple[str, ...] | None:
        """The path of the property that the member's is, just as it is written; None where it is made of it."""
        for one in self.members:
            if one.name == member:
                return _written(one.properties.get(name))
        return None


def _written(tree: Tree) -> tuple[str, ...] | None:
    match tree:
        case {"get_property": str(path), **rest} if rest.keys() <= {"default"}:
            return tuple(path.split("."))
        case {"text": inner}:
            return _written(inner)
        case _:
            return None


def _used(tree: Tree) -> Iterator[str]:
    if isinstance(tree, Mapping):
        for key, inner in tree.items():
            match key:
                case "get_property" | "present" if isinstance(inner, str):
                    yield inner.split(".")[0]
                case "get_tag" | "tag_list" | "tag_map" | "tag_pairs":
                    yield "Tags"
                    yield from _used(inner)
                case _:
                    yield from _used(inner)
    elif isinstance(tree, list):
        for inner in tree:
            yield from _used(inner)


_KEYS = frozenset(
    {
        "any_properties",
        "attributes",
        "in_place",
        "narrow",
        "note",
        "properties",
        "python",
        "ref",
        "replace_on",
        "required",
        "resources",
    }
)
_MEMBER_KEYS = frozenset({"type", "properties", "condition", "depends_on"})
_LEVELS = frozenset(Level)


def read_row(name: str, tree: Tree, origin: str) -> Row:
    """Return the row `name` of the file `origin`. Raises MappingError."""

    def wrong(what: str) -> MappingError:
        return MappingError(f"{origin}: {name}: {what}")

    if not isinstance(tree, dict):
        raise wrong("a row is a map with `resources`, `ref`, `attributes`, `properties` …")
    unknown = sorted(set(tree) - _KEYS)
    if unknown:
        raise wrong(f"unknown keys {', '.join(map(str, unknown))}; known are {', '.join(sorted(_KEYS))}")
    members = tuple(_member(key, inner, wrong) for key, inner in (tree.get("resources") or {}).items())
    python = tree.get("python")
    if not members and python is None:
        raise wrong("it has no resources, and no python function that could add some")
    if python is not None and (not isinstance(python, str) or ":" not in python):
        raise wrong(f"python is `module:function`, not {python!r}")
    decisions = {key: _decision(key, inner, wrong) for key, inner in (tree.get("properties") or {}).items()}
    return Row(
        type=name,
        origin=origin,
        members=members,
        ref=tree.get("ref"),
        attributes=tree.get("attributes") or {},
        decisions=decisions,
        required=tuple(tree.get("required") or ()),
        replace_on=frozenset(tree.get("replace_on") or ()),
        in_place=tree.get("in_place") or {},
        python=python,
        narrow=bool(tree.get("narrow")),
        any_properties=bool(tree.get("any_properties")),
        note=str(tree.get("note") or ""),
    )


def _member(name: str, tree: Tree, wrong: Any) -> Member:
    if not isinstance(tree, dict) or not isinstance(tree.get("type"), str):
        raise wrong(f"resource {name} needs a type")
    unknown = sorted(set(tree) - _MEMBER_KEYS)
    if unknown:
        raise wrong(f"resource {name} has unknown keys {', '.join(map(str, unknown))}")
    properties = tree.get("properties") or {}
    if not isinstance(properties, dict):
        raise wrong(f"the properties of resource {name} are a map")
    return Member(name, tree["type"], properties, tree.get("condition"), tuple(tree.get("depends_on") or ()))


def _decision(name: str, tree: Tree, wrong: Any) -> Decision:
    levels = sorted(set(tree) & _LEVELS) if isinstance(tree, dict) else []
    if len(levels) != 1 or set(tree) - _LEVELS - {"unless"}:
        raise wrong(f"property {name} is one of {{{'|'.join(Level)}: reason}}, with `unless: [values]` where it helps")
    reason = tree[levels[0]]
    if not isinstance(reason, str) or not reason.strip():
        raise wrong(f"property {name} needs a reason")
    return Decision(Level(levels[0]), " ".join(reason.split()), tuple(tree.get("unless") or ()))
