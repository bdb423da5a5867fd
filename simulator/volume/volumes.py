"""Volumes: create, delete, attach, extend, retype."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulator.http import Call, Refusal, Reply, Routes
from simulator.store import Obj
from simulator.volume.errors import bad, forbidden, not_found
from simulator.volume.lists import check_metadata, listing
from simulator.world import fall_due, stamp_micro

if TYPE_CHECKING:
    from simulator.volume.service import Volume

TABLE = "volume/volumes"
_KNOWN = frozenset(
    {
        "size", "name", "display_name", "description", "display_description", "volume_type", "metadata",
        "availability_zone", "snapshot_id", "source_volid", "imageRef", "image_id", "consistencygroup_id", "group_id",
        "multiattach", "project_id", "user_id", "attach_status", "status", "backup_id", "scheduler_hints",
    }
)  # fmt: skip
_FILTERS = frozenset(
    {
        "name", "status", "metadata", "bootable", "migration_status", "availability_zone", "group_id", "size",
        "created_at", "updated_at", "id", "multiattach", "project_id", "snapshot_id", "source_volid", "volume_type_id",
    }
)  # fmt: skip
_DELETABLE = ("available", "error", "error_restoring", "error_extending", "error_managing")
_NOT_DELETABLE = (
    "Invalid volume: Volume status must be available or error or error_restoring or error_extending or error_managing "
    "and must not be migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated "
    "from snapshots after volume transfer."
)


class Volumes:
    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._world = volume.world
        self.table = volume.table(TABLE)
        self.table.index("project_id")
        self.attachments = volume.table("volume/attachments")
        self.attachments.index("volume_id")
        self.attachments.index("server_id")
        self._world.agenda.on_due(TABLE, self._due)
        self._actions: dict[str, Callable[[Call, Obj, Any], Reply]] = {
            "os-extend": self._extend, "os-retype": self._retype, "os-set_bootable": self._set_bootable,
            "os-update_readonly_flag": self._set_readonly, "os-reset_status": self._reset_status,
            "os-attach": self._os_attach, "os-detach": self._os_detach, "os-reserve": self._reserve,
            "os-unreserve": self._unreserve, "os-force_delete": self._force_delete,
            "os-set_image_metadata": self._set_image_metadata,
        }  # fmt: skip

    def register(self, router: Routes) -> None:
        router.add("GET", "/volumes", lambda call: self.list(call, detail=False))
        router.add("GET", "/volumes/detail", lambda call: self.list(call, detail=True))
        router.add("POST", "/volumes", self.create)
        router.add("GET", "/volumes/{id}", self.show)
        router.add("PUT", "/volumes/{id}", self.update)
        router.add("DELETE", "/volumes/{id}", self.delete)
        router.add("POST", "/volumes/{id}/action", self.act)
        router.add("GET", "/volumes/{id}/metadata", self.metadata)
        router.add("POST", "/volumes/{id}/metadata", self.set_metadata)
        router.add("PUT", "/volumes/{id}/metadata", self.set_metadata)
        router.add("DELETE", "/volumes/{id}/metadata/{key}", self.drop_metadata)
        router.add("GET", "/attachments", self.list_attachments)

    # --- create --------------------------------------------------------------------------------------------------
    def create(self, call: Call) -> Reply:
        values = call.inside("volume")
        for name in values:
            if name not in _KNOWN:
                raise bad(
                    f"Invalid input for field/attribute volume. Value: {values}. Additional properties are not "
                    f"allowed ('{name}' was unexpected)"
                )
        return Reply(202, {"volume": self.render(call, self.make(call, values), new=True)})

    def make(self, call: Call, values: Obj) -> Obj:
        """A new volume, checked. Raises Refusal."""
        size, source = self._size_and_source(call, values)
        zone = values.get("availability_zone") or "nova"
        if zone != "nova":
            raise bad(f"Availability zone '{zone}' is invalid.")
        named = values.get("volume_type")
        kind = self._volume.types.by_name(str(named)) if named else source.get("type") or self._volume.types.default()
        if kind is None:
            raise bad("No default volume type is configured.")
        self._volume.misc.check_quota(call.project_id, size)
        now = self._world.now()
        volume: Obj = {
            "id": self._world.new_id(), "status": "creating", "size": size, "availability_zone": zone,
            "created_at": stamp_micro(now), "updated_at": None,
            "name": values.get("name", values.get("display_name")),
            "description": values.get("description", values.get("display_description")),
            "type_id": kind["id"], "snapshot_id": values.get("snapshot_id"),
            "source_volid": values.get("source_volid"), "metadata": check_metadata(values.get("metadata") or {}),
            "user_id": call.user_id, "project_id": call.project_id, "bootable": source["bootable"],
            "multiattach": kind["extra_specs"].get("multiattach") == "<is> True", "image": source.get("image"),
        }  # fmt: skip
        then: Obj = {"status": "available"}
        if call.fault is not None and call.fault.effect == "half_done":
            then = {"status": "error"}
        self._world.agenda.plan(TABLE, volume, now + self._world.settings.build_seconds / 3, then)
        return volume

    def _size_and_source(self, call: Call, values: Obj) -> tuple[int, Obj]:
        size = values.get("size")
        if size is not None:
            if isinstance(size, bool) or not str(size).lstrip("-").isdigit():
                raise bad(f"Invalid input for field/attribute size. Value: {size}. {size} is not of type 'integer'")
            size = int(size)
            if size < 1:
                raise bad(
                    f"Invalid input for field/attribute size. Value: {size}. {size} is less than the minimum of 1"
                )
        source: Obj = {"bootable": False}
        least, noun = 0, ""
        if values.get("snapshot_id"):
            snapshot = self._volume.snapshots.find(call, str(values["snapshot_id"]))
            origin = self.table.get(snapshot["volume_id"])
            if snapshot["status"] != "available":
                raise bad("Invalid snapshot: Originating snapshot status must be one of 'available' values")
            least, noun = snapshot["size"], "snapshot"
            source = self._source_of(origin)
        elif values.get("source_volid"):
            origin = self.find(call, str(values["source_volid"]))
            if origin["status"] not in ("available", "in-use"):
                raise bad(f"Invalid volume: Unable to create volume from volume in status {origin['status']}")
            least, noun = origin["size"], "source volume"
            source = self._source_of(origin)
        elif values.get("imageRef") or values.get("image_id"):
            image = self._volume.image.images.get(str(values.get("imageRef") or values.get("image_id")))
            if image is None or not self._volume.image.visible(call, image):
                raise bad("Invalid image identifier or unable to access requested image.")
            least, noun = max(1, image["min_disk"]), "image minDisk"
            source = {"bootable": True, "image": {"image_id": image["id"], "image_name": image["name"] or ""}}
            if size is None:
                raise bad(_NO_SIZE)
        if size is None:
            if not least:
                raise bad(_NO_SIZE)
            size = least
        if size < least:
            raise bad(
                f"Invalid input received: Volume size '{size}'GB cannot be smaller than the {noun} size {least}GB. "
                f"They must be >= original {noun} size."
            )
        return size, source

    def _source_of(self, origin: Obj | None) -> Obj:
        if origin is None:
            return {"bootable": False}
        kind = self._volume.types.table.get(origin["type_id"])
        return {"bootable": origin["bootable"], "type": kind, "image": origin["image"]}

    def _due(self, volume: Obj) -> None:
        then = fall_due(volume)
        if then.get("gone"):
            self.table.remove(volume["id"])
            return
        if "type_id" in then:
            kind = self._volume.types.table.get(then["type_id"])
            volume["multiattach"] = bool(kind) and kind["extra_specs"].get("multiattach") == "<is> True"  # type: ignore[index]
        if then.get("detached"):
            self.attachments.remove(then.pop("detached"))
            then["status"] = "in-use" if self.attachments.has("volume_id", volume["id"]) else "available"
        volume |= then
        self._touch(volume)

    def _touch(self, volume: Obj) -> None:
        volume["updated_at"] = stamp_micro(self._world.now())
        self.table.put(volume)

    def _plan(self, volume: Obj, then: Obj) -> None:
        seconds = self._world.settings.build_seconds / 3
        self._world.agenda.plan(TABLE, volume, self._world.now() + seconds, then)

    def busy(self, volume: Obj, status: str) -> None:
        """Has `status` for a while, then again the one it has now."""
        was, volume["status"] = volume["status"], status
        self._plan(volume, {"status": was})

    # --- reading -------------------------------------------------------------------------------------------------
    def find(self, call: Call, volume_id: str | None = None) -> Obj:
        wanted = volume_id or call.params["id"]
        volume = self.table.get(wanted)
        if volume is None or not call.mine(volume):
            raise not_found("Volume", wanted)
        return volume

    def render(self, call: Call, volume: Obj, *, new: bool = False) -> Obj:
        kind = self._volume.types.table.get(volume["type_id"])
        plain = ("id", "status", "size", "availability_zone", "created_at", "updated_at", "name", "description")
        shown: Obj = {name: volume[name] for name in plain} | {
            "volume_type": kind["name"] if kind else None, "snapshot_id": volume["snapshot_id"],
            "source_volid": volume["source_volid"], "metadata": volume["metadata"],
            "links": self._volume.links(call, "volumes", volume["id"]), "user_id": volume["user_id"],
            "bootable": str(volume["bootable"]).lower(), "encrypted": False, "replication_status": None,
            "consistencygroup_id": None, "multiattach": volume["multiattach"],
            "attachments": [_attachment(row) for row in self.attachments.by("volume_id", volume["id"])],
        }  # fmt: skip
        if call.microversion >= (3, 13):
            shown["group_id"] = None
        if call.microversion >= (3, 48):
            shown |= {"shared_targets": False, "service_uuid": None}
        if call.microversion >= (3, 63):
            shown["volume_type_id"] = volume["type_id"]
        if call.microversion >= (3, 65):
            shown["consumes_quota"] = True
        if not new:
            shown["os-vol-tenant-attr:tenant_id"] = volume["project_id"]
            if volume["image"]:
                shown["volume_image_metadata"] = volume["image"]
            if call.is_admin:
                shown |= {"os-vol-host-attr:host": "simulated@local#local", "os-vol-mig-status-attr:migstat": None,
                          "os-vol-mig-status-attr:name_id": None, "migration_status": None}  # fmt: skip
        return shown

    def show(self, call: Call) -> Reply:
        return Reply(200, {"volume": self.render(call, self.find(call))})

    def list(self, call: Call, *, detail: bool) -> Reply:
        def brief(volume: Obj) -> Obj:
            links = self._volume.links(call, "volumes", volume["id"])
            return {"id": volume["id"], "name": volume["name"], "links": links}

        address = f"{self._volume.root(call)}/volumes{'/detail' if detail else ''}"
        render = (lambda volume: self.render(call, volume)) if detail else brief
        return listing(call, self.table, "volumes", _FILTERS, render, address)

    # --- changing ------------------------------------------------------------------------------------------------
    def update(self, call: Call) -> Reply:
        volume, values = self.find(call), call.inside("volume")
        names = {"name": "name", "display_name": "name", "description": "description",
                 "display_description": "description"}  # fmt: skip
        for given, value in values.items():
            if given in names:
                volume[names[given]] = value
            elif given == "metadata":
                volume["metadata"] = check_metadata(value)
            else:
                raise bad(f"Additional properties are not allowed ('{given}' was unexpected)")
        self._touch(volume)
        return Reply(200, {"volume": self.render(call, volume)})

    def delete(self, call: Call) -> Reply:
        volume = self.find(call)
        cascade = (call.first("cascade") or "").lower() in ("true", "1")
        snapshots = self._volume.snapshots.table.by("volume_id", volume["id"])
        attached = self.attachments.has("volume_id", volume["id"])
        if volume["status"] not in _DELETABLE or attached or (snapshots and not cascade):
            raise bad(_NOT_DELETABLE)
        for snapshot in snapshots:
            self._volume.snapshots.begin_delete(snapshot)
        self.begin_delete(volume)
        return Reply(202)

    def begin_delete(self, volume: Obj) -> None:
        volume["status"] = "deleting"
        at = self._world.now() + self._world.settings.delete_seconds
        self._world.agenda.plan(TABLE, volume, at, {"gone": True})

    def metadata(self, call: Call) -> Reply:
        return Reply(200, {"metadata": self.find(call)["metadata"]})

    def set_metadata(self, call: Call) -> Reply:
        volume, given = self.find(call), check_metadata(call.inside("metadata"))
        volume["metadata"] = given if call.method == "PUT" else volume["metadata"] | given
        self._touch(volume)
        return Reply(200, {"metadata": volume["metadata"]})

    def drop_metadata(self, call: Call) -> Reply:
        volume, key = self.find(call), call.params["key"]
        if key not in volume["metadata"]:
            raise Refusal(404, f"Volume {volume['id']} has no metadata with key {key}.")
        volume["metadata"] = {name: value for name, value in volume["metadata"].items() if name != key}
        self._touch(volume)
        return Reply(200)

    # --- attaching -----------------------------------------------------------------------------------------------
    def attach(self, volume: Obj, server_id: str, device: str, *, delete: bool) -> Obj:
        """Attach at once; Nova has checked."""
        taken = {row["device"] for row in self.attachments.by("server_id", server_id)}
        device = device or next(
            f"/dev/vd{letter}" for letter in "bcdefghijklmnopqrstuvwxyz" if f"/dev/vd{letter}" not in taken
        )
        row: Obj = {
            "id": self._world.new_id(), "volume_id": volume["id"], "server_id": server_id, "device": device,
            "delete_on_termination": delete, "attached_at": stamp_micro(self._world.now()),
            "project_id": volume["project_id"],
        }  # fmt: skip
        self.attachments.put(row)
        volume |= {"status": "in-use", "_due": None}
        self._touch(volume)
        return row

    def begin_detach(self, row: Obj) -> None:
        volume = self.table.get(row["volume_id"])
        if volume is None:
            self.attachments.remove(row["id"])
            return
        volume["status"] = "detaching"
        self._plan(volume, {"detached": row["id"]})

    def server_gone(self, server_id: str) -> None:
        """Let go of its volumes; those that should go with it go."""
        for row in self.attachments.by("server_id", server_id):
            self.attachments.remove(row["id"])
            volume = self.table.get(row["volume_id"])
            if volume is None:
                continue
            if row["delete_on_termination"]:
                self.begin_delete(volume)
            else:
                volume["status"] = "in-use" if self.attachments.has("volume_id", volume["id"]) else "available"
                volume["_due"] = None
                self._touch(volume)

    def list_attachments(self, call: Call) -> Reply:
        if call.microversion < (3, 27):
            raise Refusal(404, "The resource could not be found.")
        volume_id, server_id = call.first("volume_id"), call.first("instance_id")
        rows = [
            {"id": row["id"], "status": "attached", "instance": row["server_id"], "volume_id": row["volume_id"]}
            for row in self.attachments
            if call.mine(row) and volume_id in (None, row["volume_id"]) and server_id in (None, row["server_id"])
        ]
        return Reply(200, {"attachments": rows})

    # --- actions -------------------------------------------------------------------------------------------------
    def act(self, call: Call) -> Reply:
        body = call.json()
        name, argument = next(iter(body.items()), ("", None)) if isinstance(body, dict) else ("", None)
        handler = self._actions.get(name)
        if handler is None:
            raise bad(
                f"There is no such action: {name}. Verify the request body and Content-Type header and try again."
            )
        return handler(call, self.find(call), argument if isinstance(argument, dict) else {})

    def _extend(self, call: Call, volume: Obj, argument: Any) -> Reply:
        size = argument.get("new_size")
        if not str(size).isdigit():
            raise bad(f"Invalid input for field/attribute new_size. Value: {size}.")
        may = ("available", "in-use") if call.microversion >= (3, 42) else ("available",)
        if volume["status"] not in may:
            raise bad(
                f"Invalid volume: Volume {volume['id']} status must be '{{'status': 'available'}}' to extend, "
                f"currently {volume['status']}."
            )
        if int(size) <= volume["size"]:
            raise bad(
                "Invalid input received: New size for extend must be greater than current size. (current: "
                f"{volume['size']}, extended: {size})."
            )
        was, volume["status"] = volume["status"], "extending"
        self._plan(volume, {"status": was, "size": int(size)})
        return Reply(202)

    def _retype(self, call: Call, volume: Obj, argument: Any) -> Reply:
        kind = self._volume.types.by_name(str(argument.get("new_type")))
        if volume["status"] not in ("available", "in-use"):
            raise bad(f"Invalid volume: Unable to update type due to incorrect status: {volume['status']}")
        if kind["id"] == volume["type_id"]:
            raise bad("Invalid input received: New volume_type same as original: " + kind["name"] + ".")
        was, volume["status"] = volume["status"], "retyping"
        self._plan(volume, {"status": was, "type_id": kind["id"]})
        return Reply(202)

    def _set_bootable(self, call: Call, volume: Obj, argument: Any) -> Reply:
        volume["bootable"] = str(argument.get("bootable")).lower() in ("true", "1")
        self._touch(volume)
        return Reply(200)

    def _set_readonly(self, call: Call, volume: Obj, argument: Any) -> Reply:
        if volume["status"] != "available":
            raise bad(f"Invalid volume: Volume {volume['id']} status must be available to update readonly flag")
        volume["metadata"] = volume["metadata"] | {"readonly": str(bool(argument.get("readonly")))}
        self._touch(volume)
        return Reply(202)

    def _set_image_metadata(self, call: Call, volume: Obj, argument: Any) -> Reply:
        volume["image"] = (volume["image"] or {}) | dict(argument.get("metadata") or {})
        self._touch(volume)
        return Reply(200, {"metadata": volume["image"]})

    def _reset_status(self, call: Call, volume: Obj, argument: Any) -> Reply:
        if not call.is_admin:
            raise forbidden("volume_extension:volume_admin_actions:reset_status")
        volume |= {"status": argument.get("status") or volume["status"], "_due": None}
        self._touch(volume)
        return Reply(202)

    def _os_attach(self, call: Call, volume: Obj, argument: Any) -> Reply:
        if volume["status"] not in ("available", "attaching"):
            raise bad(f"Invalid volume: Volume status must be 'available'. Currently in '{volume['status']}'")
        self.attach(volume, str(argument.get("instance_uuid")), str(argument.get("mountpoint") or ""), delete=False)
        return Reply(202)

    def _os_detach(self, call: Call, volume: Obj, argument: Any) -> Reply:
        for row in self.attachments.by("volume_id", volume["id"]):
            self.begin_detach(row)
        return Reply(202)

    def _reserve(self, call: Call, volume: Obj, argument: Any) -> Reply:
        if volume["status"] != "available":
            raise bad(
                f"Invalid volume: Volume status must be available to reserve, but the status is {volume['status']}."
            )
        volume["status"] = "attaching"
        self._touch(volume)
        return Reply(202)

    def _unreserve(self, call: Call, volume: Obj, argument: Any) -> Reply:
        if volume["status"] == "attaching":
            volume["status"] = "available"
            self._touch(volume)
        return Reply(202)

    def _force_delete(self, call: Call, volume: Obj, argument: Any) -> Reply:
        if not call.is_admin:
            raise forbidden("volume_extension:volume_admin_actions:force_delete")
        self.begin_delete(volume)
        return Reply(202)


_NO_SIZE = "The server could not comply with the request since it is either malformed or otherwise incorrect."


def _attachment(row: Obj) -> Obj:
    return {
        "id": row["volume_id"], "attachment_id": row["id"], "volume_id": row["volume_id"],
        "server_id": row["server_id"], "host_name": None, "device": row["device"], "attached_at": row["attached_at"],
    }  # fmt: skip
