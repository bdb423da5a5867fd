"""GetTemplateSummary and ValidateTemplate (cloudformation.md N06, N07, W41)."""

from __future__ import annotations

import dataclasses
import json

from engine.model.expression import MapOf, ResourceRef
from engine.model.template import Group, Resource
from translators.summary import missing_capabilities, resource_types, template_summary, validation_result

TEXT = """
Description: A network
Metadata: {Author: me}
Parameters:
  Env: {Type: String, Default: dev, AllowedValues: [dev, prod], Description: which}
  Key: {Type: AWS::EC2::KeyPair::KeyName}
  Secret: {Type: String, NoEcho: true, Default: hidden}
Resources:
  Net: {Type: AWS::EC2::VPC}
  Other: {Type: AWS::EC2::VPC}
  Queue: {Type: Custom::Queue}
  Role: {Type: AWS::IAM::Role, Properties: {RoleName: x}}
"""


def test_n06_template_summary(template) -> None:
    assert template_summary(template(TEXT), unrecognized=["Custom::Queue"]) == {
        "Parameters": [
            {
                "ParameterKey": "Env",
                "DefaultValue": "dev",
                "NoEcho": False,
                "Description": "which",
                "ParameterType": "String",
                "ParameterConstraints": {"AllowedValues": ["dev", "prod"]},
            },
            {
                "ParameterKey": "Key",
                "NoEcho": False,
                "ParameterType": "AWS::EC2::KeyPair::KeyName",
                "ParameterConstraints": {},
            },
            {
                "ParameterKey": "Secret",
                "DefaultValue": "****",
                "NoEcho": True,
                "ParameterType": "String",
                "ParameterConstraints": {},
            },
        ],
        "Description": "A network",
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "CapabilitiesReason": "The following resource(s) require capabilities: [AWS::IAM::Role]",
        "ResourceTypes": ["AWS::EC2::VPC", "Custom::Queue", "AWS::IAM::Role"],
        "Version": "2010-09-09",
        "Metadata": '{"Author": "me"}',
        "ResourceIdentifierSummaries": [
            {
                "ResourceType": "AWS::EC2::VPC",
                "LogicalResourceIds": ["Net", "Other"],
                "ResourceIdentifiers": ["VpcId"],
            },
            {"ResourceType": "AWS::IAM::Role", "LogicalResourceIds": ["Role"], "ResourceIdentifiers": ["RoleName"]},
        ],
        "Warnings": {"UnrecognizedResourceTypes": ["Custom::Queue"]},
    }


def test_n07_validation_result(template) -> None:
    result = validation_result(template(TEXT))
    assert result["Parameters"][1] == {"ParameterKey": "Key", "NoEcho": False}
    assert set(result) == {"Parameters", "Description", "Capabilities", "CapabilitiesReason"}


def test_n07_declared_transforms(template) -> None:
    result = validation_result(template("Transform: AWS::LanguageExtensions" + TEXT))
    assert result["DeclaredTransforms"] == ["AWS::LanguageExtensions"]
    assert result["Capabilities"] == ["CAPABILITY_AUTO_EXPAND", "CAPABILITY_NAMED_IAM"]


def test_w41_named_iam_acknowledges_iam_too(template) -> None:
    parsed = template("Resources: {R: {Type: AWS::IAM::Role}}")
    assert missing_capabilities(parsed, []) == ("CAPABILITY_IAM",)
    assert missing_capabilities(parsed, ["CAPABILITY_NAMED_IAM"]) == ()


def test_n06_groups_stand_for_their_members(template) -> None:
    parsed = template("Resources: {Net: {Type: AWS::EC2::VPC}}")
    member = Resource("Net/router", "OS::Neutron::Router", MapOf(()), group="Net")
    group = Group("Net", "AWS::EC2::VPC", ("Net/router",), ResourceRef("Net/router"), {}, MapOf(()))
    lowered = dataclasses.replace(parsed, resources={"Net/router": member}, groups={"Net": group})
    assert resource_types(lowered) == {"Net": "AWS::EC2::VPC"}


def test_n06_metadata_keep_the_functions_that_are_written_in_them(template) -> None:
    text = "Metadata: {Of: !Ref A, Part: !GetAtt R.Id, Long: {Ref: A}}\nResources: {R: {Type: AWS::EC2::VPC}}\n"
    shown = template_summary(template(text), unrecognized=[])["Metadata"]
    assert json.loads(shown) == {"Of": {"Ref": "A"}, "Part": {"Fn::GetAtt": ["R", "Id"]}, "Long": {"Ref": "A"}}
