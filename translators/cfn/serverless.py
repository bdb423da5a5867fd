"""The transform AWS::Serverless-2016-10-31 (cloudformation.md L10, L86): what is asked of AWS SAM, and what it said.

The library runs outside. Its answer is JSON: `template`, or `errors`, pairs of a resource's name (or null) and a
sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.model.diagnostic import Span
from engine.model.source import Source
from engine.model.value import Value
from translators.cfn import nodes
from translators.cfn.asking import Asking, document, question
from translators.cfn.findings import Findings, Path
from translators.cfn.long_form import long_form, placed
from translators.cfn.static import given
from translators.source import SourceNode

NAME: Final = "AWS::Serverless-2016-10-31"
GLOBALS: Final = "Globals"
_APPLICATION: Final = "AWS::Serverless::Application"
_PACKAGE: Final = "It is a folder here: send what `sam package` or `aws cloudformation package` makes of the template."
_RESOURCES: Final[Path] = (None, "Resources")


def translated(tree: SourceNode, node: SourceNode, source: Source, asking: Asking, findings: Findings) -> SourceNode:
    """What SAM makes of the template; the template itself while that has to be asked, or when SAM refused it."""
    if not _can_be_asked(tree, findings):
        return tree
    content = {"template": long_form(tree), "parameters": given(source)}
    answer = asking.answer(question("serverless", "", node, content))
    if answer is None:
        return tree
    told = document(answer, "what AWS SAM made of the template")
    if "errors" in told:
        _report(told["errors"], tree, node, findings)
        return tree
    return placed(told["template"], tree, node.span)


def _can_be_asked(tree: SourceNode, findings: Findings) -> bool:
    """Whether the library can make anything of it without asking AWS."""
    found = True
    for key, resource in nodes.entries(tree.get("Resources")):
        kind = resource.get("Type") if resource.kind == "map" else None
        properties = resource.get("Properties") if resource.kind == "map" else None
        location = properties.get("Location") if properties is not None and properties.kind == "map" else None
        if kind is not None and kind.value == _APPLICATION and location is not None and location.kind == "map":
            found = False
            summary = f"Resource with id [{nodes.text(key.value)}] is invalid. The Serverless Application Repository"
            summary += " cannot be asked from here."
            hint = "Give Location the URL of the application's template."
            at: Path = (_RESOURCES, nodes.text(key.value))
            findings.error("TransformFailed", summary, hint, at=at, span=location.span)
    return found


def _report(errors: Sequence[Sequence[Value]], tree: SourceNode, node: SourceNode, findings: Findings) -> None:
    """Each error where its resource stands."""
    places = {nodes.text(key.value): key.span for key, _ in nodes.entries(tree.get("Resources"))}
    for resource, sentence in errors:
        span: Span = places.get(resource, node.span)
        at: Path = (_RESOURCES, resource) if resource in places else (None, "Transform")
        summary = f"Transform {NAME} failed with: {sentence}"
        hint = _PACKAGE if "is not a valid S3 Uri" in str(sentence) else ""
        findings.error("TransformFailed", summary, hint, at=at, span=span)
