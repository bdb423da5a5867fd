"""The gateway's application: middlewares in order, then every endpoint's routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from engine.cloud.identity import Identity
from engine.door import Engine
from gateway.aws.app import AwsEndpoint, AwsSettings
from gateway.identity_proxy import IdentityProxy
from gateway.native.app import NativeApi, NativeSettings
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
    policy_file: str | None = None
    keystone: str | None = None


def build(parts: GatewayParts) -> web.Application:
    """Return the application; nothing is started."""
    app = web.Application(client_max_size=_LARGEST_BODY)
    app.router.add_get("/healthcheck", _healthy)
    app.add_routes(SignalEndpoint(parts.engine, parts.urls).routes())
    if parts.keystone is not None:
        app.add_routes(IdentityProxy(parts.keystone, parts.url).routes())
    native = NativeApi(parts.engine, parts.identity, NativeSettings(policy_file=parts.policy_file), parts.fetch)
    app.add_routes(native.routes())
    aws = AwsEndpoint(parts.engine, parts.identity, AwsSettings(region=parts.region), parts.fetch)
    app.add_routes(aws.routes())
    return app


async def _healthy(request: web.Request) -> web.Response:
    return web.Response(text="OK")

