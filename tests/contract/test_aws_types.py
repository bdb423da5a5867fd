"""5: mapped types beside the VPC family: storage, records, addresses, waiting; what they show and what is there."""

from __future__ import annotations

import json
import time

import openstack.exceptions
import pytest
import requests

from tests.contract.test_vpc import PUBLIC, REAL, SECONDS, ref
from tests.contract.test_vpc_changes import Aws, get


@pytest.fixture
def aws(story, name):
    return Aws(story, name)


def web(**properties):
    given = {"ImageId": "cirros", "InstanceType": "m1.small", "SubnetId": ref("PubB"), **properties}
    return {"Web": {"Type": "AWS::EC2::Instance", "Properties": given}}


def test_m090_a_bucket_is_a_container(aws):
    if not aws.story.sdk.has_service("object-store"):
        pytest.skip("the cloud has no object store")
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicRead"}},
        "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": ref("Bucket"), "PolicyDocument": {}}},
    }
    found = aws.outputs(aws.create(resources, {"Name": ref("Bucket"), "Arn": get("Bucket", "Arn")}))
    assert found["Arn"] == f"arn:aws:s3:::{found['Name']}"
    container = aws.story.sdk.object_store.get_container_metadata(found["Name"])
    assert container.read_ACL == ".r:*,.rlistings"


def test_m076_identity_is_recorded_and_in_nobodys_way(aws):
    document = {"Statement": []}
    resources = {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": document, "Path": "/app/", "Policies": [{"PolicyName": "p"}]},
        },
        "Profile": {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [ref("Role")]}},
        "Policy": {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": "p", "PolicyDocument": document, "Roles": [ref("Role")]},
        },
        "Managed": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"ManagedPolicyName": "m", "PolicyDocument": document},
        },
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/app/log", "RetentionInDays": 7}},
    }
    shown = {
        "Role": get("Role", "Arn"),
        "Profile": ref("Profile"),
        "Managed": ref("Managed"),
        "Log": get("Logs", "Arn"),
    }
    found = aws.outputs(aws.create(resources, shown, capabilities=["CAPABILITY_NAMED_IAM"]))
    assert found["Role"].startswith("arn:aws:iam::")
    assert ":role/app/" in found["Role"]
    assert found["Managed"].endswith(":policy/m")
    assert found["Log"].endswith(":log-group:/app/log:*")


def test_m015_an_interface_with_an_elastic_ip_by_its_address(aws):
    resources = {
        **PUBLIC,
        "Eni": {
            "Type": "AWS::EC2::NetworkInterface",
            "Properties": {
                "SubnetId": ref("PubA"), "PrivateIpAddress": "10.0.0.77", "SecondaryPrivateIpAddressCount": 1
            },
        },
        **web(NetworkInterfaces=[{"DeviceIndex": "0", "NetworkInterfaceId": ref("Eni")}]),
        "Ip": {"Type": "AWS::EC2::EIP"},
        "Led": {
            "Type": "AWS::EC2::EIPAssociation",
            "Properties": {"EIP": ref("Ip"), "NetworkInterfaceId": ref("Eni")},
        },
    }  # fmt: skip
    del resources["Web"]["Properties"]["SubnetId"]
    shown = {"Private": get("Web", "PrivateIp"), "Public": get("Web", "PublicIp"), "Ip": ref("Ip"), "Eni": ref("Eni")}
    found = aws.outputs(aws.create(resources, shown))
    assert found["Private"] == "10.0.0.77"
    assert found["Public"] == found["Ip"]
    (address,) = aws.net().ips
    assert (address.port_id, address.fixed_ip_address) == (found["Eni"], "10.0.0.77")
    assert len(aws.story.sdk.network.get_port(found["Eni"]).fixed_ips) == 2


def test_an_instance_that_names_no_subnet_is_in_the_projects_own_network(aws):
    networks = [n for n in aws.story.sdk.network.networks(project_id=aws.story.sdk.current_project_id)
                if n.subnet_ids and not n.is_router_external]  # fmt: skip
    if len(networks) != 1:
        pytest.skip("the project has not exactly one network")
    group = {"GroupDescription": "g", "SecurityGroupIngress": [{"IpProtocol": "-1", "CidrIp": "10.0.0.0/8"}]}
    resources = {
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": group},
        **web(SecurityGroups=[ref("Group")]),
    }
    del resources["Web"]["Properties"]["SubnetId"]
    found = aws.outputs(aws.create(resources, {"Web": ref("Web"), "Group": get("Group", "GroupId")}))
    (port,) = aws.story.sdk.network.ports(device_id=found["Web"])
    assert (port.network_id, port.security_group_ids) == (networks[0].id, [found["Group"]])


