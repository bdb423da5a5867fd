"""Who has lost the right to change something sends nothing, however late that turns out."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from engine.cloud.permit import permit
from engine.cloud.settings import CloudSettings


class NoMore(Exception):
    pass


def refuse():
    raise NoMore


async def test_without_a_permit_nothing_that_changes_anything_is_sent(cloud, client):
    cloud.on("GET", "/network/v2.0/networks", (200, {"networks": []}))
    permit.set(refuse)
    for method in ("POST", "PUT", "DELETE"):
        with pytest.raises(NoMore):
            await client.request("network", method, "/networks", json={})
    await client.request("network", "GET", "/networks")
    assert cloud.calls == ["GET /network/v2.0/networks"]


async def test_a_permit_lost_while_the_request_waits_for_its_place_is_lost(cloud, connect):
    client = await (await connect(settings=CloudSettings(max_concurrent_requests=1))).own()
    asked, answer, allowed = asyncio.Event(), asyncio.Event(), True

    async def slow(_request):
        asked.set()
        await answer.wait()
        return web.json_response({"networks": []})

    def ask():
        if not allowed:
            raise NoMore

    cloud.on("GET", "/network/v2.0/networks", slow)
    permit.set(ask)
    first = asyncio.ensure_future(client.request("network", "GET", "/networks"))
    await asked.wait()
    second = asyncio.ensure_future(client.request("network", "POST", "/networks", json={}))
    for _ in range(20):
        await asyncio.sleep(0)
    allowed = False
    answer.set()
    await first
    with pytest.raises(NoMore):
        await second
    assert cloud.calls == ["GET /network/v2.0/networks"]


async def test_a_token_is_nobody_s_lease(cloud, connect):
    permit.set(refuse)
    client = await (await connect()).own()
    assert client.project_id
