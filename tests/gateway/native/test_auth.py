"""Who may do what: tokens, roles, resource types, and policy files (heat.md AUTH rows, ERR-44)."""

from __future__ import annotations

import asyncio

import pytest

from engine.cloud.errors import Permanent, Temporary
from engine.model.stack import Caller
from gateway.auth.policy import RULES, TYPE_RULES, Policy, PolicyFileError
from gateway.native.routes import ROUTES
from tests.gateway.native.conftest import HOT
from tests.gateway.native.serving import KEYSTONE, OTHER_PROJECT, PROJECT


@pytest.mark.parametrize("token", [None, "", "wrong", "unscoped"])
def test_err_44_without_a_good_token(ask, token):
    answer = ask("GET", "/stacks", token=token)
    assert (answer.status_code, answer.text) == (401, "Authentication required")
    assert answer.headers["WWW-Authenticate"] == f'Keystone uri="{KEYSTONE}"'
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "trouble", [Temporary("Keystone is down"), Permanent("we may not ask", status=403)], ids=["down", "not_allowed"]
)
def test_a_keystone_that_does_not_answer_is_no_fault_of_the_caller_s(served, ask, fault, trouble):
    served.tokens.trouble = trouble
    try:
        kind, message = fault(ask("GET", "/stacks"), 503)
    finally:
        served.tokens.trouble = None
    assert kind == "ServiceUnavailable"
    assert trouble.message in message


def test_auth_01_a_stack_of_another_project_does_not_exist(ask, two):
    stack_id = two.rsplit("/", 1)[1]
    other = {"token": "other", "project": OTHER_PROJECT}
    for path in (two, f"/stacks/{stack_id}", "/stacks/two-things", f"{two}/template", f"{two}/events"):
        assert ask("GET", path, **other).status_code == 404
    assert ask("DELETE", two, **other).status_code == 404
    assert ask("GET", "/stacks?id=" + stack_id, **other).json()["stacks"] == []


@pytest.mark.parametrize(
    ("token", "method", "path", "status"),
    [
        ("reader", "GET", "/stacks", 200),
        ("reader", "GET", "{stack}", 200),
        ("reader", "GET", "{stack}/environment", 200),
        ("reader", "DELETE", "{stack}", 403),
        ("reader", "PATCH", "{stack}", 403),
        ("reader", "POST", "/stacks", 403),
        ("reader", "POST", "/validate", 403),
        ("reader", "GET", "/services", 403),
        ("agent", "GET", "/stacks", 403),
        ("agent", "GET", "/stacks/two-things", 302),
        ("agent", "GET", "{stack}/resources/first/metadata", 200),
        ("agent", "GET", "{stack}/resources/first", 403),
        ("nobody", "GET", "/stacks", 403),
        ("nobody", "GET", "/build_info", 403),
        ("member", "GET", "/services", 403),
        ("admin", "GET", "/services", 200),
    ],
)
def test_auth_08_default_roles(ask, two, token, method, path, status):
    assert ask(method, path.format(stack=two), token=token, json={}).status_code == status


@pytest.mark.parametrize(("action", "status"), [("suspend", 403), ("cancel_update", 403), ("check", 409)])
def test_auth_08_each_action_has_a_rule(ask, heat, name, action, status):
    made = heat.stacks.create(
        stack_name=name, template=HOT.replace("{value: {get_param: word}}", "{action_wait_secs: {create: 60}}")
    )["stack"]
    place = f"/stacks/{name}/{made['id']}"
    assert ask("POST", f"{place}/actions", token="reader", json={action: None}).status_code == status
    heat.stacks.delete(name)


def test_a_forbidden_request_is_refused_before_its_body_is_looked_at(ask, fault):
    assert fault(ask("POST", "/stacks", token="reader", data=b"{"), 403)[0] == "Forbidden"


NESTED = "heat_template_version: 2018-08-31\nresources:\n  a: {type: inner.yaml}\n"
KEYSTONE_TYPE = (
    "heat_template_version: 2018-08-31\nresources:\n  u: {type: OS::Keystone::User, properties: {name: u}}\n"
)


