"""Backups of volumes, and volumes written anew from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.http import Call, Reply, Routes
from simulator.store import Obj
from simulator.volume.errors import bad, not_found
from simulator.volume.lists import check_metadata, listing
from simulator.world import fall_due, stamp_micro

if TYPE_CHECKING:
    from simulator.volume.service import Volume

TABLE = "volume/backups"
_FILTERS = frozenset({"name", "status", "volume_id", "id", "project_id"})


class Backups:
    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._world = volume.world
        self.table = volume.table(TABLE)
        self.table.index("project_id")
        self._world.agenda.on_due(TABLE, self._due)

    def register(self, router: Routes) -> None:
        router.add("GET", "/backups", lambda call: self.list(call, detail=False))
        router.add("GET", "/backups/detail", lambda call: self.list(call, detail=True))
        router.add("POST", "/backups", self.create)
        router.add("GET", "/backups/{id}", lambda call: Reply(200, {"backup": self._render(call, self.find(call))}))
        router.add("DELETE", "/backups/{id}", self.delete)
        router.add("POST", "/backups/{id}/restore", self.restore)

    def find(self, call: Call) -> Obj:
        backup = self.table.get(call.params["id"])
        if backup is None or not call.mine(backup):
            raise not_found("Backup", call.params["id"])
        return backup

    def create(self, call: Call) -> Reply:
        values = call.inside("backup")
        if not values.get("volume_id"):
            raise bad("Invalid input for field/attribute backup. 'volume_id' is a required property")
        volume = self._volume.volumes.find(call, str(values["volume_id"]))
        forced = str(values.get("force", "")).lower() in ("true", "1")
        if volume["status"] not in (("available", "in-use") if forced else ("available",)):
            raise bad(
                f"Invalid volume: Volume to be backed up must be available or in-use, but the current status is "
                f'"{volume["status"]}".'
            )
        now = self._world.now()
        backup: Obj = {
            "id": self._world.new_id(), "created_at": stamp_micro(now), "updated_at": None,
            "name": values.get("name"), "description": values.get("description"), "volume_id": volume["id"],
            "status": "creating", "size": volume["size"], "metadata": check_metadata(values.get("metadata") or {}),
            "project_id": call.project_id, "user_id": call.user_id,
        }  # fmt: skip
        self._volume.volumes.busy(volume, "backing-up")
        then = {"status": "available"}
        self._world.agenda.plan(TABLE, backup, now + self._world.settings.build_seconds / 3, then)
        return Reply(202, {"backup": self._brief(call, backup)})

    def _due(self, backup: Obj) -> None:
        then = fall_due(backup)
        if then.get("gone"):
            self.table.remove(backup["id"])
            return
        backup |= then | {"updated_at": stamp_micro(self._world.now())}
        self.table.put(backup)

    def _brief(self, call: Call, backup: Obj) -> Obj:
        links = self._volume.links(call, "backups", backup["id"])
        return {"id": backup["id"], "name": backup["name"], "links": links}

    def _render(self, call: Call, backup: Obj) -> Obj:
        names = ("created_at", "updated_at", "description", "volume_id", "status", "size")
        return {
            **self._brief(call, backup), **{name: backup[name] for name in names}, "availability_zone": "nova",
            "container": "volumebackups", "fail_reason": None, "object_count": 1, "is_incremental": False,
            "has_dependent_backups": False, "snapshot_id": None, "data_timestamp": backup["created_at"],
        }  # fmt: skip

    def list(self, call: Call, *, detail: bool) -> Reply:
        """Only the detailed list tells the status."""
        address = f"{self._volume.root(call)}/backups{'/detail' if detail else ''}"
        show = self._render if detail else self._brief
        return listing(call, self.table, "backups", _FILTERS, lambda row: show(call, row), address)

    def restore(self, call: Call) -> Reply:
        backup, values = self.find(call), call.inside("restore")
        if backup["status"] != "available":
            raise bad("Invalid backup: Backup status must be available")
        if not values.get("volume_id"):
            raise bad("Restoring into a new volume is not simulated; give volume_id.")
        volume = self._volume.volumes.find(call, str(values["volume_id"]))
        if volume["status"] != "available":
            raise bad("Invalid volume: Volume to be restored to must be available")
        if volume["size"] < backup["size"]:
            raise bad(f"Invalid volume: volume size {volume['size']} is too small to restore backup of size "
                      f"{backup['size']}.")  # fmt: skip
        self._volume.volumes.busy(volume, "restoring-backup")
        shown = {"backup_id": backup["id"], "volume_id": volume["id"], "volume_name": volume["name"]}
        return Reply(202, {"restore": shown})

    def delete(self, call: Call) -> Reply:
        backup = self.find(call)
        if backup["status"] not in ("available", "error"):
            raise bad("Invalid backup: Backup status must be available or error")
        backup["status"] = "deleting"
        at = self._world.now() + self._world.settings.delete_seconds
        self._world.agenda.plan(TABLE, backup, at, {"gone": True})
        return Reply(202)
