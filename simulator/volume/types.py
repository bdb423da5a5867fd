"""Volume types: read by all, made by administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.http import Call, Refusal, Reply, Routes
from simulator.store import Obj
from simulator.volume.errors import bad, forbidden, not_found

if TYPE_CHECKING:
    from simulator.volume.service import Volume

_PUBLIC = "os-volume-type-access:is_public"


class Types:
    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self.table = volume.table("volume/types")

    def register(self, router: Routes) -> None:
        router.add("GET", "/types", self.list)
        router.add("POST", "/types", self.create)
        router.add("GET", "/types/{id}", self.show)
        router.add("PUT", "/types/{id}", self.update)
        router.add("DELETE", "/types/{id}", self.delete)
        router.add("GET", "/types/{id}/extra_specs", self.specs)
        router.add("POST", "/types/{id}/extra_specs", self.set_specs)
        router.add("DELETE", "/types/{id}/extra_specs/{key}", self.drop_spec)

    def put_type(self, type_id: str, name: str, extra_specs: Obj, *, default: bool = False) -> Obj:
        row: Obj = {
            "id": type_id, "name": name, "is_public": True, "description": None, "extra_specs": extra_specs,
            "default": default,
        }  # fmt: skip
        return self.table.put(row)

    def default(self) -> Obj | None:
        return next((row for row in self.table if row["default"]), None)

    def by_name(self, name_or_id: str) -> Obj:
        """Raises Refusal 404."""
        row = self.table.get(name_or_id)
        if row is not None:
            return row
        for row in self.table:
            if row["name"] == name_or_id:
                return row
        raise Refusal(404, f"Volume type with name {name_or_id} could not be found.")

    def _render(self, row: Obj) -> Obj:
        return {name: row[name] for name in ("id", "name", "is_public", "description", "extra_specs")} | {
            _PUBLIC: row["is_public"], "qos_specs_id": None}  # fmt: skip

    def list(self, call: Call) -> Reply:
        rows = [row for row in self.table if row["is_public"] or call.is_admin]
        name = call.first("name")
        rows = [row for row in rows if name in (None, row["name"])]
        return Reply(200, {"volume_types": [self._render(row) for row in reversed(rows)]})

    def _admin(self, call: Call, rule: str) -> None:
        if not call.is_admin:
            raise forbidden(rule)

    def find(self, call: Call) -> Obj:
        type_id = call.params["id"]
        row = self.default() if type_id == "default" else self.table.get(type_id)
        if row is None:
            raise not_found("Volume type", type_id)
        return row

    def show(self, call: Call) -> Reply:
        return Reply(200, {"volume_type": self._render(self.find(call))})

    def create(self, call: Call) -> Reply:
        self._admin(call, "volume_extension:type_create")
        values = call.inside("volume_type")
        name = str(values.get("name") or "").strip()
        if not name:
            raise bad("Invalid input for field/attribute name. Volume type name can not be empty.")
        if any(row["name"] == name for row in self.table):
            raise Refusal(409, f"Volume Type {name} already exists.")
        row = self.put_type(self._volume.world.new_id(), name, dict(values.get("extra_specs") or {}))
        row |= {"description": values.get("description"), "is_public": bool(values.get(_PUBLIC, True))}
        self.table.put(row)
        return Reply(200, {"volume_type": self._render(row)})

    def update(self, call: Call) -> Reply:
        self._admin(call, "volume_extension:type_update")
        row, values = self.find(call), call.inside("volume_type")
        name = values.get("name")
        if name and any(other["name"] == name and other["id"] != row["id"] for other in self.table):
            raise Refusal(409, f"Volume Type {name} already exists.")
        row |= {key: values[key] for key in ("name", "description", "is_public") if values.get(key) is not None}
        self.table.put(row)
        return Reply(200, {"volume_type": self._render(row)})

    def delete(self, call: Call) -> Reply:
        self._admin(call, "volume_extension:type_delete")
        row = self.find(call)
        if any(volume["type_id"] == row["id"] for volume in self._volume.volumes.table):
            raise bad("Target volume type is still in use.")
        self.table.remove(row["id"])
        return Reply(202)

    def specs(self, call: Call) -> Reply:
        return Reply(200, {"extra_specs": self.find(call)["extra_specs"]})

    def set_specs(self, call: Call) -> Reply:
        self._admin(call, "volume_extension:types_extra_specs:create")
        row, given = self.find(call), call.inside("extra_specs")
        row["extra_specs"] = row["extra_specs"] | {str(name): str(value) for name, value in given.items()}
        self.table.put(row)
        return Reply(200, {"extra_specs": given})

    def drop_spec(self, call: Call) -> Reply:
        self._admin(call, "volume_extension:types_extra_specs:delete")
        row, key = self.find(call), call.params["key"]
        if key not in row["extra_specs"]:
            raise Refusal(404, f"Volume Type {row['id']} has no extra specs with key {key}.")
        row["extra_specs"] = {name: value for name, value in row["extra_specs"].items() if name != key}
        self.table.put(row)
        return Reply(202)
