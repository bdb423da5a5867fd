"""The one language underneath both dialects: a closed union of frozen expressions.

A function that exists in CloudFormation and in HOT is one class here; where the two differ the class has a field for
it. Readers are functions with `match`; `engine.expr` holds the evaluator and the dependency finder. Spans never
take part in comparison.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, fields
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar, Union, cast, overload

from engine.model.diagnostic import Span
from engine.model.immutable import immutable
from engine.model.value import Value


def _span() -> Span | None:
    return field(default=None, compare=False, repr=False, kw_only=True)


class Pseudo(enum.StrEnum):
    """What every stack knows of itself without a parameter."""

    STACK_ID = "stack_id"
    STACK_NAME = "stack_name"
    PROJECT_ID = "project_id"
    ACCOUNT_ID = "account_id"  # twelve digits derived from the project id
    REGION = "region"
    NOTIFICATION_ARNS = "notification_arns"
    TAGS = "tags"  # of the stack, a list of {Key, Value}


class FacadePart(enum.StrEnum):
    METADATA = "metadata"
    DELETION_POLICY = "deletion_policy"
    UPDATE_POLICY = "update_policy"


class ReplaceMode(enum.StrEnum):
    PLAIN = "plain"
    STRICT = "strict"  # every key must occur in the template
    VERY_STRICT = "very_strict"  # and no value may be null or empty


@immutable
class Literal:
    """A scalar (string, number, boolean, null), or an already evaluated value of any shape."""

    value: Value
    span: Span | None = _span()


@immutable
class ListOf:
    items: tuple[Expression, ...]
    span: Span | None = _span()


@immutable
class MapOf:
    """A map; each entry's expression has the span of its value. `rest` is an expression for a map with more entries.

    `keys` are the spans of the entries' keys, or nothing; `inside` belongs to `within`.
    """

    entries: tuple[tuple[str, Expression], ...]
    rest: Expression | None = None
    span: Span | None = _span()
    keys: tuple[Span, ...] = field(default=(), compare=False, repr=False, kw_only=True)
    inside: tuple[Expression, ...] | None = field(default=None, init=False, compare=False, repr=False)

    def get(self, key: str) -> Expression | None:
        for name, item in self.entries:
            if name == key:
                return item
        return None

    def key_span(self, key: str) -> Span | None:
        """Where the key of an entry stands, if that is known."""
        if len(self.keys) != len(self.entries):
            return None  # some were left out
        return next((span for (name, _), span in zip(self.entries, self.keys, strict=True) if name == key), None)


@immutable
class NoValue:
    span: Span | None = _span()


@immutable
class Mistake:
    """What could not be read, and has been reported, or is not known yet: it may be anything, so that nothing else is
    said of it."""

    span: Span | None = _span()


@immutable
class ParameterRef:
    """A parameter's value; `path` goes into lists and maps. `lenient`: a bad path gives "" (HOT)."""

    name: str
    path: tuple[Expression, ...] = ()
    lenient: bool = True
    span: Span | None = _span()


@immutable
class PseudoRef:
    name: Pseudo
    span: Span | None = _span()


@immutable
class ResourceRef:
    """The reference id of the resource at `address`: its physical id for most types."""

    address: str
    span: Span | None = _span()


@immutable
class AttributeRef:
    """An attribute of a resource; without `attribute`, a map of all. A dotted CFN name stays whole in `attribute`."""

    address: str
    attribute: Expression | None
    path: tuple[Expression, ...] = ()
    span: Span | None = _span()


@immutable
class Named:
    """The one of `among` that bears the computed name; `missing` is what is said when none does, `{}` for the name."""

    name: Expression
    among: tuple[tuple[str, Expression], ...]
    missing: str
    span: Span | None = _span()


@immutable
class ConditionRef:
    name: str
    span: Span | None = _span()


@immutable
class If:
    """`otherwise` None: the enclosing item is left out when the condition is false (HOT 2021-04-16)."""

    condition: Expression
    then: Expression
    otherwise: Expression | None
    span: Span | None = _span()


@immutable
class Equals:
    left: Expression
    right: Expression
    as_text: bool = False  # CloudFormation compares strings; HOT compares values
    span: Span | None = _span()


@immutable
class Not:
    operand: Expression
    span: Span | None = _span()


@immutable
class And:
    operands: tuple[Expression, ...]
    span: Span | None = _span()


@immutable
class Or:
    operands: tuple[Expression, ...]
    span: Span | None = _span()


@immutable
class Contains:
    """`as_text`: compare as CloudFormation does; HOT compares values."""

    value: Expression
    sequence: Expression
    as_text: bool = False
    span: Span | None = _span()


