"""What Neutron refuses and accepts: the rows N1–N33 of the VPC reference, §2.1."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import pytest

from tests.simulator.conftest import Answer, Cloud, User

Story = Callable[[Cloud, User, User], Awaitable[Answer]]


async def _bound(cloud: Cloud, demo: User):
    subnet = await demo.subnet("10.1.0.0/24")
    router = await demo.router(subnet, gateway=cloud.public)
    port = await demo.port(subnet)
    fip = await demo.make("/floatingips", floating_network_id=cloud.public, port_id=port["id"])
    return subnet, router, port, fip


def _gateway(router, **info):
    return "PUT", f"/routers/{router['id']}", {"router": {"external_gateway_info": info}}


async def n1_snat(cloud: Cloud, demo: User, admin: User) -> Answer:
    return await demo.net(*_gateway(await demo.router(), network_id=cloud.public, enable_snat=True))


async def n1_address(cloud: Cloud, demo: User, admin: User) -> Answer:
    fixed = [{"ip_address": "172.24.9.9"}]
    return await demo.net(*_gateway(await demo.router(), network_id=cloud.public, external_fixed_ips=fixed))


async def n3(cloud: Cloud, demo: User, admin: User) -> Answer:
    wanted = {"floating_network_id": cloud.public, "floating_ip_address": "172.24.9.9"}
    return await demo.net("POST", "/floatingips", {"floatingip": wanted})


async def n4(cloud: Cloud, demo: User, admin: User) -> Answer:
    fip = await demo.make("/floatingips", floating_network_id=cloud.public)
    fixed = [{"ip_address": fip["floating_ip_address"]}]
    return await admin.net(*_gateway(await demo.router(), network_id=cloud.public, external_fixed_ips=fixed))


async def n6(cloud: Cloud, demo: User, admin: User) -> Answer:
    subnet = await demo.subnet("10.1.0.0/24")
    await demo.router(subnet)
    return await demo.plug(await demo.router(), subnet_id=subnet["id"])


async def n7_subnet(cloud: Cloud, demo: User, admin: User) -> Answer:
    subnet = await demo.subnet("10.1.0.0/24")
    return await demo.plug(await demo.router(subnet), subnet_id=subnet["id"])


async def n7_port(cloud: Cloud, demo: User, admin: User) -> Answer:
    subnet = await demo.subnet("10.1.0.0/24")
    router = await demo.router(subnet)
    return await demo.plug(router, port_id=(await demo.port(subnet))["id"])


async def n8_network(cloud: Cloud, demo: User, admin: User) -> Answer:
    first = await demo.subnet("10.1.0.0/24")
    wanted = {"network_id": first["network_id"], "ip_version": 4, "cidr": "10.1.0.128/25"}
    return await demo.net("POST", "/subnets", {"subnet": wanted})


async def n8_router(cloud: Cloud, demo: User, admin: User) -> Answer:
    router = await demo.router(await demo.subnet("10.1.0.0/24"))
    return await demo.plug(router, subnet_id=(await demo.subnet("10.0.0.0/8"))["id"])


async def n9_no_gateway(cloud: Cloud, demo: User, admin: User) -> Answer:
    subnet = await demo.subnet("10.1.0.0/24", gateway_ip=None)
    return await demo.plug(await demo.router(), subnet_id=subnet["id"])


async def n9_two_subnets(cloud: Cloud, demo: User, admin: User) -> Answer:
    network = await demo.make("/networks", name="n")
    subnets = [await demo.subnet(cidr, network) for cidr in ("10.1.0.0/24", "10.2.0.0/24")]
    fixed = [{"subnet_id": subnet["id"]} for subnet in subnets]
    port = await demo.make("/ports", network_id=network["id"], fixed_ips=fixed)
    return await demo.plug(await demo.router(), port_id=port["id"])


async def n10_not_connected(cloud: Cloud, demo: User, admin: User) -> Answer:
    return await demo.routes(await demo.router(await demo.subnet("10.1.0.0/24")), ("10.9.0.0/16", "10.7.0.5"))


async def n10_own(cloud: Cloud, demo: User, admin: User) -> Answer:
    return await demo.routes(await demo.router(await demo.subnet("10.1.0.0/24")), ("10.9.0.0/16", "10.1.0.1"))


async def n13(cloud: Cloud, demo: User, admin: User) -> Answer:
    subnet = await demo.subnet("10.1.0.0/24")
    router = await demo.router(subnet)
    await demo.routes(router, ("10.9.0.0/16", "10.1.0.9"))
    return await demo.unplug(router, subnet_id=subnet["id"])


async def n14_gateway(cloud: Cloud, demo: User, admin: User) -> Answer:
    _, router, _, _ = await _bound(cloud, demo)
    return await demo.net("PUT", f"/routers/{router['id']}", {"router": {"external_gateway_info": None}})


async def n14_interface(cloud: Cloud, demo: User, admin: User) -> Answer:
    subnet, router, _, _ = await _bound(cloud, demo)
    return await demo.unplug(router, subnet_id=subnet["id"])


async def n15_put(cloud: Cloud, demo: User, admin: User) -> Answer:
    port = await demo.port(await demo.subnet("10.1.0.0/24"))
    fip = await demo.make("/floatingips", floating_network_id=cloud.public)
    return await demo.net("PUT", f"/floatingips/{fip['id']}", {"floatingip": {"port_id": port["id"]}})


async def n15_post(cloud: Cloud, demo: User, admin: User) -> Answer:
    port = await demo.port(await demo.subnet("10.1.0.0/24"))
    wanted = {"floating_network_id": cloud.public, "port_id": port["id"]}
    answer = await demo.net("POST", "/floatingips", {"floatingip": wanted})
    assert (await demo.net("GET", "/floatingips")).body == {"floatingips": []}
    return answer


async def n17_router(cloud: Cloud, demo: User, admin: User) -> Answer:
    router = await demo.router(await demo.subnet("10.1.0.0/24"))
    return await demo.net("DELETE", f"/routers/{router['id']}")


async def n17_port(cloud: Cloud, demo: User, admin: User) -> Answer:
    router = await demo.router(await demo.subnet("10.1.0.0/24"))
    ports = (await demo.net("GET", f"/ports?device_id={router['id']}")).body["ports"]
    return await demo.net("DELETE", f"/ports/{ports[0]['id']}")


async def n18(cloud: Cloud, demo: User, admin: User) -> Answer:
    subnet = await demo.subnet("10.1.0.0/24")
    await demo.router(subnet)
    return await demo.net("DELETE", f"/subnets/{subnet['id']}")


async def n24_cidr(cloud: Cloud, demo: User, admin: User) -> Answer:
    subnet = await demo.subnet("10.1.0.0/24")
    return await demo.net("PUT", f"/subnets/{subnet['id']}", {"subnet": {"cidr": "10.2.0.0/24"}})


async def n24_mode(cloud: Cloud, demo: User, admin: User) -> Answer:
    subnet = await demo.subnet("10.1.0.0/24")
    return await demo.net("PUT", f"/subnets/{subnet['id']}", {"subnet": {"ipv6_ra_mode": "slaac"}})


async def n24_router_port(cloud: Cloud, demo: User, admin: User) -> Answer:
    subnet = await demo.subnet("10.1.0.0/24")
    router = await demo.router(subnet)
    port = (await demo.net("GET", f"/ports?device_id={router['id']}")).body["ports"][0]
    fixed = [{"subnet_id": subnet["id"], "ip_address": "10.1.0.77"}]
    return await demo.net("PUT", f"/ports/{port['id']}", {"port": {"fixed_ips": fixed}})


async def n25_network(cloud: Cloud, demo: User, admin: User) -> Answer:
    return await demo.net("POST", "/networks", {"network": {"availability_zone_hints": ["us-east-1a"]}})


async def n25_router(cloud: Cloud, demo: User, admin: User) -> Answer:
    return await demo.net("POST", "/routers", {"router": {"availability_zone_hints": ["us-east-1a"]}})


async def _pool(demo: User):
    return await demo.make("/subnetpools", name="p", prefixes=["10.80.0.0/16"], min_prefixlen=16, max_prefixlen=28)


async def _from_pool(demo: User, cidr: str) -> Answer:
    pool = await _pool(demo)
    for wanted in ("10.80.0.0/24", cidr):
        network = await demo.make("/networks", name="n")
        values = {"network_id": network["id"], "ip_version": 4, "subnetpool_id": pool["id"], "cidr": wanted}
        answer = await demo.net("POST", "/subnets", {"subnet": values})
    return answer


async def n26_outside(cloud: Cloud, demo: User, admin: User) -> Answer:
    return await _from_pool(demo, "10.81.0.0/24")


async def n26_overlap(cloud: Cloud, demo: User, admin: User) -> Answer:
    return await _from_pool(demo, "10.80.0.128/25")


async def n26_small(cloud: Cloud, demo: User, admin: User) -> Answer:
    return await _from_pool(demo, "10.80.7.0/29")


async def n27(cloud: Cloud, demo: User, admin: User) -> Answer:
    pool = await _pool(demo)
    network = await demo.make("/networks", name="n")
    await demo.make("/subnets", network_id=network["id"], ip_version=4, subnetpool_id=pool["id"], prefixlen=26)
    return await demo.net("PUT", f"/subnetpools/{pool['id']}/remove_prefixes", {"prefixes": ["10.80.0.0/16"]})


async def n29_two_addresses(cloud: Cloud, demo: User, admin: User) -> Answer:
    subnet, _, _, _ = await _bound(cloud, demo)
    fixed = [{"subnet_id": subnet["id"]}, {"subnet_id": subnet["id"]}]
    port = await demo.make("/ports", network_id=subnet["network_id"], fixed_ips=fixed)
    fip = await demo.make("/floatingips", floating_network_id=cloud.public)
    return await demo.net("PUT", f"/floatingips/{fip['id']}", {"floatingip": {"port_id": port["id"]}})


async def n29_second(cloud: Cloud, demo: User, admin: User) -> Answer:
    _, _, port, _ = await _bound(cloud, demo)
    fip = await demo.make("/floatingips", floating_network_id=cloud.public)
    return await demo.net("PUT", f"/floatingips/{fip['id']}", {"floatingip": {"port_id": port["id"]}})


async def n32(cloud: Cloud, demo: User, admin: User) -> Answer:
    return await demo.net("GET", f"/auto-allocated-topology/{demo.project_id}")


REFUSED: list[tuple[str, Story, int, str]] = [
    ("N1 enable_snat by a member", n1_snat, 403, "PolicyNotAuthorized"),
    ("N1 gateway address by a member", n1_address, 403, "PolicyNotAuthorized"),
    ("N3 floating ip with a chosen address", n3, 403, "PolicyNotAuthorized"),
    ("N4 gateway on a floating address", n4, 409, "IpAddressAlreadyAllocated"),
    ("N6 second router on a subnet", n6, 409, "IpAddressAlreadyAllocated"),
    ("N7 a router twice on a subnet", n7_subnet, 400, "BadRequest"),
    ("N7 even by another port", n7_port, 400, "BadRequest"),
    ("N8 overlap in a network", n8_network, 400, "InvalidInput"),
    ("N8 overlap on a router", n8_router, 400, "BadRequest"),
    ("N9 subnet without gateway", n9_no_gateway, 400, "BadRequest"),
    ("N9 router port with two subnets", n9_two_subnets, 400, "BadRequest"),
    ("N10 next hop not connected", n10_not_connected, 400, "InvalidRoutes"),
    ("N10 own address as next hop", n10_own, 400, "InvalidRoutes"),
    ("N13 interface used by a route", n13, 409, "RouterInterfaceInUseByRoute"),
    ("N14 gateway used by a floating ip", n14_gateway, 409, "RouterExternalGatewayInUseByFloatingIp"),
    ("N14 interface used by a floating ip", n14_interface, 409, "RouterInterfaceInUseByFloatingIP"),
    ("N15 unreachable port, PUT", n15_put, 404, "ExternalGatewayForFloatingIPNotFound"),
    ("N15 unreachable port, POST", n15_post, 404, "ExternalGatewayForFloatingIPNotFound"),
    ("N17 router with interfaces", n17_router, 409, "RouterInUse"),
    ("N17 router port directly", n17_port, 409, "ServicePortInUse"),
    ("N18 subnet with a router port", n18, 409, "SubnetInUse"),
    ("N24 cidr is read-only", n24_cidr, 400, "HTTPBadRequest"),
    ("N24 ipv6 mode is read-only", n24_mode, 400, "HTTPBadRequest"),
    ("N24 address of a router port", n24_router_port, 400, "BadRequest"),
    ("N25 zone of a network", n25_network, 404, "AvailabilityZoneNotFound"),
    ("N25 zone of a router", n25_router, 404, "AvailabilityZoneNotFound"),
    ("N26 outside the pool", n26_outside, 500, "SubnetAllocationError"),
    ("N26 overlapping in the pool", n26_overlap, 500, "SubnetAllocationError"),
    ("N26 too small", n26_small, 400, "MaxPrefixSubnetAllocationError"),
    ("N27 prefix in use", n27, 400, "IllegalSubnetPoolPrefixUpdate"),
    ("N29 two addresses, none named", n29_two_addresses, 400, "BadRequest"),
    ("N29 second floating ip on an address", n29_second, 409, "FloatingIPPortAlreadyAssociated"),
    ("N32 get me a network", n32, 409, "AutoAllocationFailure"),
]


@pytest.mark.parametrize(("story", "status", "kind"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_refused(cloud: Cloud, demo: User, admin: User, story: Story, status: int, kind: str) -> None:
    answer = await story(cloud, demo, admin)
    assert (answer.status, answer.kind) == (status, kind)


async def test_n2_equal_gateway_turns_snat_on_again(cloud: Cloud, demo: User, admin: User) -> None:
    router = await demo.router(gateway=cloud.public)
    off = await admin.net(*_gateway(router, network_id=cloud.public, enable_snat=False))
    renamed = await demo.net("PUT", f"/routers/{router['id']}", {"router": {"name": "x"}})
    again = await demo.net(*_gateway(router, network_id=cloud.public))
    seen = [a.body["router"]["external_gateway_info"]["enable_snat"] for a in (off, renamed, again)]
    assert seen == [False, False, True]


async def test_n5_equal_gateway_keeps_the_address_a_new_one_does_not(cloud: Cloud, demo: User) -> None:
    router = await demo.router(gateway=cloud.public)

    async def address(**info: str) -> str:
        shown = (await demo.net(*_gateway(router, **info))).body["router"]["external_gateway_info"]
        return shown["external_fixed_ips"][0]["ip_address"]

    first = await address(network_id=cloud.public)
    assert await address(network_id=cloud.public) == first
    await demo.net("PUT", f"/routers/{router['id']}", {"router": {"external_gateway_info": None}})
    assert await address(network_id=cloud.public) != first


async def test_n6_second_router_by_a_port_with_another_address(demo: User) -> None:
    subnet = await demo.subnet("10.1.0.0/24")
    await demo.router(subnet)
    assert (await demo.plug(await demo.router(), port_id=(await demo.port(subnet))["id"])).status == 200


@pytest.mark.parametrize("destination", ["0.0.0.0/0", "10.1.0.0/24", "10.1.0.8/30", "10.99.0.5/16", "fd00::/64"])
async def test_n11_destinations_are_not_checked(demo: User, destination: str) -> None:
    router = await demo.router(await demo.subnet("10.1.0.0/24"))
    answer = await demo.routes(router, (destination, "10.1.0.9"), (destination, "10.1.0.10"))
    assert answer.status == 200
    assert len(answer.body["router"]["routes"]) == 2


async def test_n12_routes_are_added_and_removed_idempotently(demo: User) -> None:
    router = await demo.router(await demo.subnet("10.1.0.0/24"))
    route = ("10.9.0.0/16", "10.1.0.9")
    first, second = await demo.routes(router, route), await demo.routes(router, route)
    assert first.body["router"]["routes"] == second.body["router"]["routes"]
    await demo.routes(router, route, verb="remove")
    assert (await demo.routes(router, route, verb="remove")).body["router"]["routes"] == []


async def test_n16_floating_ip_goes_to_the_holder_of_the_gateway_address(cloud: Cloud, demo: User) -> None:
    subnet = await demo.subnet("10.1.0.0/24")
    other = await demo.router(gateway=cloud.public)
    await demo.plug(other, port_id=(await demo.port(subnet))["id"])
    port = await demo.port(subnet)
    fip = await demo.make("/floatingips", floating_network_id=cloud.public, port_id=port["id"])
    assert fip["router_id"] == other["id"]
    await demo.net("PUT", f"/floatingips/{fip['id']}", {"floatingip": {"port_id": None}})
    holder = await demo.router(subnet, gateway=cloud.public)
    bound = await demo.net("PUT", f"/floatingips/{fip['id']}", {"floatingip": {"port_id": port["id"]}})
    assert bound.body["floatingip"]["router_id"] == holder["id"]


async def test_n17_router_with_only_a_gateway_may_go(cloud: Cloud, demo: User, admin: User) -> None:
    router = await demo.router(gateway=cloud.public)
    assert (await demo.net("DELETE", f"/routers/{router['id']}")).status == 204
    assert (await admin.net("GET", f"/ports?device_id={router['id']}")).body == {"ports": []}


async def test_n18_interface_may_go_while_ports_remain(demo: User) -> None:
    subnet = await demo.subnet("10.1.0.0/24")
    router = await demo.router(subnet)
    await demo.port(subnet)
    assert (await demo.unplug(router, subnet_id=subnet["id"])).status == 200


async def test_n19_routes_to_a_deleted_port_stay(demo: User) -> None:
    subnet = await demo.subnet("10.1.0.0/24")
    router, port = await demo.router(subnet), await demo.port(subnet)
    await demo.routes(router, ("10.9.0.0/16", port["fixed_ips"][0]["ip_address"]))
    assert (await demo.net("DELETE", f"/ports/{port['id']}")).status == 204
    assert len((await demo.net("GET", f"/routers/{router['id']}")).body["router"]["routes"]) == 1


async def test_n20_parallel_routes_are_all_stored(demo: User) -> None:
    router = await demo.router(await demo.subnet("10.1.0.0/24"))
    await asyncio.gather(*(demo.routes(router, (f"10.{n}.0.0/16", "10.1.0.9")) for n in range(50, 74)))
    assert len((await demo.net("GET", f"/routers/{router['id']}")).body["router"]["routes"]) == 24


async def test_n22_gateway_address_may_go_from_a_routed_subnet(demo: User) -> None:
    subnet = await demo.subnet("10.1.0.0/24")
    await demo.router(subnet)
    answer = await demo.net("PUT", f"/subnets/{subnet['id']}", {"subnet": {"gateway_ip": None}})
    assert (answer.status, answer.body["subnet"]["gateway_ip"]) == (200, None)


async def test_n23_every_port_gets_an_address_of_every_slaac_subnet(demo: User) -> None:
    four = await demo.subnet("10.1.0.0/24")
    old = await demo.port(four)
    modes = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
    six = await demo.subnet("fd00:8::/64", {"id": four["network_id"]}, **modes)
    new = await demo.port(four)
    for port in (old, new):
        shown = (await demo.net("GET", f"/ports/{port['id']}")).body["port"]
        assert [fixed["subnet_id"] for fixed in shown["fixed_ips"]] == [four["id"], six["id"]]


async def test_n28_member_may_share_his_network_with_one_project(cloud: Cloud, demo: User) -> None:
    other = await cloud.user("alt_demo")
    network = await demo.make("/networks", name="shared")
    assert (await other.net("GET", f"/networks/{network['id']}")).status == 404
    await demo.make("/rbac-policies", object_type="network", object_id=network["id"], action="access_as_shared",
                    target_tenant=other.project_id)  # fmt: skip
    assert (await other.net("GET", f"/networks/{network['id']}")).body["network"]["shared"] is True


async def test_n29_a_floating_ip_moves_by_one_request(cloud: Cloud, demo: User) -> None:
    subnet, _, _, fip = await _bound(cloud, demo)
    port = await demo.port(subnet)
    answer = await demo.net("PUT", f"/floatingips/{fip['id']}", {"floatingip": {"port_id": port["id"]}})
    assert (answer.status, answer.body["floatingip"]["port_id"]) == (200, port["id"])


async def test_n30_floating_ip_stays_on_the_old_address(cloud: Cloud, demo: User) -> None:
    subnet, _, port, fip = await _bound(cloud, demo)
    fixed = [{"subnet_id": subnet["id"], "ip_address": "10.1.0.60"}]
    assert (await demo.net("PUT", f"/ports/{port['id']}", {"port": {"fixed_ips": fixed}})).status == 200
    shown = (await demo.net("GET", f"/floatingips/{fip['id']}")).body["floatingip"]
    assert (shown["fixed_ip_address"], shown["status"]) == (fip["fixed_ip_address"], "DOWN")


async def test_n33_v6_gateway_is_the_network_address(demo: User) -> None:
    assert (await demo.subnet("fd00:9::/64"))["gateway_ip"] == "fd00:9::"


async def test_repeated_removal_of_an_interface(demo: User) -> None:
    subnet = await demo.subnet("10.1.0.0/24")
    router, port = await demo.router(), await demo.port(subnet)
    await demo.plug(router, port_id=port["id"])
    assert (await demo.unplug(router, port_id=port["id"])).status == 200
    assert (await demo.net("GET", f"/ports/{port['id']}")).status == 404
    assert (await demo.unplug(router, port_id=port["id"])).kind == "RouterInterfaceNotFound"
    assert (await demo.unplug(router, subnet_id=subnet["id"])).kind == "RouterInterfaceNotFoundForSubnet"


async def test_unknown_objects_are_404_with_their_type(demo: User) -> None:
    kinds = {"networks": "NetworkNotFound", "subnets": "SubnetNotFound", "ports": "PortNotFound",
             "routers": "RouterNotFound", "floatingips": "FloatingIPNotFound",
             "security-groups": "SecurityGroupNotFound"}  # fmt: skip
    for path, kind in kinds.items():
        answer = await demo.net("GET", f"/{path}/{uuid.uuid4()}")
        assert (answer.status, answer.kind) == (404, kind)
