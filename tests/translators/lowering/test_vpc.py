"""The VPC family: what depends on what (vpc-on-neutron.md §3.2, contract stories of §5)."""

from __future__ import annotations

import pytest

from engine.model.expression import AttributeRef, ConditionRef, If, Literal, ResourceRef
from mappings import Mappings

NAT = """
NatIp: {Type: AWS::EC2::EIP, Properties: {Domain: vpc}}
Nat:
  Type: AWS::EC2::NatGateway
  Properties: {AllocationId: !GetAtt NatIp.AllocationId, SubnetId: !Ref PubA}
Prv: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
PrvDefault:
  Type: AWS::EC2::Route
  Properties: {RouteTableId: !Ref Prv, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat}
"""
WEB = "Web: {Type: AWS::EC2::Instance, Properties: {ImageId: cirros, SubnetId: !Ref PubA}}\n"


def test_v1_a_subnet_is_made_on_the_router_of_its_table(lowered, vpc):
    template = lowered(vpc)
    uplink = template.resources["PubA/uplink"]
    assert uplink.properties.get("router") == ResourceRef("Pub/router")
    assert "Pub" in uplink.depends_on
    assert "PubAInPub/move" not in template.resources
    assert "PubA/uplink" in template.resources["PubAInPub/association"].depends_on


def test_v4_a_subnet_without_association_is_on_the_hub(lowered, vpc):
    template = lowered(vpc + "Main: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.9.0/24}}")
    assert template.resources["Main/uplink"].properties.get("router") == ResourceRef("Vpc/hub")


def test_an_association_on_a_condition_decides_when_the_condition_does(lowered, vpc):
    text = vpc.replace("PubAInPub:\n", "PubAInPub:\n  Condition: C\n")
    template = lowered(text, head="Conditions: {C: !Equals [a, a]}")
    router = template.resources["PubA/uplink"].properties.get("router")
    assert router == If(ConditionRef("C"), ResourceRef("Pub/router"), ResourceRef("Vpc/hub"))


def test_v5_a_subnet_of_another_stack_is_moved(lowered):
    template = lowered(
        "T: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !ImportValue Vpc}}\n"
        "A:\n  Type: AWS::EC2::SubnetRouteTableAssociation\n"
        "  Properties: {SubnetId: !ImportValue Subnet, RouteTableId: !Ref T}\n"
    )
    move = template.resources["A/move"]
    assert move.type == "Isotherm::Neutron::UplinkMove"
    assert move.properties.get("router") == ResourceRef("T/router")


def test_a_table_that_waits_for_its_subnet_makes_no_circle(lowered, graph, vpc):
    text = vpc.replace("Pub: {Type: AWS::EC2::RouteTable,", "Pub: {Type: AWS::EC2::RouteTable, DependsOn: PubA,")
    template = lowered(text)
    assert "PubAInPub/move" in template.resources
    graph(template)


def test_v12_a_route_waits_for_the_attachment_though_nobody_says_so(lowered, vpc):
    route = lowered(vpc).resources["PubDefault/gateway"]
    assert route.type == "Isotherm::Neutron::DefaultRoute"
    assert route.soft_depends_on == ("Attached",)
    assert "Pub" in route.depends_on


def test_a_route_to_the_internet_is_the_default_one(refused, vpc):
    found = refused(vpc.replace("DestinationCidrBlock: 0.0.0.0/0", "DestinationCidrBlock: 192.0.2.0/24"))
    assert [code for code, _ in found] == ["RouteNotDefault"]


@pytest.mark.parametrize("target", ["", "GatewayId: !Ref Igw, NatGatewayId: nat-1,"])
def test_a_route_has_one_target(refused, vpc, target):
    found = refused(vpc + f"R: {{Type: AWS::EC2::Route, Properties: {{{target} RouteTableId: !Ref Pub, "
                          "DestinationCidrBlock: 0.0.0.0/0}}")  # fmt: skip
    assert found[0][0] in ("PropertyMissing", "PropertyConflict")


