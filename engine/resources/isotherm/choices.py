"""Names of a cloud chosen by what is wanted: flavors, images, zones, the external network. Nothing is made."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from engine.cloud.errors import NotFound
from engine.model.value import Value
from engine.resources.base import Gone, Operation, OperationFailed
from engine.resources.declare import attribute, integer, listing, one_of, string
from engine.resources.heat.local import LocalType


class ExternalNetwork(LocalType):
    """The configured, or the only, external network; known by its id."""

    name = "Isotherm::Neutron::ExternalNetwork"
    service: ClassVar[str | None] = "network"

    async def create(self, op: Operation) -> str | None:
        return await external_network(op)


async def external_network(op: Operation) -> str:
    """Raises OperationFailed when there is none, or none was chosen of several."""
    found = (await op.cloud.facts()).get("external_network")
    if not found:
        raise OperationFailed(
            "It is not clear which external network leads to the internet: the cloud has none or several. "
            "Name it in the option external_network of the section [cloud]."
        )
    return str(found)


class FlavorChoice(LocalType):
    """The named `flavor`; else the one called `name`; else the smallest with as many processors and as much memory;
    else, where the cloud has none so large, its largest. Known by its id."""

    name = "Isotherm::Nova::FlavorChoice"
    service: ClassVar[str | None] = "compute"
    properties = {
        "name": string(required=True),
        "flavor": string(),
        "vcpus": integer(),
        "ram_mb": integer(),
    }
    attributes = {"flavor": attribute(), "sufficient": attribute()}

    async def create(self, op: Operation) -> str | None:
        return str((await self._choose(op))["id"])

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        chosen = await self._choose(op)
        vcpus, ram = op.properties.get("vcpus") or 0, op.properties.get("ram_mb") or 0
        return {"flavor": chosen["name"], "sufficient": chosen["vcpus"] >= vcpus and chosen["ram"] >= ram}

    async def _choose(self, op: Operation) -> Mapping[str, Any]:
        name, vcpus, ram = (op.properties.get(key) for key in ("name", "vcpus", "ram_mb"))
        flavors = await op.cloud.list("compute", "/flavors/detail", "flavors")
        for wanted in (op.properties.get("flavor"), name):
            for flavor in flavors:
                if wanted in (flavor["name"], flavor["id"]):
                    return flavor
        known = ", ".join(sorted(flavor["name"] for flavor in flavors)) or "none"
        if vcpus is None or ram is None:
            raise OperationFailed(
                f"There is no flavor {name}, and the table instance_types does not say how large it would be. "
                f"The cloud has: {known}. Use one of these names, or add a row to that table."
            )
        if not flavors:
            raise OperationFailed("The cloud has no flavors for this project.")
        enough = [flavor for flavor in flavors if flavor["vcpus"] >= vcpus and flavor["ram"] >= ram]
        if enough:
            return min(enough, key=lambda one: (one["vcpus"], one["ram"], one.get("disk", 0), one["name"]))
        return max(flavors, key=lambda one: (one["ram"], one["vcpus"], one["name"]))


class ImageChoice(LocalType):
    """The first of `names` that is an image's name or id; a name may be a glob, of which the newest image is taken."""

    name = "Isotherm::Glance::ImageChoice"
    service: ClassVar[str | None] = "image"
    properties = {"names": listing(string(), required=True)}

    async def create(self, op: Operation) -> str | None:
        names = [name for name in op.properties["names"] if name]
        for name in names:
            found = await self._newest(op, name) if _is_glob(name) else await self._exact(op, name)
            if found is not None:
                return found
        wanted = names[0] if len(names) == 1 else f"any of {', '.join(names)}"
        raise OperationFailed(
            f"There is no image {wanted}. Name one of the cloud's images, or add a row to the table images of the "
            f"mappings, such as `{names[0] if names else 'ami-*'}: ubuntu-22.04`."
        )

    async def _exact(self, op: Operation, name: str) -> str | None:
        try:
            return await op.cloud.resolve("image", name)
        except NotFound:
            return None

    async def _newest(self, op: Operation, pattern: str) -> str | None:
        rows = await op.cloud.list("image", "/images", "images", params={"status": "active", "limit": "1000"})
        found = [row for row in rows if fnmatch.fnmatchcase(row.get("name") or "", pattern)]
        return str(max(found, key=lambda row: str(row.get("created_at")))["id"]) if found else None


def _is_glob(name: str) -> bool:
    return any(sign in name for sign in "*?[")


class Zone(LocalType):
    """The availability zone of that name; for a name of elsewhere (`us-east-1b`) one of the cloud's, always the same.
    Known by its name; nothing, for a service without zones or when no name is given."""

    name = "Isotherm::Nova::Zone"
    properties = {
        "name": string(mutable=True),
        "service": string(one_of("compute", "block-storage"), default="compute"),
    }
    attributes = {"zone": attribute()}

    def reference(self, physical_id: str | None, attributes: Mapping[str, Value], address: str) -> Value:
        return attributes.get("zone")

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        wanted = op.properties.get("name")
        zones = await self._zones(op)
        if not zones:
            return {"zone": None}
        if not wanted:
            return {"zone": zones[0] if op.properties["service"] == "compute" else None}
        return {"zone": wanted if wanted in zones else zones[_place(wanted) % len(zones)]}

    async def read(self, op: Operation) -> Mapping[str, Value]:
        return await self.ready(op)

    async def _zones(self, op: Operation) -> Sequence[str]:
        if op.properties["service"] == "compute":
            return [str(zone) for zone in (await op.cloud.facts())["zones"]]
        try:
            reply = await op.cloud.request("block-storage", "GET", "/os-availability-zone")
        except NotFound as error:
            raise Gone(error.message) from error
        rows = reply.body.get("availabilityZoneInfo", ())
        return sorted(row["zoneName"] for row in rows if row.get("zoneState", {}).get("available", True))


def _place(name: str) -> int:
    """`a` is the first zone, `b` the second."""
    last = name[-1].lower()
    return ord(last) - ord("a") if last.isalpha() else sum(name.encode())
