"""Turns source nodes into expressions: plain values, and functions in long (`Fn::X`) and short (`!X`) form."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from engine.model.diagnostic import Span
from engine.model.expression import (
    AvailabilityZones,
    Cidr,
    Expression,
    If,
    ListOf,
    Literal,
    MapOf,
    Mistake,
    ParameterRef,
    Pseudo,
    PseudoRef,
    Split,
)
from engine.model.nearest import closest
from engine.model.template import Parameter, ParameterType
from engine.model.value import Value
from translators.cfn import images, nodes
from translators.cfn.findings import Findings, Path
from translators.source import SourceNode

_DYNAMIC = re.compile(r"\{\{resolve:.*?\}\}|\{\{resolve:.*")


class Scope(enum.Enum):
    """Where an expression stands; decides which functions it may use."""

    VALUES = "values"
    CONDITIONS = "conditions"
    RULES = "rules"


@dataclass(slots=True)
class Names:
    """What a template declares, known before the first expression is read."""

    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    mappings: Mapping[str, Mapping[str, Mapping[str, Value]]] = field(default_factory=dict)
    conditions: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()


@dataclass(slots=True)
class Builder:
    """Reads expressions of one template.

    `heat`: the template has HeatTemplateFormatVersion, so Heat's readings of the functions hold (heat.md §3.3).
    `strict`: AWS's limits and naming hold; they do not where Heat's formats or types are used.
    `extended`: it asked for AWS::LanguageExtensions.
    `plain_base64`: Fn::Base64 gives its text unchanged, because the resource types around it encode by themselves.
    `nulls`: null is a value here (Heat's types), not a mistake.
    `dynamic`: the dynamic references found, with the place of each.
    """

    names: Names
    findings: Findings
    functions: Mapping[str, Function]
    heat: bool = False
    strict: bool = True
    extended: bool = False
    scope: Scope = Scope.VALUES
    plain_base64: bool = False
    nulls: bool = False
    dynamic: list[tuple[str, Path, Span | None]] = field(default_factory=list)
    image_rows: images.Rows = ()

    def build(self, node: SourceNode, at: Path) -> Expression:
        """Return the expression of `node`; mistakes are reported and give a null in their place."""
        if node.tag is not None:
            name = _LONG_NAMES.get(node.tag) or "Fn::" + node.tag.lstrip("!")
            return self.call(name, nodes.untagged(node), at, node.span, short=True)
        if node.kind == "scalar":
            return self._scalar(node, at)
        if node.kind == "list":
            build = self.build
            return ListOf(
                tuple([build(item, (at, str(index))) for index, item in enumerate(node.items)]), span=node.span
            )
        return self._map(node, at)

    def items(self, items: Iterable[SourceNode], at: Path) -> tuple[Expression, ...]:
        return tuple([self.build(item, (at, str(index))) for index, item in enumerate(items)])

    def call(self, name: str, argument: SourceNode, at: Path, span: Span | None, *, short: bool = False) -> Expression:
        """Return the call of function `name`, written `!Name` if `short`."""
        function = self.functions.get(name)
        here: Path = (at, name)
        if function is None or not function.known_in(self):
            return self._unsupported(name, argument, here, span, short)
        if self.scope not in function.scopes:
            return self.fail(
                "FunctionNotAllowed", _MISPLACED[self.scope].format(name), _WAY_BACK[self.scope], here, span
            )
        return function.read(self, argument, here, span)

    def fail(self, code: str, summary: str, detail: str, at: Path, span: Span | None) -> Expression:
        """Report a mistake and return what stands in its place."""
        self.findings.error(code, summary, detail, at=at, span=span)
        return Mistake(span=span)

    def gives_list(self, made: Expression) -> bool:
        """Whether it is a list whatever the values are."""
        match made:
            case ListOf() | Split() | Cidr() | AvailabilityZones() | PseudoRef(Pseudo.NOTIFICATION_ARNS):
                return True
            case ParameterRef(name):
                return self.names.parameters[name].type is ParameterType.LIST
            case If(_, then, otherwise) if otherwise is not None:
                return self.gives_list(then) and self.gives_list(otherwise)
            case _:
                return False

    def note_dynamic(self, text: str, at: Path, span: Span | None) -> None:
        self.dynamic += [(found.group(), at, span) for found in _DYNAMIC.finditer(text)]

    @contextmanager
    def within(self, scope: Scope) -> Iterator[None]:
        before, self.scope = self.scope, scope
        try:
            yield
        finally:
            self.scope = before

    def _scalar(self, node: SourceNode, at: Path) -> Expression:
        value = node.value
        if value is None and not self.nulls and not self.heat:
            nodes.null_found(node, at, self.findings)
            return Mistake(span=node.span)
        if isinstance(value, str) and "{{resolve:" in value:
            path = images.referenced(value)
            if path is not None:
                return images.looked_up(Literal(path, span=node.span), self.image_rows, node.span)
            self.note_dynamic(value, at, node.span)
        return Literal(value, span=node.span)

    def _map(self, node: SourceNode, at: Path) -> Expression:
        entries = node.entries
        if len(entries) == 1:
            key, argument = entries[0]
            name = key.value
            if name == "Ref" or (isinstance(name, str) and name[:4] == "Fn::"):
                return self.call(name, argument, at, key.span)
            if name == "Condition" and self.scope is not Scope.VALUES:
                return self.call(name, argument, at, key.span)
        build = self.build
        made: list[tuple[str, Expression]] = []
        spans: list[Span] = []
        alone = True
        for key, item in entries:
            name = key.value if type(key.value) is str else nodes.text(key.value)
            if name[:4] == "Fn::":
                self._not_alone(name, key, item, at)
                alone = False
            else:
                made.append((name, build(item, (at, name))))
                spans.append(key.span)
        return MapOf(tuple(made), span=node.span, keys=tuple(spans)) if alone else Mistake(span=node.span)

    def _not_alone(self, name: str, key: SourceNode, item: SourceNode, at: Path) -> None:
        if name == "Fn::Transform":
            nodes.transform_found(item, key.span, (at, name), self.findings)
        elif name.startswith(nodes.FOR_EACH):
            nodes.for_each_found(name, key.span, (at, name), self.findings)
        else:
            self.fail(
                "FunctionNotAlone",
                f"Template format error: {name} must be the only key of its object.",
                "Move the other keys of this map out of it, or put the function under a key of its own.",
                (at, name),
                key.span,
            )

    def _unsupported(self, name: str, argument: SourceNode, at: Path, span: Span | None, short: bool) -> Expression:
        if name == "Fn::Transform":
            nodes.transform_found(argument, span, at, self.findings)
            return Mistake(span=span)
        if name.startswith(nodes.FOR_EACH):
            nodes.for_each_found(name, span, at, self.findings)
            return Mistake(span=span)
        if name in self.functions:  # known, but only to the language extensions
            return self.fail(
                "TransformMissing",
                f"Template error: Encountered unsupported function: {name} Supported functions are: [{_listed(self)}]",
                f"{name} needs `Transform: AWS::LanguageExtensions` at the top of the template.",
                at,
                span,
            )
        return self.fail(
            "UnknownFunction",
            f"Template error: Encountered unsupported function: {name} Supported functions are: [{_listed(self)}]",
            self._way_out(name, short),
            at,
            span,
        )

    def _way_out(self, name: str, short: bool) -> str:
        if name.startswith("Fn::Rain::"):
            return "It is a directive of the tool rain: send what `rain pkg` makes of the template."
        if name in _NOT_YET:
            return _NOT_YET[name]
        usable = {
            known.removeprefix("Fn::"): known
            for known, function in self.functions.items()
            if self.scope in function.scopes and known != "Condition"
        }
        near = closest(name.removeprefix("Fn::"), usable)
        if near is None:
            return ""
        return f"Did you mean {'!' + near if short else usable[near]}?"


Reader: TypeAlias = Callable[[Builder, SourceNode, Path, Span | None], Expression]


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the language: how it is read, and where it may stand."""

    read: Reader
    scopes: frozenset[Scope]
    extension: bool = False  # only with the transform AWS::LanguageExtensions

    def known_in(self, builder: Builder) -> bool:
        return builder.extended or not self.extension


def _listed(builder: Builder) -> str:
    return ", ".join(name for name, function in builder.functions.items() if function.known_in(builder))


_LONG_NAMES: dict[str, str] = {"!Ref": "Ref", "!Condition": "Condition"}
_MISPLACED: dict[Scope, str] = {
    Scope.VALUES: "Template error: {} is only supported in the Conditions and Rules blocks of the template",
    Scope.CONDITIONS: "Template format error: Conditions can only be boolean operations on parameters and other"
    " conditions ({} is not)",
    Scope.RULES: "Template format error: {} cannot be used in the Rules block of the template",
}
_WAY_BACK: dict[Scope, str] = {
    Scope.VALUES: "Declare a condition in Conditions and choose between values with Fn::If.",
    Scope.CONDITIONS: "Conditions are decided before any resource exists: use parameters and mappings.",
    Scope.RULES: "Rules are decided before any resource exists: use the rule functions on parameters.",
}
_NOT_YET: dict[str, str] = {
    "Fn::GetParam": "Use `Ref` with the parameter's name.",
}
