"""A real cloud's Keystone with two endpoints more in its catalogue, so that clients find Isotherm as they find Nova.

Mounted at `/identity/`: requests go to the configured Keystone and to nothing else; in tokens and catalogues that come
back, `orchestration` and `cloudformation` are added.
"""

from __future__ import annotations

import uuid
from typing import Any

import aiohttp
import orjson
from aiohttp import web

_SECONDS = 60
_LARGEST = 8 * 1024 * 1024  # bytes of an answer that is rewritten
_PASSED = ("content-type", "accept", "x-auth-token", "x-subject-token", "openstack-api-version", "user-agent",
           "openstack-auth-receipt")  # fmt: skip
_RETURNED = ("content-type", "x-subject-token", "vary", "x-openstack-request-id", "www-authenticate", "location",
             "openstack-auth-receipt")  # fmt: skip


class IdentityProxy:
    """`keystone` is the root that holds `/v3`; `url` is the gateway's own."""

    def __init__(self, keystone: str, url: str) -> None:
        self._keystone, self._url = keystone.rstrip("/"), url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/identity", self.handle), web.route("*", "/identity/{path:.*}", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        """Pass the request on, and the answer back."""
        path = request.match_info.get("path", "")
        query = f"?{request.query_string}" if request.query_string else ""
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        body = await request.read()
        try:
            async with self._client().request(
                request.method, f"{self._keystone}/{path}{query}", data=body or None, headers=headers,
                allow_redirects=False,
            ) as answer:  # fmt: skip
                content = await answer.content.read(_LARGEST + 1)
                if len(content) > _LARGEST:
                    return web.json_response({"error": {"code": 502, "message": "Keystone's answer is too large."}},
                                             status=502)  # fmt: skip
                returned = {name: answer.headers[name] for name in _RETURNED if name in answer.headers}
                return web.Response(status=answer.status, body=self._rewritten(path, content), headers=returned)
        except (aiohttp.ClientError, TimeoutError) as error:
            message = f"Keystone at {self._keystone} cannot be reached: {str(error) or type(error).__name__}"
            return web.json_response({"error": {"code": 503, "title": "Service Unavailable", "message": message}},
                                     status=503)  # fmt: skip

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS))
        return self._session

    async def close(self, _app: web.Application) -> None:
        if self._session is not None:
            await self._session.close()

    def _rewritten(self, path: str, content: bytes) -> bytes:
        """Add our endpoints to catalogues; lead the links of version documents to the proxy."""
        if not content.startswith(b"{"):
            return content
        if path.rstrip("/") in ("", "v3"):
            return content.replace(f"{self._keystone}/".encode(), f"{self._url}/identity/".encode())
        if not path.startswith("v3/auth/"):
            return content
        document = orjson.loads(content)
        token = document.get("token")
        if isinstance(token, dict) and isinstance(token.get("catalog"), list):
            self._add(token["catalog"], token.get("project") or {})
        elif isinstance(document.get("catalog"), list):
            self._add(document["catalog"], {})
        else:
            return content
        return orjson.dumps(document)

    def _add(self, catalog: list[dict[str, Any]], project: dict[str, Any]) -> None:
        regions = {e.get("region_id") for service in catalog for e in service.get("endpoints", ())} or {"RegionOne"}
        kept = [service for service in catalog if service.get("type") not in ("orchestration", "cloudformation")]
        catalog[:] = kept
        for kind, name, path in (
            ("orchestration", "isotherm", f"/v1/{project.get('id', '')}"),
            ("cloudformation", "isotherm-cfn", "/"),
        ):
            endpoints = [
                {
                    "id": uuid.uuid5(uuid.NAMESPACE_URL, f"{self._url}{path}{region}{interface}").hex,
                    "interface": interface,
                    "region": region,
                    "region_id": region,
                    "url": f"{self._url}{path}",
                }
                for region in sorted(regions, key=str)
                for interface in ("public", "internal", "admin")
            ]
            identity = uuid.uuid5(uuid.NAMESPACE_URL, self._url + kind).hex
            catalog.append({"id": identity, "type": kind, "name": name, "endpoints": endpoints})
