"""Orders of a graph given as `requires`: key → the keys that must be done first."""

from __future__ import annotations

import graphlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

K = TypeVar("K")


class Cycle(Exception):
    """`path` names the keys in order; the last one is the first again."""

    def __init__(self, path: list[object]) -> None:
        self.path = path
        super().__init__(" -> ".join(str(key) for key in path))


def topological(requires: Mapping[K, Collection[K]]) -> list[K]:
    """Every key after the keys it requires, otherwise in the mapping's order. Raises Cycle."""
    open_ = {key: len(needed) for key, needed in requires.items()}
    waiting: dict[K, list[K]] = {key: [] for key in requires}
    for key, needed in requires.items():
        for one in needed:
            waiting[one].append(key)
    order = [key for key, many in open_.items() if not many]
    for done in order:  # which grows meanwhile
        for key in waiting[done]:
            open_[key] -= 1
            if not open_[key]:
                order.append(key)
    if len(order) < len(open_):
        raise Cycle(_cycle(requires))
    return order


def _cycle(requires: Mapping[K, Collection[K]]) -> list[object]:
    """The first circle of a graph that has one."""
    try:
        graphlib.TopologicalSorter(requires).prepare()
    except graphlib.CycleError as error:
        # graphlib lists each key before one that requires it; readers expect "A needs B needs A".
        return list(reversed(error.args[1]))
    raise AssertionError("the graph has no circle")


def heights(requires: Mapping[K, Collection[K]]) -> dict[K, int]:
    """How long the longest chain is of those that wait for each key. Chains into a circle are not followed."""
    found = dict.fromkeys(requires, 0)
    waiting = Counter(needed for key in requires for needed in set(requires[key]))
    tops = [key for key in requires if key not in waiting]
    while tops:
        key = tops.pop()
        for needed in set(requires[key]) & found.keys():
            found[needed] = max(found[needed], found[key] + 1)
            waiting[needed] -= 1
            if waiting[needed] == 0:
                tops.append(needed)
    return found


def with_soft_edges(
    requires: Mapping[K, Collection[K]], soft: Iterable[tuple[K, K]]
) -> tuple[dict[K, set[K]], list[tuple[K, K]]]:
    """Add each soft edge (waiting, needed) that closes no cycle; returns the graph and the edges left out.

    Raises Cycle when the hard edges alone have one.
    """
    graph = {key: set(needed) for key, needed in requires.items()}
    position = {key: at for at, key in enumerate(topological(requires))}
    against: list[tuple[K, K]] = []
    for waiting, needed in soft:
        if waiting == needed or needed in graph[waiting]:
            continue
        # Edges along one topological order can never close a cycle, however many there are.
        if position[needed] < position[waiting]:
            graph[waiting].add(needed)
        else:
            against.append((waiting, needed))
    dropped = []
    for waiting, needed in against:
        if _reaches(graph, needed, waiting):
            dropped.append((waiting, needed))
        else:
            graph[waiting].add(needed)
    return graph, dropped


def _reaches(graph: Mapping[K, Collection[K]], start: K, goal: K) -> bool:
    """Whether `start` requires `goal`, directly or through others."""
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        if here == goal:
            return True
        for needed in graph[here]:
            if needed not in seen:
                seen.add(needed)
                todo.append(needed)
    return False