@pytest.mark.parametrize(
    ("template", "files"),
    [(KEYSTONE_TYPE, {}), (NESTED, {"inner.yaml": KEYSTONE_TYPE})],
    ids=["at_the_top", "in_a_nested_stack"],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/stacks"), ("POST", "/stacks/preview"), ("PUT", "{stack}"),
                                              ("PUT", "{stack}/preview"), ("PATCH", "{stack}")])  # fmt: skip
def test_auth_09_types_of_administrators(ask, two, name, fault, method, path, template, files):
    body = {"stack_name": name, "template": template, "files": files}
    kind, message = fault(ask(method, path.format(stack=two), json=body), 403)
    assert (kind, message) == ("Forbidden", "You are not authorized to use OS::Keystone::User.")


@pytest.mark.parametrize(("region", "status"), [("RegionOne", 403), ("North", 201)])
def test_auth_09_engn_09_what_is_made_elsewhere_is_judged_there(ask, name, region, status):
    inner = "heat_template_version: 2018-08-31\nresources: {u: {type: OS::Keystone::User}}\n"
    resource = {"type": "OS::Heat::Stack", "properties": {"template": inner, "context": {"region_name": region}}}
    body = {"stack_name": name, "template": {"heat_template_version": "2018-08-31", "resources": {"s": resource}}}
    assert ask("POST", "/stacks", json=body).status_code == status


# --- policy itself ----------------------------------------------------------------------------------------------------
def test_every_route_has_a_rule_that_exists():
    assert {route.rule for route in ROUTES} - set(RULES) == {None}


@pytest.fixture(scope="module")
def policy():
    return Policy()


def caller(*roles, project=PROJECT):
    return Caller("u", project, roles)


def test_unknown_rules_are_refused(policy):
    assert not policy.allows("stacks:invented", caller("admin"), PROJECT)


def test_roles_hold_in_the_project_only(policy):
    assert policy.allows("stacks:show", caller("reader"), PROJECT)
    assert not policy.allows("stacks:show", caller("reader"), OTHER_PROJECT)
    assert policy.allows("stacks:show", caller("admin"), OTHER_PROJECT)


def test_auth_09_a_namespace_has_a_rule(policy):
    asked = ["OS::Keystone::User", "OS::Nova::Flavor", "OS::Nova::Server"]
    assert policy.forbidden_types(asked, caller("member"), PROJECT) == asked[:2]
    assert policy.forbidden_types(asked, caller("admin"), PROJECT) == []
    assert all(rule.startswith("resource_types:") for rule in TYPE_RULES)


def test_a_policy_file_changes_what_it_names_and_is_read_again(tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_text('"stacks:delete": "role:chief"\n"resource_types:OS::Nova::Server": "!"\n')
    now = [0.0]
    policy = Policy(str(file), now=lambda: now[0])
    asyncio.run(policy.ready())
    assert not policy.allows("stacks:delete", caller("member"), PROJECT)
    assert policy.allows("stacks:delete", caller("chief"), PROJECT)
    assert policy.allows("stacks:create", caller("member"), PROJECT)
    assert policy.forbidden_types(["OS::Nova::Server"], caller("admin"), PROJECT) == ["OS::Nova::Server"]
    file.write_text('"stacks:delete": "role:member"\n')
    now[0] = 60
    assert policy.allows("stacks:delete", caller("member"), PROJECT)


@pytest.mark.parametrize("text", [None, "[", "- a\n"], ids=["missing", "no_yaml", "no_map"])
def test_a_policy_file_that_cannot_be_used_is_told_at_once(tmp_path, text):
    file = tmp_path / "policy.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(PolicyFileError, match="policy_file"):
        Policy(str(file))


def test_a_rule_that_cannot_be_understood_refuses(tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_text('"stacks:delete": "role:: and"\n')
    assert not Policy(str(file)).allows("stacks:delete", caller("admin"), PROJECT)
