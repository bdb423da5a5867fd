"""The engine's public door: everything a front end may ask, in the engine's own terms.

Every method raises `engine.model.errors.Refused` subclasses or `Invalid`; nothing else is a user's mistake. A stack
reference is a name or a UUID; a stack of another project does not exist.
"""

from __future__ import annotations

from engine.door.change_sets import ChangeSets
from engine.door.drift import Drifting
from engine.door.filters import StackFilter
from engine.door.lifecycle import Lifecycle
from engine.door.reading import Reading
from engine.door.signals import Signal, Signals
from engine.door.snapshots import Snapshotting
from engine.door.template_check import TemplateCheck

__all__ = ["Engine", "Signal", "StackFilter", "TemplateCheck"]


class Engine(Lifecycle, ChangeSets, Reading, Signals, Snapshotting, Drifting):
    """One per process: `start` it, ask, `stop` it. `Engine.of(EngineParts(…))` makes one."""
