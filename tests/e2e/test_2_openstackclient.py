"""2: python-openstackclient with python-heatclient, as a process; reading commands share one interactive session."""

from __future__ import annotations

import json
import subprocess

import pytest

HOT = """\
heat_template_version: 2018-08-31
description: two things
parameters:
  word: {type: string, default: hello}
  secret: {type: string, default: hush, hidden: true}
resources:
  first:
    type: OS::Heat::TestResource
    properties: {value: {get_param: word}}
  second:
    type: OS::Heat::RandomString
    depends_on: first
outputs:
  said: {description: what first says, value: {get_attr: [first, output]}}
"""


@pytest.fixture
def hot(tmp_path):
    def write(text=HOT, file="template.yaml"):
        (tmp_path / file).write_text(text)
        return str(tmp_path / file)

    return write


@pytest.fixture(scope="module")
def sdk(server):
    return server.sdk()


@pytest.fixture
def status(sdk):
    return lambda stack: sdk.orchestration.get_stack(stack).status


@pytest.fixture
def created(sdk, until, status):
    """`created(name)` makes the stack through the library, for tests of other commands."""

    def create(name):
        sdk.orchestration.create_stack(name=name, template=HOT)
        until(lambda: status(name) == "CREATE_COMPLETE")

    return create


def test_2_create_update_delete_waiting(server, name, hot, tmp_path):
    environment = tmp_path / "env.yaml"
    environment.write_text("parameters: {word: from-env}\n")
    created = server.openstack(
        "stack", "create", "-t", hot(), "-e", str(environment), "--parameter", "secret=s3", "--tags", "blue,big",
        "--enable-rollback", "--timeout", "7", "--wait", "--poll", "1", name,
    ).ok()  # fmt: skip
    assert f"[{name}]: CREATE_COMPLETE" in created.out
    shown, outputs, listed = server.session(
        f"stack show {name} -f json",
        f"stack output show {name} said -f json",
        "stack list --tags blue,big --property name=" + name + " -f json",
    )
    assert (shown["stack_status"], shown["timeout_mins"]) == ("CREATE_COMPLETE", 7)
    assert shown["disable_rollback"] in (False, "False")
    assert shown["parameters"]["word"] == "from-env"
    assert shown["parameters"]["secret"] == "******"
    assert shown["tags"] in ("blue,big", ["blue", "big"], "['blue', 'big']")
    assert outputs["output_value"] == "from-env"
    assert [row["Stack Name"] for row in listed] == [name]
    updated = server.openstack(
        "stack", "update", "--existing", "--parameter", "word=bye", "--wait", name, "-f", "json"
    ).ok()
    assert "UPDATE_COMPLETE" in updated.out
    server.openstack("stack", "delete", "--yes", "--wait", name).ok()
    assert "Stack not found" in server.openstack("stack", "show", name).refused()


def test_2_dry_runs_make_nothing(server, name, hot, sdk, until, status):
    planned = server.openstack("stack", "create", "-t", hot(), "--dry-run", name, "-f", "json").ok().json
    assert planned["stack_name"] == name
    assert "OS::Heat::TestResource" in json.dumps(planned["resources"])
    assert sdk.orchestration.find_stack(name) is None
    server.openstack("stack", "create", "-t", hot(), name).ok()
    until(lambda: status(name) == "CREATE_COMPLETE")
    preview = ("stack", "update", "--existing", "--parameter", "word=other", "--dry-run", name, "-f", "json")
    planned = server.openstack(*preview).ok().json
    assert {kind: [row["resource_name"] for row in rows] for kind, rows in planned.items() if rows} == {
        "updated": ["first"], "unchanged": ["second"],
    }  # fmt: skip
    assert status(name) == "CREATE_COMPLETE"


