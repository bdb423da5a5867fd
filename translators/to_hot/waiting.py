"""`depends_on` of HOT: groups stand for all their members, and an edge that may be left out is kept where it closes no
circle. What the rest makes a resource wait for anyway is not said again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.model.expression import Expression, If, children
from engine.model.template import Resource, Template

Graph = dict[str, set[str]]


def waits(template: Template) -> dict[str, tuple[str, ...]]:
    """By address, the addresses of resources that `depends_on` has to name."""
    needed = {address: _members(template, one.depends_on) for address, one in template.resources.items()}
    graph = {
        address: {*needed[address], *_referred(one, certain=False)} & template.resources.keys() - {address}
        for address, one in template.resources.items()
    }
    for address, one in template.resources.items():
        for soft in one.soft_depends_on:
            members = [member for member in _members(template, (soft,)) if member != address]
            if not any(address in _reached(graph, [member]) for member in members):
                needed[address] += members
                graph[address].update(members)
    return {address: _shortest(address, found, template, needed) for address, found in needed.items()}


def _members(template: Template, addresses: Iterable[str]) -> list[str]:
    found: list[str] = []
    for address in addresses:
        found += template.groups[address].members if address in template.groups else [address]
    return [one for one in dict.fromkeys(found) if one in template.resources]


def _shortest(address: str, found: list[str], template: Template, needed: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Without what others in the list, or the resource's own references, wait for in any case."""
    kept = [one for one in dict.fromkeys(found) if one != address]
    certain = {
        one.address: {*needed[one.address], *_referred(one, certain=True)}
        for one in template.resources.values()
        if one.condition is None
    }
    own = set(_referred(template.resources[address], certain=True)) - {address}
    for one in list(kept):
        others = {other for other in (*kept, *own) if other != one or other in own}
        if one in own or one in _reached(certain, others):
            kept.remove(one)
    return tuple(kept)


def _reached(graph: Mapping[str, Iterable[str]], starts: Iterable[str]) -> set[str]:
    """The starts and everything that they need."""
    seen, todo = set(starts), list(starts)
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
        if hasattr(here, "address"):
            yield here.address
        if not (certain and isinstance(here, If)):
            todo.extend(children(here))
