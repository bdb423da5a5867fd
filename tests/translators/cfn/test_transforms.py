"""Transforms with what the outside says to them (cloudformation.md L09, L30, L85, L86, L89)."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from engine.model.diagnostic import Invalid
from engine.model.expression import Literal, ParameterRef, Pseudo, PseudoRef
from engine.model.source import Question, Source, Unanswered
from engine.model.template import DeletionPolicy, Template
from mappings import Mappings
from translators.cfn import parse
from translators.source import read
from translators.translator import Translator

ACCOUNT = "123456789012"
MALFORMED = f"Received malformed response from transform {ACCOUNT}::M"


@dataclass
class Outside:
    """Answers from tables; what was asked is kept in order."""

    texts: Mapping[str, str] = field(default_factory=dict)
    macros: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    sam: Callable[[Any], Any] | None = None
    stored: Mapping[str, str] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)

    def answer(self, question: Question) -> str:
        self.asked.append(question)
        match question.kind:
            case "include":
                return self.texts[question.subject]
            case "macro":
                response = self.macros[question.subject](json.loads(question.content))
                told = {"id": f"{ACCOUNT}::{question.subject}", "requestId": "r", "response": response}
                return json.dumps(told)
            case "serverless":
                assert self.sam is not None
                return json.dumps(self.sam(json.loads(question.content)))
            case "parameter":
                return self.stored[question.subject]
            case "pseudo":
                return {"AWS::Region": "eu-1", "AWS::AccountId": ACCOUNT}[question.subject]
            case _:
                raise AssertionError(question)


def through(text: str, outside: Outside, **more: Any) -> Template:
    """The template of `text` once everything it asks is answered."""
    source = Source(textwrap.dedent(text), name="t", **more)
    for _ in range(9):
        try:
            return parse(read(source.text, name=source.name), source)
        except Unanswered as asked:
            answers = {one.key: outside.answer(one) for one in asked.questions}
            source = replace(source, answers={**source.answers, **answers})
    raise AssertionError("it asks for ever")


def refused(text: str, outside: Outside, **more: Any) -> list[tuple[str, str, str]]:
    """(code, place, summary) of everything that is wrong."""
    with pytest.raises(Invalid) as caught:
        through(text, outside, **more)
    return [(one.code, str(one.span), one.summary) for one in caught.value.diagnostics]


def good(fragment: Any) -> dict[str, Any]:
    return {"requestId": "r", "status": "success", "fragment": fragment}


# --- AWS::Include -------------------------------------------------------------------------------------------------
def test_l85_include_puts_a_text_beside_other_keys() -> None:
    outside = Outside({"s3://b/tags.yaml": "Label: !Ref AWS::Region\nOther: {Deep: 1}\n"})
    made = through(
        """
        Resources:
          R:
            Type: AWS::SQS::Queue
            Properties:
              QueueName: q
              Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/tags.yaml}}
        """,
        outside,
    )
    properties = made.resources["R"].properties
    assert [name for name, _ in properties.entries] == ["QueueName", "Label", "Other"]
    assert str(properties.entries[1][1].span) == "s3://b/tags.yaml:1:8"
    assert made.transforms == ("AWS::Include",)
    assert made.capabilities == {"CAPABILITY_AUTO_EXPAND"}


def test_l85_include_stands_for_a_whole_value_and_in_short_form() -> None:
    outside = Outside({"https://x/list.json": '["a", "b"]'})
    made = through(
        """
        Resources:
          R:
            Type: AWS::SQS::Queue
            Properties:
              L: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: https://x/list.json}}}
              S: !Transform {Name: AWS::Include, Parameters: {Location: https://x/list.json}}
        """,
        outside,
    )
    properties = made.resources["R"].properties
    assert properties.get("L") == properties.get("S")
    assert [one.subject for one in outside.asked] == ["https://x/list.json"]  # asked once


def test_l85_include_of_the_whole_template_adds_sections_and_members() -> None:
    outside = Outside({"s3://b/k": "Resources: {Q: {Type: AWS::SQS::Queue}}\nMappings: {M: {a: {b: c}}}\n"})
    made = through(
        """
        Transform: {Name: AWS::Include, Parameters: {Location: !Sub 's3://${Bucket}/k'}}
        Parameters: {Bucket: {Type: String, Default: b}}
        Resources: {R: {Type: AWS::SNS::Topic}}
        """,
        outside,
    )
    assert list(made.resources) == ["R", "Q"]
    assert made.mappings == {"M": {"a": {"b": "c"}}}


def test_l85_included_texts_include_others_and_files_sent_along_are_not_asked_for() -> None:
    inner = "Fn::Transform: {Name: AWS::Include, Parameters: {Location: inner.yaml}}\n"
    made = through(
        """
        Resources:
          Fn::Transform: {Name: AWS::Include, Parameters: {Location: outer.yaml}}
        """,
        Outside(),
        files={"outer.yaml": "A: {Type: AWS::SQS::Queue}\n" + inner, "inner.yaml": "B: {Type: AWS::SQS::Queue}\n"},
    )
    assert list(made.resources) == ["A", "B"]


def test_l85_a_circle_of_includes_ends() -> None:
    text = "X: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/k}}}\n"
    (found,) = refused(
        "Metadata:\n  " + text + "Resources: {R: {Type: AWS::SQS::Queue}}\n", Outside({"s3://b/k": text})
    )
    assert found[:2] == ("TransformFailed", "s3://b/k:1:20")
    assert "more than 5 deep" in found[2]


INCLUDE = """
Resources:
  R: {Type: AWS::SQS::Queue}
  Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/k}}
