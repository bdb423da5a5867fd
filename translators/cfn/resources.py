"""The Resources section (cloudformation.md L12, L77 to L84; heat.md TR-15)."""

from __future__ import annotations

from engine.model.diagnostic import Span
from engine.model.expression import Expression, MapOf
from engine.model.template import DeletionPolicy, Resource
from translators.cfn import limits, nodes
from translators.cfn.builder import Builder
from translators.cfn.findings import Path, did_you_mean
from translators.cfn.outputs import resource_condition
from translators.cfn.policies import (
    default_deletion_policy,
    read_creation_policy,
    read_deletion_policy,
    read_update_policy,
)
from translators.source import SourceNode

_KEYS = frozenset(
    {
        "Condition",
        "CreationPolicy",
        "DeletionPolicy",
        "DependsOn",
        "Description",
        "Metadata",
        "Properties",
        "Type",
        "UpdatePolicy",
        "UpdateReplacePolicy",
    }
)
_PLACED = (
    ("type", "Type"), ("deletion_policy", "DeletionPolicy"), ("update_replace_policy", "UpdateReplacePolicy"),
)  # fmt: skip
_CUSTOM = ("Custom::", "AWS::CloudFormation::CustomResource")


def read_resources(builder: Builder, node: SourceNode | None, root: SourceNode) -> dict[str, Resource]:
    at: Path = (None, "Resources")
    found: dict[str, Resource] = {}
    tried = 0
    if node is not None:
        for name, key, item in nodes.members(node, at, "Resources", builder.findings):
            tried += 1
            resource = _resource(builder, name, key, item, (at, name))
            if resource is not None:
                found[name] = resource
    if not tried and not (node is not None and node.kind == "map" and node.entries):
        summary = "Template format error: At least one Resources member must be defined."
        span = node.span if node is not None else root.span
        if node is None or node.kind == "map" or nodes.is_null(node):
            builder.fail("NoResources", summary, "Add a Resources section with a resource.", at, span)
    if tried > limits.RESOURCES and builder.strict and node is not None:
        summary = limits.too_many("resources", tried, limits.RESOURCES)
        builder.fail("LimitExceeded", summary, "Put some into nested stacks.", at, node.span)
    return found


def _resource(builder: Builder, name: str, key: SourceNode, node: SourceNode, at: Path) -> Resource | None:
    nodes.check_name("Resource", name, key, at, builder.findings, builder.strict)
    if node.kind != "map" or node.tag is not None:
        summary = f"Template format error: [/Resources/{name}] Any Resources member must be an object."
        builder.fail("InvalidResource", summary, "Write `Type:` and `Properties:` under its name.", at, key.span)
        return None
    kind = _type(builder, name, key, node, at)
    custom = kind.startswith(_CUSTOM)
    allowed = _KEYS | {"Version"} if custom else _KEYS
    message = "Invalid template resource property '{}'"
    nodes.check_keys(node, allowed, message, "InvalidResource", at, builder.findings)
    if custom:
        _check_version(builder, node, at)
    builder.plain_base64 = builder.heat or kind.startswith("OS::")
    builder.nulls = kind.startswith("OS::")
    properties = _properties(builder, name, node, at)
    written = {key for key, _ in properties.entries}
    metadata = node.get("Metadata")
    made = Resource(
        address=name,
        type=kind,
        properties=properties,
        depends_on=_depends_on(builder, node, at),
        condition=resource_condition(builder, node, at, "Resources"),
        metadata=_metadata(builder, metadata, at),
        deletion_policy=read_deletion_policy(builder, "DeletionPolicy", node, name, kind, at)
        or default_deletion_policy(kind, dict.fromkeys(written)),
        update_replace_policy=read_deletion_policy(builder, "UpdateReplacePolicy", node, name, kind, at)
        or DeletionPolicy.DELETE,
        update_policy=read_update_policy(builder, node, kind, at),
        creation_policy=read_creation_policy(builder, node, kind, at),
        description=_description(builder, node, at),
        span=key.span,
        places=_places(node),
    )
    builder.plain_base64, builder.nulls = builder.heat, False
    return made


