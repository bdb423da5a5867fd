"""Opening a cloud: entries of clouds.yaml, auth types, callers' tokens; and what importing costs."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from engine.cloud.auth import AuthSettings
from engine.cloud.catalog import service_root, version_root
from engine.cloud.connection import Connection
from engine.cloud.errors import Permanent
from engine.cloud.token import TokenInfo


@pytest.fixture
def write(tmp_path, monkeypatch, cloud):
    """Writes an entry `mine` of clouds.yaml (and its part of secure.yaml)."""

    def write_(entry, secure=None):
        entry.setdefault("auth", {}).setdefault("auth_url", f"{cloud.url}/identity/v3")
        (tmp_path / "clouds.yaml").write_text(yaml.safe_dump({"clouds": {"mine": entry}}))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
        if secure:
            (tmp_path / "secure.yaml").write_text(yaml.safe_dump({"clouds": {"mine": secure}}))
            monkeypatch.setenv("OS_CLIENT_SECURE_FILE", str(tmp_path / "secure.yaml"))

    return write_


@pytest.fixture
async def open_mine():
    opened = []

    async def open_(name="mine"):
        opened.append(await Connection.open(name))
        return opened[-1]

    yield open_
    for connection in opened:
        await connection.close()


DEMO = {"username": "demo", "project_name": "demo", "user_domain_name": "Default", "project_domain_name": "Default"}


async def test_an_entry_of_clouds_yaml_with_its_secret_in_secure_yaml(write, open_mine):
    write({"auth": dict(DEMO), "region_name": "RegionOne"}, {"auth": {"password": "pw"}})
    client = await (await open_mine()).own()
    assert (client.user_id, client.project_id, client.region) == ("u-demo", "p-demo", "RegionOne")


async def test_an_application_credential(write, open_mine, cloud):
    cloud.keystone.app_credentials["ac"] = {"secret": "s", "user": "u-demo", "project": "p-demo", "roles": ["member"]}
    auth = {"application_credential_id": "ac", "application_credential_secret": "s"}
    write({"auth_type": "v3applicationcredential", "auth": auth})
    assert (await (await open_mine()).own()).project_id == "p-demo"


async def test_any_other_auth_type_goes_through_its_keystoneauth_plugin(write, open_mine, cloud):
    write({"auth_type": "v3totp", "auth": dict(DEMO, passcode="123456")})
    connection = await open_mine()
    assert connection._entry.plugin is not None
    assert (await connection.own()).project_id == "p-demo"
    cloud.keystone.roles["u-demo", "p-service"] = ["member"]
    assert (await connection.for_project("p-service")).project_id == "p-service"


async def test_an_entry_that_its_plugin_cannot_use_is_told(write, open_mine):
    write({"auth_type": "v3nonsense", "auth": dict(DEMO)})
    with pytest.raises(Permanent, match=r"'mine' of clouds.yaml cannot be used: .*v3nonsense"):
        await open_mine()


async def test_endpoint_overrides_and_interface_are_taken_over(write, open_mine):
    entry = {"auth": dict(DEMO, password="pw"), "interface": "internal", "dns_endpoint_override": "http://dns/v2"}
    write(entry)
    connection = await open_mine()
    assert connection.auth.endpoint_overrides == {"dns": "http://dns/v2"}
    assert connection.auth.interface == "internal"


async def test_an_entry_that_is_not_there_is_told(write, open_mine):
    write({})
    with pytest.raises(Permanent, match=r"The cloud 'other' of clouds.yaml cannot be used"):
        await open_mine("other")


async def test_a_caller_s_token_acts_in_its_project_only(connect):
    token = (await (await connect()).service_token()).id
    connection = await connect("svc", "service")
    client = await connection.for_caller(token, "p-demo")
    assert (client.user_id, client.project_id) == ("u-demo", "p-demo")
    assert await connection.for_caller(token, "p-demo") is client
    with pytest.raises(Permanent, match="another project") as caught:
        await connection.for_caller(token, "p-service")
    assert caught.value.status == 403


async def test_a_caller_s_ended_token_is_401(connect, cloud):
    connection = await connect("svc", "service")
    token = (await (await connect()).service_token()).id
    client = await connection.for_caller(token, "p-demo")
    del cloud.keystone.tokens[token]
    with pytest.raises(Permanent) as caught:
        await client.request("network", "GET", "/networks")
    assert caught.value.status == 401


async def test_clients_are_kept_per_project(connect, cloud):
    cloud.keystone.roles["u-svc", "p-demo"] = ["member"]
    connection = await connect("svc", "service")
    assert await connection.for_project("p-demo") is await connection.for_project("p-demo")
    assert await connection.for_project("p-service") is await connection.own()
    assert len(cloud.keystone.posts) == 2


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("http://k:5000", "http://k:5000/v3"),
        ("http://k:5000/", "http://k:5000/v3"),
        ("http://k/identity/v3", "http://k/identity/v3"),
        ("http://k/identity/v2.0", "http://k/identity/v3"),
    ],
)
def test_the_identity_root(url, root):
    assert AuthSettings(url).identity_root == root


@pytest.mark.parametrize(
    ("kind", "url", "root"),
    [
        ("network", "http://c:9696", "http://c:9696/v2.0"),
        ("network", "http://c/networking/", "http://c/networking/v2.0"),
        ("compute", "http://c/compute/v2.1", "http://c/compute/v2.1"),
        ("image", "http://c/image", "http://c/image/v2"),
        ("block-storage", "http://c/volume/v3/p", "http://c/volume/v3/p"),
        ("block-storage", "http://c/volume", "http://c/volume/v3/p"),
        ("load-balancer", "http://c/load-balancer", "http://c/load-balancer/v2"),
        ("object-store", "http://c/v1/AUTH_p", "http://c/v1/AUTH_p"),
        ("placement", "http://c/placement", "http://c/placement"),
    ],
)
def test_the_versioned_root_of_a_service(kind, url, root):
    assert service_root(_info(kind, url), kind, "R", "public", {}) == root


def test_an_old_version_under_the_common_name_is_not_taken():
    assert service_root(_info("volume", "http://c/v2/p"), "block-storage", "R", "public", {}) is None


def test_another_region_or_interface_is_not_taken():
    info = _info("network", "http://c")
    assert service_root(info, "network", "Other", "public", {}) is None
    assert service_root(info, "network", "R", "internal", {}) is None


def test_microversions_are_told_above_the_project():
    assert version_root("http://v3.example/volume/v3/p-1") == "http://v3.example/volume/v3"
    assert version_root("http://c/placement") == "http://c/placement"


def _info(kind, url):
    endpoint = {"interface": "public", "region_id": "R", "region": "R", "url": url}
    catalog = [{"type": kind, "endpoints": [endpoint]}]
    return TokenInfo("u", "", "", "", "p", "", "", "", (), 0.0, catalog=catalog)


def test_importing_the_room_imports_neither_the_sdk_nor_keystoneauth():
    code = (
        "import sys; import engine.cloud.connection, engine.cloud.identity, engine.cloud.delegation, engine.cloud.sdk; "
        "sys.exit(any(name in sys.modules for name in ('openstack', 'keystoneauth1', 'requests')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
