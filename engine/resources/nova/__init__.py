"""Compute types."""

from typing import Final

TYPES: Final = {
    "OS::Nova::Flavor": "flavor:Flavor",
    "OS::Nova::KeyPair": "key_pair:KeyPair",
    "OS::Nova::Server": "server:Server",
    "OS::Nova::ServerGroup": "server_group:ServerGroup",
}
