"""Functions that a transform must decide before anything runs: from parameters, mappings and conditions alone.

AWS::LanguageExtensions needs the items of a loop and the name of a deletion policy while the template is still text
(cloudformation.md L33, L87), AWS::Include its location. What depends on a resource cannot be decided here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from engine.model.diagnostic import Span
from engine.model.dynamic import is_public_image
from engine.model.source import Question, Source
from engine.model.value import Value
from translators.cfn import nodes, pseudo
from translators.cfn.asking import PSEUDO, Asking
from translators.cfn.choices import function_of
from translators.cfn.parameter_types import ssm_inner
from translators.source import SourceNode

_VARIABLE = re.compile(r"\$\{(!?)([^${}]+)\}")
_DEEPEST = 50
_CONSTANT: Final = {"AWS::Partition": pseudo.PARTITION, "AWS::URLSuffix": pseudo.URL_SUFFIX}


class Undecided(Exception):
    """A value cannot be known while the template is translated; the message says which and why.

    `asked`: it is known once what was asked is answered.
    """

    asked = False


class _Asked(Undecided):
    asked = True


class NoValue(Undecided):
    """AWS::NoValue: a list or an object leaves out what it stands for, elsewhere nothing can be decided."""


def given(source: Source) -> dict[str, Value]:
    """The values that the request has for parameters, those of its environment's `parameter_defaults` last."""
    defaults = source.environment.get("parameter_defaults")
    return {**(defaults if isinstance(defaults, Mapping) else {}), **source.parameters}


class Statics:
    """Evaluates nodes of one template with the values given for its parameters, else their defaults; what only the
    surroundings know is asked."""

    def __init__(self, tree: SourceNode, given: Mapping[str, Value], asking: Asking) -> None:
        self._tree = tree
        self._given = given
        self._asking = asking
        self._depth = 0

    def of(self, tree: SourceNode) -> Statics:
        """The same of what a transform has made of the template."""
        return Statics(tree, self._given, self._asking)

    def value(self, node: SourceNode) -> Value:
        """Return the value of `node`; raises Undecided."""
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise Undecided("the functions are nested too deeply, or conditions refer to each other in a circle")
            name = function_of(node)
            if name is not None and (name == "Ref" or name == "Condition" or name.startswith("Fn::")):
                argument = nodes.untagged(node) if node.tag is not None else node.entries[0][1]
                function = _FUNCTIONS.get(name)
                if function is None:
                    raise Undecided(f"{name} cannot be evaluated before resources exist")
                return function(self, argument)
            if node.kind == "list":
                return [value for _, value in self._kept((item, item) for item in node.items)]
            if node.kind == "map":
                return {nodes.text(key.value): value for key, value in self._kept(node.entries)}
            return node.value
        finally:
            self._depth -= 1

    def _kept(self, pairs: Iterable[tuple[SourceNode, SourceNode]]) -> Iterator[tuple[SourceNode, Value]]:
        """Each key with the value of its item, without those that are AWS::NoValue."""
        for key, item in pairs:
            try:
                yield key, self.value(item)
            except NoValue:
                continue

    def text(self, node: SourceNode) -> str:
        value = self.value(node)
        if isinstance(value, list | dict):
            raise Undecided("a text is needed, not a list or an object")
        return nodes.text(value)

    def reference(self, name: str) -> Value:
        """The value of a parameter or of a pseudo parameter."""
        if name in _CONSTANT:
            return _CONSTANT[name]
        if name == "AWS::NoValue":
            raise NoValue("AWS::NoValue leaves nothing there")
        if name in PSEUDO:
            told = self._asking.answer(Question("pseudo", name))
            if told is None:
                raise _Asked(f"{name} has to be asked first")
            return told
        return self.parameter(name)

    def parameter(self, name: str) -> Value:
        declared = self._section("Parameters", name)
        if declared is None or declared.kind != "map":
            raise Undecided(f"{name} is not a parameter")
        self._asking.settled.add(name)
        kind = declared.get("Type")
        written = "" if kind is None else nodes.text(kind.value)
        value = self._given.get(name)
        if value is None:
            default = declared.get("Default")
            if default is None:
                raise Undecided(f"parameter {name} has no value")
            value = default.to_python()
        inner = ssm_inner(written)
        if inner is not None and not is_public_image(value):
            value = self._stored(name, nodes.text(value), declared.span)
        if (inner or written).startswith(("List<", "CommaDelimitedList")) and not isinstance(value, list):
            text = nodes.text(value)
            return [item.strip() for item in text.split(",")] if text else []
        return value if isinstance(value, list) else nodes.text(value)

    def _stored(self, name: str, path: str, span: Span) -> str:
        """What the parameter store has under `path` (L66 to L69)."""
        told = self._asking.answer(Question("parameter", path, span=span))
        if told is None:
            raise _Asked(f"{path} has to be asked first")
        if not told:
            raise Undecided(f"parameter {name} is {path} of the parameter store, whose value is not known here")
        return told

    def condition(self, name: str) -> bool:
        declared = self._section("Conditions", name)
        if declared is None:
            raise Undecided(f"there is no condition {name}")
        return self.truth(declared)

    def truth(self, node: SourceNode) -> bool:
        return self.value(node) is True

    def cell(self, table: str, top: str, second: str) -> Value:
        """A value of Mappings; raises KeyError."""
        node = self._section("Mappings", table)
        for key in (top, second):
            node = node.get(key) if node is not None and node.kind == "map" else None
        if node is None:
            raise KeyError(f"{table}::{top}::{second}")
        return node.to_python()

    def _section(self, section: str, name: str) -> SourceNode | None:
        node = self._tree.get(section)
        return node.get(name) if node is not None and node.kind == "map" else None


