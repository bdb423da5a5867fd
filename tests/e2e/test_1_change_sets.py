"""1: change sets of both types, cancelled and continued updates, exports, protection and policies, through boto3."""

from __future__ import annotations

import json
import re

import botocore.session
import pytest

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


@pytest.fixture(scope="module")
def aws(server):
    return server.boto3()


@pytest.fixture
def created(aws, wait):
    def create(stack, body, **options):
        arn = aws.create_stack(StackName=stack, TemplateBody=body, **options)["StackId"]
        wait(aws, "stack_create_complete", stack)
        return arn

    return create


@pytest.fixture
def status(aws):
    return lambda stack: aws.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]


def changes_of(answer):
    return {
        change["ResourceChange"]["LogicalResourceId"]: (
            change["ResourceChange"]["Action"],
            change["ResourceChange"].get("Replacement"),
        )
        for change in answer["Changes"]
    }


def test_1_w37_change_set_of_type_create(aws, name, make, wait, status):
    body = make.cfn({"Thing": make.thing()})
    made = aws.create_change_set(
        StackName=name, ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=body, Description="why",
        Tags=[{"Key": "team", "Value": "blue"}],
    )  # fmt: skip
    assert re.fullmatch(r"arn:aws:cloudformation:[\w-]+:\d{12}:changeSet/first/[0-9a-f-]{36}", made["Id"])
    wait(aws, "change_set_create_complete", name, ChangeSetName="first")
    assert status(name) == "REVIEW_IN_PROGRESS"
    assert aws.describe_stacks(StackName=name)["Stacks"][0]["Tags"] == [{"Key": "team", "Value": "blue"}]
    shown = aws.describe_change_set(ChangeSetName=made["Id"])
    assert (shown["Status"], shown["ExecutionStatus"], shown["Description"]) == ("CREATE_COMPLETE", "AVAILABLE", "why")
    assert changes_of(shown) == {"Thing": ("Add", None)}
    (listed,) = aws.list_change_sets(StackName=name)["Summaries"]
    assert (listed["ChangeSetName"], listed["ChangeSetId"]) == ("first", made["Id"])
    assert aws.get_template(StackName=name, ChangeSetName="first")["TemplateBody"]
    aws.execute_change_set(ChangeSetName=made["Id"])
    wait(aws, "stack_create_complete", name)


def test_1_change_set_of_type_update_says_what_it_would_do(aws, name, make, wait, created):
    created(name, make.cfn({"Kept": make.thing(), "Changed": make.thing(value="a"), "Gone": make.thing()}))
    body = make.cfn({"Kept": make.thing(), "Changed": make.thing(value="b"), "New": make.thing()})
    aws.create_change_set(StackName=name, ChangeSetName="next", TemplateBody=body)
    wait(aws, "change_set_create_complete", name, ChangeSetName="next")
    pages = aws.get_paginator("describe_change_set").paginate(StackName=name, ChangeSetName="next")
    seen = {key: value for page in pages for key, value in changes_of(page).items()}
    assert seen == {"Changed": ("Modify", "False"), "Gone": ("Remove", None), "New": ("Add", None)}
    aws.execute_change_set(StackName=name, ChangeSetName="next")
    wait(aws, "stack_update_complete", name)
    resources = aws.describe_stack_resources(StackName=name)["StackResources"]
    assert {row["LogicalResourceId"] for row in resources} == {"Kept", "Changed", "New"}


def test_1_a_deleted_change_set_is_gone(aws, name, make, wait, created, refused):
    created(name, make.cfn({"Thing": make.thing()}))
    aws.create_change_set(StackName=name, ChangeSetName="no", TemplateBody=make.cfn({"Other": make.thing()}))
    wait(aws, "change_set_create_complete", name, ChangeSetName="no")
    aws.delete_change_set(StackName=name, ChangeSetName="no")
    assert aws.list_change_sets(StackName=name)["Summaries"] == []
    said = refused(aws.describe_change_set, "ChangeSetNotFound", 404, StackName=name, ChangeSetName="no")
    assert said == "ChangeSet [no] does not exist"


def test_1_a_change_set_older_than_the_stack_is_not_executed(aws, name, make, wait, created, refused):
    created(name, make.cfn({"Thing": make.thing(value="1")}))
    aws.create_change_set(StackName=name, ChangeSetName="old", TemplateBody=make.cfn({"Thing": make.thing(value="2")}))
    wait(aws, "change_set_create_complete", name, ChangeSetName="old")
    aws.update_stack(StackName=name, TemplateBody=make.cfn({"Thing": make.thing(value="3")}))
    wait(aws, "stack_update_complete", name)
    refused(aws.execute_change_set, "InvalidChangeSetStatus", StackName=name, ChangeSetName="old")


