"""Text → template as written, whichever the dialect; `AWS::` resources are not lowered yet."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from engine.model.diagnostic import Diagnostic, Invalid, Span, invalid
from engine.model.source import Source, Unanswered
from engine.model.template import Dialect, Parameter, Template
from translators import cfn, hot
from translators.check import check_into
from translators.doubt import without_strangers
from translators.findings import Findings, in_order
from translators.operator import Operator
from translators.registry import apply_registry
from translators.source import SourceNode, read

_NOTHING_SAID = Operator()
_VERSIONS = ("heat_template_version", "HeatTemplateFormatVersion", "AWSTemplateFormatVersion")
_CFN_SECTIONS = ("AWSTemplateFormatVersion", "HeatTemplateFormatVersion", "Resources", "Parameters", "Transform")


def parse(source: Source, operator: Operator = _NOTHING_SAID) -> Template:
    """The template of `source`, types resolved by its registry. Raises Invalid with all findings."""
    template, errors = examine(source, operator)
    if errors:
        raise Invalid(errors)
    return template


def examine(source: Source, operator: Operator = _NOTHING_SAID) -> tuple[Template, tuple[Diagnostic, ...]]:
    """What was understood of `source`, and every error in it. Raises Invalid where it is no template at all, Unanswered
    where texts of templates are missing and nothing else."""
    template, found = _parse(read(source.text, name=source.name), source)
    findings = Findings()
    template, questions = apply_registry(template, source, findings, operator)
    template = without_strangers(template, found)
    check_into(template, findings)
    # What the parser said of a place is nearer to the mistake than what a check says of the same place.
    told = {one.span for one in found if one.span is not None}
    errors = in_order([*found, *(one for one in findings.errors if one.span not in told)])
    if questions and not errors:
        raise Unanswered(questions)
    return replace(template, warnings=(*template.warnings, *findings.warnings)), errors


def declared_parameters(source: Source) -> dict[str, Parameter]:
    """The parameters that a template declares, its other mistakes aside. Raises Invalid where it is no template."""
    return dict(_outline(source)[0].parameters)


def declared_anywhere(source: Source) -> dict[str, Parameter]:
    """What the template declares, and after that the templates sent along with it: environments speak to them too
    (TE-02). Raises Invalid where the template itself is none."""
    found: dict[str, Parameter] = {}
    for name, text in source.files.items():
        if any(version in text for version in _VERSIONS):
            with contextlib.suppress(Invalid):  # its mistakes are told where it is used
                found |= declared_parameters(replace(source, text=text, name=name))
    return found | declared_parameters(source)


def outline(source: Source) -> Template:
    """What the template says of itself before any transform is carried out; its resources are as written, those of
    CloudFormation without their properties' values. Raises Invalid."""
    template, errors = _outline(source)
    if errors:
        raise Invalid(errors)
    return template


def processed(source: Source) -> str:
    """The template after its transforms: JSON text, or the very text where there are none. Raises Invalid."""
    if "Transform" not in source.text:
        return source.text
    tree = read(source.text, name=source.name)
    found = cfn.processed(tree, source) if _dialect(tree, source) is Dialect.CFN else None
    return source.text if found is None else found


def _outline(source: Source) -> tuple[Template, tuple[Diagnostic, ...]]:
    tree = read(source.text, name=source.name)
    if _dialect(tree, source) is Dialect.HOT or not cfn.reads_parameters(source):
        return _parse(tree, source)
    of_aws = cfn.outline_leniently(tree)
    return of_aws.template, of_aws.findings


def _parse(tree: SourceNode, source: Source) -> tuple[Template, tuple[Diagnostic, ...]]:
    if _dialect(tree, source) is Dialect.HOT:
        of_heat = hot.parse_leniently(tree, source)
        return of_heat.template, of_heat.findings
    of_aws = cfn.parse_leniently(tree, source)
    return of_aws.template, of_aws.findings


def _dialect(tree: SourceNode, source: Source) -> Dialect:
    """Raises Invalid where the text is no template."""
    if tree.kind != "map" or tree.tag is not None:
        raise invalid(
            "NotAMap",
            "Template format error: unsupported structure: the template is not a map of sections.",
            "It begins with heat_template_version or with AWSTemplateFormatVersion.",
            span=tree.span,
        )
    if tree.get("heat_template_version") is not None:
        return Dialect.HOT
    # The version is optional in CloudFormation (L01); its sections' capital letters are not.
    if source.presumed == "cfn" or any(tree.get(section) is not None for section in _CFN_SECTIONS):
        return Dialect.CFN
    raise invalid(
        "NoTemplateVersion",
        "Template format version not found.",
        "Begin a HOT template with `heat_template_version: 2018-08-31`, a CloudFormation one with "
        "`AWSTemplateFormatVersion: 2010-09-09`.",
        span=Span(source.name, 1, 1),
    )
