"""Signed URLs by which servers signal their stack without credentials (heat.md CFNX-13–15, cloudformation.md L97).

A URL names project, stack and resource; its signature, made with the server's own secret over path and expiry, is all
the right that is needed to signal that one resource.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import quote

import orjson
from aiohttp import web

from engine.door.signals import Signal
from engine.model.diagnostic import Invalid
from engine.model.errors import Refused, ResourceNotFound, StackNotFound
from engine.model.stack import Caller
from gateway.aws.protocol.xml import escape

WAIT_CONDITION: Final = "waitcondition"
SIGNAL: Final = "signal"
CUSTOM_RESOURCE: Final = "customresource"
_LARGEST_RESPONSE: Final = 4096  # bytes of what a handler of a custom resource says (cloudformation.md Q17)
_LARGEST_BODY: Final = 64 * 1024  # bytes
_STATUSES: Final = frozenset({"SUCCESS", "FAILURE"})


class SignalTaker(Protocol):
    async def signal(self, caller: Caller, ref: str, address: str, signal: Signal) -> None: ...
    async def respond(self, caller: Caller, ref: str, address: str, body: Mapping[str, Any]) -> None: ...


class SignalUrls:
    """Makes and checks the URLs. `base` is how servers reach this gateway; the same arguments give the same URL."""

    def __init__(self, secret: bytes, base: str, now: Callable[[], float] = time.time) -> None:
        self._secret, self._base, self._now = secret, base.rstrip("/"), now

    def make_url(
        self, stack_id: str, address: str, kind: str, project_id: str, *, expires: int | None = None
    ) -> str:  # fmt: skip
        """`kind` is `waitcondition`, `signal` or `customresource`; `expires` in seconds since the epoch, None for
        never."""
        path = f"/v1/{kind}/{quote(project_id, safe='')}/{quote(stack_id, safe='')}/{quote(address, safe='')}"
        when = "" if expires is None else f"Expires={expires}&"
        return f"{self._base}{path}?{when}Signature={self._sign(kind, project_id, stack_id, address, expires)}"

    def is_valid(self, kind: str, names: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Whether the URL was made here and has not expired; `names` are project, stack and address."""
        expires = None
        if "Expires" in query:
            text = query["Expires"]
            if not (text.isascii() and text.isdigit() and len(text) < 16):
                return False
            expires = int(text)
        made = self._sign(kind, names["project"], names["stack"], names["address"], expires)
        same = hmac.compare_digest(made.encode(), query.get("Signature", "").encode())
        return same and (expires is None or self._now() <= expires)

    def _sign(self, kind: str, project_id: str, stack_id: str, address: str, expires: int | None) -> str:
        text = "\n".join(["isotherm-signal-1", kind, project_id, stack_id, address, str(expires or "")])
        return hmac.digest(self._secret, text.encode(), "sha256").hex()


