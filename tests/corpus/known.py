"""The reviewed table of refusals (`known.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

_TABLE = Path(__file__).with_name("known.yaml")
BY = ("aws", "heat", "isotherm", "absent")


@dataclass(frozen=True, slots=True)
class Known:
    """Why some templates are refused, by whom else, and the codes of the findings that say so."""

    reason: str
    by: str
    codes: frozenset[str]


def known_refusals() -> Mapping[str, Known]:
    """By the template's path in the corpus."""
    found: dict[str, Known] = {}
    for one in yaml.safe_load(_TABLE.read_text(encoding="utf-8")):
        entry = Known(one["reason"], one["by"], frozenset(one["codes"]))
        for path in one["files"]:
            if path in found or entry.by not in BY:
                raise ValueError(f"{_TABLE.name}: {path} is listed twice, or by is none of {', '.join(BY)}")
            found[path] = entry
    return found
