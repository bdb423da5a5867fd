"""Evaluating an expression in a scope.

Containers keep UNKNOWN inside; a function with an unknown input gives UNKNOWN; NO_VALUE takes its key, item or property
out. Dispatch is a table by type: a map of literals is the common case and must cost little more than a copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.expr import functions
from engine.expr.functions import kind_of, shown
from engine.expr.scope import Scope
from engine.model import expression as x
from engine.model.diagnostic import Diagnostic, Invalid, Span
from engine.model.dynamic import OPENING
from engine.model.value import NO_VALUE, UNKNOWN, Value, is_known


def evaluate(expression: x.Expression, scope: Scope) -> Value:
    """Return the value of `expression`. Raises Invalid, never anything else, for what the template got wrong."""
    return _TABLE[type(expression)](expression, scope)


class ItemScope:
    """A scope in which the variables of `ForEach` are bound."""

    def __init__(self, outer: Scope, variable: str, value: Value) -> None:
        self._outer, self.variable, self.value = outer, variable, value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outer, name)

    def item(self, variable: str) -> Value:
        if variable == self.variable:
            return self.value
        return self._outer.item(variable) if isinstance(self._outer, ItemScope) else NO_VALUE


_NO_INDEX = (IndexError, ValueError, TypeError, OverflowError)  # what an index that is none makes Python raise


def fail(code: str, summary: str, span: Span | None) -> Invalid:
    return Invalid(Diagnostic(code, summary, span=span))


# --- containers and leaves ------------------------------------------------------------------------------------------
def _literal(e: x.Literal, scope: Scope) -> Value:
    return e.value


def _list(e: x.ListOf, scope: Scope) -> Value:
    found = [_TABLE[type(item)](item, scope) for item in e.items]
    return [item for item in found if item is not NO_VALUE]


def _map(e: x.MapOf, scope: Scope) -> Value:
    found = {}
    for key, item in e.entries:
        kind = type(item)
        value = item.value if kind is x.Literal else _TABLE[kind](item, scope)  # type: ignore[union-attr]
        if value is not NO_VALUE:
            found[key] = value
    return found if e.rest is None else _with_rest(found, evaluate(e.rest, scope), e.span)


def _with_rest(found: dict[str, Value], rest: Value, span: Span | None) -> Value:
    if rest is None or rest is NO_VALUE:
        return found
    if rest is UNKNOWN:
        return UNKNOWN
    if not isinstance(rest, Mapping):
        raise fail("InvalidFunctionArgument", f"A map is needed here, not {kind_of(rest)}.", span)
    return {**rest, **found}


def _no_value(e: x.NoValue, scope: Scope) -> Value:
    return NO_VALUE


def _mistake(e: x.Mistake, scope: Scope) -> Value:
    return UNKNOWN


def _parameter(e: x.ParameterRef, scope: Scope) -> Value:
    value = scope.parameter(e.name)
    if not e.path:
        return value
    return _into(value, [evaluate(p, scope) for p in e.path], lenient=e.lenient, span=e.span)


def _into(value: Value, path: Sequence[Value], *, lenient: bool, span: Span | None) -> Value:
    for step in path:
        if value is UNKNOWN or step is UNKNOWN:
            return UNKNOWN
        try:
            if isinstance(value, Mapping):
                value = value[step] if step in value else value[str(step)]
            elif isinstance(value, list | tuple) or (lenient and isinstance(value, str)):
                value = value[int(step)]
            else:
                raise KeyError(step)
        except (KeyError, *_NO_INDEX) as error:
            if lenient:
                return ""
            raise fail("BadPath", f"There is no {shown(step)!r} in the value.", span) from error
    return value


def _pseudo(e: x.PseudoRef, scope: Scope) -> Value:
    return scope.pseudo(e.name)


def _reference(e: x.ResourceRef, scope: Scope) -> Value:
    return scope.reference(e.address)


def _attribute(e: x.AttributeRef, scope: Scope) -> Value:
    name = None if e.attribute is None else evaluate(e.attribute, scope)
    if name is UNKNOWN:
        return UNKNOWN
    if isinstance(name, dict | list):
        raise fail("InvalidFunctionArgument", f"The name of an attribute is text, not {kind_of(name)}.", e.span)
    name = None if name is None else functions.text_of(name)
    if not e.path or name is None:
        return scope.attribute(e.address, name)
    path = [evaluate(p, scope) for p in e.path]
    if any(step is UNKNOWN for step in path):
        return UNKNOWN
    value, taken = scope.attribute_at(e.address, name, path)
    return _attribute_path(value, path[taken:])


def _attribute_path(value: Value, path: Sequence[Value]) -> Value:
    """HOT: an attribute that has no such path is null."""
    for step in path:
        if value is UNKNOWN or step is UNKNOWN:
            return UNKNOWN
        try:
            if isinstance(value, Mapping):
                value = value.get(step, value.get(str(step)))
            elif isinstance(value, list | tuple):
                value = value[int(step)]
            else:
                return None
        except _NO_INDEX:
            return None
    return value


# --- conditions -----------------------------------------------------------------------------------------------------
def _condition_ref(e: x.ConditionRef, scope: Scope) -> Value:
    return scope.condition(e.name)


def _if(e: x.If, scope: Scope) -> Value:
    decided = holds(e.condition, scope)
    if decided is UNKNOWN:
        return UNKNOWN
    if decided:
        return evaluate(e.then, scope)
    return NO_VALUE if e.otherwise is None else evaluate(e.otherwise, scope)


_FALSE = frozenset({"", "0", "f", "false", "off", "n", "no"})
_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})


def holds(condition: x.Expression, scope: Scope) -> Value:
    """A condition's value: a boolean, one of the words that parameters of type string have for it, or UNKNOWN."""
    value = evaluate(condition, scope)
    if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    if value is None or value is NO_VALUE:
        return False
    if value is UNKNOWN or isinstance(value, bool):
        return value
    raise fail("InvalidCondition", f'Invalid condition "{shown(value)}": it is neither true nor false.', condition.span)


