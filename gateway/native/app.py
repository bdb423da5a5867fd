"""The endpoint: what happens to a request of the native API, from its first byte to its answer."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
import structlog
from aiohttp import web

from engine.door import Engine
from engine.model.stack import Caller
from gateway.auth.policy import Policy
from gateway.auth.tokens import TokenSource, Unauthorized, caller_of
from gateway.context import RequestContext, new_request_id
from gateway.native.call import Call
from gateway.native.faults import Fault, bad_request, fault_of, forbidden, response, unavailable
from gateway.native.routes import ROUTES, WITHOUT_OPTIONS, Route
from gateway.native.settings import NativeSettings
from gateway.native.views import Links

log = structlog.get_logger(__name__)
_PREFIXES = ("/v1/{tenant_id}", "/v1.0/{tenant_id}")  # static beginnings: the router finds them by index
_REQUEST_ID: Final = "X-Openstack-Request-Id"
_JSON_TYPES = ("", "text/plain", "application/json")
_LONG_NUMBER = re.compile(rb"\d{19}")  # may be beyond 64 bits
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class NativeApi:
    """`tokens` says who a token stands for, `fetch` reads a template's URL. Its routes and `native_errors` belong
    together."""

    def __init__(
        self, engine: Engine, tokens: TokenSource, settings: NativeSettings, fetch: Callable[[str], Awaitable[str]]
    ) -> None:
        self._engine, self._tokens, self._settings, self._fetch = engine, tokens, settings, fetch
        self._policy = Policy(settings.policy_file)

    def routes(self) -> list[web.RouteDef]:
        """To be added in this order; OPTIONS of each path tells its methods (APIX-01)."""
        found = [web.get("/versions", versions, allow_head=False)]
        methods: dict[str, list[str]] = {}
        for route in ROUTES:
            methods.setdefault(route.path, []).extend(route.methods)
        for route in ROUTES:
            handler = self._handler(route)
            found += [_route(m, prefix + route.path, handler) for prefix in _PREFIXES for m in route.methods]
        for path, allowed in methods.items():
            if path not in WITHOUT_OPTIONS:
                found += [web.route("OPTIONS", prefix + path, _options(allowed)) for prefix in _PREFIXES]
        return found

    def _handler(self, route: Route) -> _Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            request_id = new_request_id()
            try:
                async with asyncio.timeout(self._settings.seconds):
                    answer = await self._answer(route, request, request_id)
            except Unauthorized:
                answer = self._unauthorized()
            except Exception as error:  # the border: whatever it is, the client gets a fault it understands
                answer = response(self._fault(request, error, request_id))
            answer.headers[_REQUEST_ID] = f"req-{request_id}"
            return answer

        return handle

    async def _answer(self, route: Route, request: web.Request, request_id: str) -> web.Response:
        caller, token = await caller_of(self._tokens, request.headers.get("X-Auth-Token"), request_id)
        tenant = _tenant(request, caller)
        await self._policy.ready()
        if route.rule is not None and not self._policy.allows(route.rule, caller, tenant):
            raise forbidden()
        body = await self._body(request)
        deadline = asyncio.get_running_loop().time() + self._settings.seconds
        call = Call(
            request=request,
            context=RequestContext(request_id, caller, tenant, deadline),
            token=token,
            engine=self._engine,
            policy=self._policy,
            settings=self._settings,
            fetch=self._fetch,
            body=body,
            links=Links(f"{request.url.origin()}/{request.path.split('/', 2)[1]}", tenant),
            query=_query(request),
        )
        try:
            return await route.handler(call)
        except Exception as error:
            # Lines and columns tell something only to those who sent a text: not a map, and not the one kept before.
            fault = fault_of(error, lines=body is None or isinstance(body.get("template"), str))
            if fault is None or fault is error:
                raise
            raise fault from error

    async def _body(self, request: web.Request) -> dict[str, Any] | None:
        """APIX-08 and APIX-09."""
        stated = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if not request.can_read_body or stated not in _JSON_TYPES:
            return None
        limit = self._settings.max_json_body_size
        content = bytearray()
        try:
            async for chunk in request.content.iter_any():
                content += chunk
                if len(content) > limit:
                    raise Fault(400, "RequestLimitExceeded", f"Request limit exceeded: JSON body size exceeds maximum "
                                f"allowed size ({limit} bytes).")  # fmt: skip
        except web.RequestPayloadError as error:
            raise bad_request(f"The body cannot be read: {error}") from error
        if bytes(content[:1]) != b"{":
            return None
        try:
            found = _document(bytes(content))
        except ValueError as error:
            raise bad_request(f"The body is no JSON document: {error}") from error
        return found if isinstance(found, dict) else None

    def _fault(self, request: web.Request, error: Exception, request_id: str) -> Fault:
        if isinstance(error, TimeoutError):
            return unavailable("The request took too long; try again.")
        if isinstance(error, RecursionError):
            return bad_request("The body is nested too deeply.")
        if isinstance(error, web.HTTPException):
            return Fault(error.status, type(error).__name__, error.reason)
        fault = fault_of(error)
        if fault is None:
            log.error("a request failed", request_id=request_id, path=request.path, exc_info=error)
            fault = Fault(500, type(error).__name__, "The request failed by a fault of Isotherm; its log says more.")
        return fault

    def _unauthorized(self) -> web.Response:
        """ERR-44: plain text."""
        uri = self._settings.www_authenticate_uri
        told = f'Keystone uri="{uri}"' if uri else "Keystone"
        return web.Response(status=401, text="Authentication required", headers={"WWW-Authenticate": told})


def _document(content: bytes) -> Any:
    """What JSON says. Whole numbers beyond 64 bits, of which orjson makes fractions, keep their last digits."""
    found = orjson.loads(content)
    return json.loads(content) if _LONG_NUMBER.search(content) else found


def _route(method: str, path: str, handler: _Handler) -> web.RouteDef:
    """HEAD is not supported (APIX-02)."""
    return web.get(path, handler, allow_head=False) if method == "GET" else web.route(method, path, handler)


def _tenant(request: web.Request, caller: Caller) -> str:
    """APIX-06."""
    tenant = request.match_info["tenant_id"]
    if tenant != caller.project_id:
        if caller.is_admin:
            return caller.project_id
        raise Fault(403, "InvalidTenant", f"Searching Tenant {tenant} from Tenant {caller.project_id} forbidden.")
    return tenant


def _query(request: web.Request) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in request.query.items():
        found.setdefault(name, []).append(value)
    return found


def _options(allowed: list[str]) -> _Handler:
    allow = ",".join(sorted(set(allowed)))

    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=204, headers={"Allow": allow})

    return handle


async def versions(request: web.Request) -> web.Response:
    """API-01."""
    link = {"rel": "self", "href": f"{request.url.origin()}/v1/"}
    body = {"versions": [{"id": "v1.0", "status": "CURRENT", "links": [link]}]}
    return web.Response(status=300, body=orjson.dumps(body), content_type="application/json")


_OURS = ("/v1/", "/v1.0/")
_OTHER_VERSIONS = ("/v2/", "/v1.1/", "/v1.2/")


@web.middleware
async def native_errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Unknown methods and places below `/v1` are answered as Heat answers them (APIX-02, APIX-03, APIX-16)."""
    path = request.path
    if not path.startswith((*_OURS, *_OTHER_VERSIONS)):
        return await handler(request)
    answer: web.StreamResponse
    try:
        answer = await handler(request)
    except web.HTTPMethodNotAllowed as error:
        answer = _not_allowed(path, error)
    except web.HTTPNotFound:
        answer = await versions(request) if path.startswith(_OTHER_VERSIONS) else _nowhere()
    if _REQUEST_ID not in answer.headers:
        answer.headers[_REQUEST_ID] = f"req-{new_request_id()}"
    return answer


def _not_allowed(path: str, error: web.HTTPMethodNotAllowed) -> web.Response:
    if path.endswith(WITHOUT_OPTIONS):
        return _nowhere()
    answer = response(
        Fault(405, "HTTPMethodNotAllowed", "The method specified is not allowed for this resource.")
    )  # fmt: skip
    answer.headers["Allow"] = ",".join(sorted(error.allowed_methods - {"OPTIONS"}))
    return answer


def _nowhere() -> web.Response:
    return web.Response(status=404, text="404 Not Found\n\nThe resource could not be found.\n\n   ")
