"""The client against a whole cloud (`OS_CLOUD=demo make test-openstack`): what the fakes only claim."""

from __future__ import annotations

import asyncio
import os
import time
import uuid

import pytest

from engine.cloud.connection import Connection
from engine.cloud.contract import Ready
from engine.cloud.errors import Conflict, NotFound, Permanent
from engine.cloud.identity import Identity, InvalidToken

pytestmark = [
    pytest.mark.cloud_only,
    pytest.mark.skipif(not os.environ.get("OS_CLOUD"), reason="OS_CLOUD names no cloud"),
]


@pytest.fixture
async def connection():
    opened = await Connection.open(os.environ["OS_CLOUD"])
    yield opened
    await opened.close()


@pytest.fixture
async def client(connection):
    return await connection.own()


@pytest.fixture
def name():
    return f"isotherm-test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def deadline():
    return time.monotonic() + 300


async def test_a_network_comes_is_found_by_name_and_goes(client, name, deadline):
    made = await client.request("network", "POST", "/networks", json={"network": {"name": name}})
    network = made.body["network"]["id"]
    row = await client.wait_ready("network", "/networks", "networks", network, Ready(), deadline=deadline)
    assert row["name"] == name
    assert await client.resolve("network", name) == network
    await client.request("network", "DELETE", f"/networks/{network}")
    await client.wait_gone("network", "/networks", "networks", network, deadline=deadline)
    with pytest.raises(NotFound) as caught:
        await client.request("network", "GET", f"/networks/{network}")
    assert caught.value.kind == "NetworkNotFound"


async def test_six_volumes_become_available_through_the_hub(client, name, deadline):
    async def one(number):
        wanted = {"volume": {"name": f"{name}-{number}", "size": 1}}
        volume = (await client.request("block-storage", "POST", "/volumes", json=wanted)).body["volume"]["id"]
        row = await client.wait_ready("block-storage", "/volumes", "volumes", volume, Ready(), deadline=deadline)
        await client.request("block-storage", "DELETE", f"/volumes/{volume}")
        await client.wait_gone("block-storage", "/volumes", "volumes", volume, deadline=deadline)
        return row["status"]

    assert await asyncio.gather(*(one(number) for number in range(6))) == ["available"] * 6


async def test_in_use_is_a_conflict(client, name, deadline):
    network = (await client.request("network", "POST", "/networks", json={"network": {"name": name}})).body["network"]
    wanted = {"subnet": {"network_id": network["id"], "cidr": "10.99.0.0/24", "ip_version": 4}}
    try:
        await client.request("network", "POST", "/subnets", json=wanted)
        with pytest.raises(Conflict):
            await client.request("network", "POST", "/subnets", json=wanted)
        port = {"port": {"network_id": network["id"]}}
        port_id = (await client.request("network", "POST", "/ports", json=port)).body["port"]["id"]
        with pytest.raises(Conflict):
            await client.request("network", "DELETE", f"/networks/{network['id']}")
        await client.request("network", "DELETE", f"/ports/{port_id}")
    finally:
        await client.request("network", "DELETE", f"/networks/{network['id']}")


async def test_a_bad_request_tells_the_service_s_reason(client, name):
    with pytest.raises(Permanent, match=r"Nova refused POST /servers: .+ \(HTTP 400\)") as caught:
        await client.request("compute", "POST", "/servers", json={"server": {"name": name}})
    assert caught.value.status == 400


async def test_the_catalogue_and_the_facts(client):
    assert await client.services() >= {"compute", "network", "image", "identity", "block-storage"}
    facts = await client.facts()
    assert facts["zones"]
    assert facts["region"]


async def test_tokens_are_validated_and_bad_ones_refused(connection):
    identity = Identity(connection)
    own = await connection.service_token()
    assert (await identity.validate_token(own.id)).user_id == own.user_id
    with pytest.raises(InvalidToken):
        await identity.validate_token("gAAAAABnonsense")


async def test_m1_our_own_key_is_read_back(connection):
    identity = Identity(connection)
    access, secret = f"isotherm-{uuid.uuid4().hex}", uuid.uuid4().hex
    try:
        assert await identity.ensure_ec2_key((access, secret)) == (access, secret)
        found = await identity.ec2_secret(access)
        assert found is not None
        assert found.secret == secret
    finally:
        client = await connection.own()
        rows = await client.list("identity", "/credentials", "credentials", params={"user_id": client.user_id})
        mine = [row["id"] for row in rows if access in row["blob"]]
        for credential in mine:
            await client.request("identity", "DELETE", f"/credentials/{credential}")