def _equals(e: x.Equals, scope: Scope) -> Value:
    left, right = evaluate(e.left, scope), evaluate(e.right, scope)
    if not (is_known(left) and is_known(right)):
        return UNKNOWN
    if e.as_text:
        return functions.comparable(left) == functions.comparable(right)
    return left == right


def _not(e: x.Not, scope: Scope) -> Value:
    value = holds(e.operand, scope)
    return value if value is UNKNOWN else not value


def _and(e: x.And, scope: Scope) -> Value:
    values = [holds(one, scope) for one in e.operands]
    if any(value is False for value in values):
        return False
    return UNKNOWN if any(value is UNKNOWN for value in values) else True


def _or(e: x.Or, scope: Scope) -> Value:
    values = [holds(one, scope) for one in e.operands]
    if any(value is True for value in values):
        return True
    return UNKNOWN if any(value is UNKNOWN for value in values) else False


# --- functions over known values ------------------------------------------------------------------------------------
def _known(
    function: Callable[..., Value], *names: str, extra: tuple[str, ...] = (), known: Callable[[Value], bool] = is_known
) -> Callable[[Any, Scope], Value]:
    """A reader that evaluates the expression fields `names`, passes the plain fields `extra`, and gives UNKNOWN when
    an input is not `known` enough."""

    def read(e: Any, scope: Scope) -> Value:
        given: list[Value] = []
        absent = unknown = False
        for name in names:
            held = getattr(e, name)
            if isinstance(held, tuple):
                found = [_TABLE[type(part)](part, scope) for part in held]
                value: Value = [one for one in found if one is not NO_VALUE]
            else:
                value = None if held is None else _TABLE[type(held)](held, scope)
            absent = absent or value is NO_VALUE
            unknown = unknown or not known(value)
            given.append(value)
        if absent:
            raise fail(
                "InvalidFunctionArgument",
                "AWS::NoValue, or an `if` without a value, cannot be an argument here.",
                e.span,
            )
        if unknown:
            return UNKNOWN
        return _guarded(function, [*given, *(getattr(e, name) for name in extra)], scope, e.span)

    return read


def _parts_known(value: Value) -> bool:
    """Whether the list, and each list or map in it, is there; what these hold may be unknown."""
    return value is not UNKNOWN and not (isinstance(value, list) and any(one is UNKNOWN for one in value))


def _guarded(function: Callable[..., Value], given: Sequence[Value], scope: Scope, span: Span | None) -> Value:
    try:
        made = function(*given)
    except functions.Refused as refused:
        raise fail(refused.code, str(refused), span) from refused
    if isinstance(made, str | list | dict) and not scope.spend(len(made) * (1 if isinstance(made, str) else _ITEM)):
        raise fail("TooLarge", "The functions of the template make more than is kept in memory for one.", span)
    return made


_ITEM = 64  # bytes of an item of a list or map


def _asked(value: Value) -> str:
    """A value as the name of something."""
    return value if isinstance(value, str) else kind_of(value) if isinstance(value, dict | list) else shown(value)


