"""Functions that look something up: Ref, GetAtt, FindInMap, GetAZs, ImportValue, Select, ResourceFacade."""

from __future__ import annotations

from collections.abc import Iterable

from engine.model.diagnostic import Span
from engine.model.expression import (
    AttributeRef,
    AvailabilityZones,
    Expression,
    Facade,
    FacadePart,
    FindInMap,
    ImportValue,
    Literal,
    ParameterRef,
    ResourceRef,
    Select,
    StackOutput,
    walk,
)
from translators.cfn import images, nodes, pseudo
from translators.cfn.builder import Builder, Scope
from translators.cfn.choices import function_of
from translators.cfn.findings import Path, did_you_mean
from translators.source import SourceNode

_GET_ATT = (
    "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource"
    " attribute"
)
_FIND_IN_MAP = (
    "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for"
    " return value"
)
_SELECT = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
_SELECT_INDEX = "Template error: Fn::Select requires a list argument with a valid index value as its first element"


def ref(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    name = nodes.as_string(argument)
    if not name:
        hint = "Write the name of a parameter, a pseudo parameter or a resource."
        if function_of(argument) in builder.functions and not builder.extended:
            hint += f" {function_of(argument)} in its place needs `Transform: AWS::LanguageExtensions`."
        summary = "Template error: every Ref object must have a single String value."
        return builder.fail("InvalidFunctionArgument", summary, hint, at, argument.span)
    return reference(builder, name, at, argument.span)


def reference(builder: Builder, name: str, at: Path, span: Span | None) -> Expression:
    """What `Ref: name` and `${name}` stand for."""
    parameter = builder.names.parameters.get(name)
    if parameter is not None:
        value = ParameterRef(name, span=span)
        return images.looked_up(value, builder.image_rows, span) if images.holds_path(parameter) else value
    found = pseudo.expression(name, span)
    if found is not None:
        return found
    if name.startswith("AWS::"):
        return builder.fail(
            "UnknownPseudoParameter",
            f"Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template",
            did_you_mean(name, pseudo.NAMES) or f"Pseudo parameters are {', '.join(sorted(pseudo.NAMES))}.",
            at,
            span,
        )
    if builder.scope is not Scope.VALUES:
        block = "Conditions" if builder.scope is Scope.CONDITIONS else "Rules"
        return builder.fail(
            "UnknownReference",
            f"Template format error: Unresolved dependencies [{name}]. Cannot reference resources in the {block} block"
            " of the template",
            did_you_mean(name, builder.names.parameters) or "Refer to a parameter.",
            at,
            span,
        )
    return ResourceRef(name, span=span)


def get_att(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """`[resource, attribute]` or `resource.attribute`; a dotted attribute stays whole."""
    written = nodes.as_string(argument)
    if written is not None:
        resource, _, attribute = written.partition(".")
        if resource and attribute:
            return AttributeRef(resource, Literal(attribute, span=argument.span), span=span)
    elif argument.kind == "list" and len(argument.items) >= 2:
        resource = _resource_name(builder, argument.items[0], (at, "0"))
        parts = [nodes.as_string(item) for item in argument.items[1:]]
        if resource and all(parts):
            name = ".".join(part for part in parts if part)
            return AttributeRef(resource, Literal(name, span=argument.items[1].span), span=span)
        if resource and len(parts) == 1 and not nodes.is_null(argument.items[1]):
            chosen = builder.build(argument.items[1], (at, "1"))  # a function may choose the attribute
            if not isinstance(chosen, Literal) or (isinstance(chosen.value, str) and chosen.value):
                return AttributeRef(resource, chosen, span=span)
    return builder.fail("InvalidFunctionArgument", _GET_ATT, "Write `!GetAtt Resource.Attribute`.", at, argument.span)


def _resource_name(builder: Builder, node: SourceNode, at: Path) -> str:
    """The name of a resource; with the language extensions also a text that a loop has made complete (L15)."""
    name = nodes.as_string(node)
    if name is None and builder.extended and not nodes.is_null(node):
        made = builder.build(node, at)
        name = made.value if isinstance(made, Literal) and isinstance(made.value, str) else None
    return name or ""


def find_in_map(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    items = argument.items if argument.kind == "list" else ()
    default: Expression | None = None
    if len(items) == 4 and builder.extended:
        fallback = items[3].get("DefaultValue") if items[3].kind == "map" else None
        if fallback is not None:
            default = builder.build(fallback, ((at, "3"), "DefaultValue"))
            items = items[:3]
    if len(items) != 3 or any(nodes.is_null(item) for item in items):
        hint = "Write `!FindInMap [Map, Key, Attribute]`."
        if len(items) == 4:
            hint = "A DefaultValue needs `Transform: AWS::LanguageExtensions`; it is written {DefaultValue: value}."
        return builder.fail("InvalidFunctionArgument", _FIND_IN_MAP, hint, at, argument.span)
    computed = None if builder.extended or not builder.strict else _computed(builder, items)
    if computed is not None:
        hint = (
            f"{function_of(computed)} in it needs `Transform: AWS::LanguageExtensions`; Ref and Fn::FindInMap do not."
        )
        return builder.fail("TransformMissing", _FIND_IN_MAP, hint, at, computed.span)
    mapping, top, second = builder.items(items, at)
    found = FindInMap(mapping, top, second, default, span=span)
    return _checked(builder, found, at)


def _computed(builder: Builder, items: Iterable[SourceNode]) -> SourceNode | None:
    """The first that is computed by a function which AWS does not take there without the language extensions."""
    for item in items:
        name = function_of(item)
        if name in builder.functions and name not in ("Ref", "Fn::FindInMap", "Condition"):
            return item
    return None


def _checked(builder: Builder, found: FindInMap, at: Path) -> Expression:
    """`found`, unless the template itself already says that it cannot be found, which is reported."""
    if not isinstance(found.mapping, Literal):
        return found
    name = nodes.text(found.mapping.value)
    table = builder.names.mappings.get(name)
    if table is None:
        return builder.fail(
            "UnknownMapping",
            f"Template error: Mapping named '{name}' is not present in the 'Mappings' section of template.",
            did_you_mean(name, builder.names.mappings) or "Declare it in Mappings.",
            at,
            found.mapping.span,
        )
    if found.default is not None or not isinstance(found.top, Literal):
        return found
    top = nodes.text(found.top.value)
    row = table.get(top)
    second = nodes.text(found.second.value) if isinstance(found.second, Literal) else None
    if row is None:
        shown, hint, span = second or "*", did_you_mean(top, table), found.top.span
    elif second is not None and second not in row:
        shown, hint, span = second, did_you_mean(second, row), found.second.span
    else:
        return found
    return builder.fail(
        "UnknownMappingKey",
        f"Template error: Unable to get mapping for {name}::{top}::{shown}",
        hint or f"Add the key to the mapping {name}.",
        at,
        span,
    )


def get_azs(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    if nodes.is_null(argument):
        return AvailabilityZones(Literal(""), span=span)
    region = builder.build(argument, at)
    if argument.kind == "list" or (isinstance(region, Literal) and not isinstance(region.value, str)):
        return builder.fail(
            "InvalidFunctionArgument",
            "Template error: every Fn::GetAZs object must have a String-typed value.",
            "Write a region's name, or '' for the stack's own region.",
            at,
            argument.span,
        )
    return AvailabilityZones(region, span=span)


def import_value(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    name = builder.build(argument, at)
    if argument.kind == "list" or (isinstance(name, Literal) and not isinstance(name.value, str)):
        return builder.fail(
            "InvalidFunctionArgument",
            "Template error: the attribute in Fn::ImportValue must be a string or a function that returns a string",
            "Write the name of an export.",
            at,
            argument.span,
        )
    if any(isinstance(part, LATER) for part in walk(name)):
        return builder.fail(
            "InvalidFunctionArgument",
            "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or"
            " Fn::GetAZs",
            "Put the export's name together from parameters and pseudo parameters.",
            at,
            argument.span,
        )
    return ImportValue(name, span=span)


def stack_output(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """`{StackName: …, OutputName: …}` (L34); of this region, with the rights of the stack."""
    written = {nodes.text(key.value): item for key, item in nodes.entries(argument)}
    unknown = set(written) - {"StackName", "OutputName", "Region"}
    if "StackName" not in written or "OutputName" not in written or unknown or argument.tag is not None:
        summary = "Template error: every Fn::GetStackOutput object requires StackName and OutputName"
        hint = "Write `!GetStackOutput {StackName: other, OutputName: Id}`."
        if "RoleArn" in unknown:
            hint = "Stacks of other projects cannot be read: leave RoleArn out, or make the value a parameter."
        return builder.fail("InvalidFunctionArgument", summary, hint, at, argument.span)
    stack, output = (builder.build(written[name], (at, name)) for name in ("StackName", "OutputName"))
    region = builder.build(written["Region"], (at, "Region")) if "Region" in written else None
    for name, part in (("StackName", stack), ("OutputName", output), ("Region", region)):
        if part is not None and any(isinstance(inner, LATER) for inner in walk(part)):
            summary = f"Template error: {name} in Fn::GetStackOutput must not depend on any resources, imported values,"
            hint = "Put it together from parameters and pseudo parameters."
            return builder.fail(
                "InvalidFunctionArgument", f"{summary} or Fn::GetAZs", hint, (at, name), written[name].span
            )  # fmt: skip
    return StackOutput(stack, output, region, span=span)


#: What is not known before resources are made, or only by asking others: names of exports are made of none of it.
LATER = (ResourceRef, AttributeRef, ImportValue, StackOutput, AvailabilityZones)


def select(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    items = argument.items if argument.kind == "list" else ()
    if not items:
        return builder.fail("InvalidFunctionArgument", _SELECT_INDEX, _SELECT_HINT, at, argument.span)
    if len(items) != 2 or nodes.is_null(items[1]):
        return builder.fail("InvalidFunctionArgument", _SELECT, _SELECT_HINT, at, argument.span)
    index, source = builder.items(items, at)
    if builder.heat:
        return Select(index, source, lenient=True, span=span)
    if isinstance(index, Literal):
        number = nodes.as_int(items[0])
        if number is None:
            return builder.fail("InvalidFunctionArgument", _SELECT_INDEX, _SELECT_HINT, at, items[0].span)
        plain = items[1].kind == "list" and items[1].tag is None
        if number < 0 or (plain and number >= len(items[1].items)):
            return builder.fail(
                "NothingToSelect",
                f"Template error: Fn::Select cannot select nonexistent value at index {number}",
                "The first item has index 0.",
                at,
                items[0].span,
            )
        index = Literal(number, span=index.span)
    if isinstance(source, Literal):
        return builder.fail("InvalidFunctionArgument", _SELECT, _SELECT_HINT, at, items[1].span)
    return Select(index, source, span=span)


_SELECT_HINT = "Write `!Select [0, [first, second]]`; the list may be a function that gives one."


def resource_facade(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    """Heat's: a part of the resource that this template stands for (TC-11)."""
    part = _FACADE.get(nodes.as_string(argument) or "")
    if part is None:
        return builder.fail(
            "InvalidFunctionArgument",
            "Template error: every Fn::ResourceFacade object requires one of " + ", ".join(_FACADE) + ".",
            "",
            at,
            argument.span,
        )
    return Facade(part, span=span)


_FACADE: dict[str, FacadePart] = {
    "Metadata": FacadePart.METADATA,
    "DeletionPolicy": FacadePart.DELETION_POLICY,
    "UpdatePolicy": FacadePart.UPDATE_POLICY,
}
