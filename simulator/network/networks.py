"""Networks and what shares them with other projects."""

from __future__ import annotations

from typing import Any, ClassVar

from simulator.http import Call, Refusal
from simulator.network.collection import Collection
from simulator.network.errors import bad, conflict, not_authorized, not_found
from simulator.store import Obj
from simulator.world import hidden


class Networks(Collection):
    sdk_name = "network.v2.network.Network"
    path = "/networks"
    noun, missing = "Network", "NetworkNotFound"
    defaults: ClassVar[dict[str, Any]] = {
        "name": "", "admin_state_up": True, "mtu": 1450, "status": "ACTIVE", "subnets": [], "shared": False,
        "availability_zone_hints": [], "availability_zones": [], "ipv4_address_scope": None,
        "ipv6_address_scope": None, "router:external": False, "port_security_enabled": True, "qos_policy_id": None,
        "dns_domain": "", "l2_adjacency": True, "provider:network_type": "geneve",
        "provider:physical_network": None, "provider:segmentation_id": None, "is_default": False,
    }  # fmt: skip
    booleans = frozenset({"admin_state_up", "shared", "router:external", "port_security_enabled", "is_default"})
    admin_sets = frozenset({"shared", "router:external", "is_default", "segments"}) | {
        f"provider:{name}" for name in ("network_type", "physical_network", "segmentation_id")
    }
    admin_sees = frozenset({"provider:network_type", "provider:physical_network", "provider:segmentation_id"})

    def visible(self, call: Call, obj: Obj) -> bool:
        if call.mine(obj) or obj["shared"] or obj["router:external"]:
            return True
        return self.network.is_shared_with(obj["id"], call.project_id)

    def usable(self, call: Call, obj: Obj) -> bool:
        """Whether the caller may put ports there; seeing an external network is not enough."""
        return call.mine(obj) or obj["shared"] or self.network.is_shared_with(obj["id"], call.project_id)

    def before_create(self, call: Call, obj: Obj) -> None:
        check_zone_hints(obj)
        if not obj.get("provider:segmentation_id"):
            obj["provider:segmentation_id"] = 1000 + len(self.table)
        obj["revision_number"] = 1

    def before_delete(self, call: Call, obj: Obj) -> None:
        ports = self.network.ports.table.by("network_id", obj["id"])
        used = [port["id"] for port in ports if port["device_owner"] not in _AUTOMATIC]
        if used:
            raise conflict(
                "NetworkInUse",
                f"Unable to complete operation on network {obj['id']}. There are one or more ports still in use on "
                f"the network, id for these ports is: {','.join(used)}.",
            )

    def after_delete(self, call: Call, obj: Obj) -> None:
        for subnet in self.network.subnets.table.by("network_id", obj["id"]):
            self.network.subnets.drop(subnet)
        self.network.drop_sharing(obj["id"])

    def render(self, call: Call, obj: Obj) -> Obj:
        shown = self.shown(call, hidden(obj))
        shown["subnets"] = [subnet["id"] for subnet in self.network.subnets.table.by("network_id", obj["id"])]
        if not shown["router:external"]:
            shown.pop("is_default", None)
        if not shown["shared"] and not call.mine(obj):
            shown["shared"] = self.network.is_shared_with(obj["id"], call.project_id)
        return shown

    def matches(self, obj: Obj, name: str, values: list[str]) -> bool:
        if name == "subnets":
            return any(subnet["id"] in values for subnet in self.network.subnets.table.by("network_id", obj["id"]))
        return super().matches(obj, name, values)


_AUTOMATIC = frozenset({"network:dhcp"})


def check_zone_hints(obj: Obj) -> None:
    """There is one zone (N25)."""
    for zone in obj.get("availability_zone_hints") or ():
        if zone != "nova":
            raise not_found("AvailabilityZoneNotFound", "AvailabilityZone", zone)


class RbacPolicies(Collection):
    """Sharing one's own objects with other projects (N28)."""

    sdk_name = "network.v2.rbac_policy.RBACPolicy"
    path = "/rbac-policies"
    noun, missing = "RBAC policy", "RbacPolicyNotFound"
    defaults: ClassVar[dict[str, Any]] = {
        "action": None, "object_id": None, "object_type": None, "target_tenant": None,
    }  # fmt: skip
    required = ("object_type", "object_id", "action", "target_tenant")
    read_only = frozenset({"action", "object_id", "object_type"})
    standard = False

    def before_create(self, call: Call, obj: Obj) -> None:
        target = self.network.by_type(obj["object_type"])
        if target is None:
            raise bad(f"Invalid input for object_type. Reason: '{obj['object_type']}' is not in valid_values.")
        shared = target.find(call, obj["object_id"])
        if not call.mine(shared):
            raise not_authorized("rule:create_rbac_policy")
        if obj["target_tenant"] == "*" and not call.is_admin:
            raise not_authorized("(rule:create_rbac_policy and rule:create_rbac_policy:target_tenant)")
        same = {name: obj[name] for name in ("action", "object_id", "target_tenant")}
        if self.table.where(**same):
            raise conflict("DuplicateRbacPolicy", "An RBAC policy already exists with those values.")

    def none(self, object_id: str) -> Refusal:
        return Refusal(404, f"RBAC policy of type with ID {object_id} not found", self.missing)
