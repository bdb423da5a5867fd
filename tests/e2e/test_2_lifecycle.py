"""2: what the command line asks of a stack between its creation and its end: breakpoints, snapshots, checks."""

from __future__ import annotations

import pytest

HOT = """\
heat_template_version: 2018-08-31
parameters:
  word: {type: string, default: hello}
resources:
  first:
    type: OS::Heat::TestResource
    properties: {value: {get_param: word}}
  second:
    type: OS::Heat::RandomString
    depends_on: first
"""


@pytest.fixture
def file(tmp_path):
    def write(text=HOT, called="template.yaml"):
        (tmp_path / called).write_text(text)
        return str(tmp_path / called)

    return write


@pytest.fixture(scope="module")
def sdk(server):
    return server.sdk()


@pytest.fixture
def status(sdk):
    return lambda stack: sdk.orchestration.get(f"/stacks/{stack}").json()["stack"]["stack_status"]


def test_engu_09_hooks_are_polled_and_cleared(server, name, file, until, status):
    polled = f"stack hook poll {name} -f json"
    server.openstack("stack", "create", "-t", file(), "--pre-create", "second", name).ok()
    until(lambda: [row["Resource Name"] for row in server.session(polled)[0]] == ["second"])
    server.openstack("stack", "hook", "clear", name, "second").ok()
    until(lambda: status(name) == "CREATE_COMPLETE")
    server.openstack("stack", "update", "--existing", "--pre-update", "first", "--parameter", "word=bye", name).ok()
    until(lambda: [row["Resource Name"] for row in server.session(polled)[0]] == ["first"])
    server.openstack("stack", "hook", "clear", "--pre-update", name, "fir*").ok()
    until(lambda: status(name) == "UPDATE_COMPLETE")
    server.openstack("stack", "delete", "--yes", "--wait", name).ok()


def test_engu_08_restricted_actions(server, name, file, until, status):
    server.openstack("stack", "create", "-t", file(), "--wait", name).ok()
    environment = "resource_registry: {resources: {first: {restricted_actions: [update, replace]}}}"
    server.openstack(
        "stack", "update", "--existing", "-e", file(environment, "env.yaml"), "--parameter", "word=bye", name
    ).ok()
    until(lambda: status(name) == "UPDATE_FAILED")
    failures = server.openstack("stack", "failures", "list", name).ok().out
    assert "update is restricted for resource." in failures


def test_engs_09_engs_10_snapshots(server, name, file, until, status):
    server.openstack("stack", "create", "-t", file(), "--wait", name).ok()
    taken = server.openstack("stack", "snapshot", "create", "--name", "first", name, "-f", "json").ok().json
    until(lambda: status(name) == "SNAPSHOT_COMPLETE")
    listed, shown = server.session(
        f"stack snapshot list {name} -f json", f"stack snapshot show {name} {taken['ID']} -f json"
    )
    assert [(row["name"], row["status"]) for row in listed] == [("first", "COMPLETE")]
    assert set(shown["snapshot"]["data"]["resources"]) == {"first", "second"}
    server.openstack("stack", "update", "--existing", "--parameter", "word=bye", "--wait", name).ok()
    server.openstack("stack", "snapshot", "restore", name, taken["ID"]).ok()
    until(lambda: status(name) == "RESTORE_COMPLETE")
    (first,) = server.session(f"stack resource show {name} first -f json")
    assert first["attributes"]["output"] == "hello"
    server.openstack("stack", "snapshot", "delete", "--yes", name, taken["ID"]).ok()
    (left,) = server.session(f"stack snapshot list {name} -f json")
    assert left == []


def test_engu_07_an_update_that_converges_puts_right_what_was_changed(server, name, file, sdk, until):
    net = "heat_template_version: 2018-08-31\nresources: {net: {type: OS::Neutron::Net, properties: {name: mine}}}\n"
    server.openstack("stack", "create", "-t", file(net), "--wait", name).ok()
    (row,) = server.session(f"stack resource show {name} net -f json")
    made = row["physical_resource_id"]
    sdk.network.update_network(made, name="theirs")
    server.openstack("stack", "check", name).ok()
    until(lambda: "name" in server.session(f"stack resource show {name} net -f json")[0]["resource_status_reason"])
    server.openstack("stack", "update", "--existing", "--converge", "--wait", name).ok()
    assert sdk.network.get_network(made).name == "mine"
