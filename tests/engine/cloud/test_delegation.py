"""How the engine acts later: the ways in their order, on a Keystone as strict as the patched ones (CVE-2026-80182)."""

from __future__ import annotations

import logging

import pytest

from engine.cloud.delegation import Delegation, Delegations, Way
from engine.cloud.errors import Permanent, Temporary
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
def store():
    return Store()


@pytest.fixture
async def demo_token(connect):
    """A token that the user demo got by his own password."""
    return (await (await connect()).service_token()).id


def caller(token=None, **more):
    return Caller("u-demo", "p-demo", **({"roles": ROLES, "user_name": "demo", "token": token} | more))


@pytest.fixture
async def service(connect):
    return await connect("svc", "service")


@pytest.fixture
async def root(connect):
    return await connect("root", "service")


async def test_the_configured_user_in_his_project_lends_nothing(connect, store, cloud):
    connection = await connect()
    found = await Delegations(connection, store).establish(caller())
    assert found.way is Way.OWN
    assert (await connection.for_delegation(found)).user_id == "u-demo"
    assert store.kept == {}


async def test_a_caller_with_a_token_makes_a_trust_with_all_his_roles(service, store, cloud, demo_token):
    found = await Delegations(service, store).establish(caller(demo_token))
    trust = cloud.keystone.trusts[found.trust_id]
    assert found.way is Way.TRUST
    assert (trust["trustor_user_id"], trust["trustee_user_id"], trust["project_id"]) == ("u-demo", "u-svc", "p-demo")
    assert trust["impersonation"] is True
    assert {role["name"] for role in trust["roles"]} == set(ROLES)
    assert trust["oe_token"].startswith("oe-")
    client = await service.for_delegation(found)
    assert (client.user_id, client.project_id) == ("u-demo", "p-demo")


async def test_the_trust_stands_for_later_requests_and_for_those_with_an_ec2_key(service, store, cloud, demo_token):
    delegations = Delegations(service, store)
    first = await delegations.establish(caller(demo_token))
    assert await delegations.establish(caller(demo_token)) == first
    assert await delegations.establish(caller(None)) == first
    assert len(cloud.keystone.trusts) == 1


async def test_new_roles_make_a_new_trust(service, store, cloud, demo_token):
    delegations = Delegations(service, store)
    first = await delegations.establish(caller(demo_token))
    second = await delegations.establish(caller(demo_token, roles=("reader",)))
    assert second.trust_id != first.trust_id
    assert store.kept["u-demo", "p-demo"]["trust_id"] == second.trust_id


async def test_a_standing_trust_that_was_removed_is_replaced(connect, store, cloud, demo_token):
    await Delegations(await connect("svc", "service"), store).establish(caller(demo_token))
    cloud.keystone.trusts.clear()
    again = await connect("svc", "service")  # as after a restart
    found = await Delegations(again, store).establish(caller(demo_token))
    assert found.trust_id in cloud.keystone.trusts


async def test_an_ec2_caller_s_own_key_is_a_way_when_it_may_be_read(root, store, cloud):
    cloud.keystone.key_of()
    found = await Delegations(root, store).establish(caller(None))
    assert found.way is Way.EC2_KEY
    client = await root.for_delegation(found)
    assert (client.user_id, client.project_id, client.context.known.roles) == ("u-demo", "p-demo", ROLES)
    assert "SK" not in str(found.to_record())


async def test_a_token_that_came_from_an_ec2_key_falls_through_to_the_key(root, store, cloud):
    cloud.keystone.key_of()
    delegations = Delegations(root, store)
    token = (await root.for_delegation(await delegations.establish(caller(None)))).context.known.id
    assert (await delegations.establish(caller(token))).way is Way.EC2_KEY


async def test_a_key_bound_to_a_trust_is_no_way(root, store, cloud):
    cloud.keystone.key_of(trust_id="t")
    with pytest.raises(Permanent, match="no EC2 key"):
        await Delegations(root, store).establish(caller(None))


