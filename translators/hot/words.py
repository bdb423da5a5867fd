"""Expressions → the plain values that say them in HOT: the reverse of functions.py and own_functions.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from engine.model import expression as x
from engine.model.diagnostic import Span
from engine.model.expression import Expression, Literal, MapOf
from engine.model.value import Value
from translators.hot.builder import PSEUDO, is_call
from translators.hot.versions import Version
from translators.hot.yaml_text import Shared

_PSEUDO_NAMES: Final = {pseudo: name for name, pseudo in PSEUDO.items()}
_REPLACERS: Final = {
    x.ReplaceMode.PLAIN: "str_replace", x.ReplaceMode.STRICT: "str_replace_strict",
    x.ReplaceMode.VERY_STRICT: "str_replace_vstrict",
}  # fmt: skip
_SERIALIZES_SINCE: Final = 3  # the level of 2015-10-15
_LONG_TABLE: Final = 3  # rows from which on a table is written once


class Unsayable(Exception):
    """HOT has no words for it; `what` names it as a user knows it."""

    def __init__(self, what: str, span: Span | None) -> None:
        super().__init__(what)
        self.what, self.span = what, span


class Words:
    """Says expressions in one version of HOT. Raises Unsayable."""

    def __init__(self, version: Version, expressions: Iterable[Expression] = ()) -> None:
        """`expressions` are all that will be said: a long table that stands in them several times is written once."""
        self.version = version
        self._in_condition = False
        lookups = [lookup for outer in expressions for lookup in x.find(outer, x.TableLookup)]
        used = Counter(repr(lookup.rows) for lookup in lookups if len(lookup.rows) >= _LONG_TABLE)
        several = [rows for rows, times in used.items() if times > 1]
        self._tables = {rows: f"table_{position}" for position, rows in enumerate(several, 1)}

    def value(self, expression: Expression) -> Value:
        return _WORDS[type(expression)](self, expression)

    def values(self, expressions: Iterable[Expression]) -> list[Value]:
        return [self.value(one) for one in expressions]

    def condition(self, expression: Expression) -> Value:
        before, self._in_condition = self._in_condition, True
        said = self.value(expression)
        self._in_condition = before
        return said

    def plain_map(self, entries: Mapping[Any, Value]) -> Value:
        """A map of data; one that would be read as a call is made by a call itself."""
        if len(entries) == 1:
            ((key, held),) = entries.items()
            kind = "map" if isinstance(held, Mapping) else "list" if isinstance(held, list | tuple) else "scalar"
            has_template = isinstance(held, Mapping) and "template" in held
            if isinstance(key, str) and is_call(key, kind, has_template, self.version, in_condition=self._in_condition):
                return {"map_replace": [{"_": held}, {"keys": {"_": key}}]}
        return dict(entries)

    def data(self, value: Value) -> Value:
        """An evaluated value of any shape."""
        if isinstance(value, Mapping):
            return self.plain_map({key: self.data(item) for key, item in value.items()})
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        return value

    def rows(self, lookup: x.TableLookup) -> Value:
        said: dict[str, Value] = {}
        for glob, value in lookup.rows:
            said.setdefault(glob, value)
        name = self._tables.get(repr(lookup.rows))
        return said if name is None else Shared(name, said)


# --- data and references ----------------------------------------------------------------------------------------------
def _map(words: Words, e: MapOf) -> Value:
    said = words.plain_map({key: words.value(item) for key, item in e.entries})
    if e.rest is None:
        return said
    return {"map_merge": [words.value(e.rest), said]} if e.entries else words.value(e.rest)


def _parameter(words: Words, e: x.ParameterRef) -> Value:
    return {"get_param": [e.name, *words.values(e.path)] if e.path else e.name}


def _pseudo(words: Words, e: x.PseudoRef) -> Value:
    name = _PSEUDO_NAMES.get(e.name)
    return {"Isotherm::Pseudo": e.name.value} if name is None else {"get_param": name}


def _attribute(words: Words, e: x.AttributeRef) -> Value:
    name = [] if e.attribute is None else [words.value(e.attribute)]
    return {"get_attr": [e.address, *name, *words.values(e.path)]}


def _named(words: Words, e: x.Named) -> Value:
    """A computed name: of parameters, or of files, whose contents `among` holds."""
    name = words.value(e.name)
    paths = [held.path for _, held in e.among if isinstance(held, x.ParameterRef)]
    if not any(isinstance(held, x.ParameterRef | x.PseudoRef) for _, held in e.among):
        return {"get_file": name}
    return {"get_param": [name, *words.values(paths[0] if paths else ())]}


# --- conditions -------------------------------------------------------------------------------------------------------
def _if(words: Words, e: x.If) -> Value:
    arms = [e.then] if e.otherwise is None else [e.then, e.otherwise]
    return {"if": [words.condition(e.condition), *words.values(arms)]}


def _equals(words: Words, e: x.Equals) -> Value:
    if e.as_text:
        raise Unsayable("a comparison of texts", e.span)
    return {"equals": words.values([e.left, e.right])}


def _several(name: str) -> Callable[[Words, Any], Value]:
    return lambda words, e: {name: [words.condition(one) for one in e.operands]}


# --- text -------------------------------------------------------------------------------------------------------------
def _join(words: Words, e: x.Join) -> Value:
    return {"list_join": [words.value(e.delimiter), *words.values(e.lists)]}


def _split(words: Words, e: x.Split) -> Value:
    name = "str_split" if "str_split" in words.version.functions else "Fn::Split"
    return {name: words.values([e.delimiter, e.text, *([] if e.index is None else [e.index])])}


def _replace(words: Words, e: x.Replace) -> Value:
    if e.serialize and words.version.level < _SERIALIZES_SINCE:
        return {"Fn::Replace": words.values([e.params, e.template])}
    return {_REPLACERS[e.mode]: {"template": words.value(e.template), "params": words.value(e.params)}}


def _select(words: Words, e: x.Select) -> Value:
    if e.lenient and "Fn::Select" not in words.version.functions:
        raise Unsayable("Heat's Fn::Select", e.span)
    return {"Fn::Select" if e.lenient else "Isotherm::Select": words.values([e.index, e.source])}


def _base64(words: Words, e: x.Base64) -> Value:
    name = "Fn::Base64" if "Fn::Base64" in words.version.functions else "Isotherm::Base64"
    return {name: words.value(e.text)}


# --- lists and maps ---------------------------------------------------------------------------------------------------
def _repeat(words: Words, e: x.Repeat) -> Value:
    together = {} if e.permutations is None else {"permutations": words.value(e.permutations)}
    return {"repeat": {"template": words.value(e.template), "for_each": words.value(e.loops), **together}}


def _yaql(words: Words, e: x.Yaql) -> Value:
    data = {} if e.data == Literal({}) else {"data": words.value(e.data)}
    return {"yaql": {"expression": words.value(e.expression), **data}}


def _list_concat(words: Words, e: x.ListConcat) -> Value:
    return {"list_concat_unique" if e.unique else "list_concat": words.value(e.lists)}


def _members(words: Words, e: x.MemberListToMap) -> Value:
    known = "Fn::MemberListToMap" in words.version.functions
    name = "Fn::MemberListToMap" if known else "Isotherm::MemberListToMap"
    return {name: words.values([e.key_name, e.value_name, e.members])}


def _zones(words: Words, e: x.AvailabilityZones) -> Value:
    name = "Fn::GetAZs" if "Fn::GetAZs" in words.version.functions else "Isotherm::AvailabilityZones"
    return {name: words.value(e.region)}


# --- of Isotherm alone ------------------------------------------------------------------------------------------------
def _stack_output(words: Words, e: x.StackOutput) -> Value:
    region = {} if e.region is None else {"region": words.value(e.region)}
    return {"Isotherm::StackOutput": {"stack": words.value(e.stack), "output": words.value(e.output), **region}}


def _stack_tags(words: Words, e: x.StackTags) -> Value:
    return {"Isotherm::StackTags": [words.value(e.own), *([e.not_in_keys] if e.not_in_keys else [])]}


def _lookup(words: Words, e: x.TableLookup) -> Value:
    default = {} if e.default is None else {"default": words.value(e.default)}
    return {"Isotherm::Lookup": {"rows": words.rows(e), "key": words.value(e.key), **default}}


def _for_each(words: Words, e: x.ForEach) -> Value:
    made = {"list": words.value(e.source), "as": e.variable, "make": words.value(e.template)}
    return {"Isotherm::ForEach": made}


def _no_words(what: str) -> Callable[[Words, Any], Value]:
    """What `translators.to_hot` puts other expressions in place of, or refuses."""

    def refuse(words: Words, e: Any) -> Value:
        raise Unsayable(what, e.span)

    return refuse


def _of(name: str, *parts: str) -> Callable[[Words, Any], Value]:
    """A function with these expressions as its list of arguments."""
    return lambda words, e: {name: words.values([getattr(e, part) for part in parts])}


def _around(name: str, part: str) -> Callable[[Words, Any], Value]:
    """A function with this expression as its argument."""
    return lambda words, e: {name: words.value(getattr(e, part))}


_WORDS: Final[Mapping[type, Callable[[Words, Any], Value]]] = {
    Literal: lambda words, e: words.data(e.value),
    x.ListOf: lambda words, e: words.values(e.items),
    MapOf: _map,
    x.NoValue: _no_words("AWS::NoValue"),
    x.Mistake: _no_words("What could not be read"),
    x.ParameterRef: _parameter,
    x.PseudoRef: _pseudo,
    x.ResourceRef: lambda words, e: {"get_resource": e.address},
    x.AttributeRef: _attribute,
    x.Named: _named,
    x.ConditionRef: lambda words, e: e.name,
    x.If: _if,
    x.Equals: _equals,
    x.Not: lambda words, e: {"not": words.condition(e.operand)},
    x.And: _several("and"),
    x.Or: _several("or"),
    x.Contains: _of("contains", "value", "sequence"),
    x.EachMemberIn: _no_words("Fn::EachMemberIn"),
    x.EachMemberEquals: _no_words("Fn::EachMemberEquals"),
    x.Concat: _no_words("Fn::Sub"),
    x.Join: _join,
    x.Split: _split,
    x.Select: _select,
    x.Replace: _replace,
    x.FindInMap: _no_words("Fn::FindInMap"),
    x.Base64: _base64,
    x.Cidr: _of("Isotherm::Cidr", "block", "count", "bits"),
    x.AvailabilityZones: _zones,
    x.ImportValue: _around("Isotherm::ImportValue", "name"),
    x.StackOutput: _stack_output,
    x.Repeat: _repeat,
    x.Digest: _of("digest", "algorithm", "value"),
    x.Facade: lambda words, e: {"resource_facade": e.part.value},
    x.MapMerge: _around("map_merge", "maps"),
    x.MapReplace: _of("map_replace", "source", "changes"),
    x.Yaql: _yaql,
    x.Filter: _of("filter", "unwanted", "source"),
    x.MakeUrl: _around("make_url", "parts"),
    x.ListConcat: _list_concat,
    x.MemberListToMap: _members,
    x.Length: _no_words("Fn::Length"),
    x.StackTags: _stack_tags,
    x.ToJson: _around("Isotherm::ToJson", "source"),
    x.TableLookup: _lookup,
    x.ObjectAttribute: _no_words("Fn::ValueOf"),
    x.PropertyPath: lambda words, e: {"Isotherm::Path": [words.value(e.source), *e.path]},
    x.ForEach: _for_each,
    x.Item: lambda words, e: {"Isotherm::Item": [e.variable, *e.path]},
}
