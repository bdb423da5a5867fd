"""Rules of security groups, as far as the template decides them (vpc-on-neutron.md §4, V11)."""

from __future__ import annotations

import pytest

from engine.model.expression import ConditionRef, Literal, Not, ResourceRef
from tests.translators.lowering.conftest import finish

GROUP = """
G:
  Type: AWS::EC2::SecurityGroup
  Properties:
    GroupDescription: g
    VpcId: vpc-1
    SecurityGroupIngress:
      - {IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 0.0.0.0/0}
"""
EGRESS = "E: {Type: AWS::EC2::SecurityGroupEgress, Properties: {GroupId: !Ref G, IpProtocol: -1, CidrIp: 0.0.0.0/0}}\n"


def group(template):
    return template.resources["G/group"].properties


def test_inline_rules_are_the_groups(lowered):
    (rule,) = group(lowered(GROUP)).get("rules").items
    assert rule.get("direction") == Literal("ingress")
    assert rule.get("cidr") == Literal("0.0.0.0/0")
    assert rule.get("port_min") == Literal(80)


def test_the_open_default_for_egress_stays_where_nobody_writes_egress(lowered):
    assert group(lowered(GROUP)).get("open_egress") == Literal(True)


@pytest.mark.parametrize("inline", ["SecurityGroupEgress: [{IpProtocol: -1, CidrIp: 10.0.0.0/8}]", ""])
def test_egress_rules_take_the_open_default_away(lowered, inline):
    text = GROUP + (f"    {inline}\n" if inline else EGRESS)
    assert group(lowered(text)).get("open_egress") == Literal(False)


def test_an_egress_rule_on_a_condition_does_so_when_the_condition_holds(lowered):
    text = GROUP + EGRESS.replace("Egress,", "Egress, Condition: C,")
    template = lowered(text, head="Conditions: {C: !Equals [a, a]}")
    assert group(template).get("open_egress") == Not(ConditionRef("C"))


def test_an_empty_list_of_egress_rules_is_none(lowered):
    assert group(lowered(GROUP + "    SecurityGroupEgress: []\n")).get("open_egress") == Literal(True)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("{IpProtocol: tcp, FromPort: 1, ToPort: 2}", "RuleWithoutSource"),
        ("{IpProtocol: tcp, CidrIp: 10.0.0.0/8, SourceSecurityGroupId: g}", "PropertyConflict"),
        ("{CidrIp: 10.0.0.0/8}", "PropertyMissing"),
        ("{IpProtocol: tcp, CidrIp: 10.0.0.0/8, Port: 80}", "UnsupportedProperty"),
        ("{IpProtocol: tcp, SourcePrefixListId: pl-1}", "PropertyRejected"),
    ],
)
def test_rules_are_checked(refused, rule, code):
    text = GROUP.replace("{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 0.0.0.0/0}", rule)
    assert [one for one, _ in refused(text)] == [code]


_OF_HEAT = """
HeatTemplateFormatVersion: '2012-12-12'
Resources:
  G:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: g, SecurityGroupIngress: [{SourceSecurityGroupId: other}]}
"""
_HOT = """
heat_template_version: 2018-08-31
resources:
  G:
    type: AWS::EC2::SecurityGroup
    properties: {GroupDescription: g, SecurityGroupIngress: [{SourceSecurityGroupId: other}]}
"""


@pytest.mark.parametrize("text", [_OF_HEAT, _HOT])
def test_a_template_of_heat_may_leave_out_the_protocol(text):
    (rule,) = group(finish(text)).get("rules").items
    assert (rule.get("group"), rule.get("protocol")) == (Literal("other"), None)


def test_a_rule_on_a_condition(lowered):
    text = GROUP.replace("- {IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 0.0.0.0/0}",
                         "- !If [C, {IpProtocol: tcp, CidrIp: 0.0.0.0/0}, !Ref 'AWS::NoValue']")  # fmt: skip
    (rule,) = group(lowered(text, head="Conditions: {C: !Equals [a, a]}")).get("rules").items
    assert rule.condition == ConditionRef("C")
    assert rule.then.get("direction") == Literal("ingress")


def test_v11_groups_that_refer_to_each_other_make_no_circle(lowered, graph):
    other = GROUP.replace("G:\n", "H:\n", 1)
    rules = "".join(
        f"{a}{b}: {{Type: AWS::EC2::SecurityGroupIngress, Properties: {{GroupId: !Ref {a}, IpProtocol: -1, "
        f"SourceSecurityGroupId: !Ref {b}}}}}\n"
        for a, b in (("G", "H"), ("H", "G"), ("G", "G"))
    )
    template = lowered(GROUP + other + rules)
    assert template.resources["GH/rule"].properties.get("security_group") == ResourceRef("G/group")
    assert graph(template).requires["GH/rule"] >= {"G", "H"}


def test_d05_a_group_without_a_vpc_is_known_by_its_name(lowered):
    template = lowered("G: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: g}}")
    assert template.groups["G"].reference.attribute == Literal("name")
    assert template.groups["G"].attributes["GroupId"] == ResourceRef("G/group")


def test_no_group_is_named_default(refused):
    found = refused("G: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: g, GroupName: default}}")
    assert [one for one, _ in found] == ["ReservedName"]
