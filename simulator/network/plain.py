"""Neutron collections without behaviour of their own: the SDK's class says it all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.http import Call
from simulator.network.collection import Collection
from simulator.store import Obj

if TYPE_CHECKING:
    from simulator.network.service import Network


@dataclass(frozen=True, slots=True)
class Plain:
    """`admin`: only administrators write. `standard`: has description, times, revision and tags."""

    sdk_name: str
    path: str
    noun: str
    missing: str
    admin: bool = False
    standard: bool = True


PLAIN = (
    Plain("network.v2.address_scope.AddressScope", "/address-scopes", "Address scope", "AddressScopeNotFound",
          standard=False),
    Plain("network.v2.segment.Segment", "/segments", "Segment", "SegmentNotFound", admin=True),
    Plain("network.v2.agent.Agent", "/agents", "Agent", "AgentNotFound", admin=True, standard=False),
)  # fmt: skip


class PlainCollection(Collection):
    """A collection made of a row of the table."""

    def before_create(self, call: Call, obj: Obj) -> None:
        for name, value in _STARTING.items():
            if name in obj and obj[name] is None:
                obj[name] = value


_STARTING = {"status": "ACTIVE", "admin_state_up": True, "shared": False, "is_default": False, "name": ""}


def plain_collections(network: Network) -> list[PlainCollection]:
    """One collection per row."""
    return [_class_of(row)(network) for row in PLAIN]


def _class_of(row: Plain) -> type[PlainCollection]:
    declared = {
        "sdk_name": row.sdk_name, "path": row.path, "noun": row.noun, "missing": row.missing,
        "admin_writes": row.admin, "standard": row.standard,
    }  # fmt: skip
    return type(row.sdk_name.rpartition(".")[2], (PlainCollection,), declared)