async def test_the_service_user_is_a_way_where_he_has_no_more_than_the_caller(service, store, cloud):
    cloud.keystone.roles["u-svc", "p-demo"] = ["member", "service"]
    found = await Delegations(service, store).establish(caller(None))
    assert found.way is Way.SERVICE_USER
    client = await service.for_delegation(found)
    assert (client.user_id, client.project_id) == ("u-svc", "p-demo")


async def test_the_service_user_lends_nobody_a_role_that_he_has_not(service, store, cloud):
    cloud.keystone.roles["u-svc", "p-demo"] = ["admin"]
    with pytest.raises(Permanent, match=r"roles there that the caller has not \(admin\)"):
        await Delegations(service, store).establish(caller(None))


async def test_without_any_way_the_operator_is_told_what_to_do(service, store):
    with pytest.raises(Permanent) as caught:
        await Delegations(service, store).establish(caller(None, project_name="demo-project"))
    assert "Let demo run `isotherm delegate` once" in str(caught.value)
    assert "openstack role add --user SERVICE_USER --project demo-project member" in str(caught.value)


async def test_an_application_credential_is_a_standing_way(service, store, cloud):
    cloud.keystone.app_credentials["ac"] = {
        "secret": "s3", "user": "u-demo", "project": "p-demo", "roles": list(ROLES),
    }  # fmt: skip
    delegations = Delegations(service, store)
    kept = await delegations.keep_application_credential(caller(None), "ac", "s3")
    assert await delegations.establish(caller(None)) == kept
    assert (await service.for_delegation(kept)).user_id == "u-demo"
    assert "s3" not in repr(kept)


async def test_an_application_credential_of_somebody_else_is_refused(service, store, cloud):
    cloud.keystone.app_credentials["ac"] = {
        "secret": "s", "user": "u-root", "project": "p-service", "roles": ["admin"],
    }  # fmt: skip
    with pytest.raises(Permanent, match="of another user or project"):
        await Delegations(service, store).keep_application_credential(caller(None), "ac", "s")
    assert store.kept == {}


async def test_keystone_away_is_temporary_and_decides_nothing(service, store, cloud, demo_token):
    await service.own()
    await cloud.stop()
    with pytest.raises(Temporary):
        await Delegations(service, store).establish(caller(demo_token))


async def test_the_standing_trust_outlives_a_stack_and_an_older_one_does_not(service, store, cloud, demo_token):
    delegations = Delegations(service, store)
    old = await delegations.establish(caller(demo_token))
    await delegations.release(old)
    assert old.trust_id in cloud.keystone.trusts
    new = await delegations.establish(caller(demo_token, roles=("reader",)))
    await delegations.release(old, still_used=True)
    assert old.trust_id in cloud.keystone.trusts
    await delegations.release(old)
    assert list(cloud.keystone.trusts) == [new.trust_id]


async def test_a_trust_that_cannot_be_removed_is_logged(connect, store, cloud, caplog):
    connection = await connect("svc", "service")
    with caplog.at_level(logging.WARNING):
        await Delegations(connection, store).release(Delegation(Way.TRUST, "u-demo", "p-demo", trust_id="no-such"))
    assert "trust no-such is left behind" in caplog.text


@pytest.mark.parametrize("way", list(Way))
def test_a_record_comes_back_as_it_went(way):
    delegation = Delegation(way, "u", "p", ("a", "b"), "t", "ac", "s")
    assert Delegation.from_record(delegation.to_record()) == delegation


async def test_the_configured_application_credential_is_not_good_for_other_projects(cloud, connect, store):
    cloud.keystone.app_credentials["ac"] = {
        "secret": "s", "user": "u-svc", "project": "p-service", "roles": ["service"],
    }  # fmt: skip
    auth = type(cloud.auth())(
        cloud.url + "/identity", application_credential_id="ac", application_credential_secret="s"
    )
    connection = await connect(auth=auth)
    assert (await connection.own()).project_id == "p-service"
    with pytest.raises(Permanent, match="good for its own project only"):
        await connection.for_project("p-demo")
