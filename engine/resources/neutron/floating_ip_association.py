"""OS::Neutron::FloatingIPAssociation: leads a floating ip to a port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.cloud.errors import NotFound
from engine.model.value import Value
from engine.resources.base import Gone, Operation
from engine.resources.declare import custom, named, string
from engine.resources.neutron.neutron_type import NeutronType
from engine.resources.references import resolve_references


class FloatingIPAssociation(NeutronType):
    """The key is the floating ip with the port; associating twice changes nothing (M4)."""

    name = "OS::Neutron::FloatingIPAssociation"
    sdk = "network.v2.floating_ip.FloatingIP"
    name_key = None
    race_safe = True
    properties = {
        "floatingip_id": string(required=True, mutable=True, refers="floating_ip"),
        "port_id": named("port", required=True, mutable=True),
        "fixed_ip_address": string(custom("ip_addr"), mutable=True),
    }

    async def prepare(self, op: Operation) -> Mapping[str, Value]:
        return {}

    async def create(self, op: Operation) -> str | None:
        await self._associate(op)
        return op.physical_name()

    async def find(self, op: Operation) -> str | None:
        try:
            await self.read_row(op)
        except Gone:
            return None
        return op.physical_name()

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        return {"show": await self.read_row(op)}

    async def check(self, op: Operation) -> Mapping[str, Value]:
        return await self.ready(op)

    async def read_row(self, op: Operation) -> dict[str, Any]:
        ids = await resolve_references(self.properties, op.properties, op.cloud)
        try:
            row = (await self.call(op, "GET", f"/floatingips/{ids['floatingip_id']}"))["floatingip"]
        except NotFound as error:
            raise Gone(error.message) from error
        if row.get("port_id") != ids["port_id"]:
            raise Gone(f"Floating ip {row.get('floating_ip_address')} does not lead to port {ids['port_id']} any more")
        return dict(row)

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        if "floatingip_id" in changed and op.before.get("floatingip_id"):
            await self._release(op, op.before)
        await self._associate(op)

    async def delete(self, op: Operation) -> None:
        await self._release(op, op.properties)

    async def _associate(self, op: Operation) -> None:
        ids = await resolve_references(self.properties, op.properties, op.cloud)
        body = {"port_id": ids["port_id"], "fixed_ip_address": ids.get("fixed_ip_address")}
        await self.call(op, "PUT", f"/floatingips/{ids['floatingip_id']}", {"floatingip": body})

    async def _release(self, op: Operation, properties: Mapping[str, Value]) -> None:
        """Take the port away, unless the floating ip leads elsewhere by now."""
        try:
            ids = await resolve_references(self.properties, properties, op.cloud)
            path = f"/floatingips/{ids['floatingip_id']}"
            row = (await self.call(op, "GET", path))["floatingip"]
            if row.get("port_id") == ids["port_id"]:
                await self.call(op, "PUT", path, {"floatingip": {"port_id": None}})
        except NotFound:
            return
