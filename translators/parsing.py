"""Text → template as written, whichever the dialect; `AWS::` resources are not lowered yet."""

from __future__ import annotations

from dataclasses import replace

from engine.model.diagnostic import Diagnostic, Invalid, Span, invalid
from engine.model.source import Source
from engine.model.template import Parameter, Template
from translators import cfn, hot
from translators.check import check_into
from translators.findings import Findings, in_order
from translators.registry import apply_registry
from translators.source import SourceNode, read

_CFN_SECTIONS = ("AWSTemplateFormatVersion", "HeatTemplateFormatVersion", "Resources", "Parameters", "Transform")


def parse(source: Source) -> Template:
    """The template of `source`, types resolved by its registry. Raises Invalid with all findings."""
    template, errors = examine(source)
    if errors:
        raise Invalid(errors)
    return template


def examine(source: Source) -> tuple[Template, tuple[Diagnostic, ...]]:
    """What was understood of `source`, and every error in it. Raises Invalid where it is no template at all."""
    template, found = _parse(read(source.text, name=source.name), source)
    findings = Findings()
    template = apply_registry(template, source, findings)
    check_into(template, findings)
    # What the parser said of a place is nearer to the mistake than what a check says of the same place.
    told = {one.span for one in found if one.span is not None}
    errors = in_order([*found, *(one for one in findings.errors if one.span not in told)])
    return replace(template, warnings=(*template.warnings, *findings.warnings)), errors


def declared_parameters(source: Source) -> dict[str, Parameter]:
    """The parameters that a template declares, its other mistakes aside. Raises Invalid where it is no template."""
    return dict(_parse(read(source.text, name=source.name), source)[0].parameters)


def _parse(tree: SourceNode, source: Source) -> tuple[Template, tuple[Diagnostic, ...]]:
    if tree.kind != "map" or tree.tag is not None:
        raise invalid(
            "NotAMap",
            "Template format error: unsupported structure: the template is not a map of sections.",
            "It begins with heat_template_version or with AWSTemplateFormatVersion.",
            span=tree.span,
        )
    if tree.get("heat_template_version") is not None:
        of_heat = hot.parse_leniently(tree, source)
        return of_heat.template, of_heat.findings
    # The version is optional in CloudFormation (L01); its sections' capital letters are not.
    if any(tree.get(section) is not None for section in _CFN_SECTIONS):
        of_aws = cfn.parse_leniently(tree, source)
        return of_aws.template, of_aws.findings
    raise invalid(
        "NoTemplateVersion",
        "Template format version not found.",
        "Begin a HOT template with `heat_template_version: 2018-08-31`, a CloudFormation one with "
        "`AWSTemplateFormatVersion: 2010-09-09`.",
        span=Span(source.name, 1, 1),
    )
