"""The properties of OS::Nova::Server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.resources.base import Property
from engine.resources.declare import (
    TAGS,
    between,
    boolean,
    custom,
    formerly,
    integer,
    length,
    listing,
    mapping,
    named,
    one_of,
    string,
)
from engine.resources.neutron.port_properties import EXTRA

_DEVICE: Final = mapping(
    {
        "device_name": string(required=True),
        "volume_id": named("volume"),
        "snapshot_id": named("snapshot"),
        "volume_size": integer(),
        "delete_on_termination": boolean(),
    }
)
_DEVICE_V2: Final = mapping(
    {
        "device_name": string(),
        "volume_id": named("volume"),
        "image": named("image"),
        "image_id": formerly("image", "image"),
        "snapshot_id": named("snapshot"),
        "swap_size": integer(),
        "ephemeral_size": integer(between(1)),
        "ephemeral_format": string(one_of("ext2", "ext3", "ext4", "xfs", "ntfs")),
        "device_type": string(one_of("cdrom", "disk")),
        "disk_bus": string(one_of("ide", "lame_bus", "sata", "scsi", "usb", "virtio")),
        "boot_index": integer(),
        "volume_size": integer(),
        "volume_type": named("volume_type"),
        "delete_on_termination": boolean(),
    }
)
_NETWORK: Final = mapping(
    {
        "uuid": formerly("network", "network"),
        "network": named("network"),
        "allocate_network": string(one_of("none", "auto"), mutable=True),
        "fixed_ip": string(custom("ip_addr")),
        "port": named("port"),
        "port_extra_properties": mapping(EXTRA, mutable=True),
        "subnet": string(refers="subnet"),
        "floating_ip": string(refers="floating_ip"),
        "tag": string(),
    }
)

PROPERTIES: Final[Mapping[str, Property]] = {
    "name": string(mutable=True),
    "image": named("image", mutable=True, body="imageRef"),
    "block_device_mapping": listing(_DEVICE, body=""),
    "block_device_mapping_v2": listing(_DEVICE_V2, body=""),
    "flavor": named("flavor", required=True, mutable=True, body="flavorRef"),
    "flavor_update_policy": string(one_of("RESIZE", "REPLACE"), default="RESIZE", mutable=True, body=""),
    "image_update_policy": string(
        one_of("REBUILD", "REPLACE", "REBUILD_PRESERVE_EPHEMERAL"), default="REBUILD", mutable=True, body=""
    ),
    "key_name": string(custom("nova.keypair")),
    "admin_user": string(body="", support="HIDDEN"),
    "availability_zone": string(),
    "security_groups": listing(None, default=[], body=""),
    "networks": listing(_NETWORK, mutable=True, body=""),
    "scheduler_hints": mapping(None, body=""),
    "metadata": mapping(None, default={}, mutable=True, body=""),
    "user_data_format": string(one_of("HEAT_CFNTOOLS", "RAW", "SOFTWARE_CONFIG"), default="HEAT_CFNTOOLS", body=""),
    "user_data_update_policy": string(one_of("REPLACE", "IGNORE", "REBUILD"), default="REPLACE", mutable=True, body=""),
    "software_config_transport": string(
        one_of("POLL_SERVER_CFN", "POLL_SERVER_HEAT", "POLL_TEMP_URL", "ZAQAR_MESSAGE"),
        default="POLL_SERVER_CFN",
        mutable=True,
        body="",
    ),
    "deployment_swift_data": mapping(
        {"container": string(length(1)), "object": string(length(1))}, default={}, mutable=True, body=""
    ),
    "user_data": string(default="", mutable=True, body=""),
    "reservation_id": string(body=""),
    "config_drive": boolean(),
    "diskConfig": string(one_of("AUTO", "MANUAL"), body="OS-DCF:diskConfig"),
    "personality": mapping(None, default={}, body="", support="DEPRECATED"),
    "admin_pass": string(mutable=True, body="adminPass", secret=True),
    "tags": TAGS,
}
