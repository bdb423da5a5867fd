"""AWS::EC2::Instance and NetworkInterface: ports, server, zone, attributes, signals."""

from __future__ import annotations

from engine.model.expression import (
    AvailabilityZones,
    Concat,
    Expression,
    Join,
    ListOf,
    Literal,
    Pseudo,
    PseudoRef,
    Select,
    Split,
)
from engine.model.nearest import did_you_mean
from engine.model.template import DeletionPolicy
from translators.lowering import logic, network, ports
from translators.lowering.devices import volumes
from translators.lowering.draft import Draft
from translators.lowering.language import tag_list
from translators.lowering.public_address import public_address
from translators.lowering.signals import await_signals, signal_box
from translators.lowering.user_data import plain_user_data
from translators.lowering.world import property_of

_NIC_KEYS = frozenset(
    {
        "AssociatePublicIpAddress",
        "DeleteOnTermination",
        "Description",
        "DeviceIndex",
        "GroupSet",
        "NetworkInterfaceId",
        "PrivateIpAddress",
        "PrivateIpAddresses",
        "SecondaryPrivateIpAddressCount",
        "SubnetId",
    }
)


def instance(draft: Draft) -> None:
    if draft.prop("ImageId") is None and draft.prop("LaunchTemplate") is None:
        draft.error("PropertyMissing", f"{draft.source.address}: there is no image.", "Give the ImageId.")
    if logic.items(draft.prop("NetworkInterfaces")) is None:
        draft.error("NotWrittenOut", "NetworkInterfaces must be a list.", "Write the interfaces out.",
                    "NetworkInterfaces")  # fmt: skip
        return
    _ports(draft)
    _server(draft)
    volumes(draft)
    public_address(draft)
    _attributes(draft)
    _signals(draft)


# --- ports ----------------------------------------------------------------------------------------------------------
def _ties(draft: Draft) -> Expression:
    """What makes a new server, and therefore, because a port serves one server, new ports."""
    return ListOf(tuple(value for name, value in draft.source.properties.entries if name in draft.row.replace_on))


def check_interfaces(draft: Draft) -> None:
    """Report what interfaces that are written out have and cannot have."""
    if logic.items(draft.prop("NetworkInterfaces")):
        for position, nic in enumerate(ports.nics(draft.source)):
            _check_nic(draft, nic, position)


def _ports(draft: Draft) -> None:
    listed = bool(logic.items(draft.prop("NetworkInterfaces")))
    check_interfaces(draft)
    for nic in ports.nics(draft.source):
        if nic.member is None:
            continue
        groups = logic.entry(nic.entry, "GroupSet") if listed else _groups(draft)
        made = draft.add(
            nic.member,
            "Isotherm::Neutron::Interface",
            {
                **interface_properties(nic.entry),
                "security_groups": groups,
                "allowed_address_pairs": forwarding(draft.prop("SourceDestCheck")),
                "tied_to": _ties(draft),
                "tags": tag_list(draft),
            },
        )
        if logic.is_true(logic.entry(nic.entry, "DeleteOnTermination") or Literal(True)) == logic.FALSE:
            made.deletion_policy = DeletionPolicy.RETAIN


def _groups(draft: Draft) -> Expression | None:
    by_id = draft.prop("SecurityGroupIds")
    return draft.prop("SecurityGroups") if by_id is None else by_id


def interface_properties(entry: Expression) -> dict[str, Expression | None]:
    """Properties of `Isotherm::Neutron::Interface` that an interface and an instance's own share."""
    listed = logic.items(logic.entry(entry, "PrivateIpAddresses")) or []
    primary = [one for one in listed if logic.is_true(logic.entry(one, "Primary")) == logic.TRUE]
    more = [logic.entry(one, "PrivateIpAddress") for one in listed if one not in primary]
    address = logic.entry(entry, "PrivateIpAddress")
    if address is None and primary:
        address = logic.entry(primary[0], "PrivateIpAddress")
    return {
        "subnet": logic.entry(entry, "SubnetId"),
        "address": address,
        "more_addresses": ListOf(tuple(one for one in more if one is not None)) if more else None,
        "more_count": logic.entry(entry, "SecondaryPrivateIpAddressCount"),
    }


def forwarding(check: Expression | None) -> Expression | None:
    """SourceDestCheck=false: the port may send and receive for any address."""
    if check is None or logic.is_true(check) == logic.TRUE:
        return None
    families = (Literal("0.0.0.0/0"), Literal("::/0"))
    everything = ListOf(tuple(logic.mapping(ip_address=family) for family in families))
    return logic.choose(logic.is_true(check), ListOf(()), everything)


