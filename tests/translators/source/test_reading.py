"""Reading texts into source trees: types, places, and everything that must be refused."""

from __future__ import annotations

import json
import time

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.model.diagnostic import Diagnostic, Invalid
from translators.source import SourceNode, decode, read


def refused(text: str | bytes) -> Diagnostic:
    """The one finding of a text that cannot be read."""
    with pytest.raises(Invalid) as caught:
        read(text if isinstance(text, str) else decode(text), name="t")
    (finding,) = caught.value.diagnostics
    return finding


def place(finding: Diagnostic) -> tuple[int, int]:
    assert finding.span is not None
    return finding.span.line, finding.span.column


def outcome(text: str | bytes) -> SourceNode | tuple[Diagnostic, ...]:
    """The tree, or findings that all have a place."""
    try:
        return read(text if isinstance(text, str) else decode(text))
    except Invalid as refusal:
        found = refusal.diagnostics
    assert all(one.span is not None for one in found)
    return found


# --- values -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "yes", "No", "on", "true", "12", "-3", "+4", "0o14", "014", "0x1F", "0b101", "1_000", "190:20:30", "1.5", "1e3",
        "1.0e+3", ".5", "-.inf", "190:20:30.15", "~", "null", "", "a b", "'12'", '"yes"', "1.2.3", "0.0.0.0/0",
        "!!str 12", "!!int '12'", "|\n  two\n  lines", ">\n  a\n  b", '"\\u00e9"', "[1, two, {three: 3}]", "{a: b}",
    ],
)  # fmt: skip
def test_scalars_are_typed_as_the_safe_loader_types_them(text: str) -> None:
    assert read(f"k: {text}").to_python() == yaml.load(f"k: {text}", Loader=yaml.CSafeLoader)


@pytest.mark.parametrize("text", ["2013-05-23", "2001-12-14t21:59:43.10-05:00"])
def test_dates_stay_text_tv_15(text: str) -> None:
    assert read(f"k: {text}").to_python() == {"k": text}


def test_json_is_read_with_places_and_tabs_tv_16() -> None:
    tree = read('{\n\t"a": [1,\n\t\t{"b\\tc": "d\te"}]}')
    assert tree.to_python() == {"a": [1, {"b\tc": "d\te"}]}
    inner = tree.get("a")
    assert inner is not None
    assert (inner.items[1].span.line, inner.items[1].span.column) == (3, 3)


def test_places_count_from_one_and_name_the_file() -> None:
    node = read("a:\n  b: x\n", name="f.yaml").get("a")
    assert node is not None
    inner = node.get("b")
    assert inner is not None
    assert str(inner.span) == "f.yaml:2:6"


@pytest.mark.parametrize(
    ("text", "tag", "kind"),
    [("!Ref x", "!Ref", "scalar"), ("!Join ['', [a]]", "!Join", "list"), ("!Sub {a: b}", "!Sub", "map")],
)
def test_short_forms_keep_their_tag(text: str, tag: str, kind: str) -> None:
    node = read(f"k: {text}").get("k")
    assert node is not None
    assert (node.tag, node.kind) == (tag, kind)


def test_a_short_form_of_a_scalar_is_text() -> None:
    node = read("k: !Ref 12").get("k")
    assert node is not None
    assert node.value == "12"


@pytest.mark.parametrize(
    "text",
    [
        "base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}",
        "one: &a {x: 1}\ntwo: &b {x: 2, z: 4}\nuse: {<<: [*a, *b], y: 3}",
        "a: &x [1, 2]\nb: *x",
        "k: {'<<': 1}",
    ],
)
def test_aliases_and_merge_keys_are_as_in_yaml_1_1(text: str) -> None:
    assert read(text).to_python() == yaml.load(text, Loader=yaml.CSafeLoader)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read(decode("\ufeffa: é".encode())).to_python() == {"a": "é"}


@pytest.mark.parametrize("text", ["m: {k: {a: [1, 2]}, k: {a: [1, 2]}}", '{"m": {"k": "v", "k" : "v"}}'])
def test_saying_the_same_twice_is_no_mistake(text: str) -> None:
    assert read(text).to_python() == yaml.load(text, Loader=yaml.CSafeLoader)


