"""The ports of instances: which member, or which interface of the template, is whose."""

from __future__ import annotations

from dataclasses import dataclass

from engine.model.expression import Expression, ResourceRef
from engine.model.template import Resource
from translators.lowering import logic, network
from translators.lowering.world import World, property_of


@dataclass(frozen=True, slots=True)
class Nic:
    """`port` is a reference to it; `member` its name when the instance makes it; `entry` holds what is written."""

    port: Expression
    member: str | None
    entry: Expression


def nics(instance: Resource) -> list[Nic]:
    """The instance's interfaces in the order of their device index; one that is made of the instance's own
    properties when it lists none."""
    listed = logic.items(property_of(instance, "NetworkInterfaces"))
    if not listed:
        return [Nic(ResourceRef(f"{instance.address}/port"), "port", instance.properties)]
    found: list[tuple[int, Nic]] = []
    for position, entry in enumerate(listed):
        written = logic.text(logic.entry(entry, "DeviceIndex"))
        index = int(written) if written is not None and written.isdigit() else position
        existing = logic.entry(entry, "NetworkInterfaceId")
        name = "port" if index == 0 else f"port{index}"
        port = existing if existing is not None else ResourceRef(f"{instance.address}/{name}")
        found.append((index, Nic(port, None if existing is not None else name, entry)))
    return [nic for _, nic in sorted(found, key=lambda one: one[0])]


def primary_port(instance: Resource) -> Expression:
    return nics(instance)[0].port


def subnet_of(world: World, nic: Nic) -> Resource | None:
    """The subnet that the interface is in, when it is one of the template."""
    entry = nic.entry
    if nic.member is None:
        interface = world.named(nic.port, network.INTERFACE)
        return None if interface is None else world.named(property_of(interface, "SubnetId"), network.SUBNET)
    return world.named(logic.entry(entry, "SubnetId"), network.SUBNET)


def subnet_of_instance(world: World, instance: Resource) -> Resource | None:
    return subnet_of(world, nics(instance)[0])


def address_of(world: World, nic: Nic) -> Expression | None:
    """The primary address of an interface of the template: a port may have several, in no order."""
    if nic.member is not None and isinstance(nic.port, ResourceRef):
        return logic.attribute(nic.port.address, "address")
    interface = world.named(nic.port, network.INTERFACE)
    return None if interface is None else logic.attribute(f"{interface.address}/port", "address")
