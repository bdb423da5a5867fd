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
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from engine.expr.yaql import YaqlFailed, check_yaql, evaluate_yaql
from engine.model.expression import ReplaceMode
from engine.model.value import UNKNOWN, Value, is_known

_MOST_REPEATED = 10_000  # items one `repeat` may make
_MOST_TEXT = 4 * 1024 * 1024  # characters one function may make


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
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list | tuple) else str(value)


def comparable(value: Value) -> Value:
    """CloudFormation compares text: numbers and booleans equal their text."""
    if isinstance(value, Mapping):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [comparable(item) for item in value]
    return text_of(value)


def _bounded(text: str) -> str:
    if len(text) > _MOST_TEXT:
        raise Refused(f"A function made more than {_MOST_TEXT} characters.", "TooLarge")
    return text


def _list(value: Value, what: str) -> Sequence[Value]:
    if not isinstance(value, list | tuple):
        raise Refused(f"{what} must be a list, not {type(value).__name__}.")
    return value


# --- text -----------------------------------------------------------------------------------------------------------
def concat(parts: Sequence[Value]) -> str:
    for part in parts:
        if isinstance(part, dict | list | tuple):
            raise Refused("Template error: variable names in Fn::Sub syntax must give strings, not a list or a map.")
    return _bounded("".join(text_of(part) for part in parts))


def join(delimiter: Value, lists: Sequence[Value], serialize: bool) -> str:
    if not isinstance(delimiter, str):
        raise Refused("The delimiter of a join must be a string.")
    items: list[str] = []
    for one in lists:
        if one is None and serialize:
            continue
        for item in _list(one, "What is joined"):
            if isinstance(item, dict | list | tuple) and not serialize:
                raise Refused("Items to join must be strings, not maps or lists.")
            items.append(text_of(item))
    return _bounded(delimiter.join(items))


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
    except (ValueError, TypeError) as error:
        raise Refused(f"Incorrect index {index!r} for a split into {len(parts)} parts.") from error
    if not 0 <= at < len(parts):
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
        if mode is ReplaceMode.VERY_STRICT and value in (None, "", [], {}):
            raise Refused(f"The parameter {key} of str_replace_vstrict has no value.")
        # Heat writes booleans as Python does here, and scripts compare with "True".
        values[str(key)] = str(value) if isinstance(value, bool) else text_of(value)
    if mode is not ReplaceMode.PLAIN:
        missing = sorted(key for key in values if key not in text)
        if missing:
            raise Refused(f"The following params were not found in the template: {', '.join(missing)}")
    return _bounded(_replace_once(text, sorted(values, key=lambda key: (-len(key), key)), values))


def _replace_once(text: str, keys: Sequence[str], values: Mapping[str, str]) -> str:
    """Longest key first; what was put in is not looked at again."""
    if not keys:
        return text
    key, rest = keys[0], keys[1:]
    if not key:
        raise Refused("A replacement cannot replace the empty string.")
    return values[key].join(_replace_once(piece, rest, values) for piece in text.split(key))


def base64_text(text: Value) -> str:
    if isinstance(text, dict | list):
        raise Refused("Template error: every Fn::Base64 object must have a String-typed value.")
    return base64.b64encode(text_of(text).encode()).decode()


def digest(algorithm: Value, value: Value) -> str:
    if not isinstance(algorithm, str) or algorithm.lower() not in hashlib.algorithms_available:
        raise Refused(f"Algorithm must be one of {', '.join(sorted(hashlib.algorithms_guaranteed))}.")
    if not isinstance(value, str):
        raise Refused("Only strings can be digested.")
    try:
        made = hashlib.new(algorithm.lower(), value.encode("latin-1"), usedforsecurity=False)
        return made.hexdigest()
    except (UnicodeEncodeError, TypeError, ValueError) as error:
        raise Refused(f"The value cannot be digested with {algorithm}: {error}.") from error


