"""OS::Keystone::User (for administrators)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.cloud.errors import NotFound
from engine.model.value import Value
from engine.resources.base import Kind, Operation
from engine.resources.declare import attribute, attributes, boolean, listing, mapping, maps_of, named, string
from engine.resources.keystone.keystone_type import KeystoneType
from engine.resources.references import resolve_references


class User(KeystoneType):
    name = "OS::Keystone::User"
    sdk = "identity.v3.user.User"
    properties = {
        "name": string(mutable=True),
        "domain": named("domain", default="default", mutable=True, body="domain_id"),
        "description": string(default="", mutable=True),
        "enabled": boolean(default=True, mutable=True),
        "email": string(mutable=True),
        "password": string(mutable=True, secret=True),
        "default_project": named("project", mutable=True, body="default_project_id"),
        "groups": listing(named("group"), mutable=True, body=""),
        "roles": listing(
            mapping({"role": named("role", required=True), "project": named("project"), "domain": named("domain")}),
            mutable=True,
            body="",
        ),
    }
    attributes = {
        **attributes("name", "default_project_id", "domain_id", "password_expires_at"),
        "enabled": attribute(Kind.BOOLEAN),
    }

    def validate(self, properties: Mapping[str, Value]) -> list[str]:
        found = []
        for position, one in maps_of(properties.get("roles")):
            if (one.get("project") is None) == (one.get("domain") is None):
                found.append(f"roles[{position}]: a role is given on either a project or a domain")
        return found

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        await self._memberships(op, await self._wanted(op, op.properties), "PUT")
        return await super().ready(op)

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        await super().update(op, changed - {"groups", "roles"})
        if changed & {"groups", "roles"}:
            wanted = await self._wanted(op, op.properties)
            before = dict.fromkeys([path for stood in op.stood for path in await self._wanted(op, stood)])
            gone = [path for path in before if path not in wanted]
            await self._memberships(op, gone, "DELETE")

    async def changes(self, op: Operation, changed: frozenset[str]) -> dict[str, Any]:
        body = await super().changes(op, changed)
        return {name: value for name, value in body.items() if value is not None or name != "password"}

    async def _wanted(self, op: Operation, properties: Mapping[str, Value]) -> list[str]:
        """The path of every group membership and role assignment; PUT makes one, DELETE takes it away."""
        given = {name: properties.get(name) or [] for name in ("groups", "roles")}
        ids = await resolve_references(self.properties, given, op.cloud)
        paths = [f"/groups/{group}/users/{op.physical_id}" for group in ids["groups"]]
        for one in ids["roles"]:
            place = f"projects/{one['project']}" if one.get("project") else f"domains/{one['domain']}"
            paths.append(f"/{place}/users/{op.physical_id}/roles/{one['role']}")
        return paths

    async def _memberships(self, op: Operation, paths: list[str], method: str) -> None:
        for path in paths:
            try:
                await self.call(op, method, path)
            except NotFound:
                if method == "PUT":
                    raise
