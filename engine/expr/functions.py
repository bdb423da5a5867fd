"""What the functions of both dialects do with known values. Plain Python in, plain Python out; `Refused` for the rest.

Rows: heat.md TF-01…25 and TC-01…12, cloudformation.md L14…L40; the sentences are those of W46 where it has them.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import ipaddress
import itertools
import json
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode, urlunsplit

from engine.expr.json_text import parse_json
from engine.expr.yaql import YaqlFailed, check_yaql, evaluate_yaql
from engine.model.expression import ReplaceMode
from engine.model.value import UNKNOWN, Value, is_known

_MOST_REPEATED = 10_000  # items one `repeat` may make
_MOST_TEXT = 4 * 1024 * 1024  # characters one function may make, in one text or in many
_NODE = 64  # what a list, a map or a text counts among these beside its characters
_MOST_STEPS = 1_000_000  # pieces of text times keys that one replacement may look at


class Refused(Exception):
    """The arguments do not fit; the text is for the user."""

    def __init__(self, message: str, code: str = "InvalidFunctionArgument") -> None:
        super().__init__(message)
        self.code = code


def text_of(value: Value) -> str:
    """A scalar as text, the way both dialects show it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return _json(value, sort_keys=True) if isinstance(value, dict | list | tuple) else str(value)


def _json(value: Value, **form: Any) -> str:
    """Values inside may be the same one over and over, which JSON writes out each time."""
    if weight(value, _MOST_TEXT) > _MOST_TEXT:
        raise _too_much()
    return json.dumps(value, **form)


def weight(value: Value, enough: int) -> int:
    """About how many characters `value` is as JSON; counting ends beyond `enough`."""
    total, todo = 0, [value]
    while todo and total <= enough:
        here = todo.pop()
        if isinstance(here, str):
            total += len(here) + 2
        elif isinstance(here, Mapping):
            total += 2 + sum(len(key) + 4 for key in here if isinstance(key, str))
            todo.extend(here.values())
        elif isinstance(here, list | tuple):
            total += 2 * len(here) + 2
            todo.extend(here)
        else:
            total += 8
    return total


def comparable(value: Value) -> Value:
    """CloudFormation compares text: numbers and booleans equal their text."""
    if isinstance(value, Mapping):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [comparable(item) for item in value]
    return text_of(value)


def _too_much() -> Refused:
    return Refused(f"A function would make more than {_MOST_TEXT} characters.", "TooLarge")


def _joined(delimiter: str, parts: Sequence[str]) -> str:
    if sum(map(len, parts)) + len(delimiter) * len(parts) > _MOST_TEXT:
        raise _too_much()
    return delimiter.join(parts)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Refused("The text holds half a character, a lone surrogate.") from error


_KINDS: Final = {
    str: "text", bool: "a boolean", int: "a number", float: "a number", dict: "a map", list: "a list", tuple: "a list",
}  # fmt: skip


def kind_of(value: Value) -> str:
    """What a value is, in a user's words."""
    return "null" if value is None else _KINDS.get(type(value), type(value).__name__)


def shown(value: Value) -> str:
    """A value in a sentence."""
    return kind_of(value) if isinstance(value, dict | list | tuple) else text_of(value)[:200]


_NO_INDEX: Final = (ValueError, TypeError, OverflowError)  # what int() raises for what is no number


def _list(value: Value, what: str) -> Sequence[Value]:
    if not isinstance(value, list | tuple):
        raise Refused(f"{what} must be a list, not {kind_of(value)}.")
    return value


# --- text -----------------------------------------------------------------------------------------------------------
def concat(parts: Sequence[Value]) -> str:
    for part in parts:
        if isinstance(part, dict | list | tuple):
            raise Refused("Template error: variable names in Fn::Sub syntax must give strings, not a list or a map.")
    return _joined("", [text_of(part) for part in parts])


