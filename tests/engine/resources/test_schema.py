"""Properties: defaults, conversions, findings and differences."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest

from engine.model.diagnostic import Invalid
from engine.model.value import NO_VALUE, UNKNOWN
from engine.resources.base import Kind, Property, ResourceType, Update
from engine.resources.declare import (
    anything,
    between,
    boolean,
    custom,
    formerly,
    integer,
    length,
    listing,
    mapping,
    named,
    number,
    one_of,
    string,
)
from engine.resources.schema import check_properties, cloud_questions, difference, normalize


class Sample(ResourceType):
    name = "Test::Sample"
    properties: ClassVar = {
        "text": string(length(1, 5), mutable=True),
        "count": integer(between(0, 9), default=3, mutable=True),
        "ratio": number(),
        "flag": boolean(default=False, mutable=True),
        "items": listing(integer(), mutable=True),
        "names": listing(None, mutable=True),
        "map": mapping({"kind": string(one_of("a", "b"), default="a"), "free": anything()}, mutable=True),
        "network": named("network", required=True),
        "network_id": formerly("network", "network"),
        "gateway": string(null="", mutable=True),
        "address": string(custom("ip_addr")),
        "fixed": Property(Kind.STRING, update=Update.IMMUTABLE),
    }


KIND = Sample()
GIVEN = {"network": "n"}


def normal(**given: Any) -> Mapping[str, Any]:
    return normalize(KIND, {**GIVEN, **given})


def messages(**given: Any) -> list[tuple[tuple[str | int, ...], str]]:
    return [(one.path, one.code) for one in check_properties(KIND, {**GIVEN, **given})]


def test_defaults_are_filled_in() -> None:
    assert normal() == {"network": "n", "count": 3, "flag": False}


@pytest.mark.parametrize(
    ("name", "written", "meant"),
    [
        ("count", "8", 8),
        ("count", 8.0, 8),
        ("ratio", "1.5", 1.5),
        ("ratio", "2", 2),
        ("flag", "True", True),
        ("flag", "false", False),
        ("text", 12, "12"),
        ("text", True, "True"),
        ("items", ["1", 2], [1, 2]),
        ("items", "1,2", [1, 2]),
        ("names", "a,b", ["a", "b"]),
        ("names", "", []),
        ("map", {"free": None}, {"kind": "a"}),
        ("items", [1, NO_VALUE], [1]),
    ],
)
def test_values_are_converted_as_the_native_api_does(name: str, written: Any, meant: Any) -> None:
    assert normal(**{name: written})[name] == meant


def test_null_is_absent() -> None:
    assert normal(text=None, count=None) == normal()


def test_an_explicit_null_may_mean_something() -> None:
    assert normal(gateway=None)["gateway"] == ""


def test_older_names_are_moved() -> None:
    assert normalize(KIND, {"network_id": "n"}) == normal()


def test_unknown_values_pass() -> None:
    assert normal(count=UNKNOWN, items=[UNKNOWN])["items"] == [UNKNOWN]
    assert messages(count=UNKNOWN, items=[UNKNOWN], map=UNKNOWN, text=UNKNOWN) == []


@pytest.mark.parametrize(
    ("given", "path", "code"),
    [
        ({"tetx": "a"}, ("tetx",), "UnknownProperty"),
        ({"network": None}, (), "PropertyMissing"),
        ({"count": "many"}, ("count",), "PropertyType"),
        ({"count": 10}, ("count",), "PropertyConstraint"),
        ({"flag": "perhaps"}, ("flag",), "PropertyType"),
        ({"text": "123456"}, ("text",), "PropertyConstraint"),
        ({"text": {"a": 1}}, ("text",), "PropertyType"),
        ({"items": ["x"]}, ("items", 0), "PropertyType"),
        ({"items": {"a": 1}}, ("items",), "PropertyType"),
        ({"map": {"kind": "c"}}, ("map", "kind"), "PropertyConstraint"),
        ({"map": {"knid": "a"}}, ("map", "knid"), "UnknownProperty"),
        ({"map": "text"}, ("map",), "PropertyType"),
        ({"address": "10.0.0.256"}, ("address",), "PropertyConstraint"),
        ({"network_id": "m"}, ("network_id",), "PropertyConflict"),
    ],
)
def test_every_finding_has_its_place(given: dict[str, Any], path: Sequence[str | int], code: str) -> None:
    assert messages(**given) == [(path, code)]


def test_all_findings_come_at_once() -> None:
    assert len(messages(count="x", flag="y", nonsense=1)) == 3


def test_a_misspelt_name_gets_a_suggestion() -> None:
    assert check_properties(KIND, {**GIVEN, "tetx": "a"})[0].detail == "Did you mean text?"


def test_an_older_name_satisfies_a_required_property() -> None:
    assert check_properties(KIND, {"network_id": "n"}) == []


def test_what_the_cloud_must_know_is_told() -> None:
    assert cloud_questions(KIND, {"network": "lan", "text": "a"}) == [(("network",), "network", "lan")]
    assert cloud_questions(KIND, {"network": UNKNOWN}) == []


def test_a_mutable_change_is_an_update() -> None:
    found = difference(KIND, normal(text="a"), normal(text="b"))
    assert found.changed == {"text"}
    assert not found.replace


def test_engu_04_any_other_change_replaces() -> None:
    assert difference(KIND, normal(), normal(ratio=1)).replace


def test_an_unknown_value_may_replace() -> None:
    found = difference(KIND, normal(ratio=1), normal(ratio=UNKNOWN))
    assert found.maybe_replace
    assert not found.replace


def test_engu_04_an_immutable_change_is_an_error() -> None:
    with pytest.raises(Invalid, match="cannot be changed"):
        difference(KIND, normal(fixed="a"), normal(fixed="b"))


def test_no_change_is_no_difference() -> None:
    assert not difference(KIND, normal(count="3"), normal()).changed


def test_normalising_nothing_costs_microseconds() -> None:
    begin = time.perf_counter()
    for _ in range(2000):
        normalize(KIND, {})
    assert (time.perf_counter() - begin) / 2000 < 20e-6
