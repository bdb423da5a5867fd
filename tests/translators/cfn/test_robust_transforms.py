"""Whatever transforms are given and give back: a template or findings, nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.diagnostic import Invalid
from engine.model.source import Source, Unanswered
from translators.cfn import outline_leniently, parse, processed
from translators.source import read

WORDS = st.sampled_from([
    "Resources", "Outputs", "Conditions", "Type", "Properties", "Fn::Transform", "Fn::ForEach::X", "Transform", "Name",
    "Parameters", "Location", "AWS::Include", "M", "AWS::SQS::Queue", "Ref", "Fn::Sub", "Fn::Length", "", "R", "${R}",
])  # fmt: skip
LEAVES = st.one_of(
    WORDS, st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False, allow_infinity=False)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=24,
)
NAMES = ["M", "AWS::Include", "AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"]
DECLARED = st.lists(st.sampled_from(NAMES), unique=True, max_size=3)


def answered(template: Any, answer: Any) -> None:
    """Parse the template with `answer` for whatever it asks."""
    text = json.dumps(template)
    response = {"requestId": "r", "status": "success", "fragment": answer}
    told = {
        "include": json.dumps(answer),
        "macro": json.dumps({"id": "1::M", "requestId": "r", "response": response}),
        "serverless": json.dumps({"template": answer}),
        "pseudo": "x", "parameter": "x",
    }  # fmt: skip
    source = Source(text)
    for _ in range(8):
        try:
            parse(read(text), source)
            processed(read(text), source)
            return
        except Unanswered as asked:
            source = replace(source, answers={**source.answers, **{q.key: told[q.kind] for q in asked.questions}})
        except Invalid:
            return


@settings(max_examples=300, deadline=None)
@given(TREES, TREES, DECLARED)
def test_nothing_but_findings(tree: Any, answer: Any, declared: list[str]) -> None:
    template = {**tree, "Transform": declared} if isinstance(tree, dict) else {"Resources": tree, "Transform": declared}
    answered(template, answer)


@settings(max_examples=200, deadline=None)
@given(TREES, TREES)
def test_transforms_inside(tree: Any, answer: Any) -> None:
    call = {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/k"}}
    properties = {**tree, "Fn::Transform": call} if isinstance(tree, dict) else [tree, {"Fn::Transform": {"Name": "M"}}]
    answered({"Resources": {"R": {"Type": "AWS::SQS::Queue", "Properties": {"P": properties}}}}, answer)


@settings(max_examples=200, deadline=None)
@given(TREES)
def test_outlines(tree: Any) -> None:
    template = {**tree, "Transform": "M"} if isinstance(tree, dict) else {"Resources": tree, "Transform": "M"}
    try:
        outline_leniently(read(json.dumps(template)))
    except Invalid:
        return
