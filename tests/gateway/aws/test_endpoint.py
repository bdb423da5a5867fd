"""boto3 against the endpoint on a real engine: what each action does and refuses. Ids are rows of cloudformation.md."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from gateway.aws.actions import ACTIONS
from gateway.aws.protocol.model import load
from tests.gateway.aws.conftest import template
from tests.gateway.aws.serving import REGION

THING = {"Type": "OS::Heat::TestResource", "Properties": {"value": {"Ref": "Word"}}}
WORDS = template({"Thing": THING}, Parameters={"Word": {"Type": "String", "Default": "first"}})
SLOW = {"Type": "OS::Heat::TestResource", "Properties": {"action_wait_secs": {"update": 30}, "value": {"Ref": "Word"}}}
WAITING = {"Handle": {"Type": "OS::Heat::WaitConditionHandle"}, "Thing": {
    "Type": "OS::Heat::WaitCondition", "Properties": {"handle": {"Ref": "Handle"}, "timeout": 1}}}  # fmt: skip
FAILING = template(WAITING)  # nobody signals


def refused(call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Message"]


def word(value):
    return [{"ParameterKey": "Word", "ParameterValue": value}]


def test_1_create_update_delete(aws, name, wait):
    arn = aws.create_stack(StackName=name, TemplateBody=WORDS)["StackId"]
    wait("stack_create_complete", name)
    assert aws.update_stack(StackName=name, UsePreviousTemplate=True, Parameters=word("second"))["StackId"] == arn
    wait("stack_update_complete", name)
    assert aws.describe_stacks(StackName=arn)["Stacks"][0]["Parameters"] == word("second")
    aws.delete_stack(StackName=name)
    wait("stack_delete_complete", name)
    assert aws.describe_stacks(StackName=arn)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    listed = aws.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert arn in {one["StackId"] for one in listed}


def test_w32_deleting_what_is_not_there_is_success(aws):
    assert aws.delete_stack(StackName="nothing-here")["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_w35_an_update_without_changes(aws, name, wait):
    aws.create_stack(StackName=name, TemplateBody=WORDS)
    wait("stack_create_complete", name)
    said = refused(aws.update_stack, StackName=name, UsePreviousTemplate=True)
    assert said == ("ValidationError", 400, "No updates are to be performed.")


def test_n02_parameters_keep_change_or_fall_back_to_their_default(aws, name, wait):
    aws.create_stack(StackName=name, TemplateBody=WORDS, Parameters=word("given"))
    wait("stack_create_complete", name)
    previous = [{"ParameterKey": "Word", "UsePreviousValue": True}]
    aws.update_stack(StackName=name, UsePreviousTemplate=True, Parameters=previous, Tags=[{"Key": "a", "Value": "b"}])
    wait("stack_update_complete", name)
    assert aws.describe_stacks(StackName=name)["Stacks"][0]["Parameters"] == word("given")
    aws.update_stack(StackName=name, UsePreviousTemplate=True)
    wait("stack_update_complete", name)
    stack = aws.describe_stacks(StackName=name)["Stacks"][0]
    assert (stack["Parameters"], stack["Tags"]) == (word("first"), [{"Key": "a", "Value": "b"}])
    unknown = [{"ParameterKey": "Other", "UsePreviousValue": True}]
    code, _, message = refused(aws.update_stack, StackName=name, UsePreviousTemplate=True, Parameters=unknown)
    assert code == "ValidationError"
    assert message.endswith("for a parameter key not in the previous template")


def test_w34_names_are_unique_and_w27_tokens_make_requests_repeatable(aws, name, wait):
    arn = aws.create_stack(StackName=name, TemplateBody=WORDS, ClientRequestToken="one")["StackId"]
    wait("stack_create_complete", name)
    assert aws.create_stack(StackName=name, TemplateBody=WORDS, ClientRequestToken="one")["StackId"] == arn
    said = refused(aws.create_stack, StackName=name, TemplateBody=WORDS)
    assert said == ("AlreadyExistsException", 400, f"Stack [{name}] already exists")
    code, _, _ = refused(aws.delete_stack, StackName=name, ClientRequestToken="one")
    assert code == "TokenAlreadyExistsException"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Either Template URL or Template Body must be specified."),
        ({"TemplateBody": WORDS, "TemplateURL": "https://x/y"}, "You cannot specify both TemplateURL and TemplateBody"),
        ({"TemplateBody": WORDS, "OnFailure": "DELETE", "DisableRollback": True}, "but not both"),
        ({"TemplateBody": WORDS, "ResourceTypes": ["AWS::EC2::*"]},
         "Resource type OS::Heat::TestResource is not allowed by parameter ResourceTypes [AWS::EC2::*]"),
        ({"TemplateBody": WORDS, "StackPolicyBody": "{}"}, "Error validating stack policy: Invalid stack policy"),
        ({"TemplateBody": WORDS, "Parameters": word("a") * 2}, "Duplicate parameter key Word"),
        ({"TemplateBody": WORDS, "Parameters": [{"ParameterKey": "X", "ParameterValue": "y"}]},
         "Parameters: [X] do not exist in the template"),
        ({"TemplateBody": template(Parameters={"A": {"Type": "String"}, "B": {"Type": "String"}})},
         "Parameters: [A, B] must have values"),
        ({"TemplateBody": WORDS, "RollbackConfiguration": {"RollbackTriggers": [{"Arn": "a", "Type": "t"}]}},
         "Rollback Trigger Type not supported"),
        ({"TemplateBody": WORDS, "Tags": [{"Key": "aws:x", "Value": "y"}]}, "reserved prefix"),
        ({"TemplateBody": "[" * 51200}, "Template format error: "),
        ({"TemplateBody": '{"Resources": {}}'}, "At least one Resources member must be defined"),
    ],
)  # fmt: skip
def test_n01_what_create_stack_refuses(aws, name, given, message):
    code, status, said = refused(aws.create_stack, StackName=name, **given)
    assert (code, status) == ("ValidationError", 400)
    assert message in said
    assert refused(aws.describe_stacks, StackName=name)[0] == "ValidationError"


def test_w24_new_names_are_aws_names(aws):
    for bad in ("my_stack", "a" * 129, "arn:aws:cloudformation:r:123456789012:stack/a/b"):
        code, _, message = refused(aws.create_stack, StackName=bad, TemplateBody=WORDS)
        assert (code, "at 'stackName' failed to satisfy constraint" in message) == ("ValidationError", True)


def test_w41_capabilities(aws, name):
    iam = template({"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r"}}})
    assert refused(aws.create_stack, StackName=name, TemplateBody=iam) == (
        "InsufficientCapabilitiesException", 400, "Requires capabilities : [CAPABILITY_NAMED_IAM]")  # fmt: skip


def test_6_b01_a_failed_create_rolls_back_and_only_delete_is_left(aws, name, until):
    aws.create_stack(StackName=name, TemplateBody=FAILING)
    stack = until(lambda: aws.describe_stacks(StackName=name)["Stacks"][0], "ROLLBACK_COMPLETE")
    code, _, message = refused(aws.update_stack, StackName=name, TemplateBody=WORDS)
    assert code == "ValidationError"
    assert message == f"Stack:{stack['StackId']} is in ROLLBACK_COMPLETE state and can not be updated."
    events = aws.describe_stack_events(StackName=name)["StackEvents"]
    failed = next(one for one in events if one["ResourceStatus"] == "CREATE_FAILED")
    assert (failed["LogicalResourceId"], "0 of 1 received" in failed["ResourceStatusReason"]) == ("Thing", True)


def test_b02_b09_rollback_of_what_was_left_for_inspection(aws, name, until):
    aws.create_stack(StackName=name, TemplateBody=FAILING, DisableRollback=True)
    until(lambda: aws.describe_stacks(StackName=name)["Stacks"][0], "CREATE_FAILED")
    aws.rollback_stack(StackName=name)
    until(lambda: aws.describe_stacks(StackName=name)["Stacks"][0], "ROLLBACK_COMPLETE")
    code, _, message = refused(aws.rollback_stack, StackName=name)
    assert (code, "is in ROLLBACK_COMPLETE state" in message) == ("ValidationError", True)


def test_b07_cancelling_an_update(aws, name, wait, until):
    slow = template({"Thing": SLOW}, Parameters={"Word": {"Type": "String", "Default": "first"}})
    aws.create_stack(StackName=name, TemplateBody=slow)
    wait("stack_create_complete", name)
    said = refused(aws.cancel_update_stack, StackName=name)
    assert said == ("ValidationError", 400, "CancelUpdateStack cannot be called from current stack status")
    aws.update_stack(StackName=name, UsePreviousTemplate=True, Parameters=word("second"))
    stack = aws.describe_stacks(StackName=name)["Stacks"][0]
    assert refused(aws.update_stack, StackName=name, TemplateBody=WORDS)[2] == (
        f"Stack:{stack['StackId']} is in UPDATE_IN_PROGRESS state and can not be updated.")  # fmt: skip
    aws.cancel_update_stack(StackName=name)
    seen = aws.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    assert seen.startswith("UPDATE_ROLLBACK_")
    aws.delete_stack(StackName=name)


def test_b12_termination_protection(aws, name, wait):
    aws.create_stack(StackName=name, TemplateBody=WORDS, EnableTerminationProtection=True)
    wait("stack_create_complete", name)
    assert refused(aws.delete_stack, StackName=name) == (
        "ValidationError", 400, f"Stack [{name}] cannot be deleted while TerminationProtection is enabled")  # fmt: skip
    aws.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    aws.delete_stack(StackName=name)
    wait("stack_delete_complete", name)


def test_b13_stack_policies(aws, name, wait):
    policy = json.dumps({"Statement": [
        {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]})  # fmt: skip
    aws.create_stack(StackName=name, TemplateBody=WORDS)
    wait("stack_create_complete", name)
    assert "StackPolicyBody" not in aws.get_stack_policy(StackName=name)
    aws.set_stack_policy(StackName=name, StackPolicyBody=policy)
    assert aws.get_stack_policy(StackName=name)["StackPolicyBody"] == policy
    given = {"StackName": name, "UsePreviousTemplate": True, "Parameters": word("second")}
    assert refused(aws.update_stack, **given)[2].startswith("Action denied by stack policy")
    allowed = policy.replace("Deny", "Allow")
    aws.update_stack(**given, StackPolicyDuringUpdateBody=allowed)
    wait("stack_update_complete", name)
    assert aws.get_stack_policy(StackName=name)["StackPolicyBody"] == policy


# --- change sets ----------------------------------------------------------------------------------------------------
def test_w37_a_change_set_makes_a_stack(aws, name, wait):
    made = aws.create_change_set(
        StackName=name, ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=WORDS,
        Tags=[{"Key": "k", "Value": "v"}],
    )  # fmt: skip
    stack = aws.describe_stacks(StackName=name)["Stacks"][0]
    assert (stack["StackStatus"], stack["Tags"]) == ("REVIEW_IN_PROGRESS", [{"Key": "k", "Value": "v"}])
    wait("change_set_create_complete", name, ChangeSetName="first")
    described = aws.describe_change_set(ChangeSetName=made["Id"])
    assert described["Changes"][0]["ResourceChange"]["Action"] == "Add"
    assert [one["ChangeSetId"] for one in aws.list_change_sets(StackName=name)["Summaries"]] == [made["Id"]]
    assert aws.get_template(ChangeSetName=made["Id"])["TemplateBody"] == json.loads(WORDS)
    assert (
        refused(aws.get_template_summary, StackName=name)[2]
        == "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks."
    )
    aws.execute_change_set(ChangeSetName="first", StackName=name)
    wait("stack_create_complete", name)
    assert aws.list_change_sets(StackName=name)["Summaries"] == []
    again = {"StackName": name, "ChangeSetName": "x", "ChangeSetType": "CREATE", "TemplateBody": WORDS}
    assert refused(aws.create_change_set, **again)[2] == (
        f"Stack [{name}] already exists and cannot be created again with the changeSet [x].")  # fmt: skip


def test_w36_a_change_set_without_changes_fails_with_the_words_clients_look_for(aws, name, wait):
    aws.create_stack(StackName=name, TemplateBody=WORDS)
    wait("stack_create_complete", name)
    aws.create_change_set(StackName=name, ChangeSetName="same", UsePreviousTemplate=True)
    described = aws.describe_change_set(StackName=name, ChangeSetName="same")
    assert (described["Status"], described["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert described["StatusReason"] == (
        "The submitted information didn't contain changes. Submit different information to create a change set."
    )
    code, status, _ = refused(aws.execute_change_set, ChangeSetName=described["ChangeSetId"])
    assert (code, status) == ("InvalidChangeSetStatus", 400)
    aws.create_change_set(StackName=name, ChangeSetName="same", UsePreviousTemplate=True, Parameters=word("second"))
    taken = {"StackName": name, "ChangeSetName": "same", "UsePreviousTemplate": True}
    assert refused(aws.create_change_set, **taken)[0] == "AlreadyExistsException"
    aws.delete_change_set(StackName=name, ChangeSetName="same")
    aws.delete_change_set(StackName=name, ChangeSetName="same")  # N11


def test_w33_missing_change_sets(aws, name, wait):
    aws.create_stack(StackName=name, TemplateBody=WORDS)
    wait("stack_create_complete", name)
    said = refused(aws.describe_change_set, StackName=name, ChangeSetName="none")
    assert said == ("ChangeSetNotFound", 404, "ChangeSet [none] does not exist")
    assert (
        refused(aws.describe_change_set, ChangeSetName="none")[2]
        == "StackName must be specified if ChangeSetName is not specified as an ARN."
    )
    assert refused(aws.delete_change_set, StackName="no-stack", ChangeSetName="c")[2] == (
        "Stack [no-stack] does not exist")  # fmt: skip


# --- reading --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("describe_stacks", "Stack with id {} does not exist"),
        ("get_template", "Stack with id {} does not exist"),
        ("get_template_summary", "Stack with id {} does not exist"),
        ("describe_stack_resources", "Stack with id {} does not exist"),
        ("list_stack_resources", "Stack with id {} does not exist"),
        ("describe_stack_events", "Stack [{}] does not exist"),
        ("list_change_sets", "Stack [{}] does not exist"),
        ("get_stack_policy", "Stack [{}] does not exist"),
    ],
)
def test_w28_to_w31_missing_stacks(aws, action, message):
    arn = f"arn:aws:cloudformation:{REGION}:123456789012:stack/x/11111111-2222-3333-4444-555555555555"
    for reference in ("not-there", arn):
        said = refused(getattr(aws, action), StackName=reference)
        assert said == ("ValidationError", 400, message.format(reference))


def test_bad_input_another_projects_stack_does_not_exist(aws, served, name):
    arn = aws.create_stack(StackName=name, TemplateBody=WORDS)["StackId"]
    other = served.client(access="AKOTHER")
    for reference in (name, arn, arn.rsplit("/", 1)[1].replace("0", "0")):
        if reference[0].isalpha():
            assert refused(other.describe_stacks, StackName=reference)[0] == "ValidationError"
    assert name not in {one["StackName"] for one in other.list_stacks()["StackSummaries"]}
    assert other.create_stack(StackName=name, TemplateBody=WORDS)["StackId"] != arn


def test_w22_paginators(aws, served, name, wait):
    many = {f"R{n:03}": {"Type": "OS::Heat::None"} for n in range(130)}
    aws.create_stack(StackName=name, TemplateBody=template(many))
    wait("stack_create_complete", name)
    pages = list(aws.get_paginator("list_stack_resources").paginate(StackName=name))
    assert [len(one["StackResourceSummaries"]) for one in pages] == [100, 30]
    assert len(aws.describe_stack_resources(StackName=name)["StackResources"]) == 100
    events = [e for one in aws.get_paginator("describe_stack_events").paginate(StackName=name)
              for e in one["StackEvents"]]  # fmt: skip
    assert len({one["EventId"] for one in events}) == len(events) >= 262
    times = [one["Timestamp"] for one in events]
    assert times == sorted(times, reverse=True)
    bad = refused(aws.describe_stack_events, StackName=name, NextToken="bad")
    assert (bad[0], bad[2]) == ("ValidationError", "Token is invalid: bad")


def test_n05_templates_come_back_as_text(aws, name):
    text = 'Resources:\r\n  Thing: {Type: "OS::Heat::None"}  # a comment\r\n'
    aws.create_stack(StackName=name, TemplateBody=text)
    assert aws.get_template(StackName=name, TemplateStage="Original")["TemplateBody"] == text


def test_n12_l79_l98_l100_metadata_for_cfn_init_over_get_with_json(aws, served, name, wait):
    """As aws-cfn-bootstrap asks (W04, W05)."""
    thing = {"Type": "OS::Heat::None", "Metadata": {"AWS::CloudFormation::Init": {"config": {"files": {}}}}}
    aws.create_stack(StackName=name, TemplateBody=template({"Thing": thing}))
    wait("stack_create_complete", name)
    query = {"Action": "DescribeStackResource", "StackName": name, "LogicalResourceId": "Thing",
             "ContentType": "JSON", "Version": "2010-05-15"}  # fmt: skip
    request = AWSRequest("GET", served.url + "/", params=query, headers={"Accept": "application/json"})
    SigV4Auth(Credentials("AKDEMO", "demo-secret"), "cloudformation", REGION).add_auth(request)
    prepared = request.prepare()
    answer = requests.get(prepared.url, headers=dict(prepared.headers), timeout=10)
    detail = answer.json()["DescribeStackResourceResponse"]["DescribeStackResourceResult"]["StackResourceDetail"]
    assert json.loads(detail["Metadata"]) == thing["Metadata"]
    assert isinstance(detail["LastUpdatedTimestamp"], float)
    assert answer.headers["Content-Type"].startswith("application/json")


def test_a29_a30_exports_and_w44(aws, name, wait):
    exporting = template(Outputs={"O": {"Value": "v", "Export": {"Name": f"{name}-x"}}})
    importing = template({"T": {"Type": "OS::Heat::TestResource",
                                "Properties": {"value": {"Fn::ImportValue": f"{name}-x"}}}})  # fmt: skip
    arn = aws.create_stack(StackName=name, TemplateBody=exporting)["StackId"]
    wait("stack_create_complete", name)
    found = [one for one in aws.list_exports()["Exports"] if one["Name"] == f"{name}-x"]
    assert found == [{"ExportingStackId": arn, "Name": f"{name}-x", "Value": "v"}]
    assert refused(aws.list_imports, ExportName=f"{name}-x")[2] == (
        f"Export '{name}-x' is not imported by any stack.")  # fmt: skip
    aws.create_stack(StackName=f"{name}-user", TemplateBody=importing)
    wait("stack_create_complete", f"{name}-user")
    assert aws.list_imports(ExportName=f"{name}-x")["Imports"] == [f"{name}-user"]
    assert refused(aws.delete_stack, StackName=name)[2] == (
        f"Export {name}-x cannot be deleted as it is in use by {name}-user")  # fmt: skip


def test_n06_n07_summaries(aws):
    shown = aws.get_template_summary(TemplateBody=WORDS)
    assert shown["Parameters"][0]["ParameterKey"] == "Word"
    assert shown["ResourceTypes"] == ["OS::Heat::TestResource"]
    assert aws.validate_template(TemplateBody=WORDS)["Parameters"][0]["DefaultValue"] == "first"


def test_n15_describe_events(aws, name, wait):
    aws.create_stack(StackName=name, TemplateBody=WORDS)
    wait("stack_create_complete", name)
    events = aws.describe_events(StackName=name)["OperationEvents"]
    assert {one["OperationType"] for one in events} == {"CREATE_STACK"}
    assert aws.describe_events(StackName=name, Filters={"FailedEvents": True})["OperationEvents"] == []


def test_w48_templates_by_url(aws, served, name, wait):
    served.files["web.json"] = WORDS.encode()
    aws.create_stack(StackName=name, TemplateURL=f"{served.url}/files/web.json?versionId=1")
    wait("stack_create_complete", name)
    code, _, message = refused(aws.validate_template, TemplateURL=f"{served.url}/files/none")
    assert (code, message.startswith("S3 error: ")) == ("ValidationError", True)
    for bad in (
        "ftp://x/y",
        "s3://bucket/key",
        "file:///etc/passwd",
        "http://169.254.169.254/latest",
        "http://10.0.0.1",
    ):
        code, _, message = refused(aws.validate_template, TemplateURL=bad)
        assert (code, message.startswith("TemplateURL must be a supported URL.")) == ("ValidationError", True), bad


# --- the protocol ---------------------------------------------------------------------------------------------------
def test_1_every_other_action_is_refused_by_its_name(aws):
    """Stack sets among them (Q12)."""
    others = set(load("cloudformation").operations) - set(ACTIONS)
    assert len(others) > 60
    for action in sorted(others):
        answer = posted(aws, {"Action": action, "Version": "2010-05-15"})
        assert answer.status_code == 400
        assert f"<Code>InvalidAction</Code><Message>The action {action} is not served by Isotherm." in answer.text


def posted(aws, form, service="cloudformation", body=None):
    url = aws.meta.endpoint_url + "/"
    request = AWSRequest("POST", url, data=form, headers={"Content-Type": "application/x-www-form-urlencoded"})
    if body is not None:
        request.data = body
    SigV4Auth(Credentials("AKDEMO", "demo-secret"), service, REGION).add_auth(request)
    prepared = request.prepare()
    return requests.post(url, data=prepared.body, headers=dict(prepared.headers), timeout=10)


@pytest.mark.parametrize(
    ("form", "service", "text"),
    [
        ({"Action": "Nonsense", "Version": "2010-05-15"}, "cloudformation",
         "<Code>InvalidAction</Code><Message>Could not find operation Nonsense for version 2010-05-15</Message>"),
        ({"Action": "DescribeStacks", "Version": "2001-01-01"}, "cloudformation", "<Code>InvalidAction</Code>"),
        ({"Version": "2010-05-15"}, "cloudformation", "<Code>MissingAction</Code>"),
        ({"Action": "ListBuckets"}, "s3", "<Code>InvalidAction</Code><Message>The service s3 is not served here"),
        ({"Action": "AssumeRole", "Version": "2011-06-15"}, "sts", "<Code>InvalidAction</Code>"),
    ],
)  # fmt: skip
def test_w13_w21_unknown_actions_and_services(aws, form, service, text):
    answer = posted(aws, form, service)
    assert answer.status_code == 400
    assert text in answer.text
    assert answer.headers["x-amzn-RequestId"] in answer.text


def test_w20_sts_tells_who_asks(served):
    shown = served.client("sts").get_caller_identity()
    assert (shown["UserId"], len(shown["Account"])) == ("u-demo", 12)


def test_bad_input_two_megabytes_are_one_clear_400(aws):
    answer = posted(aws, None, body="Action=ValidateTemplate&Version=2010-05-15&TemplateBody=" + "x" * 2_000_000)
    assert answer.status_code == 400
    assert "Request body must be no larger than 1048576 bytes" in answer.text


def test_bad_input_unsigned_and_wrongly_signed_requests_do_nothing(served, aws, name):
    unsigned = served.client(config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}))
    wrong = served.client(aws_secret_access_key="wrong")
    unknown = served.client(access="AKNOBODY")
    for client, code in ((unsigned, "MissingAuthenticationToken"), (wrong, "SignatureDoesNotMatch"),
                         (unknown, "InvalidClientTokenId")):  # fmt: skip
        assert refused(client.create_stack, StackName=name, TemplateBody=WORDS)[:2] == (code, 403)
    assert refused(aws.describe_stacks, StackName=name)[0] == "ValidationError"


def test_w18_version_2_signatures(aws, served):
    assert "Stacks" in served.client(config=Config(signature_version="v2")).describe_stacks()


def test_1_deploy_of_the_aws_command_line_knows_when_nothing_changes(aws, served, tmp_path, name, wait):
    """Where something changes its waiter sleeps half a minute: the end-to-end tests have that."""
    aws.create_stack(StackName=name, TemplateBody=WORDS)
    wait("stack_create_complete", name)
    file = tmp_path / "t.json"
    file.write_text(WORDS)
    env = {
        "AWS_ENDPOINT_URL_CLOUDFORMATION": served.url, "AWS_ACCESS_KEY_ID": "AKDEMO", "PATH": "/usr/bin:/bin",
        "AWS_SECRET_ACCESS_KEY": "demo-secret", "AWS_DEFAULT_REGION": REGION, "HOME": str(tmp_path),
    }  # fmt: skip
    command = [Path(sys.executable).parent / "aws", "cloudformation", "deploy", "--stack-name", name,
               "--template-file", file, "--no-fail-on-empty-changeset"]  # fmt: skip
    for _ in range(2):
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, "No changes to deploy" in done.stdout) == (0, True), done.stderr


def test_c02_a_change_set_that_the_stack_has_outgrown_is_not_executed(aws, name, wait):
    aws.create_stack(StackName=name, TemplateBody=WORDS)
    wait("stack_create_complete", name)
    aws.create_change_set(StackName=name, ChangeSetName="old", UsePreviousTemplate=True, Parameters=word("second"))
    aws.update_stack(StackName=name, UsePreviousTemplate=True, Parameters=word("third"))
    wait("stack_update_complete", name)
    code, _, message = refused(aws.execute_change_set, StackName=name, ChangeSetName="old")
    assert (code, message.endswith("[OBSOLETE]")) == ("InvalidChangeSetStatus", True)
