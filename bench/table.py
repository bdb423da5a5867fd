"""Figures and how they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`goal` is to be reached from below (`at_least`) or from above."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = False
    compared: str = ""

    @property
    def reached(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def render(figures: Sequence[Figure]) -> str:
    """A plain table, one figure a line."""
    rows = [("figure", "value", "goal", "", "others")]
    for figure in figures:
        goal = "" if figure.goal is None else f"{'≥' if figure.at_least else '≤'} {figure.goal:g} {figure.unit}"
        mark = {None: "", True: "reached", False: "MISSED"}[figure.reached]
        rows.append((figure.name, f"{figure.value:.4g} {figure.unit}", goal, mark, figure.compared))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
