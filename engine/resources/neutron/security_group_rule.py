"""OS::Neutron::SecurityGroupRule: one rule of a group that need not be ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.cloud.errors import NotFound
from engine.model.value import Value
from engine.resources.base import Operation
from engine.resources.declare import between, custom, integer, named, string
from engine.resources.mark import BeforeList, InDescription, Mark, Row
from engine.resources.neutron.neutron_type import NeutronType
from engine.resources.neutron.rules import DIRECTIONS, ETHERTYPES, PROTOCOLS, rule_key
from engine.resources.references import resolve_references

_PORT = between(0, 65535)


class _RuleMark(Mark):
    """The mark is the description. A rule cannot be changed afterwards, so one that has a description of its own is
    told from others by the list made before."""

    _own, _listed = InDescription(), BeforeList()

    def _of(self, op: Operation) -> Mark:
        return self._listed if op.properties.get("description") else self._own

    async def prepare(self, kind: Any, op: Operation) -> Mapping[str, Any]:
        return await self._of(op).prepare(kind, op)

    def put(self, body: dict[str, Any], token: str) -> None:
        if not body.get("description"):
            self._own.put(body, token)

    async def rows(self, kind: Any, op: Operation) -> Sequence[Row]:
        return await self._of(op).rows(kind, op)

    def on(self, row: Row, op: Operation) -> bool:
        return self._of(op).on(row, op)


class SecurityGroupRule(NeutronType):
    """Not race-safe at the service (tokens.md §2): the runner looks for the mark over the settle time first."""

    name = "OS::Neutron::SecurityGroupRule"
    sdk = "network.v2.security_group_rule.SecurityGroupRule"
    mark = _RuleMark()
    name_key = None
    properties = {
        "security_group": named("security_group", required=True, body="security_group_id"),
        "description": string(),
        "direction": string(DIRECTIONS, default="ingress"),
        "ethertype": string(ETHERTYPES, default="IPv4"),
        "port_range_min": integer(_PORT),
        "port_range_max": integer(_PORT),
        "protocol": string(PROTOCOLS, default="tcp"),
        "remote_group": named("security_group", body="remote_group_id"),
        "remote_ip_prefix": string(custom("net_cidr")),
    }

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        if properties.get("remote_group") is not None and properties.get("remote_ip_prefix") is not None:
            return ["Cannot use remote_group and remote_ip_prefix together"]
        return ()

    async def body(self, op: Operation) -> dict[str, Any]:
        body = await super().body(op)
        if str(body.get("protocol", "")) in ("", "any"):
            body.pop("protocol", None)
        return body

    async def alike(self, op: Operation) -> Sequence[Row]:
        ids = await resolve_references(self.properties, op.properties, op.cloud)
        wanted = rule_key(await self.body(op))
        found = await self.rows(op, {"security_group_id": ids["security_group"]})
        same = op.properties.get("description")
        return [row for row in found if rule_key(row) == wanted and (row.get("description") or None) == same]

    async def unmarked(self, op: Operation, row: dict[str, Any]) -> dict[str, Any]:
        return row

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        return

    async def delete(self, op: Operation) -> None:
        try:
            await super().delete(op)
        except NotFound:
            return
