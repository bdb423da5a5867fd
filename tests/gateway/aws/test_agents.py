"""What the agents of servers ask, as aws-cfn-bootstrap and heat-cfntools ask it: GET, the answer as JSON, signed with
an access key that the server was given (cloudformation.md L98 to L104, W04, W05, W19)."""

from __future__ import annotations

import base64
import json

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from tests.gateway.aws.conftest import template
from tests.gateway.aws.serving import REGION

INIT = {"AWS::CloudFormation::Init": {
    "configSets": {"default": ["one"]},
    "one": {"packages": {"apt": {"curl": []}}, "groups": {}, "users": {}, "sources": {},
            "files": {"/etc/motd": {"content": {"Fn::Sub": "${Word} from ${AWS::StackName}"}, "mode": "000644"}},
            "commands": {"go": {"command": "true"}}, "services": {"systemd": {"x": {"enabled": True}}}},
}}  # fmt: skip


def asked(served, action, host=None, **given):
    """The answer's status and JSON. `host`: the name under which the agent believes to speak to us."""
    query = {"Action": action, "ContentType": "JSON", "Version": "2010-05-15", **given}
    url = served.url if host is None else f"http://{host}"
    request = AWSRequest("GET", url + "/", params=query, headers={"Accept": "application/json"})
    SigV4Auth(Credentials("AKDEMO", "demo-secret"), "cloudformation", REGION).add_auth(request)
    prepared = request.prepare()
    headers = dict(prepared.headers)
    if host is not None:
        headers["Host"] = host
    answer = requests.get(prepared.url.replace(url, served.url), headers=headers, timeout=10)
    return answer.status_code, answer.json()


def metadata(served, stack, **more):
    status, told = asked(served, "DescribeStackResource", StackName=stack, LogicalResourceId="Thing", **more)
    assert status == 200, told
    detail = told["DescribeStackResourceResponse"]["DescribeStackResourceResult"]["StackResourceDetail"]
    return json.loads(detail["Metadata"])


@pytest.fixture
def described(aws, name, wait):
    """Make, or change, a stack whose Thing has metadata for cfn-init."""

    def deploy(call, word):
        thing = {"Type": "OS::Heat::None", "Metadata": INIT}
        body = template({"Thing": thing}, Parameters={"Word": {"Type": "String", "Default": word}})
        call(StackName=name, TemplateBody=body)

    deploy(aws.create_stack, "hello")
    wait("stack_create_complete", name)
    return deploy


def test_l98_l100_cfn_init_and_cfn_get_metadata(served, name, described):
    config = metadata(served, name)["AWS::CloudFormation::Init"]
    assert config["configSets"] == {"default": ["one"]}
    assert list(config["one"]) == ["packages", "groups", "users", "sources", "files", "commands", "services"]
    assert config["one"]["files"]["/etc/motd"] == {"content": f"hello from {name}", "mode": "000644"}
    assert config["one"]["services"]["systemd"]["x"]["enabled"] is True


def test_l98_a_resource_that_there_is_not(served, name, described):
    status, told = asked(served, "DescribeStackResource", StackName=name, LogicalResourceId="Nothing")
    assert status == 400
    assert told["Error"]["Message"] == f"Resource Nothing does not exist for stack {name}"


def test_l98_l101_servers_have_no_identity_document(served, name):
    """W19: without an access key the agents sign with what only EC2 gives out."""
    document = base64.b64encode(b'{"instanceId": "i-1"}').decode()
    query = {"Action": "DescribeStackResource", "StackName": name, "LogicalResourceId": "Thing",
             "Version": "2010-05-15", "ContentType": "JSON"}  # fmt: skip
    headers = {"Authorization": f"CFN_V1 {document}:c2lnbmF0dXJl", "Accept": "application/json"}
    answer = requests.get(served.url + "/", params=query, headers=headers, timeout=10)
    assert answer.status_code == 403
    assert "--access-key" in answer.json()["Error"]["Message"]


def test_l101_cfn_hup_sees_that_metadata_has_changed(aws, served, name, wait, described):
    before = metadata(served, name)
    assert metadata(served, name) == before
    described(aws.update_stack, "goodbye")
    wait("stack_update_complete", name)
    after = metadata(served, name)
    assert after["AWS::CloudFormation::Init"]["one"]["files"]["/etc/motd"]["content"] == f"goodbye from {name}"


def test_l99_cfn_signal(aws, served, name, wait):
    handle = {"Type": "OS::Heat::WaitConditionHandle"}
    waiting = {"Type": "OS::Heat::WaitCondition", "Properties": {"handle": {"Ref": "Handle"}, "timeout": 60}}
    aws.create_stack(StackName=name, TemplateBody=template({"Handle": handle, "Waiting": waiting}))
    given = {"StackName": name, "LogicalResourceId": "Handle", "UniqueId": "i-0123"}
    for _ in range(2000):
        status, told = asked(served, "SignalResource", Status="SUCCESS", **given)
        if status == 200 or "does not exist" not in told["Error"]["Message"]:
            break
    assert status == 200, told
    wait("stack_create_complete", name)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"Status": "MAYBE"}, "at 'status' failed to satisfy constraint: Member must satisfy enum value set"),
        ({"UniqueId": "u" * 65}, "at 'uniqueId' failed to satisfy constraint: Member must have length less than or"),
        ({"StackName": "no-such-stack"}, "Stack [no-such-stack] does not exist"),
        ({"LogicalResourceId": "Nothing"}, "Resource Nothing does not exist"),
        ({}, "takes no signals"),
    ],
)
def test_l99_signals_that_nobody_takes(served, name, described, given, said):
    query = {"StackName": name, "LogicalResourceId": "Thing", "UniqueId": "i", "Status": "SUCCESS", **given}
    status, told = asked(served, "SignalResource", **query)
    assert status == 400
    assert said in told["Error"]["Message"]


@pytest.mark.parametrize("action", ["ElectCommandLeader", "RegisterListener", "GetListenerCredentials"])
def test_l101_l102_commands_by_queues_are_not_served(served, name, action):
    """What cfn-hup's `on.command`, cfn-elect-cmd-leader and their like read."""
    status, told = asked(served, action, StackName=name)
    assert status == 400
    assert told["Error"]["Code"] == "InvalidAction"
    assert told["Error"]["Message"] == (
        f"The action {action} is not served by Isotherm: commands to servers go through queues of SQS, which there are "
        "none of. Let cfn-hup watch metadata instead (triggers=post.update)."
    )


def test_l103_heat_cfntools_sign_with_version_2(served, name, described):
    client = served.client(config=Config(signature_version="v2"))
    detail = client.describe_stack_resource(StackName=name, LogicalResourceId="Thing")["StackResourceDetail"]
    assert "AWS::CloudFormation::Init" in json.loads(detail["Metadata"])


def test_l104_the_agents_may_believe_to_speak_to_aws(served, name, described):
    """With `--region` alone they ask cloudformation.<region>.amazonaws.com, which the cloud's DNS may lead here."""
    found = metadata(served, name, host=f"cloudformation.{REGION}.amazonaws.com".lower())
    assert "AWS::CloudFormation::Init" in found
