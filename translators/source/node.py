"""The source tree: a text's values, each knowing where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from engine.model.diagnostic import Span
from engine.model.immutable import immutable
from engine.model.value import Value


@immutable
class SourceNode:
    """`value` is the typed scalar; `tag` a short form's (`!Ref`), None otherwise; keys of maps are nodes too.

    `variables` tells where each `${…}` of a text stands, the first of each name.
    """

    kind: Literal["scalar", "list", "map"]
    span: Span
    value: Value = None
    items: tuple[SourceNode, ...] = ()
    entries: tuple[tuple[SourceNode, SourceNode], ...] = ()
    tag: str | None = None
    variables: Mapping[str, Span] | None = None

    def get(self, key: str) -> SourceNode | None:
        """The value of `key` in a map, None when it is not there."""
        for name, value in self.entries:
            if name.value == key:
                return value
        return None

    @property
    def key_spans(self) -> tuple[Span, ...]:
        """Where the keys of a map stand, in order."""
        return tuple([name.span for name, _ in self.entries])

    def keys(self) -> list[Value]:
        """The keys of a map as values, in order."""
        return [name.value for name, _ in self.entries]

    @property
    def text(self) -> str:
        """A scalar as it would be written in a sentence."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        return "" if self.value is None else str(self.value)

    def to_python(self) -> Value:
        """Plain values, keys of maps as JSON has them; a tagged node becomes what its long form would be without the
        function's name."""
        match self.kind:
            case "scalar":
                return self.value
            case "list":
                return [item.to_python() for item in self.items]
            case "map":
                return {_key(name): value.to_python() for name, value in self.entries}


def _key(node: SourceNode) -> str:
    return "null" if node.value is None else node.text


def alike(one: SourceNode, other: SourceNode) -> bool:
    """Whether two nodes say the same, wherever they stand."""
    if one is other:
        return True
    if (one.kind, one.tag, type(one.value), one.value) != (other.kind, other.tag, type(other.value), other.value):
        return False
    if len(one.items) != len(other.items) or len(one.entries) != len(other.entries):
        return False
    inside = [*zip(one.items, other.items, strict=True)]
    for ours, theirs in zip(one.entries, other.entries, strict=True):
        inside += zip(ours, theirs, strict=True)
    return all(alike(ours, theirs) for ours, theirs in inside)
