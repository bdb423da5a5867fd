"""`POST /servers`: what is asked for, checked as Nova checks it before it answers."""

from __future__ import annotations

import binascii
import re
import secrets
import uuid
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from simulator.compute.errors import bad, conflict, invalid
from simulator.http import Call, Refusal
from simulator.network.errors import conflict as network_conflict
from simulator.store import Obj

if TYPE_CHECKING:
    from simulator.compute.service import Compute

#: What a body may hold, and since which microversion.
_KNOWN: dict[str, tuple[int, int]] = dict.fromkeys(
    (
        "name", "imageRef", "flavorRef", "adminPass", "metadata", "networks", "OS-DCF:diskConfig", "accessIPv4",
        "accessIPv6", "availability_zone", "block_device_mapping", "block_device_mapping_v2", "config_drive",
        "key_name", "min_count", "max_count", "return_reservation_id", "security_groups", "user_data", "personality",
    ),
    (2, 1),
) | {
    "description": (2, 19), "tags": (2, 52), "trusted_image_certificates": (2, 63), "host": (2, 74),
    "hypervisor_hostname": (2, 74), "hostname": (2, 90),
}  # fmt: skip
_USER_DATA_BYTES = 65535
_MOST_METADATA, _MOST_TAGS, _TAG_LENGTH = 128, 50, 60
_TAG = re.compile(r"[^,/]*")


def check_body(call: Call, values: Obj) -> None:
    """The schema's part. Raises Refusal 400."""
    for name in values:
        if name not in _KNOWN or call.microversion < _KNOWN[name]:
            raise invalid("server", values, f"Additional properties are not allowed ('{name}' was unexpected)")
    if "personality" in values and call.microversion >= (2, 57):
        raise invalid("server", values, "Additional properties are not allowed ('personality' was unexpected)")
    needed = ["name", "flavorRef"] + (["networks"] if call.microversion >= (2, 37) else [])
    for name in needed:
        if name not in values:
            raise invalid("server", values, f"'{name}' is a required property")
    check_name("name", values["name"])
    check_metadata(values.get("metadata") or {})
    check_tags(values.get("tags") or [])
    _check_user_data(values.get("user_data"))
    networks = values.get("networks")
    if isinstance(networks, str):
        if call.microversion < (2, 37) or networks not in ("auto", "none"):
            raise invalid("networks", networks, f"'{networks}' is not of type 'array'")
    elif networks is not None and not isinstance(networks, list):
        raise invalid("networks", networks, f"{networks} is not of type 'array'")
    for name in ("min_count", "max_count"):
        if name in values and not str(values[name]).isdigit():
            raise invalid(name, values[name], f"'{values[name]}' is not of type 'integer', 'string'")


def check_name(field: str, value: Any) -> None:
    if not isinstance(value, str):
        raise invalid(field, value, f"{value} is not of type 'string'")
    if not value:
        raise invalid(field, value, f"'{value}' is too short")
    if len(value) > 255:
        raise invalid(field, value, f"'{value}' is too long")


def check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict):
        raise invalid("metadata", metadata, f"{metadata} is not of type 'object'")
    for name, value in metadata.items():
        if not isinstance(value, str):
            raise invalid(name, value, f"{value} is not of type 'string'")
        if len(value) > 255:
            raise invalid(name, value, f"'{value}' is too long")
        if not 0 < len(name) <= 255:
            raise invalid("metadata", metadata, "Invalid metadata key")
    if len(metadata) > _MOST_METADATA:
        raise Refusal(403, f"Maximum number of metadata items exceeds {_MOST_METADATA}")


def check_tags(tags: Any) -> None:
    if not isinstance(tags, list):
        raise invalid("tags", tags, f"{tags} is not of type 'array'")
    if len(tags) > _MOST_TAGS:
        raise invalid("tags", tags, f"{tags} is too long")
    for number, tag in enumerate(tags):
        if not isinstance(tag, str) or not 0 < len(tag) <= _TAG_LENGTH:
            raise invalid(str(number), tag, f"'{tag}' is too long")
        if not _TAG.fullmatch(tag):
            raise invalid(str(number), tag, f"'{tag}' does not match '^[^,/]*$'")


