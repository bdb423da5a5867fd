"""Functions that make or take apart text and lists: Sub, Join, Split, Base64, Cidr, Length, ToJsonString, Heat's."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.model.diagnostic import Span
from engine.model.expression import (
    AttributeRef,
    Base64,
    Cidr,
    Concat,
    Expression,
    Join,
    Length,
    ListOf,
    Literal,
    MapOf,
    MemberListToMap,
    Mistake,
    Replace,
    ResourceRef,
    Split,
    ToJson,
    walk,
)
from translators.cfn import nodes
from translators.cfn.builder import Builder, Scope
from translators.cfn.findings import Path, did_you_mean, steps
from translators.cfn.lookups import reference
from translators.source import SourceNode

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_.:]+")
_SUB = (
    "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as"
    " first argument, and an optional second argument to specify a mapping of values to replace in the string"
)
_SUB_NAME = (
    "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods,"
    " and colons"
)
_JOIN = (
    "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to"
    " be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
)
_SPLIT = (
    "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be"
    " split or a function that returns a string to be split."
)
_CIDR = (
    "Template error: every Fn::Cidr object requires three parameters, (1) an IP address block, (2) a number of blocks"
    " from 1 to 256 and (3) a number of bits for each"
)


def sub(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """`text` or `[text, {name: value}]`; `${!x}` is the text `${x}` (L16)."""
    template, values = argument, None
    if argument.kind == "list" and argument.tag is None and len(argument.items) == 2:
        template, values = argument.items
    text = nodes.as_string(template)
    if template.tag is not None and isinstance(builder.build(template, (at, "0")), Mistake):
        return Mistake(span=span)  # an unknown function in the text's place has been reported
    if text is None or (values is not None and (values.kind != "map" or values.tag is not None)):
        hint = "Write `!Sub 'text ${Name}'`, or `!Sub ['text ${Name}', {Name: value}]`."
        return builder.fail("InvalidFunctionArgument", _SUB, hint, at, argument.span)
    given: dict[str, Expression] = {}
    if values is not None:
        given = {
            nodes.text(key.value): builder.build(item, (at, nodes.text(key.value))) for key, item in values.entries
        }
    if "{{resolve:" in text:
        builder.note_dynamic(text, at, template.span)
    _check_unused(builder, text, given, at)
    parts: list[Expression] = []
    for index, piece in enumerate(_VARIABLE.split(text)):
        if index % 2 == 0:
            if piece:
                parts.append(Literal(piece, span=template.span))
        elif piece.startswith("!"):
            parts.append(Literal("${" + piece[1:] + "}", span=template.span))
        else:
            span_of_it = (template.variables or {}).get(piece, template.span)
            parts.append(_variable(builder, piece, given, at, span_of_it))
    return _concat(parts, span)


def _check_unused(builder: Builder, text: str, given: Mapping[str, Expression], at: Path) -> None:
    """What no variable takes is left out, so that nobody else would see references to what there is not."""
    for name, value in given.items():
        if f"${{{name}}}" in text:
            continue
        for inner in walk(value):
            if isinstance(inner, ResourceRef | AttributeRef) and inner.address not in builder.names.resources:
                summary = f"Template format error: Unresolved resource dependencies [{inner.address}] in the"
                summary += f" {steps(at)[0]} block of the template"
                hint = did_you_mean(inner.address, [*builder.names.resources, *builder.names.parameters])
                hint = hint or f"The text does not use {name}: leave it out."
                builder.fail("UnresolvedDependency", summary, hint, at, inner.span)


def _variable(builder: Builder, name: str, given: dict[str, Expression], at: Path, span: Span | None) -> Expression:
    """What `${name}` stands for: a value given with the text, then what Ref and GetAtt would find."""
    if name in given:
        return given[name]
    if not _VARIABLE_NAME.fullmatch(name):
        hint = f"`${{{name}}}` is not a variable; write `${{!{name}}}` when the text itself is meant."
        return builder.fail("InvalidFunctionArgument", _SUB_NAME, hint, at, span)
    resource, dot, attribute = name.partition(".")
    if not dot:
        return reference(builder, name, at, span)
    if not resource or not attribute:
        return builder.fail("InvalidFunctionArgument", _SUB_NAME, "Write `${Resource.Attribute}`.", at, span)
    if builder.scope is not Scope.VALUES:
        return reference(builder, resource, at, span)  # reports that only parameters may be used here
    return AttributeRef(resource, Literal(attribute, span=span), span=span)


def _concat(parts: list[Expression], span: Span | None) -> Expression:
    """One literal when nothing is left to evaluate."""
    if all(isinstance(part, Literal) and isinstance(part.value, str) for part in parts):
        return Literal("".join(part.value for part in parts if isinstance(part, Literal)), span=span)
    return Concat(tuple(parts), span=span)


def join(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    items = argument.items if argument.kind == "list" else ()
    if len(items) == 2:
        delimiter, source = builder.items(items, at)
        literal = nodes.as_string(items[0]) is not None or not isinstance(delimiter, Literal | ListOf | MapOf)
        if literal and not isinstance(source, Literal | MapOf):
            return Join(delimiter, (source,), span=span)
    hint = "Write `!Join [',', [first, second]]`."
    return builder.fail("InvalidFunctionArgument", _JOIN, hint, at, argument.span)


def split(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    items = argument.items if argument.kind == "list" else ()
    if len(items) == 2 and not nodes.is_null(items[1]):
        delimiter, source = builder.items(items, at)
        literal = bool(nodes.as_string(items[0])) or not isinstance(delimiter, Literal | ListOf | MapOf)
        if literal and not isinstance(source, ListOf | MapOf):
            return Split(delimiter, source, span=span)
    hint = "Write `!Split [',', 'first,second']`; the delimiter may not be empty."
    return builder.fail("InvalidFunctionArgument", _SPLIT, hint, at, argument.span)


def base64(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """Inside Heat's own types the text stays as it is: they encode by themselves (TC-06)."""
    text = builder.build(argument, at)
    if isinstance(text, ListOf | MapOf) or (isinstance(text, Literal) and not isinstance(text.value, str)):
        summary = "Template error: every Fn::Base64 object must have a String-typed value."
        return builder.fail("InvalidFunctionArgument", summary, "Give it text.", at, argument.span)
    return text if builder.plain_base64 else Base64(text, span=span)


