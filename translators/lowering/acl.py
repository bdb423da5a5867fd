"""Network ACLs and endpoints of services: kept, not enforced, and that is told (vpc-on-neutron.md §3.1)."""

from __future__ import annotations

from engine.model.template import Resource
from translators.lowering import logic
from translators.lowering.draft import Draft
from translators.lowering.world import property_of

ACL, ENTRY = "AWS::EC2::NetworkAcl", "AWS::EC2::NetworkAclEntry"
ASSOCIATION = "AWS::EC2::SubnetNetworkAclAssociation"
_EVERYONE = ("0.0.0.0/0", "::/0")


def network_acl(draft: Draft) -> None:
    """Rules that allow everything are silent; any other set is a warning, or an error by the option network_acl."""
    world = draft.world
    if all(_allows_all(one) for one in _of(draft, ENTRY)):
        return
    subnets = sorted(name for one in _of(draft, ASSOCIATION) for name in world.mentioned(property_of(one, "SubnetId")))
    of = f" of {', '.join(subnets)}" if subnets else ""
    told = f"The rules of network ACL {draft.source.address}{of} are not enforced; use security groups."
    if world.rows.options["network_acl"] == "error":
        draft.error("NetworkAclNotEnforced", told, "Take the ACL out, or set the option network_acl = warn.")
    else:
        draft.warn("NetworkAclNotEnforced", told)


def _of(draft: Draft, kind: str) -> list[Resource]:
    """Entries or associations of this ACL."""
    world = draft.world
    return [one for one in world.of_type(kind) if world.named(property_of(one, "NetworkAclId"), ACL) is draft.source]


def _allows_all(entry: Resource) -> bool:
    action, protocol = (logic.text(property_of(entry, name)) for name in ("RuleAction", "Protocol"))
    cidr = logic.text(property_of(entry, "CidrBlock") or property_of(entry, "Ipv6CidrBlock"))
    return action == "allow" and protocol == "-1" and cidr in _EVERYONE


def endpoint(draft: Draft) -> None:
    draft.warn(
        "NoEndpoint",
        f"{draft.source.address}: there is no private path to services; they are reached as the subnet's routes allow.",
    )
