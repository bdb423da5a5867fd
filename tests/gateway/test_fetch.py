"""Fetching by URL: what may be reached, how much, how long (cloudformation.md W48, W49)."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from engine.model.diagnostic import Invalid
from gateway.fetch import Fetcher, FetchSettings, reachable

HERE = FetchSettings(allowed_networks=["127.0.0.0/8", "::1/128"], largest=2000, seconds=5)


@pytest.fixture
async def site():
    async def answer(request):
        return answers[request.path](request)

    async def hang(request):
        await asyncio.sleep(60)

    answers = {
        "/text": lambda _: web.Response(body="ü text".encode()),
        "/latin": lambda _: web.Response(body=b"\xfc"),
        "/large": lambda _: web.Response(body=b"x" * 2001),
        "/missing": lambda _: web.Response(status=404),
        "/packed": lambda _: web.Response(body=b"x", headers={"Content-Encoding": "gzip"}),
        "/one": lambda _: web.Response(status=302, headers={"Location": "/two"}),
        "/two": lambda _: web.Response(status=307, headers={"Location": "/text"}),
        "/round": lambda _: web.Response(status=302, headers={"Location": "/round"}),
        "/inside": lambda _: web.Response(status=302, headers={"Location": "http://169.254.169.254/latest"}),
        "/file": lambda _: web.Response(status=302, headers={"Location": "file:///etc/passwd"}),
    }
    app = web.Application()
    app.router.add_get("/hang", hang)
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as one:
        yield str(one.make_url("/")).rstrip("/")


async def refused(url, settings=HERE):
    with pytest.raises(Invalid) as caught:
        await Fetcher(settings).fetch(url)
    (found,) = caught.value.diagnostics
    return found.code, found.summary


@pytest.mark.parametrize("path", ["/text", "/one", "/two"])
async def test_w48_text_is_fetched_through_redirects(site, path):
    assert await Fetcher(HERE).fetch(site + path) == "ü text"


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("/latin", "FetchFailed", "not UTF-8"),
        ("/large", "FetchFailed", "larger than 2000 bytes"),
        ("/missing", "FetchFailed", "answered 404"),
        ("/packed", "FetchFailed", "compressed"),
        ("/round", "FetchFailed", "more than 3 times"),
        ("/inside", "UnsupportedUrl", "169.254.169.254 is an address inside"),
        ("/file", "UnsupportedUrl", "only http and https"),
    ],
)
async def test_w48_what_cannot_be_used_is_told(site, path, code, words):
    found, summary = await refused(site + path)
    assert (found, words in summary) == (code, True)


async def test_bad_input_a_server_that_hangs_is_left(site):
    found, summary = await refused(f"{site}/hang", FetchSettings(allowed_networks=["127.0.0.0/8"], seconds=0.1))
    assert (found, "within 0.1 seconds" in summary) == ("FetchFailed", True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433"])
async def test_bad_input_loopback_is_not_reached_unless_configured(site, host):
    port = site.rsplit(":", 1)[1]
    found, _ = await refused(f"http://{host}:{port}/text", FetchSettings())
    assert found in ("UnsupportedUrl", "FetchFailed")


@pytest.mark.parametrize("url", ["", "x", "ftp://a/b", "s3://a/b", "http://", "http:///x", "http://[::1", "//a/b"])
async def test_w48_only_http_urls(url):
    assert (await refused(url))[0] == "UnsupportedUrl"


async def test_signatures_and_passwords_in_urls_are_not_repeated():
    _, summary = await refused("ftp://me:secret@a/b?X-Amz-Signature=abc")
    assert "secret" not in summary
    assert "abc" not in summary


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("10.1.2.3", False), ("192.168.0.1", False),
        ("172.16.0.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False),
        ("fe80::1", False), ("fd00::1", False), ("::", False), ("::ffff:10.0.0.1", False), ("2002:a00:1::", False),
        ("64:ff9b::a00:1", False), ("64:ff9b::808:808", True),
    ],
)  # fmt: skip
def test_bad_input_addresses_of_the_inside(address, may):
    assert reachable(ipaddress.ip_address(address), []) is may


def test_networks_may_be_allowed():
    allowed = [ipaddress.ip_network("10.1.0.0/16")]
    assert reachable(ipaddress.ip_address("10.1.2.3"), allowed)
    assert reachable(ipaddress.ip_address("::ffff:10.1.2.3"), allowed)
    assert not reachable(ipaddress.ip_address("10.2.2.3"), allowed)