def to_json(value: Value) -> str:
    return json.dumps(value, separators=(",", ":"))


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
    except (ValueError, TypeError) as error:
        raise Refused(
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
        ) from error
    if not 0 <= at < len(source):
        raise Refused(f"Template error: Fn::Select cannot select nonexistent value at index {at}")
    if source[at] is None:
        raise Refused("Template error: Fn::Select cannot select a null value")
    return source[at]


def _select_leniently(index: Value, source: Value) -> Value:
    if isinstance(source, str):
        try:
            source = json.loads(source)
        except ValueError as error:
            raise Refused("Arguments to Fn::Select must be a list, a map, or JSON text of one.") from error
    if isinstance(source, Mapping):
        return source.get(str(index), "")
    if isinstance(source, list | tuple):
        try:
            return source[int(index)]
        except (IndexError, ValueError, TypeError):
            return ""
    if source is None:
        return ""
    raise Refused("Arguments to Fn::Select must be a list or a map.")


def length(source: Value) -> int:
    if isinstance(source, Mapping):
        return len(source)
    return len(_list(source, "The argument of Fn::Length"))


def contains(value: Value, sequence: Value) -> bool:
    if isinstance(sequence, str):
        return text_of(value) in sequence
    if isinstance(sequence, Mapping):
        return value in sequence
    items = _list(sequence, "Where is searched")
    return value in items or comparable(value) in [comparable(item) for item in items]


def each_member_in(members: Value, sequence: Value) -> bool:
    allowed = comparable(_list(sequence, "The second list"))
    return all(item in allowed for item in comparable(_list(members, "The first list")))


def each_member_equals(members: Value, value: Value) -> bool:
    return all(item == comparable(value) for item in comparable(_list(members, "The list")))


def filter_list(unwanted: Value, source: Value) -> Value:
    if source is None:
        return None
    refused = _list(unwanted, "The values to filter out")
    return [item for item in _list(source, "What is filtered") if item not in refused]


def list_concat(lists: Value, unique: bool) -> list[Value]:
    found: list[Value] = []
    for one in _list(lists, "What is concatenated"):
        found.extend(() if one is None else _list(one, "Each part"))
    if not unique:
        return found
    kept: list[Value] = []
    for item in found:
        if item not in kept:
            kept.append(item)
    return kept


def map_merge(maps: Value) -> dict[str, Value]:
    merged: dict[str, Value] = {}
    for one in _list(maps, "What is merged"):
        if one is not None:
            if not isinstance(one, Mapping):
                raise Refused("Every part of a map_merge must be a map.")
            merged.update(one)
    return merged


def map_replace(source: Value, keys: Value, values: Value) -> Value:
    if source is None:
        return None
    if not isinstance(source, Mapping):
        raise Refused("map_replace works on a map.")
    renamed: dict[Any, Value] = {}
    for key, value in source.items():
        name = (keys or {}).get(key, key)
        if name in renamed or (name != key and name in source):
            raise Refused(f"map_replace would give two entries the key {name}.")
        hashable = isinstance(value, str | int | float | bool)
        renamed[name] = (values or {}).get(value, value) if hashable else value
    return renamed


def member_list_to_map(key_name: Value, value_name: Value, members: Value) -> dict[str, str]:
    rows: dict[str, dict[str, str]] = {}
    for member in _list(members, "The member list"):
        name, _, value = str(member).partition("=")
        parts = name.split(".")
        if len(parts) >= 4 and parts[1] == "member":
            rows.setdefault(parts[2], {})[parts[3]] = value
    return {row[key_name]: row[value_name] for row in rows.values() if key_name in row and value_name in row}


