"""VPCs, subnets, associations, gateway attachments: where one's effect depends on others (vpc-on-neutron.md §3)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from engine.model.expression import Expression, ListOf, Literal
from engine.model.template import Resource
from translators.lowering import logic, network
from translators.lowering.draft import Draft
from translators.lowering.world import property_of


def vpc(draft: Draft) -> None:
    """Add the VPC's own security group where anybody may need it: groups are a quota of ten."""
    draft.attributes["DefaultSecurityGroup"] = draft.ref("default_group")
    _check_size(draft)
    if not _needs_default_group(draft):
        draft.attributes["DefaultSecurityGroup"] = Literal("")
        return
    everyone = logic.mapping(direction=Literal("egress"), protocol=Literal("-1"), cidr=Literal("0.0.0.0/0"))
    everyone6 = logic.mapping(direction=Literal("egress"), protocol=Literal("-1"), cidr=Literal("::/0"))
    each_other = logic.mapping(direction=Literal("ingress"), protocol=Literal("-1"), own=Literal(True))
    draft.add(
        "default_group",
        "Isotherm::Neutron::Group",
        {
            "description": Literal("default VPC security group"),
            "vpc": draft.ref("hub"),
            "role": Literal("default-group"),
            "rules": ListOf((each_other, everyone, everyone6)),
        },
    )


def _needs_default_group(draft: Draft) -> bool:
    """An attribute asks for it, an instance of the template has no groups, or other stacks may place some here."""
    world, mine = draft.world, draft.source.address
    if world.attributes_used(mine) & {"DefaultSecurityGroup", "*"}:
        return True
    subnets = {
        one.address
        for one in world.of_type(network.SUBNET)
        if world.named(property_of(one, "VpcId"), network.VPC) in (draft.source, None)
    }
    if world.exported & {mine, *subnets}:
        return True
    makers = (network.INSTANCE, network.INTERFACE, network.CONFIGURATION, network.TEMPLATE)
    return any(_without_groups(one) for one in world.of_type(*makers))


def _without_groups(resource: Resource) -> bool:
    if resource.type == network.INTERFACE:
        return property_of(resource, "GroupSet") is None
    of_template = resource.type == network.TEMPLATE
    written = property_of(resource, "LaunchTemplateData") if of_template else resource.properties
    interfaces = logic.items(logic.entry(written, "NetworkInterfaces")) or []
    if interfaces:
        groups = "Groups" if of_template else "GroupSet"
        return any(
            logic.entry(one, groups) is None and logic.entry(one, "NetworkInterfaceId") is None for one in interfaces
        )
    return all(logic.entry(written, name) is None for name in ("SecurityGroupIds", "SecurityGroups"))


def _check_size(draft: Draft) -> None:
    block = _network(draft.prop("CidrBlock"))
    if block is not None and not 16 <= block.prefixlen <= 28:
        draft.error("InvalidVpcRange", f"The CIDR '{logic.text(draft.prop('CidrBlock'))}' is invalid.",
                    "A VPC is between /16 and /28.", "CidrBlock")  # fmt: skip


def subnet(draft: Draft) -> None:
    """Put the uplink on the router of the subnet's table, and keep addresses free that the template names."""
    world, source = draft.world, draft.source
    uplink, made = draft.members["uplink"], draft.members["subnet"]
    router = uplink.properties["router"] if "router" in uplink.properties else Literal("")
    for one in network.associations(world, source):
        table = property_of(one, "RouteTableId")
        if table is None:
            continue
        condition = one.condition or logic.TRUE
        router = logic.choose(condition, table, router)
        uplink.depends_on += sorted(a for a in world.mentioned(table) if a in world.template.resources)
    uplink.properties["router"] = router
    reserved = [one for one in _named_addresses(draft) if not world.mentioned(one)]
    if reserved:
        made.properties["reserved"] = ListOf(tuple(reserved))
    made.soft += network.cidr_blocks(world, draft.prop("VpcId"))
    _check_range(draft)


def _named_addresses(draft: Draft) -> Iterator[Expression]:
    """Private addresses that instances and interfaces in this subnet are given by the template."""
    world = draft.world
    for one in world.of_type(network.INSTANCE, network.INTERFACE):
        entries = [one.properties, *(logic.items(property_of(one, "NetworkInterfaces")) or ())]
        for entry in entries:
            if world.named(logic.entry(entry, "SubnetId"), network.SUBNET) is not draft.source:
                continue
            address = logic.entry(entry, "PrivateIpAddress")
            if address is not None:
                yield address
            for more in logic.items(logic.entry(entry, "PrivateIpAddresses")) or ():
                address = logic.entry(more, "PrivateIpAddress")
                if address is not None:
                    yield address


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(expression: Expression | None) -> Network | None:
    written = logic.text(expression)
    try:
        return None if written is None else ipaddress.ip_network(written, strict=False)
    except ValueError:
        return None


def _check_range(draft: Draft) -> None:
    """AWS's own refusals, as early as the template allows (V15); the rest is refused when the subnet is made."""
    world = draft.world
    mine = _network(draft.prop("CidrBlock"))
    if mine is None:
        return
    vpc = world.named(draft.prop("VpcId"), network.VPC)
    if vpc is None:
        return
    block = _network(property_of(vpc, "CidrBlock"))
    if block is not None and not _inside(mine, block) and not network.cidr_blocks(world, draft.prop("VpcId")):
        draft.error("InvalidSubnetRange", f"The CIDR '{mine}' is invalid.",
                    f"It must lie inside {block}, the CidrBlock of {vpc.address}.", "CidrBlock")  # fmt: skip
    for other in world.of_type(network.SUBNET):
        if other is draft.source:
            return  # each pair is told once, at its second
        same = world.named(property_of(other, "VpcId"), network.VPC) is vpc
        theirs = _network(property_of(other, "CidrBlock")) if same else None
        conditional = other.condition is not None and draft.source.condition is not None
        if theirs is not None and not conditional and mine.version == theirs.version and mine.overlaps(theirs):
            draft.error(
                "InvalidSubnetConflict", f"The CIDR '{mine}' conflicts with another subnet",
                f"{other.address} has {theirs}.", "CidrBlock",
            )  # fmt: skip


def _inside(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.prefixlen >= outer.prefixlen and inner.overlaps(outer)


def association(draft: Draft) -> None:
    """A record when the subnet is made with it; otherwise the move of the subnet's uplink."""
    world = draft.world
    record = draft.members["association"]
    subnet_id, table = draft.prop("SubnetId"), draft.prop("RouteTableId")
    if network.decides_uplink(world, draft.source):
        subnet_source = world.named(subnet_id, network.SUBNET)
        assert subnet_source is not None
        record.depends_on.append(f"{subnet_source.address}/uplink")
        return
    draft.add("move", "Isotherm::Neutron::UplinkMove", {"subnet": subnet_id, "router": table})
    record.depends_on.append(draft.address("move"))


def gateway_attachment(draft: Draft) -> None:
    if draft.prop("InternetGatewayId") is None and draft.prop("VpnGatewayId") is None:
        draft.error("PropertyMissing", f"{draft.source.address}: it attaches no gateway.",
                    "Give the InternetGatewayId.")  # fmt: skip
