"""Records as answers, refusals as codes. Ids are rows of cloudformation.md."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from engine.cloud.errors import Permanent, Temporary
from engine.model.account import account_id
from engine.model.diagnostic import Diagnostic, Invalid, Span
from engine.model.errors import (
    ChangeSetNotFound,
    Forbidden,
    LimitExceeded,
    NoChange,
    ResourceNotFound,
    StackExists,
    StackNotFound,
)
from engine.model.stack import (
    Change,
    ChangeAction,
    ChangeSet,
    ChangeSetStatus,
    Event,
    ExecutionStatus,
    Options,
    OutputValue,
    Plan,
    PropertyChange,
    Replacement,
    ResourceRecord,
    Stack,
)
from engine.model.status import Action, OnFailure, Status
from engine.model.value import UNKNOWN
from gateway.aws import changes, views
from gateway.aws.arns import Arns
from gateway.aws.errors import aws_error
from gateway.aws.faults import AwsError
from gateway.aws.paging import make_token, numbered, page
from gateway.aws.protocol.model import Mapped, Scalar, Sequence, Structure, load
from gateway.aws.statuses import resource_status, stack_status, states_of

PROJECT, ID, CHILD = "p" * 32, "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
TIME = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
ARNS = Arns("RegionOne", PROJECT)
STACK = Stack(
    id=ID, name="web", project_id=PROJECT, action=Action.CREATE, status=Status.COMPLETE,
    status_reason="Stack CREATE completed successfully", options=Options(tags={"a": "b"}), created=TIME,
    parameters={"Size": "3", "Password": "******", "OS::stack_id": ID}, root_id=ID, operation_id="op",
    outputs=(
        OutputValue("Ip", "10.0.0.1", export="ip"), OutputValue("Bad", None, error="no"), OutputValue("L", [1, 2]),
    ),
)  # fmt: skip
RESOURCE = ResourceRecord(
    ID, "Web", "AWS::EC2::Instance", Action.CREATE, Status.COMPLETE, "", TIME, TIME, physical_id="i-1", is_group=True,
    metadata={"AWS::CloudFormation::Init": {}},
)  # fmt: skip
EVENT = Event("e", 1, ID, "web", TIME, "Web", "AWS::EC2::Instance", Action.CREATE, Status.IN_PROGRESS, "",
              properties={"ImageId": "x"}, client_token="t", operation_id="op")  # fmt: skip


def fits(value, shape):
    """Every name is one of the shape's, every value of its kind."""
    match shape:
        case Structure():
            assert set(value) <= set(shape.members)
            return all(fits(item, shape.members[name]) for name, item in value.items() if item is not None)
        case Sequence():
            return isinstance(value, list | tuple) and all(fits(item, shape.member) for item in value)
        case Mapped():
            return all(fits(item, shape.value) for item in value.values())
        case Scalar():
            kind = {"boolean": bool, "integer": int, "timestamp": dt.datetime}.get(shape.kind, str)
            assert isinstance(value, kind), (value, shape.kind)
            assert not shape.values or value in shape.values, (value, shape.values)
            return True


def output_of(action):
    return load("cloudformation").operations[action].output


