"""The identity proxy before a Keystone that a test plays: what is passed on, what is added, what is refused."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager

import orjson
import pytest
from aiohttp import ClientSession, web
from yarl import URL

from gateway.identity_proxy import IdentityProxy

PROJECT = "3f1b8d0c5a7e4f2f9d6c1b2a3e4d5f60"
CATALOG = [
    {"type": "compute", "name": "nova", "endpoints": [{"region_id": "R1", "interface": "public", "url": "http://n"}]},
    {"type": "orchestration", "name": "heat", "endpoints": [{"region_id": "R1", "interface": "public", "url": "http://h"}]},
]  # fmt: skip


class Keystone:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self):
        self.asked = []
        self.answers = {}
        self.url = ""

    async def handle(self, request):
        self.asked.append((request.method, request.raw_path, request.headers, await request.read()))
        status, body, headers = self.answers.get(request.path, (404, {"error": {}}, {}))
        if isinstance(body, bytes):
            return web.Response(status=status, body=body, headers=headers)
        return web.json_response(body, status=status, headers=headers)


@asynccontextmanager
async def running(app):
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def keystone():
    one = Keystone()
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", one.handle)
    async with running(app) as url:
        one.url = url
        yield one


def proxied(keystone_url):
    app = web.Application()
    proxy = IdentityProxy(f"{keystone_url}/identity", "http://isotherm:8000")
    app.add_routes(proxy.routes())
    app.on_cleanup.append(proxy.close)
    return running(app)


@pytest.fixture
async def ask(keystone):
    """`await ask(method, path, …)` → (status, headers, body)."""
    async with proxied(keystone.url) as url, ClientSession() as session:

        async def one(method, path, **request):
            target = URL(f"{url}/identity{path}", encoded=True)
            async with session.request(method, target, allow_redirects=False, **request) as answer:
                return answer.status, answer.headers, await answer.read()

        yield one


def types(catalog):
    return {service["type"]: service for service in catalog}


async def test_a_token_comes_back_with_two_endpoints_more(keystone, ask):
    token = {"project": {"id": PROJECT}, "user": {"id": "u"}, "catalog": CATALOG}
    keystone.answers["/identity/v3/auth/tokens"] = (201, {"token": token}, {"X-Subject-Token": "secret"})
    status, headers, body = await ask("POST", "/v3/auth/tokens", json={"auth": {}})
    assert (status, headers["X-Subject-Token"]) == (201, "secret")
    found = types(orjson.loads(body)["token"]["catalog"])
    assert set(found) == {"compute", "orchestration", "cloudformation"}
    urls = {end["interface"]: end["url"] for end in found["orchestration"]["endpoints"]}
    assert urls == dict.fromkeys(("public", "internal", "admin"), f"http://isotherm:8000/v1/{PROJECT}")
    assert found["cloudformation"]["endpoints"][0]["url"] == "http://isotherm:8000/"
    assert {end["region_id"] for end in found["orchestration"]["endpoints"]} == {"R1"}
    assert keystone.asked[0][3] == b'{"auth": {}}'


async def test_a_bare_catalogue_belongs_to_its_token_s_project(keystone, ask):
    keystone.answers["/identity/v3/auth/catalog"] = (200, {"catalog": CATALOG}, {})
    keystone.answers["/identity/v3/auth/tokens"] = (200, {"token": {"project": {"id": PROJECT}}}, {})
    _, _, body = await ask("GET", "/v3/auth/catalog", headers={"X-Auth-Token": "t"})
    found = types(orjson.loads(body)["catalog"])
    assert found["orchestration"]["endpoints"][0]["url"] == f"http://isotherm:8000/v1/{PROJECT}"
    assert keystone.asked[1][2]["X-Subject-Token"] == "t"


@pytest.mark.parametrize(
    "token", [{"user": {}}, {"domain": {"id": "d"}, "catalog": CATALOG}], ids=["unscoped", "domain"]
)
async def test_without_a_project_there_is_nothing_to_orchestrate(keystone, ask, token):
    keystone.answers["/identity/v3/auth/tokens"] = (201, {"token": token}, {})
    _, _, body = await ask("POST", "/v3/auth/tokens", json={})
    assert "cloudformation" not in types(orjson.loads(body)["token"].get("catalog", []))


@pytest.mark.parametrize(
    ("path", "document"),
    [
        (
            "/",
            {"versions": {"values": [{"id": "v3.14", "links": [{"rel": "self", "href": "http://inside:5000/v3/"}]}]}},
        ),
        ("/v3", {"version": {"id": "v3.14", "links": [{"rel": "self", "href": "http://inside:5000/v3/"}]}}),
        ("/v3/", {"version": {"id": "v3.14", "links": [{"rel": "self", "href": "http://inside:5000/v3/"}]}}),
    ],
)
async def test_version_documents_lead_to_the_proxy(keystone, ask, path, document):
    keystone.answers[f"/identity{path}".rstrip("/") or "/identity"] = (300, document, {})
    keystone.answers["/identity/"] = keystone.answers.get("/identity", (300, document, {}))
    status, _, body = await ask("GET", path)
    assert status == 300
    assert b"http://isotherm:8000/identity/v3/" in body
    assert b"inside" not in body


async def test_everything_else_is_passed_on_as_it_is(keystone, ask):
    keystone.answers["/identity/v3/projects"] = (200, b'{"projects": []}', {"Content-Type": "application/json"})
    status, headers, body = await ask(
        "GET", "/v3/projects?name=a%20b&tags=x", headers={"X-Auth-Token": "t", "Cookie": "c=1", "X-Forwarded-For": "1"}
    )
    assert (status, body) == (200, b'{"projects": []}')
    assert headers["Content-Type"].startswith("application/json")
    method, path, sent, _ = keystone.asked[0]
    assert (method, path, sent["X-Auth-Token"]) == ("GET", "/identity/v3/projects?name=a%20b&tags=x", "t")
    assert "Cookie" not in sent
    assert "X-Forwarded-For" not in sent


async def test_names_keep_their_form(keystone, ask):
    await ask("GET", "/v3/users/a%2Fb%3Fc")
    assert keystone.asked[0][1] == "/identity/v3/users/a%2Fb%3Fc"


async def test_a_refusal_is_keystone_s_own(keystone, ask):
    keystone.answers["/identity/v3/auth/tokens"] = (401, {"error": {"code": 401}}, {"WWW-Authenticate": "Keystone"})
    status, headers, body = await ask("POST", "/v3/auth/tokens", json={})
    assert (status, headers["WWW-Authenticate"], orjson.loads(body)) == (401, "Keystone", {"error": {"code": 401}})


async def test_an_answer_in_many_pieces_is_whole(keystone, ask):
    content = b'{"users": "' + b"x" * 3_000_000 + b'"}'
    keystone.answers["/identity/v3/users"] = (200, content, {})
    assert (await ask("GET", "/v3/users"))[2] == content


@pytest.mark.parametrize("path", ["/v3/%2e%2e/%2e%2e/compute", "/v3/..%2f..%2fcompute", "/%2e%2e/admin"])
async def test_no_way_up_and_out(keystone, ask, path):
    assert (await ask("GET", path))[0] == 400
    assert keystone.asked == []


async def test_a_body_has_a_limit(keystone, ask):
    assert (await ask("POST", "/v3/auth/tokens", data=b"x" * 300_000))[0] == 413
    assert keystone.asked == []


async def test_a_keystone_that_is_not_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
        async with proxied(nobody) as url, ClientSession() as session, session.get(f"{url}/identity/v3") as answer:
            assert answer.status == 503
            assert "cannot be reached" in (await answer.json())["error"]["message"]