def test_m040_volumes_of_an_instance(aws):
    volume = {"Type": "AWS::EC2::Volume", "Properties": {"Size": 1, "AvailabilityZone": get("Web", "AvailabilityZone"),
              "VolumeType": "gp3", "Tags": [{"Key": "use/for", "Value": "data"}]}}  # fmt: skip
    attached = {"VolumeId": ref("Data"), "InstanceId": ref("Web"), "Device": "/dev/sdh"}
    devices = [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1, "VolumeType": "gp2"}}]
    resources = {
        **PUBLIC, **web(BlockDeviceMappings=devices), "Data": volume,
        "Attached": {"Type": "AWS::EC2::VolumeAttachment", "Properties": attached},
    }  # fmt: skip
    found = aws.outputs(aws.create(resources, {"Data": ref("Data"), "Web": ref("Web")}))
    data = aws.story.sdk.block_storage.get_volume(found["Data"])
    assert data.metadata["use_for"] == "data"
    assert data.attachments[0]["server_id"] == found["Web"]
    assert len(aws.story.sdk.compute.get_server(found["Web"]).attached_volumes) == 2


def _makes_backups(storage, volume):
    one = storage.create_backup(volume_id=volume.id)
    try:
        storage.wait_for_status(one, "available", ["error"], interval=0.1)
    except openstack.exceptions.ResourceFailure:
        return False
    finally:
        storage.delete_backup(one)
        storage.wait_for_status(volume, "available", interval=0.1)
    return True


def test_l81_l82_a_volume_is_kept_as_a_copy(aws):
    """One that is replaced, and one that is deleted; as in Heat, the copy is a backup, which outlives its volume."""
    storage = aws.story.sdk.block_storage
    if not storage.get("/backups").ok:
        pytest.skip("the cloud makes no backups")

    def data(**more):
        zone = {"Fn::Select": [0, {"Fn::GetAZs": ""}]}
        policies = {"DeletionPolicy": "Snapshot", "UpdateReplacePolicy": "Snapshot"}
        return {"Data": {"Type": "AWS::EC2::Volume", "Properties": {"Size": 1, "AvailabilityZone": zone, **more},
                         **policies}}  # fmt: skip

    source = storage.create_volume(size=1, name=f"{aws.name}-source")
    storage.wait_for_status(source, "available", interval=0.1)
    if not _makes_backups(storage, source):
        storage.delete_volume(source)
        pytest.skip("the cloud has the API for backups, and nothing that makes them")
    first = aws.outputs(aws.create(data(), {"Data": ref("Data")}))["Data"]
    second = aws.outputs(aws.update(data(SourceVolumeId=source.id), {"Data": ref("Data")}))["Data"]
    assert second != first
    aws.story.delete(aws.name)
    storage.delete_volume(source)
    kept = [one for one in storage.backups() if one.volume_id in (first, second)]
    for one in kept:
        storage.delete_backup(one)
    assert {one.volume_id for one in kept} == {first, second}


def test_d13_q15_tags_of_the_stack_go_to_its_resources(aws):
    """A resource's own tag of the same key goes first; changing the stack's tags changes the resources."""
    own = [{"Key": "team", "Value": "own"}]
    resources = {
        "Net": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16", "Tags": own}},
        "Data": {"Type": "AWS::EC2::Volume", "Properties": {"Size": 1, "AvailabilityZone": "a"}},
    }
    body = json.dumps({"Resources": resources, "Outputs": {name: {"Value": ref(name)} for name in resources}})

    def run(call, *pairs):
        tags = [{"Key": key, "Value": value} for key, value in pairs]
        getattr(aws.story.aws, call)(StackName=aws.name, TemplateBody=body, Tags=tags)
        found = aws.outputs(until(aws, lambda stack: stack["StackStatus"].endswith("E_COMPLETE")))
        hub = aws.story.sdk.network.get_router(found["Net"])
        return set(hub.tags), aws.story.sdk.block_storage.get_volume(found["Data"]).metadata

    tags, metadata = run("create_stack", ("team", "stacks"), ("cost/center", "7"))
    assert {"team=own", "cost/center=7"} <= tags
    assert "team=stacks" not in tags
    assert (metadata["team"], metadata["cost_center"]) == ("stacks", "7")
    tags, metadata = run("update_stack", ("cost/center", "8"))
    assert {"team=own", "cost/center=8"} <= tags
    assert "cost/center=7" not in tags
    assert metadata["cost_center"] == "8"
    assert "team" not in metadata


