"""Flavors: read by all, made by administrators."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from simulator.compute.errors import bad, conflict, forbidden, invalid, not_found
from simulator.http import Call, Reply, Routes
from simulator.query import limit_of, next_link, page
from simulator.store import Obj

if TYPE_CHECKING:
    from simulator.compute.service import Compute

_EPHEMERAL, _DISABLED, _PUBLIC = "OS-FLV-EXT-DATA:ephemeral", "OS-FLV-DISABLED:disabled", "os-flavor-access:is_public"
_KNOWN = frozenset({"id", "name", "ram", "vcpus", "disk", "swap", "rxtx_factor", "description", _EPHEMERAL, _PUBLIC})
_MOST = 1000


class Flavors:
    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self.table = compute.table("compute/flavors")
        self.access = compute.table("compute/flavor_access")

    def register(self, router: Routes) -> None:
        router.add("GET", "/flavors", lambda call: self.list(call, detail=False))
        router.add("GET", "/flavors/detail", lambda call: self.list(call, detail=True))
        router.add("POST", "/flavors", self.create)
        router.add("GET", "/flavors/{id}", self.show)
        router.add("PUT", "/flavors/{id}", self.update)
        router.add("DELETE", "/flavors/{id}", self.delete)
        router.add("GET", "/flavors/{id}/os-extra_specs", self.specs)
        router.add("POST", "/flavors/{id}/os-extra_specs", self.set_specs)
        router.add("GET", "/flavors/{id}/os-extra_specs/{key}", self.spec)
        router.add("PUT", "/flavors/{id}/os-extra_specs/{key}", self.set_spec)
        router.add("DELETE", "/flavors/{id}/os-extra_specs/{key}", self.drop_spec)
        router.add("GET", "/flavors/{id}/os-flavor-access", self.list_access)
        router.add("POST", "/flavors/{id}/action", self.act)

    def put_flavor(self, flavor_id: str, name: str, *, ram: int, disk: int, vcpus: int, **more: Any) -> Obj:
        flavor: Obj = {
            "id": flavor_id, "name": name, "ram": ram, "disk": disk, "swap": 0, _EPHEMERAL: 0, _DISABLED: False,
            "vcpus": vcpus, _PUBLIC: True, "rxtx_factor": 1.0, "description": None, "extra_specs": {},
        } | more  # fmt: skip
        return self.table.put(flavor)

    def find(self, call: Call, flavor_id: str) -> Obj:
        flavor = self.table.get(flavor_id)
        if flavor is None or not self._visible(call, flavor):
            raise not_found(f"Flavor {flavor_id} could not be found.")
        return flavor

    def _visible(self, call: Call, flavor: Obj) -> bool:
        return call.is_admin or flavor[_PUBLIC] or f"{flavor['id']}/{call.project_id}" in self.access

    def render(self, call: Call, flavor: Obj) -> Obj:
        shown = dict(flavor) | {"links": self._compute.links("flavors", flavor["id"])}
        if call.microversion < (2, 75):
            shown["swap"] = flavor["swap"] or ""
        if call.microversion < (2, 55):
            del shown["description"]
        if call.microversion < (2, 61):
            del shown["extra_specs"]
        return shown

    def embedded(self, call: Call, flavor: Obj) -> Obj:
        """As it stands in a server."""
        if call.microversion < (2, 47):
            return {"id": flavor["id"], "links": self._compute.links("flavors", flavor["id"])[1:]}
        return {
            "vcpus": flavor["vcpus"], "ram": flavor["ram"], "disk": flavor["disk"], "ephemeral": flavor[_EPHEMERAL],
            "swap": flavor["swap"], "original_name": flavor["name"], "extra_specs": flavor["extra_specs"],
        }  # fmt: skip

    def list(self, call: Call, *, detail: bool) -> Reply:
        public = (call.first("is_public") or "").lower()
        rows = [flavor for flavor in self.table if self._visible(call, flavor)]
        if call.is_admin and public not in ("none",):
            wanted = public not in ("false", "0", "f", "no")
            rows = [flavor for flavor in rows if flavor[_PUBLIC] == wanted]
        for name, key in (("minRam", "ram"), ("minDisk", "disk")):
            least = call.first(name)
            if least is not None:
                if not least.isdigit():
                    raise bad(f"Invalid {name} filter [{least}]")
                rows = [flavor for flavor in rows if flavor[key] >= int(least)]
        rows.sort(key=lambda flavor: flavor["id"])
        rows, more = page(rows, call, limit_of(call, bad, _MOST), lambda m: bad(f"marker [{m}] not found"))
        if detail:
            shown = [self.render(call, flavor) for flavor in rows]
        else:
            shown = [self._brief(call, flavor) for flavor in rows]
        body: Obj = {"flavors": shown}
        if more and call.first("limit"):
            address = f"{self._compute.root}/flavors{'/detail' if detail else ''}"
            body["flavors_links"] = [{"rel": "next", "href": next_link(call, address, rows[-1]["id"])}]
        return Reply(200, body)

    def _brief(self, call: Call, flavor: Obj) -> Obj:
        shown = {name: flavor[name] for name in ("id", "name")} | {
            "links": self._compute.links("flavors", flavor["id"])
        }
        return shown | ({"description": flavor["description"]} if call.microversion >= (2, 55) else {})

    def show(self, call: Call) -> Reply:
        return Reply(200, {"flavor": self.render(call, self.find(call, call.params["id"]))})

    def _admin(self, call: Call, rule: str) -> None:
        if not call.is_admin:
            raise forbidden(rule)

    def create(self, call: Call) -> Reply:
        self._admin(call, "os-flavor-manage:create")
        values = call.inside("flavor")
        for name in values:
            if name not in _KNOWN or (name == "description" and call.microversion < (2, 55)):
                raise invalid("flavor", values, f"Additional properties are not allowed ('{name}' was unexpected)")
        numbers = {name: _number(values, name, least) for name, least in (("ram", 1), ("vcpus", 1), ("disk", 0))}
        name = str(values.get("name") or "")
        if not name or len(name) > 255:
            raise invalid("name", name, "'name' is a required property")
        flavor_id = values.get("id")
        if flavor_id in (None, "auto"):
            flavor_id = self._compute.world.new_id()
        flavor_id = str(flavor_id)
        if not re.fullmatch(r"[a-zA-Z0-9. _-]{1,255}", flavor_id):
            raise invalid("id", flavor_id, "it does not match '^[a-zA-Z0-9. _-]*$'")
        if any(other["name"] == name for other in self.table):
            raise conflict(f"Flavor with name {name} already exists.")
        if flavor_id in self.table:
            raise conflict(f"Flavor with ID {flavor_id} already exists.")
        more = {key: values[key] for key in (_PUBLIC, "rxtx_factor", "description") if key in values}
        more |= {key: int(values.get(key) or 0) for key in (_EPHEMERAL, "swap")}
        flavor = self.put_flavor(flavor_id, name, **numbers, **more)
        return Reply(200, {"flavor": self.render(call, flavor)})

    def update(self, call: Call) -> Reply:
        self._admin(call, "os-flavor-manage:update")
        if call.microversion < (2, 55):
            raise not_found("The resource could not be found.")
        flavor = self.find(call, call.params["id"])
        flavor["description"] = call.inside("flavor").get("description")
        self.table.put(flavor)
        return Reply(200, {"flavor": self.render(call, flavor)})

    def delete(self, call: Call) -> Reply:
        self._admin(call, "os-flavor-manage:delete")
        self.table.remove(self.find(call, call.params["id"])["id"])
        return Reply(202)

    # --- extra specs and access ----------------------------------------------------------------------------------
    def specs(self, call: Call) -> Reply:
        return Reply(200, {"extra_specs": self.find(call, call.params["id"])["extra_specs"]})

    def set_specs(self, call: Call) -> Reply:
        self._admin(call, "os-flavor-extra-specs:create")
        flavor = self.find(call, call.params["id"])
        given = {str(name): str(value) for name, value in call.inside("extra_specs").items()}
        flavor["extra_specs"] = flavor["extra_specs"] | given
        self.table.put(flavor)
        return Reply(200, {"extra_specs": given})

    def spec(self, call: Call) -> Reply:
        flavor, key = self.find(call, call.params["id"]), call.params["key"]
        if key not in flavor["extra_specs"]:
            raise not_found(f"Flavor {flavor['id']} has no extra specs with key {key}.")
        return Reply(200, {key: flavor["extra_specs"][key]})

    def set_spec(self, call: Call) -> Reply:
        self._admin(call, "os-flavor-extra-specs:update")
        flavor, key = self.find(call, call.params["id"]), call.params["key"]
        body = call.json()
        if not isinstance(body, dict) or list(body) != [key]:
            raise bad("Request body and URI mismatch")
        flavor["extra_specs"] = flavor["extra_specs"] | {key: str(body[key])}
        self.table.put(flavor)
        return Reply(200, body)

    def drop_spec(self, call: Call) -> Reply:
        self._admin(call, "os-flavor-extra-specs:delete")
        flavor, key = self.find(call, call.params["id"]), call.params["key"]
        if key not in flavor["extra_specs"]:
            raise not_found(f"Flavor {flavor['id']} has no extra specs with key {key}.")
        flavor["extra_specs"] = {name: value for name, value in flavor["extra_specs"].items() if name != key}
        self.table.put(flavor)
        return Reply(200)

    def _access_rows(self, flavor: Obj) -> Reply:
        rows = [row for row in self.access if row["flavor_id"] == flavor["id"]]
        shown = [{"flavor_id": row["flavor_id"], "tenant_id": row["tenant_id"]} for row in rows]
        return Reply(200, {"flavor_access": shown})

    def list_access(self, call: Call) -> Reply:
        self._admin(call, "os-flavor-access")
        flavor = self.find(call, call.params["id"])
        if flavor[_PUBLIC]:
            raise not_found("Access list not available for public flavors.")
        return self._access_rows(flavor)

    def act(self, call: Call) -> Reply:
        self._admin(call, "os-flavor-access:add_tenant_access")
        flavor = self.find(call, call.params["id"])
        match call.json():
            case {"addTenantAccess": {"tenant": str(tenant)}}:
                row_id = f"{flavor['id']}/{tenant}"
                if row_id in self.access:
                    raise conflict(
                        f"Flavor access already exists for flavor {flavor['id']} and project {tenant} combination."
                    )
                self.access.put({"id": row_id, "flavor_id": flavor["id"], "tenant_id": tenant})
            case {"removeTenantAccess": {"tenant": str(tenant)}}:
                row_id = f"{flavor['id']}/{tenant}"
                if row_id not in self.access:
                    raise not_found(f"Flavor access not found for {flavor['id']} / {tenant} combination.")
                self.access.remove(row_id)
            case _:
                raise bad("There is no such action.")
        return self._access_rows(flavor)


def _number(values: Obj, name: str, least: int) -> int:
    value = values.get(name)
    if value is None:
        raise invalid("flavor", values, f"'{name}' is a required property")
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise invalid(name, value, f"'{value}' is not of type 'integer', 'string'") from None
    if number < least:
        raise invalid(name, value, f"{value} is less than the minimum of {least}")
    return number
