"""How long objects of a collection usually take, learnt from those that got there: when to look for the next one.

A server that becomes ACTIVE right after a look is noticed only by the next look. Looking often is dear, so the hub
looks often only around the moment at which objects of the collection have become ready lately.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_NEWEST = 0.3  # weight of the newest object in the average
_EARLY, _LATE = 0.9, 1.3  # of the usual time: between them it is looked often
_FINE = 0.04  # of the usual time: from one look to the next
_SHORTEST = 0.05  # seconds between looks, however fast the objects are


@dataclass(slots=True)
class Habits:
    """Of one collection and one thing waited for (ready, or gone). Times are seconds."""

    usual: float | None = field(default=None)

    def learn(self, seconds: float) -> None:
        """Another object took so long."""
        self.usual = seconds if self.usual is None else (1 - _NEWEST) * self.usual + _NEWEST * seconds

    def pause(self, age: float, otherwise: float, took: float) -> float:
        """From one look to the next at an object that is waited for since `age`; `otherwise` where habits say nothing.

        `took` is how long the last look lasted: between two looks there is a break of a third of that at least.
        """
        if self.usual is None or age > _LATE * self.usual:
            return otherwise
        often = max(_SHORTEST - took, _FINE * self.usual - took, took / 3)
        return min(otherwise, max(often, _EARLY * self.usual - age))
