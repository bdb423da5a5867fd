"""Signatures of requests: Version 4 in the header or the query, and Version 2 (cloudformation.md W16, W18).

`read_claim` says who a request claims to be from and when; `signature_of` what the claim's signature must be.
"""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import functools
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote

from gateway.aws.faults import AwsError

SKEW: Final = dt.timedelta(minutes=15)
_V4: Final = "AWS4-HMAC-SHA256"
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_SAFE: Final = "-_.~"
_DIGESTS: Final[dict[str, Callable[..., Any]]] = {"HmacSHA256": hashlib.sha256, "HmacSHA1": hashlib.sha1}
_LONGEST_LIFE: Final = 7 * 24 * 3600  # seconds of a presigned request


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it came: `path` and `query` still encoded, header names in lower case, values of one name joined by
    commas; `form` are the decoded parameters of the query and of a form body."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    form: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """`scope` is `date/region/service/aws4_request`, for Version 2 the empty text; `stamp` is the time as signed."""

    version: int
    access: str
    signature: str = field(repr=False)
    stamp: str
    scope: str = ""
    signed_headers: tuple[str, ...] = ()
    presigned: bool = False

    @property
    def service(self) -> str:
        return self.scope.split("/")[2] if self.scope else "cloudformation"


def incomplete(message: str) -> AwsError:
    return AwsError("IncompleteSignature", message)


def mismatch(message: str) -> AwsError:
    return AwsError("SignatureDoesNotMatch", message, 403)


def expired(message: str) -> AwsError:
    return AwsError("RequestExpired", message, 403)


NOT_SIGNED: Final = "Request is missing Authentication Token"
DOES_NOT_MATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


# W19: how the agents of servers sign when they were given no key.
_NO_DOCUMENT: Final = (
    "Servers have no instance identity document here, so CFN_V1 proves nothing: give the agent an access key of the "
    "project (--access-key and --secret-key, or --credential-file)."
)


def read_claim(request: SignedRequest, now: dt.datetime) -> Claim:
    """Raises AwsError for a request that is not signed, half signed, or signed too long ago."""
    authorization = request.headers.get("authorization", "")
    form = dict(request.form)
    if authorization.startswith(_V4):
        return _header_claim(request, authorization, now)
    if form.get("X-Amz-Algorithm") == _V4:
        return _query_claim(form, now)
    if "AWSAccessKeyId" in form and "Signature" in form:
        return _claim_2(form, now)
    if authorization.startswith("CFN_V1"):
        raise AwsError("AccessDenied", _NO_DOCUMENT, 403)
    if authorization:
        raise incomplete(f"Authorization header requires '{_V4}', not '{authorization.split(' ', 1)[0][:40]}'.")
    raise AwsError("MissingAuthenticationToken", NOT_SIGNED, 403)


def _header_claim(request: SignedRequest, authorization: str, now: dt.datetime) -> Claim:
    given = {}
    for part in authorization[len(_V4) :].split(","):
        name, _, text = part.strip().partition("=")
        given[name] = text
    for name in ("Credential", "Signature", "SignedHeaders"):
        if not given.get(name):
            raise incomplete(f"Authorization header requires '{name}' parameter. Authorization={_V4}")
    stamp = request.headers.get("x-amz-date", "")
    time = _time(stamp or request.headers.get("date", ""))
    if time is None:
        raise incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    stamp = time.strftime(_STAMP)
    claim = _claim_4(given["Credential"], given["Signature"], given["SignedHeaders"], stamp, presigned=False)
    if time < now - SKEW:
        limit = (now - SKEW).strftime(_STAMP)
        raise mismatch(
            f"Signature expired: {stamp} is now earlier than {limit} ({now.strftime(_STAMP)} - 15 min.)"
        )  # fmt: skip
    _refuse_future(time, now)
    return claim


def _query_claim(form: Mapping[str, str], now: dt.datetime) -> Claim:
    for name in ("Credential", "Signature", "SignedHeaders", "Date", "Expires"):
        if not form.get(f"X-Amz-{name}"):
            raise incomplete(f"AWS query-string parameters must include 'X-Amz-{name}'.")
    time, seconds = _time(form["X-Amz-Date"]), form["X-Amz-Expires"]
    if time is None or not (seconds.isascii() and seconds.isdigit() and len(seconds) < 8):
        raise incomplete("X-Amz-Date must be a time as YYYYMMDDTHHMMSSZ and X-Amz-Expires a number of seconds.")
    if int(seconds) > _LONGEST_LIFE:
        raise incomplete(f"X-Amz-Expires must be at most {_LONGEST_LIFE} seconds.")
    claim = _claim_4(
        form["X-Amz-Credential"], form["X-Amz-Signature"], form["X-Amz-SignedHeaders"], form["X-Amz-Date"],
        presigned=True,
    )  # fmt: skip
    if now > time + dt.timedelta(seconds=int(seconds)):
        raise expired("Request has expired.")
    _refuse_future(time, now)
    return claim


def _claim_4(credential: str, signature: str, signed_headers: str, stamp: str, *, presigned: bool) -> Claim:
    access, _, scope = credential.partition("/")
    parts = scope.split("/")
    if not access or len(parts) != 4 or not all(parts) or parts[3] != "aws4_request":
        raise incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{credential[:200]}'"
        )
    if parts[0] != stamp[:8]:
        raise mismatch(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{parts[0][:20]}' != '{stamp[:8]}', from '{stamp}'."
        )
    names = tuple(signed_headers.lower().split(";"))
    if "host" not in names:
        raise mismatch("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    return Claim(4, access, signature, stamp, scope, names, presigned)


def _claim_2(form: Mapping[str, str], now: dt.datetime) -> Claim:
    if form.get("SignatureVersion") != "2" or form.get("SignatureMethod", "HmacSHA256") not in _DIGESTS:
        raise incomplete("SignatureVersion must be 2 and SignatureMethod HmacSHA256 or HmacSHA1.")
    stamp = form.get("Timestamp") or form.get("Expires") or ""
    time = _time(stamp)
    if time is None:
        raise incomplete("Request must contain either Timestamp or Expires as a time of ISO 8601.")
    if now > (time + SKEW if "Timestamp" in form else time):
        raise expired(f"Request has expired. Timestamp date is {stamp}.")
    if "Timestamp" in form:
        _refuse_future(time, now)
    return Claim(2, form["AWSAccessKeyId"], form["Signature"], stamp)


def _refuse_future(time: dt.datetime, now: dt.datetime) -> None:
    if time > now + SKEW:
        raise mismatch(
            f"Signature not yet current: {time.strftime(_STAMP)} is still later than {(now + SKEW).strftime(_STAMP)} "
            f"({now.strftime(_STAMP)} + 15 min.)"
        )


def _time(text: str) -> dt.datetime | None:
    """ISO 8601 in either form, or the form of HTTP's Date header."""
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        try:
            time = email.utils.parsedate_to_datetime(text)
        except ValueError:
            return None
    return time.astimezone(dt.UTC) if time.tzinfo else time.replace(tzinfo=dt.UTC)


