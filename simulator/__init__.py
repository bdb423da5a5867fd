"""An OpenStack to run against when there is none: Keystone, Nova, Neutron, Glance, Cinder and Swift on one port.

It is a stand-in, never the judge: the same contract tests run against it and against real clouds. `simulator.control`
documents its own knobs below `/simulator/`.
"""

from __future__ import annotations

from simulator.seed import Seed
from simulator.server import Simulator
from simulator.settings import Fault, Settings

__all__ = ["Fault", "Seed", "Settings", "Simulator"]
