"""Block storage types."""

from typing import Final

TYPES: Final = {
    "OS::Cinder::Volume": "volume:Volume",
    "OS::Cinder::VolumeAttachment": "volume_attachment:VolumeAttachment",
}
