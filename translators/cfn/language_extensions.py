"""The transform AWS::LanguageExtensions: loops are unrolled and policies decided (cloudformation.md L33, L87).

Fn::Length, Fn::ToJsonString and the default of Fn::FindInMap are ordinary functions that the transform only allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from engine.model.value import Value
from translators.cfn import nodes
from translators.cfn.choices import function_of
from translators.cfn.findings import Findings, Path
from translators.cfn.static import NoValue, Statics, Undecided
from translators.source import SourceNode

_LOOPS_IN: Final = ("Conditions", "Resources", "Outputs")
_POLICIES: Final = ("DeletionPolicy", "UpdateReplacePolicy")
_DEEPEST: Final = 5  # loops inside loops, as AWS has it
_MOST_NODES: Final = 100_000  # a template is at most 1 MB: more than this is a loop gone wild
_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]")

Bindings = Mapping[str, str]


class _TooLarge(Exception):
    """The loops make more of the template than anyone can mean."""


def extend(tree: SourceNode, statics: Statics, findings: Findings) -> SourceNode:
    """Return `tree` without loops; what cannot be decided from parameters is reported."""
    unroller = _Unroller(statics, findings)
    entries: list[tuple[SourceNode, SourceNode]] = []
    try:
        for key, item in tree.entries:
            name = nodes.text(key.value)
            if name in _LOOPS_IN:
                entries.append((key, unroller.node(item, {}, (None, name))))
            else:
                entries.append((key, item))
                _refuse_loops(key, item, None, findings)
    except _TooLarge:
        summary = "Template format error: The loops of the template make too many objects."
        findings.error("LimitExceeded", summary, "Shorten the collections.", span=tree.span)
        return tree
    unrolled = replace(tree, entries=tuple(entries))
    statics = statics.of(unrolled)
    named = [
        (key, _with_names(item, statics, (None, nodes.text(key.value)), findings) if key.value in _LOOPS_IN else item)
        for key, item in unrolled.entries
    ]
    return _decide_policies(replace(unrolled, entries=tuple(named)), statics, findings)


def _refuse_loops(key: SourceNode, node: SourceNode, at: Path, findings: Findings) -> None:
    """Report loops where AWS has none; what Metadata holds is never evaluated."""
    name = nodes.text(key.value)
    here: Path = (at, name)
    if name.startswith(nodes.FOR_EACH):
        summary = f"Template error: {name} can only be used in Conditions, Resources and Outputs."
        hint = "Write out here what it would make."
        findings.error("FunctionNotAllowed", summary, hint, at=here, span=key.span)
    elif name != "Metadata" or at is not None:
        for inner, item in node.entries:
            _refuse_loops(inner, item, here, findings)


@dataclass(slots=True)
class _Unroller:
    statics: Statics
    findings: Findings
    made: int = field(default=0)

    def node(self, node: SourceNode, bindings: Bindings, at: Path, depth: int = 0) -> SourceNode:
        """Return `node` with its loops unrolled and the loop variables of `bindings` put in."""
        self.made += 1
        if self.made > _MOST_NODES:
            raise _TooLarge
        if bindings and function_of(node) == "Ref":
            argument = node if node.tag is not None else node.entries[0][1]
            if argument.kind == "scalar" and argument.value in bindings:
                return replace(argument, value=bindings[argument.value], tag=None, span=node.span)
        if node.kind == "list":
            items = [self.node(item, bindings, (at, str(index)), depth) for index, item in enumerate(node.items)]
            return replace(node, items=tuple(items))
        if node.kind == "map":
            return replace(node, entries=tuple(self._entries(node, bindings, at, depth)))
        return _filled(node, bindings)

    def _entries(
        self, node: SourceNode, bindings: Bindings, at: Path, depth: int
    ) -> Iterable[tuple[SourceNode, SourceNode]]:
        seen: dict[str, None] = {}
        for key, item in node.entries:
            name = nodes.text(key.value)
            looped = name.startswith(nodes.FOR_EACH)
            made = (
                self._loop(key, item, bindings, (at, name), depth)
                if looped
                else [(_filled(key, bindings), self.node(item, bindings, (at, name), depth))]
            )
            for one, value in made:
                label = nodes.text(one.value)
                if label in seen and (looped or bindings):
                    summary = f"Template format error: {name} makes the key {label} twice."
                    hint = "Put the loop's variable into the key, as in `Name${Variable}`."
                    self.findings.error("DuplicateName", summary, hint, at=(at, name), span=key.span)
                seen[label] = None
                yield one, value

    def _loop(
        self, key: SourceNode, node: SourceNode, bindings: Bindings, at: Path, depth: int
    ) -> list[tuple[SourceNode, SourceNode]]:
        """The entries that one `Fn::ForEach` stands for."""
        items = node.items if node.kind == "list" else ()
        variable = nodes.as_string(items[0]) if len(items) == 3 else None
        if variable is None or not variable.isalnum() or items[2].kind != "map" or depth >= _DEEPEST:
            summary = f"Template error: every {key.value} object requires three parameters, (1) an identifier,"
            summary += " (2) a collection and (3) an object with the output key and value."
            hint = f"Loops nest at most {_DEEPEST} deep." if depth >= _DEEPEST else "Write `[Name, [a, b], {…}]`."
            self.findings.error("InvalidFunctionArgument", summary, hint, at=at, span=node.span)
            return []
        values = self._collection(key, items[1], bindings, at)
        body = items[2]
        made: list[tuple[SourceNode, SourceNode]] = []
        for value in values:
            inner = self.node(body, {**bindings, variable: value}, at, depth + 1)
            made += inner.entries
        return made

    def _collection(self, key: SourceNode, node: SourceNode, bindings: Bindings, at: Path) -> list[str]:
        try:
            value = self.statics.value(self.node(node, bindings, at))
        except Undecided as why:
            if why.asked:
                return []
            summary = f"Template error: Fn::ForEach could not resolve the collection of {key.value}: {why}."
            hint = "Use a list, or a parameter that has a value."
            self.findings.error("UndecidedLoop", summary, hint, at=at, span=node.span)
            return []
        found = _flat(value)
        if found is None:
            summary = f"Template error: The collection of {key.value} must be a list of strings."
            self.findings.error("InvalidFunctionArgument", summary, "Write `[a, b]`.", at=at, span=node.span)
            return []
        return list(dict.fromkeys(found))


def _flat(value: Value) -> list[str] | None:
    """The texts of a list; lists that functions gave inside it are laid out."""
    if not isinstance(value, list):
        return None
    found: list[str] = []
    for item in value:
        if isinstance(item, list):
            inner = _flat(item)
            if inner is None:
                return None
            found += inner
        elif isinstance(item, dict) or item is None:
            return None
        else:
            found.append(nodes.text(item))
    return found


def _filled(node: SourceNode, bindings: Bindings) -> SourceNode:
    """The scalar with `${Name}` and `&{Name}` of loop variables put in; the latter with letters and digits only."""
    text = node.value
    if not bindings or not isinstance(text, str) or "{" not in text:
        return node
    for name, value in bindings.items():
        text = text.replace(f"${{{name}}}", value).replace(f"&{{{name}}}", _NOT_ALPHANUMERIC.sub("", value))
    return node if text == node.value else replace(node, value=text)


def _with_names(node: SourceNode, statics: Statics, at: Path, findings: Findings) -> SourceNode:
    """The node with the names that functions in `Ref` and `Fn::GetAtt` give (L15, L87); the very node without any."""
    function = function_of(node) if node.kind != "scalar" else None
    if function in ("Ref", "Fn::GetAtt"):
        argument = nodes.untagged(node) if node.tag is not None else node.entries[0][1]
        named = _named(argument, statics, (at, function), findings, listed=function == "Fn::GetAtt")
        if named is argument:
            return node
        return replace(named, tag=node.tag) if node.tag else replace(node, entries=((node.entries[0][0], named),))
    items = tuple([_with_names(item, statics, (at, str(index)), findings) for index, item in enumerate(node.items)])
    entries = tuple(
        [(key, _with_names(item, statics, (at, nodes.text(key.value)), findings)) for key, item in node.entries]
    )
    same = all(new is old for new, old in zip(items, node.items, strict=True))
    same = same and all(new[1] is old[1] for new, old in zip(entries, node.entries, strict=True))
    return node if same else replace(node, items=items, entries=entries)


def _named(argument: SourceNode, statics: Statics, at: Path, findings: Findings, *, listed: bool) -> SourceNode:
    """The argument with its name decided: all of it, or if `listed` the first of its items."""
    if listed:
        if argument.kind != "list" or not argument.items:
            return argument
        first = _named(argument.items[0], statics, at, findings, listed=False)
        return argument if first is argument.items[0] else replace(argument, items=(first, *argument.items[1:]))
    if function_of(argument) is None or (argument.kind == "scalar" and argument.tag is None):
        return argument
    try:
        return replace(argument, kind="scalar", value=statics.text(argument), tag=None, entries=(), items=())
    except Undecided as why:
        if not why.asked:
            summary = f"Template error: The name could not be resolved: {why}."
            hint = "Use a text, or functions of parameters that have values."
            findings.error("UndecidedName", summary, hint, at=at, span=argument.span)
        return argument


def _decide_policies(tree: SourceNode, statics: Statics, findings: Findings) -> SourceNode:
    """Functions in DeletionPolicy and UpdateReplacePolicy become the names they give."""
    section = tree.get("Resources")
    if section is None or section.kind != "map":
        return tree
    resources = [
        (key, _with_policies(item, statics, ((None, "Resources"), nodes.text(key.value)), findings))
        for key, item in section.entries
    ]
    decided = replace(section, entries=tuple(resources))
    return replace(tree, entries=tuple((key, decided if item is section else item) for key, item in tree.entries))


def _with_policies(resource: SourceNode, statics: Statics, at: Path, findings: Findings) -> SourceNode:
    if resource.kind != "map" or not any(key.value in _POLICIES for key, _ in resource.entries):
        return resource
    entries: list[tuple[SourceNode, SourceNode]] = []
    for key, item in resource.entries:
        decided = item
        if key.value in _POLICIES and (item.kind == "map" or item.tag is not None):
            try:
                decided = replace(item, kind="scalar", value=statics.text(item), tag=None, entries=(), items=())
            except Undecided as why:
                if why.asked:
                    continue
                summary = f"Template error: {key.value} could not be resolved: {why}."
                hint = "Use a parameter that has a value."
                if isinstance(why, NoValue):
                    hint = "Write Delete, Retain or another policy in its place."
                here: Path = (at, str(key.value))
                findings.error("UndecidedPolicy", summary, hint, at=here, span=item.span)
        entries.append((key, decided))
    return replace(resource, entries=tuple(entries))
