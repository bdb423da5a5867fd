"""The verdicts on single templates, and the report of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpus.examine import Examiner, Verdict
from tests.corpus.known import Known
from tests.corpus.report import render
from tests.corpus.stopwatch import Stopwatch, TooLong

_TEMPLATES = {
    "aws/whole.yaml": (
        "Parameters: {N: {Type: String}}\nResources: {B: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref N}}}\n"
    ),
    "aws/waiting.yaml": "Resources: {F: {Type: AWS::Lambda::Function}, B: {Type: AWS::S3::Bucket, DependsOn: F}}\n",
    "aws/wrong.yaml": "Resources: {F: {Type: AWS::Lambda::Function}, B: {Type: AWS::S3::Bucket, DependsOn: G}}\n",
    "heat/with-file.yaml": (
        "heat_template_version: 2018-08-31\n"
        "resources: {v: {type: OS::Heat::Value, properties: {value: {get_file: a.sh}}}}\n"
    ),
    "heat/members.yaml": (
        "heat_template_version: 2018-08-31\n"
        "resources: {g: {type: OS::Heat::ResourceGroup, properties: {resource_def: {type: OS::Nowhere::Thing}}}}\n"
    ),
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for name, text in _TEMPLATES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "heat" / "a.sh").write_text("echo", encoding="utf-8")
    return tmp_path


def test_verdicts(corpus: Path) -> None:
    examiner = Examiner()
    found = {name: examiner.examine(corpus, corpus / name) for name in _TEMPLATES}
    assert {name: one.verdict for name, one in found.items()} == {
        "aws/whole.yaml": Verdict.UNDERSTOOD,
        "aws/waiting.yaml": Verdict.TYPES_MISSING,
        "aws/wrong.yaml": Verdict.REFUSED,
        "heat/with-file.yaml": Verdict.UNDERSTOOD,
        "heat/members.yaml": Verdict.TYPES_MISSING,
    }
    assert found["aws/waiting.yaml"].missing == {"AWS::Lambda::Function": 1}
    assert found["heat/members.yaml"].missing == {"OS::Nowhere::Thing": 1}
    assert found["aws/wrong.yaml"].codes == {"UnknownReference"}
    known = {"aws/wrong.yaml": Known("G is nowhere.", "aws", frozenset({"UnknownReference"}))}
    page = render([*found.values()], known)
    assert "| **all** | 5 | 2 | 2 | 1 |" in page
    refused = "### CloudFormation refuses these too (1)\n\n- G is nowhere. (UnknownReference; 1)\n  `aws/: wrong.yaml`"
    assert refused in page
    assert "1 resource each: AWS::Lambda::Function, OS::Nowhere::Thing." in page


def _work_without_end(watch: Stopwatch) -> None:
    with watch:
        while True:
            pass


def test_work_without_end_is_stopped() -> None:
    watch = Stopwatch(0.05)
    with pytest.raises(TooLong):
        _work_without_end(watch)
    assert 0.04 < watch.seconds < 1
    with pytest.raises(TooLong):  # nothing is left of it
        _work_without_end(watch)
