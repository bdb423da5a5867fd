"""Signatures against botocore's signers. Ids are rows of cloudformation.md."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from botocore.auth import SigV2Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from keystoneclient.contrib.ec2.utils import Ec2Signer

from gateway.aws.authentication import Authenticator, _for_keystone
from gateway.aws.faults import AwsError
from gateway.aws.signature import SignedRequest, matches, read_claim
from tests.gateway.aws.serving import PROJECT, Keys

ACCESS, SECRET = "AKDEMO", "demo-secret"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
URL = "http://cloud.example:8000/"


def as_received(signed: AWSRequest) -> SignedRequest:
    """What arrives when botocore sends `signed`."""
    prepared = signed.prepare()
    parts = urlsplit(prepared.url)
    body = prepared.body or b""
    body = body.encode() if isinstance(body, str) else body
    headers = {name.lower(): text.decode() if isinstance(text, bytes) else text for name, text in
               prepared.headers.items()}  # fmt: skip
    headers.setdefault("host", parts.netloc)
    pairs = parse_qsl(parts.query, keep_blank_values=True) + parse_qsl(body.decode(), keep_blank_values=True)
    return SignedRequest(prepared.method, parts.path or "/", parts.query, headers, body, pairs)


def signed(kind="header", *, method="POST", url=URL, token=None, service="cloudformation", secret=SECRET, data=None,
           headers=None):  # fmt: skip
    credentials = Credentials(ACCESS, secret, token)
    data = {"Action": "DescribeStacks", "StackName": "ä b+c/d"} if data is None else data
    if kind == "header":
        posted = method == "POST"
        request = AWSRequest(
            method, url, data=urlencode(data) if posted else None, params=None if posted else data,
            headers={"Content-Type": FORM, **(headers or {})},
        )  # fmt: skip
        SigV4Auth(credentials, service, "RegionOne").add_auth(request)
    elif kind == "query":
        request = AWSRequest("GET", url, params=data)
        SigV4QueryAuth(credentials, service, "RegionOne", expires=60).add_auth(request)
    else:
        request = AWSRequest(method, url, data=dict(data) if method == "POST" else {},
                             params={} if method == "POST" else dict(data))  # fmt: skip
        SigV2Auth(credentials).add_auth(request)
    return as_received(request)


def now():
    return dt.datetime.now(dt.UTC)


def claimed(request, at=None):
    return read_claim(request, at or now())


CASES = {
    "w16-post": {},
    "w16-get": {"method": "GET"},
    "w16-path": {"url": "http://cloud.example:8000/a%20b/../c/"},
    "w16-query-on-post": {"url": URL + "?b=2&a=%2F1&c"},
    "w16-spaces-in-headers": {"headers": {"X-Amz-Meta": "  a   b "}},
    "w16-session-token": {"token": "a-token"},
    "w16-presigned": {"kind": "query"},
    "w18-post": {"kind": "2"},
    "w18-get": {"kind": "2", "method": "GET"},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_botocore_signs_is_accepted(case):
    request = signed(**case)
    assert matches(claimed(request), request, SECRET)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_another_secret_is_not(case):
    request = signed(**case)
    assert not matches(claimed(request), request, "another-secret")


@pytest.mark.parametrize(
    "change",
    [{"body": b"Action=DeleteStack"}, {"method": "PUT"}, {"path": "/other"}, {"query": "a=1"},
     {"headers": {"host": "elsewhere"}}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_w16_whatever_is_changed_after_signing_breaks_it(change):
    request = signed()
    claim = claimed(request)
    if "headers" in change:
        change = {"headers": {**request.headers, **change["headers"]}}
    assert not matches(claim, replace(request, **change), SECRET)


def test_w18_changed_parameters_break_version_2():
    request = signed("2")
    claim = claimed(request)
    form = [(name, "DeleteStack" if name == "Action" else text) for name, text in request.form]
    assert not matches(claim, replace(request, form=form), SECRET)


def refused(request, at=None):
    with pytest.raises(AwsError) as caught:
        claimed(request, at)
    return caught.value.code, caught.value.status, caught.value.message


def test_w14_unsigned_requests():
    code, status, message = refused(SignedRequest("POST", "/", "", {"host": "x"}, b"Action=DescribeStacks"))
    assert (code, status) == ("MissingAuthenticationToken", 403)
    assert message == "Request is missing Authentication Token"


@pytest.mark.parametrize("minutes", [16, -16])
def test_w16_the_clock_may_differ_by_15_minutes(minutes):
    request = signed()
    code, status, message = refused(request, now() + dt.timedelta(minutes=minutes))
    assert (code, status) == ("SignatureDoesNotMatch", 403)
    assert message.startswith("Signature expired: " if minutes > 0 else "Signature not yet current: ")
    assert matches(claimed(request, now() + dt.timedelta(minutes=minutes * 14 / 16)), request, SECRET)


def test_w16_presigned_requests_expire():
    code, status, _ = refused(signed("query"), now() + dt.timedelta(seconds=62))
    assert (code, status) == ("RequestExpired", 403)


def test_w18_version_2_expires_after_15_minutes():
    code, status, _ = refused(signed("2"), now() + dt.timedelta(minutes=16))
    assert (code, status) == ("RequestExpired", 403)


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256 Credential=AKDEMO",
        "AWS4-HMAC-SHA256 Credential=AKDEMO/x, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256",
        "Bearer abc",
        "AWS4-HMAC-SHA256 Credential=AKDEMO/20261122/r/cloudformation/aws4_request, SignedHeaders=host, Signature=0",
    ],
)
def test_w14_half_signed_requests(authorization):
    request = SignedRequest("POST", "/", "", {"host": "x", "authorization": authorization}, b"")
    code, status, _ = refused(request)
    assert (code, status) == ("IncompleteSignature", 400)


def test_w16_the_host_is_always_signed():
    request = signed()
    authorization = request.headers["authorization"].replace(";host;", ";").replace("host;", "")
    code, status, _ = refused(replace(request, headers={**request.headers, "authorization": authorization}))
    assert (code, status) == ("SignatureDoesNotMatch", 403)


def test_w16_the_scope_has_the_day_of_the_request():
    request = signed()
    changed = {**request.headers, "authorization": request.headers["authorization"].replace("AKDEMO/2", "AKDEMO/1")}
    code, _, message = refused(replace(request, headers=changed))
    assert code == "SignatureDoesNotMatch"
    assert message.startswith("Date in Credential scope")


# --- who it is ----------------------------------------------------------------------------------------------------
async def test_1_the_owner_of_the_key_is_the_caller():
    caller, claim = await Authenticator(Keys()).authenticate(signed(service="sts"), "an-id")
    assert (caller.user_id, caller.project_id, caller.roles, caller.token) == ("u-demo", PROJECT, ("member",), None)
    assert (caller.request_id, claim.service) == ("an-id", "sts")


@pytest.mark.parametrize(
    ("access", "secret", "code"),
    [("AKDEMO", "wrong", "SignatureDoesNotMatch"), ("AKNOBODY", "demo-secret", "InvalidClientTokenId")],
)
async def test_bad_input_wrong_keys_are_403(access, secret, code, monkeypatch):
    monkeypatch.setitem(globals(), "ACCESS", access)
    with pytest.raises(AwsError) as caught:
        await Authenticator(Keys()).authenticate(signed(secret=secret), "an-id")
    assert (caught.value.code, caught.value.status) == (code, 403)


@pytest.mark.parametrize("case", [CASES[n] for n in ("w16-post", "w16-get", "w16-presigned", "w18-post", "w18-get")])
async def test_w17_keystone_finds_the_same_signature_in_what_it_is_sent(case, monkeypatch):
    """Keystone's own signer is the oracle: it is what stands behind /v3/ec2tokens."""
    monkeypatch.setitem(globals(), "ACCESS", "hidden")
    request = signed(**case)
    keys = Keys()
    caller, claim = await Authenticator(keys).authenticate(request, "an-id")
    assert caller.project_id == PROJECT
    (sent,) = keys.asked
    assert sent == _for_keystone(claim, request)
    assert Ec2Signer(SECRET).generate(sent) == sent["signature"]


@pytest.mark.parametrize(("status", "code"), [(401, "SignatureDoesNotMatch"), (403, "AccessDenied")])
async def test_w17_what_keystone_refuses_is_refused(status, code, monkeypatch):
    """401 speaks of the signature, 403 of the user that this server is configured with."""
    monkeypatch.setitem(globals(), "ACCESS", "hidden")
    keys = Keys()
    keys.refusal = status
    with pytest.raises(AwsError) as caught:
        await Authenticator(keys).authenticate(signed(), "an-id")
    assert (caught.value.code, caught.value.status) == (code, 403)
