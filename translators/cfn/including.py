"""The transform AWS::Include: the text at a location stands in the template (cloudformation.md L85)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from engine.model.diagnostic import Invalid
from engine.model.source import Source
from translators.cfn import nodes
from translators.cfn.asking import Asking, question
from translators.cfn.findings import Findings, Path
from translators.cfn.static import Statics, Undecided
from translators.source import SourceNode, read

NAME: Final = "AWS::Include"


def included(
    parameters: SourceNode | None, node: SourceNode, source: Source, statics: Statics, asking: Asking, at: Path,
    findings: Findings,
) -> SourceNode | None:  # fmt: skip
    """The tree of the text at `Location`, each of its values placed in that text; None, and reported, when there is
    none. Raises Invalid when the text is not well-formed."""
    where = parameters.get("Location") if parameters is not None and parameters.kind == "map" else None
    if where is None:
        summary = f"Transform {NAME} failed with: The Location parameter is missing."
        hint = "Write `Parameters: {Location: s3://bucket/key}`; http and https URLs are fetched too."
        findings.error("TransformFailed", summary, hint, at=at, span=node.span)
        return None
    location = _location(where, statics, at, findings)
    if location is None:
        return None
    text = source.files.get(location)
    if text is None:
        text = asking.answer(question("include", location, where))
    return None if text is None else _tree(text, location, where, at, findings)


def _location(where: SourceNode, statics: Statics, at: Path, findings: Findings) -> str | None:
    try:
        location = statics.text(where)
    except Undecided as why:
        if not why.asked:
            summary = f"Transform {NAME} failed with: The Location cannot be resolved: {why}."
            hint = "Use a text, or functions of parameters that have values."
            findings.error("UndecidedLocation", summary, hint, at=at, span=where.span)
        return None
    return location


def _tree(text: str, location: str, where: SourceNode, at: Path, findings: Findings) -> SourceNode | None:
    try:
        return read(text, name=location)
    except Invalid as error:
        for one in error.diagnostics:
            summary = f"Transform {NAME} failed with: The specified object's content should be valid Yaml/JSON: {one}"
            findings.error("TransformFailed", summary, f"It is what stands at {location}.", at=at, span=where.span)
        return None


def merged(node: SourceNode, key: str, text: SourceNode, at: Path, findings: Findings) -> SourceNode:
    """The map `node` with the entries of `text` in place of its entry `key`; `text` itself where there is no other."""
    others = [entry for entry in node.entries if nodes.text(entry[0].value) != key]
    if not others:
        return text
    if text.kind != "map" or text.tag is not None:
        summary = f"Transform {NAME} failed with: What is included beside other keys must be an object."
        findings.error("TransformFailed", summary, "Give the transform a key of its own.", at=at, span=text.span)
        return node
    _report_twice({nodes.text(name.value) for name, _ in others}, text, at, findings)
    entries: list[tuple[SourceNode, SourceNode]] = []
    for name, item in node.entries:
        entries += text.entries if nodes.text(name.value) == key else [(name, item)]
    return replace(node, entries=tuple(entries))


def merged_sections(tree: SourceNode, text: SourceNode, name: str, findings: Findings) -> SourceNode:
    """The template with the sections of `text`: new ones are added, members of others put in."""
    if text.kind != "map" or text.tag is not None:
        summary = f"Transform {name} failed with: What is included for the whole template must be an object."
        findings.error("TransformFailed", summary, "It holds sections.", at=(None, "Transform"), span=text.span)
        return tree
    sections = {nodes.text(key.value): (key, item) for key, item in tree.entries}
    for key, item in text.entries:
        section = nodes.text(key.value)
        if section not in sections:
            sections[section] = (key, item)
            continue
        there, standing = sections[section]
        if standing.kind == "map" and item.kind == "map" and standing.tag is None and item.tag is None:
            _report_twice({nodes.text(one.value) for one, _ in standing.entries}, item, (None, section), findings)
            sections[section] = (there, replace(standing, entries=(*standing.entries, *item.entries)))
        elif nodes.text(item.value) != nodes.text(standing.value):
            _report_twice({section}, replace(text, entries=((key, item),)), None, findings)
    return replace(tree, entries=tuple(sections.values()))


def _report_twice(standing: set[str], text: SourceNode, at: Path, findings: Findings) -> None:
    for key, _ in text.entries:
        name = nodes.text(key.value)
        if name in standing:
            summary = f"Transform {NAME} failed with: {name} stands in the template and in what is included."
            findings.error("DuplicateName", summary, "Rename one of them.", at=(at, name), span=key.span)
