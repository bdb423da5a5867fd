"""Bad input: who may not ask, and what cannot be asked. The server is well after each of these."""

from __future__ import annotations

import datetime
import json
import time
from urllib.parse import urlencode

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
GOOD = "Resources:\n  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}\n"


@pytest.fixture(autouse=True)
def the_server_is_unharmed(server):
    yield
    began = time.monotonic()
    assert server.healthy()
    assert time.monotonic() - began < 5
    assert "Traceback" not in server.log()


@pytest.fixture(scope="module")
def aws(server):
    return server.boto3()


def signed(server, parameters, *, access=None, secret=None, age=0):
    """A query request, signed as botocore does it, `age` seconds ago. Returns what to hand to requests.post."""
    env = server.aws_env
    keys = Credentials(access or env["AWS_ACCESS_KEY_ID"], secret or env["AWS_SECRET_ACCESS_KEY"])
    request = AWSRequest("POST", server.url + "/", headers=dict(FORM), data=urlencode(parameters))
    signer = SigV4Auth(keys, "cloudformation", env["AWS_DEFAULT_REGION"])
    when = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=age)
    request.context["timestamp"] = when.strftime("%Y%m%dT%H%M%SZ")
    signer._modify_request_before_signing(request)
    text = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, text), request)
    signer._inject_signature_to_request(request, signature)
    return {"url": server.url + "/", "data": request.data, "headers": dict(request.headers.items()), "timeout": 30}


def code_of(answer):
    assert answer.headers["Content-Type"].startswith("text/xml"), answer.text
    return answer.status_code, answer.text.split("<Code>")[1].split("</Code>")[0]


def creation(name):
    return {"Action": "CreateStack", "Version": "2010-05-15", "StackName": name, "TemplateBody": GOOD}


def test_a_well_signed_request_of_this_helper_is_served(server, name):
    assert requests.post(**signed(server, creation(name))).status_code == 200


def test_unsigned(server, aws, name, refused):
    answer = requests.post(server.url + "/", data=creation(name), timeout=10)
    assert code_of(answer) == (403, "MissingAuthenticationToken")
    refused(aws.describe_stacks, StackName=name)


def test_wrongly_signed(server, aws, name, refused):
    answer = requests.post(**signed(server, creation(name), secret="not-the-secret"))
    assert code_of(answer) == (403, "SignatureDoesNotMatch")
    refused(aws.describe_stacks, StackName=name)


def test_changed_after_signing(server, aws, name, refused):
    request = signed(server, creation("harmless"))
    request["data"] = request["data"].replace("harmless", name)
    assert code_of(requests.post(**request)) == (403, "SignatureDoesNotMatch")
    refused(aws.describe_stacks, StackName=name)


def test_an_unknown_key(server, name):
    answer = requests.post(**signed(server, creation(name), access="0" * 32))
    assert code_of(answer) == (403, "InvalidClientTokenId")


@pytest.mark.parametrize("age", [20 * 60, -20 * 60], ids=["replayed_too_late", "from_the_future"])
def test_w16_outside_its_time(server, aws, name, refused, age):
    status, code = code_of(requests.post(**signed(server, creation(name), age=age)))
    assert status == 403
    assert code in ("RequestExpired", "SignatureDoesNotMatch")
    refused(aws.describe_stacks, StackName=name)


@pytest.fixture(scope="module")
def native(server):
    """`native(method, path, **request)` below the project's path of the Orchestration API."""
    endpoint = server.sdk().orchestration.get_endpoint()

    def ask(method, path, **request):
        return requests.request(method, endpoint.rstrip("/") + path, timeout=60, **request)

    return ask


@pytest.mark.parametrize("headers", [{}, {"X-Auth-Token": "gAAAAA-nonsense"}], ids=["no_token", "wrong_token"])
def test_err_44_without_a_good_token(native, headers):
    answer = native("GET", "/stacks", headers=headers)
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers


@pytest.fixture(scope="module")
def stranger(server):
    """A user of another project of the same cloud."""
    return server.sdk(username="alt_demo", password="demo", project_name="alt_demo")


def test_apix_06_a_foreign_token(native, stranger):
    answer = native("GET", "/stacks", headers={"X-Auth-Token": stranger.auth_token})
    assert answer.status_code == 403


