"""Folded expressions → those that HOT has words for (`translators.hot.words`), with the same values.

Heat's own words come first: a text with variables is a `str_replace` or a `list_join`, a mapping is a parameter of
type json and a path into it, an item of a list is a path or a `yaql`. What only Isotherm can do stays as it is and is
printed as a function of Isotherm. `Unsayable` is raised for the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from engine.model import expression as x
from engine.model.diagnostic import Span
from engine.model.dynamic import OPENING
from engine.model.expression import Expression, ListOf, Literal, MapOf, NoValue
from translators.hot.builder import PSEUDO, is_call
from translators.hot.functions import NO_PARAMETER
from translators.hot.versions import NEWEST, VERSIONS
from translators.hot.words import Unsayable
from translators.lowering import logic
from translators.lowering.rewrite import rewrite
from translators.to_hot.folding import in_arms
from translators.to_hot.kinds import Kind, Kinds
from translators.to_hot.variables import with_variables
from translators.to_hot.yaql import Yaql

#: What an item, an entry or a property is that is not there.
ABSENT: Final = x.If(Literal(False), Literal(None), None)
#: Kinds of expressions that Heat does not know; PseudoRef only for some names, Select unless it is Heat's.
OWN: Final = (
    x.Base64, x.Cidr, x.AvailabilityZones, x.ImportValue, x.StackOutput, x.MemberListToMap, x.ToJson, x.TableLookup,
    x.PropertyPath, x.ForEach, x.Item, x.StackTags,
)  # fmt: skip
_NO_COUNTERPART: Final[Mapping[type, str]] = {
    x.EachMemberIn: "Fn::EachMemberIn", x.EachMemberEquals: "Fn::EachMemberEquals", x.ObjectAttribute: "Fn::ValueOf",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Names:
    """What is called what in the HOT template: resources by address, mappings by name, and all its parameters."""

    resources: Mapping[str, str]
    mappings: Mapping[str, str]
    parameters: frozenset[str]
    used: set[str] = field(default_factory=set)  # mappings that anything said so far looks into


class Sayer:
    def __init__(self, kinds: Kinds, names: Names) -> None:
        self._kinds, self._names = kinds, names

    def value(self, e: Expression) -> Expression:
        return rewrite(e, self._said)

    def maybe(self, e: Expression | None) -> Expression | None:
        return None if e is None else self.value(e)

    def properties(self, e: MapOf) -> MapOf:
        """Properties of a resource, which are a map as a whole or one expression for all of them."""
        said = self.value(e)
        return said if isinstance(said, MapOf) else MapOf((), rest=said, span=e.span)

    def _said(self, e: Expression) -> Expression | None:
        """What is said in place of `e`; None where its parts alone are said otherwise."""
        say = _SAID.get(type(e))
        return None if say is None else say(self, e)

    # --- data -----------------------------------------------------------------------------------------------------
    def literal(self, e: Literal) -> Expression:
        if isinstance(e.value, str) and OPENING in e.value:
            raise Unsayable("a dynamic reference", e.span)
        return e

    def map_of(self, e: MapOf) -> Expression:
        """Entries count before what `rest` has; a key that would be read as a function is made by one."""
        entries = tuple((key, self.value(item)) for key, item in e.entries)
        said: Expression = MapOf(entries, span=e.span)
        if len(entries) == 1 and _reads_as_call(*entries[0]):
            ((key, held),) = entries
            renamed = MapOf((("keys", MapOf((("_", Literal(key)),))),))
            said = x.MapReplace(MapOf((("_", held),)), renamed, span=e.span)
        if e.rest is None:
            return said
        rest = self.value(e.rest)
        return x.MapMerge(ListOf((rest, said)), span=e.span) if entries else rest

    def no_value(self, e: NoValue) -> Expression:
        return ABSENT

    # --- references -----------------------------------------------------------------------------------------------
    def parameter(self, e: x.ParameterRef) -> Expression:
        return replace(e, path=tuple(self.value(step) for step in e.path), lenient=True)

    def resource(self, e: x.ResourceRef) -> Expression:
        return replace(e, address=self._names.resources.get(e.address, e.address))

    def attribute(self, e: x.AttributeRef) -> Expression:
        address = self._names.resources.get(e.address, e.address)
        path = tuple(self.value(step) for step in e.path)
        return replace(e, address=address, attribute=self.maybe(e.attribute), path=path)

    def find_in_map(self, e: x.FindInMap) -> Expression:
        return self.cell(e, ())

    def cell(self, e: x.FindInMap, more: tuple[Expression, ...]) -> Expression:
        """A path into the parameter that the mapping has become."""
        path = (self.value(e.top), self.value(e.second), *more)
        if not isinstance(e.mapping, Literal):
            return self._of_any_mapping(e, path)
        name = self._names.mappings.get(str(e.mapping.value))
        if name is None:
            raise Unsayable(f"the mapping {e.mapping.value}, which there is not", e.span)
        self._names.used.add(str(e.mapping.value))
        if e.default is None:
            return x.ParameterRef(name, path, span=e.span)
        data = {"map": x.ParameterRef(name), "top": path[0], "second": path[1], "default": self.value(e.default)}
        found = "$.data.map.get($.data.top, dict()).get($.data.second, $.data.default)"
        whole = x.Yaql(Literal(found), MapOf(tuple(data.items())), span=e.span)
        return whole if not more else x.Select(more[0], whole, span=e.span)

    def _of_any_mapping(self, e: x.FindInMap, path: tuple[Expression, ...]) -> Expression:
        """The mapping's name is computed: `get_param` takes computed names too."""
        renamed = any(name != parameter for name, parameter in self._names.mappings.items())
        if e.default is not None or renamed:
            raise Unsayable("Fn::FindInMap with a computed mapping", e.span)
        self._names.used.update(self._names.mappings)
        among: dict[str, Expression] = {one: x.ParameterRef(one, path) for one in sorted(self._names.parameters)}
        among |= {one: x.PseudoRef(pseudo) for one, pseudo in PSEUDO.items()}
        return x.Named(self.value(e.mapping), tuple(among.items()), NO_PARAMETER, span=e.span)

    # --- choices --------------------------------------------------------------------------------------------------
    def if_(self, e: x.If) -> Expression:
        condition = self.condition(e.condition)
        then, otherwise = (NoValue() if arm is None else arm for arm in (e.then, e.otherwise))
        if isinstance(then, NoValue):
            absent = isinstance(otherwise, NoValue)
            return ABSENT if absent else x.If(logic.negated(condition), self.value(otherwise), None, span=e.span)
        other = None if isinstance(otherwise, NoValue) else self.value(otherwise)
        return x.If(condition, self.value(then), other, span=e.span)

    def condition(self, e: Expression) -> Expression:
        """What stands where a condition does."""
        match e:
            case x.ConditionRef() | Literal(bool()):
                return e
            case x.Not(operand):
                return replace(e, operand=self.condition(operand))
            case x.And(operands) | x.Or(operands):
                said = tuple(self.condition(one) for one in operands)
                return said[0] if len(said) == 1 else replace(e, operands=said)
            case x.Equals():
                return self._equals(e)
            case x.Contains():
                return replace(e, value=self.in_condition(e.value), sequence=self.in_condition(e.sequence))
            case Literal(value):
                return Literal(logic.is_true(e) == logic.TRUE if isinstance(value, str) else bool(value), span=e.span)
            case x.ParameterRef() | x.PseudoRef() | x.FindInMap():
                return self.in_condition(e)
            case _:
                raise Unsayable(f"{type(e).__name__} as a condition", e.span)

    def in_condition(self, e: Expression) -> Expression:
        """A value that a condition compares: there are fewer functions there, and YAQL does the rest."""
        if isinstance(e, x.Concat | x.Join | x.Split | x.Select | x.Length | x.Replace):
            return Yaql(self.in_condition).said(e)
        if isinstance(e, ListOf):
            return replace(e, items=tuple(self.in_condition(item) for item in e.items))
        if x.find(e, x.If, x.ResourceRef, x.AttributeRef):
            raise Unsayable(f"{type(e).__name__} in a condition", e.span)
        return self.value(e)

    def _equals(self, e: x.Equals) -> Expression:
        """CloudFormation compares texts, HOT values: what is surely text is compared as it is."""
        left, right = (e.right, e.left) if isinstance(e.left, Literal) else (e.left, e.right)
        if not e.as_text:
            return x.Equals(self.in_condition(left), self.in_condition(right), span=e.span)
        kinds = {self._kinds.kind(left), self._kinds.kind(right)}
        if isinstance(right, Literal):
            wanted = _as_of(self._kinds.kind(left), logic.text(right) or "")
            if wanted is not None:
                return x.Equals(self.in_condition(left), replace(right, value=wanted), span=e.span)
        if kinds in ({Kind.TEXT}, {Kind.NUMBER}, {Kind.BOOLEAN}, {Kind.LIST}):
            return x.Equals(self.in_condition(left), self.in_condition(right), span=e.span)
        return Yaql(self.in_condition).same_text(left, right)

    # --- text -----------------------------------------------------------------------------------------------------
    def concat(self, e: x.Concat) -> Expression:
        if len(e.parts) == 1 and self._kinds.kind(e.parts[0]) is Kind.TEXT:
            return self.value(e.parts[0])
        parts = [(part, self.value(part)) for part in e.parts]
        if any(isinstance(part, Literal) and "\n" in str(part.value) for part in e.parts):
            text = with_variables([(part, said, self._kinds.kind(part)) for part, said in parts], e.span)
            if text is not None:
                return text
        return joined(*(said for _, said in parts), span=e.span)

    def join(self, e: x.Join) -> Expression:
        lists = tuple(self.value(one) for one in e.lists)
        return x.Join(self.value(e.delimiter), lists, serialize=True, span=e.span)

    def split(self, e: x.Split) -> Expression:
        return replace(e, delimiter=self.value(e.delimiter), text=self._text(e.text), index=self.maybe(e.index))

    def _text(self, e: Expression) -> Expression:
        """CloudFormation's numbers are texts, HOT's are not."""
        numbers = self._kinds.kind(e) is not Kind.TEXT and any(
            self._kinds.kind(one) is Kind.NUMBER for one in x.walk(e)
        )
        return joined(self.value(e)) if numbers else self.value(e)

    def to_json(self, e: x.ToJson) -> Expression:
        numbers = [one for one in x.find(e.source, x.ParameterRef) if self._kinds.kind(one) is Kind.NUMBER]
        source = rewrite(e.source, lambda part: x.Concat((part,)) if part in numbers else None)
        return replace(e, source=self.value(source))

    def replace(self, e: x.Replace) -> Expression:
        return x.Replace(self.value(e.template), self.value(e.params), e.mode, serialize=True, span=e.span)

    # --- items ----------------------------------------------------------------------------------------------------
    def select(self, e: x.Select) -> Expression:
        index = self.value(e.index)
        match e.source:
            case x.Split(delimiter, text, None):
                return x.Split(self.value(delimiter), self._text(text), index, span=e.span)
            case x.ParameterRef(name, path):
                return x.ParameterRef(name, (*(self.value(step) for step in path), index), span=e.span)
            case x.AttributeRef() as source if source.attribute is not None:
                return self.attribute(replace(source, path=(*source.path, e.index), span=e.span))
            case x.FindInMap(default=None) as source:
                return self.cell(source, (index,))
            case x.If() as source:
                return self.if_(
                    in_arms(source, lambda arm: arm if isinstance(arm, NoValue) else replace(e, source=arm))
                )
            case NoValue():
                return ABSENT
            case _:
                own = e.lenient is False and x.find(e.source, *OWN)
                return x.Select(index, self.value(e.source), span=e.span) if own else Yaql(self.value).said(e)

    def length(self, e: x.Length) -> Expression:
        return Yaql(self.value).said(e)

    def refused(self, e: Expression) -> Expression:
        raise Unsayable(_NO_COUNTERPART[type(e)], e.span)