def _check_nic(draft: Draft, nic: ports.Nic, position: int) -> None:
    place = ("NetworkInterfaces", str(position))
    for key in logic.keys(nic.entry):
        if key not in _NIC_KEYS:
            way_out = did_you_mean(key, _NIC_KEYS) or f"An interface has {', '.join(sorted(_NIC_KEYS))}."
            draft.error("UnsupportedProperty", f"Encountered unsupported property {key}", way_out, *place, key)
    for name in ("SubnetId", "SecurityGroupIds", "SecurityGroups", "PrivateIpAddress"):
        if draft.prop(name) is not None and position == 0:
            draft.error("PropertyConflict", f"NetworkInterfaces and {name} cannot be given together.",
                        f"Move {name} into the interface.", name)  # fmt: skip


# --- the server -----------------------------------------------------------------------------------------------------
def _server(draft: Draft) -> None:
    server = draft.members["server"]
    own = ports.nics(draft.source)
    server.properties["tied_to"] = _ties(draft)
    server.properties["networks"] = ListOf(tuple(logic.mapping(port=nic.port) for nic in own))
    text = plain_user_data(draft.prop("UserData"), draft)
    if text is not None:
        server.properties["user_data"] = text
    zone = _zone(draft)
    if zone is not None:
        server.properties["availability_zone"] = zone
    for nic in own:
        subnet = ports.subnet_of(draft.world, nic)
        if subnet is None:
            continue
        for table in network.tables_of(draft.world, subnet).tables:
            # The way out is there at boot: cloud-init and cfn-signal need it.
            server.soft += [route.address for route in network.routes_of(draft.world, table)]


def _zone(draft: Draft) -> Expression | None:
    """The instance's zone, or that of its subnet in the template."""
    if draft.prop("AvailabilityZone") is not None:
        draft.add("zone", "Isotherm::Nova::Zone", {"name": draft.prop("AvailabilityZone")})
        return draft.ref("zone")
    subnet = ports.subnet_of_instance(draft.world, draft.source)
    if subnet is None or property_of(subnet, "AvailabilityZone") is None:
        return None
    return logic.attribute(f"{subnet.address}/zone", "zone")


# --- attributes and signals -------------------------------------------------------------------------------------------
def _attributes(draft: Draft) -> None:
    nic = ports.nics(draft.source)[0]
    interface = draft.world.named(nic.port, network.INTERFACE)
    where = draft.address("port") if nic.member is not None else None
    if interface is not None:
        where = f"{interface.address}/port"
    private: Expression = logic.attribute(draft.address("server"), "first_address")
    if where is not None:
        private = logic.attribute(where, "address")
        draft.attributes["VpcId"] = logic.attribute(where, "vpc")
    draft.attributes["PrivateIp"] = private
    dashed = Join(Literal("-"), (Split(Literal("."), private),))
    draft.attributes["PrivateDnsName"] = Concat(
        (Literal("ip-"), dashed, Literal("."), PseudoRef(Pseudo.REGION), Literal(".compute.internal"))
    )
    draft.attributes["PublicDnsName"] = draft.attributes["PublicIp"]
    draft.attributes["AvailabilityZone"] = draft.prop("AvailabilityZone") or _zone_shown(draft)


def _zone_shown(draft: Draft) -> Expression:
    subnet = ports.subnet_of_instance(draft.world, draft.source)
    written = None if subnet is None else property_of(subnet, "AvailabilityZone")
    return Select(Literal(0), AvailabilityZones(Literal(""))) if written is None else written


def _signals(draft: Draft) -> None:
    """CreationPolicy: the instance is complete when it has said so as often as asked. What takes the signals is
    emptied before the server boots."""
    if logic.entry(draft.source.creation_policy, "ResourceSignal") is not None:
        signal_box(draft, draft.members["server"], _ties(draft))
        await_signals(draft, draft.ref("server"))


# --- interfaces -------------------------------------------------------------------------------------------------------
def network_interface(draft: Draft) -> None:
    port = draft.members["port"]
    shared = interface_properties(draft.source.properties)
    port.properties |= {name: value for name, value in shared.items() if value is not None}
    pairs = forwarding(draft.prop("SourceDestCheck"))
    if pairs is not None:
        port.properties["allowed_address_pairs"] = pairs
    description = draft.prop("Description")
    if description is not None:
        port.properties["value_specs"] = logic.mapping(description=description)
