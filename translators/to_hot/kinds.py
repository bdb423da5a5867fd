"""What values an expression can have, as far as the template tells without being deployed."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence

from engine.model import expression as x
from engine.model.expression import Expression, ListOf, Literal, MapOf
from engine.model.template import Parameter, ParameterType
from engine.model.value import Value

Tables = Mapping[str, Mapping[str, Mapping[str, Value]]]


class Kind(enum.Enum):
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    MAP = "map"
    ANY = "any"


_OF_TYPES: Mapping[ParameterType, Kind] = {
    ParameterType.STRING: Kind.TEXT,
    ParameterType.NUMBER: Kind.NUMBER,
    ParameterType.BOOLEAN: Kind.BOOLEAN,
    ParameterType.LIST: Kind.LIST,
    ParameterType.JSON: Kind.ANY,
}
_TEXTS = (x.Concat, x.Join, x.Replace, x.Base64, x.ImportValue, x.StackOutput, x.ToJson, x.Digest, x.ResourceRef)
_LISTS = (ListOf, x.Cidr, x.AvailabilityZones, x.ListConcat, x.ForEach, x.StackTags)


class Kinds:
    """Of one template's expressions."""

    def __init__(self, parameters: Mapping[str, Parameter], tables: Tables) -> None:
        self._parameters, self._tables = parameters, tables

    def kind(self, e: Expression | None) -> Kind:
        """The one kind that all values of `e` are of, else ANY."""
        match e:
            case Literal(value):
                return _of_value(value)
            case x.ParameterRef(name, ()):
                return _OF_TYPES[self._parameters[name].type] if name in self._parameters else Kind.ANY
            case x.ParameterRef(name, (_,)) if self.kind(x.ParameterRef(name)) is Kind.LIST:
                return Kind.TEXT
            case x.PseudoRef(name):
                return Kind.LIST if name is x.Pseudo.NOTIFICATION_ARNS else Kind.TEXT
            case x.Split(_, _, index):
                return Kind.LIST if index is None else Kind.TEXT
            case x.Select(_, source):
                return self._item(source)
            case x.FindInMap(default=None):
                return _common(_of_value(one) for one in self.cells(e) or [None])
            case x.If(_, then, otherwise):
                return _common([self.kind(then), self.kind(otherwise)])
            case x.Length():
                return Kind.NUMBER
            case MapOf(rest=None):
                return Kind.MAP
            case _ if isinstance(e, _TEXTS):
                return Kind.TEXT
            case _ if isinstance(e, _LISTS):
                return Kind.LIST
            case _:
                return Kind.ANY

    def _item(self, source: Expression) -> Kind:
        match source:
            case x.Split() | x.Cidr() | x.AvailabilityZones():
                return Kind.TEXT
            case x.ParameterRef(_, ()) if self.kind(source) is Kind.LIST:
                return Kind.TEXT
            case ListOf(items):
                return _common(self.kind(item) for item in items)
            case _:
                return Kind.ANY

    def possible(self, e: Expression) -> Sequence[Value] | None:
        """Every value that `e` can have, None where that cannot be told."""
        match e:
            case Literal(value):
                return [value]
            case x.ParameterRef(name, ()) if name in self._parameters:
                limits = [one.allowed_values for one in self._parameters[name].constraints]
                return next((list(allowed) for allowed in limits if allowed is not None), None)
            case x.FindInMap(default=None):
                return self.cells(e)
            case x.If(_, then, x.Literal() | x.ParameterRef() | x.FindInMap() | x.If() as otherwise):
                first, second = self.possible(then), self.possible(otherwise)
                return None if first is None or second is None else [*first, *second]
            case _:
                return None

    def cells(self, e: x.FindInMap) -> Sequence[Value] | None:
        """Every value of the mapping that `e` may find."""
        if not isinstance(e.mapping, Literal) or e.mapping.value not in self._tables:
            return None
        rows = self._tables[e.mapping.value]
        if isinstance(e.top, Literal):
            rows = {str(e.top.value): rows.get(str(e.top.value), {})}
        cells = [(key, cell) for row in rows.values() for key, cell in row.items()]
        return [cell for key, cell in cells if not isinstance(e.second, Literal) or key == str(e.second.value)]


def _of_value(value: Value) -> Kind:
    match value:
        case str():
            return Kind.TEXT
        case bool():
            return Kind.BOOLEAN
        case int() | float():
            return Kind.NUMBER
        case list() | tuple():
            return Kind.LIST
        case Mapping():
            return Kind.MAP
        case _:
            return Kind.ANY


def _common(kinds: Iterator[Kind] | list[Kind]) -> Kind:
    found = set(kinds)
    return found.pop() if len(found) == 1 else Kind.ANY
