"""What a caller must acknowledge before a template is used (cloudformation.md W41, D10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.model.template import Resource

# The IAM types that ask for CAPABILITY_IAM, and the property that gives one a custom name (then: NAMED_IAM).
_IAM: Final[dict[str, str | None]] = {
    "AWS::IAM::AccessKey": None,
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::GroupPolicy": None,
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": None,
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::RolePolicy": None,
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserPolicy": None,
    "AWS::IAM::UserToGroupAddition": None,
}


def required(resources: Iterable[Resource], transforms: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the capabilities to acknowledge, and the types (and transforms) that ask for them, as written."""
    asking: dict[str, None] = {}
    named = False
    for resource in resources:
        if resource.type in _IAM:
            asking[resource.type] = None
            name = _IAM[resource.type]
            named = named or (name is not None and resource.properties.get(name) is not None)
    wanted = {"CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"} if asking else set()
    if transforms:
        wanted.add("CAPABILITY_AUTO_EXPAND")
        asking |= dict.fromkeys(transforms)
    return frozenset(wanted), tuple(asking)