def test_1_w36_a_change_set_without_changes_fails_with_the_sentence(aws, name, make, created, until):
    body = make.cfn({"Thing": make.thing()})
    created(name, body)
    aws.create_change_set(StackName=name, ChangeSetName="same", TemplateBody=body)

    def described():
        shown = aws.describe_change_set(StackName=name, ChangeSetName="same")
        return shown if shown["Status"] == "FAILED" else None

    shown = until(described)
    assert (shown["ExecutionStatus"], shown["StatusReason"]) == ("UNAVAILABLE", NO_CHANGES)


def test_1_w33_w34_change_sets_that_cannot_be(aws, name, make, created, refused):
    body = make.cfn({"Thing": make.thing()})
    created(name, body)
    asked = {"ChangeSetName": "one", "StackName": name, "TemplateBody": body}
    said = refused(aws.create_change_set, ChangeSetType="CREATE", **asked)
    assert said == f"Stack [{name}] already exists and cannot be created again with the changeSet [one]."
    said = refused(aws.describe_change_set, ChangeSetName="alone")
    assert said == "StackName must be specified if ChangeSetName is not specified as an ARN."
    refused(aws.create_change_set, **{**asked, "StackName": "gone"})


def test_1_cancel_update_stack_goes_back(aws, name, make, wait, created, status, until):
    created(name, make.cfn({"Thing": make.thing(value="old")}))
    slow = make.thing(value="new", action_wait_secs={"update": 0, "create": 30})
    aws.update_stack(StackName=name, TemplateBody=make.cfn({"Thing": make.thing(value="new"), "Slow": slow}))
    until(lambda: len(aws.describe_stack_resources(StackName=name)["StackResources"]) == 2)
    aws.cancel_update_stack(StackName=name)
    until(lambda: status(name) == "UPDATE_ROLLBACK_COMPLETE")
    wait(aws, "stack_rollback_complete", name)
    (left,) = aws.describe_stack_resources(StackName=name)["StackResources"]
    assert left["LogicalResourceId"] == "Thing"


def test_1_w27_a_repeated_request_with_its_token_is_the_same_request(aws, name, make, created, status, until):
    """As an SDK repeats it when the answer was lost, at once or when it is long done."""
    created(name, make.cfn({"Thing": make.thing(value="old")}))
    made = aws.create_change_set(StackName=name, ChangeSetName="c", TemplateBody=make.cfn({"Other": make.thing()}))
    run = {"ChangeSetName": made["Id"], "ClientRequestToken": "run"}
    aws.execute_change_set(**run)
    aws.execute_change_set(**run, StackName=name)
    until(lambda: status(name) == "UPDATE_COMPLETE")
    aws.execute_change_set(**run)
    with pytest.raises(aws.exceptions.ChangeSetNotFoundException):
        aws.execute_change_set(ChangeSetName=made["Id"], ClientRequestToken="another")
    broken = make.cfn({"Other": make.thing(fail=True)})
    aws.update_stack(StackName=name, TemplateBody=broken, DisableRollback=True)
    until(lambda: status(name) == "UPDATE_FAILED")
    back = aws.rollback_stack(StackName=name, ClientRequestToken="back")
    assert aws.rollback_stack(StackName=name, ClientRequestToken="back")["OperationId"] == back["OperationId"]
    until(lambda: status(name) == "UPDATE_ROLLBACK_COMPLETE")
    aws.update_stack(StackName=name, TemplateBody=make.cfn({"Other": make.thing(value="new", wait_secs=30)}))
    for _ in range(2):
        aws.cancel_update_stack(StackName=name, ClientRequestToken="cancel")
    until(lambda: status(name) == "UPDATE_ROLLBACK_COMPLETE")
    aws.cancel_update_stack(StackName=name, ClientRequestToken="cancel")


def test_1_w43_only_a_running_update_is_cancelled(aws, name, make, created, refused):
    created(name, make.cfn({"Thing": make.thing()}))
    said = refused(aws.cancel_update_stack, StackName=name)
    assert said == "CancelUpdateStack cannot be called from current stack status"


def test_1_exports_and_who_imports_them(aws, name, make, wait, created, refused):
    """cloudformation.md L13, L28, Q22."""
    exported = f"{name}-value"
    output = {"Out": {"Value": {"Fn::GetAtt": ["Thing", "output"]}, "Export": {"Name": exported}}}
    created(name, make.cfn({"Thing": make.thing(value="shared")}, Outputs=output))
    exports = {
        row["Name"]: row["Value"] for page in aws.get_paginator("list_exports").paginate() for row in page["Exports"]
    }
    assert exports[exported] == "shared"
    user = f"{name}-user"
    importing = make.cfn(
        {"Thing": make.thing(value={"Fn::ImportValue": exported})},
        Outputs={"Got": {"Value": {"Fn::GetAtt": ["Thing", "output"]}}},
    )
    created(user, importing)
    assert aws.describe_stacks(StackName=user)["Stacks"][0]["Outputs"][0]["OutputValue"] == "shared"
    assert aws.list_imports(ExportName=exported)["Imports"] == [user]
    said = refused(aws.delete_stack, StackName=name)
    assert said == f"Export {exported} cannot be deleted as it is in use by {user}"
    aws.delete_stack(StackName=user)
    wait(aws, "stack_delete_complete", user)
    aws.delete_stack(StackName=name)
    wait(aws, "stack_delete_complete", name)
    refused(aws.list_imports, ExportName=exported)


