"""OS::Cinder::Volume."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.cloud.contract import Ready
from engine.model.value import Value
from engine.resources.base import Differing, Kind, Operation, OperationFailed, WouldLose
from engine.resources.cinder.volume_copies import VolumeCopies
from engine.resources.declare import attribute, attributes, between, boolean, integer, mapping, named, string
from engine.resources.drift import alike
from engine.resources.mark import METADATA_KEY, InMetadata
from engine.resources.references import resolve_one

_FAILED = frozenset({"error", "error_restoring", "error_extending", "error_managing"})


class Volume(VolumeCopies):
    """The mark is a key of the metadata, which is never shown."""

    name = "OS::Cinder::Volume"
    service = "block-storage"
    sdk = "block_storage.v3.volume.Volume"
    mark = InMetadata()
    ready_when = Ready(ok=frozenset({"available", "in-use"}), failed=_FAILED)
    polled = True
    lingers = True
    list_suffix = "/detail"
    properties = {
        "availability_zone": string(),
        "size": integer(between(1), mutable=True, body=""),
        "snapshot_id": named("snapshot"),
        "backup_id": named("backup", mutable=True, body=""),
        "name": string(mutable=True),
        "description": string(mutable=True),
        "volume_type": named("volume_type", mutable=True),
        "metadata": mapping(None, default={}, mutable=True, body=""),
        "imageRef": string(support="HIDDEN"),
        "image": named("image", body="imageRef"),
        "source_volid": named("volume"),
        "read_only": boolean(mutable=True, body=""),
        "scheduler_hints": mapping(None, body=""),
        "multiattach": boolean(default=False, body="", support="HIDDEN"),
    }
    attributes = {
        **attributes("availability_zone", "created_at", "snapshot_id", "source_volid", "volume_type"),
        "size": attribute(),
        "display_name": attribute(body="name"),
        "display_description": attribute(body="description"),
        "attachments": attribute(live=True),
        "attachments_list": attribute(Kind.LIST, "attachments", live=True),
        "status": attribute(live=True),
        "bootable": attribute(),
        "metadata": attribute(),
        "metadata_values": attribute(Kind.MAP, "metadata"),
        "encrypted": attribute(),
        "multiattach": attribute(Kind.BOOLEAN),
    }

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        found = []
        sources = [n for n in ("snapshot_id", "source_volid", "image", "imageRef", "backup_id") if properties.get(n)]
        if len(sources) > 1:
            found.append(f"Cannot use {' and '.join(sources)} together: a volume has one source")
        from_object = [name for name in sources if name in ("snapshot_id", "source_volid", "backup_id")]
        if properties.get("size") is None and not from_object:
            found.append("If neither backup_id, snapshot_id nor source_volid is given, size is needed")
        if properties.get("multiattach") is True:
            found.append("multiattach: Cinder takes it from the volume type (microversion 3.50); give volume_type")
        return found

    async def body(self, op: Operation) -> dict[str, Any]:
        body = await super().body(op)
        size = op.properties.get("size")
        if size is None and op.properties.get("backup_id"):
            backup = await resolve_one("backup", op.properties["backup_id"], op.cloud)
            size = (await self.call(op, "GET", f"/backups/{backup}"))["backup"]["size"]
        if size is not None:
            body["size"] = size
        if op.properties["metadata"]:
            body["metadata"] = _text_values(op.properties["metadata"])
        return body

    def wrap(self, body: Mapping[str, Any]) -> dict[str, Any]:
        wrapped = super().wrap(body)
        hints = wrapped["volume"].pop("scheduler_hints", None)
        return {**wrapped, "OS-SCH-HNT:scheduler_hints": hints} if hints else wrapped

    async def post(self, op: Operation, body: Mapping[str, Any]) -> dict[str, Any]:
        hints = op.properties.get("scheduler_hints")
        return await super().post(op, {**body, **({"scheduler_hints": hints} if hints else {})})

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        row = await self.settled(op)
        backup = op.properties.get("backup_id")
        if backup and op.data.get("restored") != backup:
            row = await self._restore(op, backup)
        if op.properties.get("read_only") is not None:
            await self._set_read_only(op, row)
        return self.kept(op, row)

    async def _restore(self, op: Operation, backup: str) -> dict[str, Any]:
        """Into the volume that stands: the marked volume comes first (tokens.md, Volume)."""
        source = await resolve_one("backup", backup, op.cloud)
        await self.call(op, "POST", f"/backups/{source}/restore", {"restore": {"volume_id": op.physical_id}})
        row = await self.settled(op)
        await op.remember(restored=backup)
        return row

    async def _set_read_only(self, op: Operation, row: Mapping[str, Any]) -> None:
        wanted = bool(op.properties["read_only"])
        if str((row.get("metadata") or {}).get("readonly", "False")).lower() != str(wanted).lower():
            await self._act(op, "os-update_readonly_flag", {"readonly": wanted})

    async def _act(self, op: Operation, action: str, body: Mapping[str, Any]) -> None:
        await self.call(op, "POST", f"{self.path(op)}/action", {action: body})

    async def differences(self, op: Operation, row: Mapping[str, Any]) -> list[Differing]:
        found, properties = await super().differences(op, row), op.properties
        if properties.get("size") not in (None, row["size"]):
            found.append(Differing("size", properties["size"], row["size"]))
        shown = self.presented(op, row)["metadata"]
        if not alike(_text_values(properties["metadata"]), shown):
            found.append(Differing("metadata", properties["metadata"], shown))
        return found

    # --- attributes -------------------------------------------------------------------------------------------------
    def presented(self, op: Operation, row: Mapping[str, Any]) -> dict[str, Any]:
        hidden = {key: value for key, value in (row.get("metadata") or {}).items() if key != METADATA_KEY}
        return {**row, "metadata": hidden}

    def kept(self, op: Operation, row: Mapping[str, Any]) -> dict[str, Value]:
        found = super().kept(op, row)
        for name in ("attachments", "metadata"):
            found[name] = json.dumps(found[name] or ([] if name == "attachments" else {}))
        return {**found, "size": str(found["size"]), "encrypted": str(found["encrypted"])}

    # --- update -------------------------------------------------------------------------------------------------------
    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        body = await self.changes(op, changed & {"name", "description"})
        if body:
            await self.put(op, body)
        if "metadata" in changed:
            metadata = {**_text_values(op.properties["metadata"]), METADATA_KEY: op.token}
            await self.call(op, "PUT", f"{self.path(op)}/metadata", {"metadata": metadata})
        if "size" in changed:
            await self._extend(op)
        if "volume_type" in changed and op.properties.get("volume_type"):
            await self._retype(op)

    async def _extend(self, op: Operation) -> None:
        row, wanted = await self.read_row(op), op.properties.get("size")
        if wanted is None or wanted == row["size"]:
            return
        if wanted < row["size"]:
            raise WouldLose(f"Shrinking volume is not supported: it has {row['size']} GiB, asked were {wanted}")
        if row["status"] != "extending":
            await self._act(op, "os-extend", {"new_size": wanted})
        row = await self.settled(op)
        if row["size"] != wanted:
            raise OperationFailed(f"The volume kept its size of {row['size']} GiB")

    async def _retype(self, op: Operation) -> None:
        row, wanted = await self.read_row(op), op.properties["volume_type"]
        if row["volume_type"] == wanted:
            return
        if row["status"] != "retyping":
            new = await resolve_one("volume_type", wanted, op.cloud)
            await self._act(op, "os-retype", {"new_type": new, "migration_policy": "on-demand"})
        await self.settled(op)


def _text_values(metadata: Mapping[str, Value]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()}
