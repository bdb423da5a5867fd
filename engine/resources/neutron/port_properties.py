"""Properties that a port has, whether it stands alone or comes with a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.model.value import Value
from engine.resources.base import Property
from engine.resources.declare import VALUE_SPECS, boolean, custom, listing, mapping, named, one_of, string

VNIC_TYPES: Final = one_of(
    "normal", "direct", "macvtap", "direct-physical", "baremetal", "virtio-forwarder", "smart-nic"
)

#: What `port_extra_properties` of a server's network has too.
EXTRA: Final[Mapping[str, Property]] = {
    "value_specs": VALUE_SPECS,
    "admin_state_up": boolean(default=True, mutable=True),
    "mac_address": string(custom("mac_addr")),
    "allowed_address_pairs": listing(
        mapping(
            {
                "mac_address": string(custom("mac_addr")),
                "ip_address": string(custom("ip_or_cidr"), required=True),
            }
        ),
        mutable=True,
    ),
    "binding:vnic_type": string(VNIC_TYPES, default="normal", mutable=True),
    "port_security_enabled": boolean(mutable=True),
    "qos_policy": named("qos_policy", mutable=True, body="qos_policy_id"),
    "propagate_uplink_status": boolean(mutable=True),
    "no_fixed_ips": boolean(default=False, mutable=True, body=""),
}


def tidy(body: dict[str, Any], properties: Mapping[str, Value]) -> dict[str, Any]:
    """What defaults would say anyway is left out of a create: naming it needs extensions or rights of its own."""
    if body.get("binding:vnic_type") == "normal":
        del body["binding:vnic_type"]
    if properties.get("no_fixed_ips"):
        body["fixed_ips"] = []
    return body
