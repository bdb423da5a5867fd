"""The template's Metadata section, and AWS::CloudFormation::Interface in it (cloudformation.md L04)."""

from __future__ import annotations

from collections.abc import Mapping

from engine.model.template import ParameterGroup
from engine.model.value import Value
from translators.cfn.long_form import long_form
from translators.source import SourceNode

_INTERFACE = "AWS::CloudFormation::Interface"


def read_metadata(node: SourceNode | None) -> Value:
    """The section as JSON; functions in it stay as they are written, for AWS does not evaluate them there."""
    return None if node is None else long_form(node)


def labels(metadata: Value) -> dict[str, str]:
    """The label of each parameter that has one. Consoles read these; what is malformed is left out."""
    found: dict[str, str] = {}
    written = _interface(metadata).get("ParameterLabels")
    if isinstance(written, Mapping):
        for name, label in written.items():
            text = label.get("default") if isinstance(label, Mapping) else None
            if isinstance(text, str):
                found[str(name)] = text
    return found


def groups(metadata: Value) -> tuple[ParameterGroup, ...]:
    found: list[ParameterGroup] = []
    written = _interface(metadata).get("ParameterGroups")
    for group in written if isinstance(written, list) else ():
        if not isinstance(group, Mapping):
            continue
        label = group.get("Label")
        text = label.get("default") if isinstance(label, Mapping) else None
        names = group.get("Parameters")
        members = tuple(str(name) for name in names) if isinstance(names, list) else ()
        found.append(ParameterGroup(text if isinstance(text, str) else "", "", members))
    return tuple(found)


def _interface(metadata: Value) -> Mapping[str, Value]:
    section = metadata.get(_INTERFACE) if isinstance(metadata, Mapping) else None
    return section if isinstance(section, Mapping) else {}
