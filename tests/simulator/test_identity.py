"""Keystone: tokens, trusts, application credentials, EC2 keys, roles. As strict as the patched one."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.simulator.conftest import Answer, Cloud, User

ID = "/identity/v3"


async def _post_auth(cloud: Cloud, auth: dict[str, Any]) -> int:
    async with cloud.session.post(cloud.sim.auth_url + "/auth/tokens", json={"auth": auth}) as response:
        return response.status


def _password(cloud: Cloud, password: str, project: str = "demo") -> dict[str, Any]:
    user = {"name": "demo", "domain": {"name": "Default"}, "password": password}
    scope = {"project": {"name": project, "domain": {"id": "default"}}}
    return {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}


@pytest.mark.parametrize(("password", "project", "status"), [
    ("demo", "demo", 201), ("wrong", "demo", 401), ("demo", "admin", 401), ("demo", "none", 401),
])  # fmt: skip
async def test_password(cloud: Cloud, password: str, project: str, status: int) -> None:
    assert await _post_auth(cloud, _password(cloud, password, project)) == status


async def test_token_has_roles_and_a_catalogue_for_the_project(demo: User) -> None:
    assert {"member", "heat_stack_owner"} <= {role["name"] for role in demo.body["roles"]}
    urls = {entry["type"]: entry["endpoints"][0]["url"] for entry in demo.body["catalog"]}
    assert {"identity", "compute", "network", "image", "volumev3", "block-storage", "object-store"} <= urls.keys()
    assert urls["volumev3"].endswith(demo.project_id)


async def test_own_catalogue_entries(cloud: Cloud) -> None:
    cloud.sim.add_service_catalog("orchestration", "http://127.0.0.1:8004/v1/%(project_id)s")
    user = await cloud.user("demo")
    entry = next(entry for entry in user.body["catalog"] if entry["type"] == "orchestration")
    assert {e["interface"] for e in entry["endpoints"]} == {"public", "internal", "admin"}
    assert entry["endpoints"][0]["url"] == f"http://127.0.0.1:8004/v1/{user.project_id}"


async def test_tokens_end(cloud: Cloud, demo: User) -> None:
    cloud.clock.advance(86_399)
    assert (await demo.net("GET", "/networks")).status == 200
    cloud.clock.advance(2)
    answer = await demo.net("GET", "/networks")
    assert (answer.status, answer.body["error"]["code"]) == (401, 401)


async def test_a_token_may_be_read_by_its_owner_and_by_services(cloud: Cloud, demo: User, admin: User) -> None:
    service = await cloud.user("isotherm", "service")

    async def read(reader: User, subject: User, method: str = "GET") -> int:
        return (await reader.call(method, ID + "/auth/tokens", headers={"X-Subject-Token": subject.token})).status

    assert [await read(demo, demo), await read(demo, admin), await read(service, demo)] == [200, 403, 200]
    assert await read(demo, demo, "HEAD") == 200


async def test_revoked_token_is_unknown(demo: User, admin: User) -> None:
    assert (await demo.call("DELETE", ID + "/auth/tokens", headers={"X-Subject-Token": demo.token})).status == 204
    assert (await admin.call("GET", ID + "/auth/tokens", headers={"X-Subject-Token": demo.token})).status == 404


async def test_token_from_a_token_keeps_its_end(cloud: Cloud, demo: User) -> None:
    cloud.clock.advance(100)
    scope = {"project": {"id": demo.project_id}}
    again = await cloud.auth({"identity": {"methods": ["token"], "token": {"id": demo.token}}, "scope": scope})
    assert again.body["expires_at"] == demo.body["expires_at"]
    assert again.body["methods"] == ["token", "password"]


# --- trusts and application credentials ----------------------------------------------------------------------------
def _trust(cloud: Cloud, demo: User, **more: Any) -> dict[str, Any]:
    trust = {
        "trustor_user_id": demo.user_id, "trustee_user_id": cloud.sim.seed.users["isotherm"],
        "project_id": demo.project_id, "impersonation": True, "roles": [{"name": "member"}], "oe_token": "oe-1",
    }  # fmt: skip
    return {"trust": trust | more}


async def _by_trust(cloud: Cloud, trust_id: str, user: str = "isotherm") -> User:
    seed = cloud.sim.seed
    named = {"id": seed.users[user], "password": seed.passwords[user]}
    identity = {"methods": ["password"], "password": {"user": named}}
    return await cloud.auth({"identity": identity, "scope": {"OS-TRUST:trust": {"id": trust_id}}})


async def test_trustee_acts_as_the_trustor(cloud: Cloud, demo: User) -> None:
    trust = (await demo.ok("POST", ID + "/OS-TRUST/trusts", _trust(cloud, demo)))["trust"]
    acting = await _by_trust(cloud, trust["id"])
    assert (acting.user_id, acting.project_id) == (demo.user_id, demo.project_id)
    assert {role["name"] for role in acting.body["roles"]} == {"member"}
    assert acting.body["OS-TRUST:trust"]["id"] == trust["id"]
    await demo.ok("DELETE", f"{ID}/OS-TRUST/trusts/{trust['id']}")
    assert (await acting.net("GET", "/networks")).status == 401


async def test_tokens_m5_trust_keeps_and_lists_its_mark(cloud: Cloud, demo: User) -> None:
    await demo.ok("POST", ID + "/OS-TRUST/trusts", _trust(cloud, demo))
    listed = await demo.ok("GET", f"{ID}/OS-TRUST/trusts?trustor_user_id={demo.user_id}")
    assert [trust["oe_token"] for trust in listed["trusts"]] == ["oe-1"]


async def test_trust_with_a_chosen_end_is_unique(cloud: Cloud, demo: User) -> None:
    body = _trust(cloud, demo, expires_at="2087-01-01T00:00:00.123456Z")
    answers = [await demo.call("POST", ID + "/OS-TRUST/trusts", body) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 409]


async def test_role_that_one_has_not_cannot_be_lent(cloud: Cloud, demo: User) -> None:
    body = _trust(cloud, demo, roles=[{"name": "admin"}])
    assert (await demo.call("POST", ID + "/OS-TRUST/trusts", body)).status == 404


async def test_application_credential(cloud: Cloud, demo: User) -> None:
    path = f"{ID}/users/{demo.user_id}/application_credentials"
    body = {"application_credential": {"name": "a", "secret": "s", "id": "chosen"}}
    made = (await demo.ok("POST", path, body))["application_credential"]
    assert made["secret"] == "s"
    assert made["id"] != "chosen"
    assert (await demo.call("POST", path, body)).status == 409
    credential = {"id": made["id"], "secret": "s"}
    acting = await cloud.auth(
        {"identity": {"methods": ["application_credential"], "application_credential": credential}}
    )
    assert (acting.user_id, acting.project_id) == (demo.user_id, demo.project_id)
    assert (await acting.call("POST", ID + "/OS-TRUST/trusts", _trust(cloud, demo))).status == 403
    assert (await acting.call("POST", path, {"application_credential": {"name": "b"}})).status == 403


# --- EC2 -----------------------------------------------------------------------------------------------------------
_EMPTY = hashlib.sha256(b"").hexdigest()


def _signed(access: str, secret: str, now: float) -> dict[str, Any]:
    stamp = dt.datetime.fromtimestamp(now, dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/r/cloudformation/aws4_request"
    request = f"POST\n/\n\nhost:h\nx-amz-date:{stamp}\n\nhost;x-amz-date\n{_EMPTY}"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    )
    headers = {"Host": "h", "X-Amz-Date": stamp, "Authorization": authorization}
    return {"access": access, "signature": signature, "host": "h", "verb": "POST", "path": "/", "params": {},
            "headers": headers, "body_hash": _EMPTY}  # fmt: skip


async def _ec2(cloud: Cloud, user: User | None, credentials: dict[str, Any]) -> Answer:
    user = user or User(cloud.sim.url, cloud.session, "", {})
    return await user.call("POST", ID + "/ec2tokens", {"credentials": credentials})


def _seed_key(cloud: Cloud) -> dict[str, Any]:
    return _signed(cloud.sim.seed.ec2_access, cloud.sim.seed.ec2_secret, cloud.clock.now)


async def test_ec2tokens_wants_a_service_token(cloud: Cloud, demo: User) -> None:
    service = await cloud.user("isotherm", "service")
    answers = [await _ec2(cloud, user, _seed_key(cloud)) for user in (None, demo, service)]
    assert [answer.status for answer in answers] == [401, 403, 200]
    assert answers[2].body["token"]["methods"] == ["ec2credential"]
    assert answers[2].body["token"]["user"]["id"] == demo.user_id


async def test_ec2_token_makes_neither_trusts_nor_credentials(cloud: Cloud, demo: User, admin: User) -> None:
    answer = await _ec2(cloud, admin, _seed_key(cloud))
    acting = User(cloud.sim.url, cloud.session, answer.headers["x-subject-token"], answer.body["token"])
    assert (await acting.net("GET", "/networks")).status == 200
    assert (await acting.call("POST", ID + "/OS-TRUST/trusts", _trust(cloud, demo))).status == 403
    path = f"{ID}/users/{demo.user_id}/application_credentials"
    assert (await acting.call("POST", path, {"application_credential": {"name": "b"}})).status == 403
    assert (await acting.call("POST", f"{ID}/users/{demo.user_id}/credentials/OS-EC2", {})).status == 403
    identity = {"methods": ["token"], "token": {"id": acting.token}}
    assert await _post_auth(cloud, {"identity": identity, "scope": {"project": {"id": demo.project_id}}}) == 403


@pytest.mark.parametrize(("change", "age", "status"), [
    ({}, 0, 200), ({"signature": "00"}, 0, 401), ({}, 3600, 401), ({"path": "/other"}, 0, 401),
    ({"access": "x"}, 0, 404),
])  # fmt: skip
async def test_ec2_signatures(cloud: Cloud, admin: User, change: dict[str, str], age: float, status: int) -> None:
    seed = cloud.sim.seed
    credentials = _signed(seed.ec2_access, seed.ec2_secret, cloud.clock.now - age) | change
    assert (await _ec2(cloud, admin, credentials)).status == status


async def test_tokens_m1_chosen_ec2_key_has_the_id_of_its_access(demo: User) -> None:
    blob = json.dumps({"access": "chosen", "secret": "s"})
    wanted = {"type": "ec2", "user_id": demo.user_id, "project_id": demo.project_id, "blob": blob}
    made = await demo.ok("POST", ID + "/credentials", {"credential": wanted})
    assert made["credential"]["id"] == hashlib.sha256(b"chosen").hexdigest()
    assert (await demo.call("POST", ID + "/credentials", {"credential": wanted})).status == 409


async def test_admin_may_read_the_secret_of_a_key(cloud: Cloud, demo: User, admin: User) -> None:
    path = f"{ID}/users/{demo.user_id}/credentials/OS-EC2/{cloud.sim.seed.ec2_access}"
    for user in (demo, admin):
        assert (await user.ok("GET", path))["credential"]["secret"] == cloud.sim.seed.ec2_secret
    other = await cloud.user("alt_demo")
    assert (await other.call("GET", path)).status == 403


# --- administration ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/users", "/projects", "/roles", "/domains", "/services", "/role_assignments"])
async def test_lists_are_for_administrators(demo: User, admin: User, path: str) -> None:
    assert (await demo.call("GET", ID + path)).status == 403
    assert (await admin.call("GET", ID + path)).status == 200


async def test_user_keeps_extra_attributes_and_is_unique(admin: User) -> None:
    body = {"user": {"name": "u", "password": "p", "oe_token": "q"}}
    user = (await admin.ok("POST", ID + "/users", body))["user"]
    assert user["oe_token"] == "q"
    assert "password" not in json.dumps(user).replace("password_expires_at", "")
    assert (await admin.call("POST", ID + "/users", body)).status == 409


async def test_tokens_3_unknown_filters_are_ignored(admin: User) -> None:
    listed = await admin.ok("GET", ID + "/users?name=demo&description=zz&tags=x")
    assert [user["name"] for user in listed["users"]] == ["demo"]


async def test_service_user_has_inherited_roles_on_every_project(cloud: Cloud, admin: User) -> None:
    project = (await admin.ok("POST", ID + "/projects", {"project": {"name": "new"}}))["project"]
    service = await cloud.user("isotherm", "new")
    assert {"admin", "member"} <= {role["name"] for role in service.body["roles"]}
    query = f"user.id={service.user_id}&scope.project.id={project['id']}&effective&include_names=true"
    rows = (await admin.ok("GET", f"{ID}/role_assignments?{query}"))["role_assignments"]
    assert {row["role"]["name"] for row in rows} == {"admin", "member", "reader"}
    assert all("OS-INHERIT" in row["links"]["assignment"] for row in rows)


async def test_role_assignment_and_group(cloud: Cloud, admin: User, demo: User) -> None:
    seed = cloud.sim.seed
    role = f"{ID}/projects/{seed.projects['alt_demo']}/users/{demo.user_id}/roles/{seed.roles['member']}"
    assert (await admin.call("HEAD", role)).status == 404
    assert [(await admin.call("PUT", role)).status for _ in range(2)] == [204, 204]
    assert (await admin.call("HEAD", role)).status == 204
    assert (await cloud.user("demo", "alt_demo")).project_id == seed.projects["alt_demo"]
    assert [(await admin.call("DELETE", role)).status for _ in range(2)] == [204, 404]
    group = (await admin.ok("POST", ID + "/groups", {"group": {"name": "g"}}))["group"]["id"]
    await admin.ok("PUT", f"{ID}/projects/{seed.projects['alt_demo']}/groups/{group}/roles/{seed.roles['reader']}")
    await admin.ok("PUT", f"{ID}/groups/{group}/users/{demo.user_id}")
    assert [r["name"] for r in (await cloud.user("demo", "alt_demo")).body["roles"]] == ["reader"]


async def test_deleting_a_user_takes_what_was_his(cloud: Cloud, admin: User, demo: User) -> None:
    await admin.ok("DELETE", f"{ID}/users/{demo.user_id}")
    assert (await demo.net("GET", "/networks")).status == 401
    assert await _post_auth(cloud, _password(cloud, "demo")) == 401


async def test_immutable_roles_and_enabled_domains_stay(cloud: Cloud, admin: User) -> None:
    assert (await admin.call("DELETE", f"{ID}/roles/{cloud.sim.seed.roles['member']}")).status == 403
    assert (await admin.call("DELETE", f"{ID}/domains/default")).status == 403
