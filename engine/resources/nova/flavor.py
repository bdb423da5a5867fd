"""OS::Nova::Flavor (for administrators)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.cloud.errors import Conflict, NotFound
from engine.model.value import Value
from engine.resources.base import Kind, Operation
from engine.resources.declare import attribute, boolean, integer, listing, mapping, named, number, string
from engine.resources.mark import Mark, Row, chosen_id
from engine.resources.nova.nova_type import NovaType
from engine.resources.references import resolve_references


class _IdAndDescription(Mark):
    """The id is ours (M1) unless the user chose it; the description bears the token either way."""

    def put(self, body: dict[str, Any], token: str) -> None:
        if body.get("id") in (None, "", "auto"):
            body["id"] = chosen_id(token)
        body["description"] = token

    async def rows(self, kind: Any, op: Operation) -> list[Row]:
        given = op.properties.get("flavorid")
        try:
            return [await kind.show(op, chosen_id(op.token) if given in (None, "", "auto") else given)]
        except NotFound:
            return []

    def on(self, row: Row, op: Operation) -> bool:
        return row.get("description") == op.token or row.get("id") == chosen_id(op.token)


class Flavor(NovaType):
    name = "OS::Nova::Flavor"
    sdk = "compute.v2.flavor.Flavor"
    mark = _IdAndDescription()
    race_safe = True
    list_suffix = "/detail"
    properties = {
        "tenants": listing(named("project"), default=[], mutable=True, body=""),
        "ram": integer(required=True),
        "vcpus": integer(required=True),
        "disk": integer(default=0),
        "swap": integer(default=0),
        "ephemeral": integer(default=0, body="OS-FLV-EXT-DATA:ephemeral"),
        "rxtx_factor": number(default=1.0),
        "extra_specs": mapping(None, mutable=True, body=""),
        "is_public": boolean(default=True, body="os-flavor-access:is_public"),
        "flavorid": string(body="id"),
        "name": string(),
    }
    attributes = {
        "is_public": attribute(Kind.BOOLEAN, "os-flavor-access:is_public"),
        "extra_specs": attribute(Kind.MAP),
    }

    async def body(self, op: Operation) -> dict[str, Any]:
        body = await super().body(op)
        if body.get("rxtx_factor") == 1.0:
            del body["rxtx_factor"]
        return body

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        await self._bring_specs(op, (), op.properties.get("extra_specs") or {})
        if not op.properties["is_public"]:
            await self._bring_tenants(op)
        row = await self.read_row(op)
        return self.kept(op, row)

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        if "extra_specs" in changed:
            after = op.properties.get("extra_specs") or {}
            before = dict.fromkeys([key for stood in op.stood for key in stood.get("extra_specs") or {}])
            await self._bring_specs(op, [key for key in before if key not in after], {})

    async def _bring_specs(self, op: Operation, gone: Sequence[str], new: Mapping[str, Value]) -> None:
        path = f"{self.path(op)}/os-extra_specs"
        for key in gone:
            try:
                await self.call(op, "DELETE", f"{path}/{key}")
            except NotFound:
                continue
        if new:
            await self.call(op, "POST", path, {"extra_specs": {key: str(value) for key, value in new.items()}})

    async def _bring_tenants(self, op: Operation) -> None:
        """Access for just the listed projects; the own one always has it."""
        ids = await resolve_references(self.properties, {"tenants": op.properties["tenants"]}, op.cloud)
        reply = await self.call(op, "GET", f"{self.path(op)}/os-flavor-access")
        present = {row["tenant_id"] for row in reply["flavor_access"]}
        wanted = set(ids["tenants"])
        for action, tenants in (("addTenantAccess", wanted - present), ("removeTenantAccess", present - wanted)):
            for tenant in sorted(tenants):
                try:
                    await self.call(op, "POST", f"{self.path(op)}/action", {action: {"tenant": tenant}})
                except (Conflict, NotFound):
                    continue  # somebody did it in the meantime
