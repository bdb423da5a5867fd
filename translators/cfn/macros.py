"""Macros: what one is called with, and what it said (cloudformation.md L89).

The call itself is made outside; its answer is JSON: `id` is the macro's full name, `requestId` that of the call,
`response` what the macro answered, null when that was no JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from engine.model.diagnostic import Invalid
from engine.model.source import Source
from engine.model.value import Value
from translators.cfn import nodes
from translators.cfn.asking import Asking, document, question
from translators.cfn.findings import Findings, Path
from translators.cfn.long_form import long_form, placed
from translators.cfn.static import Statics, Undecided, given
from translators.source import SourceNode

_MOST_BYTES: Final = 1_000_000  # of a processed template (AWS's documentation of macros)


def called(
    name: str, parameters: SourceNode | None, fragment: SourceNode, tree: SourceNode, node: SourceNode, source: Source,
    asking: Asking, at: Path, findings: Findings,
) -> SourceNode:  # fmt: skip
    """What the macro makes of `fragment`, a part of `tree`; the fragment as it is while that has to be asked, or when
    the macro failed, which is reported at `node`."""
    content: Value = {
        "fragment": long_form(fragment),
        "params": {} if parameters is None else long_form(parameters),
        "templateParameterValues": _values(tree, source, asking),
    }
    answer = asking.answer(question("macro", name, node, content))
    if answer is None:
        return fragment
    try:
        told = document(answer, f"the answer of the macro {name}")
    except Invalid:
        told = {"id": name, "response": None}
    made = _fragment(told, node, at, findings)
    return fragment if made is _NOTHING else placed(made, fragment, node.span)


_NOTHING: Final = object()


def _fragment(told: Mapping[str, Value], node: SourceNode, at: Path, findings: Findings) -> Value:
    """The fragment that the macro returned, or `_NOTHING`, its failure reported in AWS's words."""
    full, response = told["id"], told["response"]
    hint = "Ask whoever runs the macro."
    if not isinstance(response, Mapping) or response.get("requestId") != told.get("requestId"):
        summary = f"Received malformed response from transform {full}"
        hint = "A macro answers with its requestId, a status and a fragment."
    elif str(response.get("status", "")).lower() != "success":
        said = nodes.text(response.get("errorMessage"))
        summary = (
            f"Transform {full} failed with: {said}." if said else f"Transform {full} failed without an error message."
        )
    elif "fragment" not in response or response["fragment"] is None:
        summary = f"Received malformed response from transform {full}"
        hint = "It says success, but returns no fragment."
    elif len(json.dumps(response["fragment"])) > _MOST_BYTES:
        summary = f"Transform {full} failed with: The processed template is larger than {_MOST_BYTES} bytes."
    else:
        return response["fragment"]
    findings.error("TransformFailed", summary, hint, at=at, span=node.span)
    return _NOTHING


def _values(tree: SourceNode, source: Source, asking: Asking) -> dict[str, Value]:
    """The values of all parameters of the template that have one."""
    statics, found = Statics(tree, given(source), asking), {}
    for key, _ in nodes.entries(tree.get("Parameters")):
        try:
            found[nodes.text(key.value)] = statics.parameter(nodes.text(key.value))
        except Undecided:
            continue  # that it has no value is told when parameters are bound
    return found
