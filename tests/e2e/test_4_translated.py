"""4: a CloudFormation template and what `isotherm translate` makes of it deploy to the same."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from tests.e2e.cloud_picture import objects, picture

CFN = Path(__file__).parents[2] / "examples" / "cfn"
SIGNALLED = """\
Resources:
  Ready:
    Type: AWS::CloudFormation::WaitCondition
    CreationPolicy: {ResourceSignal: {Count: 1, Timeout: PT1M}}
"""


@pytest.fixture
def deployed(fresh_server, wait, until):
    """`deployed(server, path, parameters)` → pictures of what the template, and then its translation, have made."""

    def both(server, path: Path, parameters: dict[str, str]):
        aws, sdk = server.boto3(), server.sdk()
        admin = server.sdk(username="admin", password="secret", project_name="admin")
        before = objects(sdk, admin)
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        arn = aws.create_stack(StackName="web", TemplateBody=path.read_text(), Parameters=given)["StackId"]
        wait(aws, "stack_create_complete", "web")
        found = [picture(before, objects(sdk, admin), arn.split("/")[-1])]
        aws.delete_stack(StackName="web")
        wait(aws, "stack_delete_complete", "web")
        assert objects(sdk, admin).keys() == before.keys()
        stack = create(server, "web", translated(path), parameters)
        until(lambda: sdk.orchestration.get_stack(stack).status == "CREATE_COMPLETE")
        found.append(picture(before, objects(sdk, admin), stack.id))
        sdk.orchestration.delete_stack(stack)
        until(lambda: sdk.orchestration.find_stack("web") is None)
        assert objects(sdk, admin).keys() == before.keys()
        return found

    return both


def translated(path: Path) -> str:
    done = CliRunner().invoke(app, ["translate", str(path)])
    assert done.exit_code == 0, done.output
    return done.stdout


def create(server, name: str, template: str, parameters: dict[str, str]):
    return server.sdk().orchestration.create_stack(name=name, template=template, parameters=parameters)


@pytest.mark.parametrize(
    ("example", "parameters", "user_data"),
    [
        ("web-server.yaml", {"Environment": "production", "Title": "${Title}", "KeyName": "k"}, b"password="),
        ("web-server.yaml", {"InstanceType": "t3.micro", "Greeting": "a", "SubnetBits": "4"}, b"#!/bin/sh\ncat"),
        ("mixed-types.yaml", {}, b"peer=10.43.1"),
    ],
    ids=["production", "test", "mixed"],
)
def test_4_an_example_and_its_translation_deploy_to_the_same(fresh_server, deployed, example, parameters, user_data):
    cfn, hot = deployed(fresh_server(), CFN / example, parameters)
    servers = [text for text in cfn if '"a": "server"' in text]
    assert len(servers) == 2
    assert any(base64.b64encode(user_data).decode().rstrip("=")[:10] in text for text in servers)
    assert hot == cfn


def test_4_imports_of_another_stack_are_translated(fresh_server, deployed, wait):
    server = fresh_server()
    aws = server.boto3()
    aws.create_stack(StackName="network", TemplateBody=(CFN / "two-stacks" / "network.yaml").read_text())
    wait(aws, "stack_create_complete", "network")
    cfn, hot = deployed(server, CFN / "two-stacks" / "servers.yaml", {"Network": "network"})
    assert any('"a": "floating ip"' in text for text in cfn)
    assert hot == cfn


def test_4_signals_come_to_the_name_that_they_came_to_before(server, name, until, tmp_path):
    path = tmp_path / "signalled.yaml"
    path.write_text(SIGNALLED)
    stack = create(server, name, translated(path), {})
    heat, aws = server.sdk().orchestration, server.boto3()
    until(lambda: {one.name: one.status for one in heat.resources(stack)}.get("Ready_signals") == "CREATE_IN_PROGRESS")
    aws.signal_resource(StackName=name, LogicalResourceId="Ready", UniqueId="1", Status="SUCCESS")
    until(lambda: heat.get_stack(stack).status == "CREATE_COMPLETE")
