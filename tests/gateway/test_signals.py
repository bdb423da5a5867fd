"""Signed signal URLs, asked for with curl's habits. Ids are rows of heat.md and cloudformation.md."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from engine.model.errors import NotSupported, StackNotFound
from gateway.signals import SIGNAL, WAIT_CONDITION, SignalEndpoint, SignalUrls

STACK, PROJECT = "11111111-2222-3333-4444-555555555555", "p" * 32
ADDRESS = "Group/0/handle 1"


class Taker:
    """Keeps what comes in."""

    def __init__(self):
        self.taken = []
        self.refusal = None

    async def signal(self, caller, ref, address, signal):
        if self.refusal is not None:
            raise self.refusal
        self.taken.append((caller.project_id, ref, address, signal))


class Clock:
    time = 1000.0

    def __call__(self):
        return self.time


@pytest.fixture
def taker():
    return Taker()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def client(taker, urls):
    app = web.Application()
    app.add_routes(SignalEndpoint(taker, urls).routes())
    async with TestClient(TestServer(app)) as one:
        yield one


@pytest.fixture
def urls(clock):
    return SignalUrls(b"secret", "", clock)


def url(urls, kind=WAIT_CONDITION, **more):
    return urls.make_url(STACK, ADDRESS, kind, PROJECT, **more)


@pytest.mark.parametrize("content_type", ["", "application/json", "application/x-www-form-urlencoded"])
async def test_cfnx_14_a_put_of_json_whatever_its_content_type(client, taker, urls, content_type):
    """As curl of heat-cfntools sends it (L103)."""
    body = '{"Status": "SUCCESS", "UniqueId": "u1", "Data": "d", "Reason": "r"}'
    answer = await client.put(url(urls), data=body.encode(), headers={"Content-Type": content_type})
    assert (answer.status, await answer.text()) == (200, f"<resource>{ADDRESS}</resource>")
    ((project, stack, address, signal),) = taker.taken
    assert (project, stack, address) == (PROJECT, STACK, ADDRESS)
    assert (signal.status, signal.unique_id, signal.data, signal.reason) == ("SUCCESS", "u1", "d", "r")


async def test_enga_08_a_native_post_without_body_is_a_success(client, taker, urls):
    assert (await client.post(url(urls))).status == 200
    assert taker.taken[0][3].status == "SUCCESS"


async def test_cfnx_14_the_answer_as_json(client, urls):
    answer = await client.put(f"{url(urls)}&ContentType=JSON", data=b'{"Status": "FAILURE"}')
    assert await answer.json() == {"resource": ADDRESS}


async def test_cfnx_13_a_signal_takes_any_json_or_none(client, taker, urls):
    assert (await client.post(url(urls, SIGNAL))).status == 200
    assert (await client.post(url(urls, SIGNAL), data=b'{"current": "alarm", "status": 3}')).status == 200
    assert [one[3].raw for one in taker.taken] == [{}, {"current": "alarm", "status": 3}]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"not json", 400), (b"[]", 400), (b'{"Status": "MAYBE"}', 400), (b'{"Status": []}', 400),
     (b"{}", 400), (b'"' + b"x" * 70_000 + b'"', 413)],
)  # fmt: skip
async def test_l97_bad_bodies_are_refused(client, taker, urls, body, status):
    assert (await client.put(url(urls), data=body)).status == status
    assert taker.taken == []


@pytest.mark.parametrize(
    "change",
    [
        lambda made: made.replace(PROJECT, "q" * 32),
        lambda made: made.replace(STACK, STACK[::-1]),
        lambda made: made.replace("handle", "handel"),
        lambda made: made.replace(WAIT_CONDITION, SIGNAL),
        lambda made: made.replace("Signature=", "Signature=0"),
        lambda made: made.replace("Signature=", "Expires=99999999999&Signature="),
        lambda made: made.split("?")[0],
    ],
)
async def test_cfnx_15_only_urls_made_here_signal(client, taker, urls, change):
    answer = await client.put(change(url(urls)), data=b'{"Status": "SUCCESS"}')
    assert (answer.status, taker.taken) == (403, [])


async def test_cfnx_15_urls_expire_when_told_to(client, taker, urls, clock):
    made = url(urls, expires=1060)
    assert (await client.put(made, data=b'{"Status": "SUCCESS"}')).status == 200
    later = parse_qs(urlsplit(made).query)
    assert later["Expires"] == ["1060"]
    clock.time = 1061
    assert (await client.put(made, data=b'{"Status": "SUCCESS"}')).status == 403
    assert (await client.put(made.replace("1060", "2060"), data=b"{}")).status == 403


@pytest.mark.parametrize(("refusal", "status"), [(StackNotFound("x"), 404), (NotSupported("no"), 400)])
async def test_what_the_engine_refuses_is_told(client, taker, urls, refusal, status):
    taker.refusal = refusal
    answer = await client.put(url(urls), data=b'{"Status": "SUCCESS"}')
    assert (answer.status, str(refusal) in await answer.text()) == (status, True)


def test_the_same_resource_has_the_same_url(urls):
    assert url(urls) == url(SignalUrls(b"secret", ""))
    assert url(urls) != url(SignalUrls(b"another", ""))