def cidr(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    items = argument.items if argument.kind == "list" else ()
    if len(items) == 3:
        block, count, bits = builder.items(items, at)
        number = nodes.as_int(items[1])
        fits = not isinstance(count, Literal) or (number is not None and 1 <= number <= 256)
        if fits and (not isinstance(bits, Literal) or nodes.as_int(items[2]) is not None):
            return Cidr(block, count, bits, span=span)
    hint = "Write `!Cidr ['10.0.0.0/16', 4, 8]` for four /24 blocks."
    return builder.fail("InvalidFunctionArgument", _CIDR, hint, at, argument.span)


def length(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    source = builder.build(argument, at)
    if isinstance(source, Literal | MapOf):
        summary = "Template error: Fn::Length requires a list, or a function that returns a list."
        hint = "Write `Fn::Length: [first, second]`."
        return builder.fail("InvalidFunctionArgument", summary, hint, at, argument.span)
    return Length(source, span=span)


def to_json_string(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    source = builder.build(argument, at)
    if isinstance(source, Literal):
        summary = "Template error: Fn::ToJsonString requires an object or a list."
        hint = "A text needs no function: write it as it is."
        return builder.fail("InvalidFunctionArgument", summary, hint, at, argument.span)
    return ToJson(source, span=span)


def replace(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """Heat's `[{search: replacement}, text]` (TC-09)."""
    items = argument.items if argument.kind == "list" else ()
    if len(items) != 2:
        summary = (
            "Template error: every Fn::Replace object requires two parameters, a map of replacements and a string."
        )
        return builder.fail("InvalidFunctionArgument", summary, "Write `[{search: value}, text]`.", at, argument.span)
    params, text = builder.items(items, at)
    return Replace(text, params, serialize=False, span=span)


def member_list_to_map(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """Heat's `[key name, value name, ['.member.0.Name=k', …]]` (TC-10)."""
    items = argument.items if argument.kind == "list" else ()
    if len(items) != 3:
        summary = (
            "Template error: every Fn::MemberListToMap object requires three parameters, the names of key and value"
            " and a list of members."
        )
        hint = "Write `[Name, Value, ['.member.0.Name=k', '.member.0.Value=v']]`."
        return builder.fail("InvalidFunctionArgument", summary, hint, at, argument.span)
    key, value, listed = builder.items(items, at)
    return MemberListToMap(key, value, listed, span=span)
