"""Zones, limits, quotas and services of Cinder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.http import Call, Refusal, Reply, Routes
from simulator.store import Obj
from simulator.volume.errors import bad, forbidden
from simulator.world import stamp_micro

if TYPE_CHECKING:
    from simulator.volume.service import Volume

_QUOTAS = {"volumes": -1, "snapshots": -1, "gigabytes": -1, "per_volume_gigabytes": -1, "backups": -1,
           "backup_gigabytes": 1000, "groups": -1}  # fmt: skip


class Misc:
    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self.quotas = volume.table("volume/quotas")

    def register(self, router: Routes) -> None:
        zone = {"zoneName": "nova", "zoneState": {"available": True}}
        router.add("GET", "/os-availability-zone", lambda _: Reply(200, {"availabilityZoneInfo": [zone]}))
        router.add("GET", "/limits", self.limits)
        router.add("GET", "/os-quota-sets/{target}", self.show_quota)
        router.add("GET", "/os-quota-sets/{target}/defaults", self.default_quota)
        router.add("PUT", "/os-quota-sets/{target}", self.set_quota)
        router.add("DELETE", "/os-quota-sets/{target}", self.drop_quota)
        router.add("GET", "/os-services", self.services)

    def _limits(self, project: str) -> Obj:
        return _QUOTAS | {name: value for name, value in (self.quotas.get(project) or {}).items() if name != "id"}

    def _used(self, project: str) -> Obj:
        volumes = self._volume.volumes.table.by("project_id", project)
        snapshots = self._volume.snapshots.table.by("project_id", project)
        gigabytes = sum(row["size"] for row in (*volumes, *snapshots))
        return {"volumes": len(volumes), "snapshots": len(snapshots), "gigabytes": gigabytes}

    def check_quota(self, project: str, size: int) -> None:
        """Raises Refusal 413 when one more volume is too much."""
        if project not in self.quotas:
            return
        limit, used = self._limits(project), self._used(project)
        for name, more in (("volumes", 1), ("gigabytes", size)):
            if 0 <= limit[name] < used[name] + more:
                raise Refusal(413, f"VolumeLimitExceeded: Maximum number of {name} allowed ({limit[name]}) exceeded.")

    def limits(self, call: Call) -> Reply:
        limit, used = self._limits(call.project_id), self._used(call.project_id)
        absolute = {
            "maxTotalVolumes": limit["volumes"], "maxTotalSnapshots": limit["snapshots"],
            "maxTotalVolumeGigabytes": limit["gigabytes"], "maxTotalBackups": limit["backups"],
            "maxTotalBackupGigabytes": limit["backup_gigabytes"], "totalVolumesUsed": used["volumes"],
            "totalGigabytesUsed": used["gigabytes"], "totalSnapshotsUsed": used["snapshots"], "totalBackupsUsed": 0,
            "totalBackupGigabytesUsed": 0,
        }  # fmt: skip
        return Reply(200, {"limits": {"rate": [], "absolute": absolute}})

    def _target(self, call: Call, rule: str) -> str:
        target = call.params["target"]
        if not call.is_admin and (target != call.project_id or rule != "show"):
            raise forbidden(f"volume_extension:quotas:{rule}")
        return target

    def show_quota(self, call: Call) -> Reply:
        target = self._target(call, "show")
        limits = self._limits(target)
        if (call.first("usage") or "").lower() == "true":
            used = self._used(target)
            limits = {name: {"limit": v, "in_use": used.get(name, 0), "reserved": 0} for name, v in limits.items()}
        return Reply(200, {"quota_set": limits | {"id": target}})

    def default_quota(self, call: Call) -> Reply:
        return Reply(200, {"quota_set": _QUOTAS | {"id": call.params["target"]}})

    def set_quota(self, call: Call) -> Reply:
        target, values = self._target(call, "update"), call.inside("quota_set")
        given = {name: value for name, value in values.items() if name in _QUOTAS}
        if not all(str(value).lstrip("-").isdigit() for value in given.values()):
            raise bad("Invalid input received: quota values must be integers.")
        kept = self.quotas.get(target) or {"id": target}
        self.quotas.put(kept | {name: int(value) for name, value in given.items()})
        return Reply(200, {"quota_set": self._limits(target)})

    def drop_quota(self, call: Call) -> Reply:
        self.quotas.remove(self._target(call, "delete"))
        return Reply(200)

    def services(self, call: Call) -> Reply:
        if not call.is_admin:
            raise forbidden("volume_extension:services:index")
        common = {"zone": "nova", "status": "enabled", "state": "up", "disabled_reason": None}
        now = stamp_micro(self._volume.world.now())
        names = {"cinder-scheduler": "simulated", "cinder-volume": "simulated@local"}
        rows = [common | {"binary": name, "host": host, "updated_at": now} for name, host in names.items()]
        return Reply(200, {"services": rows})
