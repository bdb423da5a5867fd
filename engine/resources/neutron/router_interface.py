"""OS::Neutron::RouterInterface: a subnet's leg on a router."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.cloud.errors import Conflict, NotFound
from engine.model.value import Value
from engine.resources.base import Gone, Operation
from engine.resources.declare import formerly, named
from engine.resources.neutron.neutron_type import NeutronType
from engine.resources.references import resolve_references


class RouterInterface(NeutronType):
    """Neutron makes the port, so there is nowhere to put a mark: the key is the router with the subnet or port (M4).

    The physical id is `<router>:subnet_id=<subnet>` or `<router>:port_id=<port>`, as Heat's.
    """

    name = "OS::Neutron::RouterInterface"
    sdk = "network.v2.router.Router"
    name_key = None
    race_safe = True
    properties = {
        "router": named("router", required=True),
        "router_id": formerly("router", "router"),
        "subnet": named("subnet"),
        "subnet_id": formerly("subnet", "subnet"),
        "port": named("port"),
        "port_id": formerly("port", "port"),
    }

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        subnet = properties.get("subnet", properties.get("subnet_id"))
        port = properties.get("port", properties.get("port_id"))
        if subnet is not None and port is not None:
            return ["Cannot use subnet and port together"]
        if subnet is None and port is None:
            return ["Either subnet or port must be given"]
        return ()

    async def prepare(self, op: Operation) -> Mapping[str, Value]:
        """Whether somebody else has made this interface already: theirs is never taken for ours (tokens.md rule 4)."""
        return {"absent": await self._port(op) is None}

    async def create(self, op: Operation) -> str | None:
        router, key, value = await self._key(op)
        try:
            await self.call(op, "PUT", f"/routers/{router}/add_router_interface", {key: value})
        except Conflict:
            if not op.data.get("absent") or await self._port(op) is None:
                raise
        return f"{router}:{key}={value}"

    async def find(self, op: Operation) -> str | None:
        if not op.data.get("absent") or await self._port(op) is None:
            return None
        router, key, value = await self._key(op)
        found = f"{router}:{key}={value}"
        return None if found in op.owned_ids else found

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        return {"show": await self.read_row(op)}

    async def read_row(self, op: Operation) -> dict[str, Any]:
        port = await self._port(op)
        if port is None:
            raise Gone(f"The router has no such interface any more ({op.physical_id})")
        return port

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        return

    async def delete(self, op: Operation) -> None:
        router, key, value = _parts(op)
        try:
            await self.call(op, "PUT", f"/routers/{router}/remove_router_interface", {key: value})
        except NotFound:
            return

    async def check(self, op: Operation) -> Mapping[str, Value]:
        return await self.ready(op)

    async def _key(self, op: Operation) -> tuple[str, str, str]:
        """(router id, `subnet_id` or `port_id`, its value)."""
        if op.physical_id is not None:
            return _parts(op)
        ids = await resolve_references(self.properties, op.properties, op.cloud)
        if ids.get("subnet"):
            return ids["router"], "subnet_id", ids["subnet"]
        return ids["router"], "port_id", ids["port"]

    async def _port(self, op: Operation) -> dict[str, Any] | None:
        """The interface's port on the router."""
        router, key, value = await self._key(op)
        if key == "port_id":
            try:
                port = dict((await self.call(op, "GET", f"/ports/{value}"))["port"])
            except NotFound:
                return None
            return port if port.get("device_id") == router else None
        ports = await op.cloud.list(
            "network", "/ports", "ports", params={"device_id": router, "fixed_ips": f"subnet_id={value}"}
        )
        for port in ports:
            on_subnet = any(one.get("subnet_id") == value for one in port.get("fixed_ips") or ())
            if port.get("device_id") == router and on_subnet and _is_interface(port):
                return port
        return None


def _is_interface(port: Mapping[str, Any]) -> bool:
    return str(port.get("device_owner") or "network:router_interface").startswith("network:router_interface") or (
        port.get("device_owner") == "network:ha_router_replicated_interface"
    )


def _parts(op: Operation) -> tuple[str, str, str]:
    assert op.physical_id is not None
    router, _, rest = op.physical_id.partition(":")
    key, _, value = rest.partition("=")
    return router, key, value
