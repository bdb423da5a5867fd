"""What openstacksdk's orchestration proxy reads is what is sent (heat.md §1.1, §1.4)."""

from __future__ import annotations

import openstack
import pytest
from openstack import exceptions

from tests.gateway.native.conftest import CHILD, HOT
from tests.gateway.native.serving import PROJECT

GROUP = """\
heat_template_version: 2018-08-31
resources:
  herd:
    type: OS::Heat::ResourceGroup
    properties: {count: 2, resource_def: {type: OS::Heat::TestResource}}
"""


@pytest.fixture(scope="module")
def sdk(served):
    person = {"username": "demo", "password": "p", "user_domain_id": "default", "project_id": PROJECT}
    connection = openstack.connection.Connection(auth={"auth_url": f"{served.url}/v3", **person}, region_name="R")
    yield connection.orchestration
    connection.close()


def test_api_10_api_18_api_22_api_26_a_stack_s_life(sdk, until, name):
    made = sdk.create_stack(name=name, template=HOT, parameters={"word": "one"}, tags="blue")
    until(made.id, "CREATE_COMPLETE")
    stack = sdk.get_stack(name)
    assert (stack.id, stack.name, stack.status) == (made.id, name, "CREATE_COMPLETE")
    assert (stack.parameters["word"], stack.parameters["secret"]) == ("one", "******")
    assert {one["output_key"]: one["output_value"] for one in stack.outputs} == {"said": "one", "silent": "nothing"}
    sdk.update_stack(stack, template=HOT, parameters={"word": "two"})
    assert until(made.id, "UPDATE_COMPLETE").parameters["word"] == "two"
    sdk.delete_stack(stack, ignore_missing=False)
    until(made.id, "DELETE_COMPLETE")
    with pytest.raises(exceptions.NotFoundException):
        sdk.delete_stack(name, ignore_missing=False)


def test_api_09_apil_01_lists_go_on_to_the_last_page(sdk, two, nest):
    names = [stack.name for stack in sdk.stacks(limit=1)]
    assert {"two-things", "nest"} <= set(names)
    assert len(names) == len(set(names))


def test_api_14_found_by_name_or_id(sdk, two):
    name, identity = two.split("/")[2:]
    assert sdk.find_stack(name, ignore_missing=False).id == identity
    assert sdk.find_stack(identity, ignore_missing=False).name == name
    assert sdk.find_stack("nobody", ignore_missing=True) is None


def test_api_19_api_20_api_21_what_it_was_made_from(sdk, two, nest):
    stack = sdk.get_stack(two.split("/")[-1])
    assert sdk.get_stack_template(stack).description == "two things"
    assert sdk.get_stack_environment(stack).resource_registry == {"resources": {}}
    assert sdk.get_stack_files(sdk.get_stack(nest.split("/")[-1]))["child.yaml"] == CHILD


def test_api_36_apio_03_resources(sdk, two):
    found = {one.name: one for one in sdk.resources("two-things")}
    assert set(found) == {"first", "second"}
    assert (found["first"].resource_type, found["first"].status) == ("OS::Heat::TestResource", "CREATE_COMPLETE")
    assert found["first"].required_by == ["second"]


def test_enge_01_api_41_apio_06_events(sdk, two):
    stack = sdk.get_stack(two.split("/")[-1])
    assert {"two-things", "first", "second"} == {one.resource_name for one in sdk.stack_events(stack)}
    assert {one.resource_name for one in sdk.stack_events(stack, "first")} == {"first"}


def test_api_03_validation_says_what_is_wrong(sdk):
    told = sdk.validate_template(HOT)
    assert (told.description, set(told.parameters)) == ("two things", {"word", "secret"})
    with pytest.raises(exceptions.BadRequestException, match="nothing"):
        sdk.validate_template(HOT.replace("get_param: word", "get_param: nothing"))


def test_api_44_actions(sdk, make, until, name):
    stack = sdk.get_stack(make(name).split("/")[-1])
    for action, done in ((sdk.suspend_stack, "SUSPEND"), (sdk.resume_stack, "RESUME"), (sdk.check_stack, "CHECK")):
        action(stack)
        until(stack.id, f"{done}_COMPLETE")


def test_api_27_api_28_left_without_deleting(sdk, make, name):
    stack = sdk.get_stack(make(name).split("/")[-1])
    told = sdk.export_stack(stack)
    assert (told["name"], set(told["resources"])) == (name, {"first", "second"})
    assert sdk.abandon_stack(stack)["resources"] == told["resources"]
    assert sdk.find_stack(name, ignore_missing=True) is None


def test_api_36_api_41_members_of_a_group(ask, make, name):
    place = make(name, GROUP)
    shallow = ask("GET", f"{place}/resources").json()["resources"]
    assert [one["resource_name"] for one in shallow] == ["herd"]
    deep = ask("GET", f"{place}/resources?nested_depth=1").json()["resources"]
    assert {(one["resource_name"], one.get("parent_resource")) for one in deep} == {
        ("herd", None), ("0", "herd"), ("1", "herd"),
    }  # fmt: skip
    events = ask("GET", f"{place}/events?nested_depth=1").json()["events"]
    assert {"0", "1", "herd", name} <= {one["resource_name"] for one in events}
