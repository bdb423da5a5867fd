"""The Nova API 2.1–2.95."""

from __future__ import annotations

import re

from simulator.compute.actions import Actions
from simulator.compute.attachments import Interfaces, VolumeAttachments
from simulator.compute.flavors import Flavors
from simulator.compute.keypairs import Keypairs
from simulator.compute.misc import Misc
from simulator.compute.server_groups import ServerGroups
from simulator.compute.servers import Servers
from simulator.http import Below, Call, Refusal, Reply
from simulator.image.service import Image
from simulator.network.service import Network
from simulator.volume.service import Volume
from simulator.world import Service, World, html_page

_LOWEST, _HIGHEST = (2, 1), (2, 95)
_NAMES = {
    400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
    409: "conflictingRequest", 413: "overLimit", 429: "overLimit", 503: "serviceUnavailable",
}  # fmt: skip


class Compute(Service):
    name = "compute"

    def __init__(self, world: World, network: Network, image: Image, volume: Volume) -> None:
        super().__init__(world)
        self.network, self.image, self.volume = network, image, volume
        self.flavors = Flavors(self)
        self.keypairs = Keypairs(self)
        self.server_groups = ServerGroups(self)
        self.servers = Servers(self)
        self.actions = Actions(self)
        self.interfaces = Interfaces(self)
        self.volume_attachments = VolumeAttachments(self)
        self.misc = Misc(self)
        below = Below(self.router, "/v2.1")
        for part in (
            self.flavors, self.keypairs, self.server_groups, self.servers, self.actions, self.interfaces,
            self.volume_attachments, self.misc,
        ):  # fmt: skip
            part.register(below)
        self.router.add("GET", "/", self.versions)
        self.router.add("GET", "/v2.1", self.version)

    def is_public(self, call: Call) -> bool:
        return call.path.strip("/") in ("", "v2.1", "v2")

    def prepare(self, call: Call) -> None:
        """Read the microversion. Raises Refusal 400 or 406."""
        asked = call.headers.get("x-openstack-nova-api-version")
        for part in call.headers.get("openstack-api-version", "").split(","):
            words = part.split()
            if len(words) == 2 and words[0] == "compute":
                asked = words[1]
        call.microversion = _LOWEST
        if asked is None:
            return
        if asked == "latest":
            call.microversion = _HIGHEST
            return
        found = re.fullmatch(r"(\d+)\.(\d+)", asked)
        if found is None:
            raise Refusal(400, f"API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum.")
        version = (int(found[1]), int(found[2]))
        if not _LOWEST <= version <= _HIGHEST:
            raise Refusal(
                406, f"Version {asked} is not supported by the API. Minimum is 2.1 and maximum is 2.{_HIGHEST[1]}."
            )
        call.microversion = version

    def refused(self, call: Call, refusal: Refusal) -> Reply:
        name = _NAMES.get(refusal.status, "computeFault")
        return Reply(refusal.status, {name: {"code": refusal.status, "message": refusal.message}})

    def unknown_path(self, call: Call) -> Reply:
        page = html_page(404, "Not Found", "The resource could not be found.")
        return Reply(404, page, {"Content-Type": "text/html"})

    def finish(self, call: Call, reply: Reply) -> None:
        if call.microversion != (0, 0):
            text = f"{call.microversion[0]}.{call.microversion[1]}"
            reply.headers["OpenStack-API-Version"] = f"compute {text}"
            reply.headers["X-OpenStack-Nova-API-Version"] = text
            reply.headers["Vary"] = "OpenStack-API-Version, X-OpenStack-Nova-API-Version"

    @property
    def root(self) -> str:
        return f"{self.world.url}/compute/v2.1"

    def links(self, kind: str, object_id: str) -> list[dict[str, str]]:
        return [
            {"rel": "self", "href": f"{self.root}/{kind}/{object_id}"},
            {"rel": "bookmark", "href": f"{self.world.url}/compute/{kind}/{object_id}"},
        ]

    def _version(self) -> dict[str, object]:
        return {
            "id": "v2.1", "status": "CURRENT", "version": f"2.{_HIGHEST[1]}", "min_version": "2.1",
            "updated": "2013-07-23T11:33:21Z", "links": [{"rel": "self", "href": f"{self.root}/"}],
        }  # fmt: skip

    def versions(self, call: Call) -> Reply:
        return Reply(200, {"versions": [self._version()]})

    def version(self, call: Call) -> Reply:
        media = {"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}
        return Reply(200, {"version": self._version() | {"media-types": [media]}})
