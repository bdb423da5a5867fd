"""JSON that a user wrote inside a text, as far as everything of ours can hold what it says."""

from __future__ import annotations

import json

from engine.model.value import Value

MAX_DEPTH = 100  # as of templates


def parse_json(text: str) -> Value:
    """Raises ValueError: no JSON, NaN and infinities, half a character (a lone surrogate), nested too deeply."""
    try:
        found = json.loads(text, parse_constant=_no_constant)
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    check_depth(found)
    return found


def check_depth(value: Value) -> None:
    """Raises ValueError where lists and maps are nested more deeply than they may be."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for held in level for inner in _inside(held)]
        if not level:
            return
    raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")


def _inside(value: Value) -> list[Value]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


def _no_constant(name: str) -> Value:
    raise ValueError(f"{name} is no JSON")