"""


@pytest.mark.parametrize(
    ("text", "code", "place", "said"),
    [
        (
            "a: [",
            "TransformFailed",
            "t:4:62",
            "content should be valid Yaml/JSON: Template format error: YAML not well",
        ),
        ("[a]", "TransformFailed", "s3://b/k:1:1", "What is included beside other keys must be an object."),
        ("R: {Type: A::B::C}", "DuplicateName", "s3://b/k:1:1", "R stands in the template and in what is included."),
        ("Q: {Typ: AWS::SQS::Queue}", "InvalidResource", "s3://b/k:1:5", "Invalid template resource property 'Typ'"),
    ],
    ids=["not well-formed", "no object", "twice", "wrong inside"],
)
def test_l85_what_is_wrong_with_an_included_text(text: str, code: str, place: str, said: str) -> None:
    found = refused(INCLUDE, Outside({"s3://b/k": text}))
    assert found[0][:2] == (code, place)
    assert said in found[0][2]


def test_what_is_not_answered_is_told_with_its_place() -> None:
    with pytest.raises(Unanswered) as caught:
        parse(read(INCLUDE, name="t"), Source(INCLUDE))
    (one,) = caught.value.diagnostics
    assert (one.code, str(one.span)) == ("OutsideNeeded", "t:4:62")
    assert one.summary == "The template cannot be understood without asking for: include s3://b/k."


# --- macros -----------------------------------------------------------------------------------------------------------
def test_l89_macro_inside_gets_its_siblings_and_its_parameters() -> None:
    seen: list[Any] = []

    def macro(event: Any) -> Any:
        seen.append(event)
        return good({**event["fragment"], "Visible": event["params"]["Seconds"]})

    made = through(
        """
        Parameters: {Name: {Type: String}, Names: {Type: CommaDelimitedList, Default: 'a,b'}, None: {Type: String}}
        Resources:
          R:
            Type: AWS::SQS::Queue
            Properties:
              QueueName: !Ref Name
              Target: !GetAtt R.Arn
              Fn::Transform: {Name: Fill, Parameters: {Seconds: 30, As: !Ref Name}}
        """,
        Outside(macros={"Fill": macro}),
        parameters={"Name": "q"},
    )
    assert seen == [
        {
            "fragment": {"QueueName": {"Ref": "Name"}, "Target": {"Fn::GetAtt": ["R", "Arn"]}},
            "params": {"Seconds": 30, "As": {"Ref": "Name"}},
            "templateParameterValues": {"Name": "q", "Names": ["a", "b"]},
        }
    ]
    properties = made.resources["R"].properties
    assert properties.get("QueueName") == ParameterRef("Name")
    assert properties.get("Visible") == Literal(30)
    assert str(properties.entries[0][1].span) == "t:7:18"  # what the macro left alone is where it was
    assert made.transforms == ("Fill",)


def test_l89_order_is_from_the_deepest_outward_then_as_declared() -> None:
    order: list[str] = []

    def named(name: str) -> Callable[[Any], Any]:
        def macro(event: Any) -> Any:
            order.append(name)
            return good(event["fragment"])

        return macro

    through(
        """
        Transform: [First, Second]
        Resources:
          Fn::Transform: {Name: Outer}
          R:
            Type: AWS::SQS::Queue
            Properties: {Fn::Transform: {Name: Inner}}
        """,
        Outside(macros={name: named(name) for name in ("First", "Second", "Outer", "Inner")}),
    )
    assert order == ["Inner", "Outer", "First", "Second"]


def test_l89_macro_of_the_whole_template_may_make_anything_of_it() -> None:
    def macro(event: Any) -> Any:
        assert "Transform" not in event["fragment"]
        return good({"Resources": {**event["fragment"]["Resources"], "QueuePolicy": {"Type": "AWS::SQS::QueuePolicy"}}})

    made = through(
        "Transform: [{Name: Grow, Parameters: {By: 1}}]\nResources:\n  Queue: {Type: AWS::SQS::Queue}\n",
        Outside(macros={"Grow": macro}),
    )
    assert list(made.resources) == ["Queue", "QueuePolicy"]
    assert str(made.resources["QueuePolicy"].span) == "t:3:3"  # made of Queue, as its name shows


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (None, MALFORMED),
        ({"requestId": "other", "status": "success", "fragment": {}}, MALFORMED),
        ({"requestId": "r", "status": "success"}, MALFORMED),
        ({"requestId": "r", "status": "failed"}, f"Transform {ACCOUNT}::M failed without an error message."),
        (
            {"requestId": "r", "status": "failure", "errorMessage": "no such thing"},
            f"Transform {ACCOUNT}::M failed with: no such thing.",
        ),
        (
            good("x" * 1_000_001),
            f"Transform {ACCOUNT}::M failed with: The processed template is larger than 1000000 bytes.",
        ),
    ],
    ids=["no JSON", "another request", "no fragment", "failed", "failed with words", "too large"],
)  # fmt: skip
def test_l89_what_a_macro_may_not_answer(response: Any, said: str) -> None:
    found = refused(
        "Transform: M\nResources: {R: {Type: AWS::SQS::Queue}}\n", Outside(macros={"M": lambda _: response})
    )
    assert found == [("TransformFailed", "t:1:12", said)]


def test_l89_a_macro_may_not_return_another_transform() -> None:
    made = {"Resources": {"R": {"Type": "AWS::SQS::Queue", "Properties": {"P": {"Fn::Transform": {"Name": "N"}}}}}}
    (found,) = refused(
        "Transform: M\nResources: {R: {Type: AWS::SQS::Queue}}\n", Outside(macros={"M": lambda _: good(made)})
    )
    assert found == (
        "TransformFailed", "t:2:16", "Template error: Fn::Transform with N stands in what another transform has made."
    )  # fmt: skip


# --- AWS::Serverless ------------------------------------------------------------------------------------------------
SAM = """
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Globals: {Function: {Timeout: 3}}
Parameters: {Stage: {Type: String, Default: dev}}
Resources:
  Fn::ForEach::Functions:
    - Name
    - [One]
    - ${Name}: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}
