"""Parameters to input and results to XML, with botocore as the oracle. Ids are rows of cloudformation.md."""

from __future__ import annotations

import datetime as dt
import time
from urllib.parse import parse_qsl, urlencode

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
import orjson
import pytest

from gateway.aws.protocol import constraints, json, query, xml
from gateway.aws.protocol.model import load

SERVICE = load("cloudformation")
MODEL = botocore.model.ServiceModel(
    botocore.loaders.Loader().load_service_model("cloudformation", "service-2"), "cloudformation"
)


def sent(action, **given):
    """The parameters as botocore sends them."""
    serializer = botocore.serialize.create_serializer("query", include_validation=False)
    body = serializer.serialize_to_request(given, MODEL.operation_model(action))["body"]
    return [(str(key), str(value)) for key, value in body.items()]


def read(action, pairs):
    return query.read_input(pairs, SERVICE.operations[action].input)


def parsed(action, text):
    """The answer as botocore reads it."""
    parser = botocore.parsers.create_parser("query")
    response = {"status_code": 200, "headers": {}, "body": text.encode()}
    return parser.parse(response, MODEL.operation_model(action).output_shape)


def written(action, result):
    return xml.response(SERVICE, SERVICE.operations[action], result, "an-id")


def found(action, **given):
    value, problems = read(action, sent(action, **given))
    return problems + list(constraints.violations(value, SERVICE.operations[action].input))


# --- requests -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("action", "given"),
    [
        ("DescribeStacks", {}),
        ("CreateStack", {"StackName": "a", "TemplateBody": "{}\r\n", "TimeoutInMinutes": 5, "DisableRollback": True}),
        ("CreateStack", {"StackName": "a", "Parameters": [{"ParameterKey": "K", "ParameterValue": "ü &=+"}] * 12}),
        ("UpdateStack", {"StackName": "a", "Parameters": [{"ParameterKey": "K", "UsePreviousValue": True}]}),
        ("UpdateStack", {"StackName": "a", "Tags": [], "NotificationARNs": [], "Capabilities": []}),
        ("CreateStack", {"StackName": "a", "RollbackConfiguration": {
            "MonitoringTimeInMinutes": 3, "RollbackTriggers": [{"Arn": "x", "Type": "AWS::CloudWatch::Alarm"}]}}),
        ("CreateChangeSet", {"StackName": "a", "ChangeSetName": "c", "ResourcesToImport": [
            {"ResourceType": "T", "LogicalResourceId": "L", "ResourceIdentifier": {"Id": "1", "Name": "n"}}]}),
        ("ListStacks", {"StackStatusFilter": ["CREATE_COMPLETE", "DELETE_COMPLETE"]}),
    ],
)  # fmt: skip
def test_w07_what_botocore_sends_is_read_back_whole(action, given):
    assert read(action, sent(action, **given)) == (given, [])


def test_w07_a_bare_name_is_an_empty_list():
    assert read("UpdateStack", [("StackName", "a"), ("Tags", "")])[0] == {"StackName": "a", "Tags": []}


def test_w07_members_are_ordered_by_number_not_by_text():
    pairs = [(f"Capabilities.member.{n}", str(n)) for n in (10, 2, 1)]
    assert read("CreateStack", pairs)[0] == {"Capabilities": ["1", "2", "10"]}


def test_w08_unknown_parameters_are_ignored():
    pairs = [("StackName", "a"), ("NewThing.Mode", "x"), ("Tags.member.1.Colour", "red"), ("Action", "CreateStack")]
    assert read("CreateStack", pairs)[0] == {"StackName": "a", "Tags": [{}]}


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("TimeoutInMinutes", "soon")], "Value 'soon' at 'timeoutInMinutes' failed to satisfy constraint: "
         "Member must be an integer"),
        ([("TimeoutInMinutes", "9" * 5000)], "Member must be an integer"),
        ([("DisableRollback", "perhaps")], "Member must be true or false"),
        ([("Tags", "blue")], "Value 'blue' at 'tags' failed to satisfy constraint: Member must be a list"),
    ],
)  # fmt: skip
def test_w06_what_is_no_value_of_its_kind_is_told(pairs, message):
    assert message in read("CreateStack", pairs)[1][0]


def test_bad_input_deep_and_contradicting_names_do_no_harm():
    pairs = [("Tags" + ".a" * 100_000, "x"), ("Tags.member.1", "y"), ("Tags.member.1.Key", "k"), ("Tags", "z")]
    assert read("CreateStack", pairs)[0] == {"Tags": [{"Key": "k"}]}


# --- constraints --------------------------------------------------------------------------------------------------
PATTERN = "[a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*"


@pytest.mark.parametrize(
    ("action", "given", "message"),
    [
        ("DescribeStacks", {"StackName": "*@x_$"}, "Value '*@x_$' at 'stackName' failed to satisfy constraint: Member "
         f"must satisfy regular expression pattern: {PATTERN}"),
        ("ValidateTemplate", {"TemplateBody": "ü" * 25601}, "at 'templateBody' failed to satisfy constraint: Member "
         "must have length less than or equal to 51200"),
        ("ListStackResources", {}, "Value null at 'stackName' failed to satisfy constraint: Member must not be null"),
        ("CreateStack", {"StackName": "a", "TimeoutInMinutes": 0}, "Value '0' at 'timeoutInMinutes' failed to satisfy "
         "constraint: Member must have value greater than or equal to 1"),
        ("CreateStack", {"StackName": "a", "OnFailure": "CRY"}, "Value 'CRY' at 'onFailure' failed to satisfy "
         "constraint: Member must satisfy enum value set: [DO_NOTHING, ROLLBACK, DELETE]"),
        ("CreateStack", {"StackName": "a", "Capabilities": ["CAPABILITY_FLY"]}, "Value '[CAPABILITY_FLY]' at "
         "'capabilities' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value "
         "set: [CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND]]"),
        ("CreateStack", {"StackName": "a", "Tags": [{"Key": "k", "Value": "v" * 257}]}, "at 'tags.1.member.value' "
         "failed to satisfy constraint: Member must have length less than or equal to 256"),
    ],
)  # fmt: skip
def test_w15_constraints_are_told_in_aws_words(action, given, message):
    (said,) = found(action, **given)
    assert message in said