def _check_user_data(user_data: Any) -> None:
    if user_data is None:
        return
    if not isinstance(user_data, str):
        raise invalid("user_data", user_data, f"{user_data} is not of type 'string'")
    if len(user_data) > _USER_DATA_BYTES:
        raise invalid("user_data", user_data, f"'{user_data}' is too long")
    try:
        b64decode(user_data)
    except (ValueError, binascii.Error):
        raise invalid("user_data", user_data, f"'{user_data}' is not a 'base64'") from None


class Requested:
    """A checked request: image, flavor, ports and volumes to be."""

    def __init__(self, compute: Compute, call: Call, values: Obj, hints: Obj) -> None:
        """Raises Refusal. Nothing is changed yet."""
        self._compute, self._call = compute, call
        self.values = values
        self.devices = self._devices(values)
        self.image = self._image(values)
        flavor = compute.flavors.table.get(str(values["flavorRef"]).rpartition("/")[2])
        if flavor is None:
            raise bad(f"Flavor {values['flavorRef']} could not be found.")
        self.flavor = flavor
        if values.get("key_name") is not None and compute.keypairs.get(call.user_id, values["key_name"]) is None:
            raise bad("Invalid key_name provided.")
        self.zone = str(values.get("availability_zone") or "nova")
        if self.zone.partition(":")[0] != "nova":
            raise bad("The requested availability zone is not available")
        self.groups = self._groups(values)
        self.nics = self._nics(values.get("networks"))
        self.server_group = None
        if hints.get("group"):
            if compute.server_groups.table.get(str(hints["group"])) is None:
                raise bad(f"Instance group {hints['group']} could not be found.")
            self.server_group = str(hints["group"])

    def _image(self, values: Obj) -> str:
        asked = values.get("imageRef")
        if not asked:
            if not self.devices:
                raise bad("Missing imageRef attribute")
            return ""
        image_id = str(asked).rpartition("/")[2]
        if not _is_uuid(image_id):
            raise bad("Invalid imageRef provided.")
        image = self._compute.image.images.get(image_id)
        if image is None or not self._compute.image.visible(self._call, image):
            raise bad("Can not find requested image")
        if image["status"] != "active":
            raise bad(f"Image {image_id} is not active.")
        return image_id

    def _groups(self, values: Obj) -> list[str]:
        rows = self._compute.network.security_groups
        found: list[str] = []
        for named in values.get("security_groups") or [{"name": "default"}]:
            name = str(named.get("name")) if isinstance(named, dict) else str(named)
            group = find_group(self._compute, self._call.project_id, name)
            if group is None:
                if name == "default":
                    group = rows.default_of(self._call.project_id)
                else:
                    raise bad(f"Unable to find security_group with name or id '{name}'")
            found.append(group["id"])
        return list(dict.fromkeys(found))

    # --- networks ------------------------------------------------------------------------------------------------
    def _nics(self, networks: Any) -> list[Obj]:
        if networks == "none":
            return []
        if networks is None or networks in ("auto", []):
            return self._only_network()
        nics = []
        seen: set[str] = set()
        for entry in networks:
            if not isinstance(entry, dict) or not (entry.get("uuid") or entry.get("port")):
                raise bad("Bad networks format: network uuid is not in proper format ()")
            nics.append(self._port(entry, seen) if entry.get("port") else self._network(entry))
        return nics

    def _only_network(self) -> list[Obj]:
        network = self._compute.network
        usable = [
            row
            for row in network.networks.table
            if not row["router:external"]
            and (row["project_id"] == self._call.project_id or row["shared"])
            and network.subnets.table.has("network_id", row["id"])
        ]
        if len(usable) > 1:
            raise conflict("Multiple possible networks found, use a Network ID to be more specific.")
        return [{"network": usable[0]["id"], "fixed_ip": None}] if usable else []

    def _network(self, entry: Obj) -> Obj:
        network = self._compute.network
        row = network.networks.table.get(str(entry["uuid"]))
        if row is None or not network.networks.visible(self._call, row):
            raise bad(f"Network {entry['uuid']} could not be found.")
        if row["router:external"] and not self._call.is_admin:
            raise Refusal(403, f"It is not allowed to create an interface on external network {row['id']}")
        if not network.subnets.table.has("network_id", row["id"]):
            raise bad(f"Network {row['id']} requires a subnet in order to boot instances on.")
        fixed = entry.get("fixed_ip")
        if fixed is not None:
            held = [
                subnet["id"]
                for subnet in network.subnets.table.by("network_id", row["id"])
                if not network.allocator.is_free(subnet["id"], str(fixed))
            ]
            if held:
                raise bad(f"Fixed IP address {fixed} is already in use on instance {held[0]}.")
        return {"network": row["id"], "fixed_ip": fixed}

    def _port(self, entry: Obj, seen: set[str]) -> Obj:
        ports = self._compute.network.ports
        port = ports.table.get(str(entry["port"]))
        if port is None or not self._call.mine(port):
            raise bad(f"Port id {entry['port']} could not be found.")
        if port["device_id"] or port["id"] in seen:
            raise conflict(f"Port {port['id']} is still in use.")
        if not port["fixed_ips"]:
            raise bad(f"Port {port['id']} requires a FixedIP in order to be used.")
        seen.add(port["id"])
        return {"port": port["id"]}

    # --- volumes -------------------------------------------------------------------------------------------------
    def _devices(self, values: Obj) -> list[Obj]:
        """Devices in the newer form. Boot indexes count from 0 and one is there, even where an image is named as well
        (nova/compute/api.py `_validate_bdm`); the older form gets the image added by Nova itself.
        """
        rows = [dict(row) for row in values.get("block_device_mapping_v2") or []]
        for row in rows:
            _check_local_image(row, bool(values.get("imageRef")))
        older = [_from_older(row) for row in values.get("block_device_mapping") or []]
        if rows and older:
            raise bad("Using different block_device_mapping syntaxes is not allowed in the same request.")
        booted = sorted(index for row in rows or older if (index := _boot_index(row)) >= 0)
        if older and not booted and values.get("imageRef"):
            booted = [0]
        rows = rows or older
        if rows and (not booted or booted != list(range(len(booted)))):
            raise bad(
                "Block Device Mapping is Invalid: Boot sequence for the instance and image/block device mapping "
                "combination is not valid."
            )
        for row in rows:
            self._check_device(row)
        return rows

    def _check_device(self, row: Obj) -> None:
        compute, source = self._compute, row.get("source_type")
        match source:
            case "volume":
                volume = compute.volume.volumes.table.get(str(row.get("uuid")))
                if volume is None or not self._call.mine(volume):
                    raise bad(f"Block Device Mapping is Invalid: failed to get volume {row.get('uuid')}.")
                if volume["status"] != "available":
                    raise bad(
                        f"Block Device Mapping is Invalid: volume {volume['id']} status must be available or "
                        f"reserved. Currently in '{volume['status']}'"
                    )
            case "snapshot":
                if compute.volume.snapshots.table.get(str(row.get("uuid"))) is None:
                    raise bad(f"Block Device Mapping is Invalid: failed to get snapshot {row.get('uuid')}.")
            case "image":
                if compute.image.images.get(str(row.get("uuid"))) is None:
                    raise bad(f"Block Device Mapping is Invalid: failed to get image {row.get('uuid')}.")
                if row.get("destination_type") == "volume" and not row.get("volume_size"):
                    raise bad("Images with destination_type 'volume' need to have a non-zero size specified")
            case "blank":
                pass
            case _:
                raise invalid(
                    "source_type", source, f"'{source}' is not one of ['blank', 'image', 'snapshot', 'volume']"
                )

    # --- carrying out --------------------------------------------------------------------------------------------
    def plug(self, server: Obj) -> list[str]:
        """Make or take the ports; ids in order. Raises Refusal when an address is not to be had."""
        network, ids = self._compute.network, []
        for nic in self.nics:
            if "port" in nic:
                port = network.ports.table.get(nic["port"])
                if port is None:
                    raise bad(f"Port id {nic['port']} could not be found.")
                take_port(self._compute, server, port)
            else:
                fixed = [{"ip_address": nic["fixed_ip"]}] if nic["fixed_ip"] else None
                try:
                    port = network.ports.plug(
                        self._call, nic["network"], "compute:nova", server["id"], fixed,
                        project_id=server["project_id"], groups=self.groups,
                    )  # fmt: skip
                except Refusal as refusal:
                    raise bad(refusal.message) from refusal
                port["dns_name"] = server["hostname"]
                port["_made_by_nova"] = True
                network.ports.table.put(port)
            ids.append(port["id"])
        return ids

    def attach(self, server: Obj) -> None:
        """Make and attach the volumes."""
        volumes = self._compute.volume.volumes
        for row in self.devices:
            if row.get("destination_type") == "local":
                continue
            if row["source_type"] == "volume":
                volume = volumes.table.get(str(row["uuid"]))
            else:
                source = {"image": "imageRef", "snapshot": "snapshot_id"}.get(row["source_type"])
                values = {"size": row.get("volume_size"), "name": "", "volume_type": row.get("volume_type")}
                if source is not None:
                    values[source] = row["uuid"]
                volume = volumes.make(self._call, {name: value for name, value in values.items() if value is not None})
            if volume is None:
                raise network_conflict("", f"Volume {row['uuid']} could not be found.")
            volumes.attach(
                volume, server["id"], row.get("device_name") or "", delete=bool(row.get("delete_on_termination"))
            )


