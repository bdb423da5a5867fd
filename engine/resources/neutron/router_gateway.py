"""OS::Neutron::RouterGateway: the older way to give a router its external network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.cloud.errors import NotFound
from engine.model.value import Value
from engine.resources.base import Gone, Operation
from engine.resources.declare import formerly, named
from engine.resources.neutron.neutron_type import NeutronType
from engine.resources.references import resolve_references


class RouterGateway(NeutronType):
    """The key is the router with its network; setting it twice changes nothing (M4)."""

    name = "OS::Neutron::RouterGateway"
    sdk = "network.v2.router.Router"
    support = "HIDDEN"
    name_key = None
    race_safe = True
    properties = {
        "router_id": named("router", required=True),
        "network": named("network"),
        "network_id": formerly("network", "network"),
    }

    def validate(self, properties: Mapping[str, Value]) -> list[str]:
        if properties.get("network") is None and properties.get("network_id") is None:
            return ["Property network not assigned"]
        return []

    async def prepare(self, op: Operation) -> Mapping[str, Value]:
        return {}

    async def create(self, op: Operation) -> str | None:
        ids = await resolve_references(self.properties, op.properties, op.cloud)
        router, network = ids["router_id"], ids["network"]
        await self._set(op, router, {"network_id": network})
        return f"{router}:{network}"

    async def find(self, op: Operation) -> str | None:
        ids = await resolve_references(self.properties, op.properties, op.cloud)
        found = f"{ids['router_id']}:{ids['network']}"
        try:
            await self._router(op, found)
        except Gone:
            return None
        return found

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        return {"show": await self.read_row(op)}

    async def check(self, op: Operation) -> Mapping[str, Value]:
        return await self.ready(op)

    async def read_row(self, op: Operation) -> dict[str, Any]:
        assert op.physical_id is not None
        return await self._router(op, op.physical_id)

    async def _router(self, op: Operation, key: str) -> dict[str, Any]:
        """The router, if its gateway is the one that `key` names. Raises Gone."""
        router_id, _, network = key.partition(":")
        try:
            router = (await self.call(op, "GET", f"/routers/{router_id}"))["router"]
        except NotFound as error:
            raise Gone(error.message) from error
        if (router.get("external_gateway_info") or {}).get("network_id") != network:
            raise Gone(f"The gateway of router {router_id} is not {network} any more")
        return dict(router)

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        return

    async def delete(self, op: Operation) -> None:
        try:
            router = await self.read_row(op)
        except Gone:
            return
        try:
            await self._set(op, router["id"], {})
        except NotFound:
            return

    async def _set(self, op: Operation, router_id: str, info: Mapping[str, Any]) -> None:
        await self.call(op, "PUT", f"/routers/{router_id}", {"router": {"external_gateway_info": dict(info)}})
