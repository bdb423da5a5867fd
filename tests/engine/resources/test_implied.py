"""Edges that Neutron implies (4: the seed template; heat.md TR-04)."""

from __future__ import annotations

from typing import Any

from engine.model.expression import AttributeRef, Expression, ListOf, Literal, MapOf, ResourceRef
from engine.resources.implied import implied_dependencies


def expression(value: Any) -> Expression:
    if isinstance(value, dict):
        return MapOf(tuple((key, expression(one)) for key, one in value.items()))
    if isinstance(value, list):
        return ListOf(tuple(expression(one) for one in value))
    if isinstance(value, str) and value.startswith("@"):
        address, _, attribute = value[1:].partition(".")
        return AttributeRef(address, Literal(attribute)) if attribute else ResourceRef(address)
    return Literal(value)


def edges(resources: dict[str, tuple[str, dict[str, Any]]]) -> set[tuple[str, str]]:
    return set(implied_dependencies({a: (kind, expression(one)) for a, (kind, one) in resources.items()}))


NETWORK = {
    "net": ("OS::Neutron::Net", {"name": "lan"}),
    "subnet": ("OS::Neutron::Subnet", {"network_id": "@net", "cidr": "10.0.0.0/24"}),
    "router": ("OS::Neutron::Router", {"external_gateway_info": {"network": "public"}}),
    "interface": ("OS::Neutron::RouterInterface", {"router_id": "@router", "subnet_id": "@subnet"}),
}


def test_4_a_group_of_servers_waits_for_the_subnet_of_their_network() -> None:
    definition = {"type": "OS::Nova::Server", "properties": {"networks": [{"network": "@net"}]}}
    group = ("OS::Heat::ResourceGroup", {"count": 1, "resource_def": definition})
    assert edges({**NETWORK, "servers": group}) == {("servers", "subnet")}


def test_ports_and_servers_wait_for_subnets() -> None:
    port = ("OS::Neutron::Port", {"network": "@net"})
    server = ("OS::Nova::Server", {"networks": [{"uuid": "@net"}]})
    assert edges({**NETWORK, "port": port, "server": server}) == {("port", "subnet"), ("server", "subnet")}


def test_members_of_groups_are_addresses_too() -> None:
    resources = {
        "Vpc/network": ("OS::Neutron::Net", {}),
        "A/subnet": ("OS::Neutron::Subnet", {"network": "@Vpc/network"}),
        "Web/port": ("OS::Neutron::Port", {"network": "@Vpc/network"}),
    }
    assert edges(resources) == {("Web/port", "A/subnet")}


def test_a_network_named_in_the_template_counts() -> None:
    server = ("OS::Nova::Server", {"networks": [{"network": "lan"}]})
    assert edges({**NETWORK, "server": server}) == {("server", "subnet")}


def test_subnets_and_routers_do_not_wait_for_their_own_network() -> None:
    second = ("OS::Neutron::Subnet", {"network": "@net", "cidr": "10.0.1.0/24"})
    assert edges({**NETWORK, "second": second}) == set()


def test_a_floating_ip_waits_for_the_interface_behind_its_port() -> None:
    port = ("OS::Neutron::Port", {"network": "@net"})
    floating = ("OS::Neutron::FloatingIP", {"floating_network": "public", "port_id": "@port"})
    assert edges({**NETWORK, "port": port, "ip": floating}) == {("port", "subnet"), ("ip", "interface")}


def test_an_association_waits_too_also_behind_a_server() -> None:
    server = ("OS::Nova::Server", {"networks": [{"network": "@net"}]})
    floating = ("OS::Neutron::FloatingIP", {"floating_network": "public"})
    association = ("OS::Neutron::FloatingIPAssociation", {"floatingip_id": "@ip", "port_id": "@server.addresses"})
    found = edges({**NETWORK, "server": server, "ip": floating, "tie": association})
    assert found == {("server", "subnet"), ("tie", "interface")}


def test_other_routers_are_not_waited_for() -> None:
    resources = {
        **NETWORK,
        "net2": ("OS::Neutron::Net", {}),
        "subnet2": ("OS::Neutron::Subnet", {"network": "@net2"}),
        "interface2": ("OS::Neutron::RouterInterface", {"router": "@router", "subnet": "@subnet2"}),
        "port": ("OS::Neutron::Port", {"network": "@net"}),
        "ip": ("OS::Neutron::FloatingIP", {"floating_network": "public", "port_id": "@port"}),
    }
    assert ("ip", "interface2") not in edges(resources)


def test_router_gateways_are_waited_for() -> None:
    gateway = ("OS::Neutron::RouterGateway", {"router_id": "@router", "network": "public"})
    floating = ("OS::Neutron::FloatingIP", {"floating_network": "public"})
    assert edges({**NETWORK, "gateway": gateway, "ip": floating}) == {("ip", "gateway")}


def test_a_nested_template_with_floating_ips_waits_for_the_interface() -> None:
    text = "resources: {ip: {type: OS::Neutron::FloatingIP}}"
    child = ("OS::Heat::TemplateResource", {"template": text, "parameters": {"net": "@net"}})
    assert edges({**NETWORK, "child": child}) == {("child", "subnet"), ("child", "interface")}


def test_routes_wait_for_the_routers_interfaces() -> None:
    routes = ("OS::Neutron::ExtraRouteSet", {"router": "@router", "routes": []})
    assert edges({**NETWORK, "routes": routes}) == {("routes", "interface")}


def test_without_networks_nothing_is_looked_at() -> None:
    assert edges({"a": ("OS::Heat::Value", {"value": 1})}) == set()
