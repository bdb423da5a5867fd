"""Instances: ports, user data, devices, signals (vpc-on-neutron.md §4; cloudformation.md M038, L82)."""

from __future__ import annotations

import pytest

from engine.model.expression import AttributeRef, Literal, ParameterRef, ResourceRef
from engine.model.template import DeletionPolicy


def server(template, name="Web"):
    return template.resources[f"{name}/server"].properties


def instance(**properties):
    lines = "".join(f"    {name}: {value}\n" for name, value in {"ImageId": "cirros", **properties}.items())
    return f"Web:\n  Type: AWS::EC2::Instance\n  Properties:\n{lines}"


def test_the_server_gets_ports_of_its_own(lowered):
    template = lowered(instance(SubnetId="subnet-1", SecurityGroupIds="[g1]"))
    port = template.resources["Web/port"]
    assert port.type == "Isotherm::Neutron::Interface"
    assert port.properties.get("subnet") == Literal("subnet-1")
    (entry,) = server(template).get("networks").items
    assert entry.get("port") == ResourceRef("Web/port")


def test_a_new_image_means_a_new_port_too(lowered):
    template = lowered(instance(KeyName="k", InstanceType="m1.small"))
    for name in ("port", "server"):
        assert template.resources[f"Web/{name}"].properties.get("tied_to").items == (Literal("cirros"), Literal("k"))


def test_interfaces_come_in_the_order_of_their_index(lowered):
    template = lowered(
        "Eni: {Type: AWS::EC2::NetworkInterface, Properties: {SubnetId: s2}}\n"
        + instance(
            NetworkInterfaces="[{DeviceIndex: '1', NetworkInterfaceId: !Ref Eni}, {DeviceIndex: '0', SubnetId: s1, "
            "AssociatePublicIpAddress: true, DeleteOnTermination: false}]"
        )
    )
    ports = [entry.get("port") for entry in server(template).get("networks").items]
    assert ports == [ResourceRef("Web/port"), ResourceRef("Eni/port")]
    assert template.resources["Web/port"].deletion_policy is DeletionPolicy.RETAIN
    assert "Web/address" in template.resources


@pytest.mark.parametrize("name", ["SubnetId", "SecurityGroupIds", "PrivateIpAddress"])
def test_interfaces_and_their_short_forms_exclude_each_other(refused, name):
    found = refused(instance(NetworkInterfaces="[{DeviceIndex: '0', SubnetId: s}]", **{name: "[x]"}))
    assert [code for code, _ in found] == ["PropertyConflict"]


def test_the_source_check_taken_off_lets_any_address_through(lowered):
    port = lowered(instance(SubnetId="s", SourceDestCheck="false")).resources["Web/port"]
    pairs = [pair.get("ip_address") for pair in port.properties.get("allowed_address_pairs").items]
    assert pairs == [Literal("0.0.0.0/0"), Literal("::/0")]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("!Base64 'echo hello'", "echo hello"),
        ("ZWNobyBoZWxsbw==", "echo hello"),
        ("'echo hello'", "echo hello"),
    ],
)
def test_user_data_is_plain_for_the_server(lowered, written, text):
    properties = server(lowered(instance(UserData=written)))
    assert properties.get("user_data") == Literal(text)
    assert properties.get("user_data_format") == Literal("RAW")


def test_user_data_of_hot_is_text_already(hot):
    template = hot("""
        heat_template_version: 2018-08-31
        parameters: {text: {type: string}}
        resources:
          Web: {type: AWS::EC2::Instance, properties: {ImageId: i, UserData: {get_param: text}}}
    """)
    assert isinstance(server(template).get("user_data"), ParameterRef)


def test_a_root_device_with_a_size_is_a_volume_to_boot_from(lowered):
    template = lowered(instance(
        BlockDeviceMappings="[{DeviceName: /dev/xvda, Ebs: {VolumeSize: 8}}, "
        "{DeviceName: /dev/sdf, Ebs: {VolumeSize: 1, DeleteOnTermination: false}}]"
    ))  # fmt: skip
    root, data = template.resources["Web/volume0"], template.resources["Web/volume1"]
    assert root.properties.get("image") == ResourceRef("Web/image")
    assert data.deletion_policy is DeletionPolicy.RETAIN
    devices = server(template).get("block_device_mapping_v2").items
    assert [one.get("boot_index") for one in devices] == [Literal(0), Literal(-1)]
    assert server(template).get("image") is None


@pytest.mark.parametrize(
    ("ebs", "code"), [("{VolumeSize: 1, Encrypted: true}", "PropertyRejected"), ("{Sise: 1}", "UnsupportedProperty")]
)
def test_devices_are_checked(refused, ebs, code):
    found = refused(instance(BlockDeviceMappings=f"[{{DeviceName: /dev/sdf, Ebs: {ebs}}}]"))
    assert [one for one, _ in found] == [code]


def test_l82_a_creation_policy_is_a_member_that_waits(lowered):
    text = instance() + "  CreationPolicy: {ResourceSignal: {Count: 2, Timeout: PT10M}}\n"
    template = lowered(text)
    signals = template.resources["Web/signals"]
    assert signals.properties.get("of") == Literal("Web")
    assert signals.properties.get("count") == Literal(2)
    assert "Web/server" in signals.depends_on
    assert "Web/signal_box" in template.resources["Web/server"].depends_on
    assert template.groups["Web"].creation_policy is not None


def test_attributes_are_those_of_the_port(lowered):
    attributes = lowered(instance(SubnetId="s")).groups["Web"].attributes
    assert attributes["PrivateIp"] == AttributeRef("Web/port", Literal("address"))
    assert attributes["VpcId"] == AttributeRef("Web/port", Literal("vpc"))


def test_an_instance_in_a_subnet_with_a_zone_is_in_that_zone(lowered, vpc):
    text = vpc.replace("CidrBlock: 10.0.0.0/24,", "CidrBlock: 10.0.0.0/24, AvailabilityZone: us-east-1a,")
    template = lowered(text + instance(SubnetId="!Ref PubA"))
    assert server(template).get("availability_zone") == AttributeRef("PubA/zone", Literal("zone"))


def test_d06_and_d07_images_and_types_go_through_the_tables(lowered, tmp_path):
    from mappings import Mappings

    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "images.yaml").write_text("ami-1: mine\n")
    (tables / "instance_types.yaml").write_text("t3.micro: {flavor: tiny}\n")
    template = lowered(instance(ImageId="ami-1", InstanceType="t3.micro"), rows=Mappings([tmp_path]))
    names = template.resources["Web/image"].properties.get("names")
    assert names.rows[0] == ("ami-1", "mine")
    assert template.resources["Web/flavor"].properties.get("flavor").source.rows[0] == ("t3.micro", {"flavor": "tiny"})
