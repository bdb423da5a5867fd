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
    Mistake,
    ObjectAttribute,
    ParameterRef,
)
from translators.cfn import nodes
from translators.cfn.builder import Builder
from translators.cfn.findings import Path, did_you_mean
from translators.source import SourceNode


def contains(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """`[list, value]`"""
    pair = _pair(builder, "Fn::Contains", "a list of strings and a string", argument, at)
    return Contains(pair[1], pair[0], as_text=True, span=span) if pair else Mistake(span=span)


def each_member_equals(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """`[list, value]`"""
    pair = _pair(builder, "Fn::EachMemberEquals", "a list of strings and a string", argument, at)
    return EachMemberEquals(pair[0], pair[1], span=span) if pair else Mistake(span=span)


def each_member_in(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """`[list, list]`"""
    pair = _pair(builder, "Fn::EachMemberIn", "two lists of strings", argument, at)
    return EachMemberIn(pair[0], pair[1], span=span) if pair else Mistake(span=span)


def ref_all(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """The values of all parameters of a type; a list of that type gives its items."""
    kind = nodes.as_string(argument)
    if not kind:
        return _wrong(builder, "Fn::RefAll", "a parameter type", argument, at)
    return _all_of(builder, kind, span)


def _all_of(builder: Builder, kind: str, span: Span | None) -> Expression:
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
    """`[parameter, attribute]`: an attribute of the object that a parameter names."""
    items = _two_texts(argument)
    if items is None:
        return _wrong(builder, "Fn::ValueOf", "a parameter's name and an attribute", argument, at)
    name, attribute = items
    if name not in builder.names.parameters:
        summary = f"Template error: Fn::ValueOf refers to the parameter {name}, which is not declared."
        hint = did_you_mean(name, builder.names.parameters) or "Name a parameter of this template."
        return builder.fail("UnknownReference", summary, hint, at, argument.span)
    return ObjectAttribute(ParameterRef(name, span=span), attribute, span=span)


def value_of_all(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """`[parameter type, attribute]`: that attribute of the objects that all parameters of the type name."""
    items = _two_texts(argument)
    if items is None:
        return _wrong(builder, "Fn::ValueOfAll", "a parameter type and an attribute", argument, at)
    return ObjectAttribute(_all_of(builder, items[0], span), items[1], span=span)


def _two_texts(argument: SourceNode) -> tuple[str, str] | None:
    texts = [nodes.as_string(item) for item in argument.items] if argument.kind == "list" else []
    return (texts[0], texts[1]) if len(texts) == 2 and texts[0] and texts[1] else None


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
