"""What runs and the door are lent: the cloud now as the caller, later as the stack's record says."""

from __future__ import annotations

import pytest

from engine.cloud.clouds import Clouds
from engine.cloud.errors import Permanent
from engine.model.stack import Caller

ROLES = ("member", "reader")


class Store:
    def __init__(self):
        self.kept = {}

    async def get_delegation(self, user_id, project_id):
        return self.kept.get((user_id, project_id))

    async def put_delegation(self, user_id, project_id, record):
        self.kept[user_id, project_id] = dict(record)


@pytest.fixture
async def clouds(connect):
    return Clouds(await connect("root", "service"), Store())


@pytest.fixture
async def caller(connect):
    token = (await (await connect()).service_token()).id
    return Caller("u-demo", "p-demo", ROLES, "demo", "demo", token)


EC2 = Caller("u-demo", "p-demo", ROLES, "demo", "demo")


async def test_now_with_the_caller_s_own_token(clouds, caller):
    client = await clouds.for_caller(caller)
    assert client.context.known.id == caller.token


async def test_now_for_an_ec2_caller_as_later(clouds, cloud):
    cloud.keystone.key_of()
    client = await clouds.for_caller(EC2)
    assert (client.user_id, client.context.known.methods) == ("u-demo", ("ec2credential",))


async def test_later_by_the_record(clouds, caller):
    client = await clouds.for_delegation(await clouds.establish(caller))
    assert (client.user_id, client.project_id) == ("u-demo", "p-demo")
    assert client.context.known.trust_id


async def test_a_client_outlives_its_tokens(clouds, caller, cloud):
    cloud.on("GET", "/network/v2.0/networks", (200, {"networks": []}))
    client = await clouds.for_delegation(await clouds.establish(caller))
    for _ in range(3):
        cloud.keystone.tokens.clear()
        await client.request("network", "GET", "/networks")


async def test_a_stack_whose_trust_is_gone_goes_on_with_the_standing_one_in_the_middle_of_a_run(clouds, caller, cloud):
    cloud.on("GET", "/network/v2.0/networks", (200, {"networks": []}))
    old = await clouds.establish(caller)
    client = await clouds.for_delegation(old)
    cloud.keystone.roles["u-demo", "p-demo"] = ["reader"]
    fewer = Caller("u-demo", "p-demo", ("reader",), token=caller.token)
    new = await clouds.establish(fewer)
    await clouds.revoke(old)
    assert list(cloud.keystone.trusts) == [new["trust_id"]]
    cloud.keystone.tokens.clear()
    await client.request("network", "GET", "/networks")
    assert client.context.known.trust_id == new["trust_id"]


async def test_without_another_the_loss_of_the_trust_is_told(clouds, caller, cloud):
    client = await clouds.for_delegation(await clouds.establish(caller))
    cloud.keystone.trusts.clear()
    cloud.keystone.tokens.clear()
    with pytest.raises(Permanent) as caught:
        await client.request("network", "GET", "/networks")
    assert caught.value.status == 401


async def test_the_standing_trust_is_not_given_back(clouds, caller, cloud):
    record = await clouds.establish(caller)
    await clouds.revoke(record)
    assert record["trust_id"] in cloud.keystone.trusts


@pytest.mark.parametrize("record", [{}, {"way": "by magic", "user_id": "u", "project_id": "p"}])
async def test_a_record_that_is_none_is_refused_but_can_be_revoked(clouds, record):
    with pytest.raises(Permanent, match="no delegation"):
        await clouds.for_delegation(record)
    await clouds.revoke(record)
