"""The name that was meant by one that is not there.

A template may misspell thousands of names, and comparing each with everything there is takes minutes. Only names that
share most pairs of letters with the misspelt one are compared with it.
"""

from __future__ import annotations

import difflib
import functools
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

_LONGEST: Final = 100  # characters of a name that somebody may have misspelt
_MOST_KNOWN: Final = 1000
_COMPARED: Final = 3
_LISTED: Final = 12
_MOST_TOLD: Final = 1000
_LEAST_BEGINNING: Final = 3
_TRUTHS: Final = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def closest(word: object, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The one of `known` that is spelt most like `word`, whatever the case of letters; else the only one that begins
    with it. None when none is alike enough (`cutoff` as in difflib)."""
    text = str(word)
    if not text or len(text) > _LONGEST:
        return None
    return _index(frozenset(known)).closest(text.casefold(), cutoff)


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """`Did you mean X?`, or nothing."""
    names = frozenset(known)
    near = closest(word, names)
    meant = "" if near is None else f"Did you mean {near}?"
    if near is not None and near.casefold() == str(word).casefold():
        return meant
    return _truth(str(word), names) or meant


def _truth(word: str, known: frozenset[str]) -> str:
    """What is said when one is a truth of YAML 1.1 and the other the word that it was written with, or nothing."""
    truth = _TRUTHS.get(word.casefold())
    if truth in known:
        return f"YAML reads {word} without quotes as {truth}: put it in quotes where it is declared."
    written = [name for name in known if _TRUTHS.get(name.casefold()) == word] if word in _TRUTHS.values() else []
    return f"Did you mean {min(written)}? YAML reads it without quotes as {word}." if written else ""


def nearest(word: object, known: Iterable[str]) -> str:
    """`Did you mean X?`, or what there is, or nothing where that is too much."""
    names = list(known)
    listed = f"There is: {', '.join(sorted(names))}." if 0 < len(names) <= _LISTED else ""
    return did_you_mean(word, names) or listed


@dataclass(frozen=True, slots=True)
class _Index:
    """Names by their small letters, in order; and pair of letters → those that have it.

    `told` are answers: aliases repeat a mistake thousands of times.
    """

    names: Mapping[str, str]
    ordered: tuple[str, ...]
    having: Mapping[str, tuple[str, ...]]
    told: dict[tuple[str, float], str | None] = field(default_factory=dict)

    def closest(self, text: str, cutoff: float) -> str | None:
        if (text, cutoff) in self.told:
            return self.told[text, cutoff]
        meant = self._closest(text, cutoff)
        if len(self.told) < _MOST_TOLD:
            self.told[text, cutoff] = meant
        return meant

    def _closest(self, text: str, cutoff: float) -> str | None:
        if text in self.names:
            return self.names[text]
        near = difflib.get_close_matches(text, self._candidates(text), n=1, cutoff=cutoff)
        meant = near[0] if near else self._longer(text)
        return None if meant is None else self.names[meant]

    def _candidates(self, text: str) -> list[str]:
        """The few that share most pairs of letters with `text`."""
        mine = _pairs(text)
        shared = Counter(name for pair in mine for name in self.having.get(pair, ()))
        likeness = {name: count / (len(mine) + len(name) + 1) for name, count in shared.items()}
        return sorted(likeness, key=lambda name: (-likeness[name], name))[:_COMPARED]

    def _longer(self, text: str) -> str | None:
        """The only name that begins with `text`."""
        if len(text) < _LEAST_BEGINNING:
            return None
        at = bisect_left(self.ordered, text)
        found = [name for name in self.ordered[at : at + 2] if name.startswith(text)]
        return found[0] if len(found) == 1 else None


@functools.lru_cache(maxsize=128)
def _index(known: frozenset[str]) -> _Index:
    names: dict[str, str] = {}
    for name in sorted(name for name in known if len(name) <= _LONGEST)[:_MOST_KNOWN]:
        names.setdefault(name.casefold(), name)
    having: dict[str, list[str]] = {}
    for name in names:
        for pair in _pairs(name):
            having.setdefault(pair, []).append(name)
    return _Index(names, tuple(sorted(names)), {pair: tuple(found) for pair, found in having.items()})


def _pairs(text: str) -> set[str]:
    bounded = f"^{text}$"
    return {bounded[at : at + 2] for at in range(len(bounded) - 1)}