def test_targets_on_opposite_conditions_are_two_members(lowered, vpc):
    template = lowered(
        vpc + WEB + "R:\n  Type: AWS::EC2::Route\n  Properties:\n    RouteTableId: !Ref Pub\n"
        "    DestinationCidrBlock: 10.9.0.0/16\n"
        "    InstanceId: !If [C, !Ref Web, !Ref 'AWS::NoValue']\n"
        "    NetworkInterfaceId: !If [C, !Ref 'AWS::NoValue', eni]\n",
        head="Conditions: {C: !Equals [a, a]}",
    )
    assert template.resources["R/to_instance"].condition == ConditionRef("C")
    assert {"R/to_instance", "R/to_interface"} <= set(template.resources)


def test_v6_a_route_to_an_instance_waits_for_its_port_alone(lowered, graph, vpc):
    """The instance itself waits for the routes of its table: no circle though this is one of them."""
    template = lowered(
        vpc + WEB + "R:\n  Type: AWS::EC2::Route\n"
        "  Properties: {RouteTableId: !Ref Pub, DestinationCidrBlock: 10.9.0.0/16, InstanceId: !Ref Web}\n"
    )
    hop = template.resources["R/to_instance"]
    assert hop.properties.get("port") == ResourceRef("Web/port")
    assert "Web" not in hop.depends_on
    assert graph(template).requires["Web/server"] >= {"R", "PubDefault"}


# --- NAT ---
def test_v2_the_address_of_a_nat_gateway_is_its_routers(lowered, graph, vpc):
    template = lowered(vpc + NAT, outputs="Ip: {Value: !Ref NatIp}")
    assert not any("PublicAddress" in one.type for one in template.resources.values())
    assert template.outputs["Ip"].value == AttributeRef("PrvDefault/gateway", Literal("address"))
    assert template.groups["NatIp"].attributes["AllocationId"] == ResourceRef("NatIp/allocation")
    order = graph(template).order
    assert order.index("PrvDefault/gateway") < order.index("NatIp")


@pytest.mark.parametrize("depends", ["NatIp", "[NatIp, Attached]"])
@pytest.mark.parametrize("who", ["Nat:", "PrvDefault:"])
def test_a_nat_gateway_that_depends_on_its_address_makes_no_circle(lowered, graph, vpc, who, depends):
    text = NAT.replace(f"\n{who}\n", f"\n{who}\n  DependsOn: {depends}\n")
    assert text != NAT
    graph(lowered(vpc + text))


def test_a_shared_nat_gateway_is_warned_about(lowered, vpc):
    more = NAT.split("Prv:")[1].replace("PrvDefault", "OtherDefault").replace("!Ref Prv,", "!Ref Other,")
    template = lowered(vpc + NAT + "Other:" + more)
    assert "NatShared" in {one.code for one in template.warnings}


def test_a_nat_gateway_without_a_route_leaves_a_real_idle_address(lowered, vpc):
    template = lowered(vpc + NAT.split("Prv:")[0])
    assert template.resources["NatIp/address"].type == "Isotherm::Neutron::PublicAddress"
    assert "NatUnused" in {one.code for one in template.warnings}


def test_v10_source_translation_is_named_only_where_it_is_denied(lowered, vpc):
    allowed, denied = Mappings(), Mappings(options={"public_subnet_snat": "deny"})
    assert lowered(vpc, rows=allowed).resources["PubDefault/gateway"].properties.get("enable_snat") is None
    assert lowered(vpc, rows=denied).resources["PubDefault/gateway"].properties.get("enable_snat") == Literal(False)
    nat = lowered(vpc + NAT, rows=denied).resources["PrvDefault/gateway"]
    assert nat.properties.get("enable_snat") == Literal(True)


# --- public addresses ---
def test_v1_an_instance_in_a_public_subnet_gets_an_address(lowered, graph, vpc):
    template = lowered(vpc + WEB)
    binding = template.resources["Web/binding"]
    assert binding.soft_depends_on == ("PubDefault",)
    assert "PubA" in binding.depends_on
    assert template.groups["Web"].attributes["PublicIp"] == AttributeRef("Web/address", Literal("floating_ip_address"))
    assert graph(template).requires["Web/binding"] >= {"PubDefault", "PubA", "Web/address", "Web/port"}


