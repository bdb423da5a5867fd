"""A whole CloudFormation template, section by section, into the common model (cloudformation.md §3)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from engine.model.diagnostic import Diagnostic, Invalid
from engine.model.source import Source
from engine.model.template import Dialect, Template
from translators.cfn import capabilities, dynamic, interface, limits, nodes, serverless, stored_parameters, transforms
from translators.cfn.builder import Builder, Names
from translators.cfn.conditions import read_conditions
from translators.cfn.findings import Findings, Path, did_you_mean
from translators.cfn.functions import FUNCTIONS
from translators.cfn.images import Rows
from translators.cfn.long_form import long_form
from translators.cfn.outline import outline
from translators.cfn.outputs import read_outputs
from translators.cfn.parameters import read_parameters
from translators.cfn.resources import read_resources
from translators.cfn.rules import read_rules
from translators.cfn.tables import read_mappings
from translators.source import SourceNode

AWS_VERSION_KEY = "AWSTemplateFormatVersion"
HEAT_VERSION_KEY = "HeatTemplateFormatVersion"
AWS_VERSION = "2010-09-09"
HEAT_VERSIONS = ("2012-12-12", "2016-10-14")
_VERSIONS: dict[str, tuple[str, ...]] = {AWS_VERSION_KEY: (AWS_VERSION,), HEAT_VERSION_KEY: HEAT_VERSIONS}
_SECTIONS = frozenset(
    {
        AWS_VERSION_KEY,
        HEAT_VERSION_KEY,
        "Conditions",
        "Description",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
        "Transform",
    }
)
_ABSENT_SECTIONS: dict[str, str] = {
    "Globals": f"Globals belong to AWS SAM: write `Transform: {serverless.NAME}` at the top of the template.",
    "Hooks": "They shift traffic with CodeDeploy, which there is not: leave the section out, and update the stack in"
    " the usual way.",
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was understood of a template, and everything that is wrong with it."""

    template: Template
    findings: tuple[Diagnostic, ...]


def parse(tree: SourceNode, source: Source, *, images: Rows = ()) -> Template:
    """Return the template; raise `Invalid` with all findings. `AWS::` resources stay as they are written.

    `images` are the rows (glob, image) that turn public paths into images wherever they are used; without them that
    is left to the properties that take an image.
    """
    parsed = parse_leniently(tree, source, images=images)
    if parsed.findings:
        raise Invalid(parsed.findings)
    return parsed.template


def parse_leniently(tree: SourceNode, source: Source, *, images: Rows = ()) -> Parsed:
    """Return what can be read of the template with its errors, so that checks of references can add theirs.

    Raises `Invalid` when a transform fails: nothing in the template can be judged then; `Unanswered` when one needs
    what only the outside knows.
    """
    findings = Findings()
    expanded, names, settled = _expanded(tree, source, findings)
    template = replace(_read(expanded, names, images, findings), settled=settled)
    if not findings.has_errors:
        stored_parameters.ask(template.parameters, source)
    return Parsed(template, findings.errors)


def _expanded(
    tree: SourceNode, source: Source, findings: Findings
) -> tuple[SourceNode, tuple[str, ...], frozenset[str]]:
    """The template after its transforms, their names, and the parameters that they have used. Raises Invalid."""
    _check_map(tree, findings)
    names: tuple[str, ...] = ()
    settled: frozenset[str] = frozenset()
    if "Transform" in source.text:
        entries = transforms.declared(tree, findings)
        names = transforms.all_names(tree, entries)
        if not findings.has_errors:
            tree, settled = transforms.apply(tree, entries, source, findings)
    if findings.has_errors:
        raise Invalid(findings.errors)
    _check_map(tree, findings)
    return tree, names, settled


def _check_map(tree: SourceNode, findings: Findings) -> None:
    if tree.kind != "map" or tree.tag is not None:
        summary = "Template format error: unsupported structure."
        findings.error("InvalidStructure", summary, "A template is a map of sections.", span=tree.span)
        raise Invalid(findings.errors)


def _read(tree: SourceNode, declared: tuple[str, ...], images: Rows, findings: Findings) -> Template:
    _check_sections(tree, findings)
    heat, version = _version(tree, findings)
    strict = not heat and not _has_types_of_heat(tree)
    metadata = interface.read_metadata(tree.get("Metadata"))
    parameters = read_parameters(tree.get("Parameters"), interface.labels(metadata), strict, findings)
    mappings = read_mappings(tree.get("Mappings"), strict, findings)
    names = Names(
        parameters, mappings, frozenset(_keys(tree.get("Conditions"))), frozenset(_keys(tree.get("Resources")))
    )
    _check_shared_names(tree, names, findings)
    builder = Builder(
        names,
        findings,
        FUNCTIONS,
        heat=heat,
        strict=strict,
        extended=transforms.LANGUAGE_EXTENSIONS in declared,
        plain_base64=heat,
        image_rows=images,
    )
    conditions = read_conditions(builder, tree.get("Conditions"))
    rules = read_rules(builder, tree.get("Rules"))
    resources = read_resources(builder, tree.get("Resources"), tree)
    outputs = read_outputs(builder, tree.get("Outputs"))
    dynamic.check(builder, resources)
    wanted, reasons = capabilities.required(resources.values(), declared)
    return Template(
        dialect=Dialect.CFN,
        version=version,
        resources=resources,
        description=_description(tree.get("Description"), strict, findings),
        parameters=parameters,
        parameter_groups=interface.groups(metadata),
        mappings=mappings,
        conditions=conditions,
        rules=rules,
        outputs=outputs,
        metadata=metadata,
        capabilities=wanted,
        capability_reasons=reasons,
        transforms=declared,
        warnings=findings.warnings,
    )


