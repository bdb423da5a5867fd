"""The engine's own types, as far as they need no cloud: rules, pools, records, signals, choices."""

from __future__ import annotations

import ipaddress

import pytest

from engine.resources.base import OperationFailed
from engine.resources.isotherm.choices import FlavorChoice, Zone
from engine.resources.isotherm.loose_rules import all_wire_rules, key_of, wire_rules
from engine.resources.isotherm.signals import seconds
from engine.resources.isotherm.vpc_subnet import pools
from tests.engine.resources.harness import Driven, Surroundings


def rule(**more):
    return {"direction": "ingress", "protocol": "tcp", "cidr": "10.0.0.0/8", **more}


def plain(one):
    return {key: value for key, value in one.items() if key not in ("security_group_id", "direction", "description")}


V4 = {"ethertype": "IPv4", "remote_ip_prefix": "10.0.0.0/8"}


@pytest.mark.parametrize(
    ("told", "wire"),
    [
        ({"port_min": 80, "port_max": "443"}, {"protocol": "tcp", "port_range_min": 80, "port_range_max": 443}),
        ({"protocol": "-1", "port_min": 1, "port_max": 2}, {"protocol": None}),
        ({"protocol": -1}, {"protocol": None}),
        ({"port_min": 0, "port_max": 65535}, {"protocol": "tcp"}),
        ({"port_min": -1, "port_max": -1}, {"protocol": "tcp"}),
        ({"port_min": 1, "port_max": 65535}, {"protocol": "tcp"}),
        ({"port_min": 0, "port_max": 22}, {"protocol": "tcp", "port_range_min": 1, "port_range_max": 22}),
        ({"protocol": "icmp", "port_min": 8, "port_max": -1}, {"protocol": "icmp", "port_range_min": 8}),
        ({"protocol": 1, "port_min": -1, "port_max": -1}, {"protocol": "icmp"}),
        ({"protocol": "50", "port_min": 1, "port_max": 2}, {"protocol": "50"}),
        ({"cidr": "10.1.2.3/8"}, {"protocol": "tcp"}),
    ],
)
def test_v11_ports_and_protocols_are_normalised(told, wire):
    (found,) = wire_rules(rule(**told), "g")
    assert plain(found) == {**V4, **wire}


def test_v11_a_source_group_means_both_families():
    found = wire_rules({"direction": "ingress", "protocol": "-1", "group": "h"}, "g")
    assert [plain(one) for one in found] == [
        {"ethertype": family, "protocol": None, "remote_group_id": "h"} for family in ("IPv4", "IPv6")
    ]


def test_icmp_of_ipv6_is_icmpv6():
    (found,) = wire_rules(rule(protocol="icmp", cidr="::/0"), "g")
    assert plain(found) == {"ethertype": "IPv6", "protocol": "icmpv6", "remote_ip_prefix": "::/0"}


@pytest.mark.parametrize(
    "told",
    [{"port_min": 0, "port_max": 0}, {"port_min": 90, "port_max": 80}, {"port_min": "x"}, {"cidr": "10.0.0/8"},
     {"cidr": None}, {"protocol": "icmp", "port_min": 300}],
)  # fmt: skip
def test_rules_that_mean_nothing_are_refused(told):
    with pytest.raises(OperationFailed):
        wire_rules(rule(**told), "g")


def test_v11_the_same_rule_twice_is_one_with_the_first_description():
    found = all_wire_rules([rule(description="a"), rule(description="b", protocol="6", cidr="10.9.9.9/8")], "g")
    assert [one["description"] for one in found.values()] == ["a"]


def test_everywhere_is_no_prefix_to_neutron():
    assert key_of(wire_rules(rule(cidr="0.0.0.0/0"), "g")[0])[-1] is None