def join(delimiter: Value, lists: Sequence[Value], serialize: bool) -> str:
    if not isinstance(delimiter, str):
        raise Refused("The delimiter of a join must be a string.")
    items: list[str] = []
    for one in lists:
        if one is None or (one == "" and serialize):
            continue  # what a path that leads nowhere gives
        for item in _list(one, "What is joined"):
            if isinstance(item, dict | list | tuple) and not serialize:
                raise Refused("Items to join must be strings, not maps or lists.")
            items.append(text_of(item))
    return _joined(delimiter, items)


def split(delimiter: Value, text: Value, index: Value) -> Value:
    if text is None:
        return None
    if not isinstance(delimiter, str) or not isinstance(text, str):
        raise Refused("A split needs a delimiter and a text, both strings.")
    if not delimiter:
        raise Refused("The delimiter of a split must not be empty.")
    parts = text.split(delimiter)
    if index is None:
        return parts
    try:
        at = int(index)
    except _NO_INDEX as error:
        raise Refused(f"Incorrect index {shown(index)!r} for a split into {len(parts)} parts.") from error
    if not -len(parts) <= at < len(parts):  # Heat counts from the end too
        raise Refused(f"Incorrect index {at}: it should be between 0 and {len(parts) - 1}.")
    return parts[at]


def replace(template: Value, params: Value, mode: ReplaceMode, serialize: bool) -> Value:
    if template is None:
        return None
    if not isinstance(params, Mapping):
        raise Refused('"params" of a replacement must be a map.')
    text = text_of(template)
    values: dict[str, str] = {}
    for key, value in params.items():
        if isinstance(value, dict | list | tuple) and not serialize:
            raise Refused('"params" of a replacement must be strings.')
        if mode is ReplaceMode.VERY_STRICT and (value is None or value in ("", [], {})):
            raise Refused(f"The parameter {key} of str_replace_vstrict has no value; str_replace_strict allows that.")
        # Heat writes booleans as Python does here, and scripts compare with "True".
        values[str(key)] = str(value) if isinstance(value, bool) else text_of(value)
    if mode is not ReplaceMode.PLAIN:
        missing = sorted(key for key in values if key not in text)
        if missing:
            raise Refused(f"The following params were not found in the template: {', '.join(missing)}")
    return _replace_once(text, sorted(values, key=lambda key: (-len(key), key)), values)


def _replace_once(text: str, keys: Sequence[str], values: Mapping[str, str]) -> str:
    """Longest key first; what was put in is not looked at again."""
    if "" in values:
        raise Refused("A replacement cannot replace the empty string.")
    pieces, put, steps = [text], {0: ""}, 0  # what is left of the text, and what goes before each piece of it
    for key in keys:
        if key not in text:
            continue
        steps += len(pieces)
        if steps > _MOST_STEPS:
            raise _too_much()
        pieces, put = _cut(pieces, put, key, values[key])
    return _joined("", [part for place, piece in enumerate(pieces) for part in (put.get(place, ""), piece)])


def _cut(pieces: Sequence[str], put: Mapping[int, str], key: str, value: str) -> tuple[list[str], dict[int, str]]:
    """`pieces` without `key`, `value` before each piece that followed one."""
    cut: list[str] = []
    before: dict[int, str] = {}
    for place, piece in enumerate(pieces):
        if place in put:
            before[len(cut)] = put[place]
        parts = piece.split(key)
        before.update(dict.fromkeys(range(len(cut) + 1, len(cut) + len(parts)), value))
        cut += parts
    return cut, before


def base64_text(text: Value) -> str:
    if isinstance(text, dict | list):
        raise Refused("Template error: every Fn::Base64 object must have a String-typed value.")
    return base64.b64encode(_utf8(text_of(text))).decode()


def digest(algorithm: Value, value: Value) -> str:
    if not isinstance(algorithm, str) or algorithm.lower() not in hashlib.algorithms_available:
        raise Refused(f"Algorithm must be one of {', '.join(sorted(hashlib.algorithms_guaranteed))}.")
    if not isinstance(value, str):
        raise Refused(f"Only text can be digested, not {kind_of(value)}.")
    try:
        data = value.encode("latin-1")  # as Heat does, so that digests are the same
    except UnicodeEncodeError as error:
        raise Refused(f"Only text of latin-1 can be digested; {value[error.start]!r} is not in it.") from error
    try:
        return hashlib.new(algorithm.lower(), data, usedforsecurity=False).hexdigest()
    except (TypeError, ValueError) as error:  # the shake family, and what OpenSSL was built without
        raise Refused(f"{algorithm} makes no digest of a fixed length here; sha256 does.") from error


