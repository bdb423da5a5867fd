"""OS::Keystone::Role (for administrators)."""

from __future__ import annotations

from engine.resources.declare import named, string
from engine.resources.keystone.keystone_type import KeystoneType


class Role(KeystoneType):
    name = "OS::Keystone::Role"
    sdk = "identity.v3.role.Role"
    properties = {"name": string(mutable=True), "domain": named("domain", body="domain_id")}
