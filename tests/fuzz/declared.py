"""Templates of one type or a few with every property it has: values that fit, values that nearly do, and odd ones."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from random import Random
from typing import Any, Final

from engine.resources.base import Kind, Property
from engine.resources.registry import Registry
from mappings import Mappings
from tests.fuzz import words

_REGISTRY: Final = Registry(plugins=False)
_ROWS: Final = Mappings()
_DEEPEST: Final = 3
_ODD_NUMBERS: Final = (0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 0.5, 1e308, -0.0, True)
_FORMS: Final = (
    "10.0.0.0/24", "10.0.0.1", "fe80::1", "fa:16:3e:00:00:01", "web", "8080", "1", "80-90", "-1", "tcp", "true", "PT5M",
    "0 4 * * *", "10.0.0.0/33", "256.1.1.1", "::ffff:1.2.3.4/120", "us-east-1a", "ami-1", "subnet-1", "{}", "[]", "a=b",
    "2099-01-01T00:00:00", "1e400", "9" * 5000,
)  # fmt: skip
_VERSIONS: Final = ("2013-05-23", "2015-10-15", "2018-08-31", "2021-04-16")


def declared(random: Random) -> bytes:
    of_aws = random.random() < 0.45
    names = [name for name in words.TYPES if name.startswith("AWS::") == of_aws]
    if not of_aws:
        resources = {f"r{n}": _resource(random.choice(names), random) for n in range(random.randrange(1, 4))}
        document: dict[str, Any] = {"heat_template_version": random.choice(_VERSIONS), "resources": resources}
        return json.dumps(document).encode()
    resources = {f"R{n}": _of_aws(random.choice(names), random) for n in range(random.randrange(1, 5))}
    return json.dumps({"Resources": resources}).encode()


def _resource(name: str, random: Random) -> dict[str, Any]:
    kind = _REGISTRY.get(name)
    found: dict[str, Any] = {"type": name, "properties": _properties(kind.properties, random, _DEEPEST)}
    if random.random() < 0.3:
        found[random.choice(words.KEYS)] = odd(random)
    if kind.update_policy and random.random() < 0.5:
        found["update_policy"] = _properties(kind.update_policy, random, 2)
    return found


def _of_aws(name: str, random: Random) -> dict[str, Any]:
    properties = {key: _form(random) if random.random() < 0.6 else odd(random) for key in _names(name)
                  if random.random() < 0.7}  # fmt: skip
    found: dict[str, Any] = {"Type": name, "Properties": properties}
    if random.random() < 0.3:
        found[random.choice(words.KEYS)] = odd(random)
    return found


@functools.cache
def _names(name: str) -> tuple[str, ...]:
    row = _ROWS.row(name)
    return () if row is None else tuple(sorted(row.known()))


def _properties(declared_as: Mapping[str, Property], random: Random, depth: int) -> dict[str, Any]:
    return {
        name: _value(one, random, depth)
        for name, one in declared_as.items()
        if random.random() < (0.95 if one.required else 0.4)
    }


def _value(one: Property, random: Random, depth: int) -> Any:
    chosen = random.random()
    if chosen < 0.12 or depth == 0:
        return odd(random)
    if chosen < 0.2:
        return _function(_fitting(one, random, depth), random)
    return _fitting(one, random, depth)


def _fitting(one: Property, random: Random, depth: int) -> Any:
    allowed = [word for limit in one.constraints for word in limit.allowed_values or ()]
    if allowed and random.random() < 0.7:
        return random.choice(allowed)
    match one.kind:
        case Kind.STRING:
            return random.choice(_FORMS)
        case Kind.INTEGER | Kind.NUMBER:
            return random.choice((*_ODD_NUMBERS, 1, 2, 3, 10, 20, 100))
        case Kind.BOOLEAN:
            return random.random() < 0.5
        case Kind.LIST if one.items is not None:
            return [
                _value(one.items, random, depth - 1)
                for _ in range(random.choice((0, 1, 2, 2, 40 if depth == _DEEPEST else 1)))
            ]
        case Kind.MAP if one.schema is not None:
            return _properties(one.schema, random, depth - 1)
        case _:
            return odd(random)


def _form(random: Random) -> Any:
    return random.choice((random.choice(_FORMS), random.choice(_ODD_NUMBERS), [random.choice(_FORMS)] * 2, {
        random.choice(("Key", "Value", "Ref", "CidrIp", "IpProtocol", "FromPort", "GroupId", "Ebs")):
        random.choice(_FORMS)}))  # fmt: skip


def _function(argument: Any, random: Random) -> Any:
    return {random.choice(words.FUNCTIONS): random.choice((
        argument, [argument], [argument, odd(random)], [odd(random), argument], [1, [argument, argument]],
        {"template": argument, "for_each": {"x": [1, 2]}}, {"template": "x", "params": {"x": argument}},
        {"expression": "$.data", "data": argument}, ["r0", "show"], "r0", "R0", ["R0", "Arn"],
    ))}  # fmt: skip


def odd(random: Random) -> Any:
    """A JSON value that nobody asked for."""
    chosen = random.random()
    if chosen < 0.3:
        return random.choice(_ODD_NUMBERS)
    if chosen < 0.6:
        return words.odd_text(random)
    if chosen < 0.7:
        return random.choice((None, [], {}, [[]], [{}], {"": None}))
    if chosen < 0.85:
        return [odd(random) for _ in range(random.randrange(1, 3))]
    return {random.choice(words.KEYS): odd(random)}
