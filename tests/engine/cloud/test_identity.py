"""Tokens, EC2 keys and roles as Keystone tells them, asked once a minute."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from engine.cloud.ec2 import sign
from engine.cloud.errors import Conflict, Temporary
from engine.cloud.identity import Identity, InvalidToken, UnknownKey


@pytest.fixture
async def demo(connect):
    return await connect()


@pytest.fixture
async def root(connect):
    return Identity(await connect("root", "service"))


@pytest.fixture
async def demo_token(demo):
    return (await demo.service_token()).id


def count(cloud, call):
    return cloud.calls.count(call)


async def test_a_token_is_validated_with_the_service_token_once_however_many_ask(cloud, root, demo_token):
    found = await asyncio.gather(*(root.validate_token(demo_token) for _ in range(20)))
    assert {(info.user_id, info.project_id, info.roles, info.is_admin) for info in found} == {
        ("u-demo", "p-demo", ("member", "reader"), False)
    }
    assert count(cloud, "GET /identity/auth/tokens") == 1


async def test_after_a_minute_it_is_asked_again(cloud, clock, root, demo_token):
    await root.validate_token(demo_token)
    clock.offset += 61
    await root.validate_token(demo_token)
    assert count(cloud, "GET /identity/auth/tokens") == 2


async def test_a_user_without_rights_lets_tokens_validate_themselves(cloud, connect, demo_token):
    identity = Identity(await connect())
    assert (await identity.validate_token(demo_token)).user_id == "u-demo"
    assert (await identity.validate_token(demo_token)).user_id == "u-demo"


@pytest.mark.parametrize("token", ["no-such-token", "", "bad\r\nHeader: x", "ü", "x" * 10_000])
@pytest.mark.parametrize("user", [("demo", "demo"), ("root", "service")], ids=["self", "service"])
async def test_a_bad_token_is_invalid_with_401(connect, user, token):
    with pytest.raises(InvalidToken) as caught:
        await Identity(await connect(*user)).validate_token(token)
    assert caught.value.status == 401


async def test_a_token_that_ends_while_it_is_kept_is_invalid(cloud, clock, root, demo_token):
    await root.validate_token(demo_token)
    cloud.keystone.tokens[demo_token]["expires"] = 0
    clock.offset += 3700
    with pytest.raises(InvalidToken):
        await root.validate_token(demo_token)


async def test_our_own_token_s_end_is_not_the_caller_s_fault(cloud, root, demo_token):
    await root.user_roles("u-demo", "p-demo")
    for token in [token for token in cloud.keystone.tokens if token != demo_token]:
        del cloud.keystone.tokens[token]
    assert (await root.validate_token(demo_token)).user_id == "u-demo"


async def test_keystone_away_is_temporary(cloud, root, demo_token):
    await root.user_roles("u-demo", "p-demo")
    await cloud.stop()
    with pytest.raises(Temporary):
        await root.validate_token(demo_token)


async def test_the_service_user_reads_a_key_with_its_owner_s_roles(cloud, root):
    cloud.keystone.key_of()
    found = await root.ec2_secret("AK")
    assert (found.secret, found.user_id, found.project_id, found.user_name) == ("SK", "u-demo", "p-demo", "demo")
    assert found.roles == ("member", "reader")
    assert "SK" not in repr(found)
    asked = len(cloud.calls)
    await root.ec2_secret("AK")
    assert len(cloud.calls) == asked


async def test_a_user_reads_his_own_key(cloud, demo):
    cloud.keystone.key_of()
    assert (await Identity(demo).ec2_secret("AK")).secret == "SK"


async def test_a_key_that_may_not_be_read_is_keystone_s_to_check(cloud, demo):
    cloud.keystone.key_of("u-root", "p-service")
    assert await Identity(demo).ec2_secret("AK") is None


async def test_a_key_with_fewer_rights_than_its_owner_is_keystone_s_to_check(cloud, root):
    cloud.keystone.key_of(trust_id="t")
    assert await root.ec2_secret("AK") is None


async def test_a_key_that_is_not_there_is_unknown_for_a_short_time(cloud, clock, root):
    for _ in range(2):
        with pytest.raises(UnknownKey):
            await root.ec2_secret("AK")
    assert len([call for call in cloud.calls if "/credentials/" in call]) == 1
    cloud.keystone.key_of()
    clock.offset += 6
    assert (await root.ec2_secret("AK")).secret == "SK"


async def test_a_key_whose_owner_lost_all_roles_is_unknown(cloud, root):
    cloud.keystone.key_of()
    cloud.keystone.roles["u-demo", "p-demo"] = []
    with pytest.raises(UnknownKey, match="no role"):
        await root.ec2_secret("AK")


async def test_ec2_tokens_are_asked_for_with_a_service_token(cloud, root):
    cloud.keystone.key_of()
    info = await root.ec2_token({"access": "AK", "signature": "right"})
    assert (info.user_id, info.project_id, info.methods) == ("u-demo", "p-demo", ("ec2credential",))


async def test_a_wrong_signature_does_not_cost_a_new_service_token(cloud, root):
    cloud.keystone.key_of()
    for _ in range(5):
        with pytest.raises(InvalidToken):
            await root.ec2_token({"access": "AK", "signature": "wrong"})
    assert len(cloud.keystone.posts) == 1


async def test_an_ended_service_token_is_renewed_for_a_right_signature(cloud, root):
    cloud.keystone.key_of()
    await root.ec2_token({"access": "AK", "signature": "right"})
    cloud.keystone.tokens.clear()
    assert (await root.ec2_token({"access": "AK", "signature": "right"})).user_id == "u-demo"


async def test_a_key_is_made_once_and_found_again(cloud, demo):
    identity = Identity(demo)
    first = await identity.ensure_ec2_key()
    assert await identity.ensure_ec2_key() == first
    assert len(cloud.keystone.credentials) == 1


async def test_m1_a_preferred_key_fixes_the_credential_s_id(cloud, demo):
    identity = Identity(demo)
    for _ in range(2):
        assert await identity.ensure_ec2_key(("MY", "SECRET")) == ("MY", "SECRET")
    assert list(cloud.keystone.credentials) == [hashlib.sha256(b"MY").hexdigest()]
    with pytest.raises(Conflict, match="with another secret"):
        await identity.ensure_ec2_key(("MY", "OTHER"))


async def test_roles_of_others_need_an_administrator(connect, root):
    assert await root.user_roles("u-demo", "p-demo") == ("member", "reader")
    assert await Identity(await connect()).user_roles("u-demo", "p-demo") == ("member", "reader")


def test_our_signature_is_botocore_s():
    now = dt.datetime.now(dt.UTC)
    ours = sign("AK", "SK", now)
    request = AWSRequest("GET", "http://isotherm/", headers={"Host": "isotherm"})
    SigV4Auth(Credentials("AK", "SK"), "isotherm", "local").add_auth(request)
    if request.headers["X-Amz-Date"] != ours["headers"]["X-Amz-Date"]:  # the second has turned in between
        stamp = dt.datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        ours = sign("AK", "SK", stamp)
    assert request.headers["Authorization"] == ours["headers"]["Authorization"]
