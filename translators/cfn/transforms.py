"""The Transform section (cloudformation.md L09, L85 to L90): what is declared, and what can be applied."""

from __future__ import annotations

from engine.model.source import Source
from translators.cfn import nodes
from translators.cfn.findings import Findings, Path
from translators.cfn.language_extensions import extend
from translators.source import SourceNode

LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
_WAY_OUT = (
    "Send the template as it is after the transform: `aws cloudformation get-template --template-stage Processed`"
    " prints it for a stack that AWS has."
)


def declared(node: SourceNode | None, findings: Findings) -> tuple[str, ...]:
    """The names of the transforms, in order; those that cannot be applied are reported."""
    if node is None or nodes.is_null(node):
        return ()
    at: Path = (None, "Transform")
    found: list[str] = []
    for item in node.items if node.kind == "list" else (node,):
        name_node = item.get("Name") if item.kind == "map" else item
        name = nodes.as_string(name_node) if name_node is not None else None
        if not name:
            summary = "Template format error: Every Transform member must be a string or an object with a Name."
            findings.error("InvalidStructure", summary, "Write `Transform: Name`.", at=at, span=item.span)
        elif name != LANGUAGE_EXTENSIONS:
            summary = f"Transform {name} is not supported yet."
            findings.error("TransformNotSupported", summary, _WAY_OUT, at=at, span=item.span)
        else:
            found.append(name)
    return tuple(dict.fromkeys(found))


def apply(tree: SourceNode, names: tuple[str, ...], source: Source, findings: Findings) -> SourceNode:
    """The tree after the declared transforms."""
    return extend(tree, source, findings) if LANGUAGE_EXTENSIONS in names else tree
