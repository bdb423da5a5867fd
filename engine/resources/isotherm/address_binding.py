"""Isotherm::Neutron::AddressBinding: a floating IP led to a port, as soon as the port can be reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.cloud.errors import NotFound
from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed
from engine.resources.declare import attribute, custom, named, string
from engine.resources.isotherm.ensured import Ensured
from engine.resources.isotherm.port_route import primary_port

#: Seconds to wait for the way to the port that another stack or resource is making (N15).
REACHABLE_TIMEOUT = 120.0
_PAUSE = 2.0


class AddressBinding(Ensured):
    """`address` is the id or the address of a floating IP; none is no binding. One call leads it elsewhere (N29)."""

    name = "Isotherm::Neutron::AddressBinding"
    properties = {
        "address": string(mutable=True),
        "port": named("port", mutable=True),
        "server": named("server", mutable=True),
        "fixed_ip_address": string(custom("ip_addr"), mutable=True),
    }
    attributes = {"floating_ip": attribute(), "port": attribute(), "floating_ip_address": attribute()}

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        if properties.get("port") is None and properties.get("server") is None:
            return ["Give either port or server"]
        return ()

    def key(self, op: Operation) -> str:
        return f"{op.token}"

    async def ensure(self, op: Operation) -> Mapping[str, Value]:
        if not op.properties.get("address"):
            return {}
        floating_ip = await self._floating_ip(op, op.properties["address"])
        port = await primary_port(op, op.properties.get("port"), op.properties.get("server"))
        fixed = op.properties.get("fixed_ip_address") or _first_ipv4(port)
        if floating_ip.get("port_id") != port["id"] or floating_ip.get("fixed_ip_address") != fixed:
            await self._bind(op, floating_ip["id"], port["id"], fixed)
        return {
            "floating_ip": floating_ip["id"],
            "port": port["id"],
            "floating_ip_address": floating_ip["floating_ip_address"],
        }

    async def _bind(self, op: Operation, floating_ip: str, port: str, fixed: str) -> None:
        """The address of the port is always told: a port with two would be refused (N29)."""
        until = min(op.services.monotonic() + REACHABLE_TIMEOUT, op.deadline)
        body = {"floatingip": {"port_id": port, "fixed_ip_address": fixed}}
        while True:
            try:
                await op.cloud.request("network", "PUT", f"/floatingips/{floating_ip}", json=body)
                return
            except NotFound as error:
                if error.kind != "ExternalGatewayForFloatingIPNotFound" or op.services.monotonic() >= until:
                    raise
            await op.services.sleep(_PAUSE)

    async def _floating_ip(self, op: Operation, reference: str) -> dict[str, Any]:
        if "." in reference or ":" in reference:
            rows = await op.cloud.list(
                "network", "/floatingips", "floatingips", params={"floating_ip_address": reference}
            )
            found = [row for row in rows if row.get("floating_ip_address") == reference]
            if not found:
                raise OperationFailed(f"There is no floating IP {reference} in this project")
            return found[0]
        return dict((await op.cloud.request("network", "GET", f"/floatingips/{reference}")).body["floatingip"])

    async def read(self, op: Operation) -> Mapping[str, Value]:
        if not op.properties.get("address"):
            return {}
        row = await self._floating_ip(op, op.properties["address"])
        if not row.get("port_id"):
            raise OperationFailed(f"Floating IP {row['floating_ip_address']} leads nowhere any more")
        return {k: row[v] for k, v in (("floating_ip", "id"), ("port", "port_id"))}

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        before = op.before.get("address")
        if "address" in changed and before:
            await self._release(op, before, op.before)

    async def delete(self, op: Operation) -> None:
        if op.properties.get("address"):
            await self._release(op, op.properties["address"], op.properties)

    async def _release(self, op: Operation, address: str, properties: Mapping[str, Value]) -> None:
        """Take the port away, unless the address leads elsewhere by now."""
        try:
            floating_ip = await self._floating_ip(op, address)
            port = await primary_port(op, properties.get("port"), properties.get("server"))
        except (NotFound, OperationFailed):
            return  # one of the two is gone, and with it the binding
        if floating_ip.get("port_id") == port["id"]:
            path = f"/floatingips/{floating_ip['id']}"
            try:
                await op.cloud.request("network", "PUT", path, json={"floatingip": {"port_id": None}})
            except NotFound:
                return


def _first_ipv4(port: Mapping[str, Any]) -> str:
    for one in port.get("fixed_ips") or ():
        if ":" not in one["ip_address"]:
            return str(one["ip_address"])
    raise OperationFailed(f"Port {port['id']} has no IPv4 address")