@pytest.mark.parametrize(
    ("reserved", "expected"),
    [
        ([], [("10.0.0.4", "10.0.0.254")]),
        (["10.0.0.4", "10.0.0.254"], [("10.0.0.5", "10.0.0.253")]),
        (["10.0.0.9", "10.0.0.9", "10.9.9.9", "x"], [("10.0.0.4", "10.0.0.8"), ("10.0.0.10", "10.0.0.254")]),
    ],
)
def test_addresses_that_ports_may_get(reserved, expected):
    found = pools(ipaddress.ip_network("10.0.0.0/24"), reserved)
    assert [(one["start"], one["end"]) for one in found] == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("PT15M", 900), ("PT1H1M1.5S", 3661.5), ("PT", None), ("soon", None)]
)
def test_durations(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize(
    ("properties", "shape"),
    [({"prefix": "rtbassoc-"}, "rtbassoc-.{17}"), ({"name": "IGW|x"}, r"IGW\|x"), ({}, "trial-thing-.{12}")],
)
async def test_a_record_has_the_id_it_is_told(properties, shape):
    import re

    record = Driven("Isotherm::Record", {**properties, "values": {"a": 1}})
    assert re.fullmatch(shape, await record.create())
    assert record.get("values") == {"a": 1}


class TestSignals:
    def driven(self, **properties):
        return Driven("Isotherm::Signals", {"of": "Web", "timeout": "PT1M", **properties},
                      services=Surroundings(virtual=True))  # fmt: skip

    async def test_enough_signals_to_the_group_complete_it(self):
        signals = self.driven(count=2)
        signals.services.signals_of["Web"] = [{"unique_id": "a", "status": "SUCCESS"}, {"unique_id": "b"}]
        await signals.create()

    async def test_too_few_in_time_fail_it_in_the_words_of_aws(self):
        with pytest.raises(OperationFailed, match=r"Failed to receive 1 resource signal\(s\) within the specified"):
            await self.driven().create()

    async def test_a_failure_fails_it_with_its_reason(self):
        signals = self.driven()
        signals.services.signals_of["Web"] = [{"unique_id": "i-1", "status": "FAILURE", "reason": "no disk"}]
        with pytest.raises(OperationFailed, match="FAILURE signal with UniqueId i-1: no disk"):
            await signals.create()

    async def test_a_new_box_is_empty(self):
        box = Driven("Isotherm::SignalBox", {"of": "Web"})
        box.services.signals_of["Web"] = [{"unique_id": "old"}]
        await box.create()
        assert "Web" not in box.services.signals_of


class Flavors:
    project_id, user_id, region = "p", "u", "r"

    def __init__(self, *flavors):
        self.flavors = [{"id": str(n), "name": name, "vcpus": c, "ram": m} for n, (name, c, m) in enumerate(flavors)]

    async def list(self, service, path, key, **_):
        return self.flavors

    async def facts(self):
        return {"zones": ["nova", "west"]}


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ({"name": "m1.small", "vcpus": 1, "ram_mb": 2048}, "m1.small"),
        ({"name": "t3.micro", "flavor": "big", "vcpus": 2, "ram_mb": 1024}, "big"),
        ({"name": "t3.micro", "vcpus": 2, "ram_mb": 1024}, "medium"),
        ({"name": "x1.huge", "vcpus": 64, "ram_mb": 999999}, "big"),
    ],
)
async def test_d07_the_flavor_named_so_or_the_smallest_that_is_enough(wanted, chosen):
    cloud = Flavors(("m1.small", 1, 512), ("medium", 2, 4096), ("big", 8, 16384))
    choice = Driven(FlavorChoice.name, wanted, cloud)
    await choice.create()
    assert choice.get("flavor") == chosen


async def test_d07_a_type_that_nothing_knows_is_told_with_the_way_out():
    with pytest.raises(OperationFailed, match=r"no flavor x9\.odd.*instance_types.*medium"):
        await Driven(FlavorChoice.name, {"name": "x9.odd"}, Flavors(("medium", 2, 4096))).create()


@pytest.mark.parametrize(
    ("name", "zone"), [("west", "west"), ("us-east-1a", "nova"), ("us-east-1b", "west"), ("us-east-1c", "nova")]
)
async def test_d08_zones_of_elsewhere_are_always_the_same_zone_here(name, zone):
    choice = Driven(Zone.name, {"name": name}, Flavors())
    await choice.create()
    assert choice.reference == zone