def to_json(value: Value) -> str:
    return _json(value, separators=(",", ":"))


# --- lists and maps -------------------------------------------------------------------------------------------------
def select(index: Value, source: Value, lenient: bool) -> Value:
    if lenient:
        return _select_leniently(index, source)
    if isinstance(source, str):
        raise Refused(
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
        )
    if not isinstance(source, list | tuple):
        raise Refused(
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
        )
    try:
        at = int(index)
    except _NO_INDEX as error:
        raise Refused(
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
        ) from error
    if not 0 <= at < len(source):
        raise Refused(f"Template error: Fn::Select cannot select nonexistent value at index {at}")
    if source[at] is None:
        raise Refused("Template error: Fn::Select cannot select a null value")
    return source[at]


def _select_leniently(index: Value, source: Value) -> Value:
    if source == "":
        return ""
    if isinstance(source, str):
        try:
            source = parse_json(source)
        except ValueError as error:
            raise Refused("Arguments to Fn::Select must be a list, a map, or JSON text of one.") from error
    if isinstance(source, Mapping):
        return source.get(text_of(index), "")
    if isinstance(source, list | tuple):
        try:
            return source[int(index)]
        except (IndexError, *_NO_INDEX):
            return ""
    if source is None:
        return ""
    raise Refused("Arguments to Fn::Select must be a list or a map.")


def length(source: Value) -> int:
    if isinstance(source, Mapping):
        return len(source)
    return len(_list(source, "The argument of Fn::Length"))


def contains(value: Value, sequence: Value, as_text: bool) -> bool:
    if isinstance(sequence, str):
        return text_of(value) in sequence
    if isinstance(sequence, Mapping):
        return not isinstance(value, dict | list | tuple) and value in sequence
    items = _list(sequence, "Where is searched")
    return value in items or (as_text and comparable(value) in [comparable(item) for item in items])


def each_member_in(members: Value, sequence: Value) -> bool:
    allowed = _Members(comparable(_list(sequence, "The second list")))
    return all(item in allowed for item in comparable(_list(members, "The first list")))


def each_member_equals(members: Value, value: Value) -> bool:
    return all(item == comparable(value) for item in comparable(_list(members, "The list")))


def filter_list(unwanted: Value, source: Value) -> Value:
    if source is None or unwanted is None:
        return source
    refused = _Members(_list(unwanted, "The values to filter out"))
    return [item for item in _list(source, "What is filtered") if item not in refused]


def list_concat(lists: Value, unique: bool) -> list[Value]:
    found: list[Value] = []
    for one in _list(lists, "What is concatenated"):
        found.extend(() if one is None else _list(one, "Each part"))
    if not unique:
        return found
    kept = _Members()
    return [item for item in found if kept.add(item)]


class _Members:
    """Values to be found again quickly, lists and maps too."""

    def __init__(self, values: Sequence[Value] = ()) -> None:
        self._frozen = {_frozen(value) for value in values}

    def add(self, value: Value) -> bool:
        """Whether it was not there yet."""
        before = len(self._frozen)
        self._frozen.add(_frozen(value))
        return len(self._frozen) > before

    def __contains__(self, value: Value) -> bool:
        return _frozen(value) in self._frozen


