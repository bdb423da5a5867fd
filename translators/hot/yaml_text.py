"""Plain values as YAML that people read: short ones in one line, texts of several lines as blocks, comments above keys.

What is written is read back as the same values, by YAML 1.1's rules as by the reader of this project.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml

from engine.model.value import Value

_WIDTH = 110  # of a line that holds a whole value
_LONGEST_KEY = 1000  # characters; libyaml reads 1024 where a key stands
_RESOLVERS = yaml.SafeLoader.yaml_implicit_resolvers
_PLAIN_FIRST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/$(")
_NEVER_PLAIN = frozenset(",[]{}#\"'\\`|>*&!%@\t\n")
_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", '"': '\\"'}


@dataclass(frozen=True, slots=True)
class Shared:
    """A value that is written once, under a name, and referred to where it stands again."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a block with comments above it; `blank`: an empty line before."""

    key: str
    value: Value  # plain values, with Block and Shared inside
    comments: tuple[str, ...] = ()
    blank: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A map that is always written over several lines."""

    entries: tuple[Entry, ...]


def write(entries: Iterable[Entry], head: Iterable[str] = ()) -> str:
    """The YAML text of a whole document, `head` as comments at its top."""
    writer = _Writer()
    writer.comments(head, 0)
    writer.block(Block(tuple(entries)), 0)
    return "\n".join(writer.lines) + "\n"


def block(value: Mapping[str, Value]) -> Block:
    return Block(tuple(Entry(key, item) for key, item in value.items()))


class _Writer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self._named: set[str] = set()

    def comments(self, texts: Iterable[str], indent: int) -> None:
        for text in texts:
            self.lines += [f"{' ' * indent}# {_commented(line)}".rstrip() for line in text.split("\n")]

    def block(self, value: Block, indent: int) -> None:
        for entry in value.entries:
            if entry.blank:
                self.lines.append("")
            self.comments(entry.comments, indent)
            self._pair(" " * indent, entry.key, entry.value, indent)

    def _pair(self, lead: str, key: Value, value: Value, indent: int) -> None:
        name = scalar(key)
        if len(name) > _LONGEST_KEY:
            self.lines.append(f"{lead}? {name}")
            self._value(f"{' ' * indent}:", value, indent)
        else:
            self._value(f"{lead}{name}:", value, indent)

    def _value(self, lead: str, value: Value, indent: int) -> None:
        """`value` after `lead`, which begins a line at `indent`."""
        if isinstance(value, Shared):
            if value.name in self._named:
                self.lines.append(f"{lead} *{value.name}")
                return
            self._named.add(value.name)
            lead, value = f"{lead} &{value.name}", value.value
        if isinstance(value, Block):
            self.lines.append(lead)
            self.block(value, indent + 2)
            return
        if isinstance(value, str) and _is_block_text(value):
            self._text(lead, value, indent)
            return
        short = self._flow(value)
        if short is not None and (not _has_parts(value) or len(lead) + 1 + len(short) <= _WIDTH):
            self.lines.append(f"{lead} {short}")
        elif isinstance(value, Mapping):
            self.lines.append(lead)
            for key, item in value.items():
                self._pair(" " * (indent + 2), key, item, indent + 2)
        else:
            self.lines.append(lead)
            self._items(value, indent + 2)

    def _items(self, values: Iterable[Value], indent: int) -> None:
        for value in values:
            if isinstance(value, Mapping) and value and self._too_long(value, indent):
                self._first_after_dash(value, indent)
            else:
                self._value(f"{' ' * indent}-", value, indent)

    def _first_after_dash(self, value: Mapping[str, Value], indent: int) -> None:
        lead = f"{' ' * indent}- "
        for key, item in value.items():
            self._pair(lead, key, item, indent + 2)
            lead = " " * (indent + 2)

    def _too_long(self, value: Mapping[str, Value], indent: int) -> bool:
        short = self._flow(value)
        return short is None or indent + 2 + len(short) > _WIDTH

    def _text(self, lead: str, text: str, indent: int) -> None:
        self.lines.append(f"{lead} {'|' if text.endswith(chr(10)) else '|-'}")
        pad = " " * (indent + 2)
        for line in text.removesuffix("\n").split("\n"):
            self.lines.append(f"{pad}{line}" if line else "")

    def _flow(self, value: Value) -> str | None:
        """In one line; None for what has to stand over several."""
        if isinstance(value, Block | Shared):
            return None
        if isinstance(value, Mapping):
            pairs = [(scalar(key), self._flow(item)) for key, item in value.items()]
            if any(item is None or len(key) > _LONGEST_KEY for key, item in pairs):
                return None
            return "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
        if isinstance(value, list | tuple):
            items = [self._flow(item) for item in value]
            return None if None in items else "[" + ", ".join(str(item) for item in items) + "]"
        if isinstance(value, str) and _is_block_text(value):
            return None
        return scalar(value)


def _has_parts(value: Value) -> bool:
    return isinstance(value, Mapping | list | tuple) and bool(value)


# --- scalars ----------------------------------------------------------------------------------------------------------
def scalar(value: Value) -> str:
    """A scalar in one line."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _number(value)
        case _:
            return _quoted(str(value))


def _number(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    # YAML 1.1 takes 1e+16 for a text: a float has a point.
    return text.replace("e", ".0e", 1) if "e" in text and "." not in text else text


def _quoted(text: str) -> str:
    if _is_plain(text):
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_ESCAPES.get(one) or (one if one.isprintable() else _escaped(one)) for one in text) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_plain(text: str) -> bool:
    """Whether it may stand without quotes, in one line maps and lists too, and is read as text."""
    if not text or text[0] not in _PLAIN_FIRST or text[-1] in " :" or not text.isprintable():
        return False
    if not _NEVER_PLAIN.isdisjoint(text) or ": " in text or not text.isascii():
        return False
    first = (*_RESOLVERS.get(text[0], ()), *_RESOLVERS.get(None, ()))
    return not any(pattern.match(text) for _, pattern in first)


def _is_block_text(text: str) -> bool:
    """Whether it has several lines that are read back as they are when they stand as a block."""
    body = text.removesuffix("\n")
    if "\n" not in text or not body or body[0] in "\n \t" or body.endswith("\n"):
        return False
    return all(line.replace("\t", "").isprintable() for line in body.split("\n"))


def _commented(line: str) -> str:
    """Text that ends no comment."""
    return "".join(one if one.isprintable() else " " for one in line)