@immutable
class EachMemberIn:
    """Every member of the first list is in the second (CFN rules)."""

    members: Expression
    sequence: Expression
    span: Span | None = _span()


@immutable
class EachMemberEquals:
    members: Expression
    value: Expression
    span: Span | None = _span()


@immutable
class Concat:
    """Text put together from parts (`Fn::Sub` after parsing); numbers and booleans become their text."""

    parts: tuple[Expression, ...]
    span: Span | None = _span()


@immutable
class Join:
    """`serialize`: maps and lists among the items become sorted-key JSON and null becomes "" (HOT ≥ 2015-10-15)."""

    delimiter: Expression
    lists: tuple[Expression, ...]
    serialize: bool = False
    span: Span | None = _span()


@immutable
class Split:
    delimiter: Expression
    text: Expression
    index: Expression | None = None
    span: Span | None = _span()


@immutable
class Select:
    """`lenient`: a missing item gives "" and JSON text is parsed (Heat's); else it is an error (AWS's)."""

    index: Expression
    source: Expression
    lenient: bool = False
    span: Span | None = _span()


@immutable
class Replace:
    """HOT `str_replace*` and `Fn::Replace`: longest key first, replaced text is not scanned again."""

    template: Expression
    params: Expression
    mode: ReplaceMode = ReplaceMode.PLAIN
    serialize: bool = True
    span: Span | None = _span()


@immutable
class FindInMap:
    mapping: Expression
    top: Expression
    second: Expression
    default: Expression | None = None
    span: Span | None = _span()


@immutable
class Base64:
    text: Expression
    span: Span | None = _span()


@immutable
class Cidr:
    block: Expression
    count: Expression
    bits: Expression
    span: Span | None = _span()


@immutable
class AvailabilityZones:
    region: Expression
    span: Span | None = _span()


@immutable
class ImportValue:
    name: Expression
    span: Span | None = _span()


@immutable
class StackOutput:
    """An output of another stack of the project, by the stack's name; `region` None is the stack's own."""

    stack: Expression
    output: Expression
    region: Expression | None = None
    span: Span | None = _span()


@immutable
class Repeat:
    """`loops` is a map of variables to lists; zip instead of product when `permutations` is false."""

    template: Expression
    loops: Expression
    permutations: Expression | None = None
    span: Span | None = _span()


@immutable
class Digest:
    algorithm: Expression
    value: Expression
    span: Span | None = _span()


@immutable
class Facade:
    part: FacadePart
    span: Span | None = _span()


@immutable
class MapMerge:
    maps: Expression
    span: Span | None = _span()


@immutable
class MapReplace:
    """`changes` is a map of `keys` and `values`, each a map of what is to what it becomes."""

    source: Expression
    changes: Expression
    span: Span | None = _span()


@immutable
class Yaql:
    expression: Expression
    data: Expression
    span: Span | None = _span()


@immutable
class Filter:
    unwanted: Expression
    source: Expression
    span: Span | None = _span()


@immutable
class MakeUrl:
    parts: Expression
    span: Span | None = _span()


@immutable
class ListConcat:
    lists: Expression
    unique: bool = False
    span: Span | None = _span()


@immutable
class MemberListToMap:
    key_name: Expression
    value_name: Expression
    members: Expression
    span: Span | None = _span()


@immutable
class Length:
    source: Expression
    span: Span | None = _span()


@immutable
class ToJson:
    source: Expression
    span: Span | None = _span()


@immutable
class TableLookup:
    """The first row whose glob matches the key gives the value; no row: `default`, or the key itself.

    Mapping tables (instance types, images) become this; the rows are data that the mapping brought along.
    """

    rows: tuple[tuple[str, Value], ...]
    key: Expression
    default: Expression | None = None
    span: Span | None = _span()


@immutable
class ObjectAttribute:
    """An attribute, or `Tags.<key>`, of the object that the value names, or of each in a list (CFN rules).

    Known of what stacks of the project have made.
    """

    reference: Expression
    attribute: str
    span: Span | None = _span()


@immutable
class PropertyPath:
    """A value inside another expression's value (`{get_property: A.B}` of a mapping row); absent gives NO_VALUE."""

    source: Expression
    path: tuple[str, ...]
    span: Span | None = _span()


@immutable
class ForEach:
    """One `template` for each item of `source`, with `Item(name)` bound; a mapping row's way to make a list."""

    source: Expression
    variable: str
    template: Expression
    span: Span | None = _span()


