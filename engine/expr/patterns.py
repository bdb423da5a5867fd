"""Regular expressions that a user wrote, tried on text that a user gave, within a bounded time.

Backtracking can take longer than the universe lasts, and Python's own `re` cannot be stopped. `regex` reads the same
patterns and takes a time limit.
"""

from __future__ import annotations

import functools
from typing import Any

import regex

SECONDS = 0.1


class BadPattern(Exception):
    """The pattern is no regular expression, or takes too long; the text is for the user."""


def matches_whole(pattern: str, text: str) -> bool:
    """Whether `pattern` matches all of `text`. Raises BadPattern."""
    try:
        return _compiled(pattern).fullmatch(text, timeout=SECONDS) is not None
    except (regex.error, OverflowError, RecursionError, ValueError) as error:
        raise BadPattern(f"its pattern {pattern} is no regular expression: {error}") from error
    except TimeoutError as error:
        raise BadPattern(f"its pattern {pattern} takes too long on this value; make it simpler") from error


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    return regex.compile(pattern)
