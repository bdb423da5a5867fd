"""Making, changing, listing and removing stacks through python-heatclient and by plain requests."""

from __future__ import annotations

import json

import pytest
from heatclient import exc

from tests.gateway.native.conftest import CHILD, HOT, PARENT, SLOW
from tests.gateway.native.serving import PROJECT

SUMMARY = {
    "id", "links", "stack_name", "description", "stack_status", "stack_status_reason", "creation_time", "updated_time",
    "deletion_time", "stack_owner", "parent", "stack_user_project_id", "tags",
}  # fmt: skip
FULL = SUMMARY | {
    "template_description", "parameters", "outputs", "disable_rollback", "timeout_mins", "notification_topics",
    "capabilities",
}  # fmt: skip


def names(answer):
    assert answer.status_code == 200, answer.text
    return [one["stack_name"] for one in answer.json()["stacks"]]


# --- create ---------------------------------------------------------------------------------------------------------
def test_api_10_trap_03_create(served, ask, name):
    answer = ask("POST", "/stacks", json={"stack_name": name, "template": HOT})
    assert answer.status_code == 201
    made = answer.json()["stack"]
    assert set(made) == {"id", "links"}
    place = f"{served.url}/v1/{PROJECT}/stacks/{name}/{made['id']}"
    assert made["links"] == [{"href": place, "rel": "self"}]
    assert answer.headers["Location"] == place


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        ({}, "HTTPBadRequest", "No stack name specified"),
        ({"stack_name": "a"}, "HTTPBadRequest", "No template specified"),
        ({"stack_name": "a", "template": [1]}, "HTTPBadRequest", "map or a text"),
        ({"stack_name": "a", "template": HOT, "tags": ["x"]}, "HTTPBadRequest", "comma-delimited"),
        ({"stack_name": "a", "template": HOT, "tags": "x" * 81}, "HTTPBadRequest", "longer than 80"),
        ({"stack_name": "a", "template": HOT, "timeout_mins": "soon"}, "HTTPBadRequest", "Only integer"),
        ({"stack_name": "a", "template": HOT, "timeout_mins": -1}, "HTTPBadRequest", "timeout"),
        ({"stack_name": "a", "template": HOT, "timeout_mins": 10**30}, "HTTPBadRequest", "timeout"),
        ({"stack_name": "a", "template": HOT, "disable_rollback": "maybe"}, "HTTPBadRequest", "true, false"),
        ({"stack_name": "a", "template": HOT, "parameters": [1]}, "HTTPBadRequest", "must be a map"),
        ({"stack_name": "a", "template": HOT, "files": "x"}, "HTTPBadRequest", "must be a map"),
        ({"stack_name": "a", "template": HOT, "environment": 5}, "HTTPBadRequest", "map or a text"),
        ({"stack_name": "a", "template": HOT, "environment": {"x": {}}}, "StackValidationFailed", "wrong section"),
        ({"stack_name": "a", "template": HOT, "environment_files": "x"}, "HTTPBadRequest", "list of names"),
        ({"stack_name": "a", "template": HOT, "files_container": ["c"]}, "HTTPBadRequest", "files_container"),
        ({"stack_name": "a", "template": "#" * 600_000}, "RequestLimitExceeded", "524288"),  # Q24
        ({"stack_name": "a", "template_url": "file:///etc/passwd"}, "StackValidationFailed", "http and https"),
        ({"stack_name": "a", "template": {"Resources": {}}}, "StackValidationFailed", ""),
        ({"stack_name": "a", "template": "a: 1"}, "InvalidTemplateVersion", "version"),
        ({"stack_name": "a", "template": HOT, "parameters": {"x": 1}}, "UnknownUserParameter", "x"),
        ({"stack_name": "a", "template": CHILD}, "UserParameterMissing", "word"),
        ({"stack_name": "a", "adopt_stack_data": "no json"}, "HTTPBadRequest", "no JSON"),
        ({"stack_name": "a", "adopt_stack_data": "{}"}, "HTTPBadRequest", "adopt data"),
        ({"stack_name": "a", "adopt_stack_data": '{"resources": {"a": 1}}'}, "HTTPBadRequest", "adopt data"),
    ],
)  # fmt: skip
def test_api_10_mistakes_in_a_body(ask, fault, body, kind, said):
    found, message = fault(ask("POST", "/stacks", json=body))
    assert (found, said in message) == (kind, True), message


