"""5: two VPCs that meet (vpc-on-neutron.md §5, V7)."""

from __future__ import annotations

import pytest

from tests.contract.test_vpc import ref, table
from tests.contract.test_vpc_changes import Aws


@pytest.fixture
def aws(story, name):
    return Aws(story, name)


def side(letter, block, *, to=None, other=""):
    """A VPC with a subnet `<letter>1` on a table, perhaps with a route to the other side, and `<letter>2` on none."""
    own, table_name = f"Vpc{letter}", f"Table{letter}"
    made = {own: {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": f"{block}.0.0/16"}}, **table(table_name, of=own)}
    for number in (1, 2):
        properties = {"VpcId": ref(own), "CidrBlock": f"{block}.{number}.0/24"}
        made[f"{letter}{number}"] = {"Type": "AWS::EC2::Subnet", "Properties": properties}
    made[f"{letter}1In"] = {
        "Type": "AWS::EC2::SubnetRouteTableAssociation",
        "Properties": {"SubnetId": ref(f"{letter}1"), "RouteTableId": ref(table_name)},
    }
    if to:
        properties = {"RouteTableId": ref(table_name), "DestinationCidrBlock": other, "VpcPeeringConnectionId": to}
        made[f"{letter}Route"] = {"Type": "AWS::EC2::Route", "Properties": properties}
    return made


PEERING = {
    "Pcx": {
        "Type": "AWS::EC2::VPCPeeringConnection",
        "Properties": {"VpcId": ref("VpcA"), "PeerVpcId": ref("VpcB"), "PeerOwnerId": ref("AWS::AccountId")},
    }
}
BOTH = {
    **side("A", "10.0", to=ref("Pcx"), other="10.1.0.0/16"), **side("B", "10.1", to=ref("Pcx"), other="10.0.0.0/16"),
    **PEERING,
}  # fmt: skip


@pytest.mark.usefixtures("nothing_refused")
def test_v7_two_vpcs_reach_each_other_as_their_tables_say(aws):
    found = aws.outputs(aws.create(BOTH, {"Pcx": ref("Pcx")}))
    net = aws.net()
    ways = {
        ("10.0.1.0/24", "10.1.1.9"): "deliver", ("10.1.1.0/24", "10.0.1.9"): "deliver",
        ("10.0.1.0/24", "10.1.2.9"): "deliver", ("10.1.2.0/24", "10.0.1.9"): "drop",
        ("10.0.2.0/24", "10.1.1.9"): "drop", ("10.0.1.0/24", "8.8.8.8"): "drop",
    }  # fmt: skip
    assert {pair: net.walk(*pair) for pair in ways} == ways
    ports = [p for p in aws.story.sdk.network.ports(network_id=found["Pcx"]) if p.device_id in net.routers]
    assert {p.device_id for p in ports} == set(net.routers)
    assert len(ports) == 4


def test_v7_a_route_that_leads_to_another_vpc_no_more_takes_its_interface_along(aws):
    aws.create(BOTH, {"Pcx": ref("Pcx")})
    one_way = {name: one for name, one in BOTH.items() if name != "BRoute"}
    found = aws.outputs(aws.update(one_way, {"Pcx": ref("Pcx")}))
    net = aws.net()
    assert net.walk("10.0.1.0/24", "10.1.1.9") == "deliver"
    assert net.walk("10.1.1.0/24", "10.0.1.9") == "drop"
    ports = [p for p in aws.story.sdk.network.ports(network_id=found["Pcx"]) if p.device_id in net.routers]
    assert len(ports) == 3


def test_v7_a_vpc_of_another_stack_is_peered_with(aws):
    aws.create(side("B", "10.1"), {"Vpc": ref("VpcB")})
    second = {**side("A", "10.0", to=ref("Pcx"), other="10.1.0.0/16"), **PEERING}
    second["Pcx"] = {
        "Type": "AWS::EC2::VPCPeeringConnection",
        "Properties": {"VpcId": ref("VpcA"), "PeerVpcId": {"Fn::ImportValue": f"{aws.name}-Vpc"}},
    }
    aws.create(second, stack="-peer")
    assert aws.net().walk("10.0.1.0/24", "10.1.2.9") == "deliver"
    aws.story.delete(aws.name + "-peer")


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"PeerOwnerId": "123456789012"}, "A VPC of 123456789012 cannot be peered with"), ({}, "OverlappingCidr")],
)
def test_v7_what_cannot_be_joined_is_refused(aws, changed, said):
    block = "10.1" if changed else "10.0"
    resources = {**side("A", "10.0"), **side("B", block), "Pcx": dict(PEERING["Pcx"])}
    resources["Pcx"]["Properties"] = {**PEERING["Pcx"]["Properties"], **changed}
    aws.create(resources, ending="ROLLBACK_COMPLETE")
    assert any(said in (reason or "") for _, reason in aws.reasons())
