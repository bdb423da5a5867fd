"""The name that was meant by one that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

_LONGEST: Final = 255  # what is longer is no name, and comparing grows with the square
_LISTED: Final = 12
_LEAST_BEGINNING: Final = 3


def closest(word: object, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The one of `known` that is spelt most like `word`, whatever the case of letters; else the only one that begins
    with it."""
    folded: dict[str, str] = {}
    for name in known:
        folded.setdefault(name.casefold(), name)
    text = str(word).casefold()
    if not text or len(text) > _LONGEST:
        return None
    if text in folded:
        return folded[text]
    near = difflib.get_close_matches(text, folded, n=1, cutoff=cutoff)
    if not near and len(text) >= _LEAST_BEGINNING:
        longer = [name for name in folded if name.startswith(text)]
        near = longer if len(longer) == 1 else []
    return folded[near[0]] if near else None


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """`Did you mean X?`, or nothing."""
    near = closest(word, known)
    return f"Did you mean {near}?" if near is not None else ""


def nearest(word: object, known: Iterable[str]) -> str:
    """`Did you mean X?`, or what there is, or nothing where that is too much."""
    names = list(known)
    listed = f"There is: {', '.join(sorted(names))}." if 0 < len(names) <= _LISTED else ""
    return did_you_mean(word, names) or listed