class SignalEndpoint:
    """The handlers of signed URLs."""

    def __init__(self, engine: SignalTaker, urls: SignalUrls) -> None:
        self._engine, self._urls = engine, urls

    def routes(self) -> list[web.RouteDef]:
        """To be added before the native API's routes, which begin with a project in the place of the kind."""
        tail = "{project}/{stack}/{address:.+}"
        return [
            web.route(method, f"/v1/{kind}/{tail}", handler)
            for kind, handler in (
                (WAIT_CONDITION, self.wait_condition),
                (SIGNAL, self.signal),
                (CUSTOM_RESOURCE, self.custom_resource),
            )
            for method in ("PUT", "POST")
        ]

    async def wait_condition(self, request: web.Request) -> web.Response:
        """A JSON body with Status, UniqueId, Data and Reason, whatever its content type says (curl sends none); a POST
        without one is a success, as the native handles have it (heat.md ENGA-08)."""
        if not self._urls.is_valid(WAIT_CONDITION, request.match_info, request.query):
            return _refusal(403, "AccessDenied", "The URL is not one that this server has signed, or it has expired.")
        body = await _json(request, optional=request.method == "POST")
        if isinstance(body, web.Response):
            return body
        told = {name.casefold(): item for name, item in body.items()}
        status = told.get("status", None if request.method == "PUT" else "SUCCESS")
        if not isinstance(status, str) or status not in _STATUSES:
            return _refusal(400, "ValidationError", "The body needs a Status, SUCCESS or FAILURE.")
        unique_id = told.get("uniqueid", told.get("id"))
        answer = await self._send(request, Signal(
            status=status, unique_id=_text(unique_id), reason=_text(told.get("reason")), data=told.get("data"),
            raw=body,
        ))  # fmt: skip
        if answer is not None:
            return answer
        name = request.match_info["address"]
        if request.query.get("ContentType") == "JSON":
            return web.json_response({"resource": name})
        return web.Response(text=f"<resource>{escape(name)}</resource>", content_type="text/xml")

    async def signal(self, request: web.Request) -> web.Response:
        """The body is optional JSON; what it holds is for the resource type to read."""
        if not self._urls.is_valid(SIGNAL, request.match_info, request.query):
            return _refusal(403, "AccessDenied", "The URL is not one that this server has signed, or it has expired.")
        body = await _json(request, optional=True)
        if isinstance(body, web.Response):
            return body
        told = {name.casefold(): item for name, item in body.items()}
        status = told.get("status")
        unique_id = told.get("uniqueid", told.get("id"))
        answer = await self._send(request, Signal(
            status=status if isinstance(status, str) and status in _STATUSES else None, unique_id=_text(unique_id),
            reason=_text(told.get("reason")), data=told.get("data"), raw=body,
        ))  # fmt: skip
        return answer or web.Response()

    async def custom_resource(self, request: web.Request) -> web.Response:
        """What a handler says to a request, whatever its content type is (cfnresponse sends none). One that is too
        large counts as a failure, so that nobody waits for another one."""
        if not self._urls.is_valid(CUSTOM_RESOURCE, request.match_info, request.query):
            return _refusal(403, "AccessDenied", "The URL is not one that this server has signed, or it has expired.")
        content = await _content(request)
        if isinstance(content, web.Response):
            return content
        body, size = _object(content), len(content)
        if isinstance(body, web.Response):
            return body
        if size > _LARGEST_RESPONSE:
            reason = f"Response object is too long: it has {size} bytes, at most {_LARGEST_RESPONSE} are taken"
            body = {"Status": "FAILED", "RequestId": body.get("RequestId"), "Reason": reason,
                    "PhysicalResourceId": body.get("PhysicalResourceId")}  # fmt: skip
        names = request.match_info
        caller = Caller(user_id="", project_id=names["project"])
        answer = await _refused(self._engine.respond(caller, names["stack"], names["address"], body))
        if answer is None and size > _LARGEST_RESPONSE:
            return _refusal(400, "ValidationError", f"{body['Reason']}.")
        return answer or web.Response()

    async def _send(self, request: web.Request, signal: Signal) -> web.Response | None:
        """None when it was taken."""
        names = request.match_info
        caller = Caller(user_id="", project_id=names["project"])
        return await _refused(self._engine.signal(caller, names["stack"], names["address"], signal))


async def _refused(taking: Awaitable[None]) -> web.Response | None:
    """None when it was taken."""
    try:
        await taking
    except (StackNotFound, ResourceNotFound) as error:
        return _refusal(404, "ResourceNotFound", str(error))
    except (Refused, Invalid) as error:
        return _refusal(400, "ValidationError", str(error))
    return None


async def _json(request: web.Request, *, optional: bool = False) -> dict[str, Any] | web.Response:
    content = await _content(request)
    if isinstance(content, web.Response):
        return content
    return {} if optional and not content.strip() else _object(content)


async def _content(request: web.Request) -> bytes | web.Response:
    content = bytearray()
    async for chunk in request.content.iter_chunked(_LARGEST_BODY):
        content += chunk
        if len(content) > _LARGEST_BODY:
            return _refusal(413, "RequestEntityTooLarge", f"The body may have at most {_LARGEST_BODY} bytes.")
    return bytes(content)


def _object(content: bytes) -> dict[str, Any] | web.Response:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return _refusal(400, "ValidationError", f"The body is not JSON: {error}.")
    if not isinstance(body, dict):
        return _refusal(400, "ValidationError", "The body must be a JSON object.")
    return body


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _refusal(status: int, code: str, message: str) -> web.Response:
    text = f"<ErrorResponse><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error></ErrorResponse>"
    return web.Response(status=status, text=text, content_type="text/xml")
