"""Elastic IPs, what they are led to, and NAT gateways (vpc-on-neutron.md §2.4, §3.1)."""

from __future__ import annotations

from engine.model.expression import Expression, Literal, NoValue
from engine.model.template import Resource
from translators.lowering import logic, network, ports
from translators.lowering.draft import Draft
from translators.lowering.language import tag_list
from translators.lowering.world import World, property_of

EIP, EIP_ASSOCIATION = "AWS::EC2::EIP", "AWS::EC2::EIPAssociation"


def nat_gateway(draft: Draft) -> None:
    if draft.prop("SubnetId") is None and draft.prop("VpcId") is None:
        draft.error("PropertyMissing", f"{draft.source.address}: the NAT gateway is in no subnet.", "Give SubnetId.")
    allocation = draft.prop("AllocationId")
    world = draft.world
    if allocation is not None and world.named(allocation, EIP) is None:
        draft.warn(
            "NatAddress",
            "The address of a NAT gateway is that of its route table's router; this AllocationId is not of this "
            "template and will not be the source address.",
            "AllocationId",
        )
    tables = [property_of(one, "RouteTableId") for one in _routes_through(world, draft.source)]
    if len(tables) > 1:
        draft.warn(
            "NatShared",
            f"{draft.source.address} serves {len(tables)} route tables; each has a source address of its own, and the "
            "elastic IP shows the first.",
        )


def _routes_through(world: World, nat: Resource) -> list[Resource]:
    return [
        one for one in world.of_type(network.ROUTE) if world.named(property_of(one, "NatGatewayId"), network.NAT) is nat
    ]


def _nats_of(world: World, eip: Resource) -> list[Resource]:
    """NAT gateways of the template that have this address."""
    return [one for one in world.of_type(network.NAT) if world.named(property_of(one, "AllocationId"), EIP) is eip]


def eip(draft: Draft) -> None:
    """A floating IP, or what a NAT gateway's router has anyway."""
    world = draft.world
    gateways = _nats_of(world, draft.source)
    routes = [route for nat in gateways for route in _routes_through(world, nat) if _is_router_gateway(route)]
    if routes:
        _address_of_router(draft, routes)
        return
    if gateways:
        draft.warn(
            "NatUnused", f"No route of this template leads through {gateways[0].address}: the elastic IP stays idle."
        )
    draft.add("address", "Isotherm::Neutron::PublicAddress", {"tags": tag_list(draft)})
    draft.reference = draft.attr("address", "floating_ip_address")
    draft.attributes["PublicIp"] = draft.reference
    draft.attributes["AllocationId"] = draft.ref("address")
    instance = draft.prop("InstanceId")
    if instance is not None:
        lead(draft, draft.ref("address"), instance=instance, interface=None, fixed=None)


def _is_router_gateway(route: Resource) -> bool:
    return network.is_default(route) and property_of(route, "DestinationCidrBlock") is not None


def _address_of_router(draft: Draft, routes: list[Resource]) -> None:
    """No object: the elastic IP *is* the gateway address of the first table that routes through its NAT gateway.

    That is known late, so the record stands for the whole towards everything the routes themselves wait for.
    """
    world = draft.world
    address: Expression = NoValue()
    for route in reversed(routes):
        shown = logic.attribute(f"{route.address}/gateway", "address")
        address = logic.choose(route.condition or logic.TRUE, shown, address)
    draft.add("allocation", "Isotherm::Record", {"prefix": Literal("eipalloc-")})
    draft.add("address", "OS::Heat::Value", {"value": address, "type": Literal("string")})
    draft.early = "allocation"
    draft.early_for = frozenset({one.address for one in routes}).union(*(world.needs(one.address) for one in routes))
    draft.reference = address
    draft.attributes["PublicIp"] = address
    draft.attributes["AllocationId"] = draft.ref("allocation")


def eip_association(draft: Draft) -> None:
    address = draft.prop("AllocationId") or draft.prop("EIP")
    instance, interface = draft.prop("InstanceId"), draft.prop("NetworkInterfaceId")
    if address is None:
        draft.error("PropertyMissing", f"{draft.source.address}: there is no address.", "Give the AllocationId.")
        return
    if instance is None and interface is None:
        draft.error("PropertyMissing", f"{draft.source.address}: the address leads nowhere.",
                    "Give InstanceId or NetworkInterfaceId.")  # fmt: skip
        return
    lead(draft, address, instance=instance, interface=interface, fixed=draft.prop("PrivateIpAddress"))
    if "binding" in draft.members:
        draft.members["association"].depends_on.append(draft.address("binding"))


def lead(
    draft: Draft, address: Expression, *, instance: Expression | None, interface: Expression | None,
    fixed: Expression | None,
) -> None:  # fmt: skip
    """Add the binding of a floating IP, waiting for what makes its port reachable (N15); none where nothing can."""
    world = draft.world
    inside = world.named(instance, network.INSTANCE)
    nic = ports.nics(inside)[0] if inside is not None else None
    if nic is None and interface is not None:
        nic = ports.Nic(interface, None, draft.source.properties)
    subnet = None if nic is None else ports.subnet_of(world, nic)
    routes, complete = ([], False) if subnet is None else network.way_out(world, subnet)
    if subnet is not None and complete and not routes:
        draft.warn(
            "AddressUnreachable",
            f"The route table of {subnet.address} has no route to an internet gateway: the address is not led to the "
            "instance.",
        )
        return
    where: dict[str, Expression | None] = {"server": instance}
    if nic is not None:
        where = {"port": nic.port}
        fixed = ports.address_of(world, nic) if fixed is None else fixed
    condition = logic.either(logic.present(one) for one in (instance, interface) if one is not None)
    draft.add(
        "binding",
        "Isotherm::Neutron::AddressBinding",
        {"address": address, "fixed_ip_address": fixed, **where},
        condition=condition,
        depends_on=() if subnet is None else (subnet.address,),
        soft=tuple(one.address for one in routes),
    )


def led_to(world: World, instance: Resource) -> list[tuple[Resource, Expression]]:
    """Elastic IPs and associations of the template that lead to this instance, each with the condition."""
    found = [
        (one, one.condition or logic.TRUE)
        for one in (*world.of_type(EIP), *world.of_type(EIP_ASSOCIATION))
        if world.named(property_of(one, "InstanceId"), network.INSTANCE) is instance
    ]
    interface = ports.primary_port(instance)
    for one in world.of_type(EIP_ASSOCIATION):
        named = world.named(property_of(one, "NetworkInterfaceId"), network.INTERFACE)
        if named is not None and named is world.named(interface, network.INTERFACE):
            found.append((one, one.condition or logic.TRUE))
    return found


def address_of(world: World, resource: Resource) -> Expression:
    """The public address that an EIP, or the EIP of an association, stands for."""
    named = resource if resource.type == EIP else world.named(
        property_of(resource, "AllocationId") or property_of(resource, "EIP"), EIP
    )  # fmt: skip
    if named is None:
        return Literal("")
    if _nats_of(world, named):
        return Literal("")
    return logic.attribute(f"{named.address}/address", "floating_ip_address")