def test_an_elastic_ip_takes_the_place_of_the_automatic_address(lowered, vpc):
    template = lowered(vpc + WEB + "Ip: {Type: AWS::EC2::EIP, Properties: {InstanceId: !Ref Web}}")
    assert "Web/address" not in template.resources
    assert template.resources["Ip/binding"].properties.get("port") == ResourceRef("Web/port")
    assert template.groups["Web"].attributes["PublicIp"] == AttributeRef("Ip/address", Literal("floating_ip_address"))


def test_v4_nothing_is_led_to_where_no_way_leads(lowered):
    template = lowered(
        "Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}\n"
        "PubA: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}}\n"
        + WEB + "Ip: {Type: AWS::EC2::EIP, Properties: {InstanceId: !Ref Web}}"
    )  # fmt: skip
    assert "Ip/binding" not in template.resources
    assert "AddressUnreachable" in {one.code for one in template.warnings}


def test_a_foreign_subnet_says_at_run_time_whether_there_is_an_address(lowered):
    template = lowered("Web: {Type: AWS::EC2::Instance, Properties: {ImageId: cirros, SubnetId: !ImportValue S}}")
    assert template.resources["Web/address"].properties.get("if_subnet_says") is not None


# --- addresses of subnets ---
@pytest.mark.parametrize(
    ("cidr", "code"), [("10.1.0.0/24", "InvalidSubnetRange"), ("10.0.0.128/25", "InvalidSubnetConflict")]
)
def test_v15_subnets_outside_the_vpc_or_over_others_are_told_before_anything_is_made(refused, vpc, cidr, code):
    found = refused(vpc + f"Bad: {{Type: AWS::EC2::Subnet, Properties: {{VpcId: !Ref Vpc, CidrBlock: {cidr}}}}}")
    assert [one for one, _ in found] == [code]


def test_named_private_addresses_are_kept_free(lowered, vpc):
    template = lowered(vpc + WEB.replace("SubnetId:", "PrivateIpAddress: 10.0.0.9, SubnetId:"))
    assert template.resources["PubA/subnet"].properties.get("reserved").items == (Literal("10.0.0.9"),)
    assert template.resources["Web/port"].properties.get("address") == Literal("10.0.0.9")


# --- the default group ---
GROUP = "G: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: g, VpcId: !Ref Vpc}}\n"


@pytest.mark.parametrize(
    ("more", "outputs", "wanted"),
    [
        ("", "", False),
        (WEB, "", True),
        (GROUP + WEB.replace("SubnetId:", "SecurityGroupIds: [!Ref G], SubnetId:"), "", False),
        ("", "G: {Value: !GetAtt Vpc.DefaultSecurityGroup}", True),
        ("", "S: {Value: !Ref PubA}", True),
    ],
)
def test_a_vpc_has_a_group_of_its_own_where_somebody_may_need_it(lowered, vpc, more, outputs, wanted):
    assert ("Vpc/default_group" in lowered(vpc + more, outputs=outputs).resources) is wanted


# --- network ACLs ---
ACL = """
Acl: {Type: AWS::EC2::NetworkAcl, Properties: {VpcId: !Ref Vpc}}
Entry:
  Type: AWS::EC2::NetworkAclEntry
  Properties: {NetworkAclId: !Ref Acl, RuleNumber: 100, Protocol: -1, RuleAction: ACTION, CidrBlock: 0.0.0.0/0}
"""


@pytest.mark.parametrize(("action", "told"), [("allow", False), ("deny", True)])
def test_acls_that_would_forbid_something_are_warned_about(lowered, vpc, action, told):
    template = lowered(vpc + ACL.replace("ACTION", action))
    assert ("NetworkAclNotEnforced" in {one.code for one in template.warnings}) is told


def test_the_operator_may_refuse_acls_that_are_not_enforced(refused, vpc):
    found = refused(vpc + ACL.replace("ACTION", "deny"), rows=Mappings(options={"network_acl": "error"}))
    assert [code for code, _ in found] == ["NetworkAclNotEnforced"]
