"""Isotherm::Neutron::DefaultRoute: a route table's way out, which is its router's external gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.cloud.errors import NotFound, Permanent
from engine.model.value import Value
from engine.resources.base import Gone, Kind, Operation, OperationFailed
from engine.resources.declare import attribute, boolean, named, string
from engine.resources.isotherm import fabric
from engine.resources.isotherm.choices import external_network
from engine.resources.isotherm.ensured import Ensured

_EVERYWHERE = ("0.0.0.0/0", "::/0")


class DefaultRoute(Ensured):
    """A table's gateway is owned by one route. An equal gateway is not put again: it would turn source translation
    back on where an administrator had turned it off (N2). `address` is the router's own on the external network, the
    source address of everything behind it; it stays as long as the gateway does (N5)."""

    name = "Isotherm::Neutron::DefaultRoute"
    properties = {
        "router": named("router", required=True),
        "destination": string(required=True),
        "network": named("network", mutable=True),
        "enable_snat": boolean(mutable=True),
    }
    attributes = {"address": attribute(), "network": attribute(), "external_gateway_info": attribute(Kind.MAP)}

    def key(self, op: Operation) -> str:
        return f"{op.properties['router']}:{op.properties['destination']}"

    async def ensure(self, op: Operation) -> Mapping[str, Value]:
        if op.properties["destination"] not in _EVERYWHERE:
            raise OperationFailed(
                f"The route to {op.properties['destination']} cannot lead to an external gateway, which is all or "
                "nothing: use 0.0.0.0/0, or an instance as target."
            )
        router = op.properties["router"]
        network = op.properties.get("network") or await external_network(op)
        row = await self._router(op)
        if not _is_so(row, network, op.properties.get("enable_snat")):
            await self._set(op, router, network)
            row = await self._router(op)
        return _shown(row)

    async def _set(self, op: Operation, router: str, network: str) -> None:
        info: dict[str, Any] = {"network_id": network}
        snat = op.properties.get("enable_snat")
        if snat is not None:
            info["enable_snat"] = snat
        body = {"router": {"external_gateway_info": info}}
        try:
            await op.cloud.request("network", "PUT", f"/routers/{router}", json=body)
        except Permanent as error:
            if error.status == 403 and snat is not None:
                raise OperationFailed(
                    "The cloud does not let this user choose whether a router translates addresses, which "
                    "public_subnet_snat = deny needs: the policy rule is "
                    f"update_router:external_gateway_info:enable_snat. {error.message}"
                ) from error
            raise

    async def _router(self, op: Operation) -> dict[str, Any]:
        try:
            return await fabric.router(op.cloud, op.properties["router"])
        except NotFound as error:
            raise Gone(error.message) from error

    async def read(self, op: Operation) -> Mapping[str, Value]:
        row = await self._router(op)
        if not row.get("external_gateway_info"):
            raise OperationFailed(f"Router {op.properties['router']} has no external gateway any more")
        return _shown(row)

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        return  # `ready` brings it about

    async def delete(self, op: Operation) -> None:
        router = op.properties["router"]
        try:
            row = await fabric.router(op.cloud, router)
            if row.get("external_gateway_info"):
                body: dict[str, Any] = {"router": {"external_gateway_info": {}}}
                await op.cloud.request("network", "PUT", f"/routers/{router}", json=body)
        except NotFound:
            return


def _is_so(row: Mapping[str, Any], network: str, snat: bool | None) -> bool:
    info = row.get("external_gateway_info") or {}
    return info.get("network_id") == network and (snat is None or info.get("enable_snat") == snat)


def _shown(row: Mapping[str, Any]) -> Mapping[str, Value]:
    info = row["external_gateway_info"]
    addresses = [one["ip_address"] for one in info.get("external_fixed_ips") or ()]
    ipv4 = [address for address in addresses if ":" not in address]
    shown = ipv4[0] if ipv4 else (addresses[0] if addresses else None)
    return {"address": shown, "network": info["network_id"], "external_gateway_info": info}
