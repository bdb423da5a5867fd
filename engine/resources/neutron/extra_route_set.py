"""OS::Neutron::ExtraRouteSet: routes added to a router, each by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.cloud.errors import NotFound
from engine.model.value import Value
from engine.resources.base import Differing, Gone, Operation, OperationFailed
from engine.resources.declare import custom, listing, mapping, named, string
from engine.resources.neutron.neutron_type import NeutronType
from engine.resources.references import resolve_references

Routes = list[dict[str, str]]


class ExtraRouteSet(NeutronType):
    """The key is (router, destination, next hop); adding twice changes nothing, and nobody else's routes are touched
    (extension `extraroute-atomic`)."""

    name = "OS::Neutron::ExtraRouteSet"
    sdk = "network.v2.router.Router"
    name_key = None
    race_safe = True
    properties = {
        "router": named("router", required=True),
        "routes": listing(
            mapping(
                {
                    "destination": string(custom("net_cidr"), required=True),
                    "nexthop": string(custom("ip_addr"), required=True),
                }
            ),
            default=[],
            mutable=True,
        ),
    }

    async def prepare(self, op: Operation) -> Mapping[str, Value]:
        """Refuse routes that somebody else has made: they would go with this resource."""
        router, routes = await self._router(op), op.properties["routes"]
        taken = sorted(destination for destination, _ in _keys(routes) & await self._present(op, router))
        if taken:
            raise OperationFailed(f"Router {router} already has routes to {', '.join(taken)}; somebody else made them")
        return {"absent": True}

    async def create(self, op: Operation) -> str | None:
        router = await self._router(op)
        await self._change(op, router, "add_extraroutes", op.properties["routes"])
        return f"{router}:{op.token}"

    async def find(self, op: Operation) -> str | None:
        router, routes = await self._router(op), _keys(op.properties["routes"])
        if not op.data.get("absent") or not routes or routes - await self._present(op, router):
            return None
        return f"{router}:{op.token}"

    async def _present(self, op: Operation, router: str) -> set[tuple[str, str]]:
        return _keys((await self.call(op, "GET", f"/routers/{router}"))["router"].get("routes") or [])

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        return {"show": await self.read_row(op)}

    async def check(self, op: Operation) -> Mapping[str, Value]:
        row = await self.read_row(op)
        missing = _keys(op.properties["routes"]) - _keys(row.get("routes") or [])
        if missing:
            told = ", ".join(f"{destination} by {nexthop}" for destination, nexthop in sorted(missing))
            raise OperationFailed(f"The router has lost routes: {told}")
        return {"show": row}

    async def drift(self, op: Operation) -> Sequence[Differing]:
        """Routes of others are left alone."""
        row, wanted = await self.read_row(op), op.properties["routes"]
        present = row.get("routes") or []
        return [] if _keys(wanted) <= _keys(present) else [Differing("routes", wanted, present)]

    async def read_row(self, op: Operation) -> dict[str, Any]:
        try:
            return dict((await self.call(op, "GET", f"/routers/{await self._router(op)}"))["router"])
        except NotFound as error:
            raise Gone(error.message) from error

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        router = await self._router(op)
        after = op.properties["routes"]
        for stood in op.stood:
            await self._change(op, router, "remove_extraroutes", _without(stood.get("routes") or [], after))
        await self._change(op, router, "add_extraroutes", [route for route in after if not all(
            route in (stood.get("routes") or []) for stood in op.stood)])  # fmt: skip

    async def delete(self, op: Operation) -> None:
        try:
            await self._change(op, await self._router(op), "remove_extraroutes", op.properties["routes"])
        except NotFound:
            return

    async def _router(self, op: Operation) -> str:
        if op.physical_id is not None:
            return op.physical_id.partition(":")[0]
        ids = await resolve_references(self.properties, {"router": op.properties["router"]}, op.cloud)
        return str(ids["router"])

    async def _change(self, op: Operation, router: str, action: str, routes: Sequence[Mapping[str, str]]) -> None:
        if routes:
            body = {"router": {"routes": [dict(route) for route in routes]}}
            await self.call(op, "PUT", f"/routers/{router}/{action}", body)


def _keys(routes: Sequence[Mapping[str, str]]) -> set[tuple[str, str]]:
    return {(route["destination"], route["nexthop"]) for route in routes}


def _without(routes: Sequence[Mapping[str, str]], others: Sequence[Mapping[str, str]]) -> Routes:
    known = _keys(others)
    return [dict(route) for route in routes if (route["destination"], route["nexthop"]) not in known]
