"""Other regions, and other clouds by a user's credential (heat.md ENGN-09), on simulated clouds."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.cloud.auth import AuthSettings
from engine.cloud.client import Client
from engine.cloud.connection import Connection
from engine.cloud.contract import Place
from engine.cloud.elsewhere import trust
from engine.cloud.errors import Permanent, Temporary
from engine.cloud.settings import CloudSettings
from simulator import Settings, Simulator

FAST = CloudSettings(retry_base_delay=0.01, retry_max_delay=0.05)


@pytest.fixture
async def here() -> AsyncIterator[Simulator]:
    started = Simulator(Settings(build_seconds=0))
    await started.start(host="127.0.0.1", port=0)
    yield started
    await started.stop()


@pytest.fixture
async def other() -> AsyncIterator[Simulator]:
    started = Simulator(Settings(build_seconds=0, region="North"))
    await started.start(host="127.0.0.1", port=0)
    yield started
    await started.stop()


def _auth(cloud: Simulator, user: str = "demo") -> dict[str, Any]:
    return {
        "auth_url": cloud.auth_url, "username": user, "password": cloud.seed.passwords[user],
        "user_domain_name": "Default", "project_name": user, "project_domain_name": "Default",
    }  # fmt: skip


@pytest.fixture
async def own(here: Simulator) -> AsyncIterator[Client]:
    await _second_region(here)
    connection = await Connection.open(auth=AuthSettings(**_auth(here)), settings=FAST)
    yield await connection.own()
    await connection.close()


async def _second_region(cloud: Simulator) -> None:
    """A region North, with nothing but a Neutron: that of the first."""
    connection = await Connection.open(auth=AuthSettings(**_auth(cloud, "admin")), settings=FAST)
    admin = await connection.own()
    await admin.request("identity", "POST", "/regions", json={"region": {"id": "North"}})
    (neutron,) = [one for one in await admin.list("identity", "/services", "services") if one["type"] == "network"]
    endpoint = {
        "service_id": neutron["id"], "interface": "public", "region_id": "North", "url": admin._root("network"),
    }  # fmt: skip
    await admin.request("identity", "POST", "/endpoints", json={"endpoint": endpoint})
    await connection.close()


async def _project(client: Any) -> str:
    """The project, as the cloud itself sees the client."""
    made = await client.request("network", "POST", "/networks", json={"network": {"name": "n"}})
    return str(made.body["network"]["project_id"])


async def test_engn_09_another_region_by_the_catalogue(own: Client) -> None:
    north = await own.elsewhere(Place("North"))
    assert (north.region, north.project_id, north.user_id) == ("North", own.project_id, own.user_id)
    assert await _project(north) == own.project_id
    assert await north.services() == {"network"}
    with pytest.raises(Permanent, match="no orchestration service in region North"):
        await north.request("orchestration", "GET", "/stacks")


async def test_engn_09_a_region_that_there_is_not(own: Client) -> None:
    with pytest.raises(Permanent, match="no network service in region South"):
        await _project(await own.elsewhere(Place("South")))


async def test_engn_09_regions_share_what_they_learn(own: Client) -> None:
    first, second = await own.elsewhere(Place("North")), await own.elsewhere(Place("North"))
    assert first.shared is second.shared
    assert first.shared is not own.shared
    assert (await own.elsewhere(Place("North", insecure=True))).shared is not first.shared


async def test_engn_09_another_cloud_by_a_password(own: Client, other: Simulator) -> None:
    client = await own.elsewhere(Place(credential={"auth_type": "v3password", "auth": _auth(other)}))
    assert client.region == "North"
    assert await _project(client) == client.project_id
    assert await own.elsewhere(Place(credential={"auth_type": "v3password", "auth": _auth(other)})) is client


async def test_engn_09_another_cloud_by_an_application_credential(own: Client, other: Simulator) -> None:
    there = await own.elsewhere(Place(credential={"auth_type": "password", "auth": _auth(other)}))
    wanted = {"application_credential": {"name": "for-stacks", "secret": "s3cret"}}
    path = f"/users/{there.user_id}/application_credentials"
    made = (await there.request("identity", "POST", path, json=wanted)).body["application_credential"]
    auth = {
        "auth_url": other.auth_url,
        "application_credential_id": made["id"],
        "application_credential_secret": "s3cret",
    }
    client = await own.elsewhere(Place("North", {"auth_type": "v3applicationcredential", "auth": auth}))
    assert (client.user_id, client.project_id) == (there.user_id, there.project_id)
    assert await _project(client) == there.project_id


async def test_engn_09_other_kinds_go_through_their_plugin(own: Client, other: Simulator) -> None:
    auth = {**_auth(other), "auth_methods": ["v3password"]}
    client = await own.elsewhere(Place(credential={"auth_type": "v3multifactor", "auth": auth}))
    assert await _project(client) == client.project_id


@pytest.mark.parametrize(
    ("credential", "sentence"),
    [
        ({}, "no JSON object with `auth_type` and `auth`"),
        ({"auth_type": "password", "auth": "x"}, "no JSON object with `auth_type` and `auth`"),
        ({"auth_type": "password", "auth": {"password": "hunter2"}}, "has no auth_url"),
        ({"auth_type": "password", "auth": {"auth_url": "file:///etc/passwd"}}, "has no auth_url"),
        ({"auth_type": "password", "auth": {"auth_url": "http://k", "password": ["hunter2"]}}, "password must be text"),
        ({"auth_type": "password", "auth": {"auth_url": "http://k", "username": "x"}}, "no password"),
        ({"auth_type": "magic", "auth": {"auth_url": "http://k", "password": "hunter2"}}, "magic"),
        ({"auth_type": "v3multifactor", "auth": {"auth_url": "http://k", "spell": "hunter2"}}, "cannot be used"),
    ],
)
async def test_engn_09_a_credential_that_is_of_no_use(own: Client, credential: Any, sentence: str) -> None:
    with pytest.raises(Permanent, match=sentence) as refused:
        await own.elsewhere(Place(credential=credential))
    assert "hunter2" not in str(refused.value)


async def test_engn_09_a_wrong_password_is_refused_there(own: Client, other: Simulator) -> None:
    auth = {**_auth(other), "password": "hunter2"}
    with pytest.raises(Permanent, match=r"Keystone refused .*HTTP 401") as refused:
        await own.elsewhere(Place(credential={"auth_type": "password", "auth": auth}))
    assert "hunter2" not in str(refused.value)


async def test_engn_09_an_operator_may_forbid_other_clouds(here: Simulator, other: Simulator) -> None:
    settings = CloudSettings(remote_clouds=False)
    connection = await Connection.open(auth=AuthSettings(**_auth(here)), settings=settings)
    own = await connection.own()
    with pytest.raises(Permanent, match="no stacks in other clouds"):
        await own.elsewhere(Place(credential={"auth_type": "password", "auth": _auth(other)}))
    await connection.close()


async def test_engn_09_a_cloud_that_is_away_may_come_back(own: Client) -> None:
    auth = {"auth_url": "http://127.0.0.1:9/v3", "username": "u", "password": "p"}
    with pytest.raises(Temporary):
        await own.elsewhere(Place(credential={"auth_type": "password", "auth": auth}))


def test_engn_09_what_is_trusted() -> None:
    assert trust(None) is True
    assert trust(None, insecure=True) is False
    with pytest.raises(Permanent, match="no certificate in PEM"):
        trust("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    found = trust(_certificate())
    assert isinstance(found, ssl.SSLContext)
    assert len(found.get_ca_certs()) == 1


def _certificate() -> str:
    """One that signs itself."""
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "there")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