def outline_leniently(tree: SourceNode) -> Parsed:
    """What the template says of itself before its transforms are carried out, and what is wrong with that."""
    findings = Findings()
    _check_map(tree, findings)
    _, version = _version(tree, findings)
    return Parsed(outline(tree, version, findings), findings.errors)


def processed(tree: SourceNode, source: Source) -> str | None:
    """The template after its transforms as JSON text (L90); None when it has none. Raises what `parse_leniently` does.

    AWS::LanguageExtensions stays declared where a function is left that only it allows.
    """
    expanded, names, _ = _expanded(tree, source, Findings())
    if not names:
        return None
    plain = long_form(expanded)
    if transforms.LANGUAGE_EXTENSIONS in names and any(f'"{name}":' in json.dumps(plain) for name in _EXTENSIONS):
        plain = {transforms.SECTION: transforms.LANGUAGE_EXTENSIONS, **plain}
    return json.dumps(plain, indent=2)


_EXTENSIONS = (*(name for name, function in FUNCTIONS.items() if function.extension), "DefaultValue")


def reads_parameters(source: Source) -> bool:
    """Tell whether the values given for parameters decide what the template *is*: transforms see them, and
    stored parameters are asked for by them."""
    return "Transform" in source.text or "AWS::SSM::Parameter::" in source.text


def _check_sections(tree: SourceNode, findings: Findings) -> None:
    for key, item in tree.entries:
        name = nodes.text(key.value)
        if name in _SECTIONS:
            continue
        here: Path = (None, name)
        if name == "Fn::Transform":
            nodes.transform_found(item, key.span, here, findings)
        elif name in _ABSENT_SECTIONS:
            summary = f"Invalid template property or properties [{name}]"
            findings.error("UnsupportedSection", summary, _ABSENT_SECTIONS[name], at=here, span=key.span)
        else:
            summary = f"Invalid template property or properties [{name}]"
            hint = did_you_mean(name, _SECTIONS) or f"The sections are {', '.join(sorted(_SECTIONS))}."
            findings.error("UnknownSection", summary, hint, at=here, span=key.span)


def _version(tree: SourceNode, findings: Findings) -> tuple[bool, str]:
    """Whether Heat's readings hold, and the version; AWS's may be left out (L01, L02)."""
    found: tuple[bool, str] = (False, AWS_VERSION)
    for key, known in _VERSIONS.items():
        node = tree.get(key)
        if node is None:
            continue
        written = nodes.text(node.value) if node.kind == "scalar" else ""
        if node.kind != "scalar":
            summary = f"Template format error: Every {key} member must be a string."
            findings.error("UnknownVersion", summary, f"Write '{known[0]}'.", at=(None, key), span=node.span)
        elif written not in known:
            summary = f"Template format error: {written} is not a supported value for {key}."
            findings.error("UnknownVersion", summary, f"Write '{known[0]}'.", at=(None, key), span=node.span)
        found = (found[0] or key == HEAT_VERSION_KEY, written)
    return found


def _has_types_of_heat(tree: SourceNode) -> bool:
    """Such a template was never meant for AWS: its names may have underscores, as Heat allows."""
    section = tree.get("Resources")
    if section is None or section.kind != "map":
        return False
    kinds = (item.get("Type") for _, item in section.entries if item.kind == "map")
    return any(kind is not None and nodes.text(kind.value).startswith("OS::") for kind in kinds)


def _description(node: SourceNode | None, strict: bool, findings: Findings) -> str:
    if node is None or nodes.is_null(node):
        return ""
    at: Path = (None, "Description")
    text = nodes.as_string(node)
    if text is None:
        summary = "Template format error: Every Description member must be a string."
        findings.error("InvalidStructure", summary, "Write one text, in quotes.", at=at, span=node.span)
        return ""
    if len(text.encode()) > limits.TEMPLATE_DESCRIPTION_BYTES and strict:
        summary = f"Template format error: 'Description' length is greater than {limits.TEMPLATE_DESCRIPTION_BYTES}."
        findings.error("LimitExceeded", summary, "Shorten it, or use comments.", at=at, span=node.span)
    return text


def _keys(node: SourceNode | None) -> list[str]:
    return [nodes.text(key.value) for key, _ in node.entries] if node is not None and node.kind == "map" else []


def _check_shared_names(tree: SourceNode, names: Names, findings: Findings) -> None:
    """A parameter and a resource of one name cannot be told apart by Ref (heat.md TV-18)."""
    section = tree.get("Resources")
    if section is None or section.kind != "map":
        return
    for key, _ in section.entries:
        name = nodes.text(key.value)
        if name in names.parameters:
            summary = f"Template format error: The name {name} is used for a parameter and for a resource."
            at: Path = ((None, "Resources"), name)
            findings.error("DuplicateName", summary, "Rename one of them.", at=at, span=key.span)
