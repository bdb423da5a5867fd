"""Rules of security groups (vpc-on-neutron.md §4). Protocols and ports are normalised where the rules are made, because
their values may be parameters; here it is decided which rules there are."""

from __future__ import annotations

import ipaddress

from engine.model.dynamic import OPENING
from engine.model.expression import Expression, If, ListConcat, ListOf, Literal, MapOf, NoValue
from engine.model.nearest import did_you_mean
from translators.lowering import logic
from translators.lowering.draft import Draft
from translators.lowering.world import property_of

GROUP, EGRESS = "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress"

_PORTS = {"protocol": "IpProtocol", "port_min": "FromPort", "port_max": "ToPort", "description": "Description"}
_INGRESS = {"CidrIp": "cidr", "CidrIpv6": "cidr", "SourceSecurityGroupId": "group", "SourceSecurityGroupName": "group"}
_EGRESS = {"CidrIp": "cidr", "CidrIpv6": "cidr", "DestinationSecurityGroupId": "group"}
_BLOCKS = ("CidrIp", "CidrIpv6")
_SOURCES = {"ingress": _INGRESS, "egress": _EGRESS}
_UNSUPPORTED = ("SourcePrefixListId", "DestinationPrefixListId")
_SILENT = ("SourceSecurityGroupOwnerId",)


def group(draft: Draft) -> None:
    """Fill the group's rules; the open default for egress stays unless the template has egress rules for it."""
    made = draft.members["group"]
    if logic.text(draft.prop("GroupName")) == "default":
        draft.error("ReservedName", "A security group cannot be named 'default'.", "Choose another GroupName.",
                    "GroupName")  # fmt: skip
    inbound = _inline(draft, "SecurityGroupIngress", "ingress")
    outbound = _inline(draft, "SecurityGroupEgress", "egress")
    made.properties["rules"] = _together(inbound, outbound)
    made.properties["open_egress"] = logic.negated(logic.either(_closing(draft)))


def _closing(draft: Draft) -> list[Expression]:
    """Conditions any of which takes the open default away: an inline list that is not empty, an egress resource."""
    written = draft.prop("SecurityGroupEgress")
    found = [] if written is None or logic.items(written) == [] else [logic.present(written)]
    found += [
        one.condition or logic.TRUE
        for one in draft.world.of_type(EGRESS)
        if draft.world.named(property_of(one, "GroupId"), GROUP) is draft.source
    ]
    return found


def _together(*lists: Expression | None) -> Expression:
    given = [one for one in lists if one is not None]
    if len(given) == 1:
        return given[0]
    if all(isinstance(one, ListOf) for one in given):
        return ListOf(tuple(item for one in given for item in logic.items(one) or ()))
    return ListConcat(ListOf(tuple(given)))


def _inline(draft: Draft, name: str, direction: str) -> Expression | None:
    """The rules of a list; entries may hang on conditions."""
    written = draft.prop(name)
    if written is None:
        return None
    return _mapped(written, draft, direction, (name,))


def _mapped(written: Expression, draft: Draft, direction: str, path: tuple[str, ...]) -> Expression:
    match written:
        case If(condition, then, otherwise):
            other = NoValue() if otherwise is None else _mapped(otherwise, draft, direction, path)
            return If(condition, _mapped(then, draft, direction, path), other)
        case MapOf() | Literal(dict()):
            return _rule(written, draft, direction, path)
        case NoValue():
            return written
        case _:
            listed = logic.items(written)
            if listed is None:
                draft.error("NotWrittenOut", f"{path[0]} must be a list of rules.", "Write the rules out.", *path)
                return NoValue()
            return ListOf(
                tuple(_mapped(one, draft, direction, (*path, str(position))) for position, one in enumerate(listed))
            )


def _rule(written: Expression, draft: Draft, direction: str, path: tuple[str, ...]) -> Expression:
    """One rule in loose terms: protocol, port_min, port_max, one of cidr and group."""
    sources = _SOURCES[direction]
    for key in logic.keys(written):
        if key in _UNSUPPORTED:
            draft.error("PropertyRejected", f"{key} cannot be had here.",
                        "Prefix lists are not supported yet; write the CIDR blocks.", *path, key)  # fmt: skip
        elif path and key not in sources and key not in _PORTS.values() and key not in _SILENT:
            way_out = did_you_mean(key, (*sources, *_PORTS.values()))
            known = f"A rule has {', '.join(_PORTS.values())} and one of {', '.join(sources)}."
            draft.error("UnsupportedProperty", f"Encountered unsupported property {key}", way_out or known, *path, key)
    given = [name for name in sources if logic.present(logic.entry(written, name)) != logic.FALSE]
    sure = [name for name in given if logic.present(logic.entry(written, name)) == logic.TRUE]
    if not given and not set(logic.keys(written)) & set(_UNSUPPORTED):
        draft.error("RuleWithoutSource", "The rule says nothing about the other side.",
                    f"Give one of {', '.join(sources)}.", *path)  # fmt: skip
    if len(sure) > 1:
        draft.error("PropertyConflict", f"Only one of {', '.join(sure)} can be given.",
                    "Write a rule for each.", *path)  # fmt: skip
    if path and logic.entry(written, "IpProtocol") is None and not draft.of_heat:
        draft.error("PropertyMissing", "The rule has no IpProtocol.", "Write -1 for every protocol.", *path)
    _check_values(written, draft, given, path)
    return logic.mapping(
        direction=Literal(direction),
        **{name: logic.entry(written, key) for name, key in _PORTS.items()},
        **_source(written, given),
    )


def _check_values(written: Expression, draft: Draft, sources: list[str], path: tuple[str, ...]) -> None:
    """Ports that are no numbers and blocks that are none, where they are written out."""
    for name in ("FromPort", "ToPort"):
        port = _plain(logic.entry(written, name))
        if port and not port.removeprefix("-").isdecimal():
            draft.error("PropertyType", f"{name} {port!r} is no number.", "Write the number of the port.", *path, name)
    for name in sources:
        block = _plain(logic.entry(written, name)) if name in _BLOCKS else None
        if block and not _is_block(block):
            draft.error("PropertyConstraint", f"CIDR block {block} is malformed", "Write it like 10.0.0.0/16.",
                        *path, name)  # fmt: skip


def _plain(value: Expression | None) -> str | None:
    """Text that stands for itself."""
    text = logic.text(value)
    return None if text is None or OPENING in text else text


def _is_block(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _source(written: Expression, given: list[str]) -> dict[str, Expression]:
    found: dict[str, Expression] = {}
    for name in given:
        kind, value = {**_INGRESS, **_EGRESS}[name], logic.entry(written, name)
        assert value is not None
        earlier = found.get(kind)
        # Two that are there on opposite conditions: whichever is.
        found[kind] = value if earlier is None else logic.choose(logic.present(value), value, earlier)
    return found


def ingress(draft: Draft) -> None:
    _single(draft, "ingress")


def egress(draft: Draft) -> None:
    _single(draft, "egress")


def _single(draft: Draft, direction: str) -> None:
    group_id = draft.prop("GroupId") or draft.prop("GroupName")
    if group_id is None:
        draft.error("PropertyMissing", f"{draft.source.address}: the rule belongs to no group.", "Give the GroupId.")
    rule = _rule(draft.source.properties, draft, direction, ())
    draft.add("rule", "Isotherm::Neutron::GroupRule", {"security_group": group_id, "rule": rule})
    draft.reference = draft.ref("rule")
    draft.attributes["Id"] = draft.ref("rule")
