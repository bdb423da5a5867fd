"""From a token in a request's headers to a caller."""

from __future__ import annotations

from typing import Protocol

from engine.cloud.identity import InvalidToken
from engine.cloud.token import TokenInfo
from engine.model.stack import Caller


class Unauthorized(Exception):
    """No token, or one that Keystone does not know (ERR-44)."""


class TokenSource(Protocol):
    """`engine.cloud.identity.Identity` is one."""

    async def validate_token(self, token: str) -> TokenInfo: ...


async def caller_of(tokens: TokenSource, token: str | None, request_id: str) -> Caller:
    """The caller behind `token`. Raises Unauthorized; CloudError when Keystone cannot be asked."""
    if not token:
        raise Unauthorized
    try:
        found = await tokens.validate_token(token)
    except InvalidToken as error:
        raise Unauthorized from error
    if not found.project_id:
        raise Unauthorized
    return Caller(
        user_id=found.user_id,
        project_id=found.project_id,
        roles=found.roles,
        user_name=found.user_name,
        project_name=found.project_name,
        token=token,
        is_admin=found.is_admin,
        request_id=request_id,
    )
