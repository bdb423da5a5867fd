"""Which handlers of custom resources are reached, and which are not (cloudformation.md L96)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from engine.cloud.errors import OutcomeUnknown, Temporary
from engine.resources.base import OperationFailed
from gateway.config import Settings, load
from gateway.custom_resources import CustomResources
from gateway.fetch import Guard

HERE = Guard(["127.0.0.0/8"])


@pytest.fixture
async def site():
    """A handler; what it was asked is in `asked`."""
    asked: list = []

    async def take(request):
        asked.append(await request.json())
        match request.match_info["how"]:
            case "slow":
                await asyncio.Event().wait()
            case "away":
                raise web.HTTPFound("/ok")
            case status if status.isdigit():
                return web.Response(status=int(status))
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/{how}", take)])
    async with TestServer(app) as server:
        server.asked = asked
        yield server


@pytest.mark.parametrize(
    "token",
    [
        "Things",
        "arn:aws:lambda:us-east-1:123456789012:function:Things",
        "arn:aws:lambda:us-east-1:123456789012:function:Things:live",
        "arn:aws-cn:sns:cn-1:123456789012:Things",
    ],
)
async def test_l96_handlers_by_name_may_be_inside(site, token):
    await CustomResources({"Things": str(site.make_url("/ok"))}).ask(token, {"RequestType": "Create"})
    assert site.asked == [{"RequestType": "Create"}]


@pytest.mark.parametrize(
    "token", ["Thing", "things", "", "arn:aws:lambda:r:1:function:Thing", "arn:aws:s3:::Things", "ftp://Things"]
)
async def test_l96_handlers_that_nobody_named(site, token):
    with pytest.raises(OperationFailed, match=r"Invalid service token: .*is nobody's"):
        await CustomResources({"Things": str(site.make_url("/ok"))}, HERE).ask(token, {})
    assert site.asked == []


async def test_l96_urls_only_where_they_are_allowed(site):
    url = str(site.make_url("/ok"))
    with pytest.raises(OperationFailed, match="URLs as service tokens are not allowed here"):
        await CustomResources({}).ask(url, {})
    assert site.asked == []
    await CustomResources({}, HERE).ask(url, {})
    assert len(site.asked) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_bad_input_urls_of_users_do_not_reach_inside(site, host):
    with pytest.raises(OperationFailed, match=r"Invalid service token: .* inside the operator's own network"):
        await CustomResources({}, Guard()).ask(f"http://{host}:{site.port}/ok", {})
    assert site.asked == []


@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        ("away", OperationFailed, "refused the request with the status 302"),
        ("403", OperationFailed, "refused the request with the status 403"),
        ("429", OutcomeUnknown, "answered with the status 429"),
        ("500", OutcomeUnknown, "answered with the status 500"),
    ],
)
async def test_l96_handlers_that_do_not_take_it(site, how, error, said):
    with pytest.raises(error, match=said):
        await CustomResources({"Things": str(site.make_url(f"/{how}"))}).ask("Things", {})
    assert len(site.asked) == 1, "redirections are not followed"


async def test_l96_a_handler_that_takes_its_time_has_the_request(site):
    await CustomResources({"Things": str(site.make_url("/slow"))}, answering=0.05).ask("Things", {})
    assert len(site.asked) == 1


async def test_l96_a_handler_that_is_down(site):
    url = str(site.make_url("/ok"))
    await site.close()
    with pytest.raises(Temporary, match="The handler Things cannot be reached") as caught:
        await CustomResources({"Things": url}).ask("Things", {})
    assert not isinstance(caught.value, OutcomeUnknown)


def test_l96_handlers_are_named_in_a_section_of_their_own(tmp_path: Path):
    file = tmp_path / "isotherm.conf"
    file.write_text("[DEFAULT]\nallow_custom_resource_urls = true\n[custom_resources]\nThings = http://things/a?b=c\n")
    found = load(Settings(), str(file))
    assert found.custom_resources == {"Things": "http://things/a?b=c"}
    assert found.allow_custom_resource_urls
    file.write_text("[DEFAULT]\nregion = here\n")
    assert (load(Settings(), str(file)).custom_resources, load(Settings(), str(file)).allow_custom_resource_urls) == (
        {},
        False,
    )
