"""A small OpenStack over real HTTP for the tests of the cloud room: Keystone by rule, the other services by script."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import json
import time

import pytest
from aiohttp import web

from engine.cloud.auth import AuthSettings
from engine.cloud.connection import Connection
from engine.cloud.settings import CloudSettings

CATALOG = {"network": "/network", "compute": "/compute/v2.1", "volumev3": "/volume/v3/p-demo", "image": "/image",
           "identity": "/identity/v3", "object-store": "/swift/v1/AUTH_p"}  # fmt: skip


class SkippingClock:
    """Sleeping takes no time and moves the clock; `slept` tells what was asked for."""

    def __init__(self):
        self.offset, self.slept = 0.0, []

    def now(self):
        return int((time.time() + self.offset) * 1e6)

    def monotonic(self):
        return time.monotonic() + self.offset

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.offset += seconds
        await asyncio.sleep(0)


class VirtualClock:
    """Time stands still but for `advance`."""

    def __init__(self):
        self.time, self._sleepers, self._count = 1000.0, [], 0

    def now(self):
        return int(self.time * 1e6)

    def monotonic(self):
        return self.time

    async def sleep(self, seconds):
        future = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.time + seconds, self._count, future))
        await future

    async def advance(self, seconds):
        end = self.time + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.time, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
                await settle()
        self.time = end


async def settle():
    for _ in range(30):
        await asyncio.sleep(0)


class FakeCloud:
    """`on(method, path, *answers)`: answers are used up one after the other, the last one stays. An answer is a
    (status, body[, headers]) tuple or a coroutine function of the request. `calls` is what came, without Keystone."""

    def __init__(self):
        self.scripts, self.calls, self.requests = {}, [], []
        self.keystone = FakeKeystone(self)
        self.catalog = dict(CATALOG)

    def on(self, method, path, *answers):
        self.scripts[method, path] = list(answers)

    async def start(self):
        app = web.Application()
        app.router.add_route("*", "/identity/v3/{rest:.*}", self.keystone.handle)
        app.router.add_route("*", "/{rest:.*}", self.handle)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"

    async def stop(self):
        await self.runner.cleanup()

    def auth(self, user="demo", project="demo", **more):
        return AuthSettings(f"{self.url}/identity", username=user, password="pw", project_name=project,
                            user_domain_name="Default", **more)  # fmt: skip

    async def handle(self, request):
        self.calls.append(f"{request.method} {request.path_qs}")
        self.requests.append(request)
        await request.read()
        if self.keystone.known(request.headers.get("X-Auth-Token")) is None:
            return web.json_response(
                {"error": {"code": 401, "message": "no token", "title": "Unauthorized"}}, status=401
            )
        answers = self.scripts.get((request.method, request.path))
        if not answers:
            return web.json_response({"NeutronError": {"type": "NotFound", "message": "nothing here"}}, status=404)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            return await answer(request)
        status, body, *headers = answer
        text = body if isinstance(body, str) else json.dumps(body)
        kind = "text/html" if isinstance(body, str) else "application/json"
        return web.Response(status=status, text=text, content_type=kind, headers=headers[0] if headers else None)


class FakeKeystone:
    """As strict as a patched one: no trusts from EC2 or application credential tokens, a service token for EC2."""

    def __init__(self, cloud):
        self.cloud, self.count = cloud, 0
        self.users = {"demo": "u-demo", "svc": "u-svc", "root": "u-root"}
        self.projects = {"demo": "p-demo", "service": "p-service"}
        self.roles = {("u-demo", "p-demo"): ["member", "reader"], ("u-svc", "p-service"): ["service"],
                      ("u-root", "p-service"): ["admin"]}  # fmt: skip
        self.tokens, self.trusts, self.credentials, self.app_credentials = {}, {}, {}, {}
        self.posts = []  # what was asked to make tokens
        self.lifetime = 3600.0

    def known(self, token):
        info = self.tokens.get(token)
        return info if info and info["expires"] > time.time() else None

    def issue(self, user, project, roles, method, trust=None):
        self.count += 1
        token = f"token-{self.count}"
        name = {v: k for k, v in (*self.users.items(), *self.projects.items())}
        catalog = [
            {"type": kind, "name": kind, "endpoints": [
                {"interface": "public", "region_id": "RegionOne", "region": "RegionOne", "url": self.cloud.url + path}]}
            for kind, path in self.cloud.catalog.items()
        ]  # fmt: skip
        domain = {"id": "default", "name": "Default"}
        expires = time.time() + self.lifetime
        document = {
            "methods": [method], "user": {"id": user, "name": name[user], "domain": domain},
            "project": {"id": project, "name": name[project], "domain": domain},
            "roles": [{"id": role, "name": role} for role in roles], "catalog": catalog,
            "expires_at": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(expires)),
        }  # fmt: skip
        if trust:
            document["OS-TRUST:trust"] = {"id": trust}
        self.tokens[token] = {"user": user, "project": project, "roles": roles, "method": method,
                              "document": document, "expires": expires}  # fmt: skip
        return web.json_response({"token": document}, status=201, headers={"X-Subject-Token": token})

    async def handle(self, request):
        rest, method = request.match_info["rest"], request.method
        body = json.loads(await request.read() or b"{}")
        if (method, rest) == ("POST", "auth/tokens"):
            self.posts.append(body["auth"])
            return self.authenticate(body["auth"])
        self.cloud.calls.append(f"{method} /identity/{rest}")
        me = self.known(request.headers.get("X-Auth-Token"))
        if me is None:
            return refuse(401, "The request you have made requires authentication.")
        match method, rest.split("/"):
            case "GET", ["auth", "tokens"]:
                subject = request.headers["X-Subject-Token"]
                if me["roles"] == ["member", "reader"] and subject != request.headers["X-Auth-Token"]:
                    return refuse(403, "You are not authorized to perform the requested action.")
                found = self.known(subject)
                return web.json_response({"token": found["document"]}) if found else refuse(404, "no such token")
            case "POST", ["OS-TRUST", "trusts"]:
                return self.make_trust(me, body["trust"])
            case "DELETE", ["OS-TRUST", "trusts", trust]:
                return web.Response(status=204 if self.trusts.pop(trust, None) else 404)
            case "POST", ["ec2tokens"]:
                return self.ec2(me, body["credentials"])
            case "POST", ["credentials"]:
                return self.make_credential(body["credential"])
            case "GET", ["credentials"]:
                rows = [row for row in self.credentials.values() if self.may_read(me, row)]
                return web.json_response({"credentials": rows})
            case "GET", ["credentials", key]:
                row = self.credentials.get(key)
                if row is None and "admin" in me["roles"]:
                    return refuse(404, "Could not find credential.")
                if row is None or not self.may_read(me, row):
                    return refuse(403, "You are not authorized to perform the requested action.")
                return web.json_response({"credential": row})
            case "GET", ["users", user]:
                return self.admin(me, {"user": {"id": user, "name": "demo", "enabled": True}})
            case "GET", ["projects", project]:
                return self.admin(me, {"project": {"id": project, "name": "demo", "enabled": True}})
            case "GET", ["role_assignments"]:
                roles = self.roles.get((request.query["user.id"], request.query["scope.project.id"]), [])
                return self.admin(me, {"role_assignments": [{"role": {"id": r, "name": r}} for r in roles]})
        return refuse(404, "nothing here")

    def admin(self, me, body):
        return web.json_response(body) if "admin" in me["roles"] else refuse(403, "You are not authorized.")

    def may_read(self, me, row):
        return "admin" in me["roles"] or row["user_id"] == me["user"]

    def authenticate(self, auth):
        identity, scope = auth["identity"], auth.get("scope") or {}
        match identity["methods"]:
            case ["password"]:
                user = self.users.get(identity["password"]["user"]["name"])
                if user is None or identity["password"]["user"]["password"] != "pw":
                    return refuse(401, "The request you have made requires authentication.")
            case ["totp"]:
                user = self.users.get(identity["totp"]["user"]["name"])
            case ["token"]:
                user = self.known(identity["token"]["id"])["user"]
            case ["application_credential"]:
                found = self.app_credentials.get(identity["application_credential"]["id"])
                if found is None or found["secret"] != identity["application_credential"]["secret"]:
                    return refuse(401, "The request you have made requires authentication.")
                return self.issue(found["user"], found["project"], found["roles"], "application_credential")
        if trust_id := scope.get("OS-TRUST:trust", {}).get("id"):
            trust = self.trusts.get(trust_id)
            if trust is None or trust["trustee_user_id"] != user:
                return refuse(403, "You are not authorized to use this trust.")
            roles = [role["name"] for role in trust["roles"]]
            return self.issue(trust["trustor_user_id"], trust["project_id"], roles, "password", trust_id)
        project = scope["project"].get("id") or self.projects[scope["project"]["name"]]
        roles = self.roles.get((user, project))
        return self.issue(user, project, roles, "password") if roles else refuse(401, "No role on the project.")

    def make_trust(self, me, trust):
        if me["method"] in ("ec2credential", "application_credential"):
            return refuse(403, "Trusts cannot be made with this token.")
        if trust["trustor_user_id"] != me["user"] or not {r["name"] for r in trust["roles"]} <= set(me["roles"]):
            return refuse(403, "You are not authorized to perform the requested action.")
        trust["id"] = f"trust-{len(self.trusts) + 1}"
        self.trusts[trust["id"]] = trust
        return web.json_response({"trust": trust}, status=201)

    def make_credential(self, wanted):
        access = json.loads(wanted["blob"])["access"]
        key = hashlib.sha256(access.encode()).hexdigest()
        if key in self.credentials:
            return refuse(409, "Duplicate entry found.")
        self.credentials[key] = {**wanted, "id": key}
        return web.json_response({"credential": self.credentials[key]}, status=201)

    def ec2(self, me, signed):
        """The signature itself is not checked here: the tests of signing have an oracle of their own."""
        if not {"admin", "service"} & set(me["roles"]):
            return refuse(403, "You are not authorized to perform the requested action.")
        row = self.credentials.get(hashlib.sha256(signed["access"].encode()).hexdigest())
        if row is None or signed["signature"] == "wrong":
            return refuse(401, "The request you have made requires authentication.")
        roles = self.roles.get((row["user_id"], row["project_id"]))
        answer = self.issue(row["user_id"], row["project_id"], roles, "ec2credential")
        answer.set_status(200)
        return answer

    def key_of(self, user="u-demo", project="p-demo", **more):
        blob = json.dumps({"access": "AK", "secret": "SK", **more})
        self.make_credential({"type": "ec2", "blob": blob, "user_id": user, "project_id": project})


def refuse(status, message):
    return web.json_response({"error": {"code": status, "message": message, "title": "x"}}, status=status)


@pytest.fixture
def virtual_clock():
    return VirtualClock()


@pytest.fixture
async def cloud():
    fake = FakeCloud()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
def clock():
    return SkippingClock()


@pytest.fixture
async def connect(cloud, clock):
    opened = []

    async def open_(user="demo", project="demo", settings=None, auth=None, **more):
        auth = auth or cloud.auth(user, project, **more)
        connection = await Connection.open(auth=auth, settings=settings or CloudSettings(), clock=clock)
        opened.append(connection)
        return connection

    yield open_
    for connection in opened:
        await connection.close()


@pytest.fixture
async def client(connect):
    return await (await connect()).own()
