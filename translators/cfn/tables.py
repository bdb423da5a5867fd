"""The Mappings section (cloudformation.md L07, Q07): two levels of names, then texts or lists of texts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.model.value import Value
from translators.cfn import limits, nodes
from translators.cfn.findings import Findings, Path
from translators.source import SourceNode

_ROW_NAME = re.compile(r"[A-Za-z0-9.-]+")

Tables = Mapping[str, Mapping[str, Mapping[str, Value]]]


def read_mappings(node: SourceNode | None, strict: bool, findings: Findings) -> Tables:
    if node is None:
        return {}
    at: Path = (None, "Mappings")
    found: dict[str, Mapping[str, Mapping[str, Value]]] = {}
    for name, key, table in nodes.members(node, at, "Mappings", findings):
        here: Path = (at, name)
        nodes.check_name("Mapping", name, key, here, findings, strict)
        if _is_map(table, "Every Mappings member must be a map", here, findings):
            found[name] = _rows(table, here, strict, findings)
    if strict and len(found) > limits.MAPPINGS:
        summary = limits.too_many("mappings", len(found), limits.MAPPINGS)
        findings.error("LimitExceeded", summary, "Put some into nested stacks.", at=at, span=node.span)
    return found


def _rows(table: SourceNode, at: Path, strict: bool, findings: Findings) -> dict[str, Mapping[str, Value]]:
    rows: dict[str, Mapping[str, Value]] = {}
    for name, key, row in nodes.members(table, at, "Mappings", findings):
        here: Path = (at, name)
        if strict and not _ROW_NAME.fullmatch(name):
            findings.error(
                "InvalidName",
                f"Template format error: Mappings element name '{name}' must be non-empty and contain only"
                " alphanumerics, '-' or '.'",
                "Rename the key.",
                at=here,
                span=key.span,
            )
        _check_length("element", name, key, here, strict, findings)
        if _is_map(row, "Every Mappings attribute must be a map", here, findings):
            rows[name] = _cells(row, here, strict, findings)
    _check_count(len(rows), table, at, strict, findings)
    return rows


def _cells(row: SourceNode, at: Path, strict: bool, findings: Findings) -> dict[str, Value]:
    cells: dict[str, Value] = {}
    for name, key, cell in nodes.members(row, at, "Mappings", findings):
        here: Path = (at, name)
        if strict and not (name.isascii() and name.isalnum()):
            findings.error(
                "InvalidName",
                f"Template format error: Mappings attribute name '{name}' must contain only alphanumeric characters.",
                "Rename the attribute; only the key above it may have '-' and '.'.",
                at=here,
                span=key.span,
            )
        _check_length("attribute", name, key, here, strict, findings)
        plain = cell.tag is None and (cell.kind == "list" or (cell.kind == "scalar" and cell.value is not None))
        if plain and cell.kind == "list":
            plain = all(item.kind == "scalar" and item.tag is None for item in cell.items)
        if plain or (not strict and cell.tag is None):
            cells[name] = _value(cell, strict)
        else:
            findings.error(
                "InvalidMapping",
                "Template format error: Every Mappings attribute must be a String or a List.",
                "Functions and maps cannot be values of a mapping.",
                at=here,
                span=cell.span,
            )
    _check_count(len(cells), row, at, strict, findings)
    return cells


def _value(cell: SourceNode, strict: bool) -> Value:
    """Truth is text in AWS's mappings, as it is everywhere in its templates."""
    if cell.kind == "list":
        return [_value(item, strict) for item in cell.items]
    if strict and isinstance(cell.value, bool):
        return nodes.text(cell.value)
    return cell.to_python()


def _is_map(node: SourceNode, message: str, at: Path, findings: Findings) -> bool:
    if node.kind == "map" and node.tag is None:
        return True
    findings.error(
        "InvalidMapping",
        f"Template format error: {message}",
        "Mappings have two levels of keys.",
        at=at,
        span=node.span,
    )
    return False


def _check_length(kind: str, name: str, key: SourceNode, at: Path, strict: bool, findings: Findings) -> None:
    most = limits.NAME_LENGTH
    if strict and len(name) > most:
        summary = (
            f"Template format error: Mappings {kind} name {name[:40]}… has {len(name)} characters, more than {most}."
        )
        findings.error("InvalidName", summary, "Shorten the name.", at=at, span=key.span)


def _check_count(count: int, node: SourceNode, at: Path, strict: bool, findings: Findings) -> None:
    if strict and count > limits.MAPPINGS:
        summary = limits.too_many("mapping attributes", count, limits.MAPPINGS)
        findings.error("LimitExceeded", summary, "Split the mapping.", at=at, span=node.span)