def test_w15_all_violations_are_in_one_message():
    said = constraints.message(found("CreateStack", StackName="_", TimeoutInMinutes=-1))
    assert said.startswith("2 validation errors detected: Value '_' at 'stackName' failed")
    assert "; Value '-1' at 'timeoutInMinutes' failed" in said


@pytest.mark.parametrize("name", ["web-1", "my_stack.2", "arn:aws:cloudformation:RegionOne:123456789012:stack/a_b/x"])
def test_w24_names_of_the_native_api_can_be_read(name):
    assert found("DescribeStacks", StackName=name) == []


# --- responses ----------------------------------------------------------------------------------------------------
TIME = dt.datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=dt.UTC)
STACK = {
    "StackName": "a", "StackId": "arn", "CreationTime": TIME, "StackStatus": "CREATE_COMPLETE", "Outputs": [],
    "Tags": [{"Key": "k", "Value": "<&>\"' ü 😀"}], "DisableRollback": False, "TimeoutInMinutes": 7, "RoleARN": None,
    "RollbackConfiguration": {}, "Description": "two\r\nlines\x0b",
}  # fmt: skip


def test_w09_botocore_reads_what_is_written():
    answer = parsed("DescribeStacks", written("DescribeStacks", {"Stacks": [STACK], "NextToken": None}))
    stack = answer["Stacks"][0]
    assert stack["Tags"] == STACK["Tags"]
    assert stack["CreationTime"] == TIME.replace(microsecond=123000)
    assert (stack["DisableRollback"], stack["TimeoutInMinutes"]) == (False, 7)
    assert (stack["Outputs"], stack["RollbackConfiguration"]) == ([], {})
    assert stack["Description"] == "two\r\nlines\ufffd"
    assert "RoleARN" not in stack
    assert "NextToken" not in answer
    assert answer["ResponseMetadata"]["RequestId"] == "an-id"


def test_w09_the_document_has_aws_form():
    assert written("GetTemplate", {"TemplateBody": "x", "StagesAvailable": []}) == (
        '<GetTemplateResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><GetTemplateResult>'
        "<TemplateBody>x</TemplateBody><StagesAvailable></StagesAvailable></GetTemplateResult>"
        "<ResponseMetadata><RequestId>an-id</RequestId></ResponseMetadata></GetTemplateResponse>"
    )


def test_w11_actions_without_output_have_no_result_element():
    assert "DeleteStackResult" not in written("DeleteStack", {})
    assert "<ExecuteChangeSetResult></ExecuteChangeSetResult>" in written("ExecuteChangeSet", {})


def test_w12_botocore_reads_errors():
    text = xml.error(SERVICE.namespace, "Sender", "ValidationError", "1 < 2 & so on", "an-id")
    response = {"status_code": 400, "headers": {}, "body": text.encode()}
    answer = botocore.parsers.create_parser("query").parse(response, None)
    assert answer["Error"] == {"Type": "Sender", "Code": "ValidationError", "Message": "1 < 2 & so on"}
    assert answer["ResponseMetadata"]["RequestId"] == "an-id"


def test_w05_json_has_seconds_for_times_and_no_absent_members():
    operation = SERVICE.operations["DescribeStacks"]
    answer = orjson.loads(json.response(operation, {"Stacks": [STACK], "NextToken": None}, "an-id"))
    stack = answer["DescribeStacksResponse"]["DescribeStacksResult"]["Stacks"][0]
    assert stack["CreationTime"] == pytest.approx(TIME.timestamp(), abs=0.001)
    assert "RoleARN" not in stack


@pytest.mark.parametrize("pairs", [[("ContentType", "JSON")], []])
def test_w05_json_is_sent_when_asked_for(pairs):
    assert json.wanted(pairs, "application/json" if not pairs else "*/*")
    assert not json.wanted([], "*/*")


def test_the_service_model_is_botocores():
    assert set(SERVICE.operations) == set(MODEL.operation_names)
    assert SERVICE.version == MODEL.api_version
    without_result = {name for name in MODEL.operation_names if MODEL.operation_model(name).output_shape is None}
    assert {name for name, one in SERVICE.operations.items() if one.output is None} == without_result


def test_w06_one_stack_is_written_in_a_tenth_of_a_millisecond():
    result = {"Stacks": [{**STACK, "Outputs": [{"OutputKey": "k", "OutputValue": "v"}] * 5}]}
    written("DescribeStacks", result)
    began = time.process_time()
    for _ in range(500):
        written("DescribeStacks", result)
    assert (time.process_time() - began) / 500 < 0.0002  # half of that on a quiet machine


def test_w03_a_form_body_round_trips():
    pairs = sent("CreateStack", StackName="a", Tags=[{"Key": "a b", "Value": "c+d"}])
    assert parse_qsl(urlencode(pairs), keep_blank_values=True) == pairs
