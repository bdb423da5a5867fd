"""Faults on demand, and the record of what was asked."""

from __future__ import annotations

import random
import re
from collections import deque
from dataclasses import asdict, dataclass, fields
from typing import Any

from simulator.settings import Fault


@dataclass(slots=True)
class _Rule:
    number: int
    fault: Fault
    seen: int = 0
    hit: int = 0


class Faults:
    """The rules in force. The first that hits is taken."""

    def __init__(self, faults: tuple[Fault, ...], seed: int) -> None:
        self._rules: list[_Rule] = []
        self._number = 0
        self._random = random.Random(seed)  # noqa: S311 (which request fails is no secret)
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> int:
        """Put it in force; its number. Raises re.error for a bad `path`."""
        re.compile(fault.path)
        self._number += 1
        self._rules.append(_Rule(self._number, fault))
        return self._number

    def remove(self, number: int | None = None) -> None:
        """One, or all."""
        self._rules = [rule for rule in self._rules if number is not None and rule.number != number]

    def rows(self) -> list[dict[str, Any]]:
        return [asdict(rule.fault) | {"id": rule.number, "seen": rule.seen, "hit": rule.hit} for rule in self._rules]

    def of(self, service: str, method: str, path: str) -> Fault | None:
        """What shall happen to this request."""
        for rule in self._rules:
            fault = rule.fault
            if fault.service not in ("", service) or fault.method.upper() not in ("", method):
                continue
            if fault.path and not re.search(fault.path, path):
                continue
            rule.seen += 1
            if rule.seen <= fault.skip or (fault.count is not None and rule.hit >= fault.count):
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            rule.hit += 1
            return fault
        return None


def parse_fault(body: Any) -> Fault:
    """A fault from JSON. Raises ValueError."""
    known = {field.name for field in fields(Fault)}
    if not isinstance(body, dict) or not body.keys() <= known:
        raise ValueError(f"a fault is a map of {', '.join(sorted(known))}")
    fault = Fault(**body)
    if fault.effect not in ("status", "delay", "hang", "lost_answer", "half_done"):
        raise ValueError(f"unknown effect {fault.effect!r}")
    return fault


class RequestLog:
    """The last requests, bounded. Bodies and headers are not kept: they hold secrets."""

    def __init__(self, most: int) -> None:
        self._rows: deque[dict[str, Any]] = deque(maxlen=most)
        self.total = 0

    def add(self, service: str, method: str, path: str, query: str, status: int, seconds: float) -> None:
        self.total += 1
        row = {"number": self.total, "service": service, "method": method, "path": path, "query": query}
        self._rows.append(row | {"status": status, "seconds": round(seconds, 6)})

    def rows(self) -> list[dict[str, Any]]:
        return list(self._rows)

    def reset(self) -> None:
        self._rows.clear()
        self.total = 0
