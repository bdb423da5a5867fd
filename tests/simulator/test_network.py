"""Neutron's attributes, filters, marks, addresses and security groups."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.conftest import Cloud, User


async def test_description_filter_finds_the_mark(demo: User) -> None:
    made = await demo.make("/networks", name="n", description="oe-1")
    await demo.make("/networks", name="n", description="oe-2")
    found = (await demo.net("GET", "/networks?description=oe-1&fields=id")).body["networks"]
    assert found == [{"id": made["id"]}]


async def test_tags_are_dropped_in_a_port_and_refused_in_a_network(demo: User) -> None:
    port = await demo.make("/ports", network_id=(await demo.make("/networks"))["id"], tags=["a"])
    refused = await demo.net("POST", "/networks", {"network": {"tags": ["a"]}})
    assert port["tags"] == []
    assert (refused.status, refused.body["NeutronError"]["message"]) == (400, "Attribute 'tags' not allowed in POST")


async def test_tags_are_put_found_and_removed(demo: User) -> None:
    network = await demo.make("/networks", name="n")
    path = f"/networks/{network['id']}/tags"
    await demo.net("PUT", path, {"tags": ["a", "vpc=1: x,y"[:6]]})
    assert (await demo.net("PUT", path + "/b")).status == 201
    assert [n["id"] for n in (await demo.net("GET", "/networks?tags=a,b")).body["networks"]] == [network["id"]]
    assert (await demo.net("GET", "/networks?not-tags=a&name=n")).body["networks"] == []
    assert (await demo.net("DELETE", path + "/b")).status == 204
    assert (await demo.net("DELETE", path + "/b")).kind == "TagNotFound"


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/networks", {"network": {"bogus": 1}}, "Unrecognized attribute(s) 'bogus'"),
        ("/networks", {"network": {"id": "x"}}, "Attribute 'id' not allowed in POST"),
        ("/networks", {"zz": {}}, "Unable to find 'network' in request body"),
        ("/subnets", {"subnet": {"cidr": "10.0.0.0/8"}}, "Required attribute 'network_id' not specified"),
        ("/networks", {"network": {"admin_state_up": "zz"}}, "'zz' cannot be converted to boolean"),
    ],
)
async def test_bad_bodies(demo: User, path: str, body: Any, message: str) -> None:
    answer = await demo.net("POST", path, body)
    assert answer.status == 400
    assert message in answer.body["NeutronError"]["message"]


async def test_unknown_filter_is_400(demo: User) -> None:
    answer = await demo.net("GET", "/networks?bogus=1")
    assert answer.body["NeutronError"]["message"] == "['bogus'] is invalid attribute for filtering"


async def test_bulk_create(demo: User) -> None:
    answer = await demo.net("POST", "/networks", {"networks": [{"name": "a"}, {"name": "b"}]})
    assert (answer.status, [row["name"] for row in answer.body["networks"]]) == (201, ["a", "b"])


async def test_pages_follow_their_links(demo: User) -> None:
    for number in range(5):
        await demo.make("/networks", name=f"page{number}")
    path, seen = "/networks?limit=3&sort_key=name&sort_dir=asc", []
    while path:
        body = (await demo.net("GET", path)).body
        seen += [row["name"] for row in body["networks"]]
        links = {link["rel"]: link["href"] for link in body.get("networks_links", [])}
        path = links.get("next", "").partition("/v2.0")[2]
    assert seen == sorted(seen)
    assert len(seen) == 7  # with private and public


async def test_other_projects_objects_do_not_exist(cloud: Cloud, demo: User) -> None:
    network = await demo.make("/networks", name="mine")
    other = await cloud.user("alt_demo")
    assert (await other.net("GET", f"/networks/{network['id']}")).status == 404
    assert (await other.net("DELETE", f"/networks/{network['id']}")).status == 404
    assert [row["name"] for row in (await other.net("GET", "/networks")).body["networks"]] == ["public"]


async def test_members_do_not_use_the_external_network(cloud: Cloud, demo: User) -> None:
    port = await demo.net("POST", "/ports", {"port": {"network_id": cloud.public}})
    assert (port.status, port.kind) == (403, "HTTPForbidden")
    assert (await demo.net("DELETE", f"/networks/{cloud.public}")).kind == "PolicyNotAuthorized"


async def test_addresses_come_from_the_pools_in_turn(demo: User) -> None:
    subnet = await demo.subnet("10.1.0.0/29")
    given = [(await demo.port(subnet))["fixed_ips"][0]["ip_address"] for _ in range(5)]
    assert given == [f"10.1.0.{n}" for n in range(2, 7)]
    full = await demo.net("POST", "/ports", {"port": {"network_id": subnet["network_id"]}})
    assert (full.status, full.kind) == (409, "IpAddressGenerationFailure")


async def test_addresses_of_a_port_come_by_their_text(demo: User) -> None:
    subnet = await demo.subnet("10.1.0.0/24")
    asked = [{"subnet_id": subnet["id"], "ip_address": f"10.1.0.{last}"} for last in (9, 100, 20)]
    port = await demo.make("/ports", network_id=subnet["network_id"], fixed_ips=asked)
    assert [one["ip_address"] for one in port["fixed_ips"]] == ["10.1.0.100", "10.1.0.20", "10.1.0.9"]


async def test_address_in_use(demo: User) -> None:
    subnet = await demo.subnet("10.1.0.0/24")
    await demo.port(subnet, "10.1.0.9")
    wanted = {"network_id": subnet["network_id"], "fixed_ips": [{"ip_address": "10.1.0.9"}]}
    assert (await demo.net("POST", "/ports", {"port": wanted})).kind == "IpAddressAlreadyAllocated"


async def test_pool_gives_the_lowest_free_block(demo: User) -> None:
    pool = await demo.make("/subnetpools", name="p", prefixes=["198.18.0.0/24"], default_prefixlen=26)
    blocks = []
    for _ in range(4):
        network = await demo.make("/networks")
        subnet = await demo.make("/subnets", network_id=network["id"], ip_version=4, subnetpool_id=pool["id"])
        blocks.append(subnet["cidr"])
    assert blocks == [f"198.18.0.{n}/26" for n in (0, 64, 128, 192)]


async def test_new_group_lets_everything_out_and_nothing_in(demo: User) -> None:
    group = await demo.make("/security-groups", name="g")
    rules = [(rule["direction"], rule["ethertype"]) for rule in group["security_group_rules"]]
    assert sorted(rules) == [("egress", "IPv4"), ("egress", "IPv6")]


_TCP22 = {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22}


@pytest.mark.parametrize(
    ("values", "status", "kind"),
    [
        ({**_TCP22, "protocol": "6", "description": "b"}, 409, "SecurityGroupRuleExists"),
        ({**_TCP22, "remote_ip_prefix": "0.0.0.0/0"}, 409, "SecurityGroupRuleExists"),
        ({"protocol": "-1"}, 400, "SecurityGroupRuleInvalidProtocol"),
        ({"port_range_min": 1, "port_range_max": 2}, 400, "SecurityGroupProtocolRequiredWithPorts"),
        ({**_TCP22, "port_range_min": 0}, 400, "SecurityGroupInvalidPortValue"),
        ({**_TCP22, "port_range_min": 23}, 400, "SecurityGroupInvalidPortRange"),
        ({"protocol": "icmp", "port_range_max": 8}, 400, "SecurityGroupMissingIcmpType"),
        ({"protocol": "icmpv6"}, 400, "SecurityGroupEthertypeConflictWithProtocol"),
        ({"remote_ip_prefix": "::/0"}, 400, "SecurityGroupRuleParameterConflict"),
        ({"remote_ip_prefix": "zz"}, 400, "InvalidCIDR"),
        ({"remote_group_id": "00000000-0000-0000-0000-000000000000"}, 404, "SecurityGroupNotFound"),
    ],
)
async def test_rules_refused(demo: User, values: dict[str, Any], status: int, kind: str) -> None:
    group = await demo.make("/security-groups", name="g")
    base = {"security_group_id": group["id"], "direction": "ingress"}
    await demo.make("/security-group-rules", **base, **_TCP22)
    answer = await demo.net("POST", "/security-group-rules", {"security_group_rule": base | values})
    assert (answer.status, answer.kind) == (status, kind)


async def test_all_ports_are_stored_as_none(demo: User) -> None:
    group = await demo.make("/security-groups", name="g")
    rule = await demo.make("/security-group-rules", security_group_id=group["id"], direction="ingress", protocol="tcp",
                           port_range_min=1, port_range_max=65535)  # fmt: skip
    assert (rule["port_range_min"], rule["port_range_max"]) == (None, None)


async def test_rules_cannot_be_updated_and_neutron_says_500(demo: User) -> None:
    group = await demo.make("/security-groups", name="g")
    rule = group["security_group_rules"][0]["id"]
    body = {"security_group_rule": {"description": "x"}}
    assert (await demo.net("PUT", f"/security-group-rules/{rule}", body)).status == 500


async def test_group_of_a_port_is_in_use_and_a_referenced_one_takes_rules_along(demo: User) -> None:
    first, second = [await demo.make("/security-groups", name=name) for name in "ab"]
    await demo.make("/security-group-rules", security_group_id=first["id"], direction="ingress",
                    remote_group_id=second["id"])  # fmt: skip
    await demo.make("/ports", network_id=(await demo.make("/networks"))["id"], security_groups=[first["id"]])
    assert (await demo.net("DELETE", f"/security-groups/{first['id']}")).kind == "SecurityGroupInUse"
    assert (await demo.net("DELETE", f"/security-groups/{second['id']}")).status == 204
    left = (await demo.net("GET", f"/security-group-rules?security_group_id={first['id']}")).body
    assert len(left["security_group_rules"]) == 2


async def test_default_group_is_made_when_first_wanted_and_stays(cloud: Cloud) -> None:
    other = await cloud.user("alt_demo")
    groups = (await other.net("GET", "/security-groups?name=default")).body["security_groups"]
    assert len(groups) == 1
    assert (await other.net("DELETE", f"/security-groups/{groups[0]['id']}")).kind == "SecurityGroupInUse"


async def test_address_groups_change_by_a_flat_body(demo: User) -> None:
    group = await demo.make("/address-groups", name="g", addresses=["10.0.0.0/8"])
    path = f"/address-groups/{group['id']}"
    flat = await demo.net("PUT", path + "/add_addresses", {"addresses": ["10.9.0.0/16"]})
    nested = await demo.net("PUT", path + "/add_addresses", {"address_group": {"addresses": []}})
    again = await demo.net("PUT", path + "/remove_addresses", {"addresses": ["1.0.0.0/8"]})
    assert flat.body["address_group"]["addresses"] == ["10.0.0.0/8", "10.9.0.0/16"]
    assert (nested.status, again.kind) == (500, "AddressesNotFound")


async def test_port_security_needs_groups_gone(demo: User) -> None:
    port = await demo.make("/ports", network_id=(await demo.make("/networks"))["id"])
    answer = await demo.net("PUT", f"/ports/{port['id']}", {"port": {"port_security_enabled": False}})
    assert (answer.status, answer.kind) == (409, "PortSecurityPortHasSecurityGroup")
    both = {"port": {"port_security_enabled": False, "security_groups": []}}
    assert (await demo.net("PUT", f"/ports/{port['id']}", both)).status == 200


async def test_quota(cloud: Cloud, demo: User, admin: User) -> None:
    await admin.net("PUT", f"/quotas/{demo.project_id}", {"quota": {"network": 1}})
    answer = await demo.net("POST", "/networks", {"network": {"name": "n"}})
    assert (answer.status, answer.kind) == (409, "OverQuota")
    assert (await demo.net("PUT", f"/quotas/{demo.project_id}", {"quota": {"network": 5}})).status == 403


async def test_revision_and_times_change(cloud: Cloud, demo: User) -> None:
    network = await demo.make("/networks", name="n")
    cloud.clock.advance(60)
    changed = (await demo.net("PUT", f"/networks/{network['id']}", {"network": {"name": "m"}})).body["network"]
    assert changed["revision_number"] == network["revision_number"] + 1
    assert changed["updated_at"] > network["updated_at"]