def _frozen(value: Value) -> Hashable:
    """Equal for values that are equal, and for no others."""
    if isinstance(value, Mapping):
        return frozenset((key, _frozen(item)) for key, item in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def map_merge(maps: Value) -> dict[str, Value]:
    merged: dict[str, Value] = {}
    for one in _list(maps, "What is merged"):
        if one is not None:
            if not isinstance(one, Mapping):
                raise Refused("Every part of a map_merge must be a map.")
            merged.update(one)
    return merged


def map_replace(source: Value, changes: Value) -> Value:
    if source is None:
        return {}
    keys, values = _changes(changes)
    if not isinstance(source, Mapping):
        raise Refused(f"map_replace works on a map, not on {kind_of(source)}.")
    renamed: dict[Any, Value] = {}
    for key, value in source.items():
        name = key if keys.get(key) is None else keys[key]
        if isinstance(name, dict | list | tuple):
            raise Refused(f"map_replace cannot make {kind_of(name)} a key.")
        name = text_of(name)
        if name in renamed or (name != key and name in source):
            raise Refused(f"map_replace would give two entries the key {name}.")
        hashable = isinstance(value, str | int | float | bool)
        renamed[name] = values.get(value, value) if hashable else value
    return renamed


def _changes(changes: Value) -> tuple[Mapping[Any, Value], Mapping[Any, Value]]:
    given = {} if changes is None else changes
    if isinstance(given, Mapping) and not set(given) - {"keys", "values"}:
        keys, values = given.get("keys") or {}, given.get("values") or {}
        if isinstance(keys, Mapping) and isinstance(values, Mapping):
            return keys, values
    raise Refused("map_replace needs a map of keys and values, each a map of what is to what it becomes.")


def member_list_to_map(key_name: Value, value_name: Value, members: Value) -> dict[str, str]:
    if not isinstance(key_name, str) or not isinstance(value_name, str):
        raise Refused("The names of keys and values in Fn::MemberListToMap are strings.")
    rows: dict[str, dict[str, str]] = {}
    for member in _list(members, "The member list"):
        name, _, value = text_of(member).partition("=")
        parts = name.split(".")
        if len(parts) >= 4 and parts[1] == "member":
            rows.setdefault(parts[2], {})[parts[3]] = value
    return {row[key_name]: row[value_name] for row in rows.values() if key_name in row and value_name in row}


# --- loops ----------------------------------------------------------------------------------------------------------
def repeat(template: Value, loops: Value, product: Value) -> list[Value]:
    if not isinstance(loops, Mapping):
        raise Refused(f"The for_each of a repeat is a map of variables to lists, not {kind_of(loops)}.")
    if not isinstance(product, bool):
        raise Refused(f"permutations of a repeat is true or false, not {shown(product)}.")
    sources = []
    for name, source in loops.items():
        values: Sequence[Value] = [] if source is None else list(source) if isinstance(source, Mapping) else source
        sources.append(_list(values, f"The values of {name} in repeat"))
    size = math.prod(len(one) for one in sources) if product else min((len(one) for one in sources), default=0)
    if size > _MOST_REPEATED:
        raise Refused(f"A repeat would make {size} items; {_MOST_REPEATED} is the most.", "TooLarge")
    counts = {len(one) for one, given in zip(sources, loops.values(), strict=True) if given is not None}
    if not product and len(counts) > 1:
        raise Refused("The lists of a repeat without permutations must have the same length.")
    rows = itertools.product(*sources) if product else zip(*sources, strict=False)
    names, budget = [text_of(name) for name in loops], _Budget(_MOST_TEXT)
    return [_substituted(template, dict(zip(names, row, strict=True)), budget) for row in rows]


class _Budget:
    """How much a function may still make."""

    def __init__(self, left: int) -> None:
        self._left = left

    def spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _too_much()


def _substituted(template: Value, bound: Mapping[str, Value], budget: _Budget) -> Value:
    budget.spend(_NODE)
    if isinstance(template, str):
        text = template
        for name, value in bound.items():  # one after the other, what was put in included, as Heat does
            if text == name and not isinstance(value, str):
                return value
            if name in text:
                if not is_known(value):
                    return UNKNOWN
                put = text_of(value)
                budget.spend(len(text) + text.count(name) * len(put))
                text = text.replace(name, put)
        return text
    if isinstance(template, Mapping):
        keys = {key: _substituted(key, bound, budget) for key in template}
        if any(not isinstance(key, str | int | float) for key in keys.values()):
            return UNKNOWN
        return {text_of(keys[key]): _substituted(item, bound, budget) for key, item in template.items()}
    if isinstance(template, list | tuple):
        return [_substituted(item, bound, budget) for item in template]
    return template


# --- addresses and URLs ---------------------------------------------------------------------------------------------
def cidr(block: Value, count: Value, bits: Value) -> list[str]:
    """L29: `bits` are host bits, so that /24 blocks have 8."""
    try:
        network = ipaddress.ip_network(text_of(block), strict=False)
        wanted, host_bits = int(count), int(bits) if bits not in (None, "") else 0
    except _NO_INDEX as error:
        raise Refused(f"Template error: every Fn::Cidr object needs a CIDR block, a count and bits: {error}") from error
    if not 1 <= wanted <= 256:
        raise Refused("Template error: the count of Fn::Cidr is a number from 1 to 256.")
    prefix = network.max_prefixlen - host_bits
    if not network.prefixlen <= prefix <= network.max_prefixlen or 2 ** (prefix - network.prefixlen) < wanted:
        raise Refused(f"Template error: Fn::Cidr cannot make {wanted} blocks of {host_bits} bits out of {block}.")
    return [str(subnet) for subnet in itertools.islice(network.subnets(new_prefix=prefix), wanted)]


_URL_PARTS: Final = {"scheme", "username", "password", "host", "port", "path", "query", "fragment"}


def make_url(parts: Value) -> str:
    if not isinstance(parts, Mapping):
        raise Refused(f"make_url takes a map, not {kind_of(parts)}.")
    unknown = sorted(str(name) for name in set(parts) - _URL_PARTS)
    if unknown:
        raise Refused(f"make_url has no {', '.join(unknown)}; it takes {', '.join(sorted(_URL_PARTS))}.")
    scheme = _part(parts, "scheme")
    if ":" in scheme:
        raise Refused('The scheme of make_url is written without ":".')
    query = parts.get("query") or {}
    if not isinstance(query, Mapping):
        raise Refused(f"The query of make_url is a map, not {kind_of(query)}.")
    # Heat leaves slashes in queries, and writes booleans as Python does.
    given = {key: "" if value is None else value for key, value in query.items()}
    asked = urlencode(given, errors="replace").replace("%2F", "/")
    return urlunsplit((scheme, _authority(parts), quote(_part(parts, "path")), asked, quote(_part(parts, "fragment"))))


def _part(parts: Mapping[str, Value], name: str) -> str:
    value = parts.get(name)
    if isinstance(value, dict | list | tuple):
        raise Refused(f"The {name} of make_url is text, not {kind_of(value)}.")
    return _utf8(text_of(value)).decode()


def _authority(parts: Mapping[str, Value]) -> str:
    user, password = (quote(_part(parts, name), safe="") for name in ("username", "password"))
    host = _part(parts, "host")
    host = quote(host[1:-1] if host.startswith("[") and host.endswith("]") else host, safe=":")
    if ":" in host:
        host = f"[{host}]"
    port = parts.get("port")
    if port not in (None, ""):
        try:
            number = int(port)
        except _NO_INDEX as error:
            raise Refused(f"Invalid URL port {shown(port)}: a number from 1 to 65535 is needed.") from error
        if not 0 < number < 65536:
            raise Refused(f"Invalid URL port {number}: it is from 1 to 65535.")
        host += f":{number}"
    if not user and not password:
        return host
    return f"{user}:{password}@{host}" if password else f"{user}@{host}"


# --- tables, yaql ---------------------------------------------------------------------------------------------------
def table_lookup(rows: Sequence[tuple[str, Value]], key: str) -> Value:
    """The value of the first row whose glob matches, None when none does."""
    for pattern, value in rows:
        if pattern == key or fnmatch.fnmatchcase(key, pattern):
            return value
    return None


def yaql(expression: Value, data: Value) -> Value:
    """`data` that are not known yet give UNKNOWN, once the expression has been found well-formed (TF-15)."""
    if not isinstance(expression, str):
        raise Refused("The expression of a yaql function is a string.")
    try:
        if not is_known(data):
            check_yaql(expression)
            return UNKNOWN
        return evaluate_yaql(expression, data)
    except YaqlFailed as error:
        raise Refused(f'yaql cannot evaluate "{expression[:200]}": {error}.', "YaqlFailed") from error
