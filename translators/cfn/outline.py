"""What a template says of itself before any transform: for summaries, which ask nothing outside."""

from __future__ import annotations

from engine.model.expression import Literal, MapOf
from engine.model.template import Dialect, Resource, Template
from translators.cfn import capabilities, interface, nodes, transforms
from translators.cfn.findings import Findings
from translators.cfn.parameters import read_parameters
from translators.source import SourceNode


def outline(tree: SourceNode, version: str, findings: Findings) -> Template:
    """Parameters, description, metadata, transforms, and the types of the resources that are written out; resources
    have the names of their properties only."""
    metadata = interface.read_metadata(tree.get("Metadata"))
    entries = transforms.declared(tree, findings)
    names = transforms.all_names(tree, entries)
    resources = {one.address: one for one in _resources(tree)}
    wanted, reasons = capabilities.required(resources.values(), names)
    description = tree.get("Description")
    return Template(
        dialect=Dialect.CFN,
        version=version,
        resources=resources,
        description=nodes.as_string(description) or "" if description is not None else "",
        parameters=read_parameters(tree.get("Parameters"), interface.labels(metadata), False, findings),
        parameter_groups=interface.groups(metadata),
        metadata=metadata,
        capabilities=wanted,
        capability_reasons=reasons,
        transforms=names,
        warnings=findings.warnings,
    )


def _resources(tree: SourceNode) -> list[Resource]:
    found = []
    for key, item in nodes.entries(tree.get("Resources")):
        kind = item.get("Type") if item.kind == "map" else None
        written = nodes.as_string(kind) if kind is not None else None
        if written:
            names = [nodes.text(name.value) for name, _ in nodes.entries(item.get("Properties"))]
            properties = MapOf(tuple((name, Literal(None)) for name in names))
            found.append(Resource(nodes.text(key.value), written, properties, span=key.span))
    return found
