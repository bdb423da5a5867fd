"""A simulated cloud per test, with a clock that only moves when told, and a small client for raw requests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from simulator import Settings, Simulator


class Clock:
    """Seconds since 1970, as the test says."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def kind(self) -> str:
        """Neutron's error type."""
        return self.body["NeutronError"]["type"]


@dataclass
class User:
    """Requests with the token of one user and project."""

    url: str
    session: aiohttp.ClientSession
    token: str
    body: dict[str, Any]
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def project_id(self) -> str:
        return self.body["project"]["id"]

    @property
    def user_id(self) -> str:
        return self.body["user"]["id"]

    async def call(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, data: Any = None
    ) -> Answer:
        sent = {"X-Auth-Token": self.token} | (headers or {})
        first = path.split("/")[1]
        if first in self.versions:
            sent.setdefault("OpenStack-API-Version", f"{first} {self.versions[first]}")
        async with self.session.request(method, self.url + path, json=body, data=data, headers=sent) as response:
            text = await response.read()
            try:
                parsed = json.loads(text) if text else None
            except ValueError:
                parsed = text.decode()
            return Answer(response.status, parsed, {k.lower(): v for k, v in response.headers.items()})

    async def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self.call(method, path, body, **more)
        assert answer.status < 300, (method, path, answer.status, answer.body)
        return answer.body

    # --- Neutron, briefly ----------------------------------------------------------------------------------------
    async def net(self, method: str, path: str, body: Any = None) -> Answer:
        return await self.call(method, "/networking/v2.0" + path, body)

    async def make(self, path: str, **values: Any) -> dict[str, Any]:
        key = _KEYS.get(path, path[1:-1].replace("-", "_"))
        made = await self.ok("POST", "/networking/v2.0" + path, {key: values})
        return made[key]

    async def subnet(self, cidr: str, network: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        network = network or await self.make("/networks", name="n")
        version = 6 if ":" in cidr else 4
        return await self.make("/subnets", network_id=network["id"], cidr=cidr, ip_version=version, **more)

    async def port(self, subnet: dict[str, Any], address: str | None = None, **more: Any) -> dict[str, Any]:
        fixed = {"subnet_id": subnet["id"]} | ({"ip_address": address} if address else {})
        return await self.make("/ports", network_id=subnet["network_id"], fixed_ips=[fixed], **more)

    async def router(self, *subnets: dict[str, Any], gateway: str | None = None) -> dict[str, Any]:
        info = {"external_gateway_info": {"network_id": gateway}} if gateway else {}
        router = await self.make("/routers", name="r", **info)
        for subnet in subnets:
            answer = await self.plug(router, subnet_id=subnet["id"])
            assert answer.status == 200, answer.body
        return router

    async def plug(self, router: dict[str, Any], **what: str) -> Answer:
        return await self.net("PUT", f"/routers/{router['id']}/add_router_interface", what)

    async def unplug(self, router: dict[str, Any], **what: str) -> Answer:
        return await self.net("PUT", f"/routers/{router['id']}/remove_router_interface", what)

    async def routes(self, router: dict[str, Any], *routes: tuple[str, str], verb: str = "add") -> Answer:
        rows = [{"destination": destination, "nexthop": hop} for destination, hop in routes]
        return await self.net("PUT", f"/routers/{router['id']}/{verb}_extraroutes", {"router": {"routes": rows}})


_KEYS = {"/address-groups": "address_group", "/rbac-policies": "rbac_policy"}


@dataclass
class Cloud:
    sim: Simulator
    clock: Clock
    session: aiohttp.ClientSession

    async def user(self, name: str = "demo", project: str | None = None) -> User:
        seed = self.sim.seed
        identity = {
            "methods": ["password"],
            "password": {"user": {"id": seed.users[name], "password": seed.passwords[name]}},
        }
        scope = {"project": {"name": project or name, "domain": {"id": "default"}}}
        return await self.auth({"identity": identity, "scope": scope})

    async def auth(self, auth: dict[str, Any]) -> User:
        async with self.session.post(self.sim.auth_url + "/auth/tokens", json={"auth": auth}) as response:
            body = await response.json()
            assert response.status == 201, body
            return User(self.sim.url, self.session, response.headers["X-Subject-Token"], body["token"])

    @property
    def public(self) -> str:
        return self.sim.seed.networks["public"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def cloud(clock: Clock) -> AsyncIterator[Cloud]:
    sim = Simulator(Settings(clock=clock))
    await sim.start()
    async with aiohttp.ClientSession() as session:
        yield Cloud(sim, clock, session)
    await sim.stop()


@pytest.fixture
async def demo(cloud: Cloud) -> User:
    return await cloud.user("demo")


@pytest.fixture
async def admin(cloud: Cloud) -> User:
    return await cloud.user("admin")