"""


def test_l86_serverless_is_asked_after_the_loops_are_unrolled() -> None:
    def sam(content: Any) -> Any:
        assert content["parameters"] == {"Stage": "prod"}
        assert list(content["template"]["Resources"]) == ["One"]
        kinds = {"One": "AWS::Lambda::Function", "OneRole": "AWS::IAM::Role", "Else": "AWS::S3::Bucket"}
        return {"template": {"Resources": {name: {"Type": kind} for name, kind in kinds.items()}}}

    made = through(SAM, Outside(sam=sam), parameters={"Stage": "prod"})
    assert {name: str(one.span) for name, one in made.resources.items()} == {
        "One": "t:9:7", "OneRole": "t:9:7", "Else": "t:6:3"
    }  # fmt: skip
    assert made.capabilities == {"CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"}


def test_l86_errors_of_serverless_stand_at_their_resources() -> None:
    errors = [["One", "Resource with id [One] is invalid. x"], [None, "Something is wrong."]]
    failed = "Transform AWS::Serverless-2016-10-31 failed with:"
    assert refused(SAM, Outside(sam=lambda _: {"errors": errors})) == [
        ("TransformFailed", "t:2:38", f"{failed} Something is wrong."),
        ("TransformFailed", "t:9:7", f"{failed} Resource with id [One] is invalid. x"),
    ]


# --- AWS::LanguageExtensions and the surroundings ---------------------------------------------------------------------
def test_l33_loops_may_depend_on_the_region_and_the_account() -> None:
    made = through(
        """
        Transform: AWS::LanguageExtensions
        Mappings: {Sites: {eu-1: {Names: [a, b]}}}
        Resources:
          Fn::ForEach::Queues:
            - N
            - !FindInMap [Sites, !Ref AWS::Region, Names]
            - Queue${N}: {Type: AWS::SQS::Queue, DeletionPolicy: !If [Ours, Retain, Delete]}
        Conditions: {Ours: !Equals [!Ref AWS::AccountId, '123456789012']}
        """,
        Outside(),
    )
    assert {name: one.deletion_policy.value for name, one in made.resources.items()} == {
        "Queuea": "Retain", "Queueb": "Retain"
    }  # fmt: skip


def test_outside_is_not_asked_by_templates_without_transforms() -> None:
    outside = Outside()
    made = through("Resources: {R: {Type: AWS::SQS::Queue, Properties: {P: !Ref AWS::Region}}}", outside)
    assert outside.asked == []
    assert made.resources["R"].properties.get("P") == PseudoRef(Pseudo.REGION)


def test_l86_what_has_to_be_packaged_first_is_told() -> None:
    said = "Resource with id [One] is invalid. 'CodeUri' is not a valid S3 Uri of the form 's3://bucket/key'"
    with pytest.raises(Invalid) as caught:
        through(SAM, Outside(sam=lambda _: {"errors": [["One", said]]}))
    assert "`aws cloudformation package`" in caught.value.diagnostics[0].detail


# --- the translator keeps templates by what they are made of ----------------------------------------------------------
def test_other_answers_make_another_template() -> None:
    translator, kept = Translator(Mappings()), []
    text = "Resources: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/k}}}"
    for bucket in ("A", "B"):
        answers = {"include:s3://b/k": f"{bucket}: {{Type: AWS::S3::Bucket}}"}
        kept.append(list(translator.translate(Source(text, answers=answers)).groups))
    assert kept == [["A"], ["B"]]


# --- parameters that transforms decide by --------------------------------------------------------------------------
STORED = """
    Transform: AWS::LanguageExtensions
    Parameters:
      Names: {Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: /names}
      Env: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /env}
    Conditions: {Prod: !Equals [!Ref Env, prod]}
    Resources:
      Fn::ForEach::Queues:
        - N
        - !Ref Names
        - 'Q${N}': {Type: AWS::SQS::Queue, DeletionPolicy: !If [Prod, Retain, Delete]}
"""


def test_l67_loops_and_policies_take_the_values_of_stored_parameters() -> None:
    made = through(STORED, Outside(stored={"/names": "a,b", "/env": "prod"})).resources
    assert {name: one.deletion_policy for name, one in made.items()} == dict.fromkeys(
        ("Qa", "Qb"), DeletionPolicy.RETAIN
    )


def test_l67_a_loop_over_a_stored_parameter_that_is_only_looked_for_is_undecided() -> None:
    found = refused(STORED, Outside(stored={"/names": "", "/env": ""}))
    assert [(code, place) for code, place, _ in found] == [("UndecidedLoop", "t:10:7")]


def test_l33_loops_take_the_defaults_of_the_environment() -> None:
    text = """
        Transform: AWS::LanguageExtensions
        Parameters: {Names: {Type: CommaDelimitedList, Default: a}}
        Resources:
          Fn::ForEach::Queues: [N, !Ref Names, {'Q${N}': {Type: AWS::SQS::Queue}}]
        """
    made = through(text, Outside(), environment={"parameter_defaults": {"Names": "b,c"}})
    assert list(made.resources) == ["Qb", "Qc"]
