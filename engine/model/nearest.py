"""The known name that a misspelt one is nearest to.

A template may misspell thousands of names, and comparing each with everything there is takes minutes. Only names that
share most pairs of letters with the misspelt one are compared with it.
"""

from __future__ import annotations

import difflib
import functools
from collections import Counter
from collections.abc import Iterable, Mapping

_LONGEST = 100  # characters of a name that somebody may have misspelt
_MOST_KNOWN = 1000
_COMPARED = 3


def nearest_name(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The name of `known` that is most like `word`, None when none is alike enough (`cutoff` as in difflib)."""
    if len(word) > _LONGEST:
        return None
    index = _index(frozenset(known))
    mine = _pairs(word)
    shared = Counter(name for pair in mine for name in index.get(pair, ()))
    likeness = {name: count / (len(mine) + len(name) + 1) for name, count in shared.items()}
    candidates = sorted(likeness, key=lambda name: (-likeness[name], name))[:_COMPARED]
    near = difflib.get_close_matches(word, candidates, n=1, cutoff=cutoff)
    return near[0] if near else None


@functools.lru_cache(maxsize=128)
def _index(known: frozenset[str]) -> Mapping[str, tuple[str, ...]]:
    """Pair of letters → the names that have it."""
    found: dict[str, list[str]] = {}
    for name in sorted(name for name in known if len(name) <= _LONGEST)[:_MOST_KNOWN]:
        for pair in _pairs(name):
            found.setdefault(pair, []).append(name)
    return {pair: tuple(names) for pair, names in found.items()}


def _pairs(word: str) -> set[str]:
    folded = f"^{word.casefold()}$"
    return {folded[at : at + 2] for at in range(len(folded) - 1)}
