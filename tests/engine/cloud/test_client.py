"""Requests: tokens, retries, limits, microversions, pages."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import web

from engine.cloud.auth import AuthSettings
from engine.cloud.connection import Connection
from engine.cloud.errors import Conflict, NotFound, OutcomeUnknown, Permanent, Temporary
from engine.cloud.settings import CloudSettings
from engine.cloud.transport import request_id

OK = (200, {"networks": []})


async def test_path_and_query_go_below_the_versioned_root(cloud, client):
    cloud.on("GET", "/network/v2.0/networks", OK)
    reply = await client.request("network", "GET", "/networks", params={"name": "a b&c"})
    assert cloud.calls == ["GET /network/v2.0/networks?name=a+b%26c"]
    assert (reply.status, reply.body) == (200, {"networks": []})
    assert reply.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("name", ["block-storage", "volumev3"])
async def test_any_name_of_a_service_finds_it(cloud, client, name):
    cloud.on("GET", "/volume/v3/p-demo/volumes", (200, {"volumes": []}))
    await client.request(name, "GET", "/volumes", microversion="3.0")
    assert cloud.calls == ["GET /volume/v3/p-demo/volumes"]


async def test_a_service_that_the_cloud_has_not_is_told(client):
    with pytest.raises(Permanent, match="This cloud has no dns service in region RegionOne"):
        await client.request("dns", "GET", "/zones")


async def test_services_are_official_types(client):
    assert await client.services() >= {"block-storage", "volumev3", "compute", "network", "identity"}


async def test_an_endpoint_override_wins(cloud, connect):
    connection = await connect(endpoint_overrides={"dns": f"{cloud.url}/elsewhere"})
    cloud.on("GET", "/elsewhere/v2/zones", (200, {"zones": []}))
    await (await connection.own()).request("dns", "GET", "/zones")
    assert cloud.calls == ["GET /elsewhere/v2/zones"]


async def test_the_request_id_of_the_context_is_sent(cloud, client):
    cloud.on("GET", "/network/v2.0/networks", OK)
    request_id.set("req-7")
    await client.request("network", "GET", "/networks")
    assert cloud.requests[-1].headers["X-OpenStack-Request-ID"] == "req-7"


async def test_bytes_are_sent_as_they_are(cloud, client):
    cloud.on("PUT", "/swift/v1/AUTH_p/c/o", (201, ""))
    await client.request("object-store", "PUT", "/c/o", body=b"\x00\xff", headers={"Content-Type": "x/y"})
    assert await cloud.requests[-1].read() == b"\x00\xff"
    assert cloud.requests[-1].headers["Content-Type"] == "x/y"


# --- tokens -----------------------------------------------------------------------------------------------------------
async def test_a_refused_token_is_renewed_once_however_many_ask(cloud, client):
    cloud.on("GET", "/network/v2.0/networks", OK)
    cloud.keystone.tokens.clear()
    await asyncio.gather(*(client.request("network", "GET", "/networks") for _ in range(20)))
    assert len(cloud.keystone.posts) == 2


async def test_a_token_that_is_refused_again_is_permanent(cloud, client):
    cloud.on("GET", "/network/v2.0/networks", (401, {"error": {"message": "go away", "code": 401}}))
    with pytest.raises(Permanent, match="go away") as caught:
        await client.request("network", "GET", "/networks")
    assert caught.value.status == 401
    assert len(cloud.calls) == 2


async def test_a_token_is_renewed_ahead_of_its_end_without_making_anybody_wait(cloud, clock, client):
    cloud.on("GET", "/network/v2.0/networks", OK)
    clock.offset += 3600 - 200
    old = client.context.known.id
    await client.request("network", "GET", "/networks")
    assert cloud.requests[-1].headers["X-Auth-Token"] == old
    for _ in range(200):
        if client.context.known.id != old:
            break
        await asyncio.sleep(0.01)
    assert client.context.known.id != old


async def test_a_wrong_password_is_permanent_and_not_told(cloud, connect):
    connection = await connect(user="nobody")
    with pytest.raises(Permanent) as caught:
        await connection.own()
    assert caught.value.status == 401
    assert "pw" not in str(caught.value)
    assert "pw" not in repr(connection.auth)


# --- repeating --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_engu_03_an_idempotent_request_is_repeated_with_growing_delays(cloud, clock, client, method):
    cloud.on(method, "/network/v2.0/networks/1", (500, {}), (502, "<html/>"), (200, {"network": {}}))
    assert (await client.request("network", method, "/networks/1")).status == 200
    assert len(cloud.calls) == 3
    assert all(0 <= pause <= 1.0 for pause in clock.slept)
    assert len(clock.slept) == 2


async def test_engu_03_repeating_is_bounded(cloud, client):
    cloud.on("GET", "/network/v2.0/networks", (500, {}))
    with pytest.raises(Temporary, match=r"Neutron failed at GET /networks: an internal error. \(HTTP 500\)"):
        await client.request("network", "GET", "/networks")
    assert len(cloud.calls) == CloudSettings().retry_attempts


@pytest.mark.parametrize(("status", "kind"), [(500, OutcomeUnknown), (503, OutcomeUnknown), (429, Temporary)])
async def test_rule_1_a_post_is_never_repeated(cloud, client, status, kind):
    cloud.on("POST", "/network/v2.0/networks", (status, {}))
    with pytest.raises(kind):
        await client.request("network", "POST", "/networks", json={})
    assert len(cloud.calls) == 1


async def test_a_put_that_is_an_action_is_not_repeated(cloud, client):
    cloud.on("PUT", "/network/v2.0/routers/1/add_router_interface", (500, {}))
    with pytest.raises(OutcomeUnknown):
        await client.request("network", "PUT", "/routers/1/add_router_interface", json={})
    assert len(cloud.calls) == 1


@pytest.mark.parametrize(("status", "kind"), [(404, NotFound), (409, Conflict), (400, Permanent), (403, Permanent)])
async def test_a_refusal_is_not_repeated(cloud, client, status, kind):
    cloud.on("GET", "/network/v2.0/networks/1", (status, {"NeutronError": {"type": "T", "message": "no"}}))
    with pytest.raises(kind):
        await client.request("network", "GET", "/networks/1")
    assert len(cloud.calls) == 1


async def test_retry_after_is_honoured_and_bounded(cloud, clock, client):
    cloud.on("GET", "/network/v2.0/networks", (429, {}, {"Retry-After": "7"}), (503, {}, {"Retry-After": "9999"}), OK)
    await client.request("network", "GET", "/networks")
    assert 7 <= max(clock.slept[0:1]) < 8
    assert CloudSettings().retry_after_limit <= max(clock.slept) < CloudSettings().retry_after_limit + 9


async def test_connection_refused_was_not_carried_out(clock):
    connection = await Connection.open(auth=AuthSettings("http://127.0.0.1:9", username="a", password="b"), clock=clock)
    with pytest.raises(Temporary, match="Keystone could not be reached") as caught:
        await connection.own()
    assert not isinstance(caught.value, OutcomeUnknown)
    await connection.close()


async def test_rule_1_a_post_whose_connection_breaks_has_an_unknown_outcome(cloud, client):
    async def hang_up(request):
        request.transport.close()
        return web.Response()

    cloud.on("POST", "/network/v2.0/networks", hang_up)
    with pytest.raises(OutcomeUnknown, match="Neutron broke off the connection at POST /networks"):
        await client.request("network", "POST", "/networks", json={})
    assert len(cloud.calls) == 1


async def test_rule_1_a_post_without_an_answer_in_time_has_an_unknown_outcome(cloud, connect):
    client = await (await connect(settings=CloudSettings(request_timeout=0.3))).own()

    async def never(request):
        await asyncio.Event().wait()

    cloud.on("POST", "/network/v2.0/networks", never)
    with pytest.raises(OutcomeUnknown, match=r"Neutron did not answer POST /networks within 0\.3 s"):
        await client.request("network", "POST", "/networks", json={})


async def test_an_answer_larger_than_the_limit_is_refused(cloud, connect):
    client = await (await connect(settings=CloudSettings(max_response_bytes=10_000))).own()
    cloud.on("GET", "/network/v2.0/networks", (200, {"networks": ["x" * 20_000]}))
    with pytest.raises(Permanent, match="more than 10000 bytes"):
        await client.request("network", "GET", "/networks")


async def test_no_more_requests_at_once_than_the_limit(cloud, connect):
    client = await (await connect(settings=CloudSettings(max_concurrent_requests=3))).own()
    now, most = 0, 0

    async def count(request):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.002)
        now -= 1
        return web.json_response({})

    cloud.on("POST", "/network/v2.0/networks", count)
    await asyncio.gather(*(client.request("network", "POST", "/networks", json={}) for _ in range(12)))
    assert most == 3


# --- microversions ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("highest", "sent"), [("2.93", "compute 2.90"), ("2.72", "compute 2.72"), ("2.100", "compute 2.90")]
)
async def test_the_default_microversion_is_bounded_by_the_server_s_and_asked_for_once(cloud, client, highest, sent):
    cloud.on("GET", "/compute/v2.1/", (200, {"version": {"id": "v2.1", "version": highest, "min_version": "2.1"}}))
    cloud.on("GET", "/compute/v2.1/servers", (200, {"servers": []}))
    for _ in range(2):
        await client.request("compute", "GET", "/servers")
        assert cloud.requests[-1].headers["OpenStack-API-Version"] == sent
    assert cloud.calls.count("GET /compute/v2.1/") == 1


async def test_cinder_tells_its_microversion_above_the_project(cloud, client):
    cloud.on("GET", "/volume/v3/", (200, {"versions": [{"id": "v3.0", "version": "3.59", "min_version": "3.0"}]}))
    cloud.on("GET", "/volume/v3/p-demo/volumes", (200, {"volumes": []}))
    await client.request("block-storage", "GET", "/volumes")
    assert cloud.requests[-1].headers["OpenStack-API-Version"] == "volume 3.59"


async def test_a_microversion_asked_for_is_sent_as_it_is(cloud, client):
    cloud.on("GET", "/compute/v2.1/servers", (200, {"servers": []}))
    await client.request("compute", "GET", "/servers", microversion="2.52")
    assert cloud.requests[-1].headers["OpenStack-API-Version"] == "compute 2.52"
    assert len(cloud.calls) == 1


async def test_a_service_without_microversions_gets_no_header(cloud, client):
    cloud.on("GET", "/network/v2.0/networks", OK)
    await client.request("network", "GET", "/networks")
    assert "OpenStack-API-Version" not in cloud.requests[-1].headers


# --- lists ------------------------------------------------------------------------------------------------------------
def pages(link):
    """An answer per page, linked as `link(marker)` says."""

    async def answer(request):
        marker = int(request.query.get("marker", 0))
        body = {"things": [{"id": marker}, {"id": marker + 1}]}
        if marker < 4:
            body |= link(f"http://wrong.example/things?marker={marker + 2}&limit=2")
        return web.json_response(body)

    return answer


LINKS = {
    "nova-neutron-cinder": lambda url: {
        "things_links": [{"rel": "previous", "href": "x"}, {"rel": "next", "href": url}]
    },
    "keystone-designate": lambda url: {"links": {"self": "x", "next": url}},
    "glance": lambda url: {"next": url, "first": "x"},
}


@pytest.mark.parametrize("shape", LINKS)
async def test_all_pages_are_listed_and_the_filter_is_kept(cloud, client, shape):
    cloud.on("GET", "/network/v2.0/things", pages(LINKS[shape]))
    rows = await client.list("network", "/things", "things", params={"name": "n"})
    assert [row["id"] for row in rows] == [0, 1, 2, 3, 4, 5]
    assert all("name=n" in call for call in cloud.calls)


async def test_a_list_that_is_not_there_is_permanent(cloud, client):
    cloud.on("GET", "/network/v2.0/things", (200, {"other": []}))
    with pytest.raises(Permanent, match="without the list 'things'"):
        await client.list("network", "/things", "things")


async def test_swift_pages_are_plain_lists_after_the_last_name(cloud, client):
    async def answer(request):
        marker = request.query.get("marker", "")
        return web.json_response([{"name": f"{n:05}"} for n in range(10_000)] if not marker else [{"name": "last"}])

    cloud.on("GET", "/swift/v1/AUTH_p/c", answer)
    rows = await client.list("object-store", "/c", "", params={"format": "json", "prefix": "p"})
    assert len(rows) == 10_001
    assert cloud.calls[-1].endswith("?format=json&prefix=p&marker=09999")


async def test_a_cancelled_request_gives_its_place_back(cloud, connect):
    client = await (await connect(settings=CloudSettings(max_concurrent_requests=1))).own()
    came = asyncio.Event()

    async def never(request):
        came.set()
        await asyncio.Event().wait()

    cloud.on("GET", "/network/v2.0/slow", never)
    cloud.on("GET", "/network/v2.0/networks", OK)
    first = asyncio.ensure_future(client.request("network", "GET", "/slow"))
    await came.wait()
    second = asyncio.ensure_future(client.request("network", "GET", "/slow"))
    third = asyncio.ensure_future(client.request("network", "GET", "/networks"))
    await asyncio.sleep(0)
    second.cancel()
    first.cancel()
    assert (await third).status == 200
    assert client.shared.limiter("network").in_flight == 0


@pytest.fixture
def held(cloud):
    """A PUT that comes, and is answered when it is let go."""
    came, go = asyncio.Event(), asyncio.Event()

    async def hold(request):
        came.set()
        await go.wait()
        return 200, {}

    cloud.on("PUT", "/network/v2.0/routers/1/add_router_interface", hold)
    return came, go


async def test_who_stops_wanting_a_change_goes_on_when_it_has_been_made(held, client):
    came, go = held
    asked = asyncio.ensure_future(client.request("network", "PUT", "/routers/1/add_router_interface", json={}))
    await came.wait()
    asked.cancel()
    done, _ = await asyncio.wait({asked}, timeout=0.05)
    assert not done, "it may take effect at any moment"
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert client.shared.limiter("network").in_flight == 0


async def test_a_process_that_stops_does_not_wait_for_it(held, client):
    came, go = held
    asked = asyncio.ensure_future(client.request("network", "PUT", "/routers/1/add_router_interface", json={}))
    await came.wait()
    for _ in range(2):
        asked.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert client.shared.limiter("network").in_flight == 0
    go.set()


async def test_the_body_is_json(cloud, client):
    cloud.on("POST", "/network/v2.0/networks", (201, {"network": {"id": "1"}}))
    reply = await client.request("network", "POST", "/networks", json={"network": {"name": "ü"}})
    assert reply.body == {"network": {"id": "1"}}
    assert json.loads(await cloud.requests[-1].read()) == {"network": {"name": "ü"}}
