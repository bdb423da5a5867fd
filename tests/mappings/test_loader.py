"""Rows and tables: read when needed, the operator's first, mistakes told when the service starts (design §6)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mappings import MappingError, Mappings


def test_nothing_is_read_at_import():
    code = "import sys, mappings; m = mappings.Mappings(); print(len(m._rows))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "0"


def test_a_type_without_a_row_is_none():
    assert Mappings().row("AWS::Kinesis::Stream") is None
    assert Mappings().row("AWS::..::loader") is None


def test_an_operator_adds_a_type_and_overrides_another(tmp_path):
    (tmp_path / "ours.yaml").write_text(
        "AWS::Kinesis::Stream:\n  resources: {record: {type: Isotherm::Record}}\n  ref: {get_resource: record}\n"
        "AWS::Logs::LogGroup:\n  resources: {record: {type: Isotherm::Record}}\n"
    )
    rows = Mappings([tmp_path])
    assert rows.row("AWS::Kinesis::Stream").members[0].type == "Isotherm::Record"
    assert rows.row("AWS::Logs::LogGroup").members[0].name == "record"
    assert "AWS::Kinesis::Stream" in rows.types()


def test_the_first_folder_and_the_operators_entries_go_first(tmp_path):
    for name in ("first", "second"):
        tables = tmp_path / name / "tables"
        tables.mkdir(parents=True)
        (tables / "images.yaml").write_text(f"ami-1: {name}\n")
    rows = Mappings([tmp_path / "first", tmp_path / "second"]).table("images")
    assert rows[:2] == (("ami-1", "first"), ("ami-1", "second"))
    assert len(rows) > 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("AWS::A::B: [1]", "a row is a map"),
        ("AWS::A::B: {resources: {a: {}}}", "resource a needs a type"),
        ("AWS::A::B: {resources: {a: {type: X, kind: y}}}", "unknown keys kind"),
        ("AWS::A::B: {ref: 1}", "no resources"),
        ("AWS::A::B: {python: oops}", "module:function"),
        ("AWS::A::B: {python: a:b, props: {}}", "unknown keys props"),
        ("AWS::A::B: {python: a:b, properties: {X: {ignord: why}}}", "property X is one of"),
        ("AWS::A::B: {python: a:b, properties: {X: {ignored: ''}}}", "needs a reason"),
        ("- a", "it must hold a map"),
        ("a: [", "expected"),
    ],
)
def test_mistakes_of_an_operator_name_file_and_place(tmp_path, text, told):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(MappingError) as caught:
        Mappings([tmp_path])
    assert told in str(caught.value)
    assert "bad.yaml" in str(caught.value)


def test_a_missing_folder_and_unknown_options_are_told(tmp_path):
    with pytest.raises(MappingError, match="no such folder"):
        Mappings([tmp_path / "none"])
    with pytest.raises(MappingError, match=r"public_subnet_snat = allow \| deny"):
        Mappings(options={"public_subnet_snat": "maybe"})