# --- statuses -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("row", "status", "state"),
    [
        ("S01", "CREATE_IN_PROGRESS", (Action.CREATE, Status.IN_PROGRESS)),
        ("S02", "CREATE_COMPLETE", (Action.CREATE, Status.COMPLETE)),
        ("S03", "CREATE_FAILED", (Action.CREATE, Status.FAILED)),
        ("S04", "ROLLBACK_IN_PROGRESS", (Action.ROLLBACK, Status.IN_PROGRESS, Action.CREATE)),
        ("S05", "ROLLBACK_COMPLETE", (Action.ROLLBACK, Status.COMPLETE, Action.CREATE)),
        ("S06", "ROLLBACK_FAILED", (Action.ROLLBACK, Status.FAILED, Action.CREATE)),
        ("S07", "DELETE_IN_PROGRESS", (Action.DELETE, Status.IN_PROGRESS)),
        ("S08", "DELETE_COMPLETE", (Action.DELETE, Status.COMPLETE)),
        ("S09", "DELETE_FAILED", (Action.DELETE, Status.FAILED)),
        ("S10", "UPDATE_IN_PROGRESS", (Action.UPDATE, Status.IN_PROGRESS)),
        ("S11", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", (Action.UPDATE, Status.IN_PROGRESS, None, True)),
        ("S12", "UPDATE_COMPLETE", (Action.UPDATE, Status.COMPLETE)),
        ("S13", "UPDATE_FAILED", (Action.UPDATE, Status.FAILED)),
        ("S14", "UPDATE_ROLLBACK_IN_PROGRESS", (Action.ROLLBACK, Status.IN_PROGRESS, Action.UPDATE)),
        ("S15", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
         (Action.ROLLBACK, Status.IN_PROGRESS, Action.UPDATE, True)),
        ("S16", "UPDATE_ROLLBACK_COMPLETE", (Action.ROLLBACK, Status.COMPLETE, Action.UPDATE)),
        ("S17", "UPDATE_ROLLBACK_FAILED", (Action.ROLLBACK, Status.FAILED, Action.UPDATE)),
        ("S18", "REVIEW_IN_PROGRESS", (Action.INIT, Status.COMPLETE)),
        ("S19", "IMPORT_IN_PROGRESS", (Action.IMPORT, Status.IN_PROGRESS)),
        ("S20", "IMPORT_COMPLETE", (Action.IMPORT, Status.COMPLETE)),
        ("S21", "IMPORT_ROLLBACK_IN_PROGRESS", (Action.ROLLBACK, Status.IN_PROGRESS, Action.IMPORT)),
        ("S22", "IMPORT_ROLLBACK_COMPLETE", (Action.ROLLBACK, Status.COMPLETE, Action.IMPORT)),
        ("S23", "IMPORT_ROLLBACK_FAILED", (Action.ROLLBACK, Status.FAILED, Action.IMPORT)),
    ],
)  # fmt: skip
def test_4_1_statuses(row, status, state):
    assert stack_status(*state) == status
    assert (state[0].value, state[1].value) in states_of(frozenset({status}))


def test_b21_no_status_of_ours_leaks():
    """Whatever the state, the status is one of botocore's model."""
    stacks, resources = output_of("DescribeStacks"), output_of("DescribeStackEvents")
    stack_statuses = stacks.members["Stacks"].member.members["StackStatus"].values
    resource_statuses = resources.members["StackEvents"].member.members["ResourceStatus"].values
    for action in Action:
        for status in Status:
            for reverting in (None, *Action):
                assert stack_status(action, status, reverting, cleaning=True) in stack_statuses
                assert stack_status(action, status, reverting) in stack_statuses
            assert resource_status(action, status) in resource_statuses


def test_b21_native_actions_are_named_in_the_reason():
    shown = views.stack(replace(STACK, action=Action.SUSPEND, status_reason="Stack SUSPEND started"), ARNS, {})
    assert shown["StackStatus"] == "UPDATE_COMPLETE"
    assert shown["StackStatusReason"].startswith("SUSPEND_COMPLETE (asked for through the native API)")


# --- ARNs ---------------------------------------------------------------------------------------------------------
def test_w24_arns_are_read_back():
    arn = ARNS.stack("web", ID)
    assert arn == f"arn:aws:cloudformation:RegionOne:{account_id(PROJECT)}:stack/web/{ID}"
    assert ARNS.stack_id_in(arn) == ID
    assert Arns("RegionOne", "another").stack_id_in(arn) is None
    assert ARNS.change_set_id_in(arn) is None
    assert ARNS.change_set_id_in(ARNS.change_set("c", ID)) == ID


def test_w24_an_account_is_twelve_digits_and_stays():
    assert len(account_id(PROJECT)) == 12
    assert account_id(PROJECT).isdigit()
    assert account_id(PROJECT) == account_id(PROJECT)


# --- stacks, resources, events ------------------------------------------------------------------------------------
def test_w51_a_stack_has_the_members_that_clients_index():
    shown = views.stack(STACK, ARNS, {})
    assert fits({"Stacks": [shown]}, output_of("DescribeStacks"))
    assert {"Outputs", "Parameters", "Tags", "Capabilities", "NotificationARNs", "RollbackConfiguration"} <= set(shown)
    assert shown["DriftInformation"]["StackDriftStatus"] == "NOT_CHECKED"
    assert (shown["LastUpdatedTime"], shown["StackStatusReason"], shown["ParentId"]) == (None, None, None)


def test_n04_outputs_that_are_not_resolved_are_left_out():
    shown = views.stack(STACK, ARNS, {})["Outputs"]
    assert [(one["OutputKey"], one["OutputValue"], one["ExportName"]) for one in shown] == [
        ("Ip", "10.0.0.1", "ip"), ("L", "1,2", None)]  # fmt: skip


def test_l76_noecho_parameters_are_four_stars_and_pseudo_parameters_stay_out():
    assert views.stack(STACK, ARNS, {})["Parameters"] == [
        {"ParameterKey": "Size", "ParameterValue": "3"},
        {"ParameterKey": "Password", "ParameterValue": "****"},
    ]


