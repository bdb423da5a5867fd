"""Templates of every version of HOT, with everything in them that a HOT template can say."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import strategies as st

from engine.model import expression as x
from engine.model.expression import Expression, ListOf, Literal, MapOf
from engine.model.template import (
    MISSING,
    Constraint,
    DeletionPolicy,
    Dialect,
    Output,
    Parameter,
    ParameterGroup,
    ParameterType,
    Resource,
    Template,
)
from translators.hot.builder import PSEUDO
from translators.hot.constraint_names import CUSTOM_CONSTRAINTS
from translators.hot.versions import DESCRIPTIONS, Version

FILES = {"a.sh": "#!/bin/sh\necho a\n", "b.yaml": "b"}
_CONDITIONS_SINCE, _TAGS_SINCE, _SERIALIZES_SINCE, _TWO_ARMS_SINCE, _PERMUTATIONS_SINCE = 5, 8, 3, 10, 7
_MODULO_SINCE = 6

_TRICKY = (
    "", " ", "a",
    "true", "no", "null", "~", "12", "0x1f", "1e3", "1.0", "12:30:45", "2013-05-23", "a: b", "a #b", "- a",
    "*a", "&a", "!a", "{a}", "[a]", "a,b", "%a", "@a", "`a", "'a'", '"a"', "a\\b", "a\nb", "a\nb\n", "\na", "a\n\n",
    "  a\nb",
    "a\tb", "\ta\nb", "a\r\nb", "a\x85b", "a\u2028b", "\ufeffa", "\x00", "\U0001f600", "<<", "=", "---", "...",
    "a:", ":a",
    "OS::Nova::Server", "http://a:80/b?c=d#e", "${a}", "a\n  b\n c", "a \nb", "a\n \nb", "x" * 1200,
)  # fmt: skip
texts = st.sampled_from(_TRICKY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False)
scalars = st.none() | st.booleans() | _numbers | texts
# No single one of these is a function, or nearly one, in any version.
keys = texts.filter(lambda key: "_" not in key and "::" not in key and key not in DESCRIPTIONS)
plain: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)


PARAMETERS = ("name", "a: b", "Größe")
RESOURCES = ("web", "null", "get_attr")
CONDITIONS = ("wanted", "true")


# --- expressions ------------------------------------------------------------------------------------------------------
def _lists(inner: st.SearchStrategy[Expression], least: int = 0) -> st.SearchStrategy[tuple[Expression, ...]]:
    return st.lists(inner, min_size=least, max_size=3).map(tuple)


def _maps(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.dictionaries(keys, inner, max_size=3).map(lambda entries: MapOf(tuple(entries.items())))


def _data(inner: st.SearchStrategy[Expression]) -> Iterator[st.SearchStrategy[Expression]]:
    yield _lists(inner).map(ListOf)
    yield _maps(inner)
    yield st.builds(x.PseudoRef, st.sampled_from(list(PSEUDO.values())))
    yield st.builds(x.ParameterRef, st.sampled_from(PARAMETERS), _lists(inner))
    yield st.builds(lambda name, path: _computed(name, path), _lists(inner, 1).map(_called), _lists(inner))


def _called(parts: tuple[Expression, ...]) -> Expression:
    """A computed name is a map where it is written: a name in plain text is no computed one."""
    return MapOf((("a", parts[0]), ("b", Literal(None))))


def _computed(name: Expression, path: tuple[Expression, ...]) -> Expression:
    among: list[tuple[str, Expression]] = [(one, x.ParameterRef(one, path)) for one in sorted(PARAMETERS)]
    among += [(one, x.PseudoRef(pseudo)) for one, pseudo in PSEUDO.items()]
    return x.Named(name, tuple(among), "The Parameter ({}) was not defined in template.")


def _of_files(name: Expression) -> Expression:
    among = tuple((one, Literal(text)) for one, text in FILES.items())
    return x.Named(name, among, 'No content found in the "files" section for get_file path: {}.')


@functools.cache
def values(version: Version) -> st.SearchStrategy[Expression]:
    """Anything that may stand where a value does."""
    return st.recursive(
        scalars.map(Literal), lambda inner: st.one_of(*_data(inner), *_functions(version, inner)), max_leaves=6
    )


def _functions(version: Version, inner: st.SearchStrategy[Expression]) -> Iterator[st.SearchStrategy[Expression]]:
    level = version.level
    for needed, made in _OF_HEAT.items():
        if needed in version.functions:
            yield made(inner)
    if version.understood != version.functions:
        for make in _OF_OURS.values():
            yield make(inner)
    serialize = level >= _SERIALIZES_SINCE
    yield st.builds(x.Join, inner, _lists(inner, 1) if serialize else inner.map(lambda one: (one,)), st.just(serialize))
    yield from _replacing(version, serialize, inner)
    yield st.builds(x.ResourceRef, st.sampled_from(RESOURCES))
    attribute = inner if level < _SERIALIZES_SINCE else st.none() | inner
    named = st.tuples(st.sampled_from(RESOURCES), attribute, _lists(inner))
    yield named.map(lambda a: x.AttributeRef(a[0], a[1], a[2] if a[1] is not None else ()))
    if "repeat" in version.functions:
        together = st.none() | inner if level >= _PERMUTATIONS_SINCE else st.none()
        yield st.builds(x.Repeat, inner, _maps(inner), together)
    if "if" in version.functions:
        other = st.none() | inner if level >= _TWO_ARMS_SINCE else inner
        yield st.builds(x.If, conditions(version), inner, other)


def _replacing(
    version: Version, serialize: bool, inner: st.SearchStrategy[Expression]
) -> Iterator[st.SearchStrategy[Expression]]:
    for mode, name in (
        (x.ReplaceMode.PLAIN, "str_replace"), (x.ReplaceMode.STRICT, "str_replace_strict"),
        (x.ReplaceMode.VERY_STRICT, "str_replace_vstrict"),
    ):  # fmt: skip
        if name in version.functions:
            yield st.builds(x.Replace, inner, inner, st.just(mode), st.just(serialize))
    if "Fn::Replace" in version.functions:
        yield st.builds(x.Replace, inner, inner)


_Make = Callable[[st.SearchStrategy[Expression]], st.SearchStrategy[Expression]]
_steps = st.lists(texts, min_size=1, max_size=3).map(tuple)
_rows = st.dictionaries(texts, plain, max_size=12).map(lambda rows: tuple(rows.items()))
# By the function that a version must have.
_OF_HEAT: dict[str, _Make] = {
    "get_file": lambda inner: _lists(inner, 1).map(_called).map(_of_files),
    "str_split": lambda inner: st.builds(x.Split, inner, inner, st.none() | inner),
    "Fn::Split": lambda inner: st.builds(x.Split, inner, inner),
    "Fn::Select": lambda inner: st.builds(x.Select, inner, inner, st.just(True)),
    "Fn::GetAZs": lambda inner: st.builds(x.AvailabilityZones, inner),
    "Fn::MemberListToMap": lambda inner: st.builds(x.MemberListToMap, inner, inner, inner),
    "digest": lambda inner: st.builds(x.Digest, inner, inner),
    "resource_facade": lambda inner: st.builds(x.Facade, st.sampled_from(x.FacadePart)),
    "map_merge": lambda inner: st.builds(x.MapMerge, inner),
    "map_replace": lambda inner: st.builds(x.MapReplace, inner, st.builds(x.MapMerge, inner)),
    "yaql": lambda inner: st.builds(x.Yaql, inner, inner | st.just(Literal({}))),
    "filter": lambda inner: st.builds(x.Filter, inner, inner),
    "make_url": lambda inner: st.builds(x.MakeUrl, inner),
    "list_concat": lambda inner: st.builds(x.ListConcat, inner),
    "list_concat_unique": lambda inner: st.builds(x.ListConcat, inner, st.just(True)),
    "contains": lambda inner: st.builds(x.Contains, inner, inner),
}
_OF_OURS: dict[type, _Make] = {
    x.PseudoRef: lambda inner: st.builds(x.PseudoRef, st.sampled_from(x.Pseudo)),
    x.Select: lambda inner: st.builds(x.Select, inner, inner),
    x.Base64: lambda inner: st.builds(x.Base64, inner),
    x.Cidr: lambda inner: st.builds(x.Cidr, inner, inner, inner),
    x.AvailabilityZones: lambda inner: st.builds(x.AvailabilityZones, inner),
    x.ImportValue: lambda inner: st.builds(x.ImportValue, inner),
    x.StackOutput: lambda inner: st.builds(x.StackOutput, inner, inner, st.none() | inner),
    x.MemberListToMap: lambda inner: st.builds(x.MemberListToMap, inner, inner, inner),
    x.StackTags: lambda inner: st.builds(x.StackTags, inner, texts),
    x.ToJson: lambda inner: st.builds(x.ToJson, inner),
    x.TableLookup: lambda inner: st.builds(x.TableLookup, _rows, inner, st.none() | inner),
    x.PropertyPath: lambda inner: st.builds(x.PropertyPath, inner, _steps),
    x.ForEach: lambda inner: st.builds(x.ForEach, inner, texts, inner),
    x.Item: lambda inner: st.builds(x.Item, texts, st.just(()) | _steps),
}


@functools.cache
def conditions(version: Version) -> st.SearchStrategy[Expression]:
    """Anything that may stand where a condition does."""
    held = st.recursive(scalars.map(Literal), lambda inner: st.one_of(*_data(inner)), max_leaves=3)
    leaves: list[st.SearchStrategy[Expression]] = [
        st.booleans().map(Literal), st.builds(x.ConditionRef, st.sampled_from(CONDITIONS)),
        st.builds(x.Equals, held, held), st.builds(x.ParameterRef, st.sampled_from(PARAMETERS)),
        st.builds(x.PseudoRef, st.sampled_from(list(PSEUDO.values()))),
    ]  # fmt: skip
    if "contains" in version.condition_functions:
        leaves += [st.builds(x.Contains, held, held), st.builds(x.Yaql, held, held)]
    return st.recursive(
        st.one_of(*leaves),
        lambda inner: st.builds(x.Not, inner) | st.builds(x.And, _lists(inner, 2)) | st.builds(x.Or, _lists(inner, 2)),
        max_leaves=3,
    )


# --- parameters -------------------------------------------------------------------------------------------------------
_DEFAULTS: dict[ParameterType, st.SearchStrategy[Any]] = {
    ParameterType.STRING: texts | st.booleans() | _numbers,
    ParameterType.NUMBER: st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.integers().map(str),
    ParameterType.BOOLEAN: st.booleans() | st.sampled_from(["yes", "Off", "t", "0"]),
    ParameterType.LIST: texts | st.lists(scalars, max_size=3),
    ParameterType.JSON: plain.filter(lambda value: value is not None),
}
_ends = st.none() | st.integers(0, 99)
_bounds = st.tuples(_ends, _ends).filter(lambda ends: ends != (None, None))
_limits = st.floats(allow_nan=False, allow_infinity=False) | _ends
_modulos = st.tuples(st.integers(1, 9), st.integers(0, 8)).filter(lambda pair: pair[1] < pair[0])
_CONSTRAINTS: dict[str, tuple[set[ParameterType], st.SearchStrategy[Any]]] = {
    "allowed_values": (set(ParameterType) - {ParameterType.JSON}, st.lists(scalars, max_size=3).map(tuple)),
    "pattern": ({ParameterType.STRING}, st.sampled_from(["[a-z]+", r"\d{2,}", "a|b # no comment", "", "^x$"])),
    "length": ({ParameterType.STRING, ParameterType.LIST, ParameterType.JSON}, _bounds),
    "range": ({ParameterType.NUMBER}, st.tuples(_limits, _limits).filter(lambda ends: ends != (None, None))),
    "modulo": ({ParameterType.NUMBER}, _modulos),
    "custom": (set(ParameterType), st.sampled_from(sorted(CUSTOM_CONSTRAINTS))),
}


def _parameter(name: str, version: Version) -> st.SearchStrategy[Parameter]:
    return st.one_of(*(_of_kind(name, kind, version) for kind in ParameterType))


def _of_kind(name: str, kind: ParameterType, version: Version) -> st.SearchStrategy[Parameter]:
    limits = [
        st.builds(Constraint, description=texts, **{limit: held})
        for limit, (kinds, held) in _CONSTRAINTS.items()
        if kind in kinds and (limit != "modulo" or version.level >= _MODULO_SINCE)
    ]
    return st.builds(
        Parameter,
        name=st.just(name),
        type=st.just(kind),
        default=st.just(MISSING) | _DEFAULTS[kind],
        description=texts,
        label=texts,
        hidden=st.booleans(),
        immutable=st.booleans(),
        constraints=st.lists(st.one_of(*limits), max_size=3).map(tuple),
        tags=st.lists(texts, max_size=2).map(tuple) if version.level >= _TAGS_SINCE else st.just(()),
    )


_groups = st.tuples(texts, texts, texts, st.permutations(PARAMETERS), st.integers(0, len(PARAMETERS))).map(
    lambda made: (
        ParameterGroup(made[0], made[1], tuple(made[3][: made[4]])),
        ParameterGroup("", made[2], tuple(made[3][made[4] :])),
    )
)


# --- resources and templates ------------------------------------------------------------------------------------------
_POLICIES = (DeletionPolicy.DELETE, DeletionPolicy.RETAIN, DeletionPolicy.SNAPSHOT)
_STACK_NAME = x.PseudoRef(x.Pseudo.STACK_NAME)


def _resource(name: str, version: Version) -> st.SearchStrategy[Resource]:
    held = values(version)
    some = st.none() | held.filter(lambda one: one != Literal(None))
    newer = version.level >= _CONDITIONS_SINCE
    others = [one for one in RESOURCES if one != name]
    policy = st.tuples(st.sampled_from(_POLICIES), st.none()) | st.just((DeletionPolicy.DELETE, _STACK_NAME))
    waits = st.lists(st.sampled_from(others), unique=True, max_size=3).map(tuple)
    # What exists already waits for nothing.
    known = some.filter(lambda one: not isinstance(one, MapOf | ListOf))
    waiting = st.tuples(waits, st.none()) | (st.tuples(st.just(()), known) if newer else st.nothing())
    return st.builds(
        lambda policy, waiting, **more: Resource(
            address=name, deletion_policy=policy[0], computed_policy=policy[1], depends_on=waiting[0],
            external_id=waiting[1], **more,
        ),
        policy,
        waiting,
        type=texts.filter(bool),
        properties=_maps(held) | st.just(MapOf((), rest=_STACK_NAME)),
        condition=st.none() | conditions(version) if newer else st.none(),
        metadata=some.filter(lambda one: not isinstance(one, Literal | ListOf)),
        update_policy=some,
        description=texts,
    )  # fmt: skip


def _output(name: str, version: Version) -> st.SearchStrategy[Output]:
    condition = st.none() | conditions(version) if version.has_conditions else st.none()
    held = values(version)
    if "Fn::Base64" in version.functions:  # inside resources it gives its text, for these encode by themselves (TC-06)
        held |= st.builds(x.Base64, held)
    return st.builds(Output, st.just(name), held, texts, condition=condition)


@functools.cache
def templates(version: Version) -> st.SearchStrategy[Template]:
    """Templates as the parser makes them of texts of that version."""
    named = CONDITIONS if version.has_conditions else ()
    return st.builds(
        Template,
        dialect=st.just(Dialect.HOT),
        version=st.just(version.name),
        description=texts,
        parameters=st.fixed_dictionaries({name: _parameter(name, version) for name in PARAMETERS}),
        parameter_groups=st.just(()) | _groups,
        conditions=st.fixed_dictionaries({name: conditions(version) for name in named}),
        resources=st.fixed_dictionaries({name: _resource(name, version) for name in RESOURCES}),
        outputs=st.fixed_dictionaries({name: _output(name, version) for name in ("off",)}),
    )


# --- comparing --------------------------------------------------------------------------------------------------------
def exact(value: Any) -> Any:
    """The value with the types and the order of everything in it: 1, 1.0 and True are equal and not the same."""
    if is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__, [(f.name, exact(getattr(value, f.name))) for f in fields(value) if f.compare]
    if isinstance(value, dict):
        return [(exact(key), exact(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    return type(value).__name__, repr(value)