@pytest.mark.parametrize("text", ["m: {k: 1, k: true}", "m: {k: !Ref a, k: a}", "m: {k: [1], k: [1, 2]}"])
def test_saying_nearly_the_same_twice_is_one(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(text)
    assert [one.code for one in refused.value.diagnostics] == ["DuplicateKey"]


# --- refusals (issue: bad input) --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("[" * 900, "TemplateTooDeep", 1, 101),
        ('{"a":' * 51_200, "TemplateTooDeep", 1, 501),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", "DuplicateKey", 4, 3),
        ('{"a": 1,\n "a": 2}', "DuplicateKey", 2, 2),
        ("a: 1\n---\nb: 2", "SeveralDocuments", 2, 1),
        ("", "EmptyTemplate", 1, 1),
        ("# nothing\n", "EmptyTemplate", 1, 1),
        ("a: [1, 2", "NotWellFormed", 2, 1),
        ("a: b: c", "NotWellFormed", 1, 5),
        ("a:\n\tb: 1", "NotWellFormed", 2, 1),
        ('{"a": }x', "NotWellFormed", 1, 8),
        ("a: *nowhere", "UnknownAlias", 1, 4),
        ("a: !!python/object/apply:os.system ['x']", "UnknownTag", 1, 4),
        ("a: !!binary aGVsbG8=", "UnknownTag", 1, 4),
        ("? [a]\n: b", "BadKey", 1, 3),
        ("<<: 3", "BadMerge", 1, 5),
        ("a: !!int x", "BadScalar", 1, 4),
        ("a: 08", None, 1, 4),
        ("ok: 1\nk: \x01", "NotWellFormed", 2, 4),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,
)  # fmt: skip
def test_a_mistake_is_one_finding_with_its_place(text: str, code: str | None, line: int, column: int) -> None:
    if code is None:  # looks like a number, is none: text, as the safe loader has it
        assert read(text).to_python() == yaml.load(text, Loader=yaml.CSafeLoader)
        return
    finding = refused(text)
    assert (finding.code, *place(finding)) == (code, line, column)


def test_what_was_not_closed_is_told_with_its_beginning() -> None:
    assert "line 1, column 4" in refused("a: [1, 2").detail


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{\n  // the queue\n  "a": 1\n}', 2, 3),
        ('{"a": "http://b" /* c */, "d": 1}', 1, 18),
        ('{"a": 1,\n /* b\n c */ "d": 1}', 2, 2),
    ],
)
def test_comments_in_json_are_told_as_what_they_are(text: str, line: int, column: int) -> None:
    finding = refused(text)
    assert (finding.code, *place(finding)) == ("NotWellFormed", line, column)
    assert f"JSON not well-formed. (line {line}, column {column})" in finding.summary
    assert finding.detail.startswith("JSON has no comments")


def test_two_slashes_of_an_address_are_no_comment() -> None:
    assert "comma" in refused('{"a": http://b "c": 1}').detail


def test_braces_without_quotes_are_told_to_want_them() -> None:
    finding = refused("a: {{resolve:ssm:x}}")
    assert (finding.code, finding.detail) == ("BadKey", "Put a text that begins with {{ in quotes.")


def test_every_duplicate_key_is_told_with_both_places() -> None:
    with pytest.raises(Invalid) as caught:
        read("a: 1\na: 2\nb: {c: 1, c: 2}")
    findings = sorted(caught.value.diagnostics, key=lambda one: place(one))
    assert [place(one) for one in findings] == [(2, 1), (3, 11)]
    assert "line 1, column 1" in findings[0].detail
    assert "line 3, column 5" in findings[1].detail


@pytest.mark.parametrize(("data", "line", "column"), [(b"a: \xff", 1, 4), (b"a: b\nc: \xc3(", 2, 4)])
def test_what_is_not_utf_8_is_told_with_its_byte(data: bytes, line: int, column: int) -> None:
    finding = refused(data)
    assert (finding.code, *place(finding)) == ("NotUtf8", line, column)
    assert "offset" in finding.summary


def test_an_alias_bomb_is_refused_at_once() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    began = time.monotonic()
    assert refused(bomb).code == "TemplateTooLarge"
    assert time.monotonic() - began < 5


def test_two_megabytes_are_refused() -> None:
    assert refused("a: " + "x" * (2 * 1024 * 1024)).code == "TemplateTooLarge"


def test_brackets_cost_no_time_and_no_stack() -> None:
    began = time.monotonic()
    for text in ("[" * 51_200, "{" * 51_200, "- " * 51_200, "[" * 1_000_000):
        assert refused(text).code in ("TemplateTooDeep", "NotWellFormed")
    assert time.monotonic() - began < 5


def test_depth_of_ninety_nine_is_fine() -> None:
    assert read("[" * 99 + "]" * 99).kind == "list"


@settings(max_examples=400, deadline=2000)
@given(st.text() | st.text(alphabet="{}[]:,-&*!<>|'\"#%@` \n\ta0~?"))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert isinstance(outcome(text), SourceNode | tuple)


@settings(max_examples=200, deadline=2000)
@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    assert isinstance(outcome(data), SourceNode | tuple)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc\t \\u😀", max_size=5), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=2000)
@example({"a": "\x7f\x80\x9f\ufffe\\ud83d\U0001f600"})
@given(st.dictionaries(st.text("abcdef", min_size=1), _json, max_size=4))
def test_json_means_what_it_means_elsewhere(value: dict[str, object]) -> None:
    assert read(json.dumps(value)).to_python() == value
    assert read(json.dumps(value).replace("/", "\\/")).to_python() == value
    assert read(json.dumps(value, indent="\t")).to_python() == value
    assert read(json.dumps(value, ensure_ascii=False)).to_python() == value
