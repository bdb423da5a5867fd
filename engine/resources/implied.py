"""Dependencies that no reference shows but Neutron has: what is attached to a network needs its subnets, a floating
ip the router that leads to its port (heat.md TR-04, add_dependencies hooks).

They are found anywhere inside a resource's properties, so also inside a group's definition and a template resource's
parameters: a group of servers waits for the subnet of their network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from engine.model.expression import AttributeRef, Expression, Literal, ResourceRef, walk

Resources = Mapping[str, tuple[str, Expression]]
Edge = tuple[str, str]

_SUBNET = "OS::Neutron::Subnet"
_NETWORKS = frozenset({"OS::Neutron::Net", "OS::Neutron::ProviderNet"})
_INTERFACE = "OS::Neutron::RouterInterface"
_GATEWAY = "OS::Neutron::RouterGateway"
_ROUTER = "OS::Neutron::Router"
_FLOATING = frozenset({"OS::Neutron::FloatingIP", "OS::Neutron::FloatingIPAssociation"})
_ROUTES = frozenset({"OS::Neutron::ExtraRoute", "OS::Neutron::ExtraRouteSet"})

#: How a template's text, or the type of a group's members, tells that there are floating ips inside.
_FLOATING_TEXT = ("OS::Neutron::FloatingIP", "AWS::EC2::EIP")

#: What makes part of a network, not use of it.
_PARTS = frozenset({_SUBNET, "OS::Neutron::Segment", _ROUTER, _GATEWAY, "OS::Neutron::RBACPolicy"})


@dataclass(slots=True)
class _Topology:
    """Who refers to whom, by address; names and ids written out count when a resource in the template bears them."""

    types: dict[str, str] = field(default_factory=dict)
    needs: dict[str, set[str]] = field(default_factory=dict)
    floating: set[str] = field(default_factory=set)  # floating ips, and what has some in a template inside

    def of_type(self, *types: str) -> Iterator[str]:
        return (address for address, one in self.types.items() if one in types)

    def referred(self, address: str, *types: str) -> set[str]:
        return {one for one in self.needs[address] if self.types[one] in types}


def implied_dependencies(resources: Resources) -> Iterable[Edge]:
    """Yield (waiting address, needed address); each edge may be dropped by the caller where it would close a cycle."""
    if not any(one in _NETWORKS or one in (_SUBNET, _INTERFACE) for one, _ in resources.values()):
        return
    topology = _read(resources)
    yield from _users_of_networks(topology)
    yield from _floating_ips(topology)
    yield from _routes(topology)


def _read(resources: Resources) -> _Topology:
    topology = _Topology(types={address: type_name for address, (type_name, _) in resources.items()})
    topology.floating.update(topology.of_type(*_FLOATING))
    named = dict(_named(resources))
    for address, (_, properties) in resources.items():
        needed: set[str] = set()
        for inner in walk(properties):
            match inner:
                case ResourceRef(address=other) | AttributeRef(address=other) if other in resources:
                    needed.add(other)
                case Literal(value=str(text)) if text in named:
                    needed.add(named[text])
                case Literal(value=str(text)) if any(name in text for name in _FLOATING_TEXT):
                    topology.floating.add(address)
                case _:
                    pass
        needed.discard(address)
        topology.needs[address] = needed
    return topology


def _named(resources: Resources) -> Iterator[tuple[str, str]]:
    """Literal names of networks: a server may name a network that this template makes."""
    for address, (type_name, properties) in resources.items():
        if type_name not in _NETWORKS:
            continue
        name = _entry(properties, "name")
        if name is not None:
            yield name, address


def _entry(properties: Expression, name: str) -> str | None:
    get = getattr(properties, "get", None)
    found = get(name) if get is not None else None
    return found.value if isinstance(found, Literal) and isinstance(found.value, str) and found.value else None


def _users_of_networks(topology: _Topology) -> Iterator[Edge]:
    """Whatever uses a network waits for the network's subnets; nobody can get an address before."""
    subnets: dict[str, list[str]] = {}
    for subnet in topology.of_type(_SUBNET):
        for network in topology.referred(subnet, *_NETWORKS):
            subnets.setdefault(network, []).append(subnet)
    for address, type_name in topology.types.items():
        if type_name in _PARTS:
            continue
        for network in topology.referred(address, *_NETWORKS):
            yield from ((address, subnet) for subnet in subnets.get(network, ()))


def _floating_ips(topology: _Topology) -> Iterator[Edge]:
    """A floating ip waits for the gateways; one with a port, for the interfaces of the port's subnets too."""
    gateways = list(topology.of_type(_GATEWAY))
    for address in topology.floating:
        yield from ((address, gateway) for gateway in gateways)
        near = _neighbourhood(topology, address)
        for interface in topology.of_type(_INTERFACE):
            if near & _subnets_of(topology, interface):
                yield address, interface


def _neighbourhood(topology: _Topology, address: str) -> set[str]:
    """The subnets behind what a floating ip refers to: its port's, its server's, those of their networks."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(topology.needs[address])
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        match topology.types[here]:
            case "OS::Neutron::Subnet":
                found.add(here)
            case one if one in _NETWORKS:
                found.update(s for s in topology.of_type(_SUBNET) if here in topology.needs[s])
            case one if one in (_ROUTER, _INTERFACE, _GATEWAY) or one in _FLOATING:
                # A floating ip that is named by another leads on to its own port.
                waiting.extend(topology.needs[here] if one in _FLOATING else ())
            case _:
                waiting.extend(topology.needs[here])
    return found


def _subnets_of(topology: _Topology, interface: str) -> set[str]:
    """The subnets of an interface, also of one given by port."""
    found = topology.referred(interface, _SUBNET)
    for port in topology.referred(interface, "OS::Neutron::Port"):
        found |= _neighbourhood(topology, port)
    return found


def _routes(topology: _Topology) -> Iterator[Edge]:
    """A route's next hop must be on one of the router's subnets."""
    for address in topology.of_type(*_ROUTES):
        routers = topology.referred(address, _ROUTER)
        for interface in topology.of_type(_INTERFACE):
            if routers & topology.needs[interface]:
                yield address, interface
