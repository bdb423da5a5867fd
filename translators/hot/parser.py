"""A HOT source tree → the common `Template`."""

from __future__ import annotations

from collections.abc import Iterator

from engine.model.diagnostic import Invalid
from engine.model.expression import Expression, MapOf
from engine.model.source import Source
from engine.model.template import DeletionPolicy, Dialect, Output, ParameterGroup, Resource, Template
from translators.findings import Findings, nearest
from translators.hot.functions import Builder
from translators.hot.parameters import read_parameters
from translators.hot.registry import Registry, template_type
from translators.hot.versions import VERSIONS, Version
from translators.source import SourceNode

_SECTIONS = {
    "heat_template_version", "description", "parameter_groups", "parameters", "resources", "outputs", "conditions",
}  # fmt: skip
_RESOURCE_KEYS = {
    "type", "properties", "metadata", "depends_on", "deletion_policy", "update_policy", "description", "condition",
    "external_id",
}  # fmt: skip
_OUTPUT_KEYS = {"value", "description", "condition"}
_POLICIES = {"delete": DeletionPolicy.DELETE, "retain": DeletionPolicy.RETAIN, "snapshot": DeletionPolicy.SNAPSHOT}


def parse(tree: SourceNode, source: Source) -> Template:
    """Return the template. Raises Invalid with all findings."""
    findings = Findings()
    version = _version(tree)
    _sections(tree, version, findings)
    parameters = read_parameters(_section(tree, "parameters", findings), version, findings)
    resources = _section(tree, "resources", findings)
    builder = Builder(
        version, findings, source.files,
        parameters=frozenset(parameters),
        resources=frozenset(name.text for name, _ in resources.entries) if resources else frozenset(),
        conditions=frozenset(key.text for key, _ in _entries(_section(tree, "conditions", findings))),
    )  # fmt: skip
    conditions = _conditions(_section(tree, "conditions", findings), builder)
    registry = Registry(source.environment.get("resource_registry") or {})
    made = {r.address: r for r in _resources(resources, builder, registry, source)}
    outputs = {o.name: o for o in _outputs(_section(tree, "outputs", findings), builder)}
    for name in sorted(set(parameters) & set(made)):
        findings.error("DuplicateName", f"A parameter and a resource are both named {name}.", "Rename one of them.",
                       address=f"resources.{name}", span=made[name].span)  # fmt: skip
    groups = tuple(_groups(tree.get("parameter_groups"), set(parameters), findings))
    findings.check()
    description = tree.get("description")
    return Template(
        dialect=Dialect.HOT,
        version=version.name,
        description="" if description is None else description.text,
        parameters=parameters,
        parameter_groups=groups,
        conditions=conditions,
        resources=made,
        outputs=outputs,
        warnings=findings.warnings,
    )


def _version(tree: SourceNode) -> Version:
    node = tree.get("heat_template_version")
    name = "" if node is None else node.text
    version = VERSIONS.get(name)
    if version is None:
        findings = Findings()
        known = ", ".join(VERSIONS)
        findings.error(
            "InvalidTemplateVersion",
            f'The template version is invalid: "heat_template_version: {name}".',
            f'"heat_template_version" should be one of: {known}.',
            address="heat_template_version",
            span=tree.span if node is None else node.span,
        )
        findings.check()
        raise Invalid(())
    return version


def _sections(tree: SourceNode, version: Version, findings: Findings) -> None:
    for key, _ in tree.entries:
        if key.value not in _SECTIONS or (key.value == "conditions" and not version.has_conditions):
            findings.error("InvalidTemplateSection", f"The template section is invalid: {key.text}.",
                           nearest(key.value, _SECTIONS), address=key.text, span=key.span)  # fmt: skip


def _section(tree: SourceNode, name: str, findings: Findings) -> SourceNode | None:
    """A section that is a map; null counts as empty (TR-12)."""
    node = tree.get(name)
    if node is None or (node.kind == "scalar" and node.value is None):
        return None
    if node.kind != "map":
        findings.error("InvalidTemplateSection", f'"{name}" must be a map of names.', address=name, span=node.span)
        return None
    return node


def _entries(node: SourceNode | None) -> tuple[tuple[SourceNode, SourceNode], ...]:
    return () if node is None else node.entries


def _conditions(node: SourceNode | None, builder: Builder) -> dict[str, Expression]:
    found = {}
    for key, value in _entries(node):
        builder.address = ["conditions", key.text]
        found[key.text] = builder.condition(value)
    return found


# --- resources --------------------------------------------------------------------------------------------------------
def _resources(node: SourceNode | None, builder: Builder, registry: Registry, source: Source) -> Iterator[Resource]:
    for key, body in _entries(node):
        name = key.text
        builder.address = ["resources", name]
        if body.kind != "map":
            builder.fail("InvalidResource", f"Resource {name} must be a map with at least a type.", "", body.span)
            continue
        if "/" in name or not name:
            builder.fail("InvalidName", f'Resource name may not contain "/": {name!r}.', "Rename it.", key.span)
        for part, _ in body.entries:
            if part.value not in _RESOURCE_KEYS:
                builder.fail("UnknownKey", f'"{part.text}" is not a valid keyword inside a resource definition.',
                             nearest(part.value, _RESOURCE_KEYS), part.span)  # fmt: skip
        type_node = body.get("type")
        if type_node is None or not isinstance(type_node.value, str):
            builder.fail("InvalidResource", f"Resource {name} has no type.", "Give it one: `type: OS::…`.", key.span)
            continue
        yield _resource(name, key, body, type_node, builder, registry, source)