def _named(e: x.Named, scope: Scope) -> Value:
    name = evaluate(e.name, scope)
    if name is UNKNOWN:
        return UNKNOWN
    for key, held in e.among:
        if key == name:
            return evaluate(held, scope)
    raise fail("UnknownName", e.missing.replace("{}", shown(name)), e.span)


def _split(e: x.Split, scope: Scope) -> Value:
    delimiter, text = evaluate(e.delimiter, scope), evaluate(e.text, scope)
    index = None if e.index is None else evaluate(e.index, scope)
    if any(one is UNKNOWN for one in (delimiter, text, index)):
        return UNKNOWN
    return _guarded(functions.split, [delimiter, text, index], scope, e.span)


def _select(e: x.Select, scope: Scope) -> Value:
    index, source = evaluate(e.index, scope), evaluate(e.source, scope)
    if source is UNKNOWN or not is_known(index):
        return UNKNOWN
    if source is NO_VALUE:
        return NO_VALUE
    return _guarded(functions.select, [index, source, e.lenient], scope, e.span)


def _find_in_map(e: x.FindInMap, scope: Scope) -> Value:
    name, top, second = (evaluate(one, scope) for one in (e.mapping, e.top, e.second))
    if not is_known([name, top, second]):
        return UNKNOWN
    table = scope.mapping(_asked(name))
    row = None if table is None else table.get(_asked(top))
    if row is not None and _asked(second) in row:
        return row[_asked(second)]
    if e.default is not None:
        return evaluate(e.default, scope)
    said = "::".join(shown(one) for one in (name, top, second))
    raise fail("UnknownMappingKey", f"Template error: Unable to get mapping for {said}", e.span)


def _zones(e: x.AvailabilityZones, scope: Scope) -> Value:
    region = evaluate(e.region, scope)
    return scope.zones(_asked(region or "")) if is_known(region) else UNKNOWN


def _import(e: x.ImportValue, scope: Scope) -> Value:
    name = evaluate(e.name, scope)
    if not is_known(name):
        return UNKNOWN
    return _placed(lambda: scope.import_value(_asked(name)), e.span)


def _placed(ask: Callable[[], Value], span: Span | None) -> Value:
    """What the scope answers; a refusal is told with its place."""
    try:
        return ask()
    except Invalid as error:
        raise Invalid(
            Diagnostic(d.code, d.summary, d.detail, d.address, d.span or span) for d in error.diagnostics
        ) from error


def _stack_output(e: x.StackOutput, scope: Scope) -> Value:
    stack, output = evaluate(e.stack, scope), evaluate(e.output, scope)
    region, own = None if e.region is None else evaluate(e.region, scope), scope.pseudo(x.Pseudo.REGION)
    if not is_known([stack, output, region, own]):
        return UNKNOWN
    if region is not None and region is not NO_VALUE and region != own:
        raise fail("UnknownStackOutput", f"Outputs of stacks in {region} cannot be read: only those of {own}.", e.span)
    return _placed(lambda: scope.stack_output(_asked(stack), _asked(output)), e.span)


def _repeat(e: x.Repeat, scope: Scope) -> Value:
    loops = evaluate(e.loops, scope)
    product = True if e.permutations is None else evaluate(e.permutations, scope)
    if product is UNKNOWN or loops is UNKNOWN:
        return UNKNOWN
    if isinstance(loops, Mapping) and any(source is UNKNOWN for source in loops.values()):
        return UNKNOWN
    return _guarded(functions.repeat, [evaluate(e.template, scope), loops, product], scope, e.span)


def _list_concat(e: x.ListConcat, scope: Scope) -> Value:
    return (_CONCAT_UNIQUE if e.unique else _CONCAT)(e, scope)


_CONCAT_UNIQUE = _known(functions.list_concat, "lists", extra=("unique",))
_CONCAT = _known(functions.list_concat, "lists", extra=("unique",), known=_parts_known)


def _yaql(e: x.Yaql, scope: Scope) -> Value:
    expression, data = evaluate(e.expression, scope), evaluate(e.data, scope)
    return UNKNOWN if expression is UNKNOWN else _guarded(functions.yaql, [expression, data], scope, e.span)


def _base64(e: x.Base64, scope: Scope) -> Value:
    text = evaluate(e.text, scope)
    if isinstance(text, str):
        return _guarded(functions.base64_text, [scope.fill(text) if OPENING in text else text], scope, e.span)
    return _BASE64_OF_NO_TEXT(e, scope)


_BASE64_OF_NO_TEXT = _known(functions.base64_text, "text")


def _facade(e: x.Facade, scope: Scope) -> Value:
    return scope.facade(e.part)