@pytest.mark.parametrize("bad", ["1a", "-a", "a b", "a/b", "ä", "a" * 256, "a\n"])
def test_apix_14_stack_names(ask, fault, bad):
    assert fault(ask("POST", "/stacks", json={"stack_name": bad, "template": HOT}))[0] == "StackValidationFailed"


def test_err_36_a_name_can_be_used_once(ask, two, fault):
    answer = ask("POST", "/stacks", json={"stack_name": "two-things", "template": HOT})
    assert fault(answer, 409) == ("StackExists", "The Stack (two-things) already exists.")


def test_all_findings_at_once_with_line_and_column(ask, fault):
    text = "heat_template_version: 2018-08-31\nresources:\n  a: {type: OS::No::Such}\n  b: {type: OS::Heat::Nonsense}\n"
    kind, message = fault(ask("POST", "/stacks", json={"stack_name": "a", "template": text}))
    assert kind == "StackValidationFailed"
    assert "OS::No::Such" in message
    assert "OS::Heat::Nonsense" in message
    assert "template:3:" in message
    assert "template:4:" in message


def test_a_template_sent_as_a_map_has_paths_in_place_of_lines(ask, fault):
    template = {"heat_template_version": "2018-08-31",
                "resources": {"a": {"type": "OS::Heat::TestResource", "properties": {"valu": 1}}}}  # fmt: skip
    _, message = fault(ask("POST", "/stacks", json={"stack_name": "a", "template": template}))
    assert "resources.a.properties" in message
    assert "template:1" not in message


def test_of_a_template_kept_from_before_paths_are_told_too(ask, heat, name, fault):
    only = {"type": "string", "default": "a", "constraints": [{"allowed_values": ["a"]}]}
    template = {"heat_template_version": "2018-08-31", "parameters": {"p": only}}
    stack_id = heat.stacks.create(stack_name=name, template=template)["stack"]["id"]
    _, message = fault(ask("PATCH", f"/stacks/{name}/{stack_id}/preview", json={"parameters": {"p": "b"}}))
    assert "parameters.p" in message
    assert "template:1" not in message


def test_te_13_hooks_are_set_besides_files_of_environments(heat, name, until, ask):
    """What `openstack stack create -e FILE --pre-create NAME` sends."""
    hooks = {"resource_registry": {"resources": {"first": {"hooks": "pre-create"}, "x": {"OS::A": "OS::B"}}}}
    sent = {"environment": {**hooks, "parameters": {"word": "ignored"}}, "environment_files": ["a"],
            "files": {"a": "resource_registry: {resources: {second: {hooks: post-create}}}"}}  # fmt: skip
    made = heat.stacks.create(stack_name=name, template=HOT, **sent)["stack"]
    found = heat.stacks.environment(made["id"])
    assert found["resource_registry"]["resources"] == {
        "first": {"hooks": "pre-create"}, "second": {"hooks": "post-create"},
    }  # fmt: skip
    assert found["parameters"] == {}
    heat.stacks.delete(made["id"])


def test_apix_10_a_template_by_url(served, heat, name, until):
    served.files["t.yaml"] = HOT
    made = heat.stacks.create(stack_name=name, template_url=f"{served.url}/files/t.yaml")["stack"]
    assert until(made["id"], "CREATE_COMPLETE").template_description == "two things"


