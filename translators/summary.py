"""What GetTemplateSummary and ValidateTemplate tell of a template (cloudformation.md N06, N07), as pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from engine.model.template import MISSING, Parameter, ParameterType, Template
from engine.model.value import Value

HIDDEN: Final = "****"  # L76: what a NoEcho value is shown as
_AWS_TYPES: Final[dict[ParameterType, str]] = {
    ParameterType.STRING: "String",
    ParameterType.NUMBER: "Number",
    ParameterType.LIST: "CommaDelimitedList",
    ParameterType.JSON: "Json",
    ParameterType.BOOLEAN: "Boolean",
}
# The properties that together name an existing object of a type, from AWS's provider schemas (`primaryIdentifier`).
_IDENTIFIERS: Final[dict[str, tuple[str, ...]]] = {
    "AWS::AutoScaling::AutoScalingGroup": ("AutoScalingGroupName",),
    "AWS::AutoScaling::LaunchConfiguration": ("LaunchConfigurationName",),
    "AWS::CloudFormation::Stack": ("StackId",),
    "AWS::DynamoDB::Table": ("TableName",),
    "AWS::EC2::EIP": ("PublicIp", "AllocationId"),
    "AWS::EC2::EIPAssociation": ("Id",),
    "AWS::EC2::Instance": ("InstanceId",),
    "AWS::EC2::InternetGateway": ("InternetGatewayId",),
    "AWS::EC2::KeyPair": ("KeyName",),
    "AWS::EC2::LaunchTemplate": ("LaunchTemplateId",),
    "AWS::EC2::NatGateway": ("NatGatewayId",),
    "AWS::EC2::NetworkInterface": ("Id",),
    "AWS::EC2::Route": ("RouteTableId", "CidrBlock"),
    "AWS::EC2::RouteTable": ("RouteTableId",),
    "AWS::EC2::SecurityGroup": ("Id",),
    "AWS::EC2::SecurityGroupEgress": ("Id",),
    "AWS::EC2::SecurityGroupIngress": ("Id",),
    "AWS::EC2::Subnet": ("SubnetId",),
    "AWS::EC2::SubnetRouteTableAssociation": ("Id",),
    "AWS::EC2::VPC": ("VpcId",),
    "AWS::EC2::VPCGatewayAttachment": ("AttachmentType", "VpcId"),
    "AWS::EC2::Volume": ("VolumeId",),
    "AWS::EC2::VolumeAttachment": ("VolumeId", "InstanceId"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("LoadBalancerArn",),
    "AWS::IAM::Group": ("GroupName",),
    "AWS::IAM::InstanceProfile": ("InstanceProfileName",),
    "AWS::IAM::ManagedPolicy": ("PolicyArn",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::IAM::User": ("UserName",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::RDS::DBInstance": ("DBInstanceIdentifier",),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::SNS::Topic": ("TopicArn",),
    "AWS::SQS::Queue": ("QueueUrl",),
}


def template_summary(template: Template, unrecognized: Iterable[str] = ()) -> dict[str, Any]:
    """Return GetTemplateSummary's result; `unrecognized` are the types that the caller knows nothing of."""
    kinds = resource_types(template)
    summary: dict[str, Any] = {
        "Parameters": [_declaration(parameter) for parameter in template.parameters.values()],
        **_description(template),
        **capabilities(template),
        "ResourceTypes": list(dict.fromkeys(kinds.values())),
        "Version": template.version,
        **_transforms(template),
        "ResourceIdentifierSummaries": _identifiers(kinds),
    }
    if template.metadata is not None:
        summary["Metadata"] = json.dumps(template.metadata)
    unknown = sorted(set(unrecognized))
    if unknown:
        summary["Warnings"] = {"UnrecognizedResourceTypes": unknown}
    return summary


def validation_result(template: Template) -> dict[str, Any]:
    """Return ValidateTemplate's result for a template that is valid."""
    return {
        "Parameters": [_shown(parameter) for parameter in template.parameters.values()],
        **_description(template),
        **capabilities(template),
        **_transforms(template),
    }


def capabilities(template: Template) -> dict[str, Any]:
    """`Capabilities` and `CapabilitiesReason`, or nothing when none is required."""
    if not template.capabilities:
        return {}
    asking = ", ".join(template.capability_reasons)
    return {
        "Capabilities": sorted(template.capabilities),
        "CapabilitiesReason": f"The following resource(s) require capabilities: [{asking}]",
    }


def missing_capabilities(template: Template, given: Iterable[str]) -> tuple[str, ...]:
    """The capabilities that the caller has not acknowledged; CAPABILITY_NAMED_IAM includes CAPABILITY_IAM (W41)."""
    acknowledged = set(given)
    if "CAPABILITY_NAMED_IAM" in acknowledged:
        acknowledged.add("CAPABILITY_IAM")
    return tuple(sorted(template.capabilities - acknowledged))


def resource_types(template: Template) -> Mapping[str, str]:
    """Each resource of the template as it was written, with its type: groups in place of their members."""
    kinds = {address: group.type for address, group in template.groups.items()}
    for address, resource in template.resources.items():
        if resource.group is None:
            kinds.setdefault(address, resource.type)
    return kinds


def _shown(parameter: Parameter) -> dict[str, Any]:
    shown: dict[str, Any] = {"ParameterKey": parameter.name}
    if parameter.default is not MISSING:
        shown["DefaultValue"] = HIDDEN if parameter.hidden else _text(parameter.default)
    shown["NoEcho"] = parameter.hidden
    if parameter.description:
        shown["Description"] = parameter.description
    return shown


def _declaration(parameter: Parameter) -> dict[str, Any]:
    shown = _shown(parameter)
    shown["ParameterType"] = parameter.source_type or _AWS_TYPES[parameter.type]
    allowed = [one.allowed_values for one in parameter.constraints if one.allowed_values is not None]
    shown["ParameterConstraints"] = {"AllowedValues": [_text(value) for value in allowed[0]]} if allowed else {}
    return shown


def _description(template: Template) -> dict[str, Any]:
    return {"Description": template.description} if template.description else {}


def _transforms(template: Template) -> dict[str, Any]:
    return {"DeclaredTransforms": list(template.transforms)} if template.transforms else {}


def _identifiers(kinds: Mapping[str, str]) -> list[dict[str, Any]]:
    by_type: dict[str, list[str]] = {}
    for address, kind in kinds.items():
        if kind in _IDENTIFIERS:
            by_type.setdefault(kind, []).append(address)
    return [
        {"ResourceType": kind, "LogicalResourceIds": names, "ResourceIdentifiers": list(_IDENTIFIERS[kind])}
        for kind, names in by_type.items()
    ]


def _text(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ",".join(_text(item) for item in value)
        case dict():
            return json.dumps(value)
        case _:
            return str(value)
