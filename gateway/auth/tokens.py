"""From a token in a request's headers to a caller."""

from __future__ import annotations

from typing import Protocol

from engine.cloud.errors import CloudError, Temporary
from engine.cloud.identity import InvalidToken
from engine.cloud.token import TokenInfo
from engine.model.stack import Caller


class Unauthorized(Exception):
    """No token, or one that Keystone does not know, or one of no project (ERR-44)."""


class TokenSource(Protocol):
    """`engine.cloud.identity.Identity` is one."""

    async def validate_token(self, token: str) -> TokenInfo: ...


async def caller_of(tokens: TokenSource, token: str | None, request_id: str) -> tuple[Caller, TokenInfo]:
    """The caller behind `token`, and all that Keystone says of it. Raises Unauthorized; Temporary when Keystone
    cannot be asked, or refuses to answer us, which is no fault of the caller's."""
    if not token:
        raise Unauthorized
    try:
        found = await tokens.validate_token(token)
    except InvalidToken as error:
        raise Unauthorized from error
    except CloudError as error:
        raise Temporary(f"The token cannot be checked: {error.message}", status=error.status) from error
    if not found.project_id:
        raise Unauthorized
    caller = Caller(
        user_id=found.user_id,
        project_id=found.project_id,
        roles=found.roles,
        user_name=found.user_name,
        project_name=found.project_name,
        token=token,
        is_admin=found.is_admin,
        request_id=request_id,
    )
    return caller, found
