"""Isotherm::Neutron::Group: a security group with rules told loosely, tags, and a VPC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.cloud.errors import Conflict, NotFound
from engine.model.value import Value
from engine.resources.base import Differing, Operation
from engine.resources.declare import TAGS, attribute, boolean, listing, named, string
from engine.resources.isotherm.fabric import ROLE, VPC
from engine.resources.isotherm.loose_rules import OPEN_EGRESS, RULE, Key, all_wire_rules, key_of
from engine.resources.neutron.neutron_type import NeutronType
from engine.resources.references import resolve_references


class Group(NeutronType):
    """`open_egress` keeps the two rules that let everything out, which Neutron gives every new group. Rules of others
    (`Isotherm::Neutron::GroupRule`) are left alone: ours are noted."""

    name = "Isotherm::Neutron::Group"
    sdk = "network.v2.security_group.SecurityGroup"
    properties = {
        "name": string(),
        "description": string(mutable=True),
        "vpc": named("router", body=""),
        "role": string(default="group", body=""),
        "rules": listing(RULE, default=[], mutable=True, body=""),
        "open_egress": boolean(default=True, mutable=True, body=""),
        "tags": TAGS,
    }
    attributes = {"name": attribute()}

    async def arrange(self, op: Operation, row: Mapping[str, Any]) -> bool:
        assert op.physical_id is not None
        vpc, tags = op.properties.get("vpc"), list(op.properties.get("tags") or ())
        if vpc:
            tags += [f"{VPC}{vpc}", f"{ROLE}{op.properties['role']}"]
            if set(tags) != set(row.get("tags") or ()):
                await self.tag(op, tags)
        await self._rules(op, row)
        return False

    async def tag(self, op: Operation, tags: Sequence[str]) -> None:
        vpc = op.properties.get("vpc")
        marks = [f"{VPC}{vpc}", f"{ROLE}{op.properties['role']}"] if vpc else []
        await super().tag(op, list(dict.fromkeys((*tags, *marks))))

    async def _rules(self, op: Operation, row: Mapping[str, Any]) -> None:
        """Bring our rules about: rules cannot be changed, so what differs is made anew."""
        assert op.physical_id is not None
        wanted = await self._wanted(op)
        present = {key_of(rule): rule for rule in row.get("security_group_rules") or ()}
        ours = {tuple(key) for key in op.data.get("rules") or ()}
        listed = set(wanted)
        if op.properties["open_egress"]:
            listed |= OPEN_EGRESS
        stale = [rule for key, rule in present.items() if key in (ours | OPEN_EGRESS) and key not in listed]
        stale += [r for key, r in present.items() if key in wanted and key in ours and _told(r) != _told(wanted[key])]
        await op.remember(rules=[list(key) for key in sorted(wanted, key=str)])
        for rule in stale:
            try:
                await self.call(op, "DELETE", f"/security-group-rules/{rule['id']}")
            except NotFound:
                continue
        gone = {key_of(rule) for rule in stale}
        missing = [rule for key, rule in wanted.items() if key not in present or key in gone]
        missing += self._opened(op, present, wanted, gone)
        await self._add(op, missing)

    def _opened(
        self, op: Operation, present: Mapping[Key, Any], wanted: Mapping[Key, Any], gone: set[Key]
    ) -> list[dict[str, Any]]:
        """The open default, where it was taken away and is wanted again."""
        if not op.properties["open_egress"]:
            return []
        missing = [key for key in sorted(OPEN_EGRESS) if (key not in present or key in gone) and key not in wanted]
        return [{"security_group_id": op.physical_id, "direction": "egress", "ethertype": key[1]} for key in missing]

    async def differences(self, op: Operation, row: Mapping[str, Any]) -> list[Differing]:
        """A rule that is missing is one; rules that others added are theirs."""
        wanted, present = await self._wanted(op), row.get("security_group_rules") or ()
        listed = {*wanted, *(OPEN_EGRESS if op.properties["open_egress"] else ())}
        found = await super().differences(op, row)
        if listed <= {key_of(rule) for rule in present}:
            return found
        return [*found, Differing("rules", op.properties["rules"], list(present))]

    async def _wanted(self, op: Operation) -> dict[Key, dict[str, Any]]:
        assert op.physical_id is not None
        listed = {"rules": op.properties.get("rules") or []}
        ids = await resolve_references(self.properties, listed, op.cloud)
        return all_wire_rules(ids["rules"], op.physical_id)

    async def _add(self, op: Operation, rules: Sequence[Mapping[str, Any]]) -> None:
        """All in one call; one that is there by now is not made again."""
        if not rules:
            return
        try:
            await self.call(op, "POST", "/security-group-rules", {"security_group_rules": list(rules)})
        except Conflict:
            row = await self.read_row(op)
            present = {key_of(rule) for rule in row.get("security_group_rules") or ()}
            missing = [rule for rule in rules if key_of(rule) not in present]
            if len(missing) == len(rules):
                raise
            await self._add(op, missing)

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        await super().update(op, changed - {"rules", "open_egress"})

    async def changes(self, op: Operation, changed: frozenset[str]) -> dict[str, Any]:
        body = await super().changes(op, changed)
        if body.get("description", "") is None:
            body["description"] = ""
        return body


def _told(rule: Mapping[str, Value]) -> str:
    return str(rule.get("description") or "")
