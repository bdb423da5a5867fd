"""`depends_on` of HOT: groups stand for all their members, and an edge that may be left out is kept where it closes no
circle. What the rest makes a resource wait for anyway is not said again."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Iterator, Mapping

from engine.model.expression import AttributeRef, Expression, If, ResourceRef, children
from engine.model.template import Resource, Template

Graph = dict[str, set[str]]


def waits(template: Template) -> dict[str, tuple[str, ...]]:
    """By address, the addresses of resources that `depends_on` has to name. The template has been found without
    circles."""
    needed = {address: _members(template, one.depends_on) for address, one in template.resources.items()}
    graph = {
        address: ({*needed[address], *_referred(one, certain=False)} & template.resources.keys()) - {address}
        for address, one in template.resources.items()
    }
    for address, one in template.resources.items():
        for soft in one.soft_depends_on:
            members = [member for member in _members(template, (soft,)) if member != address]
            if not any(address in _reached(graph, [member]) for member in members):
                needed[address] += members
                graph[address].update(members)
    certain = {
        address: ({*needed[address], *_referred(one, certain=True)} & template.resources.keys()) - {address}
        for address, one in template.resources.items()
        if one.condition is None
    }
    reach = _Reach(certain, template.resources)
    own = {
        address: set(_referred(one, certain=True)) & template.resources.keys() - {address}
        for address, one in template.resources.items()
    }
    return {address: reach.shortest(found, own[address]) for address, found in needed.items()}


def _members(template: Template, addresses: Iterable[str]) -> list[str]:
    found: list[str] = []
    for address in addresses:
        found += template.groups[address].members if address in template.groups else [address]
    return [one for one in dict.fromkeys(found) if one in template.resources]


class _Reach:
    """What is waited for in any case, directly or not, by sets of bits: one bit for each resource."""

    def __init__(self, certain: Mapping[str, set[str]], addresses: Iterable[str]) -> None:
        self._bits = {address: 1 << position for position, address in enumerate(addresses)}
        self._from = dict(self._bits)
        for address in graphlib.TopologicalSorter(certain).static_order():
            for needed in certain.get(address, ()):
                self._from[address] |= self._from[needed]

    def shortest(self, found: list[str], own: set[str]) -> tuple[str, ...]:
        """`found` without what others in it, or the resource's `own` references, wait for."""
        referred = self._reached(own)
        kept = [one for one in dict.fromkeys(found) if not self._bits[one] & referred]
        for one in tuple(kept):
            if self._bits[one] & self._reached(other for other in kept if other != one):
                kept.remove(one)
        return tuple(kept)

    def _reached(self, starts: Iterable[str]) -> int:
        found = 0
        for start in starts:
            found |= self._from[start]
        return found


def _reached(graph: Mapping[str, Iterable[str]], starts: Iterable[str]) -> set[str]:
    """The starts and everything that they need."""
    todo = list(starts)
    seen = set(todo)
    while todo:
        for one in graph.get(todo.pop(), ()):
            if one not in seen:
                seen.add(one)
                todo.append(one)
    return seen


def _referred(resource: Resource, *, certain: bool) -> Iterator[str]:
    """Addresses that the resource refers to; `certain`: whatever conditions come to."""
    parts = (resource.properties, resource.metadata, resource.update_policy)
    todo: list[Expression] = [one for one in parts if one is not None]
    while todo:
        here = todo.pop()
        if isinstance(here, ResourceRef | AttributeRef):
            yield here.address
        if not (certain and isinstance(here, If)):
            todo.extend(children(here))