def _resource(
    name: str, key: SourceNode, body: SourceNode, type_node: SourceNode, builder: Builder, registry: Registry,
    source: Source,
) -> Resource:  # fmt: skip
    builder.address = ["resources", name, "properties"]
    properties = _map(body.get("properties"), builder)
    kind = registry.resolve(type_node.text, name)
    template = template_type(kind, type_node, properties, source, builder)
    if template is not None:
        kind, properties = template
    builder.address = ["resources", name]
    condition = body.get("condition")
    metadata, policy = body.get("metadata"), body.get("update_policy")
    external, description = body.get("external_id"), body.get("description")
    return Resource(
        address=name,
        type=kind,
        properties=properties,
        depends_on=_depends_on(body.get("depends_on"), name, builder),
        condition=None if condition is None else builder.condition(condition),
        metadata=None if metadata is None else builder.build(metadata),
        deletion_policy=_deletion_policy(body.get("deletion_policy"), builder),
        update_replace_policy=DeletionPolicy.DELETE,
        update_policy=None if policy is None else builder.build(policy),
        external_id=None if external is None else builder.build(external),
        description="" if description is None else description.text,
        span=key.span,
    )


def _map(node: SourceNode | None, builder: Builder) -> MapOf:
    if node is None or (node.kind == "scalar" and node.value is None):
        return MapOf(())
    if node.kind != "map":
        builder.fail("InvalidResource", "properties must be a map.", "", node.span)
        return MapOf(())
    found = builder.build(node)
    if isinstance(found, MapOf):
        return found
    builder.fail("InvalidResource", "properties must be a map, not a function.", "", node.span)
    return MapOf(())


def _depends_on(node: SourceNode | None, name: str, builder: Builder) -> tuple[str, ...]:
    if node is None or (node.kind == "scalar" and node.value is None):
        return ()
    names = node.items if node.kind == "list" else (node,)
    found = []
    for one in names:
        if not isinstance(one.value, str):
            builder.fail("InvalidResource", "depends_on is a name or a list of names.", "", one.span)
        elif builder.resource(one.value, one.span) is not None:
            found.append(one.value)
    return tuple(found)


def _deletion_policy(node: SourceNode | None, builder: Builder) -> DeletionPolicy:
    if node is None:
        return DeletionPolicy.DELETE
    policy = _POLICIES.get(node.text.lower())
    if policy is None:
        builder.fail("InvalidDeletionPolicy", f'Invalid deletion policy "{node.text}".',
                     nearest(node.text.lower(), _POLICIES), node.span)  # fmt: skip
        return DeletionPolicy.DELETE
    return policy


# --- outputs, groups --------------------------------------------------------------------------------------------
def _outputs(node: SourceNode | None, builder: Builder) -> Iterator[Output]:
    for key, body in _entries(node):
        builder.address = ["outputs", key.text]
        value = body.get("value") if body.kind == "map" else None
        if value is None:
            builder.fail("InvalidOutput", f"Output {key.text} has no value.", "Give it one: `value: …`.", key.span)
            continue
        for part, _ in body.entries:
            if part.value not in _OUTPUT_KEYS:
                builder.fail("UnknownKey", f'"{part.text}" is not a valid keyword inside an output definition.',
                             nearest(part.value, _OUTPUT_KEYS), part.span)  # fmt: skip
        condition, description = body.get("condition"), body.get("description")
        yield Output(
            key.text,
            builder.build(value),
            "" if description is None else description.text,
            condition=None if condition is None else builder.condition(condition),
            span=key.span,
        )


def _groups(node: SourceNode | None, parameters: set[str], findings: Findings) -> Iterator[ParameterGroup]:
    """TP-19: every parameter named exists and is in one group only."""
    if node is None or (node.kind == "scalar" and node.value is None):
        return
    if node.kind != "list":
        findings.error("InvalidParameterGroup", "parameter_groups must be a list.", address="parameter_groups",
                       span=node.span)  # fmt: skip
        return
    seen: set[str] = set()
    for group in node.items:
        names = group.get("parameters") if group.kind == "map" else None
        if names is None or names.kind != "list":
            findings.error("InvalidParameterGroup", "A parameter group needs a list `parameters`.",
                           address="parameter_groups", span=group.span)  # fmt: skip
            continue
        for one in names.items:
            if one.text not in parameters:
                findings.error("UnknownParameter", f"The grouped parameter {one.text} is no parameter of the template.",
                               nearest(one.text, parameters), address="parameter_groups", span=one.span)  # fmt: skip
            if one.text in seen:
                findings.error("InvalidParameterGroup", f"The parameter {one.text} is in more than one group.",
                               address="parameter_groups", span=one.span)  # fmt: skip
            seen.add(one.text)
        label, description = group.get("label"), group.get("description")
        yield ParameterGroup(
            "" if label is None else label.text, "" if description is None else description.text,
            tuple(one.text for one in names.items),
        )  # fmt: skip
