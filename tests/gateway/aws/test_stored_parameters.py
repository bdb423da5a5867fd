"""The parameter store, made by stacks and read by parameters (cloudformation.md L65 to L69, D06)."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.gateway.aws.conftest import template

THING = {"Type": "OS::Heat::TestResource", "Properties": {"value": {"Ref": "Word"}}}


def reading(kind, **more):
    return template({"Thing": THING}, Parameters={"Word": {"Type": f"AWS::SSM::Parameter::{kind}", **more}})


@pytest.fixture
def stored(aws, name, wait):
    """Make, or change, a parameter of that name; returns its name."""
    made = f"/{name}/word"

    def store(value, **more):
        properties = {"name": made, "value": value, **more}
        body = template({"P": {"Type": "Isotherm::Parameter", "Properties": properties}})
        try:
            aws.create_stack(StackName=f"store-{name}", TemplateBody=body)
            wait("stack_create_complete", f"store-{name}")
        except ClientError:
            aws.update_stack(StackName=f"store-{name}", TemplateBody=body)
            wait("stack_update_complete", f"store-{name}")
        return made

    return store


def parameters(aws, name):
    (stack,) = aws.describe_stacks(StackName=name)["Stacks"]
    return stack["Parameters"]


def test_l66_values_are_taken_at_each_operation(aws, name, wait, stored):
    path = stored("first")
    given = [{"ParameterKey": "Word", "ParameterValue": path}]
    aws.create_stack(StackName=name, TemplateBody=reading("Value<String>"), Parameters=given)
    wait("stack_create_complete", name)
    assert parameters(aws, name) == [{"ParameterKey": "Word", "ParameterValue": path, "ResolvedValue": "first"}]
    stored("second")
    assert parameters(aws, name)[0]["ResolvedValue"] == "first"
    kept = [{"ParameterKey": "Word", "UsePreviousValue": True}]
    aws.update_stack(StackName=name, UsePreviousTemplate=True, Parameters=kept)
    wait("stack_update_complete", name)
    assert parameters(aws, name)[0]["ResolvedValue"] == "second"


def test_l67_lists_come_from_text_with_commas(aws, name, wait, stored):
    path = stored("a,b,c", type="StringList")
    body = reading("Value<List<String>>", Default=path).replace(
        '{"Ref": "Word"}', '{"Fn::Select": [1, {"Ref": "Word"}]}'
    )
    aws.create_stack(StackName=name, TemplateBody=body)
    wait("stack_create_complete", name)
    assert parameters(aws, name)[0]["ResolvedValue"] == "a,b,c"


@pytest.mark.parametrize("kind", ["Value<String>", "Name"])
def test_l65_l66_what_is_not_stored_is_refused(aws, name, kind):
    with pytest.raises(ClientError) as caught:
        aws.create_stack(StackName=name, TemplateBody=reading(kind, Default="/no/such"))
    assert caught.value.response["Error"]["Message"] == (
        "Unable to fetch parameters [/no/such] from parameter store for this account. An AWS::SSM::Parameter in a "
        "stack of this project makes one. (line 1, column 59)"
    )


def test_l65_a_name_stays_a_name(aws, name, wait, stored):
    path = stored("value")
    aws.create_stack(StackName=name, TemplateBody=reading("Name", Default=path))
    wait("stack_create_complete", name)
    assert parameters(aws, name) == [{"ParameterKey": "Word", "ParameterValue": path}]


def test_a_name_is_one_parameters_only_and_free_when_that_is_gone(aws, name, wait, stored):
    path = stored("value")
    body = template({"P": {"Type": "Isotherm::Parameter", "Properties": {"name": path, "value": "x"}}})
    aws.create_stack(StackName=name, TemplateBody=body, OnFailure="DO_NOTHING")
    aws.get_waiter("stack_exists").wait(StackName=name)
    with pytest.raises(Exception, match="CREATE_FAILED"):
        wait("stack_create_complete", name)
    (failed,) = aws.describe_stack_resources(StackName=name)["StackResources"]
    assert f"The parameter {path} already exists: stack store-{name} has it." in failed["ResourceStatusReason"]
    for one in (f"store-{name}", name):
        aws.delete_stack(StackName=one)
        wait("stack_delete_complete", one)
    stored("again")