def test_m021_options_acls_and_endpoints_are_records(aws):
    resources = {
        **PUBLIC,
        "Options": {"Type": "AWS::EC2::DHCPOptions", "Properties": {"DomainNameServers": ["AmazonProvidedDNS"]}},
        "Use": {
            "Type": "AWS::EC2::VPCDHCPOptionsAssociation",
            "Properties": {"VpcId": ref("Vpc"), "DhcpOptionsId": ref("Options")},
        },
        "Acl": {"Type": "AWS::EC2::NetworkAcl", "Properties": {"VpcId": ref("Vpc")}},
        "Entry": {
            "Type": "AWS::EC2::NetworkAclEntry",
            "Properties": {
                "NetworkAclId": ref("Acl"), "RuleNumber": 100, "Protocol": -1, "RuleAction": "allow",
                "CidrBlock": "0.0.0.0/0",
            },
        },
        "InAcl": {
            "Type": "AWS::EC2::SubnetNetworkAclAssociation",
            "Properties": {"NetworkAclId": ref("Acl"), "SubnetId": ref("PubA")},
        },
        "Endpoint": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {"VpcId": ref("Vpc"), "ServiceName": "com.amazonaws.us-east-1.s3"},
        },
    }  # fmt: skip
    shown = {name: ref(name) for name in ("Options", "Acl", "InAcl", "Endpoint")}
    found = aws.outputs(aws.create(resources, shown))
    prefixes = {"Options": "dopt-", "Acl": "acl-", "InAcl": "aclassoc-", "Endpoint": "vpce-"}
    assert {name: found[name].startswith(prefix) for name, prefix in prefixes.items()} == dict.fromkeys(prefixes, True)


# --- waiting ---
def begin(aws, resources, outputs=None):
    body = json.dumps({"Resources": resources, "Outputs": {k: {"Value": v} for k, v in (outputs or {}).items()}})
    aws.story.aws.create_stack(StackName=aws.name, TemplateBody=body)


def until(aws, wanted):
    """The stack when `wanted(stack)` holds."""
    deadline = time.monotonic() + SECONDS
    while True:
        stack = aws.story.aws.describe_stacks(StackName=aws.name)["Stacks"][0]
        if wanted(stack):
            return stack
        assert time.monotonic() < deadline, (stack["StackStatus"], aws.reasons())
        time.sleep(0.5 if REAL else 0.05)


def resource(aws, name):
    rows = aws.story.aws.describe_stack_resources(StackName=aws.name)["StackResources"]
    return next((row for row in rows if row["LogicalResourceId"] == name), {})


def test_l97_q17_a_wait_condition_is_done_when_its_address_was_called(aws):
    resources = {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "Properties": {"Handle": ref("Handle"), "Timeout": "60", "Count": 1},
        },
    }
    begin(aws, resources, {"Data": get("Wait", "Data")})
    until(aws, lambda _: resource(aws, "Handle").get("ResourceStatus") == "CREATE_COMPLETE")
    url = resource(aws, "Handle")["PhysicalResourceId"]
    body = {"Status": "SUCCESS", "UniqueId": "one", "Reason": "ready", "Data": "x" * 4097}
    refused = requests.put(url, data=json.dumps(body), timeout=30)
    assert refused.status_code == 400
    assert "The Data of a signal may have at most 4096 bytes; this has 4097." in refused.text
    assert requests.put(url, data=json.dumps({**body, "Data": "x" * 4096}), timeout=30).status_code == 200
    stack = until(aws, lambda s: s["StackStatus"] == "CREATE_COMPLETE")
    assert json.loads(aws.outputs(stack)["Data"]) == {"one": "x" * 4096}


@pytest.mark.parametrize(("status", "ending"), [("SUCCESS", "CREATE_COMPLETE"), ("FAILURE", "ROLLBACK_COMPLETE")])
def test_l80_l99_an_instance_is_complete_when_it_has_said_so(aws, status, ending):
    machine = web()
    machine["Web"]["CreationPolicy"] = {"ResourceSignal": {"Count": 1, "Timeout": "PT2M"}}
    begin(aws, {**PUBLIC, **machine})
    until(aws, lambda _: resource(aws, "Web").get("ResourceStatus") == "CREATE_IN_PROGRESS")
    servers = aws.story.sdk.compute.servers
    deadline = time.monotonic() + SECONDS
    while not any(s.status == "ACTIVE" and s.metadata.get("aws:cloudformation:logical-id") == "Web" for s in servers()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert resource(aws, "Web")["ResourceStatus"] == "CREATE_IN_PROGRESS"
    aws.story.aws.signal_resource(StackName=aws.name, LogicalResourceId="Web", UniqueId="i-1", Status=status)
    until(aws, lambda s: s["StackStatus"] == ending)
    if status == "FAILURE":
        assert any("FAILURE signal with UniqueId i-1" in (reason or "") for _, reason in aws.reasons())
