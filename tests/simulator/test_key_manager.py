"""Barbican."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.simulator.conftest import Cloud, User

K = "/key-manager/v1/secrets"


async def _made(user: User, **given: Any) -> str:
    answer = await user.ok("POST", K, {"payload": "s3cret", "payload_content_type": "text/plain", **given})
    return str(answer["secret_ref"]).rpartition("/")[2]


async def test_a_secret_is_made_shown_read_and_deleted(demo: User) -> None:
    secret = await _made(demo, name="db")
    shown = await demo.ok("GET", f"{K}/{secret}")
    assert (shown["name"], shown["status"], shown["content_types"]) == ("db", "ACTIVE", {"default": "text/plain"})
    assert "payload" not in shown
    assert (await demo.call("GET", f"{K}/{secret}/payload")).status == 200
    assert (await demo.call("DELETE", f"{K}/{secret}")).status == 204
    assert (await demo.call("GET", f"{K}/{secret}")).status == 404


async def test_secrets_are_listed_by_name_oldest_first(cloud: Cloud, demo: User) -> None:
    other = await cloud.user("alt_demo")
    made = []
    for _ in range(3):
        made.append(await _made(demo, name="db"))
        cloud.clock.advance(1)
    await _made(demo, name="else")
    await _made(other, name="db")
    found = await demo.ok("GET", K + "?name=db&limit=2")
    assert (found["total"], len(found["secrets"]), "next" in found) == (3, 2, True)
    assert [one["secret_ref"].rpartition("/")[2] for one in found["secrets"]] == made[:2]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"payload_content_type": None}, 400),
        ({"payload": "%", "payload_content_encoding": "base64"}, 400),
        ({"payload": base64.b64encode(b"x").decode(), "payload_content_encoding": "base64"}, 201),
    ],
)
async def test_what_a_secret_may_hold(demo: User, given: dict[str, Any], status: int) -> None:
    body = {"payload": "x", "payload_content_type": "application/octet-stream", **given}
    assert (await demo.call("POST", K, body)).status == status


async def test_another_projects_secret_is_not_there(cloud: Cloud, demo: User) -> None:
    other = await cloud.user("alt_demo")
    assert (await other.call("GET", f"{K}/{await _made(demo)}/payload")).status == 404