def _table_lookup(e: x.TableLookup, scope: Scope) -> Value:
    key = evaluate(e.key, scope)
    if key is NO_VALUE:
        return NO_VALUE
    if not is_known(key):
        return UNKNOWN
    if isinstance(key, str) and OPENING in key:
        key = scope.fill(key)
    found = functions.table_lookup(e.rows, _asked(key))
    if found is not None:
        return found
    return key if e.default is None else evaluate(e.default, scope)


def _object_attribute(e: x.ObjectAttribute, scope: Scope) -> Value:
    named = evaluate(e.reference, scope)
    if isinstance(named, list):
        return [UNKNOWN if one is UNKNOWN else scope.object_attribute(_asked(one), e.attribute) for one in named]
    return UNKNOWN if named is UNKNOWN else scope.object_attribute(_asked(named), e.attribute)


def _property_path(e: x.PropertyPath, scope: Scope) -> Value:
    return _walk(evaluate(e.source, scope), e.path)


def _walk(value: Value, path: Sequence[str]) -> Value:
    for step in path:
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return NO_VALUE
    return value


def _for_each(e: x.ForEach, scope: Scope) -> Value:
    source = evaluate(e.source, scope)
    if source is UNKNOWN or source is NO_VALUE or source is None:
        return source
    items = source if isinstance(source, list | tuple) else [source]
    found = [evaluate(e.template, ItemScope(scope, e.variable, item)) for item in items]
    return [item for item in found if item is not NO_VALUE]


def _item(e: x.Item, scope: Scope) -> Value:
    bound = scope.item(e.variable) if isinstance(scope, ItemScope) else NO_VALUE
    return _walk(bound, e.path)


def _stack_tags(e: x.StackTags, scope: Scope) -> Value:
    own, tags = evaluate(e.own, scope), scope.pseudo(x.Pseudo.TAGS)
    if own is UNKNOWN or tags is UNKNOWN:
        return UNKNOWN
    listed = own if isinstance(own, list | tuple) else ()
    keys = [one.get("Key") for one in listed if isinstance(one, Mapping)]
    found = [one for one in tags if one["Key"] not in keys]
    if not e.not_in_keys:
        return found
    return [{**one, "Key": re.sub(e.not_in_keys, "_", one["Key"])[:255]} for one in found]


_TABLE: Mapping[type, Callable[[Any, Scope], Value]] = {
    x.Literal: _literal,
    x.ListOf: _list,
    x.MapOf: _map,
    x.NoValue: _no_value,
    x.Mistake: _mistake,
    x.ParameterRef: _parameter,
    x.PseudoRef: _pseudo,
    x.ResourceRef: _reference,
    x.AttributeRef: _attribute,
    x.Named: _named,
    x.ConditionRef: _condition_ref,
    x.If: _if,
    x.Equals: _equals,
    x.Not: _not,
    x.And: _and,
    x.Or: _or,
    x.Contains: _known(functions.contains, "value", "sequence", extra=("as_text",)),
    x.EachMemberIn: _known(functions.each_member_in, "members", "sequence"),
    x.EachMemberEquals: _known(functions.each_member_equals, "members", "value"),
    x.Concat: _known(functions.concat, "parts"),
    x.Join: _known(functions.join, "delimiter", "lists", extra=("serialize",)),
    x.Split: _split,
    x.Select: _select,
    x.Replace: _known(functions.replace, "template", "params", extra=("mode", "serialize")),
    x.FindInMap: _find_in_map,
    x.Base64: _base64,
    x.Cidr: _known(functions.cidr, "block", "count", "bits"),
    x.AvailabilityZones: _zones,
    x.ImportValue: _import,
    x.StackOutput: _stack_output,
    x.Repeat: _repeat,
    x.Digest: _known(functions.digest, "algorithm", "value"),
    x.Facade: _facade,
    x.MapMerge: _known(functions.map_merge, "maps", known=_parts_known),
    x.MapReplace: _known(functions.map_replace, "source", "changes"),
    x.Yaql: _yaql,
    x.Filter: _known(functions.filter_list, "unwanted", "source"),
    x.MakeUrl: _known(functions.make_url, "parts"),
    x.ListConcat: _list_concat,
    x.MemberListToMap: _known(functions.member_list_to_map, "key_name", "value_name", "members"),
    x.Length: _known(functions.length, "source"),
    x.ToJson: _known(functions.to_json, "source"),
    x.TableLookup: _table_lookup,
    x.ObjectAttribute: _object_attribute,
    x.PropertyPath: _property_path,
    x.ForEach: _for_each,
    x.Item: _item,
    x.StackTags: _stack_tags,
}
