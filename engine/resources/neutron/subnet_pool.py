"""OS::Neutron::SubnetPool."""

from __future__ import annotations

from engine.resources.declare import TAGS, between, boolean, custom, integer, length, listing, named, string
from engine.resources.neutron.neutron_type import NeutronType


class SubnetPool(NeutronType):
    name = "OS::Neutron::SubnetPool"
    sdk = "network.v2.subnet_pool.SubnetPool"
    unsaid = frozenset({"is_default", "shared"})
    properties = {
        "name": string(mutable=True),
        "prefixes": listing(string(custom("net_cidr")), length(1), required=True, mutable=True),
        "address_scope": named("address_scope", mutable=True, body="address_scope_id"),
        "default_quota": integer(between(0), mutable=True),
        "default_prefixlen": integer(between(0), mutable=True),
        "min_prefixlen": integer(between(0), mutable=True),
        "max_prefixlen": integer(between(0), mutable=True),
        "is_default": boolean(default=False, mutable=True),
        "tenant_id": string(),
        "shared": boolean(default=False),
        "tags": TAGS,
    }
