"""The Outputs section (cloudformation.md L13, Q06, Q22)."""

from __future__ import annotations

import re

from engine.model.expression import Expression, ListOf, Literal, MapOf, Mistake, walk
from engine.model.template import Output
from translators.cfn import limits, nodes
from translators.cfn.builder import Builder
from translators.cfn.choices import named
from translators.cfn.findings import Path, did_you_mean
from translators.cfn.lookups import LATER
from translators.source import SourceNode

_KEYS = frozenset({"Condition", "Description", "Export", "Value"})
_EXPORT_NAME = re.compile(r"[A-Za-z0-9:-]+")


def read_outputs(builder: Builder, node: SourceNode | None) -> dict[str, Output]:
    if node is None:
        return {}
    at: Path = (None, "Outputs")
    found: dict[str, Output] = {}
    for name, key, item in nodes.members(node, at, "Outputs", builder.findings):
        here: Path = (at, name)
        nodes.check_name("Outputs", name, key, here, builder.findings, builder.strict)
        if item.kind == "map" and item.tag is None:
            found[name] = _output(builder, name, key, item, here)
        else:
            summary = "Template format error: Any Outputs member must be an object."
            builder.fail("InvalidOutput", summary, "Write `Value:` under its name.", here, key.span)
    if len(found) > limits.OUTPUTS and builder.strict:
        summary = limits.too_many("outputs", len(found), limits.OUTPUTS)
        builder.fail("LimitExceeded", summary, "Put some into nested stacks.", at, node.span)
    return found


def _output(builder: Builder, name: str, key: SourceNode, node: SourceNode, at: Path) -> Output:
    message = "Invalid output property or properties [{}]"
    nodes.check_keys(node, _KEYS, message, "InvalidOutput", at, builder.findings)
    value_node = node.get("Value")
    value: Expression = Mistake(span=key.span)
    if value_node is None and nodes.misspelt(node, "Value", _KEYS):
        pass
    elif value_node is None:
        summary = "Template format error: Every Outputs member must contain a Value object"
        builder.fail("InvalidOutput", summary, f"Add a Value to the output {name}.", at, key.span)
    else:
        value = builder.build(value_node, (at, "Value"))
        if builder.strict and (isinstance(value, MapOf) or builder.gives_list(value)):
            summary = "Template format error: The Value field of every Outputs member must evaluate to a String."
            hint = "Join the items with Fn::Join."
            builder.fail("InvalidOutput", summary, hint, (at, "Value"), value_node.span)
    return Output(
        name=name,
        value=value,
        description=_description(builder, node, at),
        export=_export(builder, name, node, at),
        condition=resource_condition(builder, node, at, "Outputs"),
        span=key.span,
    )


def _description(builder: Builder, node: SourceNode, at: Path) -> str:
    item = node.get("Description")
    if item is None:
        return ""
    text = nodes.as_string(item)
    if text is None:
        summary = "Template format error: Every Description member must be a string."
        builder.fail("InvalidOutput", summary, "Put it in quotes.", (at, "Description"), item.span)
        return ""
    if len(text.encode()) > limits.OUTPUT_DESCRIPTION_BYTES and builder.strict:
        summary = f"Template format error: 'Description' length is greater than {limits.OUTPUT_DESCRIPTION_BYTES}."
        builder.fail("LimitExceeded", summary, "Shorten it.", (at, "Description"), item.span)
    return text


def _export(builder: Builder, name: str, node: SourceNode, at: Path) -> Expression | None:
    item = node.get("Export")
    if item is None:
        return None
    here: Path = (at, "Export")
    malformed = (
        f"Template format error: Output {name} is malformed. The Name field of every Export member must be specified"
        " and consist only of alphanumeric characters, colons, or hyphens."
    )
    name_node = item.get("Name") if item.kind == "map" and item.tag is None else None
    if name_node is None or len(item.entries) != 1:
        builder.fail("InvalidExport", malformed, "Write `Export: {Name: …}`.", here, item.span)
        return None
    named = builder.build(name_node, (here, "Name"))
    if isinstance(named, Literal) and not _is_export_name(named):
        hint = f"Write letters, digits, ':' and '-', at most {limits.NAME_LENGTH}."
        builder.fail("InvalidExport", malformed, hint, here, name_node.span)
    elif isinstance(named, ListOf | MapOf):
        builder.fail("InvalidExport", malformed, "The name is one text.", here, name_node.span)
    elif any(isinstance(part, LATER) for part in walk(named)):
        summary = (
            f"Template format error: Output {name} is malformed. The Name field of every Export member must not depend"
            " on any resources, imported values, or Fn::GetAZs."
        )
        hint = "Put the name together from parameters and pseudo parameters."
        builder.fail("InvalidExport", summary, hint, here, name_node.span)
    return named


def _is_export_name(named: Literal) -> bool:
    text = nodes.text(named.value)
    return bool(_EXPORT_NAME.fullmatch(text)) and len(text) <= limits.NAME_LENGTH


def resource_condition(builder: Builder, node: SourceNode, at: Path, block: str) -> Expression | None:
    """The `Condition` of a resource or an output: the name of a declared condition."""
    item = node.get("Condition")
    if item is None:
        return None
    here: Path = (at, "Condition")
    name = nodes.as_string(nodes.untagged(item) if item.tag == "!Condition" else item)
    if name is None:
        summary = "Template format error: Every Condition member must be a string."
        builder.fail("InvalidCondition", summary, "Write the name of a condition.", here, item.span)
        return None
    if name in builder.names.conditions:
        return named(builder, name, "Condition", here, item.span)
    builder.fail(
        "UnknownCondition",
        f"Template format error: Unresolved condition dependency {name} in the {block} block of the template",
        did_you_mean(name, builder.names.conditions) or "Declare it in Conditions.",
        here,
        item.span,
    )
    return None
