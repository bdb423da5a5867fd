"""Mutations of a template's structure: of the graph that YAML's own reader makes of it, tags, aliases and all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import yaml

from tests.fuzz import words

_STR: Final = "tag:yaml.org,2002:str"
_MAP: Final = "tag:yaml.org,2002:map"
_SEQ: Final = "tag:yaml.org,2002:seq"
_TIMES: Final = (1, 1, 1, 2, 3, 6)  # operations on one graph
_MOST_NODES: Final = 30_000  # of a graph that is mutated further

Node = Any  # yaml.Node


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that holds a node: of a list, or the value (`key` False) or key of an entry of a map."""

    parent: Node
    index: int
    key: bool = False

    def get(self) -> Node:
        held = self.parent.value[self.index]
        return held if isinstance(self.parent, yaml.SequenceNode) else held[0 if self.key else 1]

    def put(self, node: Node) -> None:
        if isinstance(self.parent, yaml.SequenceNode):
            self.parent.value[self.index] = node
        else:
            key, value = self.parent.value[self.index]
            self.parent.value[self.index] = (node, value) if self.key else (key, node)


def compose(text: str) -> Node | None:
    """The graph of `text`, None where it has none."""
    try:
        return yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, UnicodeEncodeError, RecursionError):
        return None


def serialize(root: Node) -> str | None:
    """The text of a graph, None where YAML has none for it."""
    try:
        return yaml.serialize(root, Dumper=yaml.CSafeDumper, allow_unicode=True)  # type: ignore[no-any-return]
    except (yaml.YAMLError, UnicodeEncodeError, RecursionError):
        return None


def copied(node: Node, made: dict[int, Node] | None = None) -> Node:
    """The same again, circles and all."""
    made = {} if made is None else made
    if id(node) in made:
        return made[id(node)]
    if isinstance(node, yaml.ScalarNode):
        return yaml.ScalarNode(node.tag, node.value, style=node.style)
    new = made[id(node)] = type(node)(node.tag, [], flow_style=node.flow_style)
    if isinstance(node, yaml.SequenceNode):
        new.value += [copied(one, made) for one in node.value]
    else:
        new.value += [(copied(key, made), copied(value, made)) for key, value in node.value]
    return new


def slots(root: Node) -> list[Slot]:
    """Every place below `root` that holds a node; each collection once, so that circles end."""
    found: list[Slot] = []
    seen, todo = {id(root)}, [root]
    while todo:
        here = todo.pop()
        for slot in _of(here):
            found.append(slot)
            inner = slot.get()
            if not isinstance(inner, yaml.ScalarNode) and id(inner) not in seen:
                seen.add(id(inner))
                todo.append(inner)
    return found


def _of(node: Node) -> Iterator[Slot]:
    if isinstance(node, yaml.SequenceNode):
        yield from (Slot(node, index) for index in range(len(node.value)))
    elif isinstance(node, yaml.MappingNode):
        for index in range(len(node.value)):
            yield Slot(node, index, key=True)
            yield Slot(node, index)


def mutate(root: Node, donors: Sequence[Node], random: Random) -> Node:
    """`root`, changed in place a few times; parts of `donors` are copied in."""
    for _ in range(random.choice(_TIMES)):
        places = slots(root)
        if not places or len(places) > _MOST_NODES:
            break
        random.choice(_OPERATIONS)(root, places, donors, random)
    return root


# --- parts ------------------------------------------------------------------------------------------------------------
def scalar(text: str, tag: str = _STR) -> Node:
    return yaml.ScalarNode(tag, text, style=None if tag != _STR else '"')


def plain(text: str) -> Node:
    """What YAML takes `text` for."""
    return yaml.ScalarNode(yaml.resolver.Resolver().resolve(yaml.ScalarNode, text, (True, False)), text)


def odd(random: Random) -> Node:
    chosen = random.random()
    if chosen < 0.35:
        return plain(random.choice(words.ODD_PLAIN))
    if chosen < 0.8:
        return scalar(words.odd_text(random))
    if chosen < 0.9:
        return yaml.SequenceNode(_SEQ, [odd(random) for _ in range(random.randrange(3))])
    return yaml.MappingNode(_MAP, [(scalar(_word(random)), odd(random)) for _ in range(random.randrange(3))])


def _word(random: Random) -> str:
    return random.choice(random.choice((words.KEYS, words.SECTIONS, words.FUNCTIONS, words.TYPES, words.ODD_TEXTS)))


def _some(places: Sequence[Slot], random: Random) -> Slot:
    """Seldom a key: what is no text is none."""
    chosen = random.choice(places)
    return Slot(chosen.parent, chosen.index) if chosen.key and random.random() < 0.95 else chosen


def _function(argument: Node, random: Random) -> Node:
    """A call with `argument` somewhere in it."""
    name = random.choice(words.FUNCTIONS)
    shape = random.randrange(5)
    given: Node = argument
    if shape == 1:
        given = yaml.SequenceNode(_SEQ, [argument, odd(random)])
    elif shape == 2:
        given = yaml.SequenceNode(_SEQ, [odd(random), argument])
    elif shape == 3:
        given = yaml.SequenceNode(_SEQ, [odd(random), argument, odd(random)])
    elif shape == 4:
        keys = random.sample(words.KEYS, 2)
        given = yaml.MappingNode(_MAP, [(scalar(keys[0]), argument), (scalar(keys[1]), odd(random))])
    return yaml.MappingNode(_MAP, [(scalar(name), given)])


