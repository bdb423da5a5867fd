"""What the operator's environment says to every stack (heat.md TE-17): types that stand for others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.model.value import Value

#: What every Heat has without being told.
BUILTIN: Final[Mapping[str, Value]] = {
    "OS::Quantum*": "OS::Neutron*",
    "OS::Metering::Alarm": "OS::Aodh::Alarm",
    "OS::Ceilometer::Alarm": "OS::Aodh::Alarm",
    "OS::Ceilometer::CombinationAlarm": "OS::Aodh::CombinationAlarm",
    "OS::Ceilometer::GnocchiResourcesAlarm": "OS::Aodh::GnocchiResourcesAlarm",
    "OS::Ceilometer::GnocchiAggregationByMetricsAlarm": "OS::Aodh::GnocchiAggregationByMetricsAlarm",
    "OS::Ceilometer::GnocchiAggregationByResourcesAlarm": "OS::Aodh::GnocchiAggregationByResourcesAlarm",
}


@dataclass(frozen=True, slots=True)
class Operator:
    """`registry` maps types as an environment's does; `files` are the texts of the `file:` templates it names."""

    registry: Mapping[str, Value] = field(default_factory=lambda: BUILTIN)
    files: Mapping[str, str] = field(default_factory=dict)
