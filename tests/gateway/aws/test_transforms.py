"""Templates with transforms against the endpoint (cloudformation.md L30, L85, L86, L89, L90, W41, A26 to A28)."""

from __future__ import annotations

import json

import pytest
from aiohttp import web
from botocore.exceptions import ClientError

from engine.model.account import account_id
from tests.gateway.aws.serving import PROJECT, REGION

ACCOUNT = account_id(PROJECT)
EXPAND = ["CAPABILITY_AUTO_EXPAND"]
THING = "OS::Heat::TestResource"


def refused(call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


@pytest.fixture
def included(served):
    """A template that includes what the test has put there, and the parts of it."""
    served.files["thing.yaml"] = b"value: !Ref Word\n"
    return f"""
Parameters: {{Word: {{Type: String, Default: one}}, Base: {{Type: String, Default: '{served.url}'}}}}
Resources:
  Thing:
    Type: {THING}
    Properties:
      Fn::Transform: {{Name: AWS::Include, Parameters: {{Location: !Sub '${{Base}}/files/thing.yaml'}}}}
"""


@pytest.fixture
def macro(served):
    """Serve a macro; the events that it was called with are returned."""
    events: list = []

    def serve(name, answer):
        def answering(event):
            events.append(event)
            return answer(event)

        served.macros[name] = answering
        return events

    yield serve
    served.macros.clear()


def shouting(event):
    """Every text of the fragment in capitals."""

    def loud(value):
        if isinstance(value, dict):
            return {
                key: loud(item) if key == "value" or isinstance(item, dict) else item for key, item in value.items()
            }
        return value.upper() if isinstance(value, str) else value

    return {"requestId": event["requestId"], "status": "SUCCESS", "fragment": loud(event["fragment"])}


SHOUTED = f"Transform: Shout\nResources:\n  Thing: {{Type: {THING}, Properties: {{value: word}}}}\n"


def test_l85_w41_what_is_included_needs_to_be_acknowledged_and_is_made(aws, name, wait, included):
    code, said = refused(aws.create_stack, StackName=name, TemplateBody=included)
    assert (code, said) == ("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]")
    aws.create_stack(StackName=name, TemplateBody=included, Capabilities=EXPAND)
    wait("stack_create_complete", name)
    assert aws.get_template(StackName=name)["TemplateBody"] == included
    processed = aws.get_template(StackName=name, TemplateStage="Processed")
    assert processed["StagesAvailable"] == ["Original", "Processed"]
    assert processed["TemplateBody"]["Resources"] == {
        "Thing": {"Type": THING, "Properties": {"value": {"Ref": "Word"}}}
    }


def test_l85_n02_an_update_includes_what_is_there_then_and_a_rollback_what_was_there(served, aws, name, wait, included):
    aws.create_stack(StackName=name, TemplateBody=included, Capabilities=EXPAND)
    wait("stack_create_complete", name)
    served.files["thing.yaml"] = b"value: other\n"
    aws.update_stack(StackName=name, UsePreviousTemplate=True, Capabilities=EXPAND)
    wait("stack_update_complete", name)
    served.files["thing.yaml"] = b"value: third\nfail: true\n"
    aws.update_stack(StackName=name, UsePreviousTemplate=True, Capabilities=EXPAND)
    served.files.clear()
    wait("stack_rollback_complete", name)
    processed = aws.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    assert processed["Resources"]["Thing"]["Properties"] == {"value": "other"}


def test_l85_what_is_not_there_is_told_with_its_place(served, aws, name, included):
    served.files.clear()
    code, said = refused(aws.create_stack, StackName=name, TemplateBody=included, Capabilities=EXPAND)
    assert code == "ValidationError"
    assert said.startswith(
        f"Transform AWS::Include failed with: {served.url}/files/thing.yaml could not be fetched: the"
    )
    assert "(line 7, column 66)" in said


def test_l89_macro_is_called_as_aws_calls_it(aws, name, wait, macro):
    events = macro("Shout", shouting)
    aws.create_stack(StackName=name, TemplateBody=SHOUTED, Capabilities=EXPAND)
    wait("stack_create_complete", name)
    (event,) = events
    assert event.pop("requestId")
    assert event == {
        "region": REGION, "accountId": ACCOUNT, "transformId": f"{ACCOUNT}::Shout", "params": {},
        "templateParameterValues": {},
        "fragment": {"Resources": {"Thing": {"Type": THING, "Properties": {"value": "word"}}}},
    }  # fmt: skip
    body = aws.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    assert body["Resources"]["Thing"]["Properties"] == {"value": "WORD"}
    assert len(events) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda event: {"requestId": event["requestId"], "status": "failed", "errorMessage": "no"}, "failed with: no."),
        (lambda event: web.Response(text="nonsense"), f"Received malformed response from transform {ACCOUNT}::Shout"),
        (lambda event: web.Response(status=500), "failed with: it answered with the status 500."),
    ],
    ids=["it says so", "no JSON", "status"],
)
def test_l89_a_macro_that_fails(aws, name, macro, answer, said):
    macro("Shout", answer)
    code, message = refused(aws.create_stack, StackName=name, TemplateBody=SHOUTED, Capabilities=EXPAND)
    assert code == "ValidationError"
    assert said in message
    assert "(line 1, column 12)" in message


