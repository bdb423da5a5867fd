"""What a Keystone token says, parsed once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """`expires_at` in seconds since the epoch. Names and ids that the token does not have are "".

    `methods` tells how it was got (`password`, `ec2credential`, `application_credential` …); `trust_id` whether it
    acts through a trust. `id` is the token itself when it was issued to us, else "".
    """

    user_id: str
    user_name: str
    user_domain_id: str
    user_domain_name: str
    project_id: str
    project_name: str
    project_domain_id: str
    project_domain_name: str
    roles: tuple[str, ...]
    expires_at: float
    methods: tuple[str, ...] = ()
    trust_id: str = ""
    catalog: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    id: str = field(default="", repr=False)

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles


def parse_token(body: Any, token_id: str = "") -> TokenInfo:
    """Return what `{"token": …}` of the identity API v3 says. Raises ValueError when it is no such document."""
    try:
        token = body["token"]
        user, project = token["user"], token.get("project") or {}
        user_domain, project_domain = user.get("domain") or {}, project.get("domain") or {}
        return TokenInfo(
            user_id=user["id"],
            user_name=user.get("name", ""),
            user_domain_id=user_domain.get("id") or "",
            user_domain_name=user_domain.get("name") or "",
            project_id=project.get("id", ""),
            project_name=project.get("name", ""),
            project_domain_id=project_domain.get("id") or "",
            project_domain_name=project_domain.get("name") or "",
            roles=tuple(role["name"] for role in token.get("roles", ())),
            expires_at=parse_time(token["expires_at"]),
            methods=tuple(token.get("methods", ())),
            trust_id=(token.get("OS-TRUST:trust") or {}).get("id", ""),
            catalog=token.get("catalog", ()),
            id=token_id,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("the identity service answered with something that is no token") from error


def parse_time(text: str) -> float:
    """Return Keystone's time (`2026-11-24T07:00:52.000000Z`) as seconds since the epoch."""
    time = dt.datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=dt.UTC)).timestamp()
