"""`Fn::Transform` inside a template: each stands for what it makes of the keys beside it (cloudformation.md L30)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from engine.model.source import Source
from translators.cfn import including, macros, nodes
from translators.cfn.asking import Asking
from translators.cfn.findings import Findings, Path
from translators.cfn.long_form import without
from translators.cfn.static import Statics, given
from translators.source import SourceNode

KEY: Final = "Fn::Transform"
_SHORT: Final = "!Transform"
_DEEPEST: Final = 5  # texts that include texts

Refuse = Callable[[str, SourceNode, Path, Findings], None]


def names_in(node: SourceNode) -> Iterator[str]:
    """The names of all transforms that functions in `node` call."""
    todo = [node]
    while todo:
        here = todo.pop()
        for call in _calls(here):
            name = call.get("Name") if call.kind == "map" else None
            if name is not None and name.kind == "scalar":
                yield nodes.text(name.value)
        todo += reversed([*here.items, *(item for _, item in here.entries)])


def _calls(node: SourceNode) -> tuple[SourceNode, ...]:
    """What `Fn::Transform` is called with at this node; published templates also write a list of calls."""
    argument = nodes.untagged(node) if node.tag == _SHORT else node.get(KEY) if node.kind == "map" else None
    if argument is None:
        return ()
    return argument.items if argument.kind == "list" else (argument,)


class NestedTransforms:
    """Carries out every `Fn::Transform` of one template, the most deeply nested first."""

    def __init__(self, tree: SourceNode, source: Source, asking: Asking, findings: Findings, refuse: Refuse) -> None:
        self._tree, self._source, self._asking, self._findings = tree, source, asking, findings
        self._statics = Statics(tree, given(source), asking)
        self._refuse = refuse
        self._waiting = False  # something inside has to be asked first

    def applied(self) -> SourceNode:
        """The template without them. What has to be asked is noted, and what stands around it left alone."""
        return self._node(self._tree, None, 0)

    def _node(self, node: SourceNode, at: Path, depth: int) -> SourceNode:
        if node.kind == "scalar" and node.tag != _SHORT:
            return node
        before, self._waiting = self._waiting, False
        node = self._inside(node, at, depth)
        calls = _calls(node)
        if len(calls) > 1:
            summary = "Template error: every Fn::Transform object calls one transform."
            hint = "Give each a key of its own, or put one into the other."
            self._findings.error("InvalidFunctionArgument", summary, hint, at=(at, KEY), span=calls[1].span)
        elif calls and not self._waiting:
            node = self._call(node, calls[0], (at, KEY), depth)
        self._waiting = self._waiting or before
        return node

    def _inside(self, node: SourceNode, at: Path, depth: int) -> SourceNode:
        """The node with what is inside it transformed; the very node when nothing is."""
        if node.kind == "list":
            items = tuple([self._node(item, (at, str(index)), depth) for index, item in enumerate(node.items)])
            same = all(new is old for new, old in zip(items, node.items, strict=True))
            return node if same else replace(node, items=items)
        changed = False
        entries: list[tuple[SourceNode, SourceNode]] = []
        for key, item in node.entries:
            made = self._node(item, (at, nodes.text(key.value)), depth)
            changed = changed or made is not item
            entries.append((key, made))
        return replace(node, entries=tuple(entries)) if changed else node

    def _call(self, node: SourceNode, call: SourceNode, at: Path, depth: int) -> SourceNode:
        name_node = call.get("Name") if call.kind == "map" else None
        name = nodes.as_string(name_node) if name_node is not None else None
        if not name:
            summary = "Template error: every Fn::Transform object requires a Name."
            hint = "Write `Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://bucket/key}}`."
            self._findings.error("InvalidFunctionArgument", summary, hint, at=at, span=call.span)
            return node
        parameters = call.get("Parameters")
        if name == including.NAME:
            return self._include(node, call, parameters, at, depth)
        if name.startswith("AWS::"):
            self._refuse_inside(name, call, at)
            return node
        beside = without(node, [KEY]) if node.tag is None else replace(node, tag=None, kind="map", entries=())
        made = macros.called(
            name, parameters, beside, self._tree, call, self._source, self._asking, at, self._findings
        )  # fmt: skip
        self._waiting = made is beside
        return node if made is beside else made

    def _include(
        self, node: SourceNode, call: SourceNode, parameters: SourceNode | None, at: Path, depth: int
    ) -> SourceNode:
        if depth >= _DEEPEST:
            summary = f"Transform {including.NAME} failed with: Texts include each other more than {_DEEPEST} deep."
            self._findings.error("TransformFailed", summary, "Is it a circle?", at=at, span=call.span)
            return node
        text = including.included(
            parameters, call, self._source, self._statics, self._asking, at, self._findings
        )  # fmt: skip
        if text is None:
            self._waiting = True
            return node
        inner = self._node(text, at, depth + 1)
        if self._waiting:
            return node
        return inner if node.tag is not None else including.merged(node, KEY, inner, at, self._findings)

    def _refuse_inside(self, name: str, call: SourceNode, at: Path) -> None:
        if name in ("AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"):
            summary = f"Transform {name} cannot be called by Fn::Transform: it is for whole templates."
            hint = f"Write `Transform: {name}` at the top of the template."
            self._findings.error("TransformNotSupported", summary, hint, at=at, span=call.span)
        else:
            self._refuse(name, call, at, self._findings)