def test_l89_macros_that_are_not_there(aws, name):
    code, said = refused(aws.create_stack, StackName=name, TemplateBody=SHOUTED, Capabilities=EXPAND)
    assert (code, said.split(" (")[0]) == (
        "ValidationError",
        f"No transform named {ACCOUNT}::Shout found. Whoever runs isotherm names macros in its configuration: "
        "`[macros]`, `Shout = URL`.",
    )
    text = SHOUTED.replace("Shout", "Nowhere")
    _, said = refused(aws.create_stack, StackName=name, TemplateBody=text, Capabilities=EXPAND)
    assert f"Transform {ACCOUNT}::Nowhere failed with: it cannot be called" in said


def test_w41_change_sets_expand_without_being_told_to(aws, name, macro):
    macro("Shout", shouting)
    aws.create_change_set(StackName=name, ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=SHOUTED)
    body = aws.get_template(StackName=name, ChangeSetName="c", TemplateStage="Processed")["TemplateBody"]
    assert body["Resources"]["Thing"]["Properties"] == {"value": "WORD"}


def test_n06_n07_summaries_call_no_macro(aws, macro):
    events = macro("Shout", shouting)
    told = aws.get_template_summary(TemplateBody=SHOUTED)
    assert told["DeclaredTransforms"] == ["Shout"]
    assert told["Capabilities"] == EXPAND
    assert told["CapabilitiesReason"] == "The following resource(s) require capabilities: [Shout]"
    assert told["ResourceTypes"] == [THING]
    told = aws.validate_template(TemplateBody=SHOUTED)
    assert (told["DeclaredTransforms"], told["Capabilities"]) == (["Shout"], EXPAND)
    assert events == []


SAM = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12}}
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, InlineCode: 'pass'}
"""


def test_l10_l86_serverless_templates_are_translated_by_the_library(aws, name):
    assert aws.get_template_summary(TemplateBody=SAM)["ResourceTypes"] == ["AWS::Serverless::Function"]
    code, said = refused(
        aws.create_stack, StackName=name, TemplateBody=SAM, Capabilities=[*EXPAND, "CAPABILITY_IAM"]
    )  # fmt: skip
    assert code == "ValidationError"
    assert "AWS::Lambda::Function" in said
    assert "(line 5, column 3)" in said


def test_l86_mistakes_stand_where_they_were_made(aws, name):
    text = SAM.replace("Handler: a.b, InlineCode: 'pass'", "Handler: a.b")
    _, said = refused(aws.create_stack, StackName=name, TemplateBody=text, Capabilities=EXPAND)
    assert "Transform AWS::Serverless-2016-10-31 failed with: Resource with id [Hello] is invalid." in said
    assert "(line 5, column 3)" in said


def test_l87_l90_loops_are_shown_unrolled(aws, name, wait):
    thing = {"Type": THING, "Properties": {"value": {"Ref": "N"}}}
    loop = {"Fn::ForEach::Things": ["N", ["a", "b"], {"Thing${N}": thing}]}
    body = json.dumps({"Transform": "AWS::LanguageExtensions", "Resources": loop})
    aws.create_stack(StackName=name, TemplateBody=body, Capabilities=EXPAND)
    wait("stack_create_complete", name)
    made = aws.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    assert made["Resources"]["Thingb"]["Properties"] == {"value": "b"}
    assert "Transform" not in made


def test_n06_n07_loops_over_parameters_without_values_are_no_mistake(aws):
    loop = {"Fn::ForEach::Things": ["N", {"Ref": "Names"}, {"Thing${N}": {"Type": THING}}]}
    parameters = {"Names": {"Type": "CommaDelimitedList"}}
    body = json.dumps({"Transform": "AWS::LanguageExtensions", "Parameters": parameters, "Resources": loop})
    assert [one["ParameterKey"] for one in aws.validate_template(TemplateBody=body)["Parameters"]] == ["Names"]
    assert aws.get_template_summary(TemplateBody=body)["DeclaredTransforms"] == ["AWS::LanguageExtensions"]


def test_n07_validation_does_not_ask_for_stored_parameters(aws):
    parameters = {"Word": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/none"}}
    body = json.dumps({"Parameters": parameters, "Resources": {"T": {"Type": THING}}})
    assert aws.validate_template(TemplateBody=body)["Parameters"][0]["DefaultValue"] == "/none"
    assert aws.get_template_summary(TemplateBody=body)["Parameters"][0]["ParameterType"].endswith("Value<String>")
