"""5: VPCs over stacks and updates (vpc-on-neutron.md §5): what is moved, shared, refused and taken back."""

from __future__ import annotations

import json
import time

import pytest

from tests.contract.test_vpc import INSTANCE, PUBLIC, REAL, SECONDS, Net, nat, ref, subnet, table, vpc


def get(name, attribute):
    return {"Fn::GetAtt": [name, attribute]}


class Aws:
    """Stacks of one story through CloudFormation."""

    def __init__(self, story, name):
        self.story, self.name, self.before = story, name, story.inventory(name)

    def run(self, call, resources, outputs=None, *, stack="", ending="{}_COMPLETE", capabilities=(), **more):
        """Create or update, wait for the end, and return the stack."""
        shown = {k: {"Value": v, "Export": {"Name": f"{self.name}-{k}"}} for k, v in (outputs or {}).items()}
        body = json.dumps({"Resources": resources, "Outputs": shown, **more})
        asked = {"StackName": self.name + stack, "TemplateBody": body, "Capabilities": list(capabilities)}
        getattr(self.story.aws, f"{call}_stack")(**asked)
        deadline = time.monotonic() + SECONDS
        while True:
            found = self.story.aws.describe_stacks(StackName=self.name + stack)["Stacks"][0]
            status = found["StackStatus"]
            if not status.endswith("IN_PROGRESS"):
                assert status == ending.format(call.upper()), (status, self.reasons(stack))
                return found
            assert time.monotonic() < deadline, status
            time.sleep(0.5 if REAL else 0.05)

    def create(self, resources, outputs=None, **more):
        return self.run("create", resources, outputs, **more)

    def update(self, resources, outputs=None, **more):
        return self.run("update", resources, outputs, **more)

    def reasons(self, stack=""):
        events = self.story.aws.describe_stack_events(StackName=self.name + stack)["StackEvents"]
        return [
            (e["LogicalResourceId"], e.get("ResourceStatusReason")) for e in events if "FAILED" in e["ResourceStatus"]
        ]

    def net(self):
        return Net(self.story, self.name)

    def outputs(self, stack):
        return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", ())}


@pytest.fixture
def aws(story, name):
    return Aws(story, name)


@pytest.mark.usefixtures("nothing_refused")
def test_v5_a_way_out_made_by_another_stack(aws):
    network = {**PUBLIC, **table("Prv"), **subnet("PrvA", 10, "Prv")}
    aws.create(network, {"Table": ref("Prv"), "Subnet": ref("PubA")})
    assert aws.net().walk("10.0.10.0/24", "8.8.8.8") == "drop"
    imported = {"Fn::ImportValue": f"{aws.name}-Table"}
    way_out = {
        **nat("Nat", "PubA"),
        "WayOut": {
            "Type": "AWS::EC2::Route",
            "Properties": {
                "RouteTableId": imported, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": ref("Nat")
            },
        },
    }  # fmt: skip
    way_out["Nat"]["Properties"]["SubnetId"] = {"Fn::ImportValue": f"{aws.name}-Subnet"}
    second = aws.create(way_out, {"Ip": ref("NatIp")}, stack="-out")
    net = aws.net()
    assert net.walk("10.0.10.0/24", "8.8.8.8") == "out"
    (router,) = [net.interfaces[s.id, s.gateway_ip] for s in net.subnets.values() if s.cidr == "10.0.10.0/24"]
    address = net.routers[router].external_gateway_info["external_fixed_ips"][0]["ip_address"]
    assert aws.outputs(second)["Ip"] == address
    aws.story.delete(aws.name + "-out")
    assert aws.net().walk("10.0.10.0/24", "8.8.8.8") == "drop"


