"""What launch configurations and templates say of an instance, as properties of AWS::EC2::Instance.

What becomes of each property is decided by the row of AWS::EC2::Instance; only the names and shapes differ here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from engine.model.expression import Base64, Expression, If, ListConcat, ListOf, Literal, MapOf, NoValue
from mappings import Level
from translators.findings import nearest
from translators.lowering import logic
from translators.lowering.devices import volumes
from translators.lowering.draft import Draft
from translators.lowering.instance import check_interfaces
from translators.lowering.properties import decide
from translators.lowering.user_data import plain_user_data

INSTANCE_TYPE: Final = "AWS::EC2::Instance"
#: The key under which a launch configuration keeps the instance.
INSTANCE: Final = "instance"

#: Properties that instances have under the same name and in the same shape.
_SAME: Final = frozenset({"BlockDeviceMappings", "ImageId", "InstanceType", "KeyName", "UserData"})
#: What launch templates have and instances have not, and why it is ignored; None where nobody need know.
_OWN: Final[dict[str, str | None]] = {
    "CapacityReservationSpecification": "there are no capacity reservations",
    "DisableApiStop": "servers are not locked against being stopped",
    "InstanceMarketOptions": "there are no spot instances; servers stay",
    "MaintenanceOptions": None,
    "NetworkPerformanceOptions": None,
}
_DATA: Final = "LaunchTemplateData"
_OTHER_NAMES: Final = {"RamDiskId": "RamdiskId"}


def of_configuration(draft: Draft) -> MapOf:
    """The instance of an AWS::AutoScaling::LaunchConfiguration."""
    found = [(name, value) for name in sorted(_SAME) if (value := _same(draft, name, draft.prop(name))) is not None]
    public, groups = draft.prop("AssociatePublicIpAddress"), draft.prop("SecurityGroups")
    asked = logic.present(public)
    interface = logic.mapping(DeviceIndex=Literal("0"), AssociatePublicIpAddress=public, GroupSet=groups)
    interfaces = logic.choose(asked, ListOf((interface,)), NoValue())
    own_groups = logic.choose(asked, NoValue(), groups or NoValue())
    found += [("NetworkInterfaces", interfaces), ("SecurityGroupIds", own_groups)]
    made = MapOf(tuple((name, value) for name, value in found if value != NoValue()), span=draft.source.properties.span)
    _look_inside(draft, made)
    return made


def of_template(draft: Draft, data: MapOf) -> MapOf:
    """The instance of LaunchTemplateData."""
    found: dict[str, Expression | None] = {}
    for name, value in data.entries:
        if logic.present(value) == logic.FALSE:
            continue
        found |= _property(draft, name, value)
    made = MapOf(tuple((name, value) for name, value in found.items() if value is not None), span=data.span)
    _look_inside(draft, made)
    return made


def _look_inside(draft: Draft, instance: MapOf) -> None:
    """Tell what is wrong with devices and interfaces now, not when the first instance is made of them."""
    row = draft.world.rows.row(INSTANCE_TYPE)
    if row is None:
        return
    scratch = Draft(replace(draft.source, properties=instance), row, draft.world, draft.findings)
    scratch.add("server", INSTANCE_TYPE, {"image": Literal("")})
    volumes(scratch)
    check_interfaces(scratch)


def _property(draft: Draft, name: str, value: Expression) -> dict[str, Expression | None]:
    match name:
        case "SecurityGroupIds" | "SecurityGroups":
            return {name: value}
        case "NetworkInterfaces":
            return {name: _interfaces(draft, value)}
        case "Placement":
            return _placement(draft, value)
        case "TagSpecifications":
            return {"Tags": _tags(draft, value)}
        case "InstanceRequirements":
            draft.error("PropertyRejected", f"{_DATA} InstanceRequirements cannot be had here.",
                        "Name an InstanceType.", _DATA, name)  # fmt: skip
        case _ if name in _SAME:
            return {name: _same(draft, name, value)}
        case _ if name in _OWN:
            if (why := _OWN[name]) is not None:
                draft.warn("PropertyIgnored", f"{_DATA} {name} is ignored: {why}", _DATA, name)
        case _:
            _decided(draft, _OTHER_NAMES.get(name, name), value, (_DATA, name))
    return {}


def _same(draft: Draft, name: str, value: Expression | None) -> Expression | None:
    """User data is in base64 whatever the dialect: it is read once more where the instance is made."""
    return _encoded(plain_user_data(value, draft)) if name == "UserData" else value


def _encoded(value: Expression | None) -> Expression | None:
    match value:
        case None | NoValue():
            return value
        case If(condition, then, otherwise):
            return If(condition, _encoded(then) or NoValue(), _encoded(otherwise))
        case _:
            return Base64(value)


def _decided(draft: Draft, name: str, value: Expression, path: tuple[str, ...]) -> None:
    """Tell what the row of instances says of a property that has no effect; one that none has is an error."""
    row = draft.world.rows.row(INSTANCE_TYPE)
    decision = None if row is None else row.decisions.get(name)
    if decision is None or decision.level in (Level.MAPPED, Level.EMULATED):
        known = sorted({*_SAME, *_OWN, "NetworkInterfaces", "Placement", "SecurityGroupIds", "TagSpecifications"})
        draft.error("UnsupportedProperty", f"Encountered unsupported property {path[-1]}",
                    f"It is not one of {path[0]} {nearest(path[-1], known)}".strip(), *path)  # fmt: skip
        return
    decide(draft, f"{path[0]} {path[-1]}", value, decision, path)


def _interfaces(draft: Draft, value: Expression) -> Expression:
    listed = logic.items(value)
    if listed is None:
        draft.error("NotWrittenOut", "NetworkInterfaces must be a list.", "Write the interfaces out.", _DATA,
                    "NetworkInterfaces")  # fmt: skip
        return ListOf(())
    return ListOf(tuple(_renamed(one) for one in listed))


def _renamed(interface: Expression) -> Expression:
    """Launch templates say Groups where instances say GroupSet."""
    if not isinstance(interface, MapOf):
        return interface
    entries = (("GroupSet" if name == "Groups" else name, value) for name, value in interface.entries)
    return MapOf(tuple(entries), span=interface.span)


def _placement(draft: Draft, value: Expression) -> dict[str, Expression | None]:
    same = {"AvailabilityZone", "Tenancy", "HostId", "HostResourceGroupArn", "Affinity"}
    for key in logic.keys(value):
        inner = logic.entry(value, key)
        if key == "AvailabilityZone" or inner is None:
            continue
        name = key if key in same else "PlacementGroupName"
        _decided(draft, name, inner, (_DATA, "Placement", key))
    return {"AvailabilityZone": logic.entry(value, "AvailabilityZone")}


def _tags(draft: Draft, value: Expression) -> Expression | None:
    """Those of instances; volumes get the tags of the stack."""
    found: list[Expression] = []
    for one in logic.items(value) or ():
        if logic.text(logic.entry(one, "ResourceType")) == "instance":
            found += _listed(logic.entry(one, "Tags"))
    return ListConcat(ListOf(tuple(found))) if found else None


def _listed(tags: Expression | None) -> Iterable[Expression]:
    return () if tags is None else (tags,)
