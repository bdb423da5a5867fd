"""Neutron collections without behaviour of their own: the SDK's class says it all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.http import Call, Refusal
from simulator.network.collection import Collection
from simulator.network.errors import bad, conflict
from simulator.store import Obj

if TYPE_CHECKING:
    from simulator.network.service import Network


@dataclass(frozen=True, slots=True)
class Plain:
    """`unique`: attributes that no two objects share (409 with `taken`)."""

    sdk_name: str
    path: str
    noun: str
    missing: str
    admin: bool = False
    standard: bool = True
    unique: tuple[str, ...] = ()
    taken: str = ""


PLAIN = (
    Plain("network.v2.address_scope.AddressScope", "/address-scopes", "Address scope", "AddressScopeNotFound",
          standard=False),
    Plain("network.v2.qos_policy.QoSPolicy", "/qos/policies", "QoS policy", "QosPolicyNotFound", admin=True),
    Plain("network.v2.trunk.Trunk", "/trunks", "Trunk", "TrunkNotFound", unique=("port_id",), taken="ParentPortInUse"),
    Plain("network.v2.metering_label.MeteringLabel", "/metering/metering-labels", "Metering label",
          "MeteringLabelNotFound", admin=True, standard=False),
    Plain("network.v2.metering_label_rule.MeteringLabelRule", "/metering/metering-label-rules",
          "Metering label rule", "MeteringLabelRuleNotFound", admin=True, standard=False),
    Plain("network.v2.segment.Segment", "/segments", "Segment", "SegmentNotFound", admin=True),
    Plain("network.v2.agent.Agent", "/agents", "Agent", "AgentNotFound", standard=False),
    Plain("network.v2.flavor.Flavor", "/flavors", "Flavor", "FlavorNotFound", admin=True, standard=False),
)  # fmt: skip


class PlainCollection(Collection):
    """A collection made of a row of the table."""

    def __init__(self, network: Network, row: Plain) -> None:
        self.row = row
        super().__init__(network)

    def before_create(self, call: Call, obj: Obj) -> None:
        for name in self.row.unique:
            if obj.get(name) is None:
                raise bad(f"Failed to parse request. Required attribute '{name}' not specified")
            if self.table.where(**{name: obj[name]}):
                raise conflict(self.row.taken, f"{self.noun} with {name} {obj[name]} exists already.")
        for name, value in _STARTING.items():
            if name in obj and obj[name] is None:
                obj[name] = value

    def none(self, object_id: str) -> Refusal:
        return Refusal(404, f"{self.noun} {object_id} could not be found.", self.missing)


_STARTING = {"status": "ACTIVE", "admin_state_up": True, "shared": False, "is_default": False, "name": ""}


def plain_collections(network: Network) -> list[PlainCollection]:
    """One collection per row."""
    return [_class_of(row)(network, row) for row in PLAIN]


def _class_of(row: Plain) -> type[PlainCollection]:
    declared = {
        "sdk_name": row.sdk_name, "path": row.path, "noun": row.noun, "missing": row.missing,
        "admin_writes": row.admin, "standard": row.standard,
    }  # fmt: skip
    return type(row.sdk_name.rpartition(".")[2], (PlainCollection,), declared)
