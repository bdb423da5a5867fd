"""What a change set of type IMPORT takes over (cloudformation.md B14)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.model.template import Template
from gateway.aws.faults import validation
from translators.source import read
from translators.summary import resource_types

_POLICIES = ("DeletionPolicy", "deletion_policy")


def imports_of(given: Mapping[str, Any], template: Template, text: str) -> dict[str, str]:
    """Resource → the id of its object, checked against the template. Raises AwsError."""
    wanted = given.get("ResourcesToImport") or ()
    importing = given.get("ChangeSetType") == "IMPORT"
    if importing != bool(wanted):
        raise validation(
            "ResourcesToImport must be specified for change sets of type IMPORT"
            if importing
            else "ResourcesToImport can only be specified for change sets of type IMPORT"
        )
    types = resource_types(template)
    found: dict[str, str] = {}
    for one in wanted:
        name, kind = one["LogicalResourceId"], one["ResourceType"]
        if name in found:
            raise validation(f"Resource [{name}] is named twice in ResourcesToImport")
        if name in types and types[name] != kind:
            raise validation(f"ResourceType [{kind}] of [{name}] to import is not that in the template, {types[name]}")
        found[name] = _identifier(name, one["ResourceIdentifier"])
    unguarded = sorted(set(found) - _with_policy(text))
    if unguarded:
        raise validation(
            f"Resources [{', '.join(unguarded)}] must have DeletionPolicy attribute specified in the template."
        )
    return found


def _identifier(name: str, given: Mapping[str, str]) -> str:
    """Objects of OpenStack are known by one id, whatever AWS calls it (`VolumeId`, `VpcId`, `Id`)."""
    if len(given) != 1:
        raise validation(
            f"ResourceIdentifier of [{name}] must have exactly one entry: the id of the object in OpenStack"
        )
    (value,) = given.values()
    return value


def _with_policy(text: str) -> set[str]:
    """The resources that say what becomes of their objects."""
    root = read(text)
    resources = root.get("Resources") or root.get("resources")
    entries = () if resources is None else resources.entries
    return {name.text for name, body in entries if any(body.get(key) is not None for key in _POLICIES)}