def _boot_index(row: Obj) -> int:
    """Below 0: it is not booted from."""
    written = row.get("boot_index")
    try:
        return -1 if written is None else int(written)
    except ValueError:
        raise bad("Block Device Mapping is Invalid: Boot index is invalid.") from None


def _check_local_image(row: Obj, image_given: bool) -> None:
    """The image on a local disk is only what the server boots from, and then named twice."""
    if (row.get("source_type"), row.get("destination_type")) != ("image", "local"):
        return
    if not image_given or _boot_index(row) != 0:
        raise bad("Block Device Mapping is Invalid: Mapping image to local is not supported.")


def _from_older(row: Obj) -> Obj:
    """A device of `block_device_mapping`; the one that is called vda is booted from."""
    device = str(row.get("device_name") or "")
    return {
        "source_type": "volume", "destination_type": "volume", "uuid": row.get("volume_id"), "device_name": device,
        "boot_index": 0 if device.removeprefix("/dev/") == "vda" else -1,
        "delete_on_termination": row.get("delete_on_termination", False),
    }  # fmt: skip


def take_port(compute: Compute, server: Obj, port: Obj) -> None:
    """Bind a port that is somebody's own to the server."""
    port |= {"device_id": server["id"], "device_owner": "compute:nova", "status": "ACTIVE"}
    port |= {"binding:host_id": "simulated", "binding:vif_type": "ovs"}
    compute.network.ports.touch(port)


def find_group(compute: Compute, project_id: str, name_or_id: str) -> Obj | None:
    """A security group of the project. Raises Refusal 409 for an ambiguous name."""
    table = compute.network.security_groups.table
    rows = table.by("project_id", project_id)
    named = [row for row in rows if row["id"] == name_or_id] or [row for row in rows if row["name"] == name_or_id]
    if len(named) > 1:
        raise conflict(f"Multiple security_groups found matching '{name_or_id}'. Use an ID to be more specific.")
    return named[0] if named else None


def new_password() -> str:
    return secrets.token_urlsafe(9)


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
