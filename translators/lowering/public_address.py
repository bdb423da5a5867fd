"""A floating IP where AWS would give an instance a public address (vpc-on-neutron.md §4)."""

from __future__ import annotations

from engine.model.expression import Expression, Literal
from engine.model.template import Resource
from translators.lowering import logic, network, ports
from translators.lowering.address import address_of, led_to
from translators.lowering.draft import Draft
from translators.lowering.language import tag_list
from translators.lowering.world import property_of


def public_address(draft: Draft) -> None:
    """Add address and binding, unless an EIP of the template leads to the instance (AWS releases the automatic one)."""
    world = draft.world
    led = led_to(world, draft.source)
    shown: Expression = Literal("")
    for one, condition in led:
        shown = logic.choose(condition, address_of(world, one), shown)
    draft.attributes["PublicIp"] = shown
    nic = ports.nics(draft.source)[0]
    if nic.member is None:
        return
    subnet = ports.subnet_of(world, nic)
    wanted = logic.both(_asked(nic, subnet), logic.negated(logic.either(condition for _, condition in led)))
    if wanted == logic.FALSE:
        return
    routes: list[Resource] = []
    if subnet is not None:
        routes, complete = network.way_out(world, subnet)
        if complete and not routes:
            draft.warn(
                "AddressUnreachable",
                f"The route table of {subnet.address} has no route to an internet gateway: {draft.source.address} "
                "gets no public address.",
            )
            return
    written = logic.entry(nic.entry, "AssociatePublicIpAddress")
    elsewhere = None if written is not None or subnet is not None else logic.entry(nic.entry, "SubnetId")
    properties = {"tags": tag_list(draft), "if_subnet_says": elsewhere}
    draft.add("address", "Isotherm::Neutron::PublicAddress", properties, condition=wanted)
    draft.add(
        "binding",
        "Isotherm::Neutron::AddressBinding",
        {"address": draft.ref("address"), "port": nic.port, "fixed_ip_address": ports.address_of(world, nic)},
        condition=wanted,
        depends_on=() if subnet is None else (subnet.address,),
        soft=tuple(one.address for one in routes),
    )
    draft.attributes["PublicIp"] = logic.choose(wanted, draft.attr("address", "floating_ip_address"), shown)


def _asked(nic: ports.Nic, subnet: Resource | None) -> Expression:
    """Whether AWS would give one; a subnet that the template does not have is asked when the address is made."""
    written = logic.entry(nic.entry, "AssociatePublicIpAddress")
    if written is not None:
        return logic.is_true(written)
    if subnet is not None:
        return logic.is_true(property_of(subnet, "MapPublicIpOnLaunch"))
    return logic.FALSE if logic.entry(nic.entry, "SubnetId") is None else logic.TRUE