def matches(claim: Claim, request: SignedRequest, secret: str) -> bool:
    """Whether the claim's signature was made with `secret`, compared in constant time."""
    return hmac.compare_digest(signature_of(claim, request, secret).encode(), claim.signature.encode())


def signature_of(claim: Claim, request: SignedRequest, secret: str) -> str:
    if claim.version == 2:
        return _signature_2(request, secret)
    hashed = hashlib.sha256(_canonical(claim, request).encode()).hexdigest()
    text = f"{_V4}\n{claim.stamp}\n{claim.scope}\n{hashed}"
    return hmac.digest(_signing_key(secret, claim.scope), text.encode(), "sha256").hex()


@functools.lru_cache(maxsize=256)
def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _canonical(claim: Claim, request: SignedRequest) -> str:
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in claim.signed_headers)
    path = request.path if request.path == "/" else quote(_normal(request.path), safe="/~")
    query = _canonical_query(request.query) if request.query else ""
    body = hashlib.sha256(request.body).hexdigest()
    return f"{request.method}\n{path}\n{query}\n{headers}\n{';'.join(claim.signed_headers)}\n{body}"


def _canonical_query(query: str) -> str:
    pairs = []
    for part in query.split("&"):
        name, _, text = part.partition("=")
        if name and name != "X-Amz-Signature":
            pairs.append(f"{_again(name)}={_again(text)}")
    return "&".join(sorted(pairs))


def _again(encoded: str) -> str:
    return quote(unquote(encoded.replace("+", " ")), safe=_SAFE)


def _normal(path: str) -> str:
    """Without `.`, `..` and double slashes, as signers write it."""
    steps: list[str] = []
    for step in path.split("/"):
        if step == "..":
            del steps[-1:]
        elif step not in ("", "."):
            steps.append(step)
    end = "/" if steps and path.endswith("/") else ""
    return "/" + "/".join(steps) + end


def _signature_2(request: SignedRequest, secret: str) -> str:
    form = dict(request.form)
    pairs = sorted((name, text) for name, text in request.form if name != "Signature")
    query = "&".join(f"{quote(name, safe=_SAFE)}={quote(text, safe=_SAFE)}" for name, text in pairs)
    text = f"{request.method}\n{request.headers.get('host', '').lower()}\n{request.path or '/'}\n{query}"
    digest = _DIGESTS[form.get("SignatureMethod", "HmacSHA256")]
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), digest).digest()).decode()
