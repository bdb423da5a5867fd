"""Durations as templates write them."""

from __future__ import annotations

import re

_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")


def seconds(text: str) -> float | None:
    """Seconds of `90` or `PT1M30S`; None for anything else."""
    try:
        return float(text)
    except ValueError:
        found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    hours, minutes, rest = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest
