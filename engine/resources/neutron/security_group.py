"""OS::Neutron::SecurityGroup, with the rules that are listed in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.cloud.errors import Conflict, NotFound, OutcomeUnknown
from engine.model.value import Value
from engine.resources.base import Differing, Operation
from engine.resources.declare import between, boolean, custom, integer, listing, mapping, named, one_of, string
from engine.resources.neutron.neutron_type import NeutronType
from engine.resources.neutron.rules import (
    DIRECTIONS,
    ETHERTYPES,
    PROTOCOLS,
    is_default_egress,
    rule_key,
    wire_rule,
)
from engine.resources.references import resolve_references

_PORT = between(0, 65535)
_ATTEMPTS = 4


class SecurityGroup(NeutronType):
    """A listed egress rule takes the place of the two open ones that Neutron gives every group, as in Heat.

    Rules that others added to the group (`OS::Neutron::SecurityGroupRule`) are left alone.
    """

    name = "OS::Neutron::SecurityGroup"
    sdk = "network.v2.security_group.SecurityGroup"
    properties = {
        "name": string(mutable=True),
        "description": string(mutable=True),
        "rules": listing(
            mapping(
                {
                    "direction": string(DIRECTIONS, default="ingress"),
                    "ethertype": string(ETHERTYPES, default="IPv4"),
                    "port_range_min": integer(_PORT),
                    "port_range_max": integer(_PORT),
                    "protocol": string(PROTOCOLS),
                    "remote_mode": string(one_of("remote_ip_prefix", "remote_group_id"), default="remote_ip_prefix"),
                    "remote_group_id": named("security_group"),
                    "remote_ip_prefix": string(custom("net_cidr")),
                    "description": string(),
                }
            ),
            default=[],
            mutable=True,
            body="",
        ),
        "stateful": boolean(mutable=True),
    }

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        if properties.get("name") == "default":
            return ["Security groups cannot be assigned the name 'default'"]
        return ()

    async def arrange(self, op: Operation, row: Mapping[str, Any]) -> bool:
        """Make the listed rules that are missing."""
        wanted = await self._wanted(op, op.properties)
        present = row.get("security_group_rules") or ()
        if any(rule["direction"] == "egress" for rule in wanted) and not op.data.get("closed"):
            await self._delete(op, [rule for rule in present if is_default_egress(rule)], wanted)
            await op.remember(closed=True)
            present = (await self.read_row(op)).get("security_group_rules") or ()
        known = {rule_key(rule) for rule in present}
        await self._add(op, [rule for rule in wanted if rule_key(rule) not in known])
        return bool(wanted)

    async def changes(self, op: Operation, changed: frozenset[str]) -> dict[str, Any]:
        body = await super().changes(op, changed)
        if body.get("description", "") is None:
            body["description"] = ""
        return body

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        await super().update(op, changed)
        if "rules" not in changed:
            return
        before = [rule for stood in op.stood for rule in await self._wanted(op, stood)]
        after = await self._wanted(op, op.properties)
        kept = {rule_key(rule) for rule in after}
        gone = {rule_key(rule) for rule in before} - kept
        row = await self.read_row(op)
        await self._delete(op, [r for r in row.get("security_group_rules") or () if rule_key(r) in gone], ())
        if op.data.get("closed") and not any(rule["direction"] == "egress" for rule in after):
            assert op.physical_id is not None
            open_rules = [{"direction": "egress", "ethertype": family} for family in ("IPv4", "IPv6")]
            await self._add(op, [{**rule, "security_group_id": op.physical_id} for rule in open_rules])
            await op.remember(closed=False)

    async def differences(self, op: Operation, row: Mapping[str, Any]) -> list[Differing]:
        """A rule that is missing is one; rules that others added are theirs."""
        wanted, present = await self._wanted(op, op.properties), row.get("security_group_rules") or ()
        found = await super().differences(op, row)
        if {rule_key(rule) for rule in wanted} <= {rule_key(rule) for rule in present}:
            return found
        return [*found, Differing("rules", op.properties["rules"], list(present))]

    async def _wanted(self, op: Operation, properties: Mapping[str, Value]) -> list[dict[str, Any]]:
        assert op.physical_id is not None
        listed = {"rules": properties.get("rules") or []}
        ids = await resolve_references(self.properties, listed, op.cloud)
        rules = [wire_rule(rule, op.physical_id) for rule in ids["rules"]]
        return list({rule_key(rule): rule for rule in rules}.values())

    async def _add(self, op: Operation, rules: Sequence[Mapping[str, Any]]) -> None:
        """One call for all; whatever is there after an answer that got lost is not made again."""
        missing = list(rules)
        for attempt in range(_ATTEMPTS):
            if not missing:
                return
            try:
                await self.call(op, "POST", "/security-group-rules", {"security_group_rules": missing})
                return
            except (Conflict, OutcomeUnknown):
                if attempt == _ATTEMPTS - 1:
                    raise
            await op.services.sleep(0.5 * 2**attempt)
            present = {rule_key(rule) for rule in (await self.read_row(op)).get("security_group_rules") or ()}
            missing = [rule for rule in missing if rule_key(rule) not in present]

    async def _delete(
        self, op: Operation, rules: Sequence[Mapping[str, Any]], but: Sequence[Mapping[str, Any]]
    ) -> None:
        kept = {rule_key(rule) for rule in but}
        for rule in rules:
            if rule_key(rule) in kept:
                continue
            try:
                await self.call(op, "DELETE", f"/security-group-rules/{rule['id']}")
            except NotFound:
                continue
