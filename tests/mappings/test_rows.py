"""Every row against the provider schema that cfn-lint ships, and against the types it names (design §6, D04)."""

from __future__ import annotations

import json
from pathlib import Path

import cfnlint
import pytest

from engine.resources.registry import Registry
from mappings import Mappings

ROWS = Mappings()
SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"
INDEX = json.loads((SCHEMAS / "providers" / "us-east-1.json").read_text(encoding="utf-8"))
REGISTRY = Registry(plugins=False)


def schema(name):
    return json.loads((SCHEMAS / "resources" / f"{INDEX[name]}.json").read_text(encoding="utf-8"))


def top(paths):
    return {path.removeprefix("/properties/").split("/")[0] for path in paths}


@pytest.fixture(params=ROWS.types())
def row(request):
    return ROWS.row(request.param)


def test_every_property_of_the_aws_type_is_accounted_for(row):
    known = schema(row.type)
    read_only = top(p for p in known.get("readOnlyProperties", ()) if p.count("/") == 2)
    writable = set(known["properties"]) - read_only
    assert row.known() - {"_"} == writable, {
        "missing": sorted(writable - row.known()), "unknown": sorted(row.known() - writable)
    }  # fmt: skip


def test_what_a_change_costs_is_decided_as_aws_says_or_said_to_be_otherwise(row):
    known = schema(row.type)
    create_only = top(p for p in known.get("createOnlyProperties", ()) if p.count("/") == 2)
    rejected = {name for name, one in row.decisions.items() if one.level in ("rejected", "ignored", "silent")}
    assert row.replace_on <= create_only
    assert create_only - row.replace_on - set(row.in_place) - rejected == set()


def test_required_properties_are_those_of_aws(row):
    assert set(schema(row.type).get("required", ())) <= set(row.required)


def test_every_attribute_of_aws_is_there(row):
    paths = [path for path in schema(row.type).get("readOnlyProperties", ()) if path.count("/") == 2]
    absent = top(paths) - set(row.attributes) - BY_PYTHON.get(row.type, set()) - KNOWN_ABSENT.get(row.type, set())
    assert absent == set()


#: Attributes that the row's function sets.
BY_PYTHON = {
    "AWS::CloudFormation::WaitCondition": {"Data", "Id"},
    "AWS::EC2::EIP": {"AllocationId", "PublicIp"},
    "AWS::EC2::Instance": {"PrivateDnsName", "PrivateIp", "PublicDnsName", "PublicIp"},
    "AWS::EC2::SecurityGroupEgress": {"Id"},
    "AWS::EC2::SecurityGroupIngress": {"Id"},
    "AWS::EC2::VPC": {"DefaultSecurityGroup"},
}

#: Attributes that only features have which are refused here.
KNOWN_ABSENT = {
    "AWS::EC2::NatGateway": {"EniId", "AutoProvisionZones", "AutoScalingIps", "RouteTableId"},
    "AWS::EC2::Instance": {"State"},
    "AWS::EC2::NetworkInterface": {"PublicIpDnsNameOptions"},
    "AWS::EC2::Subnet": {"BlockPublicAccessStates"},
    "AWS::EC2::VPCCidrBlock": {"Ipv6AddressAttribute", "IpSource"},
    "AWS::CloudFormation::CustomResource": {"Id"},  # attributes are what the handler tells
    "AWS::CloudFormation::WaitConditionHandle": {"Id"},
}


def test_members_are_types_and_properties_of_the_engine(row):
    for member in row.members:
        kind = REGISTRY.find(member.type)
        assert kind is not None, member.type
        if not kind.any_properties:
            assert set(member.properties) <= set(kind.properties), member.name


def test_decisions_tell_a_reason(row):
    for name, decision in row.decisions.items():
        assert len(decision.reason) > 3, name
        if decision.level == "rejected":
            assert decision.reason.endswith("."), f"{name}: a refusal tells the way out in a sentence"
