"""OS::Nova::ServerGroup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.model.value import Value
from engine.resources.base import Operation
from engine.resources.declare import listing, mapping, number, one_of, string
from engine.resources.mark import BeforeList, Row
from engine.resources.nova.nova_type import NovaType


class ServerGroup(NovaType):
    """Nothing but a name that never changes, so ours is the one that was not there before (M7)."""

    name = "OS::Nova::ServerGroup"
    sdk = "compute.v2.server_group.ServerGroup"
    mark = BeforeList()
    properties = {
        "name": string(),
        "policies": listing(
            string(),
            one_of("anti-affinity", "affinity", "soft-anti-affinity", "soft-affinity"),
            default=["anti-affinity"],
            body="",
        ),
        "rules": mapping({"max_server_per_host": number()}, body=""),
    }

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        policies = properties.get("policies")
        if isinstance(policies, list) and len(policies) > 1:
            return ["policies: a server group has one policy"]
        return ()

    async def body(self, op: Operation) -> dict[str, Any]:
        body = await super().body(op)
        body["policy"] = op.properties["policies"][0]
        rules = {name: int(value) for name, value in (op.properties.get("rules") or {}).items()}
        return {**body, "rules": rules} if rules else body

    async def alike(self, op: Operation) -> Sequence[Row]:
        policy = op.properties["policies"][0]
        found = await super().alike(op)
        return [row for row in found if policy in (row.get("policy"), *row.get("policies", ())) and not row["members"]]

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        return
