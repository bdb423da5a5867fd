"""Snapshots of volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.http import Call, Refusal, Reply, Routes
from simulator.store import Obj
from simulator.volume.errors import bad, forbidden, not_found
from simulator.volume.lists import check_metadata, listing
from simulator.world import fall_due, stamp_micro

if TYPE_CHECKING:
    from simulator.volume.service import Volume

TABLE = "volume/snapshots"
_FILTERS = frozenset({"name", "status", "metadata", "volume_id", "availability_zone", "project_id", "id", "size"})


class Snapshots:
    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._world = volume.world
        self.table = volume.table(TABLE)
        self.table.index("project_id")
        self.table.index("volume_id")
        self._world.agenda.on_due(TABLE, self._due)

    def register(self, router: Routes) -> None:
        router.add("GET", "/snapshots", self.list)
        router.add("GET", "/snapshots/detail", self.list)
        router.add("POST", "/snapshots", self.create)
        router.add("GET", "/snapshots/{id}", self.show)
        router.add("PUT", "/snapshots/{id}", self.update)
        router.add("DELETE", "/snapshots/{id}", self.delete)
        router.add(
            "GET", "/snapshots/{id}/metadata", lambda call: Reply(200, {"metadata": self.find(call)["metadata"]})
        )
        router.add("POST", "/snapshots/{id}/metadata", self.set_metadata)
        router.add("PUT", "/snapshots/{id}/metadata", self.set_metadata)
        router.add("POST", "/snapshots/{id}/action", self.act)

    def find(self, call: Call, snapshot_id: str | None = None) -> Obj:
        wanted = snapshot_id or call.params["id"]
        snapshot = self.table.get(wanted)
        if snapshot is None or not call.mine(snapshot):
            raise not_found("Snapshot", wanted)
        return snapshot

    def create(self, call: Call) -> Reply:
        values = call.inside("snapshot")
        if not values.get("volume_id"):
            raise bad("Invalid input for field/attribute snapshot. 'volume_id' is a required property")
        volume = self._volume.volumes.find(call, str(values["volume_id"]))
        forced = str(values.get("force", "")).lower() in ("true", "1") or call.microversion >= (3, 66)
        may = ("available", "in-use") if forced else ("available",)
        if volume["status"] not in may:
            raise bad(
                f"Invalid volume: Volume {volume['id']} status must be available, but current status is: "
                f"{volume['status']}."
            )
        now = self._world.now()
        snapshot: Obj = {
            "id": self._world.new_id(), "created_at": stamp_micro(now), "updated_at": None,
            "name": values.get("name"), "description": values.get("description"), "volume_id": volume["id"],
            "status": "creating", "size": volume["size"], "metadata": check_metadata(values.get("metadata") or {}),
            "project_id": call.project_id, "user_id": call.user_id,
        }  # fmt: skip
        then = {"status": "available"}
        self._world.agenda.plan(TABLE, snapshot, now + self._world.settings.build_seconds / 3, then)
        return Reply(202, {"snapshot": self._render(call, snapshot, new=True)})

    def _due(self, snapshot: Obj) -> None:
        then = fall_due(snapshot)
        if then.get("gone"):
            self.table.remove(snapshot["id"])
            return
        snapshot |= then | {"updated_at": stamp_micro(self._world.now())}
        self.table.put(snapshot)

    def _render(self, call: Call, snapshot: Obj, *, new: bool = False) -> Obj:
        names = ("id", "created_at", "updated_at", "name", "description", "volume_id", "status", "size", "metadata")
        shown = {name: snapshot[name] for name in names}
        if not new:
            shown["os-extended-snapshot-attributes:project_id"] = snapshot["project_id"]
            done = "100%" if snapshot["status"] == "available" else "0%"
            shown["os-extended-snapshot-attributes:progress"] = done
        if call.microversion >= (3, 41):
            shown["user_id"] = snapshot["user_id"]
        if call.microversion >= (3, 65):
            shown["consumes_quota"] = True
        return shown

    def list(self, call: Call) -> Reply:
        new = not call.path.endswith("/detail")
        address = f"{self._volume.root(call)}/snapshots"
        return listing(call, self.table, "snapshots", _FILTERS, lambda row: self._render(call, row, new=new), address)

    def show(self, call: Call) -> Reply:
        return Reply(200, {"snapshot": self._render(call, self.find(call))})

    def update(self, call: Call) -> Reply:
        snapshot, values = self.find(call), call.inside("snapshot")
        snapshot |= {name: values[name] for name in ("name", "description") if name in values}
        self.table.put(snapshot)
        return Reply(200, {"snapshot": self._render(call, snapshot)})

    def set_metadata(self, call: Call) -> Reply:
        snapshot, given = self.find(call), check_metadata(call.inside("metadata"))
        snapshot["metadata"] = given if call.method == "PUT" else snapshot["metadata"] | given
        self.table.put(snapshot)
        return Reply(200, {"metadata": snapshot["metadata"]})

    def delete(self, call: Call) -> Reply:
        snapshot = self.find(call)
        if snapshot["status"] not in ("available", "error"):
            raise bad(
                "Invalid snapshot: Snapshot status must be available or error, and snapshot must not belong to a group."
            )
        self.begin_delete(snapshot)
        return Reply(202)

    def begin_delete(self, snapshot: Obj) -> None:
        snapshot["status"] = "deleting"
        at = self._world.now() + self._world.settings.delete_seconds
        self._world.agenda.plan(TABLE, snapshot, at, {"gone": True})

    def act(self, call: Call) -> Reply:
        snapshot = self.find(call)
        match call.json():
            case {"os-reset_status": {"status": str(status)}}:
                if not call.is_admin:
                    raise forbidden("volume_extension:snapshot_admin_actions:reset_status")
                snapshot |= {"status": status, "_due": None}
                self.table.put(snapshot)
                return Reply(202)
            case _:
                raise Refusal(400, "There is no such action.")
