"""Placement: its versions, one resource provider, and what it has."""

from __future__ import annotations

from simulator.http import Call, Refusal, Reply
from simulator.ids import stable_id
from simulator.world import Service, World

_PROVIDER = stable_id("placement/provider")


class Placement(Service):
    name = "placement"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.router.add("GET", "/", self.versions)
        self.router.add("GET", "/resource_providers", self.providers)
        self.router.add("GET", "/resource_providers/{id}", self.provider)

    def refused(self, call: Call, refusal: Refusal) -> Reply:
        error = {"status": refusal.status, "title": "Error", "detail": refusal.message}
        return Reply(refusal.status, {"errors": [error]})

    def versions(self, call: Call) -> Reply:
        version = {"id": "v1.0", "max_version": "1.39", "min_version": "1.0", "status": "CURRENT",
                   "links": [{"rel": "self", "href": ""}]}  # fmt: skip
        return Reply(200, {"versions": [version]})

    def providers(self, call: Call) -> Reply:
        if not call.is_admin:
            raise Refusal(403, "placement:resource_providers:list : the request is not authorized.")
        return Reply(200, {"resource_providers": [_row()]})

    def provider(self, call: Call) -> Reply:
        if not call.is_admin:
            raise Refusal(403, "placement:resource_providers:show : the request is not authorized.")
        if call.params["id"] != _PROVIDER:
            raise Refusal(404, f"No resource provider with uuid {call.params['id']} found")
        return Reply(200, _row())


def _row() -> dict[str, object]:
    return {"uuid": _PROVIDER, "name": "simulated", "generation": 1, "root_provider_uuid": _PROVIDER,
            "parent_provider_uuid": None, "links": []}  # fmt: skip
