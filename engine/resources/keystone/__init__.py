"""Identity types."""

from typing import Final

TYPES: Final = {
    "OS::Keystone::Project": "project:Project",
    "OS::Keystone::Role": "role:Role",
    "OS::Keystone::User": "user:User",
}
