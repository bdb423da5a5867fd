"""Which requests find which handler, and what the others are told (heat.md API-01, APIX-01 to APIX-08, APIX-16)."""

from __future__ import annotations

import pytest
import requests

from tests.gateway.native.serving import OTHER_PROJECT, PROJECT


@pytest.mark.parametrize("path", ["/versions", "/v2/x/stacks", "/v1.1/x"], ids=["api_01", "apix_03_v2", "apix_03_v1_1"])
def test_version_discovery(served, path):
    answer = requests.get(served.url + path, timeout=10)
    assert answer.status_code == 300
    (version,) = answer.json()["versions"]
    assert (version["id"], version["status"]) == ("v1.0", "CURRENT")
    assert version["links"] == [{"rel": "self", "href": f"{served.url}/v1/"}]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/stacks", "GET,POST"),
        ("/stacks/a", "DELETE,GET,PATCH,POST,PUT"),
        ("/stacks/a/b", "DELETE,GET,PATCH,PUT"),
        ("/stacks/a/b/actions", "POST"),
        ("/stacks/a/b/resources/c", "GET,PATCH"),
        ("/validate", "POST"),
    ],
)
def test_apix_01_options_tell_the_methods(ask, path, methods):
    answer = ask("OPTIONS", path)
    assert (answer.status_code, answer.headers["Allow"]) == (204, methods)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/stacks", "GET,POST"),
        ("HEAD", "/stacks", "GET,POST"),
        ("POST", "/stacks/a/b", "DELETE,GET,PATCH,PUT"),
        ("GET", "/stacks/a/b/actions", "POST"),
        ("GET", "/stacks/a/b/resources/c/signal", "POST"),
        ("PUT", "/validate", "POST"),
    ],
)
def test_apix_02_other_methods_are_not_allowed(ask, method, path, allowed):
    answer = ask(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    if method != "HEAD":
        assert answer.json()["error"]["type"] == "HTTPMethodNotAllowed"


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/stacks/a/b/nothing", "/stacks/a/b/c/d/e/f"])
def test_apix_02_unknown_places_are_plain_404s(ask, path):
    answer = ask("GET", path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
def test_apix_02_services_know_one_method(ask, method):
    assert ask(method, "/services").status_code == 404


@pytest.mark.parametrize("prefix", ["/v1", "/v1.0"])
def test_apix_03_links_have_the_prefix_that_was_used(served, ask, two, prefix):
    answer = ask("GET", "/stacks", prefix=prefix).json()["stacks"]
    assert all(one["links"][0]["href"].startswith(f"{served.url}{prefix}/{PROJECT}/stacks/") for one in answer)


@pytest.mark.parametrize("path", ["/stacks", "/stacks/none", "/nothing", "/stacks/a/b/actions", "/validate"])
def test_apix_16_every_answer_has_a_request_id(ask, path):
    assert ask("GET", path).headers["X-Openstack-Request-Id"].startswith("req-")


# --- finding a stack ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_api_14_a_name_leads_to_the_stack_by_a_redirect(served, ask, two, method):
    answer = ask(method, "/stacks/two-things?a=1&b=%20", json={})
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{served.url}/v1/{PROJECT}{two}?a=1&b=")
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_api_14_an_id_leads_there_too(ask, two):
    assert ask("GET", f"/stacks/{two.rsplit('/', 1)[1]}").headers["Location"].endswith(two)


def test_api_14_an_unknown_name_is_404(ask, fault):
    assert fault(ask("GET", "/stacks/none"), 404) == ("EntityNotFound", "The Stack (none) could not be found.")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_api_15_an_arn_is_not_looked_up(served, ask, method):
    answer = ask(method, f"/stacks/arn:openstack:heat::{PROJECT}:stacks/any/thing/resources/r")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{served.url}/v1/{PROJECT}/stacks/any/thing/resources/r"


def test_api_15_something_like_an_arn_is_refused(ask, fault):
    assert fault(ask("GET", "/stacks/arn:openstack:heat"))[0] == "HTTPBadRequest"


@pytest.mark.parametrize("sub", ["resources", "events", "template", "actions", "environment", "files"])
def test_api_16_parts_of_a_stack_by_name(ask, two, sub):
    answer = ask("GET", f"/stacks/two-things/{sub}")
    assert (answer.status_code, answer.headers["Location"].endswith(f"{two}/{sub}")) == (302, True)


@pytest.mark.parametrize(("sub", "status"), [("events", 302), ("actions", 302), ("environment", 405), ("files", 405)])
def test_api_17_fewer_parts_can_be_posted_to(ask, two, sub, status):
    assert ask("POST", f"/stacks/two-things/{sub}", json={}).status_code == status


@pytest.mark.parametrize("sub", ["outputs", "snapshots", "preview", "abandon", "export"])
def test_apix_05_trap_02_others_have_no_form_by_name(ask, two, sub):
    assert ask("GET", f"/stacks/two-things/{sub}").status_code == 404


def test_apix_07_name_and_id_must_be_of_one_stack(ask, two, nest, fault):
    mixed = f"/stacks/nest/{two.rsplit('/', 1)[1]}"
    assert fault(ask("GET", mixed), 404)[0] == "EntityNotFound"
    assert fault(ask("DELETE", mixed), 404)[0] == "EntityNotFound"
    assert fault(ask("GET", "/stacks/nest/nest"), 404)[0] == "EntityNotFound"


# --- bodies ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {"Content-Type": "application/json"}),
        (b"[1]", {"Content-Type": "application/json"}),
        (b' {"stack_name": "a"}', {"Content-Type": "application/json"}),
        (b'{"stack_name": "a"}', {"Content-Type": "application/xml"}),
        (b'{"stack_name": "a"}', {"Content-Type": "application/octet-stream"}),
    ],
    ids=["empty", "list", "space_first", "xml", "bytes"],
)
def test_apix_08_what_is_no_json_object_is_no_body(ask, fault, body, headers):
    assert "no JSON object" in fault(ask("POST", "/stacks", data=body, headers=headers))[1]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain; charset=utf-8", None])