@pytest.mark.parametrize(
    ("sent", "word"),
    [
        ({}, "hello"),
        ({"environment": {"parameter_defaults": {"word": "default"}}}, "default"),
        ({"environment": "parameters: {word: text}"}, "text"),
        ({"environment": {"parameters": {"word": "map"}}, "parameters": {"word": "given"}}, "given"),
        ({"environment": {"parameters": {"word": "map"}}, "parameters": {"word": "given"},
          "files": {"a": "parameters: {word: a}", "b": "parameters: {word: b}"}, "environment_files": ["a", "b"]}, "b"),
    ],
    ids=["template", "te_03_defaults", "te_03_environment", "te_03_parameters", "te_04_te_05_trap_10_files"],
)  # fmt: skip
def test_te_which_value_a_parameter_has(heat, name, until, sent, word):
    made = heat.stacks.create(stack_name=name, template=HOT, **sent)["stack"]
    assert until(made["id"], "CREATE_COMPLETE").parameters["word"] == word


def test_te_02_the_last_file_says_the_default_of_a_nested_template(heat, name, until):
    child = """{heat_template_version: 2021-04-16, parameters: {inner: {type: string}},
                outputs: {said: {value: {get_param: inner}}}}"""
    parent = """{heat_template_version: 2021-04-16, resources: {one: {type: child.yaml}},
                 outputs: {said: {value: {get_attr: [one, said]}}}}"""
    files = {"child.yaml": child, "a": "parameter_defaults: {inner: a}", "b": "parameter_defaults: {inner: b}"}
    made = heat.stacks.create(stack_name=name, template=parent, files=files, environment_files=["a", "b"])["stack"]
    assert until(made["id"], "CREATE_COMPLETE").outputs[0]["output_value"] == "b"


def test_te_20_a_template_resource_is_asked_for_what_is_inside_and_for_all_its_outputs(heat, name, until):
    child = """{heat_template_version: 2021-04-16,
                resources: {v: {type: OS::Heat::Value, properties: {type: json, value: {k: [x, y]}}},
                            other: {type: OS::Heat::None}},
                outputs: {said: {value: {get_attr: [v, value, k, 0]}}}}"""
    asked = {
        "value": "[one, resource.v, value, k, 1]", "dotted": "[one, resource.v.value]", "all": "[one]",
        "said": "[one, said]", "id": "[one, resource.other]",
    }  # fmt: skip
    outputs = ", ".join(f"{key}: {{value: {{get_attr: {path}}}}}" for key, path in asked.items())
    parent = f"{{heat_template_version: 2021-04-16, resources: {{one: {{type: child.yaml}}}}, outputs: {{{outputs}}}}}"
    made = heat.stacks.create(stack_name=name, template=parent, files={"child.yaml": child})["stack"]
    found = {one["output_key"]: one["output_value"] for one in until(made["id"], "CREATE_COMPLETE").outputs}
    other = next(one for one in heat.resources.list(name, nested_depth=2) if one.resource_name == "other")
    assert found == {"value": "y", "dotted": {"k": ["x", "y"]}, "all": {"said": "x"}, "said": "x",
                     "id": other.physical_resource_id}  # fmt: skip


def test_te_20_what_is_not_inside_a_template_resource_cannot_be_asked_for(ask, name, fault):
    parent = """{heat_template_version: 2021-04-16, resources: {one: {type: child.yaml}},
                 outputs: {o: {value: {get_attr: [one, resource.nope, value]}}}}"""
    child = "{heat_template_version: 2021-04-16, resources: {other: {type: OS::Heat::None}}}"
    body = {"stack_name": name, "template": parent, "files": {"child.yaml": child}}
    assert "The Referenced Attribute (one resource.nope) is incorrect." in fault(ask("POST", "/stacks", json=body))[1]


