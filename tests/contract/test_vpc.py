"""5: the VPC family on design D (vpc-on-neutron.md §5): what Neutron holds in the end, and who reaches what."""

from __future__ import annotations

import json
import os
import time

import pytest

REAL = bool(os.environ.get("OS_CLOUD"))
SECONDS = 240.0 if REAL else 60.0
pytestmark = pytest.mark.usefixtures("nothing_refused")


def ref(name):
    return {"Ref": name}


def vpc(cidr="10.0.0.0/16"):
    """A VPC with its internet gateway."""
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}},
        "Igw": {"Type": "AWS::EC2::InternetGateway"},
        "Attachment": {
            "Type": "AWS::EC2::VPCGatewayAttachment",
            "Properties": {"VpcId": ref("Vpc"), "InternetGatewayId": ref("Igw")},
        },
    }


def subnet(name, number, table=None, **more):
    properties = {"VpcId": ref("Vpc"), "CidrBlock": f"10.0.{number}.0/24", **more}
    made = {name: {"Type": "AWS::EC2::Subnet", "Properties": properties}}
    if table:
        made[f"{name}In{table}"] = {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {"SubnetId": ref(name), "RouteTableId": ref(table)},
        }
    return made


def table(name, of="Vpc", **target):
    """A route table; `target` is where its default route leads, if it has one."""
    made = {name: {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": ref(of)}}}
    if target:
        properties = {"RouteTableId": ref(name), "DestinationCidrBlock": "0.0.0.0/0", **target}
        made[f"{name}Default"] = {"Type": "AWS::EC2::Route", "Properties": properties}
    return made


def nat(name, subnet_name):
    return {
        f"{name}Ip": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
        name: {
            "Type": "AWS::EC2::NatGateway",
            "Properties": {
                "AllocationId": {"Fn::GetAtt": [f"{name}Ip", "AllocationId"]},
                "SubnetId": ref(subnet_name),
            },
        },
    }


INSTANCE = {
    "Web": {
        "Type": "AWS::EC2::Instance",
        "Properties": {"ImageId": "cirros", "InstanceType": "t3.micro", "SubnetId": ref("PubA")},
    }
}
PUBLIC = {
    **vpc(), **table("Pub", GatewayId=ref("Igw")),
    **subnet("PubA", 0, "Pub", MapPublicIpOnLaunch=True), **subnet("PubB", 1, "Pub"),
}  # fmt: skip
T1 = {**PUBLIC, **INSTANCE}
T2 = {
    **PUBLIC, **nat("Nat", "PubA"), **table("Prv", NatGatewayId=ref("Nat")),
    **subnet("PrvA", 10, "Prv"), **subnet("PrvB", 11, "Prv"),
}  # fmt: skip
T3 = {
    **PUBLIC, **nat("NatA", "PubA"), **nat("NatB", "PubB"),
    **table("PrvTableA", NatGatewayId=ref("NatA")), **table("PrvTableB", NatGatewayId=ref("NatB")),
    **subnet("PrvA", 10, "PrvTableA"), **subnet("PrvB", 11, "PrvTableB"),
}  # fmt: skip
T4 = {**PUBLIC, **table("Data"), **subnet("DataA", 20, "Data"), **subnet("MainA", 30)}


class Net:
    """What the stack made of routers, and the walk of vpc-on-neutron.md §7 over it."""

    def __init__(self, story, name):
        net, mine = story.sdk.network, {"project_id": story.sdk.current_project_id}
        self.routers = {r.id: r for r in net.routers(**mine) if name in r.name}
        self.subnets = {s.id: s for s in net.subnets(**mine) if name in s.name}
        self.ips = [i for i in net.ips(**mine) if i.router_id in self.routers]
        self.interfaces = {}  # (subnet, address) → router
        self.legs = {}  # address → router, for next hops
        for port in net.ports(device_owner="network:router_interface"):
            if port.device_id in self.routers:
                for fixed in port.fixed_ips:
                    self.interfaces[fixed["subnet_id"], fixed["ip_address"]] = port.device_id
                    self.legs[fixed["ip_address"]] = port.device_id
        self.gateways = {one for one, r in self.routers.items() if r.external_gateway_info}

    def by_cidr(self, cidr):
        (found,) = [s for s in self.subnets.values() if s.cidr == cidr]
        return found

    def walk(self, cidr, address):
        """'deliver', 'out', 'drop' or 'loop'."""
        from ipaddress import ip_address, ip_network

        start, target = self.by_cidr(cidr), ip_address(address)
        router, seen = self.interfaces.get((start.id, start.gateway_ip)), set()
        while router:
            if router in seen:
                return "loop"
            seen.add(router)
            choices = [
                (ip_network(self.subnets[s].cidr).prefixlen, "deliver", None)
                for (s, _), owner in self.interfaces.items()
                if owner == router and s in self.subnets and target in ip_network(self.subnets[s].cidr)
            ]
            for route in self.routers[router].routes or ():
                network = ip_network(route["destination"])
                if target in network:
                    choices.append((network.prefixlen, "hop", self.legs.get(route["nexthop"])))
            if not choices:
                return "out" if router in self.gateways else "drop"
            _, what, following = max(choices, key=lambda choice: choice[0])
            if what == "deliver":
                return "deliver"
            router = following
        return "drop"


@pytest.fixture
def deploy(story, name):
    """`deploy(resources, outputs)` creates the stack and returns what Neutron holds, and its outputs."""

    def run(resources, outputs=None):
        body = json.dumps({"Resources": resources, "Outputs": {k: {"Value": v} for k, v in (outputs or {}).items()}})
        story.aws.create_stack(StackName=name, TemplateBody=body)
        deadline = time.monotonic() + SECONDS
        while (stack := story.aws.describe_stacks(StackName=name)["Stacks"][0])["StackStatus"] != "CREATE_COMPLETE":
            assert stack["StackStatus"] == "CREATE_IN_PROGRESS", stack.get("StackStatusReason")
            assert time.monotonic() < deadline, stack
            time.sleep(0.5 if REAL else 0.05)
        return Net(story, name), {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", ())}

    return run


def everyone_inside_reaches_everyone(net, *numbers):
    wanted = {(a, b): "deliver" for a in numbers for b in numbers if a != b}
    assert {pair: net.walk(f"10.0.{pair[0]}.0/24", f"10.0.{pair[1]}.9") for pair in wanted} == wanted


def gateway_address(net, cidr):
    subnet_ = net.by_cidr(cidr)
    router = net.routers[net.interfaces[subnet_.id, subnet_.gateway_ip]]
    return router.external_gateway_info["external_fixed_ips"][0]["ip_address"]


def test_v1_two_public_subnets_and_an_instance(deploy):
    net, outputs = deploy(T1, {"Ip": {"Fn::GetAtt": ["Web", "PublicIp"]}})
    assert (len(net.routers), len(net.gateways), len(net.ips)) == (2, 1, 1)
    assert net.ips[0].router_id in net.gateways
    assert outputs["Ip"] == net.ips[0].floating_ip_address
    everyone_inside_reaches_everyone(net, 0, 1)
    assert net.walk("10.0.0.0/24", "8.8.8.8") == "out"


def test_v2_private_subnets_behind_one_nat_gateway(deploy):
    net, outputs = deploy(T2, {"NatIp": ref("NatIp")})
    assert (len(net.routers), len(net.gateways), len(net.ips)) == (3, 2, 0)
    assert outputs["NatIp"] == gateway_address(net, "10.0.10.0/24")
    everyone_inside_reaches_everyone(net, 0, 1, 10, 11)
    assert net.walk("10.0.11.0/24", "8.8.8.8") == "out"


def test_v3_two_zones_each_with_its_nat_gateway(deploy):
    net, outputs = deploy(T3, {"A": ref("NatAIp"), "B": ref("NatBIp")})
    assert (len(net.routers), len(net.gateways)) == (4, 3)
    assert outputs["A"] == gateway_address(net, "10.0.10.0/24")
    assert outputs["B"] == gateway_address(net, "10.0.11.0/24")
    assert outputs["A"] != outputs["B"]
    everyone_inside_reaches_everyone(net, 0, 1, 10, 11)


def test_v4_isolated_subnets_have_no_way_out(deploy):
    net, _ = deploy(T4)
    assert (len(net.routers), len(net.gateways)) == (3, 1)
    everyone_inside_reaches_everyone(net, 0, 1, 20, 30)
    assert net.walk("10.0.20.0/24", "8.8.8.8") == "drop"
    assert net.walk("10.0.30.0/24", "8.8.8.8") == "drop"
    assert net.walk("10.0.0.0/24", "8.8.8.8") == "out"