def test_w51_nested_stacks_name_those_above_them():
    child = replace(STACK, id=CHILD, name="web-db", parent_id=ID, root_id=ID)
    shown = views.stack(child, ARNS, {ID: "web"})
    assert (shown["ParentId"], shown["RootId"]) == (ARNS.stack("web", ID), ARNS.stack("web", ID))


def test_w50_resources_fit_the_three_shapes():
    summary = views.resource_summary(RESOURCE, ARNS, {})
    assert summary["LastUpdatedTimestamp"] == TIME
    assert fits({"StackResourceSummaries": [summary]}, output_of("ListStackResources"))
    detail = views.resource_detail(RESOURCE, STACK, ARNS, {})
    assert fits({"StackResourceDetail": detail}, output_of("DescribeStackResource"))
    assert detail["Metadata"] == '{"AWS::CloudFormation::Init":{}}'
    whole = views.resource(RESOURCE, STACK, ARNS, {})
    assert fits({"StackResources": [whole]}, output_of("DescribeStackResources"))


def test_l95_a_nested_stacks_physical_id_is_its_arn():
    nested = replace(RESOURCE, type="AWS::CloudFormation::Stack", physical_id=CHILD, nested_stack_id=CHILD)
    shown = views.resource(nested, STACK, ARNS, {CHILD: "web-db"})
    assert shown["PhysicalResourceId"] == ARNS.stack("web-db", CHILD)


def test_w53_events_fit_and_carry_token_and_properties():
    shown = views.event(EVENT, ARNS, {})
    assert fits({"StackEvents": [shown]}, output_of("DescribeStackEvents"))
    assert (shown["ClientRequestToken"], shown["ResourceProperties"]) == ("t", '{"ImageId":"x"}')
    assert fits({"OperationEvents": [views.operation_event(EVENT, "CREATE_STACK", ARNS, {})]},
                output_of("DescribeEvents"))  # fmt: skip


def test_w53_the_first_event_is_the_stack_itself():
    own = replace(EVENT, address=None, type="OS::Heat::Stack", reason="Stack CREATE started", properties={})
    shown = views.event(own, ARNS, {})
    assert (shown["LogicalResourceId"], shown["ResourceType"]) == ("web", "AWS::CloudFormation::Stack")
    assert (shown["PhysicalResourceId"], shown["ResourceStatusReason"]) == (ARNS.stack("web", ID), "User Initiated")


# --- changes ------------------------------------------------------------------------------------------------------
def changed(*properties, **more):
    return Change("Web", "AWS::EC2::Instance", ChangeAction.MODIFY, properties=properties, is_group=True, **more)


PLAN = Plan(ID, 1, (
    changed(
        PropertyChange("ImageId", "a", "b", Replacement.ALWAYS, "Image"),
        PropertyChange("SubnetId", "s", UNKNOWN, Replacement.CONDITIONAL, "Subnet"),
        PropertyChange("Tags", None, [{"Key": "k"}], Replacement.NEVER),
        replacement=Replacement.ALWAYS, physical_id="i-1", other=("Metadata",), before={"ImageId": "a"},
        after={"ImageId": UNKNOWN},
    ),
    Change("Web/port", "OS::Neutron::Port", ChangeAction.ADD, group="Web"),
    Change("New", "AWS::EC2::VPC", ChangeAction.ADD),
    Change("Old", "AWS::EC2::VPC", ChangeAction.REMOVE, retained=True, physical_id="v"),
    Change("Same", "AWS::EC2::VPC", ChangeAction.NONE),
))  # fmt: skip
CHANGE_SET = ChangeSet(
    ID, "c", ID, "web", "UPDATE", ChangeSetStatus.CREATE_COMPLETE, ExecutionStatus.AVAILABLE, TIME,
    Options(on_failure=OnFailure.DELETE), parameters={"Image": "b"}, plan=PLAN,
)  # fmt: skip


@pytest.mark.parametrize("with_values", [False, True])
def test_c04_change_sets_fit(with_values):
    shown = changes.change_set(CHANGE_SET, ARNS, with_values=with_values)
    assert fits(shown, output_of("DescribeChangeSet"))
    assert fits({"Summaries": [changes.change_set_summary(CHANGE_SET, ARNS)]}, output_of("ListChangeSets"))
    assert shown["OnStackFailure"] == "DELETE"


def test_c04_groups_stand_for_their_members():
    found = [one["ResourceChange"] for one in changes.changes(PLAN, {}, with_values=False)]
    assert [(one["LogicalResourceId"], one["Action"], one["PolicyAction"]) for one in found] == [
        ("Web", "Modify", "ReplaceAndDelete"), ("New", "Add", None), ("Old", "Remove", "Retain")]  # fmt: skip
    assert (found[0]["Replacement"], found[0]["Scope"]) == ("True", ["Properties", "Tags", "Metadata"])


