"""OS::Nova::Server: user data (ENGA-22, ENGA-23), devices, findings."""

from __future__ import annotations

import base64
import email
from typing import Any

import pytest

from engine.model.value import UNKNOWN
from engine.resources.nova.server_body import devices, legacy_devices
from engine.resources.nova.user_data import user_data
from engine.resources.schema import check_properties, cloud_questions, normalize

from .harness import REGISTRY, Driven


def decoded(text: str | None) -> str:
    assert text is not None
    return base64.b64decode(text).decode()


def parts(text: str | None) -> dict[str | None, tuple[str, str]]:
    message = email.message_from_string(decoded(text))
    return {p.get_filename(): (p.get_content_type(), p.get_payload()) for p in message.walk() if not p.is_multipart()}


def test_enga_22_raw_is_passed_through() -> None:
    assert decoded(user_data("#!/bin/sh\n", "RAW", {"a": 1})) == "#!/bin/sh\n"


def test_nothing_is_sent_for_nothing() -> None:
    assert user_data("", "HEAT_CFNTOOLS", {}) is None


def test_enga_22_cfn_tools_carry_the_data_and_the_metadata() -> None:
    found = parts(user_data("#!/bin/sh\necho hi\n", "HEAT_CFNTOOLS", {"AWS::CloudFormation::Init": {}}))
    assert found["cfn-userdata"] == ("text/x-cfninitdata", "#!/bin/sh\necho hi\n")
    assert found["cfn-init-data"] == ("text/x-cfninitdata", '{"AWS::CloudFormation::Init": {}}')
    assert found["part-handler.py"][0] == "text/part-handler"


def test_the_same_properties_give_the_same_data() -> None:
    assert user_data("x", "HEAT_CFNTOOLS", {}) == user_data("x", "HEAT_CFNTOOLS", {})


def test_enga_22_software_config_keeps_what_is_a_message_already() -> None:
    text = 'Content-Type: multipart/mixed; boundary="x"\n\n'
    assert decoded(user_data(text, "SOFTWARE_CONFIG", {})) == text
    assert parts(user_data("#cloud-config\n", "SOFTWARE_CONFIG", {}))["user-data"][0] == "text/cloud-config"


def test_enga_23_user_data_update_policy() -> None:
    server = REGISTRY.get("OS::Nova::Server")
    before = {"user_data": "a", "user_data_update_policy": "REPLACE"}
    assert server.replaces(before, {"user_data": "b", "user_data_update_policy": "REPLACE"})
    assert not server.replaces(before, {"user_data": "b", "user_data_update_policy": "IGNORE"})
    assert not server.replaces(before, {"user_data": "b", "user_data_update_policy": "REBUILD"})


def test_devices() -> None:
    assert devices([{"image": "i", "volume_size": 5, "boot_index": 0, "delete_on_termination": True}]) == [
        {
            "source_type": "image", "destination_type": "volume", "uuid": "i", "volume_size": 5, "boot_index": 0,
            "delete_on_termination": True,
        }
    ]  # fmt: skip
    assert devices([{"swap_size": 1}])[0]["guest_format"] == "swap"
    assert devices([{"ephemeral_size": 2, "ephemeral_format": "ext4"}])[0]["guest_format"] == "ext4"
    assert legacy_devices([{"device_name": "vda", "volume_id": "v"}]) == [{"device_name": "vda", "volume_id": "v"}]


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"flavor": "f"}, "Neither image nor bootable volume"),
        ({"image": "i", "networks": [{"fixed_ip": "10.0.0.1"}]}, "one of network, port, subnet"),
        ({"image": "i", "networks": [{"port": "p", "fixed_ip": "10.0.0.1"}]}, "fixed_ip with port"),
        ({"image": "i", "networks": [{"allocate_network": "auto"}, {"network": "n"}]}, "stands alone"),
        ({"image": "i", "personality": {"/a": "b"}}, "file injection"),
        ({"block_device_mapping_v2": [{"volume_id": "v", "image": "i"}]}, "cannot use volume_id and image"),
        ({"image": "i", "tags": [str(n) for n in range(50)]}, "at most 50 tags"),
    ],
)
def test_findings_over_several_properties(properties: dict[str, Any], said: str) -> None:
    assert any(said in one for one in REGISTRY.get("OS::Nova::Server").validate(properties))


def test_unknown_values_are_not_found_fault_with() -> None:
    server = REGISTRY.get("OS::Nova::Server")
    for properties in ({"image": UNKNOWN, "networks": [UNKNOWN]}, {"image": "i", "networks": [{"port": UNKNOWN}]}):
        assert list(server.validate(properties)) == []


ODD = (UNKNOWN, "text", 5, [1], [{"a": 1}], {"a": [1]}, True, None, [UNKNOWN], {})


@pytest.mark.parametrize("name", sorted(REGISTRY.all_types()))
def test_validation_takes_anything(name: str) -> None:
    """A user's mistake is a finding: `validate` sees values whose types nobody has accepted yet."""
    kind = REGISTRY.get(name)
    for odd in ODD:
        given = dict.fromkeys(kind.properties, odd)
        for properties in (given, normalize(kind, given)):
            check_properties(kind, properties)
            cloud_questions(kind, properties)
            assert all(isinstance(one, str) for one in kind.validate(properties))


async def test_egress_rules_take_the_place_of_the_open_ones(cloud: Any) -> None:
    rule = {"direction": "egress", "protocol": "tcp", "port_range_min": 443, "port_range_max": 443}
    group = Driven("OS::Neutron::SecurityGroup", {"rules": [rule]}, cloud)
    await group.create()

    def egress() -> list[tuple[Any, Any]]:
        rules = group.get("show")["security_group_rules"]
        return sorted((r["ethertype"], r["protocol"]) for r in rules if r["direction"] == "egress")

    assert egress() == [("IPv4", "tcp")]
    await group.update({"rules": [{"protocol": "icmp"}]})
    assert egress() == [("IPv4", None), ("IPv6", None)]


async def test_rules_of_others_survive_an_update_of_the_groups_own(cloud: Any) -> None:
    group = Driven("OS::Neutron::SecurityGroup", {"rules": [{"protocol": "icmp"}]}, cloud)
    made = await group.create()
    await Driven("OS::Neutron::SecurityGroupRule", {"security_group": made, "protocol": "udp"}, cloud).create()
    await group.update({"rules": [{"protocol": "sctp"}]})
    protocols = {r["protocol"] for r in group.get("show")["security_group_rules"] if r["direction"] == "ingress"}
    assert protocols == {"udp", "sctp"}


def test_engn_08_a_server_s_own_name_has_53_characters_at_most() -> None:
    server = Driven("OS::Nova::Server", {"image": "i", "flavor": "f", "networks": [{"network": "n"}]}, address="a" * 60)
    name = server.kind.physical_name(server.op())
    assert len(name) == 53
    assert name.startswith("trial-aaa")
    assert name.endswith(server.token[-12:])
