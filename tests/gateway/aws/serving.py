"""A server of the AWS endpoint in a thread, with a real engine on a database of its own, and boto3 clients of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from aiohttp import web
from botocore.config import Config
from cryptography.fernet import Fernet

from engine.cloud.errors import Permanent
from engine.cloud.identity import InvalidToken, UnknownKey
from engine.door import Engine
from engine.door.lifecycle import EngineParts
from engine.model.source import Examined
from engine.resources.registry import Registry
from engine.runs.context import EngineSettings
from engine.state.database import Database
from engine.state.vault import Vault
from gateway.aws.app import AwsEndpoint, AwsSettings
from gateway.fetch import Fetcher, FetchSettings
from gateway.signals import SignalEndpoint, SignalUrls
from gateway.transforms import TransformRunners
from tests.gateway.beside import Beside
from translators import cfn, hot
from translators.parsing import outline
from translators.source import read

REGION = "RegionOne"
PROJECT, OTHER_PROJECT = "3f1b8d0c5a7e4f2f9d6c1b2a3e4d5f60", "00000000000000000000000000000002"


@dataclass(frozen=True, slots=True)
class Key:
    access: str
    secret: str
    user_id: str
    user_name: str
    project_id: str
    project_name: str
    roles: tuple[str, ...] = ("member",)
    is_admin: bool = False


class Keys:
    """A source of keys; access keys that begin with `hidden` may only be checked by `ec2_token`."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.refusal: int | None = None  # the status of Keystone's refusal
        self.known = {
            key.access: key
            for key in (
                Key("AKDEMO", "demo-secret", "u-demo", "demo", PROJECT, "demo"),
                Key("AKOTHER", "other-secret", "u-other", "other", OTHER_PROJECT, "other"),
                Key("hidden", "hidden-secret", "u-demo", "demo", PROJECT, "demo"),
            )
        }

    async def ec2_secret(self, access: str) -> Key | None:
        if access not in self.known:
            raise UnknownKey("no such key", status=404)
        return None if access.startswith("hidden") else self.known[access]

    async def ec2_token(self, signed: Any) -> Key:
        self.asked.append(dict(signed))
        if self.refusal is not None:
            raise InvalidToken("no", status=self.refusal)
        return self.known[signed["access"]]


class Parsing:
    """Templates as they are written, for resources that need no mapping."""

    def translate(self, source: Any) -> Any:
        tree = read(source.text, name=source.name)
        dialect = hot if tree.kind == "map" and tree.get("heat_template_version") is not None else cfn
        return dialect.parse(tree, source)

    def examine(self, source: Any) -> Any:
        return Examined(self.translate(source))

    def outline(self, source: Any) -> Any:
        return outline(source)

    def written_as(self, kind: str, member: str, name: str) -> Any:
        return None


class NoClouds:
    """There is no cloud, so nothing may ask for one."""

    async def for_caller(self, caller: Any) -> Any:
        raise Permanent("there is no cloud in this test")

    establish = for_delegation = revoke = for_caller


class TransformsHere:
    """The gateway's transforms, with the macros that the served one has at the moment."""

    def __init__(self, served: Served) -> None:
        self._served = served

    async def macro(self, name: str, event: Any) -> Any:
        urls = {one: f"{self._served.url}/macros/{one}" for one in self._served.macros}
        return await TransformRunners({**urls, "Nowhere": "http://127.0.0.1:1/"}).macro(name, event)

    async def serverless(self, document: str) -> str:
        return await TransformRunners({}).serverless(document)


class Served(Beside):
    """CloudFormation's API on an engine of its own."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        self._place = place
        self.keys = Keys()
        self.files: dict[str, bytes] = {}
        self.macros: dict[str, Any] = {}  # name → what answers its events
        self.engine: Any = None
        self.url = ""

    async def _open(self) -> None:
        fetcher = Fetcher(FetchSettings(allowed_networks=["127.0.0.1/32"]))
        self.urls = SignalUrls(b"a secret of the server", "")
        self.engine = Engine.of(
            EngineParts(
                database=Database(f"sqlite+aiosqlite:///{self._place / 'state.db'}"),
                vault=Vault([Fernet.generate_key().decode()]), translator=Parsing(), clouds=NoClouds(),
                registry=Registry(plugins=False), fetch=fetcher.fetch, transforms=TransformsHere(self),
                signal_url=self.urls.make_url, settings=EngineSettings(region=REGION, settle=0.1),
            )
        )  # fmt: skip
        await self.engine.start()
        endpoint = AwsEndpoint(self.engine, self.keys, AwsSettings(region=REGION), fetcher.fetch)
        app = web.Application()
        app.add_routes(SignalEndpoint(self.engine, self.urls).routes())
        app.add_routes([*endpoint.routes(), web.get("/files/{name}", self._file)])
        app.add_routes([web.post("/macros/{name}", self._macro)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _close(self) -> None:
        await self._runner.cleanup()
        await self.engine.stop()

    async def _file(self, request: web.Request) -> web.Response:
        content = self.files.get(request.match_info["name"])
        return web.Response(status=404) if content is None else web.Response(body=content)

    async def _macro(self, request: web.Request) -> web.Response:
        answer = self.macros[request.match_info["name"]](await request.json())
        return answer if isinstance(answer, web.Response) else web.json_response(answer)

    def client(self, service: str = "cloudformation", access: str = "AKDEMO", **changed: Any) -> Any:
        settings: dict[str, Any] = {
            "endpoint_url": self.url,
            "region_name": REGION,
            "aws_access_key_id": access,
            "aws_secret_access_key": self.keys.known[access].secret if access in self.keys.known else "unknown",
            "config": Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=20),
        }
        return boto3.session.Session().client(service, **{**settings, **changed})
