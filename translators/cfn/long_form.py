"""Between source nodes and plain JSON: what macros are given, and what they give back with its place in the source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.model.diagnostic import Span
from engine.model.value import Value
from translators.cfn import nodes
from translators.source import SourceNode

_SHORT_NAMES = frozenset({"Ref", "Condition"})


def long_form(node: SourceNode) -> Value:
    """The plain value of `node`; short forms become the long forms that CloudFormation shows and sends."""
    plain = _untagged(node)
    if node.tag is None:
        return plain
    name = node.tag.lstrip("!")
    if name == "GetAtt" and isinstance(plain, str):
        resource, _, attribute = plain.partition(".")
        plain = [resource, attribute]
    return {name if name in _SHORT_NAMES else f"Fn::{name}": plain}


def _untagged(node: SourceNode) -> Value:
    match node.kind:
        case "scalar":
            return node.value
        case "list":
            return [long_form(item) for item in node.items]
        case "map":
            return {nodes.text(key.value): long_form(item) for key, item in node.entries}


def without(node: SourceNode, names: Iterable[str]) -> SourceNode:
    """The map without the keys `names`."""
    left_out = frozenset(names)
    entries = tuple(entry for entry in node.entries if nodes.text(entry[0].value) not in left_out)
    return node if len(entries) == len(node.entries) else _map(entries, node.span)


def placed(value: Value, origin: SourceNode, span: Span) -> SourceNode:
    """`value`, which something outside made of `origin`, as nodes.

    What stood at the same place in `origin` keeps its place in the source, what is new has that of the nearest thing
    around it. A resource that was made of another one, as its name shows, has that one's. `span` is that of the whole.
    """
    return _Placing(_resource_places(origin)).node(value, origin, span)


@dataclass(frozen=True, slots=True)
class _Placing:
    resources: Mapping[str, Span]

    def node(self, value: Value, origin: SourceNode | None, span: Span, at: tuple[str, ...] = ()) -> SourceNode:
        here = origin.span if origin is not None else span
        if isinstance(value, Mapping):
            keys, items = _members(origin)
            entries = []
            for name, item in value.items():
                key, inner = keys.get(name), items.get(name)
                around = key.span if key is not None else self._span_of(name, at, here)
                made = self.node(item, inner, around, (*at, name) if len(at) < 2 else at)
                entries.append((SourceNode("scalar", around, value=name), made))
            return _map(tuple(entries), here)
        if isinstance(value, list | tuple):
            before = origin.items if origin is not None and origin.kind == "list" and origin.tag is None else ()
            listed = [
                self.node(item, before[index] if index < len(before) else None, here, at)
                for index, item in enumerate(value)
            ]
            return SourceNode("list", here, items=tuple(listed))
        return SourceNode("scalar", here, value=value)

    def _span_of(self, name: str, at: tuple[str, ...], around: Span) -> Span:
        if at != ("Resources",):
            return around
        near = [known for known in self.resources if name.startswith(known)]
        return self.resources[max(near, key=len)] if near else around


def _members(origin: SourceNode | None) -> tuple[dict[str, SourceNode], dict[str, SourceNode]]:
    """Keys and values of a map by name; a short form has none, for its long form is another map."""
    if origin is None or origin.kind != "map" or origin.tag is not None:
        return {}, {}
    keys = {nodes.text(key.value): key for key, _ in origin.entries}
    return keys, {nodes.text(key.value): item for key, item in origin.entries}


def _resource_places(origin: SourceNode) -> dict[str, Span]:
    section = origin.get("Resources") if origin.kind == "map" else None
    return {nodes.text(key.value): key.span for key, _ in nodes.entries(section)}


def _map(entries: tuple[tuple[SourceNode, SourceNode], ...], span: Span) -> SourceNode:
    return SourceNode("map", span, entries=entries)
