"""Plans are made of stacks that stories tell."""

from __future__ import annotations

from tests.engine.runs.conftest import _plain_log, blank_database, story

__all__ = ["_plain_log", "blank_database", "story"]