# --- operations -------------------------------------------------------------------------------------------------------
def _delete(root: Node, places: Sequence[Slot], donors: Sequence[Node], random: Random) -> None:
    place = _some(places, random)
    del place.parent.value[place.index]


def _duplicate(root: Node, places: Sequence[Slot], donors: Sequence[Node], random: Random) -> None:
    place = _some(places, random)
    held = place.parent.value[place.index]
    held = tuple(map(copied, held)) if isinstance(held, tuple) else copied(held)
    if isinstance(place.parent, yaml.MappingNode) and random.random() < 0.7:
        held = (scalar(f"{held[0].value if isinstance(held[0].value, str) else 'x'}2"), held[1])
    place.parent.value.insert(random.randrange(len(place.parent.value) + 1), held)


def _swap(root: Node, places: Sequence[Slot], donors: Sequence[Node], random: Random) -> None:
    one, other = _some(places, random), _some(places, random)
    first, second = one.get(), other.get()
    one.put(second)
    other.put(first)


def _replace(root: Node, places: Sequence[Slot], donors: Sequence[Node], random: Random) -> None:
    _some(places, random).put(odd(random))


def _transplant(root: Node, places: Sequence[Slot], donors: Sequence[Node], random: Random) -> None:
    inside = slots(random.choice(donors))
    if inside:
        _some(places, random).put(copied(random.choice(inside).get()))


def _rename(root: Node, places: Sequence[Slot], donors: Sequence[Node], random: Random) -> None:
    keys = [place for place in places if place.key]
    if keys:
        other = random.choice(keys).get() if random.random() < 0.4 else scalar(_word(random))
        random.choice(keys).put(other)


def _wrap(root: Node, places: Sequence[Slot], donors: Sequence[Node], random: Random) -> None:
    place = _some(places, random)
    place.put(_function(place.get(), random))


def _retype(root: Node, places: Sequence[Slot], donors: Sequence[Node], random: Random) -> None:
    types = [Slot(p.parent, p.index) for p in places if p.key and p.get().value in ("type", "Type")]
    if types:
        random.choice(types).put(scalar(random.choice(words.TYPES)))


def _tag(root: Node, places: Sequence[Slot], donors: Sequence[Node], random: Random) -> None:
    odd_tags = ("!", "!x", "tag:yaml.org,2002:binary", "tag:yaml.org,2002:int", "tag:yaml.org,2002:set")
    _some(places, random).get().tag = random.choice((*words.TAGS, *odd_tags))


def _alias(root: Node, places: Sequence[Slot], donors: Sequence[Node], random: Random) -> None:
    _some(places, random).put(_some(places, random).get())


def _deepen(root: Node, places: Sequence[Slot], donors: Sequence[Node], random: Random) -> None:
    place = _some(places, random)
    held, name = place.get(), random.choice((*words.FUNCTIONS, "a"))
    listed = random.random() < 0.5
    for _ in range(random.choice((10, 45, 95, 120))):
        if listed:
            held = yaml.SequenceNode(_SEQ, [held])
        else:
            held = yaml.MappingNode(_MAP, [(scalar(name), held)])
    place.put(held)


def _multiply(root: Node, places: Sequence[Slot], donors: Sequence[Node], random: Random) -> None:
    """A list with many of one thing: the same node over and over becomes an alias."""
    place, held, count = random.choice(places), _some(places, random).get(), random.choice((50, 500, 5000))
    apart = random.random() < 0.5 and len(slots(held)) < 20
    place.put(yaml.SequenceNode(_SEQ, [copied(held) if apart else held for _ in range(count)]))


def _spread(root: Node, places: Sequence[Slot], donors: Sequence[Node], random: Random) -> None:
    """A map with many entries of one kind."""
    maps = [place.get() for place in places if isinstance(place.get(), yaml.MappingNode) and place.get().value]
    if maps:
        chosen = random.choice(maps)
        value = random.choice(chosen.value)[1]
        apart = random.random() < 0.5 and len(slots(value)) < 20
        numbers = range(random.choice((20, 200, 2000)))
        chosen.value += [(scalar(f"n{number}"), copied(value) if apart else value) for number in numbers]


def _spell(root: Node, places: Sequence[Slot], donors: Sequence[Node], random: Random) -> None:
    """A text with a little more or less in it."""
    texts = [place.get() for place in places if isinstance(place.get(), yaml.ScalarNode)]
    if texts:
        chosen = random.choice(texts)
        at = random.randrange(len(chosen.value) + 1)
        chosen.value = chosen.value[:at] + words.odd_text(random) + chosen.value[at + random.randrange(3) :]


_OPERATIONS: Final[Sequence[Callable[[Node, Sequence[Slot], Sequence[Node], Random], None]]] = (
    _delete, _duplicate, _swap, _replace, _replace, _transplant, _transplant, _rename, _wrap, _wrap, _retype, _tag,
    _alias, _deepen, _multiply, _spread, _spell,
)  # fmt: skip
