"""The Cinder API 3.0–3.70."""

from __future__ import annotations

import re

from simulator.http import Below, Call, Refusal, Reply
from simulator.image.service import Image
from simulator.volume.backups import Backups
from simulator.volume.misc import Misc
from simulator.volume.snapshots import Snapshots
from simulator.volume.types import Types
from simulator.volume.volumes import Volumes
from simulator.world import Service, World, html_page

_LOWEST, _HIGHEST = (3, 0), (3, 70)
_NAMES = {
    400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
    409: "conflictingRequest", 413: "overLimit", 429: "overLimit", 503: "serviceUnavailable",
}  # fmt: skip


class Volume(Service):
    name = "volume"

    def __init__(self, world: World, image: Image) -> None:
        super().__init__(world)
        self.image = image
        self.types = Types(self)
        self.volumes = Volumes(self)
        self.snapshots = Snapshots(self)
        self.backups = Backups(self)
        self.misc = Misc(self)
        below = Below(self.router, "/v3/{project}")
        for part in (self.types, self.volumes, self.snapshots, self.backups, self.misc):
            part.register(below)
        self.router.add("GET", "/", lambda _: Reply(300, self._versions()))
        self.router.add("GET", "/v3", lambda _: Reply(200, self._versions()))

    def is_public(self, call: Call) -> bool:
        return call.path.strip("/") in ("", "v3")

    def prepare(self, call: Call) -> None:
        """Read the microversion. Raises Refusal 400 or 406."""
        call.microversion = _LOWEST
        for part in call.headers.get("openstack-api-version", "").split(","):
            words = part.split()
            if len(words) != 2 or words[0] not in ("volume", "block-storage"):
                continue
            if words[1] == "latest":
                call.microversion = _HIGHEST
                return
            found = re.fullmatch(r"(\d+)\.(\d+)", words[1])
            if found is None:
                raise Refusal(
                    400, f"API Version String {words[1]} is of invalid format. Must be of format MajorNum.MinorNum."
                )
            version = (int(found[1]), int(found[2]))
            if not _LOWEST <= version <= _HIGHEST:
                raise Refusal(
                    406,
                    f"Version {words[1]} is not supported by the API. Minimum is 3.0 and maximum is 3.{_HIGHEST[1]}.",
                )
            call.microversion = version

    def check_project(self, call: Call) -> None:
        """The project of the path must be the token's."""
        if call.params.get("project") not in (None, call.project_id):
            raise Refusal(400, "Malformed request url")

    def refused(self, call: Call, refusal: Refusal) -> Reply:
        name = _NAMES.get(refusal.status, "computeFault")
        return Reply(refusal.status, {name: {"code": refusal.status, "message": refusal.message}})

    def unknown_path(self, call: Call) -> Reply:
        page = html_page(404, "Not Found", "The resource could not be found.")
        return Reply(404, page, {"Content-Type": "text/html"})

    def finish(self, call: Call, reply: Reply) -> None:
        version = call.microversion if call.microversion != (0, 0) else _LOWEST
        reply.headers["OpenStack-API-Version"] = f"volume {version[0]}.{version[1]}"
        reply.headers["Vary"] = "OpenStack-API-Version"

    def root(self, call: Call) -> str:
        return f"{self.world.url}/volume/v3/{call.project_id}"

    def links(self, call: Call, kind: str, object_id: str) -> list[dict[str, str]]:
        return [
            {"rel": "self", "href": f"{self.root(call)}/{kind}/{object_id}"},
            {"rel": "bookmark", "href": f"{self.world.url}/volume/{call.project_id}/{kind}/{object_id}"},
        ]

    def _versions(self) -> dict[str, object]:
        version = {
            "id": "v3.0", "status": "CURRENT", "version": f"3.{_HIGHEST[1]}", "min_version": "3.0",
            "updated": "2022-08-31T00:00:00Z",
            "links": [{"rel": "self", "href": f"{self.world.url}/volume/v3/"}],
            "media-types": [
                {"base": "application/json", "type": "application/vnd.openstack.volume+json;version=3"}
            ],
        }  # fmt: skip
        return {"versions": [version]}
