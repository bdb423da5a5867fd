"""Who signed a request: checked here with the key's secret, or by Keystone where the secret may not be read (W17)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from engine.cloud.errors import CloudError
from engine.cloud.identity import InvalidToken, UnknownKey
from engine.model.stack import Caller
from gateway.aws.faults import AwsError
from gateway.aws.signature import DOES_NOT_MATCH, Claim, SignedRequest, matches, mismatch, read_claim


class KeyOwner(Protocol):
    @property
    def user_id(self) -> str: ...
    @property
    def user_name(self) -> str: ...
    @property
    def project_id(self) -> str: ...
    @property
    def project_name(self) -> str: ...
    @property
    def roles(self) -> tuple[str, ...]: ...
    @property
    def is_admin(self) -> bool: ...


class Key(KeyOwner, Protocol):
    @property
    def secret(self) -> str: ...


class KeySource(Protocol):
    """What authentication asks of Keystone; `engine.cloud.identity.Identity` is one."""

    async def ec2_secret(self, access: str) -> Key | None:
        """None when the secret may not be read. Raises UnknownKey."""
        ...

    async def ec2_token(self, signed: Mapping[str, Any]) -> KeyOwner:
        """Keystone's own check. Raises InvalidToken."""
        ...


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Authenticator:
    def __init__(self, keys: KeySource, now: Callable[[], dt.datetime] = utc_now) -> None:
        self._keys, self._now = keys, now

    async def authenticate(self, request: SignedRequest, request_id: str) -> tuple[Caller, Claim]:
        """The caller, and the claim that proved true. Raises AwsError.

        Session tokens are not looked at: EC2 credentials have none, and the signature decides alone.
        """
        claim = read_claim(request, self._now())
        try:
            owner = await self._owner(claim, request)
        except CloudError as error:
            raise AwsError("ServiceUnavailable", f"Keystone cannot be asked: {error.message}", 503) from error
        if not owner.project_id:
            raise AwsError("InvalidClientTokenId", "The access key belongs to no project.", 403)
        caller = Caller(
            user_id=owner.user_id, project_id=owner.project_id, roles=owner.roles, user_name=owner.user_name,
            project_name=owner.project_name, token=None, is_admin=owner.is_admin, request_id=request_id,
        )  # fmt: skip
        return caller, claim

    async def _owner(self, claim: Claim, request: SignedRequest) -> KeyOwner:
        try:
            key = await self._keys.ec2_secret(claim.access)
        except UnknownKey as error:
            text = "The security token included in the request is invalid."
            raise AwsError("InvalidClientTokenId", text, 403) from error
        if key is not None:
            if not matches(claim, request, key.secret):
                raise mismatch(DOES_NOT_MATCH)
            return key
        try:
            return await self._keys.ec2_token(_for_keystone(claim, request))
        except InvalidToken as error:
            if error.status == 403:  # Keystone speaks of us, not of the caller (CVE-2025-65073)
                raise AwsError("AccessDenied", _NO_SERVICE_USER, 403) from error
            raise mismatch(DOES_NOT_MATCH) from error


_NO_SERVICE_USER = (
    "This server may neither read the secret of your access key nor have Keystone check your signature. Its operator "
    "gives the configured user a role that may (identity:get_credential, or identity:ec2tokens_validate)."
)
_AS_KEYSTONE_SPELLS = {"authorization": "Authorization", "x-amz-date": "X-Amz-Date"}


def _for_keystone(claim: Claim, request: SignedRequest) -> dict[str, Any]:
    """The `credentials` of POST /v3/ec2tokens. Keystone takes no query into account for a POST."""
    left_out = "Signature" if claim.version == 2 else "X-Amz-Signature"
    params = {name: text for name, text in request.form if name != left_out}
    in_query = claim.version == 2 or request.method != "POST"
    return {
        "access": claim.access,
        "signature": claim.signature,
        "host": request.headers.get("host", ""),
        "verb": request.method,
        "path": request.path,
        "params": params if in_query else {},
        "headers": {_AS_KEYSTONE_SPELLS.get(name, name): text for name, text in request.headers.items()},
        "body_hash": hashlib.sha256(request.body).hexdigest(),
    }
