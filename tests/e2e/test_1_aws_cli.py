"""1: the AWS CLI v1, unmodified, as a process. A start costs a second, so each test is a whole session."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
RESOURCES = {
    "Thing": {"Type": "OS::Heat::TestResource", "Properties": {"value": {"Ref": "Word"}}},
    "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
}


def document(**more):
    """A template with a parameter; `more` are more resources."""
    return json.dumps(
        {
            "Parameters": {"Word": {"Type": "String", "Default": "hello"}},
            "Resources": {**RESOURCES, **more},
            "Outputs": {"Said": {"Value": {"Fn::GetAtt": ["Thing", "output"]}}},
        }
    )


@pytest.fixture
def template(tmp_path):
    """`template(Name=resource)` → the path of a file with the document."""

    def write(**more):
        path = tmp_path / "template.json"
        path.write_text(document(**more))
        return str(path)

    return write


@pytest.fixture(scope="module")
def under_way(server, tmp_path_factory):
    """Three deployments begun side by side, because the CLI asks only every 30 s whether it is done: a create, an
    update, and the script behind `make run`, told to stop when it is done."""
    folder = tmp_path_factory.mktemp("deploy")
    (folder / "template.json").write_text(document())
    new, old = f"deploy-new-{folder.name}", f"deploy-old-{folder.name}"
    server.boto3().create_stack(StackName=old, TemplateBody=document())
    settled(server, old, "CREATE_COMPLETE")
    deploy = ("deploy", "--template-file", str(folder / "template.json"), "--stack-name")
    script = (str(EXAMPLES / "try.py"), "--port", "0", "--state-dir", str(folder / "state"), "--once")
    with ThreadPoolExecutor() as pool:
        yield {
            "deploy": deploy, "new": new, "old": old,
            "create": pool.submit(server.aws, *deploy, new, "--tags", "team=blue", timeout=150),
            "update": pool.submit(server.aws, *deploy, old, "--parameter-overrides", "Word=changed", timeout=150),
            "make run": pool.submit(server.run, "python", *script, timeout=150),
        }  # fmt: skip


def test_1_deploy_creates_and_finds_nothing_to_do(server, under_way):
    new, deploy, tags = under_way["new"], under_way["deploy"], ("--tags", "team=blue")
    assert f"Successfully created/updated stack - {new}" in under_way["create"].result().ok().out
    stack = server.boto3().describe_stacks(StackName=new)["Stacks"][0]
    assert stack["Tags"] == [{"Key": "team", "Value": "blue"}]
    assert "No changes to deploy" in server.aws(*deploy, new, *tags, "--no-fail-on-empty-changeset").ok().out
    assert "No changes to deploy" in server.aws(*deploy, new, *tags, "--fail-on-empty-changeset").refused()


def test_1_deploy_updates(server, under_way):
    old = under_way["old"]
    assert f"Successfully created/updated stack - {old}" in under_way["update"].result().ok().out
    stack = server.aws("describe-stacks", "--stack-name", old).ok().json["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert stack["Outputs"] == [{"OutputKey": "Said", "OutputValue": "changed"}]


def test_1_make_run_serves_deploys_and_tells_how_to_go_on(under_way):
    said = under_way["make run"].result().ok().out
    assert "aws cloudformation deploy" in said
    assert "Outputs" in said
    assert "export OS_CLIENT_CONFIG_FILE=" in said


def test_1_deploy_without_executing_leaves_a_change_set(server, name, template):
    deploy = ("deploy", "--stack-name", name, "--template-file", template(), "--no-execute-changeset")
    assert "describe-change-set" in server.aws(*deploy).ok().out
    (made,) = server.aws("list-change-sets", "--stack-name", name).ok().json["Summaries"]
    server.aws("execute-change-set", "--change-set-name", made["ChangeSetId"]).ok()
    stack = server.boto3().describe_stacks(StackName=name)["Stacks"][0]
    assert stack["StackStatus"].startswith("CREATE_")


def test_1_create_update_delete_each_with_wait(server, name, template, make):
    """`wait` asks every 30 s, so the CLI meets each stack when its work is done: seen first, then waited for."""
    body = ("--template-body", f"file://{template()}")
    named = ("--stack-name", name)
    server.aws("create-stack", *named, *body).ok()
    settled(server, name, "CREATE_COMPLETE")
    server.aws("wait", "stack-create-complete", *named).ok()
    more = ("--template-body", f"file://{template(Second=make.thing())}")
    server.aws("update-stack", *named, *more, "--parameters", "ParameterKey=Word,ParameterValue=bye").ok()
    settled(server, name, "UPDATE_COMPLETE")
    server.aws("wait", "stack-update-complete", *named).ok()
    events = server.aws("describe-stack-events", *named).ok().json["StackEvents"]
    assert events[0]["ResourceStatus"] == "UPDATE_COMPLETE"
    listed = server.aws("list-stack-resources", *named).ok().json["StackResourceSummaries"]
    assert {row["LogicalResourceId"] for row in listed} == {"Thing", "Handle", "Second"}
    written = server.aws("get-template", *named).ok().json["TemplateBody"]
    assert set(written["Resources"]) == {"Thing", "Handle", "Second"}
    server.aws("delete-stack", *named).ok()
    settled(server, name, None)
    server.aws("wait", "stack-delete-complete", *named).ok()


def settled(server, name, status):
    client = server.boto3()
    waiter = {"CREATE_COMPLETE": "stack_create_complete", "UPDATE_COMPLETE": "stack_update_complete"}
    chosen = waiter.get(status, "stack_delete_complete")
    client.get_waiter(chosen).wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})


def test_1_validate_and_summarise_a_file(server, template):
    body = ("--template-body", f"file://{template()}")
    valid = server.aws("validate-template", *body).ok().json
    assert valid["Parameters"][0]["ParameterKey"] == "Word"
    summary = server.aws("get-template-summary", *body).ok().json
    assert set(summary["ResourceTypes"]) == {"OS::Heat::TestResource", "AWS::CloudFormation::WaitConditionHandle"}


def test_1_refusals_reach_the_terminal(server, tmp_path, name):
    bad = tmp_path / "bad.yaml"
    bad.write_text("Resources:\n  Thing:\n    Type: AWS::Nothing::Here\n    Properties: {A: !Ref Missing}\n")
    said = server.aws("create-stack", "--stack-name", name, "--template-body", f"file://{bad}").refused()
    assert "An error occurred (ValidationError) when calling the CreateStack operation" in said
    assert "AWS::Nothing::Here" in said
    assert "Missing" in said
    missing = server.aws("describe-stacks", "--stack-name", name).refused()
    assert f"Stack with id {name} does not exist" in missing
    unknown = server.aws("describe-stack-set", "--stack-set-name", "x").refused()
    assert "DescribeStackSet" in unknown


def test_1_output_formats_and_queries(server, name, template):
    server.boto3().create_stack(StackName=name, TemplateBody=Path(template()).read_text())
    settled(server, name, "CREATE_COMPLETE")
    query = ("--query", "Stacks[0].Outputs[?OutputKey=='Said'].OutputValue", "--output", "text")
    assert server.aws("describe-stacks", "--stack-name", name, *query).ok().out.strip() == "hello"
    table = server.aws("describe-stack-resources", "--stack-name", name, "--output", "table").ok().out
    assert "Thing" in table
    assert json.loads(server.aws("list-exports").ok().out)["Exports"] is not None