@immutable
class Item:
    """The bound variable of an enclosing `ForEach`; `path` goes into it, absent gives NO_VALUE."""

    variable: str
    path: tuple[str, ...] = ()
    span: Span | None = _span()


@immutable
class StackTags:
    """The tags of the stack that its resource has not itself: a list of {Key, Value}. `own` is a list of the same kind;
    what matches `not_in_keys` becomes an underscore."""

    own: Expression
    not_in_keys: str = ""
    span: Span | None = _span()


Expression: TypeAlias = Union[  # noqa: UP007  (a forward reference needs typing.Union at run time)
    Literal, ListOf, MapOf, NoValue, Mistake, ParameterRef, PseudoRef, ResourceRef, AttributeRef, Named, ConditionRef,
    If, Equals, Not, And, Or, Contains, EachMemberIn, EachMemberEquals,
    Concat, Join, Split, Select, Replace, FindInMap, Base64, Cidr, AvailabilityZones, ImportValue, StackOutput,
    Repeat, Digest, Facade, MapMerge, MapReplace, Yaql, Filter, MakeUrl, ListConcat, MemberListToMap,
    Length, ToJson, TableLookup, ObjectAttribute, PropertyPath, ForEach, Item, StackTags,
]  # fmt: skip


_KINDS: frozenset[type] = frozenset(Expression.__args__)  # type: ignore[attr-defined]
#: The fields of each kind that may hold expressions: looked up once, for they are asked of every part of a template.
PARTS: Mapping[type, tuple[str, ...]] = {
    kind: tuple(slot.name for slot in fields(kind) if slot.init and "Expression" in str(slot.type)) for kind in _KINDS
}


def is_expression(held: object) -> bool:
    """Whether it is one of the union; nothing derives from its members."""
    return type(held) in _KINDS


def children(expression: Expression) -> Sequence[Expression]:
    """The expressions directly inside `expression`."""
    return _CHILDREN[type(expression)](expression)


def _children_of(kind: type) -> Callable[[Any], Sequence[Expression]]:
    """How the children of that kind are read, by the types of its fields: most hold one thing."""
    shapes = {slot.name: str(slot.type) for slot in fields(kind) if slot.name in PARTS[kind]}
    if not shapes:
        return lambda expression: ()
    match list(shapes.items()):
        case [(name, "tuple[Expression, ...]")]:
            return cast(Callable[[Any], Sequence[Expression]], attrgetter(name))
        case [_, _, *_] if set(shapes.values()) == {"Expression"}:
            return cast(Callable[[Any], Sequence[Expression]], attrgetter(*shapes))
        case _:
            return lambda expression: [inner for name in shapes for inner in _gather(getattr(expression, name))]


def _gather(held: Any) -> Iterator[Expression]:
    if type(held) in _KINDS:
        yield held
    elif type(held) is tuple:
        for item in held:
            yield from _gather(item)


def _inside_map(expression: MapOf) -> Sequence[Expression]:
    found = [item for _, item in expression.entries]
    if expression.rest is not None:
        found.append(expression.rest)
    return found


_CHILDREN: Mapping[type, Callable[[Any], Sequence[Expression]]] = {
    **{kind: _children_of(kind) for kind in _KINDS}, MapOf: _inside_map
}  # fmt: skip


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield `expression` and everything inside it, outermost first."""
    stack = [expression]
    while stack:
        here = stack.pop()
        yield here
        if type(here) is not Literal:  # most are
            stack.extend(children(here))


def within(expression: Expression) -> Sequence[Expression]:
    """`expression` and everything inside it but literals, in the order of `walk`; a map keeps it for the next time."""
    if type(expression) is not MapOf:
        return _within(expression)
    if expression.inside is None:  # without the map itself: what refers to itself is freed late
        object.__setattr__(expression, "inside", _within(expression)[1:])
    assert expression.inside is not None
    return (expression, *expression.inside)


def _within(expression: Expression) -> tuple[Expression, ...]:
    found: list[Expression] = []
    stack = [expression]
    while stack:
        here = stack.pop()
        kind = type(here)
        if kind is not Literal:  # most are
            found.append(here)
            stack += _CHILDREN[kind](here)
    return tuple(found)


_Kind = TypeVar("_Kind")


@overload
def find(expression: Expression, kind: type[_Kind], /) -> list[_Kind]: ...


@overload
def find(expression: Expression, /, *kinds: type) -> list[Any]: ...


def find(expression: Expression, /, *kinds: type) -> list[Any]:
    """Everything of those kinds inside `expression`, itself included, in the order of `walk`. Never literals."""
    return [inner for inner in within(expression) if type(inner) in kinds]
