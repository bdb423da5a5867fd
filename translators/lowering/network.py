"""The network of a template as far as the template tells it: which table a subnet has, where its routes lead.

vpc-on-neutron.md §3. Whatever is not a plain reference inside the template (a parameter, an import) is unknown here
and found out by the resource types when they run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.model.expression import Expression
from engine.model.template import Resource
from translators.lowering import logic
from translators.lowering.world import World, property_of

SUBNET, TABLE, ROUTE = "AWS::EC2::Subnet", "AWS::EC2::RouteTable", "AWS::EC2::Route"
ASSOCIATION = "AWS::EC2::SubnetRouteTableAssociation"
ATTACHMENT = "AWS::EC2::VPCGatewayAttachment"
VPC, IGW, NAT = "AWS::EC2::VPC", "AWS::EC2::InternetGateway", "AWS::EC2::NatGateway"
INSTANCE, INTERFACE = "AWS::EC2::Instance", "AWS::EC2::NetworkInterface"
# What groups make instances of.
CONFIGURATION, TEMPLATE = "AWS::AutoScaling::LaunchConfiguration", "AWS::EC2::LaunchTemplate"
EVERYWHERE = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class Tables:
    """The route tables that a subnet may have; `known` False when one of them is not in the template."""

    tables: tuple[Resource, ...]
    known: bool


def associations(world: World, subnet: Resource) -> Iterator[Resource]:
    """Associations of the template that decide where the subnet's uplink is from the start."""
    for one in world.of_type(ASSOCIATION):
        if world.named(property_of(one, "SubnetId"), SUBNET) is subnet and not _circular(world, one, subnet):
            yield one


def decides_uplink(world: World, association: Resource) -> bool:
    """Whether the subnet of this association is made with it, so that nothing need be moved."""
    subnet = world.named(property_of(association, "SubnetId"), SUBNET)
    return subnet is not None and not _circular(world, association, subnet)


def _circular(world: World, association: Resource, subnet: Resource) -> bool:
    """The table waits for the subnet, as only a curious DependsOn brings about."""
    return any(
        subnet.address in world.needs(table) for table in world.mentioned(property_of(association, "RouteTableId"))
    )


def tables_of(world: World, subnet: Resource) -> Tables:
    found = []
    known = True
    for one in world.of_type(ASSOCIATION):
        if world.named(property_of(one, "SubnetId"), SUBNET) is not subnet:
            continue
        table = world.named(property_of(one, "RouteTableId"), TABLE)
        if table is None:
            known = False
        else:
            found.append(table)
    if any(world.named(property_of(one, "SubnetId"), SUBNET) is None for one in world.of_type(ASSOCIATION)):
        known = False  # an association with a computed subnet may mean this one
    return Tables(tuple(found), known)


def routes_of(world: World, table: Resource) -> list[Resource]:
    return [one for one in world.of_type(ROUTE) if world.named(property_of(one, "RouteTableId"), TABLE) is table]


def is_default(route: Resource) -> bool:
    """Whether it may lead everywhere; one whose destination is not written out may."""
    for name in ("DestinationCidrBlock", "DestinationIpv6CidrBlock"):
        written = property_of(route, name)
        if written is not None:
            text = logic.text(written)
            return text is None or text in EVERYWHERE
    return False


def gateway_routes(world: World, table: Resource) -> list[Resource]:
    """Default routes of the table that are its router's external gateway."""
    return [
        one
        for one in routes_of(world, table)
        if is_default(one) and any(property_of(one, name) is not None for name in ("GatewayId", "NatGatewayId"))
    ]


def way_out(world: World, subnet: Resource) -> tuple[list[Resource], bool]:
    """The gateway routes that a floating IP of the subnet needs, and whether the template shows all there can be."""
    tables = tables_of(world, subnet)
    found = [route for table in tables.tables for route in gateway_routes(world, table)]
    open_ended = any(table.address in world.exported for table in tables.tables) or any(
        world.named(property_of(one, "RouteTableId"), TABLE) is None for one in world.of_type(ROUTE)
    )
    return found, tables.known and not open_ended


def cidr_blocks(world: World, vpc: Expression | None) -> list[str]:
    """Addresses of the VPCCidrBlocks of the same VPC."""
    mine = world.named(vpc, VPC)
    if mine is None:
        return []
    return [
        one.address
        for one in world.of_type("AWS::EC2::VPCCidrBlock")
        if world.named(property_of(one, "VpcId"), VPC) is mine
    ]
