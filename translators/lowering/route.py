"""AWS::EC2::Route: a gateway of the table's router, or a route of it (vpc-on-neutron.md §3.1)."""

from __future__ import annotations

from engine.model.expression import Expression, Literal
from engine.model.template import Resource
from translators.lowering import logic, network, ports
from translators.lowering.draft import Draft
from translators.lowering.world import property_of

_TARGETS = (
    "GatewayId", "NatGatewayId", "InstanceId", "NetworkInterfaceId", "EgressOnlyInternetGatewayId",
    "VpcPeeringConnectionId", "TransitGatewayId", "VpcEndpointId", "CarrierGatewayId", "CoreNetworkArn",
    "LocalGatewayId", "OdbNetworkArn",
)  # fmt: skip


def route(draft: Draft) -> None:
    """One member for each way the route can be meant; conditions say which of them is made."""
    if not _checked(draft):
        return
    destination = draft.prop("DestinationCidrBlock") or draft.prop("DestinationIpv6CidrBlock")
    table = draft.prop("RouteTableId")
    waits = _table_and_attachments(draft)
    gateway = draft.prop("GatewayId")
    if logic.text(gateway) == "local":
        draft.add("record", "Isotherm::Record", {"name": Literal("local"), "values": logic.mapping(table=table)})
        return
    external = {name: draft.prop(name) for name in ("GatewayId", "NatGatewayId", "EgressOnlyInternetGatewayId")}
    wanted = logic.either(logic.present(value) for value in external.values())
    first = _owner_of_gateway(draft)
    if wanted != logic.FALSE and first is not None:
        draft.add("record", "Isotherm::Record", {"prefix": Literal("route-"), "values": logic.mapping(table=table)},
                  condition=wanted, depends_on=(first.address,))  # fmt: skip
    elif wanted != logic.FALSE:
        through_nat = logic.present(external["NatGatewayId"])
        made = draft.add(
            "gateway",
            "Isotherm::Neutron::DefaultRoute",
            {
                "router": table,
                "destination": destination,
                "network": gateway,
                "enable_snat": through_nat if draft.world.rows.options["public_subnet_snat"] == "deny" else None,
            },
            condition=wanted,
            **waits,
        )
        for value in external.values():
            made.depends_on += sorted(draft.world.mentioned(value) & set(draft.world.template.resources))
        _tell_snat(draft, through_nat)
    _hops(draft, table, destination, waits)
    if not draft.members:
        draft.add("record", "Isotherm::Record", {"prefix": Literal("route-"), "values": logic.mapping(table=table)})


def _checked(draft: Draft) -> bool:
    given = [name for name in _TARGETS if logic.present(draft.prop(name)) != logic.FALSE]
    sure = [name for name in given if logic.present(draft.prop(name)) == logic.TRUE]
    if not given:
        draft.error("PropertyMissing", f"{draft.source.address}: the route has no target.",
                    "Give one of GatewayId, NatGatewayId, InstanceId, NetworkInterfaceId or "
                    "VpcPeeringConnectionId.")  # fmt: skip
    if len(sure) > 1:
        draft.error("PropertyConflict", f"{draft.source.address}: exactly one of {', '.join(sure)} must be given.")
    destinations = [n for n in ("DestinationCidrBlock", "DestinationIpv6CidrBlock") if draft.prop(n) is not None]
    if len(destinations) != 1 and draft.prop("DestinationPrefixListId") is None:
        draft.error("PropertyMissing", f"{draft.source.address}: exactly one destination must be given.",
                    "Give DestinationCidrBlock.")  # fmt: skip
    external = [name for name in ("GatewayId", "NatGatewayId") if name in sure and not _is_local(draft)]
    if external and not network.is_default(draft.source) and destinations:
        draft.error(
            "RouteNotDefault",
            f"{draft.source.address}: only the default route can lead to an internet or NAT gateway.",
            "The external gateway of a router is all or nothing: use 0.0.0.0/0, or an instance as target.",
            destinations[0],
        )
        return False
    return bool(given) and len(sure) <= 1 and len(destinations) == 1


def _is_local(draft: Draft) -> bool:
    return logic.text(draft.prop("GatewayId")) == "local"


def _table_and_attachments(draft: Draft) -> dict[str, tuple[str, ...]]:
    """The table as a whole, and every attachment of an internet gateway to its VPC: 14 of 89 templates forget it."""
    world = draft.world
    table = draft.prop("RouteTableId")
    attachments = tuple(
        one.address for one in world.of_type(network.ATTACHMENT) if draft.source.address not in world.needs(one.address)
    )
    return {"depends_on": tuple(sorted(world.mentioned(table) & set(world.template.resources))), "soft": attachments}


def _owner_of_gateway(draft: Draft) -> Resource | None:
    """The table's IPv4 default route, when this is its IPv6 one: a router has one gateway for both."""
    if draft.prop("DestinationIpv6CidrBlock") is None:
        return None
    table = draft.world.named(draft.prop("RouteTableId"), network.TABLE)
    if table is None:
        return None
    for other in network.gateway_routes(draft.world, table):
        if property_of(other, "DestinationCidrBlock") is not None and other.condition == draft.source.condition:
            return other
    return None


def _hops(
    draft: Draft, table: Expression | None, destination: Expression | None, waits: dict[str, tuple[str, ...]]
) -> None:
    """Routes to instances and interfaces. Of an instance of the template only the port is waited for."""
    instance, interface = draft.prop("InstanceId"), draft.prop("NetworkInterfaceId")
    inside = draft.world.named(instance, network.INSTANCE)
    if instance is not None:
        where: dict[str, Expression | None] = {"server": instance}
        if inside is not None:
            nic = ports.nics(inside)[0]
            where = {"port": nic.port, "address": ports.address_of(draft.world, nic)}
        draft.add(
            "to_instance", "Isotherm::Neutron::PortRoute", {"router": table, "destination": destination, **where},
            condition=logic.present(instance), **waits,
        )  # fmt: skip
    if interface is not None:
        draft.add(
            "to_interface", "Isotherm::Neutron::PortRoute",
            {
                "router": table, "destination": destination, "port": interface,
                "address": ports.address_of(draft.world, ports.Nic(interface, None, draft.source.properties)),
            },
            condition=logic.present(interface), **waits,
        )  # fmt: skip
    _peering(draft, table, destination, waits)


def _peering(
    draft: Draft, table: Expression | None, destination: Expression | None, waits: dict[str, tuple[str, ...]]
) -> None:
    """A route to another VPC; the whole peering connection is waited for, whose hubs are the next hops."""
    peering = draft.prop("VpcPeeringConnectionId")
    if peering is None:
        return
    made = draft.add(
        "to_vpc", "Isotherm::Neutron::PeeringRoute",
        {"router": table, "destination": destination, "peering": peering},
        condition=logic.present(peering), **waits,
    )  # fmt: skip
    made.depends_on += sorted(draft.world.mentioned(peering) & set(draft.world.template.resources))


def _tell_snat(draft: Draft, through_nat: Expression) -> None:
    """Once a template: what the option public_subnet_snat = allow means (vpc-on-neutron.md §2.5)."""
    world = draft.world
    if through_nat != logic.FALSE or world.rows.options["public_subnet_snat"] != "allow":
        return
    if any("public_subnet_snat" in one.summary for one in draft.findings.warnings):
        return
    draft.warn(
        "PublicSubnetSnat",
        "Instances without a public IP in public subnets can reach out, unlike in AWS; nothing can reach in "
        "(option public_subnet_snat = allow).",
        "GatewayId",
    )
