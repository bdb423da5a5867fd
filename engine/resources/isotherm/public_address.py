"""Isotherm::Neutron::PublicAddress: a floating IP of the external network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.model.value import Value
from engine.resources.base import Operation
from engine.resources.declare import TAGS, attribute, named
from engine.resources.isotherm import fabric
from engine.resources.isotherm.choices import external_network
from engine.resources.neutron.floating_ip import FloatingIP

_NONE = "none"


class PublicAddress(FloatingIP):
    """`if_subnet_says`: made only when that subnet's network is tagged as one that gives its servers addresses."""

    name = "Isotherm::Neutron::PublicAddress"
    properties = {
        **{key: one for key, one in FloatingIP.properties.items() if key in ("value_specs", "dns_name", "dns_domain")},
        "floating_network": named("network", body="floating_network_id"),
        "if_subnet_says": named("subnet", body=""),
        "tags": TAGS,
    }
    attributes = {**FloatingIP.attributes, "floating_ip_address": attribute()}

    def reference(self, physical_id: str | None, attributes: Mapping[str, Value], address: str) -> Value:
        return None if physical_id == _NONE else physical_id

    async def body(self, op: Operation) -> dict[str, Any]:
        body = await super().body(op)
        body.setdefault("floating_network_id", await external_network(op))
        return body

    async def create(self, op: Operation) -> str | None:
        if not await self._wanted(op):
            return _NONE
        return await super().create(op)

    async def _wanted(self, op: Operation) -> bool:
        asked = op.properties.get("if_subnet_says")
        if not asked:
            return True
        row = await fabric.subnet(op.cloud, asked)
        return fabric.tag_value(await fabric.network(op.cloud, row["network_id"]), fabric.PUBLIC) == "true"

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        return {"floating_ip_address": ""} if op.physical_id == _NONE else await super().ready(op)

    async def check(self, op: Operation) -> Mapping[str, Value]:
        return {"floating_ip_address": ""} if op.physical_id == _NONE else await super().check(op)

    async def live_attribute(self, op: Operation, name: str) -> Value:
        return None if op.physical_id == _NONE else await super().live_attribute(op, name)

    async def delete(self, op: Operation) -> None:
        if op.physical_id != _NONE:
            await super().delete(op)