def test_a_stack_of_another_project_does_not_exist(server, aws, stranger, name, wait, refused):
    arn = aws.create_stack(StackName=name, TemplateBody=GOOD)["StackId"]
    wait(aws, "stack_create_complete", name)
    assert stranger.orchestration.find_stack(name) is None
    assert stranger.orchestration.find_stack(arn.rsplit("/", 1)[1]) is None
    path = f"/users/{stranger.current_user_id}/credentials/OS-EC2"
    key = stranger.identity.post(path, json={"tenant_id": stranger.current_project_id}).json()["credential"]
    other = server.boto3(aws_access_key_id=key["access"], aws_secret_access_key=key["secret"])
    assert refused(other.describe_stacks, StackName=name) == f"Stack with id {name} does not exist"
    assert refused(other.describe_stacks, StackName=arn) == f"Stack with id {arn} does not exist"
    assert name not in {row["StackName"] for row in other.list_stacks()["StackSummaries"]}
    assert other.delete_stack(StackName=name)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert aws.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"


ALIASES = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
)

# Each with what the message must hold: where it is, and what is wrong. Line numbers are 1-based.
BAD_CFN = {
    "51200_brackets": ("[" * 51_200, ["line 1, column 101", "nest"]),
    "alias_bomb": (ALIASES, ["alias"]),
    "unknown_function": (GOOD + "Outputs:\n  Out: {Value: {Fn::Nothing: [a]}}\n", ["Fn::Nothing", "line 4, "]),
    "missing_parameter": (
        "Parameters:\n  A: {Type: String}\n  B: {Type: String}\n" + GOOD, ["A", "B", "must have values"],
    ),
    "cycle": (
        "Resources:\n  A: {Type: OS::Heat::None, DependsOn: B}\n  B: {Type: OS::Heat::None, DependsOn: A}\n",
        ["ircular", "A", "B"],
    ),
    "unknown_type": ("Resources:\n  A:\n    Type: AWS::No::Type\n", ["AWS::No::Type", "line 3, column 11"]),
    "duplicate_key": ("Resources:\n  A: {Type: OS::Heat::None}\n  A: {Type: OS::No}\n", ["line 3, column 3", "A"]),
    "unclosed": ("Resources: {A: ", ["YAML not well-formed"]),
    "description_alone": ("Description: mine\n", ["At least one Resources member must be defined"]),
    "no_resources": ("AWSTemplateFormatVersion: 2010-09-09\n", ["At least one Resources member must be defined"]),
    "unknown_property": (
        "Resources:\n  A:\n    Type: OS::Heat::TestResource\n    Properties: {vlaue: x}\n", ["vlaue", "line 4, "],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_CFN)
def test_a_bad_template_is_one_clear_400_of_the_aws_api(aws, name, refused, case):
    text, needles = BAD_CFN[case]
    began = time.monotonic()
    said = refused(aws.create_stack, StackName=name, TemplateBody=text)
    assert time.monotonic() - began < 10
    assert [needle for needle in needles if needle not in said] == [], said
    refused(aws.describe_stacks, StackName=name)


def test_engu_21_all_findings_at_once(aws, name, refused):
    text = """\
Resources:
  A: {Type: AWS::No::One}
  B: {Type: AWS::No::Two}
  C: {Type: OS::Heat::TestResource, Properties: {value: {Ref: Missing}}}
Outputs:
  Out: {Value: {Fn::GetAtt: [Nobody, Arn]}}
"""
    said = refused(aws.create_stack, StackName=name, TemplateBody=text)
    assert [word for word in ("AWS::No::One", "AWS::No::Two", "Missing", "Nobody") if word not in said] == [], said


BAD_HOT = {
    "51200_brackets": ("[" * 51_200, ["nest"]),
    "alias_bomb": ("heat_template_version: 2018-08-31\n" + ALIASES, ["alias"]),
    "unknown_function": (
        "heat_template_version: 2018-08-31\noutputs:\n  out: {value: {get_atr: [a, b]}}\n", ["get_atr"],
    ),
    "missing_parameter": (
        "heat_template_version: 2018-08-31\nparameters:\n  word: {type: string}\n", ["word", "was not provided"],
    ),
    "cycle": (
        "heat_template_version: 2018-08-31\nresources:\n  a: {type: OS::Heat::None, depends_on: b}\n"
        "  b: {type: OS::Heat::None, depends_on: a}\n", ["ircular"],
    ),
    "unknown_type": ("heat_template_version: 2018-08-31\nresources:\n  a: {type: OS::No::Type}\n", ["OS::No::Type"]),
    "duplicate_key": ("heat_template_version: 2018-08-31\nheat_template_version: 2017-09-01\n", [":2:1)"]),
    "unknown_version": ("heat_template_version: 1999-01-01\n", ["1999-01-01"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def token(server):
    return {"X-Auth-Token": server.sdk().auth_token}


@pytest.mark.parametrize("case", BAD_HOT)
def test_a_bad_template_is_one_clear_400_of_the_native_api(native, token, name, case):
    text, needles = BAD_HOT[case]
    answer = native("POST", "/stacks", headers=token, json={"stack_name": name, "template": text})
    assert answer.status_code == 400, answer.text
    said = answer.json()["error"]["message"]
    assert [needle for needle in needles if needle not in said] == [], said
    assert native("GET", f"/stacks/{name}", headers=token, allow_redirects=False).status_code == 404


def test_apix_09_a_body_of_two_megabytes(native, server, token, name):
    body = json.dumps({"stack_name": name, "template": "#" * 2_000_000})
    answer = native("POST", "/stacks", headers={**token, "Content-Type": "application/json"}, data=body)
    assert answer.status_code == 400, answer.status_code
    assert answer.json()["error"]["type"] == "RequestLimitExceeded"
    answer = requests.post(**signed(server, {**creation(name), "TemplateBody": "#" * 2_000_000}))
    assert 400 <= answer.status_code < 500


def test_not_utf_8(native, server, token, name):
    body = urlencode(creation(name)) + "&Description=%ff%fe"
    request = signed(server, {})
    assert 400 <= requests.post(**{**request, "data": body}).status_code < 500
    bytes_in_template = b'{"stack_name": "%s", "template": "\xff\xfe"}' % name.encode()
    answer = native("POST", "/stacks", headers={**token, "Content-Type": "application/json"}, data=bytes_in_template)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:{port}/", "http://localhost:{port}/",
     "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://0x7f000001:{port}/", "http://0.0.0.0:{port}/",
     "file:///etc/passwd", "ftp://example.org/t.yaml", "gopher://127.0.0.1/"],
)  # fmt: skip
def test_template_url_does_not_reach_inside(server, aws, name, refused, native, token, url):
    url = url.format(port=server.url.rsplit(":", 1)[1])
    said = refused(aws.create_stack, StackName=name, TemplateURL=url)
    assert "root:" not in said
    answer = native("POST", "/stacks", headers=token, json={"stack_name": name, "template_url": url})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "body",
    [b"", b"Action=", b"Action=Nothing&Version=2010-05-15", b"Version=2010-05-15", b"%%%=%%%&&&==", b"\x00\xff",
     b"Action=DescribeStacks&Version=1999-01-01"],
)  # fmt: skip
def test_w13_w14_requests_that_are_none(server, body):
    answer = requests.post(server.url + "/", data=body, headers=FORM, timeout=10)
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/stacks", "[]", 400),
        ("POST", "/stacks", "{", 400),
        ("POST", "/stacks", "{}", 400),
        ("POST", "/stacks", '{"stack_name": 7, "template": {}}', 400),
        ("POST", "/stacks", '{"stack_name": "a/b", "template": "heat_template_version: 2018-08-31"}', 400),
        ("POST", "/stacks", '{"stack_name": "x", "template": "x", "timeout_mins": "a"}', 400),
        ("GET", "/stacks?limit=many", None, 400),
        ("GET", "/stacks?show_deleted=maybe", None, 400),
        ("GET", "/stacks/never/1234", None, 404),
        ("GET", "/nothing", None, 404),
        ("PUT", "/stacks", None, 405),
    ],
)  # fmt: skip
def test_apix_requests_that_make_no_sense(native, token, method, path, body, status):
    headers = {**token, "Content-Type": "application/json"}
    assert native(method, path, headers=headers, data=body).status_code == status
