"""Regions, services, endpoints, policies, limits."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from simulator.http import Call, Refusal
from simulator.identity.collection import Collection
from simulator.identity.errors import conflict, malformed
from simulator.store import Obj


class Regions(Collection):
    sdk_name, path, key = "identity.v3.region.Region", "/regions", "region"
    defaults: ClassVar[dict[str, Any]] = {"description": "", "parent_region_id": None}
    required = ()
    filters = frozenset({"parent_region_id"})

    def allowed(self, call: Call, verb: str, obj: Obj | None) -> bool:
        return call.is_admin or verb in ("get", "list")

    def make(self, call: Call, values: Obj) -> Obj:
        chosen = str(values.get("id") or uuid.uuid4().hex)
        if chosen in self.table:
            raise conflict("region", f"Duplicate ID, {chosen}.")
        return self.table.put(dict(self.defaults) | values | {"id": chosen})


class Services(Collection):
    sdk_name, path, key = "identity.v3.service.Service", "/services", "service"
    defaults: ClassVar[dict[str, Any]] = {"name": "", "enabled": True}
    required = ("type",)
    filters = frozenset({"name", "type"})

    def after_delete(self, call: Call, obj: Obj) -> None:
        for endpoint in self.identity.endpoints.by("service_id", obj["id"]):
            self.identity.endpoints.remove(endpoint["id"])


class Endpoints(Collection):
    sdk_name, path, key = "identity.v3.endpoint.Endpoint", "/endpoints", "endpoint"
    defaults: ClassVar[dict[str, Any]] = {"enabled": True, "region_id": None}
    required = ("service_id", "interface", "url")
    filters = frozenset({"interface", "service_id", "region_id"})

    def before_create(self, call: Call, obj: Obj) -> None:
        if obj["service_id"] not in self.identity.services:
            raise malformed("Expecting to find endpoint service_id in service table.")
        if obj["interface"] not in ("public", "internal", "admin"):
            raise Refusal(400, f"'{obj['interface']}' is not one of ['admin', 'internal', 'public']")
        region = obj.pop("region", None) or obj["region_id"]
        obj["region_id"] = region
        if region and region not in self.identity.region_list.table:
            raise malformed("Expecting to find endpoint region_id in region table.")

    def render(self, obj: Obj) -> Obj:
        url = obj["url"].replace("{base}", self.world.url)
        return super().render(obj) | {"url": url, "region": obj["region_id"]}


class Policies(Collection):
    sdk_name, path, key = "identity.v3.policy.Policy", "/policies", "policy"
    required = ("blob", "type")
    filters = frozenset({"type"})
