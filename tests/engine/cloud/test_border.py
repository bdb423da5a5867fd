"""The error border: every service's shape of refusal becomes one of our exceptions with a sentence."""

from __future__ import annotations

import pytest

from engine.cloud.border import Asked, refusal
from engine.cloud.errors import Conflict, NotFound, OutcomeUnknown, Permanent, Temporary

SHAPES = [
    ("network", {"NeutronError": {"type": "PortNotFound", "message": "Port x could not be found.", "detail": ""}},
     "PortNotFound", "Port x could not be found."),
    ("network", {"NeutronError": "Went wrong"}, None, "Went wrong."),
    ("compute", {"badRequest": {"code": 400, "message": "Invalid key_name provided."}}, "badRequest",
     "Invalid key_name provided."),
    ("identity", {"error": {"code": 400, "message": "Expecting to find domain", "title": "Bad Request"}},
     "Bad Request", "Expecting to find domain."),
    ("orchestration", {"code": 400, "title": "Bad", "explanation": "e",
                       "error": {"message": "Property error", "type": "Invalid", "traceback": "SECRET"}},
     "Invalid", "Property error."),
    ("load-balancer", {"faultcode": "Client", "faultstring": "Immutable", "debuginfo": None}, "Client", "Immutable."),
    ("alarm", {"error_message": {"faultcode": "Client", "faultstring": "No such alarm"}}, "Client", "No such alarm."),
    ("placement", {"errors": [{"status": 400, "title": "Bad", "detail": "No provider", "code": "undefined"}]},
     "undefined", "No provider."),
    ("dns", {"code": 400, "type": "invalid_object", "message": "Provided object does not match schema"},
     "invalid_object", "Provided object does not match schema."),
    ("key-manager", {"code": 400, "title": "Bad", "description": "Secret too long"}, "Bad", "Secret too long."),
]  # fmt: skip


@pytest.mark.parametrize(("service", "body", "kind", "said"), SHAPES, ids=[f"{s[0]}-{n}" for n, s in enumerate(SHAPES)])
def test_the_service_s_own_sentence_and_kind_are_told(service, body, kind, said):
    error = refusal(Asked(service, "POST", "/things"), 400, body, "", {})
    assert isinstance(error, Permanent)
    assert error.kind == kind
    assert str(error).endswith(f"refused POST /things: {said} (HTTP 400)")


def test_a_nova_refusal_reads_as_a_sentence():
    body = {"badRequest": {"code": 400, "message": "Image xyz could not be found."}}
    error = refusal(Asked("compute", "POST", "/servers"), 400, body, "", {})
    assert str(error) == "Nova refused POST /servers: Image xyz could not be found. (HTTP 400)"


def test_an_html_page_is_told_without_its_markup():
    page = "<html><head><title>503</title></head><body><h1>503 Service Unavailable</h1>No server.</body></html>"
    error = refusal(Asked("image", "GET", "/images"), 503, None, page, {})
    assert str(error) == "Glance failed at GET /images: 503 Service Unavailable No server. (HTTP 503)"


def test_an_empty_answer_gets_a_reason_of_ours():
    error = refusal(Asked("object-store", "PUT", "/c"), 403, None, "", {})
    assert str(error) == "Swift refused PUT /c: the policy does not allow it. (HTTP 403)"


def test_a_long_answer_is_cut():
    error = refusal(Asked("compute", "GET", "/x"), 400, {"badRequest": {"message": "y" * 50_000}}, "", {})
    assert len(str(error)) < 1100


NEUTRON = "network"
KINDS = [
    (404, {}, "GET", {}, NotFound),
    (410, {}, "GET", {}, NotFound),
    (409, {"NeutronError": {"type": "IpAddressInUse", "message": "in use"}}, "POST", {}, Conflict),
    (409, {"NeutronError": {"type": "OverQuota", "message": "Quota exceeded for resources: ['port']."}}, "POST", {},
     Permanent),
    (409, {"NeutronError": {"type": "IpAddressGenerationFailure", "message": "No more IP addresses"}}, "POST", {},
     Permanent),
    (403, {"forbidden": {"message": "Quota exceeded for instances: Requested 1, but already used 10 of 10"}}, "POST",
     {}, Permanent),
    (413, {"overLimit": {"message": "VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded"}}, "POST",
     {"retry-after": "0"}, Permanent),
    (413, {"overLimit": {"message": "This request was rate-limited."}}, "POST", {"retry-after": "3"}, Temporary),
    (400, {"NeutronError": {"type": "BadRequest",
                            "message": "Router already has a port on subnet 1"}}, "PUT", {}, Conflict),
    (400, {"badRequest": {"message": "Invalid volume: Volume status must be available or error"}}, "DELETE", {},
     Conflict),
    (400, {"badRequest": {"message": "Bad name"}}, "POST", {}, Permanent),
    (401, {}, "GET", {}, Permanent),
    (406, {}, "GET", {}, Permanent),
    (429, {}, "POST", {"retry-after": "2"}, Temporary),
    (503, {}, "POST", {"retry-after": "2"}, Temporary),
    (501, {}, "POST", {}, Permanent),
    (300, {}, "GET", {}, Permanent),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "method", "headers", "kind"), KINDS, ids=lambda v: str(v)[:60])
def test_status_and_sentence_decide_the_kind(status, body, method, headers, kind):
    error = refusal(Asked(NEUTRON, method, "/ports"), status, body, "", headers)
    assert type(error) is kind
    assert error.status == status


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_rule_1_after_a_post_the_outcome_is_unknown(status):
    assert type(refusal(Asked(NEUTRON, "POST", "/ports"), status, {}, "", {})) is OutcomeUnknown


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_what_is_the_same_twice_is_only_temporary(method):
    assert type(refusal(Asked(NEUTRON, method, "/ports/1"), 500, {}, "", {})) is Temporary


@pytest.mark.parametrize(
    "action", ["add_router_interface", "remove_router_interface", "insert_rule", "add_extraroutes"]
)
def test_an_action_in_the_clothing_of_a_put_is_not_repeatable(action):
    assert type(refusal(Asked(NEUTRON, "PUT", f"/routers/1/{action}"), 500, {}, "", {})) is OutcomeUnknown


def test_retry_after_is_told():
    error = refusal(Asked(NEUTRON, "GET", "/ports"), 429, {}, "", {"retry-after": "7"})
    assert isinstance(error, Temporary)
    assert error.retry_after == 7.0


def test_a_traceback_is_never_told():
    assert "SECRET" not in str(refusal(Asked("orchestration", "GET", "/x"), 400, SHAPES[4][1], "", {}))