def _items(node: SourceNode, *counts: int) -> tuple[SourceNode, ...]:
    if node.kind != "list" or len(node.items) not in counts:
        raise Undecided("a function has the wrong number of arguments")
    return tuple(node.items)


def _ref(statics: Statics, node: SourceNode) -> Value:
    return statics.reference(nodes.text(node.value))


def _find_in_map(statics: Statics, node: SourceNode) -> Value:
    items = _items(node, 3, 4)
    names = [statics.text(item) for item in items[:3]]
    try:
        return statics.cell(names[0], names[1], names[2])
    except KeyError as missing:
        fallback = items[3].get("DefaultValue") if len(items) == 4 and items[3].kind == "map" else None
        if fallback is None:
            raise Undecided(f"there is no mapping {missing.args[0]}") from None
        return statics.value(fallback)


def _if(statics: Statics, node: SourceNode) -> Value:
    name, then, otherwise = _items(node, 3)
    return statics.value(then if statics.condition(nodes.text(name.value)) else otherwise)


def _equals(statics: Statics, node: SourceNode) -> Value:
    left, right = _items(node, 2)
    return statics.text(left) == statics.text(right)


def _join(statics: Statics, node: SourceNode) -> Value:
    delimiter, items = _items(node, 2)
    values = statics.value(items)
    if not isinstance(values, list):
        raise Undecided("Fn::Join needs a list")
    return statics.text(delimiter).join(nodes.text(value) for value in values)


def _split(statics: Statics, node: SourceNode) -> Value:
    delimiter, source = _items(node, 2)
    mark = statics.text(delimiter)
    if not mark:
        raise Undecided("Fn::Split needs a delimiter")
    return statics.text(source).split(mark)


def _select(statics: Statics, node: SourceNode) -> Value:
    index, source = _items(node, 2)
    values, written = statics.value(source), statics.text(index)
    if not isinstance(values, list) or not written.isdecimal() or int(written) >= len(values):
        raise Undecided("Fn::Select finds nothing at its index")
    return values[int(written)]


def _sub(statics: Statics, node: SourceNode) -> Value:
    own: dict[str, SourceNode] = {}
    if node.kind == "list":
        node, variables = _items(node, 2)
        own = {nodes.text(key.value): item for key, item in variables.entries}
    text = nodes.as_string(node)
    if text is None:
        raise Undecided("Fn::Sub needs a text")

    def value(match: re.Match[str]) -> str:
        literal, name = match.groups()
        if literal:
            return f"${{{name}}}"
        return statics.text(own[name]) if name in own else nodes.text(statics.reference(name))

    return _VARIABLE.sub(value, text)


def _length(statics: Statics, node: SourceNode) -> Value:
    values = statics.value(node)
    if not isinstance(values, list):
        raise Undecided("Fn::Length needs a list")
    return len(values)


def _to_json(statics: Statics, node: SourceNode) -> Value:
    return json.dumps(statics.value(node), separators=(",", ":"))


def _condition(statics: Statics, node: SourceNode) -> Value:
    return statics.condition(nodes.text(node.value))


_FUNCTIONS: dict[str, Callable[[Statics, SourceNode], Value]] = {
    "Ref": _ref,
    "Condition": _condition,
    "Fn::FindInMap": _find_in_map,
    "Fn::If": _if,
    "Fn::Equals": _equals,
    "Fn::Not": lambda statics, node: not statics.truth(_items(node, 1)[0]),
    "Fn::And": lambda statics, node: all(statics.truth(item) for item in node.items),
    "Fn::Or": lambda statics, node: any(statics.truth(item) for item in node.items),
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::Sub": _sub,
    "Fn::Length": _length,
    "Fn::ToJsonString": _to_json,
}