def test_2_everything_that_reads_a_stack(server, name, created):
    created(name)
    resources, resource, metadata, events, output, outputs, template, environment = server.session(
        f"stack resource list {name} -f json",
        f"stack resource show {name} first -f json",
        f"stack resource metadata {name} first",
        f"stack event list {name} --nested-depth 2 -f json",
        f"stack output show {name} said -f json",
        f"stack output list {name} -f json",
        f"stack template show {name} -f json",
        f"stack environment show {name} -f json",
    )
    assert {row["resource_name"]: row["resource_status"] for row in resources} == {
        "first": "CREATE_COMPLETE", "second": "CREATE_COMPLETE",
    }  # fmt: skip
    assert resource["attributes"]["output"] == "hello"
    assert metadata == {}
    assert [event["resource_status"] for event in events if event["resource_name"] == name] == [
        "CREATE_IN_PROGRESS", "CREATE_COMPLETE",
    ]  # fmt: skip
    assert output["output_value"] == "hello"
    assert [row["output_key"] for row in outputs] == ["said"]
    assert str(template["heat_template_version"]).startswith("2018-08-31")
    assert "parameters" in environment
    assert server.openstack("stack", "file", "list", name).ok().out.strip() == "files: {}"


def test_2_one_event_and_following(server, name, created, sdk):
    created(name)
    event = next(e for e in sdk.orchestration.stack_events(name) if e.resource_name == "first")
    shown = server.openstack("stack", "event", "show", name, "first", event.id, "-f", "json").ok().json
    assert (shown["resource_name"], shown["resource_type"]) == ("first", "OS::Heat::TestResource")
    filtered = server.openstack(
        "stack", "event", "list", name, "--resource", "first", "--sort", "event_time:desc", "--limit", "1", "-f", "json"
    )
    assert [row["resource_status"] for row in filtered.ok().json] == ["CREATE_COMPLETE"]
    # --follow never ends by itself: what it has printed by then is looked at.
    assert f"[{name}.first]" in followed(server, name)