@pytest.mark.parametrize("as_map", [True, False])
def test_whole_numbers_beyond_64_bits_keep_their_last_digit(heat, name, until, as_map):
    written = {"heat_template_version": "2021-04-16",
               "parameters": {"n": {"type": "number"}, "s": {"type": "string"}},
               "resources": {"r": {"type": "OS::Heat::Value", "properties": {"type": "json", "value": {"n": 2**70}}}},
               "outputs": {"kept": {"value": {"get_attr": ["r", "value", "n"]}}, "n": {"value": {"get_param": "n"}},
                           "s": {"value": {"get_param": "s"}}}}  # fmt: skip
    template = written if as_map else json.dumps(written)
    made = heat.stacks.create(stack_name=name, template=template, parameters={"n": 10**20 + 1, "s": 10**20 + 1})
    found = until(made["stack"]["id"], "CREATE_COMPLETE")
    outputs = {one["output_key"]: one["output_value"] for one in found.outputs}
    assert outputs == {"kept": 2**70, "n": 10**20 + 1, "s": "100000000000000000001"}


def test_api_12_a_preview_makes_nothing(ask, name):
    body = {"stack_name": name, "template": HOT, "parameters": {"secret": "s"}, "tags": "a,b=c", "timeout_mins": 3}
    shown = ask("POST", "/stacks/preview", json=body).json()["stack"]
    assert shown["parameters"]["secret"] == "******"
    assert (shown["parameters"]["word"], shown["tags"], shown["timeout_mins"]) == ("hello", ["a", "b=c"], 3)
    first = next(one for one in shown["resources"] if one["resource_name"] == "first")
    assert {"resource_identity", "stack_identity", "resource_action", "resource_status", "metadata", "attributes",
            "required_by", "properties"} <= set(first)  # fmt: skip
    assert first["properties"]["value"] == "hello"
    assert "links" not in first
    assert ask("GET", f"/stacks/{name}").status_code == 404


# --- show and list ----------------------------------------------------------------------------------------------------
def test_apio_02_trap_05_trap_06_a_stack_as_it_is_shown(ask, two):
    shown = ask("GET", two).json()["stack"]
    assert set(shown) == FULL
    assert shown["parameters"] == {
        "OS::project_id": PROJECT, "OS::stack_id": shown["id"], "OS::stack_name": "two-things",
        "word": "hello", "secret": "******",
    }  # fmt: skip
    assert (shown["notification_topics"], shown["capabilities"]) == ([], [])
    assert (shown["stack_status"], shown["disable_rollback"], shown["timeout_mins"]) == ("CREATE_COMPLETE", True, 7)
    assert (shown["description"], shown["template_description"]) == ("two things", "two things")
    outputs = {one["output_key"]: one for one in shown["outputs"]}
    assert outputs["said"] == {"output_key": "said", "description": "what first says", "output_value": "hello"}
    assert outputs["silent"]["description"] == "No description given"
    assert (shown["tags"], shown["stack_owner"], shown["parent"]) == (["blue", "size=big"], "demo", None)
    assert len(shown["creation_time"]) == len("2020-01-01T00:00:00Z")


def test_api_18_without_outputs(ask, two):
    assert set(ask("GET", f"{two}?resolve_outputs=False").json()["stack"]) == FULL - {"outputs"}


@pytest.mark.parametrize("path", ["/stacks", "/stacks/detail?limit=x"], ids=["api_09", "api_13"])
def test_apio_01_a_stack_in_a_list(ask, two, path):
    one = next(one for one in ask("GET", path).json()["stacks"] if one["stack_name"] == "two-things")
    assert set(one) == SUMMARY
    assert (one["description"], one["stack_status"]) == ("", "CREATE_COMPLETE")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("stack_name=two-things", True),
        ("name=two-things&name=nest", True),
        ("name=nest", False),
        ("status=COMPLETE", True),
        ("status=IN_PROGRESS", False),
        ("status=CREATE_COMPLETE", True),
        ("status=UPDATE_COMPLETE", False),
        ("status=UPDATE_COMPLETE&status=CREATE_FAILED", True),  # APIL-12: they multiply
        ("stack_status=CREATE_IN_PROGRESS", False),
        ("action=CREATE", True),
        ("action=DELETE", False),
        ("username=demo", True),
        ("username=admin", False),
        ("stack_owner=demo", True),
        ("disable_rollback=true", True),
        ("disable_rollback=False", False),
        ("timeout_mins=7", True),
        ("timeout_mins=8", False),
        (f"stack_user_project_id={PROJECT}", True),
        ("tags=blue", True),
        ("tags=blue,red", False),
        ("tags=size=big", True),
        ("tags=size", True),
        ("tags=size=small", False),
        ("tags_any=blue,red", True),
        ("not_tags=blue", False),
        ("not_tags=blue,red", True),
        ("not_tags_any=blue,red", False),
        ("unknown=1", True),  # APIL-13, TRAP-07
        ("sort_keys=nonsense", True),
        ("marker=unknown", True),
    ],
)
def test_apil_08_apil_11_apil_12_conditions(ask, two, nest, query, found):
    assert ("two-things" in names(ask("GET", f"/stacks?{query}"))) is found


