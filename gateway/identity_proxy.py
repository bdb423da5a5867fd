"""A real cloud's Keystone with two endpoints more in its catalogue, so that clients find Isotherm as they find Nova.

Mounted at `/identity/`: requests go to the configured Keystone and to nothing else; in tokens and catalogues that come
back, `orchestration` and `cloudformation` are added, and version documents lead to the proxy.
"""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from yarl import URL

_SECONDS = 60
_LARGEST_REQUEST = 256 * 1024  # bytes; a federated login's assertion is the largest thing that is sent here
_LARGEST_ANSWER = 8 * 1024 * 1024
_CONNECTIONS = 100
_PASSED = ("accept", "authorization", "content-type", "openstack-api-version", "openstack-auth-receipt", "user-agent",
           "x-auth-token", "x-openstack-request-id", "x-service-token", "x-subject-token")  # fmt: skip
_RETURNED = ("allow", "content-type", "location", "openstack-auth-receipt", "retry-after", "vary", "www-authenticate",
             "x-openstack-request-id", "x-subject-token")  # fmt: skip
_OURS = ("orchestration", "cloudformation")
_INTERFACES = ("public", "internal", "admin")


class _TooLarge(Exception):
    """More bytes than are held in memory for anybody."""


class IdentityProxy:
    """`keystone` is the root that holds `/v3`, `url` the gateway's own, `tls` what Keystone's certificate is checked
    with."""

    def __init__(self, keystone: str, url: str, tls: ssl.SSLContext | bool = True) -> None:
        self._keystone, self._url, self._tls = URL(keystone.rstrip("/")), url.rstrip("/"), tls
        self._session: aiohttp.ClientSession | None = None

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/identity", self.handle), web.route("*", "/identity/{path:.*}", self.handle)]

    async def close(self, _app: web.Application) -> None:
        if self._session is not None:
            await self._session.close()

    async def handle(self, request: web.Request) -> web.Response:
        """Pass the request on, and the answer back."""
        path = request.rel_url.raw_path.removeprefix("/identity").strip("/")
        if any(step in (".", "..") for step in URL(f"/{path}", encoded=True).path.split("/")):
            return _refusal(400, "Bad Request", "The path must not have steps upwards.")
        try:
            body = await _whole(request.content, _LARGEST_REQUEST)
        except _TooLarge:
            return _refusal(413, "Request Entity Too Large", f"At most {_LARGEST_REQUEST} bytes can be sent.")
        try:
            return await self._passed_on(request, path, body)
        except _TooLarge:
            return _refusal(502, "Bad Gateway", "Keystone's answer is larger than expected.")
        except (aiohttp.ClientError, TimeoutError) as error:
            said = str(error) or type(error).__name__
            return _refusal(503, "Service Unavailable", f"Keystone at {self._keystone} cannot be reached: {said}")

    async def _passed_on(self, request: web.Request, path: str, body: bytes) -> web.Response:
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        async with self._client().request(
            request.method, self._place(path, request.rel_url.raw_query_string), data=body or None, headers=headers,
            allow_redirects=False,
        ) as answer:  # fmt: skip
            content = await _whole(answer.content, _LARGEST_ANSWER)
            returned = {name: answer.headers[name] for name in _RETURNED if name in answer.headers}
            if "location" in returned:
                returned["location"] = returned["location"].replace(f"{self._keystone}/", f"{self._url}/identity/", 1)
        rewritten = await self._rewritten(request, path, answer.status, content)
        return web.Response(status=answer.status, body=rewritten, headers=returned)

    def _place(self, path: str, query: str = "") -> URL:
        return URL(f"{self._keystone}/{path}{'?' if query else ''}{query}", encoded=True)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_SECONDS),
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=self._tls),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    # --- answers ------------------------------------------------------------------------------------------------------
    async def _rewritten(self, request: web.Request, path: str, status: int, content: bytes) -> bytes:
        """Add our endpoints to catalogues; lead the links of version documents to the proxy."""
        of_versions, of_tokens = path in ("", "v3"), path in ("v3/auth/tokens", "v3/auth/catalog")
        if status >= 400 or not (of_versions or of_tokens) or not content.startswith(b"{"):
            return content
        document = orjson.loads(content)
        if of_versions:
            self._lead_here(document)
        elif isinstance(document.get("token"), dict):
            token = document["token"]
            if isinstance(token.get("catalog"), list):
                self._add(token["catalog"], (token.get("project") or {}).get("id"))
        elif isinstance(document.get("catalog"), list):
            self._add(document["catalog"], await self._project_of(request.headers.get("X-Auth-Token", "")))
        return orjson.dumps(document)

    def _lead_here(self, document: dict[str, Any]) -> None:
        listed = document.get("versions")
        found = listed.get("values", []) if isinstance(listed, dict) else [document.get("version") or {}]
        for version in found:
            for link in version.get("links", ()):
                if link.get("rel") == "self":
                    link["href"] = f"{self._url}/identity/v3/"

    async def _project_of(self, token: str) -> str | None:
        """A catalogue alone does not say for which project it is; its token does."""
        headers = {"X-Auth-Token": token, "X-Subject-Token": token}
        async with self._client().get(self._place("v3/auth/tokens", "nocatalog"), headers=headers) as answer:
            if answer.status != 200:
                return None
            document = orjson.loads(await _whole(answer.content, _LARGEST_ANSWER))
        project: Mapping[str, Any] = document.get("token", {}).get("project") or {}
        return project.get("id")

    def _add(self, catalog: list[dict[str, Any]], project_id: str | None) -> None:
        """Of a token without a project (a domain's, the system's) nothing can be orchestrated."""
        catalog[:] = [service for service in catalog if service.get("type") not in _OURS]
        if project_id is None:
            return
        regions = {end.get("region_id") for service in catalog for end in service.get("endpoints", ())} or {"RegionOne"}
        for kind, name, path in (
            ("orchestration", "isotherm", f"/v1/{project_id}"),
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
                for interface in _INTERFACES
            ]
            identity = uuid.uuid5(uuid.NAMESPACE_URL, self._url + kind).hex
            catalog.append({"id": identity, "type": kind, "name": name, "endpoints": endpoints})


async def _whole(content: aiohttp.StreamReader, most: int) -> bytes:
    """All of a body. Raises _TooLarge."""
    found = bytearray()
    async for chunk in content.iter_any():
        found += chunk
        if len(found) > most:
            raise _TooLarge
    return bytes(found)


def _refusal(status: int, title: str, message: str) -> web.Response:
    """In Keystone's form."""
    return web.json_response({"error": {"code": status, "title": title, "message": message}}, status=status)