def test_c04_details_tell_what_brings_a_change_about():
    image, subnet, tags, _ = changes.changes(PLAN, {"Image": "b"}, with_values=True)[0]["ResourceChange"]["Details"]
    assert (image["ChangeSource"], image["CausingEntity"], image["Evaluation"]) == (
        "ParameterReference", "Image", "Static")  # fmt: skip
    assert image["Target"]["RequiresRecreation"] == "Always"
    assert (subnet["ChangeSource"], subnet["Evaluation"]) == ("ResourceReference", "Dynamic")
    assert subnet["Target"]["AfterValue"] == "{{changeSet:KNOWN_AFTER_APPLY}}"
    assert (tags["ChangeSource"], tags["Target"]["AttributeChangeType"]) == ("DirectModification", "Add")


# --- refusals -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("error", "action", "code", "status", "message"),
    [
        (StackNotFound("x"), "DescribeStacks", "ValidationError", 400, "Stack with id x does not exist"),
        (StackNotFound("x"), "GetTemplate", "ValidationError", 400, "Stack with id x does not exist"),
        (StackNotFound("x"), "DescribeStackEvents", "ValidationError", 400, "Stack [x] does not exist"),
        (StackNotFound("x"), "UpdateStack", "ValidationError", 400, "Stack [x] does not exist"),
        (StackNotFound("x"), "DescribeStackResource", "ValidationError", 400, "Stack 'x' does not exist"),
        (ResourceNotFound("R", "x"), "DescribeStackResource", "ValidationError", 400,
         "Resource R does not exist for stack x"),
        (ChangeSetNotFound("c"), "DescribeChangeSet", "ChangeSetNotFound", 404, "ChangeSet [c] does not exist"),
        (StackExists("x"), "CreateStack", "AlreadyExistsException", 400, "Stack [x] already exists"),
        (NoChange(), "UpdateStack", "ValidationError", 400, "No updates are to be performed."),
        (LimitExceeded("too many"), "CreateStack", "LimitExceededException", 400, "too many"),
        (Forbidden("Stack [x] cannot be deleted while TerminationProtection is enabled"), "DeleteStack",
         "ValidationError", 400, "Stack [x] cannot be deleted while TerminationProtection is enabled"),
        (Permanent("no", status=403), "CreateStack", "AccessDenied", 403, "OpenStack does not allow it: no"),
        (Temporary("busy", status=503), "CreateStack", "ServiceUnavailable", 503,
         "OpenStack cannot be asked now: busy"),
    ],
)  # fmt: skip
def test_w28_to_w44_what_the_engine_refuses(error, action, code, status, message):
    found = aws_error(error, action)
    assert (found.code, found.status, found.message) == (code, status, message)
    assert found.kind == ("Receiver" if status >= 500 else "Sender")


def test_8_all_findings_are_told_aws_sentence_first_each_with_its_place():
    found = aws_error(Invalid((
        Diagnostic("UnknownReference", "Template format error: no X", "Write Y.", span=Span("template", 3, 5)),
        Diagnostic("UnknownReference", "no Z", span=Span("a.yaml", 9, 1)),
    )), "CreateStack")  # fmt: skip
    assert found.message == "Template format error: no X Write Y. (line 3, column 5)\nno Z (a.yaml, line 9, column 1)"


def test_8_a_defect_is_no_refusal():
    assert aws_error(KeyError("x"), "CreateStack") is None


# --- pages --------------------------------------------------------------------------------------------------------
def test_w22_pages_of_100_survive_changes_between_them():
    items = list(range(250))
    first, token = page(items, None, "ListExports", lambda one: one)
    second, token = page([one for one in items if one != 99], token, "ListExports", lambda one: one)
    third, end = page(items, token, "ListExports", lambda one: one)
    assert (first + second + third, end) == (items, None)


def test_w22_newest_first():
    items = list(range(150))[::-1]
    first, token = page(items, None, "ListStacks", lambda one: [one, "x"], newest_first=True)
    second, end = page([200, *items], token, "ListStacks", lambda one: [one, "x"], newest_first=True)
    assert (first + second, end) == (items, None)
    assert len(token) <= 1024


@pytest.mark.parametrize("token", ["", "x", "ä", make_token("Another", 1), make_token("List", "text"), "W10="])
def test_w22_bad_tokens_are_validation_errors(token):
    for read in (lambda: page([1], token, "List", lambda one: one), lambda: numbered([1], token, "List")):
        with pytest.raises(AwsError) as caught:
            read()
        assert caught.value.code == "ValidationError"
