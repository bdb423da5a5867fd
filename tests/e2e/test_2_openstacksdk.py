"""2: openstacksdk's orchestration proxy and its cloud layer, over HTTP."""

from __future__ import annotations

import pytest
from openstack import exceptions

HOT = """\
heat_template_version: 2018-08-31
parameters:
  word: {type: string, default: hello}
resources:
  thing:
    type: OS::Heat::TestResource
    properties: {value: {get_param: word}}
outputs:
  said: {value: {get_attr: [thing, output]}}
"""


@pytest.fixture(scope="module")
def sdk(server):
    return server.sdk()


@pytest.fixture
def heat(sdk):
    return sdk.orchestration


@pytest.fixture
def created(heat):
    def create(name, template=HOT, **more):
        stack = heat.create_stack(name=name, template=template, **more)
        return heat.wait_for_status(stack, status="CREATE_COMPLETE", failures=["CREATE_FAILED"], interval=0.1, wait=30)

    return create


def test_2_create_find_update_delete(heat, created, name):
    stack = created(name, parameters={"word": "one"}, tags="a,b", timeout_mins=3)
    assert heat.find_stack(name).id == stack.id
    shown = heat.get_stack(stack.id)
    assert (shown.name, shown.status, shown.parameters["word"]) == (name, "CREATE_COMPLETE", "one")
    assert shown.parameters["OS::stack_id"] == stack.id
    assert shown.outputs == [{"output_key": "said", "output_value": "one", "description": "No description given"}]
    heat.update_stack(shown, template=HOT, parameters={"word": "two"})
    heat.wait_for_status(heat.get_stack(stack.id), status="UPDATE_COMPLETE", interval=0.1, wait=30)
    assert heat.get_stack(name).outputs[0]["output_value"] == "two"
    heat.delete_stack(stack)
    heat.wait_for_delete(heat.get_stack(stack.id), interval=0.1, wait=30)
    assert heat.find_stack(name) is None


def test_2_resources_events_template_environment_files(heat, created, name):
    stack = created(name, environment={"parameters": {"word": "env"}}, files={"note.txt": "kept"})
    (resource,) = heat.resources(stack)
    assert (resource.name, resource.resource_type, resource.status) == (
        "thing", "OS::Heat::TestResource", "CREATE_COMPLETE",
    )  # fmt: skip
    events = list(heat.stack_events(stack))
    assert {"thing", name} == {event.resource_name for event in events}
    assert heat.get_stack_template(stack).resources["thing"]["type"] == "OS::Heat::TestResource"
    assert heat.get_stack_environment(stack).parameters == {"word": "env"}
    assert heat.get_stack_files(stack) == {"note.txt": "kept"}


def test_apil_01_pages_of_the_list(heat, created, name):
    names = [f"{name}-{number}" for number in range(5)]
    for each in names:
        created(each)
    listed = [stack.name for stack in heat.stacks(limit=2)]
    assert set(names) <= set(listed)
    assert len(listed) == len(set(listed))
    first = heat.get("/stacks", params={"limit": 2, "sort_keys": "stack_name", "sort_dir": "asc"}).json()
    assert first["links"][0]["rel"] == "next"
    assert [row["stack_name"] for row in first["stacks"]] == sorted(row["stack_name"] for row in first["stacks"])
    counted = heat.get("/stacks", params={"with_count": "true", "name": names[0]}).json()
    assert (counted["count"], [row["stack_name"] for row in counted["stacks"]]) == (1, [names[0]])


def test_api_14_a_name_leads_to_the_stack(heat, created, name):
    stack = created(name)
    answer = heat.get(f"/stacks/{name}", redirect=False)
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith(f"/stacks/{name}/{stack.id}")


def test_2_preview_tells_without_making(heat, name):
    shown = heat.create_stack(name=name, template=HOT, preview=True)
    assert shown.name == name
    assert heat.find_stack(name) is None


def test_2_suspend_resume_abandon(heat, created, name):
    stack = created(name)
    heat.suspend_stack(stack)
    heat.wait_for_status(heat.get_stack(stack.id), status="SUSPEND_COMPLETE", interval=0.1, wait=30)
    heat.resume_stack(stack)
    heat.wait_for_status(heat.get_stack(stack.id), status="RESUME_COMPLETE", interval=0.1, wait=30)
    data = heat.abandon_stack(stack)
    assert data["resources"]["thing"]["type"] == "OS::Heat::TestResource"


def test_2_exports_of_a_whole_stack(heat, created, name):
    stack = created(name)
    data = heat.export_stack(stack)
    assert data["name"] == name
    assert heat.get_stack(stack.id).status == "CREATE_COMPLETE"


def test_2_validation(heat):
    checked = heat.validate_template(HOT)
    assert checked.parameters["word"]["Default"] == "hello"
    with pytest.raises(exceptions.BadRequestException, match="get_atr"):
        heat.validate_template(HOT.replace("get_attr", "get_atr"))


def test_err_36_a_name_that_is_taken(heat, created, name):
    created(name)
    with pytest.raises(exceptions.ConflictException, match=f"The Stack \\({name}\\) already exists"):
        heat.create_stack(name=name, template=HOT)


def test_2_the_cloud_layer(sdk, name, tmp_path, until):
    file = tmp_path / "template.yaml"
    file.write_text(HOT)
    stack = sdk.create_stack(name, template_file=str(file), wait=True, timeout=30, rollback=True, word="cloud")
    assert stack.status == "CREATE_COMPLETE"
    assert stack.outputs[0]["output_value"] == "cloud"
    assert name in {each.name for each in sdk.list_stacks()}
    assert sdk.delete_stack(name)
    until(lambda: sdk.get_stack(name) is None)


def test_2_a_token_made_before_serves_as_well(server, sdk):
    assert server.sdk(username="demo").orchestration.get("/stacks", headers={"X-Auth-Token": sdk.auth_token}).ok