def test_apix_08_a_body_is_read_whatever_it_is_called(ask, fault, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    assert fault(ask("POST", "/stacks", data=b'{"a": 1}', headers=headers))[1] == "No stack name specified"


@pytest.mark.parametrize(
    "body",
    [b'{"a": 1', b'{"a": NaN}', b'{"a": "\xff"}', b'{"a": "\\ud800"}'],
    ids=["half", "nan", "latin", "half_pair"],
)
def test_a_broken_body_is_told(ask, fault, body):
    assert "no JSON document" in fault(ask("POST", "/stacks", data=body))[1]


@pytest.mark.parametrize("section", ["template", "parameters", "environment", "files"])
def test_a_body_nested_deeply_does_no_harm(ask, fault, section, name):
    deep = "[" * 900 + "]" * 900
    known = {"template": '{"heat_template_version": "2018-08-31", "x": %s}', "parameters": '{"p": %s}',
             "environment": '{"parameters": {"p": %s}}', "files": '{"f": %s}'}  # fmt: skip
    parts = {"template": '"heat_template_version: 2018-08-31"', section: known[section] % deep}
    body = ", ".join([f'"stack_name": "{name}"', *(f'"{part}": {text}' for part, text in parts.items())])
    answer = ask("POST", "/stacks", data=f"{{{body}}}", headers={"Content-Type": "application/json"})
    assert answer.status_code in (201, 400), answer.text


def test_engn_07_apix_09_a_body_has_a_limit(ask, fault):
    kind, message = fault(ask("POST", "/stacks", data=b'{"a": "' + b"x" * 1024 * 1024 + b'"}'))
    assert (kind, "1048576 bytes" in message) == ("RequestLimitExceeded", True)


def test_apix_09_a_packed_body_is_measured_unpacked(ask, fault):
    import zlib

    body = zlib.compress(b'{"a": "' + b"x" * 40_000_000 + b'"}')
    kind, _ = fault(ask("POST", "/stacks", data=body, headers={"Content-Encoding": "deflate"}))
    assert kind == "RequestLimitExceeded"


def test_a_body_that_is_not_packed_as_it_says_is_the_client_s_mistake(ask):
    answer = ask("POST", "/stacks", data=b"{}not gzip", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 400


def test_apix_06_another_project_is_out_of_bounds(ask, fault):
    kind, message = fault(ask("GET", "/stacks", project=OTHER_PROJECT), 403)
    assert (kind, message) == ("InvalidTenant", f"Searching Tenant {OTHER_PROJECT} from Tenant {PROJECT} forbidden.")


def test_apix_06_an_administrator_s_path_is_their_token_s_project(ask, two):
    listed = ask("GET", "/stacks", token="other-admin").json()["stacks"]
    assert "two-things" not in [one["stack_name"] for one in listed]
    assert ask("GET", two, token="other-admin").status_code == 200  # AUTH-07
