"""5 and tokens.md §4: every type is made, found by its mark, changed in place, checked and deleted, twice over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.cloud.errors import Conflict, OutcomeUnknown, Permanent
from engine.resources.base import Gone, OperationFailed
from engine.resources.mark import METADATA_KEY
from engine.resources.nova.key_pair import make_key
from simulator import Fault

from .harness import REGISTRY, Driven


@dataclass(frozen=True)
class Row:
    """`needs`: what stands around it. `@name` in a value is the id of that. `seen` is true of the attributes."""

    type: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] | None = None
    needs: tuple[str, ...] = ()
    seen: Mapping[str, Any] = field(default_factory=dict)
    seen_after: Mapping[str, Any] = field(default_factory=dict)
    admin: bool = False


SERVER = {"image": "cirros", "flavor": "m1.tiny", "networks": [{"network": "@net"}]}

#: What stands around others, in the order in which it must be made.
AROUND: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "net": ("OS::Neutron::Net", {"name": "around"}),
    "subnet": ("OS::Neutron::Subnet", {"network": "@net", "cidr": "10.9.0.0/24"}),
    "router": ("OS::Neutron::Router", {"external_gateway_info": {"network": "public"}}),
    "interface": ("OS::Neutron::RouterInterface", {"router": "@router", "subnet": "@subnet"}),
    "group": ("OS::Neutron::SecurityGroup", {"name": "around"}),
    "port": ("OS::Neutron::Port", {"network": "@net"}),
    "ip": ("OS::Neutron::FloatingIP", {"floating_network": "public"}),
    "server": ("OS::Nova::Server", SERVER),
    "volume": ("OS::Cinder::Volume", {"size": 1}),
}
NETWORK = ("net", "subnet")
SSH = {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22}
ROUTED = (*NETWORK, "router", "interface")

ROWS = {
    "Net": Row("OS::Neutron::Net", {"name": "a", "tags": ["x"]}, {"name": "b", "tags": []}, seen={"name": "a"},
               seen_after={"name": "b"}),
    "Subnet": Row(
        "OS::Neutron::Subnet", {"network_id": "@net", "cidr": "10.9.0.1/24", "dns_nameservers": ["1.1.1.1"]},
        {"network": "@net", "cidr": "10.9.0.1/24", "gateway_ip": None}, ("net",),
        {"cidr": "10.9.0.0/24", "gateway_ip": "10.9.0.1", "dns_nameservers": ["1.1.1.1"]},
        {"gateway_ip": None, "dns_nameservers": []},
    ),
    "SubnetPool": Row("OS::Neutron::SubnetPool", {"prefixes": ["10.64.0.0/12"], "name": "a"},
                      {"prefixes": ["10.64.0.0/12"], "name": "b"}),
    "Router": Row(
        "OS::Neutron::Router", {"name": "a"}, {"name": "b", "external_gateway_info": {"network": "public"}},
        seen={"external_gateway_info": None}, seen_after={"name": "b"},
    ),
    "RouterInterface": Row("OS::Neutron::RouterInterface", {"router_id": "@router", "subnet_id": "@subnet"},
                           needs=(*NETWORK, "router")),
    "RouterGateway": Row("OS::Neutron::RouterGateway", {"router_id": "@plain", "network": "public"}, needs=("plain",)),
    "Port": Row(
        "OS::Neutron::Port", {"network": "@net", "fixed_ips": [{"subnet": "@subnet", "ip_address": "10.9.0.77"}]},
        {"network": "@net", "fixed_ips": [{"subnet": "@subnet", "ip_address": "10.9.0.78"}], "name": "b"}, NETWORK,
        {"network_id": "@net"}, {"name": "b"},
    ),
    "FloatingIP": Row("OS::Neutron::FloatingIP", {"floating_network": "public", "port_id": "@port"},
                      {"floating_network": "public"}, (*ROUTED, "port"), {"port_id": "@port"}, {"port_id": None}),
    "FloatingIPAssociation": Row("OS::Neutron::FloatingIPAssociation", {"floatingip_id": "@ip", "port_id": "@port"},
                                 needs=(*ROUTED, "port", "ip")),
    "SecurityGroup": Row(
        "OS::Neutron::SecurityGroup",
        {"rules": [SSH, {"remote_mode": "remote_group_id"}]},
        {"rules": [{"protocol": "tcp", "port_range_min": 80, "port_range_max": 80}], "name": "b"},
    ),
    "SecurityGroupRule": Row(
        "OS::Neutron::SecurityGroupRule",
        {"security_group": "@group", "port_range_min": 443, "port_range_max": 443, "remote_ip_prefix": "0.0.0.0/0"},
        needs=("group",),
    ),
    "SecurityGroupRule with a description": Row(
        "OS::Neutron::SecurityGroupRule", {"security_group": "@group", "protocol": "icmp", "description": "ping"},
        needs=("group",),
    ),
    "ExtraRouteSet": Row(
        "OS::Neutron::ExtraRouteSet",
        {"router": "@router", "routes": [{"destination": "10.55.0.0/24", "nexthop": "10.9.0.9"}]},
        {"router": "@router", "routes": [{"destination": "10.56.0.0/24", "nexthop": "10.9.0.9"}]}, ROUTED,
    ),
    "KeyPair": Row("OS::Nova::KeyPair", {"name": "mine", "save_private_key": True}),
    "KeyPair brought": Row("OS::Nova::KeyPair", {"name": "brought", "public_key": make_key()[1]},
                           seen={"private_key": ""}),
    "Flavor": Row("OS::Nova::Flavor", {"ram": 64, "vcpus": 1, "extra_specs": {"a": "b"}},
                  {"ram": 64, "vcpus": 1, "extra_specs": {"c": "d"}}, seen={"extra_specs": {"a": "b"}},
                  seen_after={"extra_specs": {"c": "d"}}, admin=True),
    "ServerGroup": Row("OS::Nova::ServerGroup", {"name": "g", "policies": ["affinity"]}),
    "Server": Row(
        "OS::Nova::Server", {**SERVER, "name": "a", "tags": ["mine"], "metadata": {"k": 1}},
        {**SERVER, "name": "b", "flavor": "m1.small", "metadata": {"k": "v"}}, NETWORK,
        {"name": "a", "tags": ["mine"]}, {"name": "b", "tags": []},
    ),
    "Server with a port of its own": Row(
        "OS::Nova::Server", {**SERVER, "networks": [{"subnet": "@subnet", "fixed_ip": "10.9.0.50"}]},
        {**SERVER, "networks": [{"subnet": "@subnet", "fixed_ip": "10.9.0.51"}]}, NETWORK,
        {"first_address": "10.9.0.50"}, {"first_address": "10.9.0.51"},
    ),
    "Volume": Row(
        "OS::Cinder::Volume", {"size": 1, "metadata": {"k": "v"}, "name": "a"}, {"size": 2, "name": "b"},
        seen={"display_name": "a", "size": "1", "metadata_values": {"k": "v"}, "metadata": '{"k": "v"}'},
        seen_after={"display_name": "b", "size": "2", "metadata_values": {}},
    ),
    "VolumeAttachment": Row("OS::Cinder::VolumeAttachment", {"instance_uuid": "@server", "volume_id": "@volume"},
                            needs=(*NETWORK, "server", "volume")),
    "Container": Row("OS::Swift::Container", {"name": "box", "X-Container-Meta": {"k": "v"}}, seen={"ObjectCount": 0}),
    "User": Row(
        "OS::Keystone::User", {"name": "u", "password": "pass", "roles": [{"role": "member", "project": "demo"}]},
        {"name": "u", "password": "pass", "email": "u@example.org"}, seen={"name": "u", "enabled": True}, admin=True,
    ),
    "Project": Row("OS::Keystone::Project", {"name": "p"}, {"name": "q"}, seen_after={"name": "q"}, admin=True),
    "Role": Row("OS::Keystone::Role", {"name": "r"}, {"name": "s"}, admin=True),
}  # fmt: skip

_LOCAL = {name for name, kind in REGISTRY.all_types().items() if kind.local or kind.nested}


def test_every_type_with_an_object_has_a_row() -> None:
    ours = {name for name in REGISTRY.all_types() if not name.startswith("Isotherm::")}
    assert {row.type for row in ROWS.values()} == ours - _LOCAL


class Stage:
    """What stands around a row, made on demand and taken away in reverse."""

    def __init__(self, cloud: Any) -> None:
        self._cloud, self.standing = cloud, {}

    async def set(self, names: tuple[str, ...]) -> None:
        for name in names:
            kind, properties = AROUND.get(name, ("OS::Neutron::Router", {}))
            thing = Driven(kind, self.filled(properties), self._cloud, address=name)
            await thing.create()
            self.standing[name] = thing

    def filled(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("@"):
            return self.standing[value[1:]].physical_id
        if isinstance(value, Mapping):
            return {key: self.filled(one) for key, one in value.items()}
        return [self.filled(one) for one in value] if isinstance(value, list) else value

    async def clear(self) -> None:
        for thing in reversed(self.standing.values()):
            await thing.delete()


@pytest.fixture
async def stage(cloud: Any) -> Stage:
    return Stage(cloud)


def acting(row: Row, cloud: Any, admin: Any) -> Any:
    return admin if row.admin else cloud


@pytest.mark.parametrize("name", ROWS)
async def test_life(name: str, stage: Stage, cloud: Any, admin: Any) -> None:
    row = ROWS[name]
    await stage.set(row.needs)
    thing = Driven(row.type, stage.filled(row.before), acting(row, cloud, admin))
    await thing.create()
    assert {key: thing.get(key) for key in row.seen} == stage.filled(dict(row.seen))
    assert thing.token not in str(thing.get("tags")) + str(thing.get("metadata"))
    await thing.kind.check(thing.op())
    if row.after is not None:
        await thing.update(stage.filled(row.after))
        assert {key: thing.get(key) for key in row.seen_after} == stage.filled(dict(row.seen_after))
        await thing.kind.check(thing.op())
    await thing.delete()
    await thing.delete()
    with pytest.raises((Gone, OperationFailed)):
        await thing.kind.check(thing.op())
    await stage.clear()


@pytest.mark.parametrize("name", ROWS)
async def test_found_by_its_mark_before_its_id_is_known(name: str, stage: Stage, cloud: Any, admin: Any) -> None:
    """The process dies between the answer of the create and the commit of the id."""
    row = ROWS[name]
    await stage.set(row.needs)
    thing = Driven(row.type, stage.filled(row.before), acting(row, cloud, admin))
    await thing.prepare()
    assert await thing.kind.find(thing.op()) is None
    made = await thing.kind.create(thing.op())
    assert await thing.kind.find(thing.op(resumed=True)) == made
    other = Driven(row.type, stage.filled(row.before), acting(row, cloud, admin))
    other.token = "oe-" + "0" * 26
    if row.type not in _IDEMPOTENT:
        await other.prepare()
        assert await other.kind.find(other.op(resumed=True)) is None


#: Setting them twice is setting them once, so whoever finds them may go on with them.
_IDEMPOTENT = {"OS::Neutron::RouterGateway", "OS::Neutron::FloatingIPAssociation", "OS::Neutron::ExtraRouteSet"}


async def test_rule_3_what_another_record_owns_is_not_taken(cloud: Any) -> None:
    thing = Driven("OS::Neutron::Net", {}, cloud)
    made = await thing.create()
    assert await thing.kind.find(thing.op(owned_ids=frozenset({made}))) is None


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("OS::Nova::KeyPair", {"name": "taken"}),
        ("OS::Neutron::RouterInterface", {"router": "@router", "subnet": "@subnet"}),
    ],
)
async def test_rule_4_a_conflict_is_not_ours(kind: str, properties: Any, stage: Stage, cloud: Any) -> None:
    await stage.set((*NETWORK, "router"))
    await Driven(kind, stage.filled(properties), cloud).create()
    with pytest.raises(Conflict):
        await Driven(kind, stage.filled(properties), cloud, address="other").create()


async def test_rule_6_a_key_is_made_here_and_kept(cloud: Any) -> None:
    thing = Driven("OS::Nova::KeyPair", {"name": "k", "save_private_key": True}, cloud)
    await thing.create()
    assert thing.get("private_key").startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert thing.reference == "k"


async def test_rule_7_the_users_description_is_put_back(cloud: Any) -> None:
    thing = Driven("OS::Neutron::SecurityGroup", {"description": "mine"}, cloud)
    await thing.create()
    assert thing.get("show")["description"] == "mine"


async def test_a_servers_own_port_goes_with_it(stage: Stage, cloud: Any) -> None:
    await stage.set(NETWORK)
    properties = stage.filled({**SERVER, "networks": [{"subnet": "@subnet"}]})
    thing = Driven("OS::Nova::Server", properties, cloud)
    await thing.create()
    (port,) = thing.data["ports"].values()
    assert thing.get("addresses")["around"][0]["port"] == port
    await thing.delete()
    assert (
        await cloud.list("network", "/ports", "ports", params={"network_id": stage.standing["net"].physical_id}) == []
    )


async def test_a_refused_server_leaves_no_port(stage: Stage, cloud: Any) -> None:
    await stage.set(NETWORK)
    properties = stage.filled({**SERVER, "key_name": "no-such-key", "networks": [{"subnet": "@subnet"}]})
    thing = Driven("OS::Nova::Server", properties, cloud)
    with pytest.raises(Permanent):
        await thing.create()
    assert (
        await cloud.list("network", "/ports", "ports", params={"network_id": stage.standing["net"].physical_id}) == []
    )


async def test_6_the_reason_of_a_failed_build_is_novas(simulator: Any, stage: Stage, cloud: Any) -> None:
    await stage.set(NETWORK)
    fault = Fault("half_done", "compute", "POST", "/servers$", message="No valid host was found.")
    simulator.faults.add(fault)
    with pytest.raises(Permanent, match="No valid host was found"):
        await Driven("OS::Nova::Server", stage.filled(SERVER), cloud).create()


async def test_a_lost_answer_is_found_again(simulator: Any, cloud: Any) -> None:
    simulator.faults.add(Fault("lost_answer", "network", "POST", "/networks$", count=1))
    thing = Driven("OS::Neutron::Net", {"name": "once"}, cloud)
    with pytest.raises(OutcomeUnknown):
        await thing.create()
    assert await thing.kind.find(thing.op(resumed=True)) is not None


async def test_suspend_and_resume(stage: Stage, cloud: Any) -> None:
    await stage.set((*NETWORK, "server"))
    server = stage.standing["server"]
    for _ in range(2):
        await server.kind.suspend(server.op())
    assert (await server.kind.read(server.op()))["status"] == "SUSPENDED"
    for _ in range(2):
        await server.kind.resume(server.op())
    assert (await server.kind.read(server.op()))["status"] == "ACTIVE"


async def test_a_rebuild_keeps_the_server(stage: Stage, cloud: Any) -> None:
    await stage.set((*NETWORK, "server"))
    server = stage.standing["server"]
    await server.update(stage.filled({**SERVER, "image": "cirros-0.3.5"}))
    image = (await server.kind.read(server.op()))["image"]["id"]
    assert image == await cloud.resolve("image", "cirros-0.3.5")


async def test_a_volume_does_not_shrink(cloud: Any) -> None:
    thing = Driven("OS::Cinder::Volume", {"size": 2}, cloud)
    await thing.create()
    with pytest.raises(Exception, match="Shrinking volume is not supported"):
        await thing.update({"size": 1})


async def test_the_mark_of_a_volume_survives_new_metadata(cloud: Any) -> None:
    thing = Driven("OS::Cinder::Volume", {"size": 1, "metadata": {"a": "b"}}, cloud)
    made = await thing.create()
    await thing.update({"size": 1, "metadata": {"c": "d"}})
    row = (await cloud.request("block-storage", "GET", f"/volumes/{made}")).body["volume"]
    assert row["metadata"] == {"c": "d", METADATA_KEY: thing.token}
    assert await thing.kind.find(thing.op()) == made


async def test_a_container_with_objects_stays_unless_purged(cloud: Any) -> None:
    thing = Driven("OS::Swift::Container", {"name": "full"}, cloud)
    await thing.create()
    await cloud.request("object-store", "PUT", "/full/a b", body=b"x")
    with pytest.raises(Exception, match="non-empty container"):
        await thing.delete()
    thing.properties = thing.checked({"name": "full", "PurgeOnDelete": True})
    await thing.delete()
    assert await thing.kind.find(thing.op()) is None


async def test_somebody_elses_container_is_not_taken(cloud: Any) -> None:
    await cloud.request("object-store", "PUT", "/theirs")
    with pytest.raises(Exception, match="exists already"):
        await Driven("OS::Swift::Container", {"name": "theirs"}, cloud).create()