def test_1_w44_a_missing_export_and_a_taken_name(aws, name, make, created, until, status):
    def reason_of(stack):
        until(lambda: status(stack).endswith("ROLLBACK_COMPLETE"))
        return [
            event.get("ResourceStatusReason", "") for event in aws.describe_stack_events(StackName=stack)["StackEvents"]
        ]

    body = make.cfn({"Thing": make.thing(value={"Fn::ImportValue": "nobody-has-it"})})
    try:
        aws.create_stack(StackName=name, TemplateBody=body)
        said = " ".join(reason_of(name))
    except aws.exceptions.ClientError as error:
        said = error.response["Error"]["Message"]
    assert "No export named nobody-has-it found." in said


def test_1_w42_termination_protection(aws, name, make, wait, created, refused):
    arn = created(name, make.cfn({"Thing": make.thing()}))
    assert aws.update_termination_protection(StackName=name, EnableTerminationProtection=True)["StackId"] == arn
    said = refused(aws.delete_stack, StackName=name)
    assert said == f"Stack [{name}] cannot be deleted while TerminationProtection is enabled"
    aws.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    aws.delete_stack(StackName=name)
    wait(aws, "stack_delete_complete", name)


def test_1_a_stack_policy_keeps_a_resource_as_it_is(aws, name, make, created, until, status):
    created(name, make.cfn({"Thing": make.thing(value="a"), "Free": make.thing(value="a")}))
    policy = {
        "Statement": [
            {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "LogicalResourceId/Thing"},
        ]
    }
    aws.set_stack_policy(StackName=name, StackPolicyBody=json.dumps(policy))
    assert json.loads(aws.get_stack_policy(StackName=name)["StackPolicyBody"]) == policy
    aws.update_stack(
        StackName=name, TemplateBody=make.cfn({"Thing": make.thing(value="a"), "Free": make.thing(value="b")})
    )
    until(lambda: status(name) == "UPDATE_COMPLETE")
    try:
        aws.update_stack(
            StackName=name, TemplateBody=make.cfn({"Thing": make.thing(value="c"), "Free": make.thing(value="b")})
        )
        until(lambda: status(name) == "UPDATE_ROLLBACK_COMPLETE")
        events = aws.describe_stack_events(StackName=name)["StackEvents"]
        said = " ".join(event.get("ResourceStatusReason", "") for event in events)
    except aws.exceptions.ClientError as error:
        said = error.response["Error"]["Message"]
    assert "denied by stack policy" in said.lower()


SERVED = {
    "CreateStack", "UpdateStack", "DeleteStack", "CancelUpdateStack", "ContinueUpdateRollback", "DescribeStacks",
    "ListStacks", "UpdateTerminationProtection", "SetStackPolicy", "GetStackPolicy", "CreateChangeSet",
    "DescribeChangeSet", "ExecuteChangeSet", "DeleteChangeSet", "ListChangeSets", "DescribeStackEvents",
    "DescribeStackResource", "DescribeStackResources", "ListStackResources", "GetTemplate", "GetTemplateSummary",
    "ValidateTemplate", "ListExports", "ListImports",
}  # fmt: skip


def minimal(shape):
    """The least input that botocore lets through."""
    match shape.type_name:
        case "structure":
            return {key: minimal(shape.members[key]) for key in shape.required_members}
        case "list":
            return [minimal(shape.member)]
        case "string":
            return shape.enum[0] if shape.enum else "abcdefghijklmnopqrstuvwxyz0123456789"
        case "integer" | "long":
            return 1
        case "boolean":
            return True
        case "timestamp":
            return 0
        case _:
            return {}


def test_1_every_other_action_of_the_model_answers_a_4xx_that_names_it(server):
    """W13. The actions are the installed botocore's; what is served besides SERVED may also answer 200."""
    aws = server.boto3()
    model = botocore.session.get_session().get_service_model("cloudformation")
    names = {method: action for method, action in aws.meta.method_to_api_mapping.items() if action not in SERVED}
    assert len(names) > 50
    wrong = {}
    for method, action in names.items():
        shape = model.operation_model(action).input_shape
        try:
            getattr(aws, method)(**(minimal(shape) if shape else {}))
        except aws.exceptions.ClientError as error:
            status, code = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
            named = code == "ValidationError" or action in error.response["Error"]["Message"]
            if not (400 <= status < 500 and named):
                wrong[action] = error.response
    assert wrong == {}
