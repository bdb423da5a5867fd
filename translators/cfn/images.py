"""The rows that turn public SSM paths into images (cloudformation.md L68, D06)."""

from __future__ import annotations

from engine.model.value import Value


def image_rows() -> tuple[tuple[str, Value], ...]:
    return ()
