"""Parameter types of CloudFormation and of Heat's CFN formats (cloudformation.md L50 to L69, heat.md TP-01)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.model.template import ParameterType

_SSM_VALUE: Final = "AWS::SSM::Parameter::Value<"
NAME_OF_STORED: Final = "AWS::SSM::Parameter::Name"


@dataclass(frozen=True, slots=True)
class TypeRow:
    """What a written type becomes; `custom` is the constraint of heat.md §3.5 asked of the cloud for each value,
    `missing` what is said of one that it does not know."""

    type: ParameterType
    custom: str | None = None
    missing: str = ""
    numeric_items: bool = False


# AWS-specific types whose value is a single text, each also as List<…>: the constraint, and EC2's own words for a
# value that there is not. Availability zones have no constraint: a name of elsewhere stands for one of the cloud's
# (cloudformation.md D08). A VPC is its hub router.
_SPECIFIC: Final[dict[str, tuple[str | None, str]]] = {
    "AWS::EC2::AvailabilityZone::Name": (None, ""),
    "AWS::EC2::Image::Id": ("glance.image", "The image id '[{}]' does not exist"),
    "AWS::EC2::Instance::Id": ("nova.server", "The instance ID '{}' does not exist"),
    "AWS::EC2::KeyPair::KeyName": ("nova.keypair", "The key pair '{}' does not exist"),
    "AWS::EC2::SecurityGroup::GroupName": ("neutron.security_group", "The security group '{}' does not exist"),
    "AWS::EC2::SecurityGroup::Id": ("neutron.security_group", "The security group '{}' does not exist"),
    "AWS::EC2::Subnet::Id": ("neutron.subnet", "The subnet ID '{}' does not exist"),
    "AWS::EC2::VPC::Id": ("neutron.router", "The vpc ID '{}' does not exist"),
    "AWS::EC2::Volume::Id": ("cinder.volume", "The volume '{}' does not exist"),
    "AWS::Route53::HostedZone::Id": ("designate.zone", "No hosted zone found with ID: {}"),
}

TYPES: Final[dict[str, TypeRow]] = {
    "String": TypeRow(ParameterType.STRING),
    "Number": TypeRow(ParameterType.NUMBER),
    "List<Number>": TypeRow(ParameterType.LIST, numeric_items=True),
    "List<String>": TypeRow(ParameterType.LIST),
    "CommaDelimitedList": TypeRow(ParameterType.LIST),
    NAME_OF_STORED: TypeRow(ParameterType.STRING),
    "Json": TypeRow(ParameterType.JSON),  # Heat's
    "Boolean": TypeRow(ParameterType.BOOLEAN),  # Heat's
    **{name: TypeRow(ParameterType.STRING, *asked) for name, asked in _SPECIFIC.items()},
    **{f"List<{name}>": TypeRow(ParameterType.LIST, *asked) for name, asked in _SPECIFIC.items()},
}

_IN_SSM: Final = frozenset(TYPES) - {"Json", "Boolean"}


def is_stored(written: str) -> bool:
    """Whether the value of a parameter of this type names one of the parameter store (L65 to L69)."""
    return written == NAME_OF_STORED or ssm_inner(written) is not None


def ssm_inner(written: str) -> str | None:
    """`T` of `AWS::SSM::Parameter::Value<T>` when T is a type that CloudFormation knows there, else None."""
    if not (written.startswith(_SSM_VALUE) and written.endswith(">")):
        return None
    inner = written[len(_SSM_VALUE) : -1]
    return inner if inner in _IN_SSM else None
