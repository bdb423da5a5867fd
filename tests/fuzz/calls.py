"""Templates that compute: every function of both dialects, called as it wants to be called, on values of any kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

from tests.fuzz.declared import odd

_DEEPEST: Final = 3
_PARAMETERS: Final = {"s": "string", "n": "number", "j": "json", "l": "comma_delimited_list", "b": "boolean"}
_DEFAULTS: Final = {"s": "abc,def", "n": 3, "j": {"a": {"b": [1, "2", None]}, "c": "x" * 50}, "l": ["a", "b", "a"],
                    "b": True}  # fmt: skip
_FIRST: Final = {"type": "OS::Heat::Value", "properties": {"value": {"value": ["a"], "a": {"b": 1}}}}
Make = Callable[[], Any]


def calling(random: Random) -> bytes:
    document = _of_heat(random) if random.random() < 0.55 else _of_aws(random)
    text = json.dumps(document)
    return (text if "Resources" not in document else text.replace("null", '"null"')).encode("utf-8", "surrogatepass")


def _of_heat(random: Random) -> dict[str, Any]:
    def make(left: int = _DEEPEST) -> Any:
        return _value(_HEAT, lambda: make(left - 1), random, left)

    def of_kind(name: str) -> Any:
        return random.choice((odd(random), _DEFAULTS[name]))

    def resource() -> dict[str, Any]:
        kind = random.choice(("OS::Heat::Value", "OS::Heat::None", "OS::Heat::TestResource"))
        found: dict[str, Any] = {"type": kind, "properties": {"value": make()}}
        if random.random() < 0.3:
            found["metadata"] = {"m": make()}
        if random.random() < 0.2:
            found["condition"] = random.choice(("c0", "c1"))
        return found

    conditions = {f"c{n}": _HEAT_CONDITIONS[random.choice(list(_HEAT_CONDITIONS))](make, random) for n in range(2)}
    return {
        "heat_template_version": "2021-04-16",
        "parameters": {name: {"type": kind, "default": _DEFAULTS[name] if random.random() < 0.95 else of_kind(name)}
                       for name, kind in _PARAMETERS.items()},
        "conditions": conditions,
        "resources": {"r0": _FIRST, **{name: resource() for name in ("r1", "r2")[: random.randrange(1, 3)]}},
        "outputs": {"o": {"value": make()}},
    }  # fmt: skip


def _of_aws(random: Random) -> dict[str, Any]:
    def make(left: int = _DEEPEST) -> Any:
        return _value(_AWS, lambda: make(left - 1), random, left)

    conditions = {name: _AWS_CONDITIONS[random.choice(list(_AWS_CONDITIONS))](make, random) for name in ("c0", "c1")}
    found: dict[str, Any] = {
        "Parameters": {"s": {"Type": "String", "Default": "abc,def"}, "n": {"Type": "Number", "Default": 3},
                       "l": {"Type": "CommaDelimitedList", "Default": "a,b,a"},
                       "j": {"Type": "List<Number>", "Default": "1,2"}, "b": {"Type": "String", "Default": "true"}},
        "Mappings": {"M": {"abc": {"k": "v", "l": [1, 2]}, "us-east-1": {"k": 5}}},
        "Conditions": conditions,
        "Resources": {"r0": {"Type": "OS::Heat::Value", "Properties": {"value": "abc"}},
                      "r1": {"Type": "OS::Heat::Value", "Properties": {"value": make()}}},
        "Outputs": {"o": {"Value": make(), "Export": {"Name": random.choice(("e", make(2)))}}},
    }  # fmt: skip
    if random.random() < 0.9:
        found["Transform"] = "AWS::LanguageExtensions"
    return found


def _value(calls: Mapping[str, Callable[[Make, Random], Any]], make: Make, random: Random, left: int) -> Any:
    if left <= 0 or random.random() < 0.15:
        return random.choice(("abc", "", "a,b", 0, 1, 3, True, None, [], ["a", "b"], {"a": "b"}, {"a": [1, {"b": 2}]},
                              "10.0.0.0/16", [["a"], ["b"]], "x" * 3000, odd(random)))  # fmt: skip
    name = random.choice(list(calls))
    return calls[name](make, random)


def _word(random: Random) -> str:
    return random.choice(("a", "abc", "b", "0", ",", "${x}", "item", "k", "us-east-1", "sha256", "value", "c"))


def _map(make: Make, random: Random) -> dict[str, Any]:
    return {_word(random): make() for _ in range(random.randrange(1, 4))}


def _several(make: Make, random: Random) -> list[Any]:
    return [make() for _ in range(random.choice((0, 1, 2, 3)))]


_HEAT_CONDITIONS: Final[Mapping[str, Callable[[Make, Random], Any]]] = {
    "equals": lambda make, random: {"equals": [{"get_param": random.choice("snlbj")}, _word(random)]},
    "not": lambda make, random: {"not": {"get_param": random.choice("snlbj")}},
    "and": lambda make, random: {"and": [{"get_param": "b"}, {"equals": [{"get_param": "n"}, 3]}]},
    "yaql": lambda make, random: {"yaql": {"expression": "$.data.a", "data": {"a": {"get_param": "b"}}}},
    "contains": lambda make, random: {"contains": [_word(random), {"get_param": random.choice("slj")}]},
}
_HEAT: Final[Mapping[str, Callable[[Make, Random], Any]]] = {
    "get_param": lambda make, random: {"get_param": random.choice("snjlb")},
    "path": lambda make, random: {"get_param": [random.choice("sjl"), make(), *_several(make, random)]},
    "get_attr": lambda make, random: {"get_attr": ["r0", random.choice(("value", "show")), *_several(make, random)]},
    "get_resource": lambda make, random: {"get_resource": "r0"},
    "list_join": lambda make, random: {"list_join": [_word(random), make(), make()]},
    "str_replace": lambda make, random: {random.choice(("str_replace", "str_replace_strict", "str_replace_vstrict")): {
        "template": make(), "params": random.choice((make, lambda: _map(make, random)))()}},
    "str_split": lambda make, random: {"str_split": [_word(random), make(), make()][: random.choice((2, 3))]},
    "repeat": lambda make, random: {"repeat": {
        "template": make(), "for_each": _map(make, random), "permutations": random.choice((True, False, make()))}},
    "digest": lambda make, random: {"digest": [_word(random), make()]},
    "map_merge": lambda make, random: {"map_merge": random.choice((make(), _several(make, random)))},
    "map_replace": lambda make, random: {"map_replace": [make(), {"keys": make(), "values": make()}]},
    "if": lambda make, random: {"if": [random.choice(("c0", "c1")), make(), make()][: random.choice((2, 3))]},
    "filter": lambda make, random: {"filter": [make(), make()]},
    "make_url": lambda make, random: {"make_url": {
        random.choice(("scheme", "host", "port", "query", "username", "password", "path", "fragment")): make()
        for _ in range(3)}},
    "list_concat": lambda make, random: {random.choice(("list_concat", "list_concat_unique")): _several(make, random)},
    "contains": lambda make, random: {"contains": [make(), make()]},
    "yaql": lambda make, random: {"yaql": {
        "expression": random.choice(("$.data", "$.data.a", "$.data.select($ * 2)", "$.data + [1]", "$$", "1 + ")),
        "data": make()}},
    "list": _several,
    "map": _map,
}  # fmt: skip
_AWS_CONDITIONS: Final[Mapping[str, Callable[[Make, Random], Any]]] = {
    "equals": lambda make, random: {"Fn::Equals": [{"Ref": random.choice("snlb")}, _word(random)]},
    "not": lambda make, random: {"Fn::Not": [{"Fn::Equals": [{"Ref": "b"}, "true"]}]},
    "or": lambda make, random: {"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Fn::Equals": [{"Ref": "n"}, 3]}]},
}
_AWS: Final[Mapping[str, Callable[[Make, Random], Any]]] = {
    "Ref": lambda make, random: {"Ref": random.choice(("s", "n", "l", "j", "b", "r0", "AWS::Region", "AWS::NoValue"))},
    "GetAtt": lambda make, random: {"Fn::GetAtt": ["r0", "value"]},
    "Sub": lambda make, random: {"Fn::Sub": random.choice((
        "${s}${AWS::Region}${n}", ["${x}${s}", {"x": make()}], "${r0.value}", "${!x}${}"))},
    "Join": lambda make, random: {"Fn::Join": [_word(random), random.choice((make, lambda: _several(make, random)))()]},
    "Split": lambda make, random: {"Fn::Split": [_word(random), make()]},
    "Select": lambda make, random: {"Fn::Select": [random.choice((0, 1, "2", make())), make()]},
    "FindInMap": lambda make, random: {"Fn::FindInMap": [
        random.choice(("M", make())), random.choice(("abc", {"Ref": "AWS::Region"}, make())), "k"]},
    "Base64": lambda make, random: {"Fn::Base64": make()},
    "Cidr": lambda make, random: {"Fn::Cidr": [random.choice(("10.0.0.0/16", make())), random.choice((4, make())), 8]},
    "If": lambda make, random: {"Fn::If": [random.choice(("c0", "c1")), make(), make()]},
    "GetAZs": lambda make, random: {"Fn::GetAZs": random.choice(("", make()))},
    "ImportValue": lambda make, random: {"Fn::ImportValue": make()},
    "Length": lambda make, random: {"Fn::Length": make()},
    "ToJsonString": lambda make, random: {"Fn::ToJsonString": make()},
    "ForEach": lambda make, random: {"Fn::ForEach::L": ["x", make(), {"${x}": make()}]},
    "list": _several,
    "map": _map,
}  # fmt: skip