def joined(*parts: Expression, span: Span | None = None) -> Expression:
    """The text of all parts: that of a number or a boolean is CloudFormation's too."""
    return x.Join(Literal(""), (ListOf(parts),), serialize=True, span=span)


def _as_of(kind: Kind, text: str) -> str | int | bool | None:
    """The value of that kind that has the text; None where the text has none of it or the kind is not one."""
    match kind:
        case Kind.TEXT:
            return text
        case Kind.NUMBER:
            return int(text) if text.lstrip("-").isdigit() and str(int(text)) == text else None
        case Kind.BOOLEAN:
            return {"true": True, "false": False}.get(text)
        case _:
            return None


def _reads_as_call(key: str, held: Expression) -> bool:
    match held:
        case ListOf():
            kind, has_template = "list", False
        case Literal():
            kind, has_template = "scalar", False
        case MapOf():
            kind, has_template = "map", held.get("template") is not None
        case _:
            kind, has_template = "map", False
    return is_call(key, kind, has_template, VERSIONS[NEWEST], in_condition=False)


_SAID: Final[Mapping[type, Callable[[Sayer, Any], Expression]]] = {
    Literal: Sayer.literal,
    MapOf: Sayer.map_of,
    NoValue: Sayer.no_value,
    x.ParameterRef: Sayer.parameter,
    x.ResourceRef: Sayer.resource,
    x.AttributeRef: Sayer.attribute,
    x.FindInMap: Sayer.find_in_map,
    x.If: Sayer.if_,
    x.Concat: Sayer.concat,
    x.Join: Sayer.join,
    x.Split: Sayer.split,
    x.ToJson: Sayer.to_json,
    x.Replace: Sayer.replace,
    x.Select: Sayer.select,
    x.Length: Sayer.length,
    **dict.fromkeys((x.ConditionRef, x.Equals, x.Not, x.And, x.Or), Sayer.condition),
    **dict.fromkeys(_NO_COUNTERPART, Sayer.refused),
}
