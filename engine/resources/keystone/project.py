"""OS::Keystone::Project (for administrators)."""

from __future__ import annotations

from engine.resources.base import Kind
from engine.resources.declare import attribute, attributes, boolean, listing, named, string
from engine.resources.keystone.keystone_type import KeystoneType


class Project(KeystoneType):
    name = "OS::Keystone::Project"
    sdk = "identity.v3.project.Project"
    properties = {
        "name": string(mutable=True),
        "domain": named("domain", default="default", mutable=True, body="domain_id"),
        "description": string(default="", mutable=True),
        "enabled": boolean(default=True, mutable=True),
        "parent": named("project", body="parent_id"),
        "tags": listing(None, default=[], mutable=True),
    }
    attributes = {
        **attributes("name", "parent_id", "domain_id"),
        "enabled": attribute(Kind.BOOLEAN),
        "is_domain": attribute(Kind.BOOLEAN),
    }
