"""A HOT source tree → `Template`, or everything that is wrong with it at once."""

from __future__ import annotations

from dataclasses import dataclass

from engine.model.diagnostic import Diagnostic, Invalid
from engine.model.source import Source
from engine.model.template import Dialect, Template
from translators.findings import Findings, nearest
from translators.hot import shapes
from translators.hot.builder import Builder
from translators.hot.functions import READERS
from translators.hot.own_functions import OWN_READERS
from translators.hot.parameters import read_groups, read_parameters
from translators.hot.resources import names_of, read_conditions, read_outputs, read_resources
from translators.hot.versions import VERSIONS, Version
from translators.source import SourceNode

VERSION_KEY = "heat_template_version"
_SECTIONS = (VERSION_KEY, "description", "parameter_groups", "parameters", "resources", "outputs")
_READERS = {**READERS, **OWN_READERS}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was understood of a template, and everything that is wrong with it."""

    template: Template
    findings: tuple[Diagnostic, ...]


def parse(tree: SourceNode, source: Source) -> Template:
    """Return the template; raise `Invalid` with all findings. Types are as written; the registry is not asked."""
    parsed = parse_leniently(tree, source)
    if parsed.findings:
        raise Invalid(parsed.findings)
    return parsed.template


def parse_leniently(tree: SourceNode, source: Source) -> Parsed:
    """Return what can be read, with the errors. Raises `Invalid` when the version tells no language."""
    version = _version(tree)
    findings = Findings()
    known = (*_SECTIONS, "conditions") if version.has_conditions else _SECTIONS
    _check_sections(tree, known, version, findings)
    parameters = read_parameters(tree.get("parameters"), version, findings)
    b = Builder(
        version,
        findings,
        _READERS,
        source.files,
        names_of(tree.get("parameters")),
        names_of(tree.get("resources")),
        names_of(tree.get("conditions")) if version.has_conditions else frozenset(),
    )
    template = Template(
        dialect=Dialect.HOT,
        version=version.name,
        description=shapes.text(tree.get("description"), "description", findings),
        parameters=parameters,
        parameter_groups=read_groups(tree.get("parameter_groups"), parameters, findings),
        conditions=read_conditions(b, tree.get("conditions")) if version.has_conditions else {},
        resources=read_resources(b, tree.get("resources")),
        outputs=read_outputs(b, tree.get("outputs")),
        warnings=findings.warnings,
    )
    return Parsed(template, findings.errors)


def _version(tree: SourceNode) -> Version:
    node = tree.get(VERSION_KEY)
    written = "" if node is None else node.text
    found = VERSIONS.get(written)
    if found is None:
        findings = Findings()
        listed = ", ".join(VERSIONS)
        findings.error(
            "InvalidTemplateVersion",
            f'The template version is invalid: "{VERSION_KEY}: {written}". "{VERSION_KEY}" should be one of: {listed}.',
            nearest(written, VERSIONS) or "The newest is 2021-04-16.",
            address=VERSION_KEY, span=node.span if node is not None else tree.span,
        )  # fmt: skip
        findings.check()
        raise AssertionError("an error was reported")
    return found


def _check_sections(tree: SourceNode, known: tuple[str, ...], version: Version, findings: Findings) -> None:
    for key, _ in tree.entries:
        if key.value in known:
            continue
        same = [name for name in known if name == key.text.lower()]
        way_out = f"Did you mean {same[0]}?" if same else nearest(key.text, known)
        if key.value == "conditions":
            way_out = f"heat_template_version {version.name} has no conditions; 2016-10-14 and later have."
        findings.error("InvalidTemplateSection", f"The template section is invalid: {key.text}", way_out,
                       address=key.text, span=key.span)  # fmt: skip