def followed(server, name):
    command = ["stack", "event", "list", name, "--follow"]
    process = subprocess.Popen(
        [str(server.bin / "openstack"), *command], env={**server.env, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if f"[{name}]: CREATE_COMPLETE" in line:
                return "".join(lines)
        return pytest.fail("event list --follow ended by itself:\n" + "".join(lines))
    finally:
        process.kill()
        process.wait()


def test_2_actions_on_a_stack(server, name, created, until, status):
    created(name)
    for command, reached in [
        ("suspend", "SUSPEND_COMPLETE"),
        ("resume", "RESUME_COMPLETE"),
        ("check", "CHECK_COMPLETE"),
    ]:
        server.openstack("stack", command, name).ok()
        until(lambda reached=reached: status(name) == reached)
    server.openstack("stack", "resource", "mark", "unhealthy", name, "first", "looks ill").ok()
    (row,) = server.session(f"stack resource list {name} --filter name=first -f json")
    assert row[0]["resource_status"] == "CHECK_FAILED"
    server.openstack("stack", "update", "--existing", name).ok()
    until(lambda: status(name) == "UPDATE_COMPLETE")


def test_2_cancel_an_update(server, name, hot, created, until, status):
    created(name)
    slow = HOT.replace("{get_param: word}}", "changed, action_wait_secs: {update: 60}}")
    server.openstack("stack", "update", "-t", hot(slow), name).ok()
    server.openstack("stack", "cancel", name).ok()
    until(lambda: status(name) == "ROLLBACK_COMPLETE", seconds=20)


FAILING = """\
heat_template_version: 2018-08-31
parameters:
  fail: {type: boolean, default: false}
resources:
  thing: {type: OS::Heat::TestResource, properties: {fail: {get_param: fail}}}
"""


def test_2_who_waits_for_what_is_taken_back_is_told_of_the_failure(server, name, hot, until, status):
    """Its client stops at UPDATE_FAILED or CREATE_FAILED; CloudFormation's see the rollback alone (S04, S14)."""
    failing, other = ["-t", hot(FAILING), "--parameter", "fail=true"], f"{name}-new"
    server.openstack("stack", "create", "-t", hot(FAILING), "--wait", "--poll", "1", name).ok()
    updated = server.openstack("stack", "update", *failing, "--rollback", "enabled", "--wait", name)
    assert "UPDATE_FAILED" in updated.refused()
    created = server.openstack("stack", "create", *failing, "--enable-rollback", "--wait", "--poll", "1", other)
    assert "CREATE_FAILED" in created.refused()
    for stack in (name, other):
        until(lambda stack=stack: status(stack) == "ROLLBACK_COMPLETE")
        events = server.boto3().describe_stack_events(StackName=stack)["StackEvents"]
        own = [one["ResourceStatus"] for one in events if one["LogicalResourceId"] == stack]
        assert own[0] in ("ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
        assert own[1].removesuffix("_IN_PROGRESS") == own[0].removesuffix("_COMPLETE")
        assert not [one for one in own if one.endswith("FAILED")]


def test_2_signals_and_failures(server, name, hot, until, status, sdk):
    waiting = """\
heat_template_version: 2016-10-14
resources:
  handle: {type: OS::Heat::WaitConditionHandle}
  condition:
    type: OS::Heat::WaitCondition
    properties: {handle: {get_resource: handle}, timeout: 120}
outputs:
  data: {value: {get_attr: [condition, data]}}
"""
    server.openstack("stack", "create", "-t", hot(waiting), name).ok()
    until(lambda: sdk.orchestration.get(f"/stacks/{name}/resources").ok)
    until(lambda: next(r for r in sdk.orchestration.resources(name) if r.name == "handle").status == "CREATE_COMPLETE")
    data = json.dumps({"status": "FAILURE", "reason": "the disk is full", "id": "1"})
    server.openstack("stack", "resource", "signal", "--data", data, name, "handle").ok()
    until(lambda: status(name) == "CREATE_FAILED")
    said = server.openstack("stack", "failures", "list", name).ok().out
    assert "condition" in said
    assert "the disk is full" in said


def test_2_abandon_and_adopt(server, name, created, until, tmp_path, sdk):
    created(name)
    before = {r.name: r.physical_resource_id for r in sdk.orchestration.resources(name)}
    file = tmp_path / "abandoned.json"
    server.openstack("stack", "abandon", name, "--output-file", str(file)).ok()
    assert json.loads(file.read_text())["resources"]["first"]["resource_id"] == before["first"]
    until(lambda: sdk.orchestration.find_stack(name) is None)
    server.openstack("stack", "adopt", "--adopt-file", str(file), name).ok()
    # openstacksdk takes a stack that is ADOPT_COMPLETE for none; the client does not.
    shown = ("stack", "show", name, "-f", "value", "-c", "stack_status")
    until(lambda: server.openstack(*shown).ok().out.strip() == "ADOPT_COMPLETE")
    listed = server.openstack("stack", "resource", "list", name, "-f", "json").ok().json
    assert {row["resource_name"]: row["physical_resource_id"] for row in listed} == before


def test_2_templates_types_and_services(server, hot, server_admin_answers):
    valid, versions, functions, types, server_type, build = server.session(
        f"orchestration template validate -t {hot()} -f json",
        "orchestration template version list -f json",
        "orchestration template function list heat_template_version.2018-08-31 -f json",
        "orchestration resource type list -f json",
        "orchestration resource type show OS::Nova::Server -f json",
        "orchestration build info -f json",
    )
    assert valid["Description"] == "two things"
    assert {"heat_template_version.2013-05-23", "heat_template_version.2021-04-16"} <= {v["Version"] for v in versions}
    assert "get_attr" in {row["Functions"] for row in functions}
    names = {row.get("Resource Type") or row.get("resource_type") for row in types}
    assert {"OS::Nova::Server", "OS::Neutron::Net", "OS::Heat::ResourceGroup", "OS::Cinder::Volume"} <= names
    assert "flavor" in server_type["properties"]
    assert set(build) == {"api", "engine"}
    assert server_admin_answers("orchestration service list -f json")


@pytest.fixture
def server_admin_answers(server):
    """The list of engines is for administrators (ERR-31 for others)."""

    def ask(command):
        done = server.openstack(*command.split())
        if done.status != 0:
            assert "not authorized" in done.err, done.err
        else:
            assert done.json[0]["Status"] == "up"
        return True

    return ask
