"""The parts of a server's create body that are not one property each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.model.value import Value
from engine.resources.declare import maps_of


def metadata_text(metadata: Mapping[str, Value]) -> dict[str, str]:
    """Nova's metadata holds text only; everything else goes as JSON."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()}


def legacy_devices(mappings: Sequence[Mapping[str, Value]]) -> list[dict[str, Any]]:
    """`block_device_mapping`: volumes and snapshots by device name."""
    found = []
    for one in mappings:
        device: dict[str, Any] = {"device_name": one["device_name"]}
        for name in ("volume_id", "snapshot_id", "volume_size", "delete_on_termination"):
            if one.get(name) is not None:
                device[name] = one[name]
        found.append(device)
    return found


#: (property that says what the device is made from, source_type, destination_type), the first that is given counts.
_SOURCES = (
    ("volume_id", "volume", "volume"),
    ("snapshot_id", "snapshot", "volume"),
    ("image", "image", "volume"),
    ("swap_size", "blank", "local"),
    ("ephemeral_size", "blank", "local"),
    ("volume_size", "blank", "volume"),
)
_AS_IS = ("boot_index", "volume_size", "device_type", "disk_bus", "device_name", "volume_type", "delete_on_termination")


def devices(mappings: Sequence[Mapping[str, Value]]) -> list[dict[str, Any]]:
    """`block_device_mapping_v2` as Nova takes it."""
    return [_device(one) for one in mappings]


def _device(one: Mapping[str, Value]) -> dict[str, Any]:
    device: dict[str, Any] = {name: one[name] for name in _AS_IS if one.get(name) is not None}
    name, source, destination = next((row for row in _SOURCES if one.get(row[0]) is not None), ("", "blank", "local"))
    device |= {"source_type": source, "destination_type": destination}
    match name:
        case "volume_id" | "snapshot_id" | "image":
            device["uuid"] = one[name]
        case "swap_size":
            device |= {"volume_size": one[name], "guest_format": "swap", "boot_index": -1}
        case "ephemeral_size":
            device |= {"volume_size": one[name], "boot_index": -1}
            if one.get("ephemeral_format"):
                device["guest_format"] = one["ephemeral_format"]
        case _:
            pass
    if destination == "local":
        device.setdefault("delete_on_termination", True)
    device.setdefault("boot_index", -1)
    return device


def device_findings(mappings: Value) -> list[str]:
    """What is wrong with `block_device_mapping_v2` as a whole."""
    found = []
    for position, one in maps_of(mappings):
        sources = [
            name for name in ("volume_id", "snapshot_id", "image", "swap_size", "ephemeral_size") if one.get(name)
        ]
        if one.get("image_id"):
            sources.append("image")
        if len(sources) > 1:
            found.append(f"block_device_mapping_v2[{position}]: cannot use {' and '.join(sources)} together")
        if not sources and not one.get("volume_size"):
            found.append(
                f"block_device_mapping_v2[{position}]: one of volume_id, snapshot_id, image, swap_size or "
                "ephemeral_size must be given"
            )
    return found
