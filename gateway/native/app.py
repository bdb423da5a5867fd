"""The endpoint: what happens to a request of the native API, from its first byte to its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog
from aiohttp import web

from engine.door import Engine
from engine.model.stack import Caller
from gateway.auth.policy import Policy
from gateway.auth.tokens import TokenSource, Unauthorized, caller_of
from gateway.context import RequestContext, new_request_id
from gateway.native.call import Call
from gateway.native.faults import Fault, bad_request, fault_of, response
from gateway.native.routes import ROUTES, Route
from gateway.native.settings import NativeSettings
from gateway.native.views import Links

log = structlog.get_logger(__name__)
_PREFIXES = ("/v1/{tenant_id}", "/v1.0/{tenant_id}")  # static beginnings: the router finds them by index
_JSON_TYPES = ("", "text/plain", "application/json", "application/octet-stream")


class NativeApi:
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
            found += [web.route(m, prefix + route.path, handler) for prefix in _PREFIXES for m in route.methods]
        for path, allowed in methods.items():
            if path != "/services":
                found += [web.route("OPTIONS", prefix + path, _options(allowed)) for prefix in _PREFIXES]
        return found

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            request_id = new_request_id()
            try:
                async with asyncio.timeout(self._settings.seconds):
                    answer = await self._answer(route, request, request_id)
            except Unauthorized:
                return _unauthorized(request, request_id)
            except Exception as error:  # the border: whatever it is, the client gets a fault it understands
                return self._refuse(request, error, request_id)
            answer.headers["X-Openstack-Request-Id"] = f"req-{request_id}"
            return answer

        return handle

    async def _answer(self, route: Route, request: web.Request, request_id: str) -> web.Response:
        caller = await caller_of(self._tokens, request.headers.get("X-Auth-Token"), request_id)
        tenant = _tenant(request, caller)
        body = await self._body(request)
        links = Links(f"{request.url.origin()}/{request.path.split('/', 2)[1]}", tenant)

        def allows(rule: str) -> bool:
            return self._policy.allows(rule, caller, tenant)

        if not allows(route.rule):
            raise Fault(403, "Forbidden", "You are not authorized to complete this action.")
        deadline = asyncio.get_running_loop().time() + self._settings.seconds
        call = Call(
            request, RequestContext(request_id, caller, tenant, deadline), self._engine, self._settings, self._fetch,
            allows, dict(request.match_info), body, links, _query(request),
        )  # fmt: skip
        return await route.handler(call)

    async def _body(self, request: web.Request) -> dict[str, Any] | None:
        """APIX-08 and APIX-09."""
        if not request.can_read_body or request.content_type not in _JSON_TYPES:
            return None
        limit = self._settings.max_json_body_size
        content = bytearray()
        async for chunk in request.content.iter_any():
            content += chunk
            if len(content) > limit:
                raise Fault(400, "RequestLimitExceeded", f"Request limit exceeded: JSON body size exceeds maximum "
                            f"allowed size ({limit} bytes).")  # fmt: skip
        if bytes(content[:1]) != b"{":
            return None
        try:
            found = orjson.loads(bytes(content))
        except orjson.JSONDecodeError as error:
            raise bad_request(f"The body is no JSON document: {error}") from error
        return found if isinstance(found, dict) else None

    def _refuse(self, request: web.Request, error: Exception, request_id: str) -> web.Response:
        if isinstance(error, TimeoutError):
            return response(Fault(503, "ServiceUnavailable", "The request took too long; try again."), request_id)
        fault = fault_of(error)
        if fault is None:
            log.error("a request failed", request_id=request_id, path=request.path, exc_info=error)
            fault = Fault(500, type(error).__name__, "The request failed by a fault of Isotherm; its log says more.")
        return response(fault, request_id)


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


def _unauthorized(request: web.Request, request_id: str) -> web.Response:
    """ERR-44: plain text."""
    return web.Response(
        status=401,
        text="Authentication required",
        headers={"WWW-Authenticate": "Keystone", "X-Openstack-Request-Id": f"req-{request_id}"},
    )


def _options(allowed: list[str]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=204, headers={"Allow": ",".join(sorted(set(allowed)))})

    return handle


async def versions(request: web.Request) -> web.Response:
    """API-01."""
    link = {"rel": "self", "href": f"{request.url.origin()}/v1/"}
    body = {"versions": [{"id": "v1.0", "status": "CURRENT", "links": [link]}]}
    return web.Response(status=300, body=orjson.dumps(body), content_type="application/json")


@web.middleware
async def native_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Unknown methods and places below `/v1` are answered as Heat answers them (APIX-02, APIX-03)."""
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed as error:
        if not request.path.startswith("/v1"):
            raise
        answer = response(
            Fault(405, "HTTPMethodNotAllowed", "The method specified is not allowed for this resource."),
            new_request_id(),
        )
        answer.headers["Allow"] = ",".join(sorted(error.allowed_methods))
        return answer
    except web.HTTPNotFound:
        if request.path.startswith(("/v2/", "/v1.1/", "/v1.2/")):
            return await versions(request)
        raise
