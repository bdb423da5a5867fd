"""OS::Nova::Server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.cloud.contract import Ready
from engine.cloud.errors import CloudError, Conflict, NotFound, Permanent
from engine.model.value import Value
from engine.resources.base import Differing, Kind, Operation
from engine.resources.declare import attribute, attributes, maps_of
from engine.resources.drift import alike
from engine.resources.mark import InTags
from engine.resources.nova import server_networks as nets
from engine.resources.nova.nova_type import NovaType
from engine.resources.nova.server_actions import ServerActions
from engine.resources.nova.server_attributes import CONSOLES, addresses, first_address, networks
from engine.resources.nova.server_body import device_findings, devices, legacy_devices, metadata_text
from engine.resources.nova.server_properties import PROPERTIES
from engine.resources.nova.user_data import user_data
from engine.resources.references import resolve_one, resolve_references


class Server(ServerActions, NovaType):
    """The mark is a tag (microversion 2.52), which is never shown. Its reason for a failed build is Nova's fault."""

    name = "OS::Nova::Server"
    sdk = "compute.v2.server.Server"
    mark = InTags()
    ready_when = Ready(ok=frozenset({"active"}), reason="fault.message")
    polled = True
    lingers = True
    list_suffix = "/detail"
    name_limit = 53
    snapshot_on_delete = True
    saves = True
    properties = PROPERTIES
    attributes = {
        **attributes("name", "accessIPv4", "accessIPv6"),
        "addresses": attribute(Kind.MAP),
        "networks": attribute(Kind.MAP),
        "first_address": attribute(Kind.ANY),
        "instance_name": attribute(body="OS-EXT-SRV-ATTR:instance_name"),
        "console_urls": attribute(Kind.MAP, live=True),
        "tags": attribute(Kind.LIST),
        "os_collect_config": attribute(Kind.MAP, live=True),
    }

    # --- validation -------------------------------------------------------------------------------------------------
    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        found = device_findings(properties.get("block_device_mapping_v2"))
        if properties.get("block_device_mapping") and properties.get("block_device_mapping_v2"):
            found.append("Cannot use block_device_mapping and block_device_mapping_v2 together")
        if properties.get("personality"):
            found.append("personality: Nova took file injection away (microversion 2.57); use user_data")
        booted = properties.get("block_device_mapping") or properties.get("block_device_mapping_v2")
        if properties.get("image") is None and not booted:
            found.append("Neither image nor bootable volume is specified")
        found += _network_findings(properties.get("networks"))
        tags = properties.get("tags")
        if isinstance(tags, list) and len(tags) > 49:
            found.append("tags: a server has at most 50 tags, and one is taken to mark it as this resource's")
        return found

    def replaces(self, before: Mapping[str, Value], after: Mapping[str, Value]) -> bool:
        changed = {name for name in ("flavor", "image", "user_data") if before.get(name) != after.get(name)}
        return (
            ("flavor" in changed and after["flavor_update_policy"] == "REPLACE")
            or ("image" in changed and (after["image_update_policy"] == "REPLACE" or not after.get("image")))
            or ("user_data" in changed and after["user_data_update_policy"] == "REPLACE")
        )

    # --- create -------------------------------------------------------------------------------------------------------
    async def body(self, op: Operation) -> dict[str, Any]:
        properties = await resolve_references(self.properties, op.properties, op.cloud)
        body = await super().body(op)
        body.setdefault("imageRef", "")
        groups = properties["security_groups"]
        if groups:
            body["security_groups"] = [{"name": group} for group in groups]
        if properties["metadata"]:
            body["metadata"] = metadata_text(properties["metadata"])
        if properties.get("tags"):
            body["tags"] = list(properties["tags"])
        if properties.get("block_device_mapping"):
            body["block_device_mapping"] = legacy_devices(properties["block_device_mapping"])
        if properties.get("block_device_mapping_v2"):
            body["block_device_mapping_v2"] = devices(properties["block_device_mapping_v2"])
        text = user_data(properties["user_data"], properties["user_data_format"], op.metadata)
        if text:
            body["user_data"] = text
        body["networks"] = await nets.wire_networks(op, properties.get("networks") or [], groups)
        return body

    def wrap(self, body: Mapping[str, Any]) -> dict[str, Any]:
        wrapped = super().wrap(body)
        hints = wrapped["server"].pop("scheduler_hints", None)
        return {**wrapped, "os:scheduler_hints": hints} if hints else wrapped

    async def post(self, op: Operation, body: Mapping[str, Any]) -> dict[str, Any]:
        hints = dict(op.properties.get("scheduler_hints") or {})
        if op.properties.get("reservation_id"):
            hints["reservation"] = op.properties["reservation_id"]
        try:
            return await super().post(op, {**body, **({"scheduler_hints": hints} if hints else {})})
        except (Permanent, Conflict, NotFound):
            await nets.clean_up(op)
            raise

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        row = await self.settled(op)
        entries = await self._networks(op, op.properties)
        if any(entry.get("floating_ip") for entry in entries):
            await nets.associate_floating_ips(op, entries)
            row = await self.read_row(op)
        return await self._all_kept(op, row)

    async def check(self, op: Operation) -> Mapping[str, Value]:
        await super().check(op)
        return await self._all_kept(op, await self.read_row(op))

    async def differences(self, op: Operation, row: Mapping[str, Any]) -> list[Differing]:
        """Nova shows the flavor by its name; an image that is not shown is that of a volume."""
        found = await super().differences(op, row)
        flavor, image = row.get("flavor") or {}, row.get("image") or {}
        live = flavor.get("original_name") or flavor.get("id")
        if live is not None:
            wanted = await resolve_one("flavor", op.properties["flavor"], op.cloud)
            if wanted != await resolve_one("flavor", live, op.cloud):
                found.append(Differing("flavor", op.properties["flavor"], live))
        if op.properties.get("image") and image:
            wanted = await resolve_one("image", op.properties["image"], op.cloud)
            if wanted != image["id"]:
                found.append(Differing("image", wanted, image["id"]))
        metadata = op.properties.get("metadata")
        if metadata and not alike(metadata_text(metadata), row.get("metadata")):
            found.append(Differing("metadata", metadata, row.get("metadata")))
        return found

    # --- attributes -------------------------------------------------------------------------------------------------
    def presented(self, op: Operation, row: Mapping[str, Any]) -> dict[str, Any]:
        return {**row, "tags": [tag for tag in row.get("tags") or () if tag != op.token]}

    async def _all_kept(self, op: Operation, row: Mapping[str, Any]) -> dict[str, Value]:
        found = addresses(row.get("addresses") or {}, await nets.interfaces(op))
        return {
            **self.kept(op, row),
            "addresses": found,
            "networks": networks(found),
            "first_address": first_address(row.get("addresses") or {}),
            "os_collect_config": {},
        }

    async def live_attribute(self, op: Operation, name: str) -> Value:
        if name == "console_urls":
            return {kind: await self._console(op, *CONSOLES[kind]) for kind in CONSOLES}
        row = await self.read_row(op)
        return self.presented(op, row) if name == "show" else (await self._all_kept(op, row)).get(name)

    async def _console(self, op: Operation, protocol: str, kind: str) -> str:
        """The address, or what Nova says why there is none."""
        body = {"remote_console": {"protocol": protocol, "type": kind}}
        try:
            reply = await self.call(op, "POST", f"{self.path(op)}/remote-consoles", body)
        except CloudError as error:
            return error.message
        return str(reply["remote_console"]["url"])

    # --- update, delete -----------------------------------------------------------------------------------------------
    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        if "name" in changed:
            await self.put(op, {"name": self.physical_name(op)})
        if "metadata" in changed:
            body = {"metadata": metadata_text(op.properties["metadata"])}
            await self.call(op, "PUT", f"{self.path(op)}/metadata", body)
        if "tags" in changed:
            tags = [*(op.properties.get("tags") or ()), op.token]
            await self.call(op, "PUT", f"{self.path(op)}/tags", {"tags": tags})
        if "admin_pass" in changed and op.properties.get("admin_pass"):
            await self.act(op, "changePassword", {"adminPass": op.properties["admin_pass"]})
        if "networks" in changed:
            before = [await self._networks(op, stood) for stood in op.stood]
            await nets.change(op, before, await self._networks(op, op.properties), op.properties["security_groups"])
        if "flavor" in changed:
            await self.resize(op)
        rebuilt = "user_data" in changed and op.properties["user_data_update_policy"] == "REBUILD"
        if "image" in changed or rebuilt:
            await self.rebuild(op, with_user_data=rebuilt)

    async def _networks(self, op: Operation, properties: Mapping[str, Value]) -> list[Mapping[str, Value]]:
        """The entries with ids in place of names."""
        given = {"networks": properties.get("networks") or []}
        found: list[Mapping[str, Value]] = (await resolve_references(self.properties, given, op.cloud))["networks"]
        return found

    async def delete(self, op: Operation) -> None:
        await super().delete(op)
        await nets.drop_ports(op)


def _network_findings(entries: Value) -> list[str]:
    found = []
    for position, entry in maps_of(entries):
        place = f"networks[{position}]"
        named = [
            name for name in ("network", "uuid", "port", "subnet", "allocate_network") if entry.get(name) is not None
        ]
        if not named:
            found.append(f"{place}: one of network, port, subnet or allocate_network must be given")
        if entry.get("port") is not None and entry.get("fixed_ip") is not None:
            found.append(f"{place}: cannot use fixed_ip with port; give the address to the port")
        if entry.get("allocate_network") is not None and (len(entries) > 1 or len(named) > 1):
            found.append(f"{place}: allocate_network stands alone")
    return found
