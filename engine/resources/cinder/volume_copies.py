"""Backups of a volume: the copy that outlives it, and those of its stack's snapshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.cloud.contract import Ready
from engine.cloud.errors import Conflict, NotFound, Permanent
from engine.model.value import Value
from engine.resources.base import Gone, Operation, OperationFailed
from engine.resources.openstack_type import OpenStackType

_DETACHED = Ready(ok=frozenset({"available"}), failed=frozenset({"error", "error_detaching"}))
_ATTACHED = Ready(ok=frozenset({"in-use"}), failed=frozenset({"error", "error_attaching"}))


class VolumeCopies(OpenStackType):
    """A copy is found by its name, so that asking for it twice makes one."""

    snapshot_on_delete = True
    saves = True

    async def snapshot(self, op: Operation) -> None:
        """A backup, available before the volume goes."""
        try:
            await self._backup(op, f"{op.physical_name(200)}-backup")
        except Gone:
            return

    async def save(self, op: Operation, name: str) -> Mapping[str, Value]:
        return {"backup_id": await self._backup(op, name)}

    async def discard(self, op: Operation, saved: Mapping[str, Value]) -> None:
        backup = saved.get("backup_id")
        for found in [backup] if backup else await self._backups(op, saved["name"]):
            try:
                await op.cloud.request("block-storage", "DELETE", f"/backups/{found}")
            except NotFound:
                continue

    async def restore(self, op: Operation, saved: Mapping[str, Value]) -> None:
        """Cinder writes into volumes that nobody uses: servers let go of it for so long."""
        backup = saved.get("backup_id")
        if backup is None:
            return
        row = await self.read_row(op)
        if row["status"] != "restoring-backup":
            await self._let_go(op, row)
            body = {"restore": {"volume_id": op.physical_id}}
            await self.call(op, "POST", f"/backups/{backup}/restore", body)
        await self.settled(op)
        await self._take_back(op)

    async def _backup(self, op: Operation, name: str) -> str:
        """The id of the backup of that name, made if need be, once it is available. Raises Gone without the volume."""
        row = await self.read_row(op)
        backups = await self._backups(op, name)
        if not backups:
            body = {"volume_id": op.physical_id, "name": name, "force": row["status"] == "in-use"}
            backups = [(await self.call(op, "POST", "/backups", {"backup": body}))["backup"]["id"]]
        try:
            await op.cloud.wait_ready(
                "block-storage", "/backups/detail", "backups", backups[0], Ready(reason="fail_reason"),
                deadline=op.deadline,
            )  # fmt: skip
        except NotFound as error:
            raise OperationFailed(f"The backup of the volume vanished: {error.message}") from error
        return backups[0]

    async def _backups(self, op: Operation, name: str) -> list[str]:
        found = await op.cloud.list("block-storage", "/backups", "backups", params={"name": name})
        return [one["id"] for one in found if one.get("name") == name]

    # --- servers that use it ----------------------------------------------------------------------------------------
    async def _let_go(self, op: Operation, row: Mapping[str, Any]) -> None:
        """Note who uses the volume, then detach it; noted first, so that a crash leaves nobody without."""
        used: Sequence[Mapping[str, Any]] = row.get("attachments") or ()
        if not used:
            return
        if not op.data.get("lent"):
            await op.remember(lent=[{"server": one["server_id"], "device": one.get("device")} for one in used])
        for one in used:
            try:
                await op.cloud.request("compute", "DELETE", self._attachment(op, one["server_id"]))
            except NotFound:
                continue
        await self._until(op, _DETACHED)

    async def _take_back(self, op: Operation) -> None:
        lent: Sequence[Mapping[str, Any]] = op.data.get("lent") or ()
        for one in lent:
            body: dict[str, Any] = {"volumeId": op.physical_id}
            if one.get("device"):
                body["device"] = one["device"]
            path = f"/servers/{one['server']}/os-volume_attachments"
            try:
                await op.cloud.request("compute", "POST", path, json={"volumeAttachment": body})
            except (Conflict, NotFound, Permanent):
                if not await self._attached(op, one["server"]):
                    raise
        if lent:
            await self._until(op, _ATTACHED)
            await op.remember(lent=[])

    async def _attached(self, op: Operation, server: str) -> bool:
        try:
            await op.cloud.request("compute", "GET", self._attachment(op, server))
        except NotFound:
            return False
        return True

    def _attachment(self, op: Operation, server: str) -> str:
        return f"/servers/{server}/os-volume_attachments/{op.physical_id}"

    async def _until(self, op: Operation, ready: Ready) -> None:
        assert op.physical_id is not None
        await op.cloud.wait_ready(
            "block-storage", self.collection(op) + self.list_suffix, "volumes", op.physical_id, ready,
            deadline=op.deadline,
        )  # fmt: skip
