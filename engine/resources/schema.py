"""Properties against their declaration: what is wrong with them, what they mean, and what a change of them costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.model.diagnostic import invalid
from engine.model.nearest import closest, did_you_mean
from engine.model.value import NO_VALUE, UNKNOWN, Value, is_known
from engine.resources.base import Kind, Property, ResourceType, Update
from engine.resources.constraints import cloud_kind, violation

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """`path` leads from the properties to the value, or to the key that there is not; `message` is a sentence without
    its place, `detail` the way out."""

    path: Path
    message: str
    code: str
    detail: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.message}. {self.detail}" if self.detail else self.message


@dataclass(frozen=True, slots=True)
class Difference:
    """`replace`: a changed property needs a new object; `maybe_replace`: it does if an unknown value turns out so."""

    changed: frozenset[str]
    replace: bool = False
    maybe_replace: bool = False


NO_DIFFERENCE = Difference(frozenset())


# --- what they mean -------------------------------------------------------------------------------------------------
def normalize(kind: ResourceType, properties: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return the properties as the type works with them: defaults filled in, older names moved, values converted as
    the native API does ("80" → 80, "true" → True). What cannot be converted is left for `check_properties`."""
    if kind.any_properties:
        return {name: value for name, value in properties.items() if value is not NO_VALUE}
    return _normal_map(_shape(kind.properties), properties)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What `normalize` needs of a set of declarations, worked out once."""

    declared: Mapping[str, Property]
    defaults: Mapping[str, Value]
    moved: Mapping[str, str]
    required: tuple[str, ...]


_shapes: dict[int, _Shape] = {}


def _shape(declared: Mapping[str, Property]) -> _Shape:
    """Declarations live as long as their class, so their identity is a key."""
    found = _shapes.get(id(declared))
    if found is None or found.declared is not declared:
        defaults = {name: _normal(p, p.default) for name, p in declared.items() if p.default is not None}
        moved = {name: p.stands_for for name, p in declared.items() if p.stands_for is not None}
        required = tuple(name for name, p in declared.items() if p.required and p.default is None)
        found = _shapes[id(declared)] = _Shape(declared, defaults, moved, required)
    return found


def _normal_map(shape: _Shape, given: Mapping[str, Value]) -> dict[str, Value]:
    result = dict(shape.defaults)
    for name, value in given.items():
        if value is NO_VALUE:
            continue
        name = shape.moved.get(name, name)
        declared = shape.declared.get(name)
        if value is None:
            if declared is not None and declared.null is not None:
                result[name] = declared.null
            continue
        result[name] = value if declared is None else _normal(declared, value)
    return result


def _normal(declared: Property, value: Value) -> Value:
    if value is UNKNOWN:
        return value
    match declared.kind:
        case Kind.STRING:
            return _text(value)
        case Kind.INTEGER | Kind.NUMBER:
            return _number(value, whole=declared.kind is Kind.INTEGER)
        case Kind.BOOLEAN:
            return _truth(value)
        case Kind.LIST:
            items = value.split(",") if isinstance(value, str) and value else value
            if not isinstance(items, list | tuple):
                return [] if value == "" else value
            item = declared.items
            kept = [one for one in items if one is not NO_VALUE]
            return kept if item is None else [_normal(item, one) for one in kept]
        case Kind.MAP:
            if not isinstance(value, Mapping):
                return value
            if declared.schema is None:
                return {name: one for name, one in value.items() if one is not NO_VALUE}
            return _normal_map(_shape(declared.schema), value)
        case Kind.ANY:
            return value


def _outermost(declared: Property, value: Value) -> Value:
    """As `_normal`, but what is inside a list or map is left as it is, unless a limit looks at it."""
    if declared.constraints or declared.kind not in (Kind.LIST, Kind.MAP):
        return _normal(declared, value)
    if declared.kind is Kind.LIST and isinstance(value, str):
        return value.split(",") if value else []
    return [one for one in value if one is not NO_VALUE] if isinstance(value, list | tuple) else value


def _text(value: Value) -> Value:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) else value


def _number(value: Value, *, whole: bool) -> Value:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer() and whole:
        return int(value)
    if not isinstance(value, str):
        return value
    for convert in (int,) if whole else (int, float):
        try:
            return convert(value.strip())
        except ValueError:
            continue
    return value


_TRUTHS = {"true": True, "false": False}


def _truth(value: Value) -> Value:
    return _TRUTHS.get(value.strip().lower(), value) if isinstance(value, str) else value


# --- what is wrong with them ------------------------------------------------------------------------------------------
def check_properties(kind: ResourceType, properties: Mapping[str, Value]) -> list[Finding]:
    """Every finding about `properties`, as written or normalised; UNKNOWN may be anywhere inside."""
    if kind.any_properties:
        return []
    return list(_check_map(kind.properties, properties, ()))


def check_map(declared: Mapping[str, Property], given: Mapping[str, Value]) -> list[Finding]:
    """Every finding about a map with these keys, such as an update policy."""
    return list(_check_map(declared, given, ()))


def _check_map(declared: Mapping[str, Property], given: Mapping[str, Value], path: Path) -> Iterator[Finding]:
    shape = _shape(declared)
    present = set()
    meant = set()
    for name, value in given.items():
        one = declared.get(name)
        if one is None:
            known = [known for known, found in declared.items() if found.support != "HIDDEN"]
            meant.add(closest(name, known))
            yield Finding((*path, name), f"Unknown Property {name}", "UnknownProperty", _known(name, known))
        elif value is not None and value is not NO_VALUE:
            present.add(shape.moved.get(name, name))
            if one.stands_for is not None and given.get(one.stands_for) is not None:
                yield Finding((*path, name), f"Cannot use {name} and {one.stands_for} together", "PropertyConflict")
            if value is not shape.defaults.get(name, _NOTHING):
                yield from _check(one, value, (*path, name))
    for name in shape.required:
        if name not in present and name not in meant:
            yield Finding(path, f"Property {name} not assigned", "PropertyMissing", f"Add {name}.")


_NOTHING = object()


def _known(name: str, known: Sequence[str]) -> str:
    return did_you_mean(name, known) or f"There is: {', '.join(sorted(known)) or 'none'}."


def _check(declared: Property, value: Value, path: Path) -> Iterator[Finding]:
    normal = _outermost(declared, value)
    if normal is UNKNOWN:
        return
    wrong = _wrong_type(declared.kind, normal)
    if wrong is not None:
        yield Finding(path, wrong, "PropertyType", _instead(declared.kind, normal))
        return
    for limit in declared.constraints:
        broken = violation(limit, normal)
        if broken is not None:
            near = did_you_mean(normal, [str(one) for one in limit.allowed_values or ()])
            yield Finding(path, broken, "PropertyConstraint", near)
    if declared.kind is Kind.LIST and declared.items is not None:
        for position, item in enumerate(normal):
            if item is not None:
                yield from _check(declared.items, item, (*path, position))
    elif declared.kind is Kind.MAP and declared.schema is not None:
        # As written, so that an older name is found where it stands.
        yield from _check_map(declared.schema, value, path)


def _wrong_type(kind: Kind, value: Value) -> str | None:
    match kind:
        case Kind.STRING:
            return None if isinstance(value, str) else f"Value must be a string; got {value!r}"
        case Kind.INTEGER:
            fits = isinstance(value, int) and not isinstance(value, bool)
            return None if fits else f"Value '{value}' is not an integer"
        case Kind.NUMBER:
            fits = isinstance(value, int | float) and not isinstance(value, bool)
            return None if fits else f"Value '{value}' is not a number"
        case Kind.BOOLEAN:
            return None if isinstance(value, bool) else f'"{value}" is not a valid boolean'
        case Kind.LIST:
            return None if isinstance(value, list | tuple) else f'"{value!r}" is not a list'
        case Kind.MAP:
            return None if isinstance(value, Mapping) else f'"{value}" is not a map'
        case Kind.ANY:
            return None


def _instead(kind: Kind, value: Value) -> str:
    match kind:
        case Kind.BOOLEAN:
            return "Write true or false."
        case Kind.LIST:
            return "Write [first, second]."
        case Kind.MAP:
            return "Write {key: value}."
        case _ if isinstance(value, Mapping) and len(value) == 1:
            return f"{next(iter(value))} is none of the template's functions."
        case _ if isinstance(value, Mapping):
            return "Write one value; a function is the only key of its map."
        case _ if isinstance(value, list | tuple):
            return "Write one value, not a list."
        case Kind.INTEGER | Kind.NUMBER:
            return "Write a number."
        case _:
            return ""


def cloud_questions(kind: ResourceType, properties: Mapping[str, Value]) -> list[tuple[Path, str, str]]:
    """(path, what `Cloud.resolve` is asked for, value) of every known value that an object of the cloud must bear."""
    if kind.any_properties:
        return []
    return list(_questions_map(kind.properties, properties, ()))


def _questions_map(
    declared: Mapping[str, Property], given: Mapping[str, Value], path: Path
) -> Iterator[tuple[Path, str, str]]:
    for name, value in given.items():
        one = declared.get(name)
        if one is not None and value is not None:
            yield from _questions(one, value, (*path, name))


def _questions(declared: Property, value: Value, path: Path) -> Iterator[tuple[Path, str, str]]:
    if isinstance(value, str):
        for limit in declared.constraints:
            asked = cloud_kind(limit.custom) if limit.custom is not None else None
            if asked is not None and value:
                yield path, asked, value
    elif isinstance(value, list | tuple) and declared.items is not None:
        for position, item in enumerate(value):
            yield from _questions(declared.items, item, (*path, position))
    elif isinstance(value, Mapping) and declared.schema is not None:
        yield from _questions_map(declared.schema, value, path)


# --- what a change costs ------------------------------------------------------------------------------------------
def difference(kind: ResourceType, before: Mapping[str, Value], after: Mapping[str, Value]) -> Difference:
    """Compare normalised properties. Raises Invalid when a property that never changes was changed (ENGU-04)."""
    if before == after:
        return NO_DIFFERENCE
    names = {*before, *after}
    changed = frozenset(name for name in names if before.get(name) != after.get(name))
    if kind.any_properties:
        return Difference(changed)
    replace = maybe = False
    for name in changed:
        declared = kind.properties.get(name)
        update = Update.REPLACE if declared is None else declared.update
        if update is Update.IMMUTABLE:
            raise invalid(
                "ImmutableProperty",
                f"Property {name} of {kind.name} cannot be changed once the resource is made.",
                "Give it its old value, or give the resource another name.",
            )
        if update is Update.REPLACE:
            if is_known(after.get(name)):
                replace = True
            else:
                maybe = True
    return Difference(changed, replace, maybe and not replace)
