"""The gateway's application: middlewares in order, then every endpoint's routes."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from engine.cloud.identity import Identity
from engine.door import Engine
from gateway.aws.app import AwsEndpoint, AwsSettings
from gateway.identity_proxy import IdentityProxy
from gateway.native.app import NativeApi, native_errors, versions
from gateway.native.settings import NativeSettings
from gateway.signals import SignalEndpoint, SignalUrls

# The native API's largest body (heat.md APIX-09) with room for what JSON adds; AWS's own limit is smaller (Q03).
_LARGEST_BODY = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class GatewayParts:
    """What the composition root brings. `keystone`: the real Keystone behind the identity proxy, None when clients
    reach the cloud's Keystone themselves."""

    engine: Engine
    identity: Identity
    urls: SignalUrls
    fetch: Callable[[str], Awaitable[str]]
    region: str
    url: str
    max_nested_stack_depth: int
    authenticate_at: str  # Keystone's address, told to clients that come without a token
    policy_file: str | None = None
    keystone: str | None = None
    keystone_tls: ssl.SSLContext | bool = True


def build(parts: GatewayParts) -> web.Application:
    """Return the application; nothing is started."""
    app = web.Application(client_max_size=_LARGEST_BODY, middlewares=[native_errors])
    app.router.add_get("/healthcheck", _healthy)

    async def let_go(_app: web.Application) -> None:
        parts.engine.release()

    app.on_shutdown.append(let_go)
    app.add_routes(SignalEndpoint(parts.engine, parts.urls).routes())
    if parts.keystone is not None:
        proxy = IdentityProxy(parts.keystone, parts.url, parts.keystone_tls)
        app.add_routes(proxy.routes())
        app.on_cleanup.append(proxy.close)
    settings = NativeSettings(
        policy_file=parts.policy_file,
        max_nested_stack_depth=parts.max_nested_stack_depth,
        www_authenticate_uri=parts.authenticate_at,
    )
    app.add_routes(NativeApi(parts.engine, parts.identity, settings, parts.fetch).routes())
    aws = AwsEndpoint(parts.engine, parts.identity, AwsSettings(region=parts.region), parts.fetch)
    app.add_routes([web.post("/", aws.handle), web.get("/", _root(aws), allow_head=False)])
    return app


def _root(aws: AwsEndpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """`GET /` is version discovery (API-01) unless it is an AWS query request (W04)."""

    async def handle(request: web.Request) -> web.StreamResponse:
        signed = "Authorization" in request.headers or "X-Amz-Signature" in request.query
        if signed or "Action" in request.query or "Signature" in request.query:
            return await aws.handle(request)
        return await versions(request)

    return handle


async def _healthy(request: web.Request) -> web.Response:
    return web.Response(text="OK")
