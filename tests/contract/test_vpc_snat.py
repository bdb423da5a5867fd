"""5: source translation where the operator denies it to public subnets (vpc-on-neutron.md §2.5, V10 and V13)."""

from __future__ import annotations

import json
import os

import pytest

from tests.contract.conftest import REAL, left_as_found
from tests.contract.test_vpc import PUBLIC, Net, nat, ref, subnet, table
from tests.contract.test_vpc_changes import Aws


def test_v10_a_route_goes_from_the_internet_to_a_nat_gateway(denying, name):
    """The router keeps its gateway and address; one call turns source translation on."""
    if REAL and os.environ["OS_CLOUD"] != "admin":
        pytest.skip("needs an administrator: OS_CLOUD=admin")
    project = denying() if REAL else denying(username="admin", password="secret", project_name="admin")
    resources = {**PUBLIC, **nat("Nat", "PubA"), **table("Prv", GatewayId=ref("Igw")), **subnet("PrvA", 10, "Prv")}

    def template(**target):
        route = {"RouteTableId": ref("Prv"), "DestinationCidrBlock": "0.0.0.0/0", **target}
        changed = {**resources, "PrvDefault": {"Type": "AWS::EC2::Route", "Properties": route}}
        return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": changed})

    def private():
        net = Net(project, name)
        found = net.by_cidr("10.0.10.0/24")
        return net.routers[net.interfaces[found.id, found.gateway_ip]]

    with left_as_found(project, name):
        project.create(name, template(GatewayId=ref("Igw")))
        before = private()
        assert before.external_gateway_info["enable_snat"] is False
        if not REAL:
            project.server.simulator("reset-requests", "POST")
        project.update(name, template(NatGatewayId=ref("Nat")))
        after = private()
        assert after.external_gateway_info == {**before.external_gateway_info, "enable_snat": True}
        if not REAL:
            asked = {"service": "network", "method": "PUT", "path": f"^/v2.0/routers/{after.id}$"}
            assert len(project.server.simulator("requests", params=asked)["requests"]) == 1


def test_v13_a_member_may_not_choose_and_is_told_which_rule_says_so(denying, name):
    if REAL and os.environ["OS_CLOUD"] == "admin":
        pytest.skip("an administrator may")
    project = denying()
    with left_as_found(project, name):
        aws = Aws(project, name)
        aws.create(PUBLIC, ending="ROLLBACK_COMPLETE")
        told = dict(aws.reasons())
        assert "update_router:external_gateway_info:enable_snat" in told["PubDefault"]
        assert "public_subnet_snat" in told["PubDefault"]