def _places(node: SourceNode) -> dict[str, Span]:
    """Where the type stands, the key of the properties, and each name of `DependsOn`."""
    found = {"properties": nodes.key_span(node, "Properties")} if node.get("Properties") is not None else {}
    needed = node.get("DependsOn")
    found |= {part: one.span for part, name in _PLACED if (one := node.get(name)) is not None}
    if needed is not None:
        for one in needed.items if needed.kind == "list" else (needed,):
            found.setdefault(f"depends_on.{one.text}", one.span)
    return found


def _check_version(builder: Builder, node: SourceNode, at: Path) -> None:
    """L84: there is one version of custom resources."""
    item = node.get("Version")
    if item is not None and nodes.text(item.value) != "1.0":
        summary = f"Template format error: The Version of a custom resource is '1.0', not {nodes.text(item.value)!r}."
        builder.fail("InvalidResource", summary, "Leave it out.", (at, "Version"), item.span)


def _type(builder: Builder, name: str, key: SourceNode, node: SourceNode, at: Path) -> str:
    item = node.get("Type")
    written = nodes.as_string(item) if item is not None else None
    if item is None and nodes.misspelt(node, "Type", _KEYS):
        return ""
    if item is None or nodes.is_null(item) or written == "":
        summary = f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
        builder.fail("InvalidResource", summary, "Add its Type.", at, key.span)
    elif written is None:
        summary = f"Template format error: [/Resources/{name}/Type] Every Type member must be a string."
        hint = "Functions cannot choose a type."
        if (item.tag or "").startswith("!Rain::"):
            hint = "It is a directive of the tool rain: send what `rain pkg` makes of the template."
        builder.fail("InvalidResource", summary, hint, (at, "Type"), item.span)
    return written or ""


def _properties(builder: Builder, name: str, node: SourceNode, at: Path) -> MapOf:
    item = node.get("Properties")
    if item is None or nodes.is_null(item):
        return MapOf((), span=node.span)
    here: Path = (at, "Properties")
    if item.kind == "map" and item.tag is None:
        made = builder.build(item, here)
        if isinstance(made, MapOf):
            return made
    summary = f"Template format error: [/Resources/{name}/Properties] Every Properties member must be an object."
    builder.fail("InvalidResource", summary, "Write the properties as a map of names.", here, item.span)
    return MapOf((), span=item.span)


def _metadata(builder: Builder, node: SourceNode | None, at: Path) -> Expression | None:
    return None if node is None or nodes.is_null(node) else builder.build(node, (at, "Metadata"))


def _description(builder: Builder, node: SourceNode, at: Path) -> str:
    item = node.get("Description")
    text = nodes.as_string(item) if item is not None else ""
    if item is not None and text is None:
        summary = "Template format error: Every Description member must be a string."
        builder.fail("InvalidResource", summary, "Put it in quotes.", (at, "Description"), item.span)
    return text or ""


def _depends_on(builder: Builder, node: SourceNode, at: Path) -> tuple[str, ...]:
    """A name or a list of names (L77). Names that no resource has are reported here, with their place."""
    item = node.get("DependsOn")
    if item is None or (nodes.is_null(item) and builder.heat):
        return ()
    here: Path = (at, "DependsOn")
    listed = item.items if item.kind == "list" and item.tag is None else (item,)
    found: list[str] = []
    for one in listed:
        name = nodes.as_string(one)
        if name is None:
            summary = "Template format error: DependsOn must be a string or list of strings."
            builder.fail("InvalidResource", summary, "Write the names of resources.", here, one.span)
        elif name not in builder.names.resources:
            way_out = did_you_mean(name, builder.names.resources) or "Name a resource of this template."
            if name in builder.names.parameters:
                way_out = f"{name} is a parameter; only resources can be waited for."
            builder.fail(
                "UnknownReference",
                f"Template format error: Unresolved resource dependencies [{name}] in the Resources block of the"
                " template",
                way_out,
                here,
                one.span,
            )
        else:
            found.append(name)
    return tuple(dict.fromkeys(found))
