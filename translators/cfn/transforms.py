"""Transforms (cloudformation.md L09, L30, L85 to L90): which are declared, and the template that they make.

From the most deeply nested outward to those of the whole template, and these in the order in which they are declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.model.source import Source
from translators.cfn import including, macros, nodes, serverless
from translators.cfn.asking import Asking
from translators.cfn.findings import Findings, Path, did_you_mean
from translators.cfn.language_extensions import extend
from translators.cfn.long_form import without
from translators.cfn.nested_transforms import NestedTransforms, names_in
from translators.cfn.static import Statics, given
from translators.source import SourceNode

SECTION: Final = "Transform"
LANGUAGE_EXTENSIONS: Final = "AWS::LanguageExtensions"
_AT: Final[Path] = (None, SECTION)
# Transforms of AWS's that nothing here can carry out, and the way out (L88).
_ABSENT: Final[Mapping[str, str]] = {
    "AWS::CodeDeployBlueGreen": "It shifts traffic with CodeDeploy: take it out, and the section Hooks with it.",
    "AWS::CodeStar": "It was for projects of CodeStar, which AWS has ended: take it out.",
    "AWS::SecretsManager-2020-07-23": "It makes functions that rotate secrets: take it out, and rotate them yourself.",
    "AWS::SecretsManager-2024-09-16": "It makes functions that rotate secrets: take it out, and rotate them yourself.",
    "AWS::ServiceCatalog": "It reads outputs of provisioned products: make them parameters.",
}
_KNOWN: Final = (including.NAME, LANGUAGE_EXTENSIONS, serverless.NAME)


@dataclass(frozen=True, slots=True)
class Declared:
    """One entry of the section Transform."""

    name: str
    node: SourceNode
    parameters: SourceNode | None = None


def declared(tree: SourceNode, findings: Findings) -> tuple[Declared, ...]:
    """The entries of the section Transform, in order; those that cannot be carried out are reported."""
    node = tree.get(SECTION)
    if node is None or nodes.is_null(node):
        return ()
    found: dict[str, Declared] = {}
    for item in node.items if node.kind == "list" and node.tag is None else (node,):
        name_node = item.get("Name") if item.kind == "map" else item
        name = nodes.as_string(name_node) if name_node is not None else None
        if not name:
            summary = "Template format error: Every Transform member must be a string or an object with a Name."
            findings.error("InvalidStructure", summary, "Write `Transform: Name`.", at=_AT, span=item.span)
        elif name.startswith("AWS::") and name not in _KNOWN:
            refuse(name, item, _AT, findings)
        else:
            parameters = item.get("Parameters") if item.kind == "map" else None
            found.setdefault(name, Declared(name, item, parameters))
    return tuple(found.values())


def refuse(name: str, node: SourceNode, at: Path, findings: Findings) -> None:
    """Report a transform of AWS's that there is not."""
    if name in _ABSENT:
        summary = f"Transform {name} is not supported: there is no such service here."
        findings.error("TransformNotSupported", summary, _ABSENT[name], at=at, span=node.span)
    else:
        hint = did_you_mean(name, _KNOWN) or f"The transforms of AWS known here are {', '.join(_KNOWN)}."
        findings.error("UnknownTransform", f"No transform named {name} found.", hint, at=at, span=node.span)


def all_names(tree: SourceNode, entries: tuple[Declared, ...]) -> tuple[str, ...]:
    """The names of all transforms that the template as written uses: declared ones first."""
    return tuple(dict.fromkeys([*(one.name for one in entries), *names_in(tree)]))


def apply(
    tree: SourceNode, entries: tuple[Declared, ...], source: Source, findings: Findings
) -> tuple[SourceNode, frozenset[str]]:
    """The tree after all transforms, without the section, and the parameters whose values they have used; what is wrong
    is reported, and ends it.

    Raises Unanswered when something has to be asked first.
    """
    asking = Asking(source)
    tree = NestedTransforms(tree, source, asking, findings, refuse).applied()
    asking.check()
    tree = without(tree, [SECTION]) if entries else tree
    for one in entries:
        if findings.has_errors:
            break
        tree = _applied(tree, one, source, asking, findings)
        asking.check()
    return tree, frozenset(asking.settled)


def _applied(tree: SourceNode, one: Declared, source: Source, asking: Asking, findings: Findings) -> SourceNode:
    if one.name == LANGUAGE_EXTENSIONS:
        return extend(tree, Statics(tree, given(source), asking), findings)
    if one.name == including.NAME:
        statics = Statics(tree, given(source), asking)
        text = including.included(one.parameters, one.node, source, statics, asking, _AT, findings)
        return tree if text is None else including.merged_sections(tree, text, one.name, findings)
    if one.name == serverless.NAME:
        return serverless.translated(tree, one.node, source, asking, findings)
    return macros.called(one.name, one.parameters, tree, tree, one.node, source, asking, _AT, findings)