# --- loops ----------------------------------------------------------------------------------------------------------
def repeat(template: Value, lists: Sequence[tuple[str, Value]], product: bool) -> list[Value]:
    names = [name for name, _ in lists]
    sources = []
    for name, source in lists:
        values: Sequence[Value] = [] if source is None else list(source) if isinstance(source, Mapping) else source
        sources.append(_list(values, f"The values of {name} in repeat"))
    size = 1
    for one in sources:
        size *= len(one)
    if product and size > _MOST_REPEATED:
        raise Refused(f"A repeat would make {size} items; {_MOST_REPEATED} is the most.", "TooLarge")
    if not product and len({len(one) for one in sources}) > 1:
        raise Refused("The lists of a repeat without permutations must have the same length.")
    rows = itertools.product(*sources) if product else zip(*sources, strict=True)
    return [_substituted(template, dict(zip(names, row, strict=True))) for row in rows]


def _substituted(template: Value, bound: Mapping[str, Value]) -> Value:
    if isinstance(template, str):
        for name, value in bound.items():
            if template == name:
                return value
        text = template
        for name in sorted(bound, key=len, reverse=True):
            if name in text:
                if not is_known(bound[name]):
                    return UNKNOWN
                text = text.replace(name, text_of(bound[name]))
        return _bounded(text)
    if isinstance(template, Mapping):
        keys = {key: _substituted(key, bound) for key in template}
        if any(not isinstance(key, str | int | float) for key in keys.values()):
            return UNKNOWN
        return {keys[key]: _substituted(item, bound) for key, item in template.items()}
    if isinstance(template, list | tuple):
        return [_substituted(item, bound) for item in template]
    return template


# --- addresses and URLs ---------------------------------------------------------------------------------------------
def cidr(block: Value, count: Value, bits: Value) -> list[str]:
    """L29: `bits` are host bits, so that /24 blocks have 8."""
    try:
        network = ipaddress.ip_network(str(block), strict=False)
        wanted, host_bits = int(count), int(bits) if bits not in (None, "") else 0
    except (ValueError, TypeError) as error:
        raise Refused(f"Template error: every Fn::Cidr object needs a CIDR block, a count and bits: {error}") from error
    if not 1 <= wanted <= 256:
        raise Refused("Template error: the count of Fn::Cidr is a number from 1 to 256.")
    prefix = network.max_prefixlen - host_bits
    if not network.prefixlen <= prefix <= network.max_prefixlen or 2 ** (prefix - network.prefixlen) < wanted:
        raise Refused(f"Template error: Fn::Cidr cannot make {wanted} blocks of {host_bits} bits out of {block}.")
    return [str(subnet) for subnet in itertools.islice(network.subnets(new_prefix=prefix), wanted)]


_URL_PARTS = {"scheme", "username", "password", "host", "port", "path", "query", "fragment"}


def make_url(parts: Value) -> str:
    if not isinstance(parts, Mapping) or set(parts) - _URL_PARTS:
        raise Refused(f"make_url takes a map of {', '.join(sorted(_URL_PARTS))}.")
    scheme, host = parts.get("scheme"), parts.get("host")
    url = f"{scheme}:" if scheme else ""
    authority = _authority(parts)
    if authority or host is not None:
        url += f"//{authority}"
    path = str(parts.get("path") or "")
    if path and authority and not path.startswith("/"):
        path = f"/{path}"
    url += quote(path)
    query = parts.get("query")
    if query:
        if not isinstance(query, Mapping):
            raise Refused("The query of make_url is a map.")
        url += "?" + urlencode({key: text_of(value) for key, value in query.items()})
    fragment = parts.get("fragment")
    return f"{url}#{quote(str(fragment))}" if fragment else url


def _authority(parts: Mapping[str, Value]) -> str:
    host = str(parts.get("host") or "")
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    port = parts.get("port")
    if port not in (None, ""):
        try:
            number = int(port)
        except (ValueError, TypeError) as error:
            raise Refused(f"Invalid URL port {port!r}.") from error
        if not 0 < number < 65536:
            raise Refused(f"Invalid URL port {number}.")
        host += f":{number}"
    user, password = parts.get("username"), parts.get("password")
    if user:
        secret = f":{quote(str(password), safe='')}" if password else ""
        host = f"{quote(str(user), safe='')}{secret}@{host}"
    return host


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
