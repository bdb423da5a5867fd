"""The native API served in a thread, with a real engine on a database of its own, and clients of it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import requests
from aiohttp import web
from cryptography.fernet import Fernet
from heatclient.client import Client

from engine.cloud.errors import NotFound, Permanent
from engine.cloud.identity import InvalidToken
from engine.cloud.token import TokenInfo
from engine.door import Engine
from engine.door.lifecycle import EngineParts
from engine.resources.registry import Registry
from engine.runs.context import EngineSettings
from engine.state.database import Database
from engine.state.vault import Vault
from gateway.fetch import Fetcher, FetchSettings
from gateway.log import configure
from gateway.native.app import NativeApi, native_errors, versions
from gateway.native.settings import NativeSettings
from gateway.signals import SignalUrls
from mappings import Mappings
from tests.gateway.beside import Beside
from translators.translator import Translator

PROJECT, OTHER_PROJECT = "3f1b8d0c5a7e4f2f9d6c1b2a3e4d5f60", "00000000000000000000000000000002"
KEYSTONE = "http://keystone.example:5000/v3"
_CATALOG = ({"type": "compute"}, {"type": "network"}, {"type": "volumev3"}, {"type": "identity"})


def person(name: str, *roles: str, project: str = PROJECT, catalog: tuple[Mapping[str, str], ...] = ()) -> TokenInfo:
    return TokenInfo(
        f"u-{name}", name, "default", "Default", project, "demo", "default", "Default", roles,
        expires_at=time.time() + 3600, catalog=catalog,
    )  # fmt: skip


class Tokens:
    """A source of tokens; `trouble` is raised in place of an answer."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.known = {
            "member": person("demo", "member", "reader"),
            "reader": person("reader", "reader"),
            "admin": person("admin", "admin", catalog=_CATALOG),
            "agent": person("agent", "heat_stack_user"),
            "nobody": person("nobody", "other"),
            "other": person("other", "member", project=OTHER_PROJECT),
            "other-admin": person("root", "admin", project=OTHER_PROJECT),
            "small-cloud": person("demo", "admin", catalog=({"type": "network"},)),
            "unscoped": person("demo", project=""),
        }

    async def validate_token(self, token: str) -> TokenInfo:
        if self.trouble is not None:
            raise self.trouble
        if token not in self.known:
            raise InvalidToken("no such token", status=401)
        return self.known[token]


class EmptyCloud:
    """A cloud without a single service: enough for stacks that live in the engine alone."""

    async def services(self) -> frozenset[str]:
        return frozenset()

    async def request(self, service: str, method: str, path: str, **more: Any) -> Any:
        raise Permanent(f"This cloud has no {service} service.")

    async def resolve(self, kind: str, value: str) -> str:
        raise NotFound(f"There is no {kind} {value}.", status=404)

    async def resolve_all(self, kind: str, names: Collection[str]) -> Mapping[str, NotFound]:
        return {name: NotFound(f"There is no {kind} {name}.", status=404) for name in names}


class Clouds:
    async def for_caller(self, caller: Any) -> Any:
        return EmptyCloud()

    async def establish(self, caller: Any) -> Mapping[str, Any]:
        return {"of": caller.user_id}

    async def for_delegation(self, delegation: Any) -> Any:
        return EmptyCloud()

    async def revoke(self, delegation: Any) -> None:
        """There is nothing to give back."""


class Served(Beside):
    """The native API on an engine of its own."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        self._place = place
        self.tokens = Tokens()
        self.files: dict[str, str] = {}
        self.url = ""

    async def _open(self) -> None:
        configure()
        fetcher = Fetcher(FetchSettings(allowed_networks=["127.0.0.1/32"]))
        urls = SignalUrls(b"a secret of the server", "")
        self.engine = Engine.of(
            EngineParts(
                database=Database(f"sqlite+aiosqlite:///{self._place / 'state.db'}"),
                vault=Vault([Fernet.generate_key().decode()]), translator=Translator(Mappings([])), clouds=Clouds(),
                registry=Registry(plugins=False), fetch=fetcher.fetch, signal_url=urls.make_url,
                settings=EngineSettings(settle=0.1, max_stacks_per_tenant=400),
            )
        )  # fmt: skip
        await self.engine.start()
        api = NativeApi(
            self.engine, self.tokens, NativeSettings(revision="r1", www_authenticate_uri=KEYSTONE), fetcher.fetch
        )
        app = web.Application(middlewares=[native_errors])
        app.add_routes([web.get("/", versions), *api.routes(), web.get("/files/{name}", self._file)])
        app.add_routes([web.get("/v3", self._keystone), web.post("/v3/auth/tokens", self._token)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _close(self) -> None:
        await self._runner.cleanup()
        await self.engine.stop()

    async def _file(self, request: web.Request) -> web.Response:
        text = self.files.get(request.match_info["name"])
        return web.Response(status=404) if text is None else web.Response(text=text)

    async def _keystone(self, request: web.Request) -> web.Response:
        links = [{"rel": "self", "href": f"{self.url}/v3"}]
        return web.json_response({"version": {"id": "v3.14", "status": "stable", "links": links}})

    async def _token(self, request: web.Request) -> web.Response:
        """A token `member`, whose catalogue leads here."""
        place = {"interface": "public", "region": "R", "region_id": "R", "url": f"{self.url}/v1/{PROJECT}"}
        catalog = [{"type": "orchestration", "name": "isotherm", "endpoints": [place]}]
        told = {"methods": ["password"], "expires_at": "2100-01-01T00:00:00.000000Z", "catalog": catalog,
                "project": {"id": PROJECT, "name": "demo", "domain": {"id": "default", "name": "Default"}}}  # fmt: skip
        return web.json_response({"token": told}, status=201, headers={"X-Subject-Token": "member"})

    # --- clients ------------------------------------------------------------------------------------------------------
    def heat(self, token: str = "member", project: str = PROJECT) -> Any:
        """python-heatclient, unmodified."""
        return Client("1", endpoint=f"{self.url}/v1/{project}", token=token)

    def ask(
        self, method: str, path: str, *, token: str | None = "member", project: str = PROJECT, prefix: str = "/v1",
        headers: Mapping[str, str] | None = None, **request: Any,
    ) -> requests.Response:  # fmt: skip
        """A plain request below the project's path; redirects are not followed."""
        sent = {**({"X-Auth-Token": token} if token else {}), **(headers or {})}
        return requests.request(
            method, f"{self.url}{prefix}/{project}{path}", headers=sent, allow_redirects=False, timeout=30, **request
        )