@pytest.mark.parametrize("query", ["limit=x", "limit=-1", "limit=9999999999999999", "show_deleted=1", "with_count=yes",
                                   "sort_dir=up", "global_tenant=2"])  # fmt: skip
def test_apix_11_apix_12_query_values_are_checked(ask, fault, query):
    assert fault(ask("GET", f"/stacks?{query}"))[0] == "HTTPBadRequest"


def test_apil_01_apil_02_apil_10_pages(ask, heat, two, nest):
    everything = ask("GET", "/stacks?with_count=true").json()
    assert everything["count"] == len(everything["stacks"])
    page = ask("GET", "/stacks?limit=1&with_count=TRUE").json()
    assert page["count"] == everything["count"]
    (link,) = page["links"]
    assert link["rel"] == "next"
    assert f"marker={page['stacks'][0]['id']}" in link["href"]
    assert [one.id for one in heat.stacks.list(limit=1)] == [everything["stacks"][0]["id"]]
    paged = [one.id for one in heat.stacks.list(limit=None, page_size=1)]
    assert set(paged) == {one["id"] for one in everything["stacks"]}


def test_apil_03_apil_04_order(ask, two, nest):
    assert names(ask("GET", "/stacks?name=two-things&name=nest&sort_keys=stack_name&sort_dir=asc")) == [
        "nest", "two-things",
    ]  # fmt: skip
    assert names(ask("GET", "/stacks?name=two-things&name=nest&sort_keys=stack_name")) == ["two-things", "nest"]


def test_apil_06_nested_stacks_are_listed_when_asked_for(ask, nest):
    inner = [one for one in ask("GET", "/stacks?show_nested=true").json()["stacks"] if one["parent"]]
    assert nest.rsplit("/", 1)[1] in [one["parent"] for one in inner]
    assert all(one["parent"] is None for one in ask("GET", "/stacks").json()["stacks"])


def test_apil_09_all_projects_are_for_nobody_by_default(ask, fault):
    assert fault(ask("GET", "/stacks?global_tenant=true", token="admin"), 403)[0] == "Forbidden"


# --- update and delete --------------------------------------------------------------------------------------------
def test_api_22_trap_03_an_update_is_accepted_as_text(ask, make, until, name):
    place = make(name, tags="a", parameters={"word": "one"})
    answer = ask("PUT", place, json={"template": HOT, "parameters": {"word": "two"}})
    assert (answer.status_code, answer.text.split("\n")[0]) == (202, "202 Accepted")
    assert answer.headers["Content-Type"].startswith("text/plain")
    shown = until(name, "UPDATE_COMPLETE")
    assert (shown.parameters["word"], shown.tags) == ("two", None)  # a full update names its tags anew


def test_api_22_what_is_not_said_again_is_gone(ask, make, until, name):
    place = make(name, parameters={"word": "one"})
    assert ask("PUT", place, json={"template": HOT}).status_code == 202
    assert until(name, "UPDATE_COMPLETE").parameters["word"] == "hello"
    assert ask("PUT", place, json={}).status_code == 400


