"""Ordering: topological, cycles named, soft edges dropped only where they would close a cycle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.graph.order import Cycle, heights, topological, with_soft_edges


def test_engc_03_every_key_comes_after_what_it_requires() -> None:
    graph = {"server": {"port"}, "port": {"net", "subnet"}, "subnet": {"net"}, "net": set()}

    order = topological(graph)

    assert all(order.index(needed) < order.index(key) for key, needs in graph.items() for needed in needs)


def test_a_cycle_is_named_from_the_one_that_needs_to_the_one_that_is_needed() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}}

    with pytest.raises(Cycle) as caught:
        topological(graph)

    path = caught.value.path
    assert path[0] == path[-1]
    assert all(path[at + 1] in graph[str(path[at])] for at in range(len(path) - 1))


def test_a_soft_edge_that_would_close_a_cycle_is_dropped_and_told() -> None:
    graph, dropped = with_soft_edges({"a": {"b"}, "b": set(), "c": set()}, [("b", "a"), ("c", "a")])

    assert dropped == [("b", "a")]
    assert graph == {"a": {"b"}, "b": set(), "c": {"a"}}


edges = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=60)


@given(edges)
def test_soft_edges_never_make_a_cycle(soft: list[tuple[int, int]]) -> None:
    graph, dropped = with_soft_edges({key: set() for key in range(13)}, soft)

    topological(graph)
    kept = {(a, b) for a, needs in graph.items() for b in needs}
    assert {edge for edge in soft if edge[0] != edge[1]} == kept | set(dropped)


def test_heights_are_the_longest_chains_of_those_who_wait() -> None:
    requires = {"a": (), "b": ("a",), "c": ("b", "a"), "lone": (), "d": ("elsewhere",)}
    assert heights(requires) == {"a": 2, "b": 1, "c": 0, "lone": 0, "d": 0}
    assert heights({"a": ("b",), "b": ("a",), "c": ("a",)})["c"] == 0, "a circle ends"
