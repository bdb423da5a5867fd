"""Isotherm::Neutron::GroupRule: one loosely told rule of a group that somebody else made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from engine.cloud.errors import Conflict, NotFound
from engine.model.value import Value
from engine.resources.base import Gone, Kind, MustReplace, Operation, OperationFailed, Property, ResourceType, Update
from engine.resources.declare import attribute, named
from engine.resources.isotherm.loose_rules import RULE, all_wire_rules, key_of
from engine.resources.references import resolve_references


class GroupRule(ResourceType):
    """One or, with a remote group, two rules of Neutron, which cannot be changed (PUT answers 500).

    What was there before is somebody else's: it is noted before the create, so that a lost answer is told from a
    duplicate (tokens.md rule 4).
    """

    name = "Isotherm::Neutron::GroupRule"
    service: ClassVar[str | None] = "network"
    properties: ClassVar[Mapping[str, Property]] = {
        "security_group": named("security_group", required=True),
        "rule": replace(RULE, required=True, update=Update.IN_PLACE),
    }
    attributes = {"rules": attribute(Kind.LIST)}

    async def prepare(self, op: Operation) -> Mapping[str, Value]:
        found = await self._present(op)
        return {"before": [row["id"] for row in found]}

    async def create(self, op: Operation) -> str | None:
        wanted, before = await self._wanted(op), set(op.data.get("before") or ())
        present = {key_of(row): row for row in await self._present(op)}
        for key, row in present.items():
            if row["id"] in before:
                raise OperationFailed(
                    "InvalidPermission.Duplicate: the specified rule already exists in the security group: "
                    f"{' '.join(str(part) for part in key if part is not None)}"
                )
        missing = [rule for key, rule in wanted.items() if key not in present]
        if missing:
            body = {"security_group_rules": missing}
            try:
                await op.cloud.request("network", "POST", "/security-group-rules", json=body)
            except Conflict as error:
                raise OperationFailed(f"InvalidPermission.Duplicate: {error.message}") from error
        return self._key(op)

    def _key(self, op: Operation) -> str:
        return f"sgr-{op.token.removeprefix('oe-')[:17]}"

    async def find(self, op: Operation) -> str | None:
        before = set(op.data.get("before") or ())
        if "before" not in op.data:
            return None
        mine = [row for row in await self._present(op) if row["id"] not in before]
        return self._key(op) if len(mine) == len(await self._wanted(op)) else None

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        """Another description is the same rule made anew; anything else is another rule, made before this one goes."""
        wanted = await self._wanted(op)
        if set(await self._wanted(replace(op, properties=op.before))) != set(wanted):
            raise MustReplace
        stale = {key_of(r): r["id"] for r in await self._present(op) if _told(r) != _told(wanted[key_of(r)])}
        for rule_id in stale.values():
            await self._drop(op, rule_id)
        present = {key_of(row) for row in await self._present(op)}
        missing = [rule for key, rule in wanted.items() if key not in present]
        if missing:
            body = {"security_group_rules": missing}
            await op.cloud.request("network", "POST", "/security-group-rules", json=body)

    async def _drop(self, op: Operation, rule_id: str) -> None:
        try:
            await op.cloud.request("network", "DELETE", f"/security-group-rules/{rule_id}")
        except NotFound:
            return

    async def _wanted(self, op: Operation) -> dict[Any, dict[str, Any]]:
        ids = await resolve_references(self.properties, op.properties, op.cloud)
        return all_wire_rules([ids["rule"]], ids["security_group"])

    async def _present(self, op: Operation) -> list[dict[str, Any]]:
        """Rules of the group that are the same as ours, in a fixed order."""
        wanted = await self._wanted(op)
        group = next(iter(wanted.values()))["security_group_id"]
        rows = await op.cloud.list(
            "network", "/security-group-rules", "security_group_rules", params={"security_group_id": group}
        )
        same = [row for row in rows if row["security_group_id"] == group and key_of(row) in wanted]
        return sorted(same, key=lambda row: (row["ethertype"], row["id"]))

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        found = await self._present(op)
        if len(found) < len(await self._wanted(op)):
            raise Gone("The rule is not in the security group any more")
        return {"rules": [row["id"] for row in found]}

    async def read(self, op: Operation) -> Mapping[str, Value]:
        return await self.ready(op)

    async def delete(self, op: Operation) -> None:
        try:
            found = await self._present(op)
        except NotFound:
            return
        for row in found:
            await self._drop(op, row["id"])


def _told(rule: Mapping[str, Value]) -> str:
    return str(rule.get("description") or "")
