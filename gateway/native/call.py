"""One request, as handlers see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from engine.cloud.token import TokenInfo
from engine.door import Engine
from engine.model.errors import StackNotFound
from engine.model.stack import Caller, Stack
from gateway.auth.policy import Policy
from gateway.context import RequestContext
from gateway.native.faults import bad_request
from gateway.native.settings import NativeSettings
from gateway.native.views import Links


@dataclass(frozen=True, slots=True)
class Call:
    """`body` is the JSON object, or None when the request has none (APIX-08)."""

    request: web.Request
    context: RequestContext
    token: TokenInfo
    engine: Engine
    policy: Policy
    settings: NativeSettings
    fetch: Callable[[str], Awaitable[str]]
    body: dict[str, Any] | None
    links: Links
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def path(self) -> Mapping[str, str]:
        """The variables of the route."""
        return self.request.match_info

    @property
    def caller(self) -> Caller:
        return self.context.principal

    @property
    def tenant(self) -> str:
        return self.context.project

    def allows(self, rule: str) -> bool:
        return self.policy.allows(rule, self.caller, self.tenant)

    def forbidden_types(self, names: Iterable[str]) -> list[str]:
        """AUTH-09."""
        return self.policy.forbidden_types(names, self.caller, self.tenant)

    async def stack(self, *, deleted: bool = True) -> Stack:
        """The stack of `{stack_name}/{stack_id}`: both must name the same one (APIX-07), and unless `deleted` it must
        still be there. Raises StackNotFound."""
        found = await self.engine.find_stack(self.caller, self.path["stack_id"])
        if found.name != self.path["stack_name"] or found.id != self.path["stack_id"]:
            raise StackNotFound(self.path["stack_name"])
        if found.deleted is not None and not deleted:
            raise StackNotFound(found.name)
        return found

    def first(self, name: str) -> str | None:
        values = self.query.get(name)
        return values[0] if values else None

    def flag(self, name: str, default: bool = False) -> bool:
        """APIX-11."""
        text = self.first(name)
        if text is None or text == "":
            return default
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise bad_request(f'Unrecognized value "{text}" for "{name}", acceptable values are: true, false')

    def number(self, name: str) -> int | None:
        """APIX-12."""
        text = self.first(name)
        if text is None or text == "":
            return None
        if text.isascii() and text.isdigit() and len(text) < 16:
            return int(text)
        raise bad_request(f"Only integer is allowed by '{name}', and it must not be negative: {text!r}")

    def words(self, name: str) -> list[str]:
        """Everything that a repeated or comma-separated query key says."""
        return [part for value in self.query.get(name, ()) for part in value.split(",") if part]

    def required_body(self) -> dict[str, Any]:
        if self.body is None:
            raise bad_request("The request has no JSON object in its body.")
        return self.body