def test_api_23_a_patch_keeps_what_it_does_not_say(ask, make, until, name):
    place = make(name, parameters={"word": "one", "secret": "s"}, tags="a", timeout_mins=9)
    assert ask("PATCH", place, json={"disable_rollback": False}).status_code == 202
    shown = until(name, "UPDATE_COMPLETE")
    assert (shown.parameters["word"], shown.tags, shown.timeout_mins) == ("one", ["a"], 9)
    assert shown.disable_rollback is False
    assert ask("PATCH", place, json={"clear_parameters": ["word"], "tags": "b"}).status_code == 202
    shown = until(name, "UPDATE_COMPLETE")
    assert (shown.parameters["word"], shown.tags) == ("hello", ["b"])


def test_tp_17_a_patch_drops_remembered_parameters_that_the_new_template_has_not(ask, make, until, name):
    place = make(name, parameters={"word": "one"})
    bare = "heat_template_version: 2018-08-31\nresources: {r: {type: OS::Heat::None}}"
    assert ask("PATCH", place, json={"template": bare}).status_code == 202
    assert "word" not in until(name, "UPDATE_COMPLETE").parameters
    assert ask("PATCH", place, json={"parameters": {"word": "two"}}).status_code == 400


def test_api_23_files_of_nested_stacks_are_kept(ask, make, until, heat, name):
    place = make(name, PARENT, files={"child.yaml": CHILD})
    answer = ask("PATCH", place, json={"template": PARENT.replace("word: inner", "word: changed")})
    assert answer.status_code == 202, answer.text
    until(name, "UPDATE_COMPLETE")
    (child,) = [one for one in heat.resources.list(name) if one.resource_name == "child"]
    assert heat.resources.get(name, "child").attributes["outputs"]["said"] == "changed"
    assert child.resource_status == "UPDATE_COMPLETE"


def test_a_newer_update_overtakes_a_running_one(ask, make, until, name):
    place = make(name)
    slow = HOT.replace("{value: {get_param: word}}", "{value: x, action_wait_secs: {update: 60}}")
    assert ask("PUT", place, json={"template": slow}).status_code == 202
    assert ask("PUT", place, json={"template": HOT, "parameters": {"word": "new"}}).status_code == 202
    assert until(name, "UPDATE_COMPLETE").parameters["word"] == "new"


def test_api_22_converge_is_a_truth_value(ask, two, fault):
    assert "converge" in fault(ask("PATCH", two, json={"converge": "perhaps"}))[1]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_api_24_api_25_what_an_update_would_do(ask, two, method):
    body = {"template": HOT, "parameters": {"word": "new"}}
    found = ask(method, f"{two}/preview?show_nested=True", json=body).json()["resource_changes"]
    assert set(found) == {"unchanged", "updated", "replaced", "added", "deleted"}
    assert [one["resource_name"] for one in found["updated"]] == ["first"]
    assert [one["resource_name"] for one in found["unchanged"]] == ["second"]
    assert ask("GET", two).json()["stack"]["stack_status"] == "CREATE_COMPLETE"


def test_api_26_delete_once(ask, make, until, name, fault):
    place = make(name)
    answer = ask("DELETE", place)
    assert (answer.status_code, answer.content) == (204, b"")
    stack_id = place.rsplit("/", 1)[1]
    shown = until(stack_id, "DELETE_COMPLETE")
    assert shown.deletion_time is not None
    assert not hasattr(shown, "outputs")
    assert fault(ask("DELETE", place), 404)[0] == "EntityNotFound"
    assert fault(ask("PUT", place, json={"template": HOT}), 404)[0] == "EntityNotFound"
    assert ask("GET", f"{place}/template").status_code == 200
    assert name not in names(ask("GET", "/stacks"))
    assert name in names(ask("GET", "/stacks?show_deleted=true"))
    assert ask("GET", f"/stacks/{stack_id}").status_code == 302
    assert ask("GET", f"/stacks/{name}").status_code == 404


