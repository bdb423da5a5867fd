"""Functions of the Rules section (cloudformation.md L35 to L40)."""

from __future__ import annotations

from engine.model.diagnostic import Span
from engine.model.expression import (
    Contains,
    EachMemberEquals,
    EachMemberIn,
    Expression,
    ListConcat,
    ListOf,
    MapOf,
    NoValue,
    ParameterRef,
)
from translators.cfn import nodes
from translators.cfn.builder import Builder
from translators.cfn.findings import Path
from translators.source import SourceNode


def contains(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """`[list, value]`"""
    pair = _pair(builder, "Fn::Contains", "a list of strings and a string", argument, at)
    return Contains(pair[1], pair[0], span=span) if pair else NoValue(span=span)


def each_member_equals(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """`[list, value]`"""
    pair = _pair(builder, "Fn::EachMemberEquals", "a list of strings and a string", argument, at)
    return EachMemberEquals(pair[0], pair[1], span=span) if pair else NoValue(span=span)


def each_member_in(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """`[list, list]`"""
    pair = _pair(builder, "Fn::EachMemberIn", "two lists of strings", argument, at)
    return EachMemberIn(pair[0], pair[1], span=span) if pair else NoValue(span=span)


def ref_all(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """The values of all parameters of a type; a list of that type gives its items."""
    kind = nodes.as_string(argument)
    if not kind:
        return _wrong(builder, "Fn::RefAll", "a parameter type", argument, at)
    single: list[Expression] = []
    several: list[Expression] = []
    for name, parameter in builder.names.parameters.items():
        if parameter.source_type == kind:
            single.append(ParameterRef(name, span=span))
        elif parameter.source_type == f"List<{kind}>":
            several.append(ParameterRef(name, span=span))
    listed = ListOf(tuple(single), span=span)
    return ListConcat(ListOf((listed, *several), span=span), span=span) if several else listed


def value_of(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """`[parameter, attribute]`: an attribute of the object that a parameter names. Noted, not evaluated."""
    return _lookup(builder, "Fn::ValueOf", "a parameter's name and an attribute", argument, at, span)


def value_of_all(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """`[parameter type, attribute]`. Noted, not evaluated."""
    return _lookup(builder, "Fn::ValueOfAll", "a parameter type and an attribute", argument, at, span)


def _lookup(builder: Builder, name: str, wanted: str, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    items = argument.items if argument.kind == "list" else ()
    if len(items) != 2 or any(nodes.as_string(item) is None for item in items):
        return _wrong(builder, name, wanted, argument, at)
    builder.lookups.append(name)
    return NoValue(span=span)


def _pair(
    builder: Builder, name: str, wanted: str, argument: SourceNode, at: Path
) -> tuple[Expression, Expression] | None:
    items = argument.items if argument.kind == "list" else ()
    if len(items) != 2:
        _wrong(builder, name, wanted, argument, at)
        return None
    left, right = builder.items(items, at)
    if isinstance(left, MapOf) or isinstance(right, MapOf):
        _wrong(builder, name, wanted, argument, at)
        return None
    return left, right


def _wrong(builder: Builder, name: str, wanted: str, argument: SourceNode, at: Path) -> Expression:
    summary = f"Template error: every {name} object requires {wanted}."
    return builder.fail("InvalidFunctionArgument", summary, f"Write `{name}` with {wanted}.", at, argument.span)