def test_v5_what_another_stack_builds_on_is_not_deleted(aws):
    aws.create({**vpc(), **table("Prv")}, {"Table": ref("Prv")})
    imported = {"Fn::ImportValue": f"{aws.name}-Table"}
    route = {"RouteTableId": imported, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": ref("Igw")}
    aws.create({"Igw": {"Type": "AWS::EC2::InternetGateway"}, "Out": {"Type": "AWS::EC2::Route", "Properties": route}},
               stack="-out")  # fmt: skip
    with pytest.raises(aws.story.aws.exceptions.ClientError, match=f"it is in use by {aws.name}-out"):
        aws.story.aws.delete_stack(StackName=aws.name)
    aws.story.delete(aws.name + "-out")


@pytest.mark.usefixtures("nothing_refused")
def test_v5_an_instance_in_the_subnet_of_another_stack(aws):
    aws.create(PUBLIC, {"Subnet": ref("PubA")})
    web = json.loads(json.dumps(INSTANCE))
    web["Web"]["Properties"]["SubnetId"] = {"Fn::ImportValue": f"{aws.name}-Subnet"}
    second = aws.create(web, {"Ip": get("Web", "PublicIp"), "Vpc": get("Web", "VpcId")}, stack="-web")
    (address,) = aws.net().ips
    assert aws.outputs(second)["Ip"] == address.floating_ip_address
    assert address.port_id
    aws.story.delete(aws.name + "-web")


@pytest.mark.usefixtures("nothing_refused")
def test_v5_an_association_made_by_another_stack_moves_the_subnet_and_back(aws):
    aws.create({**PUBLIC, **subnet("Lone", 30)}, {"Subnet": ref("Lone"), "Table": ref("Pub")})
    assert aws.net().walk("10.0.30.0/24", "8.8.8.8") == "drop"
    moved = {
        "Moved": {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {
                "SubnetId": {"Fn::ImportValue": f"{aws.name}-Subnet"},
                "RouteTableId": {"Fn::ImportValue": f"{aws.name}-Table"},
            },
        }
    }
    aws.create(moved, stack="-move")
    net = aws.net()
    assert net.walk("10.0.30.0/24", "8.8.8.8") == "out"
    assert net.walk("10.0.0.0/24", "10.0.30.9") == "deliver"
    aws.story.delete(aws.name + "-move")
    net = aws.net()
    assert net.walk("10.0.30.0/24", "8.8.8.8") == "drop"
    assert net.walk("10.0.0.0/24", "10.0.30.9") == "deliver"


@pytest.mark.usefixtures("nothing_refused")
def test_v6_a_nat_instance(aws):
    gateway = {
        "Gateway": {
            "Type": "AWS::EC2::Instance",
            "Properties": {
                "ImageId": "cirros", "InstanceType": "m1.small", "SubnetId": ref("PubA"), "SourceDestCheck": False
            },
        }
    }  # fmt: skip
    aws.create({**PUBLIC, **gateway, **table("Prv", InstanceId=ref("Gateway")), **subnet("PrvA", 10, "Prv")},
               {"Ip": get("Gateway", "PrivateIp")})  # fmt: skip
    net = aws.net()
    private = net.by_cidr("10.0.10.0/24")
    router = net.routers[net.interfaces[private.id, private.gateway_ip]]
    assert router.id not in net.gateways
    routes = {route["destination"]: route["nexthop"] for route in router.routes}
    (port,) = [p for p in aws.story.sdk.network.ports(fixed_ips=f"ip_address={routes['0.0.0.0/0']}") if p.device_id]
    assert port.device_owner.startswith("compute:")
    assert {pair["ip_address"] for pair in port.allowed_address_pairs} == {"0.0.0.0/0", "::/0"}
    assert net.walk("10.0.10.0/24", "10.0.1.9") == "deliver"


@pytest.mark.usefixtures("nothing_refused")
def test_v9_an_association_moves_a_subnet_and_its_elastic_ip_stays(aws):
    second = table("Other", GatewayId=ref("Igw"))
    elastic = {"Ip": {"Type": "AWS::EC2::EIP", "Properties": {"InstanceId": ref("Web")}}}
    resources = json.loads(json.dumps({**PUBLIC, **second, **INSTANCE, **elastic}))
    aws.create(resources)
    (before,) = aws.net().ips
    resources["PubAInPub"]["Properties"]["RouteTableId"] = ref("Other")
    aws.update(resources)
    net = aws.net()
    (after,) = net.ips
    assert (after.id, after.floating_ip_address, after.port_id) == (
        before.id, before.floating_ip_address, before.port_id
    )  # fmt: skip
    public = net.by_cidr("10.0.0.0/24")
    assert after.router_id == net.interfaces[public.id, public.gateway_ip] != before.router_id
    assert net.walk("10.0.1.0/24", "10.0.0.9") == "deliver"
    hubs = [r for r in net.routers.values() if r.id not in net.gateways]
    assert [r["destination"] for r in hubs[0].routes].count("10.0.0.0/24") == 1


def group(name, **properties):
    given = {"GroupDescription": name, "VpcId": ref("Vpc"), **properties}
    return {name: {"Type": "AWS::EC2::SecurityGroup", "Properties": given}}


def rule(name, into, source, **properties):
    given = {"GroupId": ref(into), "SourceSecurityGroupId": ref(source), "IpProtocol": "-1", **properties}
    return {name: {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": given}}


@pytest.mark.usefixtures("nothing_refused")
def test_v11_groups_with_rules_of_every_kind(aws):
    ingress = [
        {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "CidrIp": "0.0.0.0/0"},
        {"IpProtocol": "tcp", "FromPort": "0", "ToPort": "65535", "CidrIp": "10.0.0.5/16", "Description": "first"},
        {"IpProtocol": "6", "FromPort": 0, "ToPort": 65535, "CidrIp": "10.0.0.0/16", "Description": "again"},
    ]
    egress = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}]
    resources = {
        **vpc(), **group("Web", SecurityGroupIngress=ingress, SecurityGroupEgress=egress), **group("Db"),
        **rule("FromWeb", "Db", "Web", IpProtocol="tcp", FromPort=3306, ToPort=3306),
        **rule("FromDb", "Web", "Db"), **rule("Self", "Web", "Web"),
    }  # fmt: skip
    found = aws.outputs(aws.create(resources, {"Web": ref("Web"), "Db": ref("Db")}))
    web, db = (list(aws.story.sdk.network.security_group_rules(security_group_id=found[n])) for n in ("Web", "Db"))
    told = {(r.direction, r.ether_type, r.protocol, r.port_range_min, r.remote_ip_prefix, r.remote_group_id)
            for r in web}  # fmt: skip
    assert told == {
        ("egress", "IPv4", "tcp", 443, "0.0.0.0/0", None),
        ("ingress", "IPv4", "icmp", 8, "0.0.0.0/0", None),
        ("ingress", "IPv4", "tcp", None, "10.0.0.0/16", None),
        *(("ingress", family, None, None, None, found[n]) for n in ("Web", "Db") for family in ("IPv4", "IPv6")),
    }
    assert {r.description for r in web if r.protocol == "tcp" and r.direction == "ingress"} == {"first"}
    assert sorted((r.direction, r.ether_type) for r in db) == [
        ("egress", "IPv4"), ("egress", "IPv6"), ("ingress", "IPv4"), ("ingress", "IPv6")
    ]  # fmt: skip
    ingress[1]["ToPort"] = 1024
    del resources["Web"]["Properties"]["SecurityGroupEgress"]
    aws.update(resources, {"Web": ref("Web"), "Db": ref("Db")})
    web = list(aws.story.sdk.network.security_group_rules(security_group_id=found["Web"]))
    assert sum(r.direction == "egress" and r.protocol is None for r in web) == 2
    assert sorted(r.port_range_max for r in web if r.protocol == "tcp" and r.port_range_max) == [1024]


@pytest.mark.usefixtures("nothing_refused")
def test_v12_the_worst_order_without_any_depends_on(aws):
    resources = dict(reversed({**PUBLIC, **INSTANCE}.items()))
    aws.create(resources)
    net = aws.net()
    assert (len(net.routers), len(net.gateways), len(net.ips)) == (2, 1, 1)
    assert net.ips[0].router_id in net.gateways


@pytest.mark.parametrize(("cidr", "said"), [("10.9.0.0/24", "InvalidSubnet.Range"), ("10.0.0.128/25", "Conflict")])
def test_v15_addresses_that_only_parameters_tell_are_refused_in_the_words_of_aws(aws, cidr, said):
    """Nothing is tried twice: the whole stack has failed and is rolled back within the story's patience."""
    resources = {**vpc(), **subnet("A", 0), **subnet("Bad", 1, CidrBlock=ref("Cidr"))}
    resources["Bad"]["DependsOn"] = "A"
    parameters = {"Cidr": {"Type": "String", "Default": cidr}}
    aws.create(resources, ending="ROLLBACK_COMPLETE", Parameters=parameters)
    assert any(said in (reason or "") for _, reason in aws.reasons())


@pytest.mark.usefixtures("nothing_refused")
def test_v16_many_subnets_at_once(aws):
    several = {}
    for number in range(24):
        several |= subnet(f"S{number}", number, "T")
    aws.create({**vpc(), **table("T"), **several})
    net = aws.net()
    (hub,) = [r for r in net.routers.values() if len(r.routes) != 1]
    assert len(hub.routes) == 24
    assert net.walk("10.0.0.0/24", "10.0.23.9") == "deliver"


def test_another_image_makes_another_server_with_a_port_of_its_own(aws):
    resources = json.loads(json.dumps({**PUBLIC, **INSTANCE}))
    resources["Web"]["Properties"]["KeyName"] = ref("Key")
    resources["Key"] = {"Type": "AWS::EC2::KeyPair", "Properties": {"KeyName": f"{aws.name}-1"}}
    first = aws.outputs(aws.create(resources, {"Web": ref("Web")}))["Web"]
    (before,) = aws.net().ips
    resources["Key"]["Properties"]["KeyName"] = f"{aws.name}-2"
    second = aws.outputs(aws.update(resources, {"Web": ref("Web")}))["Web"]
    (after,) = aws.net().ips
    assert after.id == before.id
    assert after.port_id != before.port_id
    servers = {server.id for server in aws.story.sdk.compute.servers()}
    assert second in servers
    assert first not in servers


@pytest.mark.usefixtures("nothing_refused")
def test_another_block_of_addresses(aws):
    more = {"More": {"Type": "AWS::EC2::VPCCidrBlock", "Properties": {"VpcId": ref("Vpc"), "CidrBlock": "10.7.0.0/16"}}}
    far = subnet("Far", 40, "Data", CidrBlock="10.7.1.0/24")
    aws.create({**PUBLIC, **table("Data"), **more, **far})
    net = aws.net()
    assert net.walk("10.0.0.0/24", "10.7.1.9") == "deliver"
    assert net.walk("10.7.1.0/24", "10.0.0.9") == "deliver"
    assert net.walk("10.0.0.0/24", "10.7.99.9") == "drop"


@pytest.mark.usefixtures("nothing_refused")
def test_another_cidr_block_is_another_vpc_with_everything_in_it(aws):
    resources = json.loads(json.dumps({**PUBLIC, **INSTANCE, **group("Web2")}))
    aws.create(resources, {"Vpc": ref("Vpc"), "Web": ref("Web")})
    before = aws.outputs(aws.story.aws.describe_stacks(StackName=aws.name)["Stacks"][0])
    resources["Vpc"]["Properties"]["CidrBlock"] = "10.0.0.0/17"
    after = aws.outputs(aws.update(resources, {"Vpc": ref("Vpc"), "Web": ref("Web")}))
    assert {name for name in before if before[name] == after[name]} == set()
    net = aws.net()
    assert (len(net.routers), len(net.gateways), len(net.ips)) == (2, 1, 1)
    assert net.walk("10.0.1.0/24", "10.0.0.9") == "deliver"


def test_v11_a_rule_gets_another_description_in_its_place(aws):
    resources = {**vpc(), **group("Web"), **rule("Self", "Web", "Web", Description="one")}
    found = aws.outputs(aws.create(resources, {"Web": ref("Web"), "Rule": ref("Self")}))
    resources["Self"]["Properties"]["Description"] = "two"
    after = aws.outputs(aws.update(resources, {"Web": ref("Web"), "Rule": ref("Self")}))
    assert found == after
    rules = aws.story.sdk.network.security_group_rules(security_group_id=found["Web"], direction="ingress")
    assert [one.description for one in rules] == ["two", "two"]


def test_v11_the_same_rule_twice_is_refused_as_by_aws(aws):
    resources = {**vpc(), **group("Web"), **rule("A", "Web", "Web"), **rule("B", "Web", "Web")}
    resources["B"]["DependsOn"] = "A"
    aws.create(resources, ending="ROLLBACK_COMPLETE")
    assert any("InvalidPermission.Duplicate" in (reason or "") for _, reason in aws.reasons())