# --- actions ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "said"),
    [({}, "No action"), ({"suspend": None, "resume": None}, "Multiple"), ({"dance": None}, "Invalid action dance")],
)
def test_api_44_one_known_action(ask, two, fault, body, said):
    assert said in fault(ask("POST", f"{two}/actions", json=body))[1]


def test_api_44_actions(ask, make, until, name):
    place = make(name)
    for action, status in (("suspend", "SUSPEND"), ("resume", "RESUME"), ("check", "CHECK")):
        answer = ask("POST", f"{place}/actions", json={action: ""})
        assert (answer.status_code, answer.text) == (200, "null")
        until(name, f"{status}_COMPLETE")


def test_api_44_what_the_state_does_not_allow(ask, two, fault):
    assert fault(ask("POST", f"{two}/actions", json={"cancel_update": None}))[0] == "NotSupported"
    assert fault(ask("POST", f"{two}/actions", json={"resume": None}))[0] == "NotSupported"


def test_err_35_a_busy_stack(ask, heat, name, fault):
    stack_id = heat.stacks.create(stack_name=name, template=SLOW)["stack"]["id"]
    answer = ask("POST", f"/stacks/{name}/{stack_id}/actions", json={"suspend": None})
    assert fault(answer, 409)[0] == "ActionInProgress"
    late = ask("GET", f"/stacks/{name}/{stack_id}/outputs/late").json()["output"]
    assert (late["output_key"], late["output_value"]) == ("late", None)
    assert [one["output_key"] for one in heat.stacks.output_list(name)["outputs"]] == ["late"]
    heat.stacks.delete(name)


# --- definitions --------------------------------------------------------------------------------------------------
def test_api_19_the_template_as_a_document(heat, two):
    found = heat.stacks.template("two-things")
    assert found["resources"]["first"]["properties"] == {"value": {"get_param": "word"}}


def test_api_20_te_16_the_environment_masks_hidden_values_and_names_them(heat, make, name):
    given = {"parameter_defaults": {"secret": "d", "other": 1}, "encrypted_param_names": ["whatever"]}
    make(name, parameters={"secret": "s"}, environment=given)
    found = heat.stacks.environment(name)
    assert found["parameters"] == {"secret": "******"}
    assert found["parameter_defaults"] == {"secret": "******", "other": 1}
    assert (found["encrypted_param_names"], found["event_sinks"]) == (["secret"], [])
    assert "resource_registry" in found


def test_api_21_te_21_files(heat, nest):
    assert heat.stacks.files("nest") == {"child.yaml": CHILD}


def test_api_34_api_35_outputs(heat, two):
    assert heat.stacks.output_list("two-things")["outputs"] == [
        {"output_key": "said", "description": "what first says"},
        {"output_key": "silent", "description": "No description given"},
    ]
    assert heat.stacks.output_show("two-things", "said")["output"]["output_value"] == "hello"
    with pytest.raises(exc.HTTPNotFound, match="none not found"):
        heat.stacks.output_show("two-things", "none")


def test_api_11_api_27_api_28_export_abandon_adopt(heat, make, until, name):
    make(name, tags="t")
    exported = heat.stacks.export(name)
    abandoned = heat.stacks.abandon(name)
    assert set(abandoned) == {"name", "id", "action", "status", "template", "environment", "files", "resources",
                              "project_id", "stack_user_project_id", "tags"}  # fmt: skip
    assert exported["resources"]["first"]["resource_id"] == abandoned["resources"]["first"]["resource_id"]
    with pytest.raises(exc.HTTPNotFound):
        heat.stacks.get(name)
    made = heat.stacks.create(stack_name=name, adopt_stack_data=json.dumps(abandoned), parameters={"word": "w"})
    assert until(made["stack"]["id"], "ADOPT_COMPLETE").parameters["word"] == "w"
    found = {one.resource_name: one.physical_resource_id for one in heat.resources.list(name)}
    assert found["first"] == abandoned["resources"]["first"]["resource_id"]
