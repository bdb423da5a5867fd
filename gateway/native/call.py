"""One request, as handlers see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from engine.door import Engine
from engine.model.errors import StackNotFound
from engine.model.stack import Caller, Stack
from gateway.context import RequestContext
from gateway.native.faults import bad_request
from gateway.native.settings import NativeSettings
from gateway.native.views import Links


@dataclass(frozen=True, slots=True)
class Call:
    """`path` are the variables of the route, `body` the JSON object or None when the request has none (APIX-08)."""

    request: web.Request
    context: RequestContext
    engine: Engine
    settings: NativeSettings
    fetch: Callable[[str], Awaitable[str]]
    allows: Callable[[str], bool]
    path: Mapping[str, str]
    body: dict[str, Any] | None
    links: Links
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def caller(self) -> Caller:
        return self.context.principal

    @property
    def tenant(self) -> str:
        return self.context.project

    async def stack(self) -> Stack:
        """The stack of `{stack_name}/{stack_id}`: both must name the same one (APIX-07). Raises StackNotFound."""
        found = await self.engine.find_stack(self.caller, self.path["stack_id"])
        if found.name != self.path["stack_name"] or found.id != self.path["stack_id"]:
            raise StackNotFound(self.path["stack_name"])
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
        if text.isascii() and text.isdigit():
            return int(text)
        raise bad_request(f"Only integer is allowed by '{name}', and it must not be negative: {text!r}")

    def required_body(self) -> dict[str, Any]:
        if self.body is None:
            raise bad_request("The request has no JSON object in its body.")
        return self.body
