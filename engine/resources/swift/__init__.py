"""Object storage types."""

from typing import Final

TYPES: Final = {
    "OS::Swift::Container": "container:Container",
}
