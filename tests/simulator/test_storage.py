"""Cinder, Glance and Swift."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from tests.simulator.conftest import Cloud, User

C = "/compute/v2.1"


def _v(user: User) -> str:
    return f"/volume/v3/{user.project_id}"


async def _volume(cloud: Cloud, demo: User, **more: Any) -> dict[str, Any]:
    made = (await demo.ok("POST", _v(demo) + "/volumes", {"volume": {"size": 1} | more}))["volume"]
    cloud.clock.advance(1)
    return (await demo.ok("GET", f"{_v(demo)}/volumes/{made['id']}"))["volume"]


async def _server(cloud: Cloud, demo: User, **more: Any) -> str:
    seed = cloud.sim.seed
    body = {"name": "s", "imageRef": seed.images["cirros"], "flavorRef": "1", "networks": []} | more
    body["networks"] = [{"uuid": seed.networks["private"]}]
    made = await demo.ok("POST", C + "/servers", {"server": body})
    cloud.clock.advance(1)
    return made["server"]["id"]


async def test_creating_then_available(cloud: Cloud, demo: User) -> None:
    made = (await demo.ok("POST", _v(demo) + "/volumes", {"volume": {"size": 1}}))["volume"]
    assert (made["status"], made["volume_type"]) == ("creating", "local")
    cloud.clock.advance(0.2)
    assert (await demo.ok("GET", f"{_v(demo)}/volumes/{made['id']}"))["volume"]["status"] == "available"


@pytest.mark.parametrize(
    ("values", "status", "message"),
    [
        ({}, 400, "malformed"),
        ({"size": 0}, 400, "less than the minimum of 1"),
        ({"size": 1, "volume_type": "zz"}, 404, "Volume type with name zz could not be found."),
        ({"size": 1, "availability_zone": "zz"}, 400, "Availability zone 'zz' is invalid."),
        ({"size": 1, "imageRef": str(uuid.uuid4())}, 400, "Invalid image identifier"),
        ({"size": 1, "snapshot_id": str(uuid.uuid4())}, 404, "Snapshot"),
        ({"size": 1, "bogus": 1}, 400, "('bogus' was unexpected)"),
    ],
)
async def test_volumes_refused(demo: User, values: dict[str, Any], status: int, message: str) -> None:
    answer = await demo.call("POST", _v(demo) + "/volumes", {"volume": values})
    (error,) = answer.body.values()
    assert (answer.status, message in error["message"]) == (status, True)


async def test_tokens_m2_metadata_filter_is_applied_and_unknown_ones_are_refused_late(cloud: Cloud, demo: User) -> None:
    volume = await _volume(cloud, demo, metadata={"oe:token": "t1"})
    await _volume(cloud, demo)
    for version in ("3.0", "3.70"):
        demo.versions["volume"] = version
        found = await demo.ok("GET", _v(demo) + "/volumes/detail?metadata=" + quote("{'oe:token': 't1'}"))
        assert [row["id"] for row in found["volumes"]] == [volume["id"]]
    assert (await demo.call("GET", _v(demo) + "/volumes?bogus=1")).status == 400
    demo.versions["volume"] = "3.0"
    assert (await demo.call("GET", _v(demo) + "/volumes?bogus=1")).status == 200


async def test_attach_and_detach(cloud: Cloud, demo: User) -> None:
    volume, server = await _volume(cloud, demo), await _server(cloud, demo)
    path = f"{C}/servers/{server}/os-volume_attachments"
    body = {"volumeAttachment": {"volumeId": volume["id"]}}
    assert (await demo.ok("POST", path, body))["volumeAttachment"]["device"] == "/dev/vdb"
    again = await demo.call("POST", path, body)
    assert "is already attached to instances" in again.body["badRequest"]["message"]
    shown = (await demo.ok("GET", f"{_v(demo)}/volumes/{volume['id']}"))["volume"]
    assert (shown["status"], shown["attachments"][0]["server_id"]) == ("in-use", server)
    assert (await demo.call("DELETE", f"{_v(demo)}/volumes/{volume['id']}")).status == 400
    assert (await demo.call("DELETE", f"{path}/{volume['id']}")).status == 202
    cloud.clock.advance(1)
    shown = (await demo.ok("GET", f"{_v(demo)}/volumes/{volume['id']}"))["volume"]
    assert (shown["status"], shown["attachments"]) == ("available", [])
    assert (await demo.call("DELETE", f"{path}/{volume['id']}")).status == 404


async def test_server_from_a_volume_takes_it_along_when_told(cloud: Cloud, demo: User) -> None:
    device = {"boot_index": 0, "uuid": cloud.sim.seed.images["cirros"], "source_type": "image",
              "destination_type": "volume", "volume_size": 1, "delete_on_termination": True}  # fmt: skip
    kept = await _volume(cloud, demo)
    other = {"boot_index": -1, "uuid": kept["id"], "source_type": "volume", "destination_type": "volume"}
    server = await _server(cloud, demo, imageRef="", block_device_mapping_v2=[device, other])
    assert len((await demo.ok("GET", _v(demo) + "/volumes"))["volumes"]) == 2
    await demo.ok("DELETE", f"{C}/servers/{server}")
    cloud.clock.advance(1)
    await demo.ok("GET", _v(demo) + "/volumes")
    cloud.clock.advance(1)
    left = (await demo.ok("GET", _v(demo) + "/volumes/detail"))["volumes"]
    assert [(row["id"], row["status"]) for row in left] == [(kept["id"], "available")]


async def test_extend_retype_and_snapshots(cloud: Cloud, demo: User) -> None:
    volume = await _volume(cloud, demo)
    path = f"{_v(demo)}/volumes/{volume['id']}"
    assert (await demo.call("POST", path + "/action", {"os-extend": {"new_size": 1}})).status == 400
    for action in ({"os-extend": {"new_size": 3}}, {"os-retype": {"new_type": "multiattach"}}):
        assert (await demo.call("POST", path + "/action", action)).status == 202
        cloud.clock.advance(1)
    shown = (await demo.ok("GET", path))["volume"]
    assert (shown["size"], shown["volume_type"], shown["multiattach"]) == (3, "multiattach", True)
    body = {"snapshot": {"volume_id": volume["id"], "metadata": {"a": "b"}}}
    snapshot = (await demo.ok("POST", _v(demo) + "/snapshots", body))["snapshot"]
    cloud.clock.advance(1)
    assert (await demo.call("DELETE", path)).status == 400
    small = {"volume": {"size": 1, "snapshot_id": snapshot["id"]}}
    assert "cannot be smaller" in (await demo.call("POST", _v(demo) + "/volumes", small)).body["badRequest"]["message"]
    assert (await _volume(cloud, demo, size=3, snapshot_id=snapshot["id"]))["status"] == "available"
    assert (await demo.call("DELETE", f"{_v(demo)}/snapshots/{snapshot['id']}")).status == 202
    cloud.clock.advance(1)
    assert (await demo.call("DELETE", path)).status == 202
    assert (await demo.ok("GET", path))["volume"]["status"] == "deleting"
    cloud.clock.advance(1)
    assert (await demo.call("GET", path)).status == 404


async def test_backups_are_made_written_back_and_removed(cloud: Cloud, demo: User) -> None:
    volume = (await demo.ok("POST", f"{_v(demo)}/volumes", {"volume": {"size": 1}}))["volume"]["id"]
    cloud.clock.advance(5)
    body = {"backup": {"volume_id": volume, "name": "b"}}
    backup = (await demo.ok("POST", f"{_v(demo)}/backups", body))["backup"]["id"]
    path, restore = f"{_v(demo)}/backups/{backup}", {"restore": {"volume_id": volume}}
    assert (await demo.ok("GET", f"{_v(demo)}/volumes/{volume}"))["volume"]["status"] == "backing-up"
    assert (await demo.call("POST", f"{path}/restore", restore)).status == 400
    cloud.clock.advance(5)
    assert "status" not in (await demo.ok("GET", f"{_v(demo)}/backups?name=b"))["backups"][0]
    assert (await demo.ok("GET", f"{_v(demo)}/backups/detail?name=b"))["backups"][0]["status"] == "available"
    assert (await demo.call("POST", f"{path}/restore", restore)).status == 202
    assert (await demo.ok("GET", f"{_v(demo)}/volumes/{volume}"))["volume"]["status"] == "restoring-backup"
    cloud.clock.advance(5)
    assert (await demo.call("DELETE", path)).status == 202
    cloud.clock.advance(5)
    assert (await demo.call("GET", path)).status == 404


# --- Glance --------------------------------------------------------------------------------------------------------
I = "/image/v2/images"  # noqa: E741


async def test_tokens_m1_image_id_is_honoured_and_burnt(demo: User) -> None:
    image_id = str(uuid.uuid4())
    body = {"id": image_id, "name": "i", "oe_token": "x"}
    assert (await demo.ok("POST", I, body))["id"] == image_id
    assert (await demo.call("POST", I, body)).status == 409
    assert (await demo.call("DELETE", f"{I}/{image_id}")).status == 204
    assert (await demo.call("GET", f"{I}/{image_id}")).status == 404
    assert (await demo.call("POST", I, body)).status == 409


async def test_image_filters_are_all_applied(demo: User) -> None:
    await demo.ok("POST", I, {"name": "i", "oe_token": "x", "tags": ["t"]})
    found = [[i["name"] for i in (await demo.ok("GET", f"{I}?{q}"))["images"]]
             for q in ("oe_token=x", "oe_token=y", "tag=t", "name=cirros", "bogus=1")]  # fmt: skip
    assert found == [["i"], [], ["i"], ["cirros"], []]


async def test_image_upload_and_patch(demo: User) -> None:
    made = await demo.ok("POST", I, {"name": "i", "disk_format": "raw", "container_format": "bare"})
    path = f"{I}/{made['id']}"
    assert made["status"] == "queued"
    assert (await demo.call("PUT", path + "/file", data=b"abc")).status == 204
    assert (await demo.call("PUT", path + "/file", data=b"abc")).status == 409
    patch = '[{"op": "replace", "path": "/name", "value": "j"}, {"op": "add", "path": "/k", "value": "v"}]'
    kind = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
    changed = await demo.ok("PATCH", path, data=patch, headers=kind)
    assert (changed["status"], changed["size"], changed["name"], changed["k"]) == ("active", 3, "j", "v")
    assert (await demo.call("GET", path + "/file")).body == "abc"


async def test_public_images_are_administrators(cloud: Cloud, demo: User) -> None:
    assert (await demo.call("POST", I, {"name": "i", "visibility": "public"})).status == 403
    assert (await demo.call("DELETE", f"{I}/{cloud.sim.seed.images['cirros']}")).status == 403


# --- Swift ---------------------------------------------------------------------------------------------------------
async def test_container_put_merges_metadata(demo: User) -> None:
    path = f"/object-store/v1/AUTH_{demo.project_id}/c"
    assert (
        await demo.call("PUT", path, headers={"X-Container-Meta-Oe": "t", "X-Container-Read": ".r:*"})
    ).status == 201
    assert (await demo.call("PUT", path, headers={"X-Container-Meta-Two": "2"})).status == 202
    head = await demo.call("HEAD", path)
    assert (head.status, head.headers["x-container-meta-oe"], head.headers["x-container-meta-two"]) == (204, "t", "2")
    await demo.call("POST", path, headers={"X-Remove-Container-Meta-Oe": "x"})
    assert "x-container-meta-oe" not in (await demo.call("HEAD", path)).headers


async def test_objects(demo: User) -> None:
    path = f"/object-store/v1/AUTH_{demo.project_id}/c"
    assert (await demo.call("PUT", path + "/a/b", data=b"x")).status == 404
    await demo.call("PUT", path)
    headers = {"If-None-Match": "*", "X-Object-Meta-Oe": "t", "Content-Type": "text/plain"}
    answers = [(await demo.call("PUT", path + "/a/b", data=b"hello", headers=headers)).status for _ in range(2)]
    assert answers == [201, 412]
    got = await demo.call("GET", path + "/a/b")
    assert (got.body, got.headers["x-object-meta-oe"]) == ("hello", "t")
    assert [row["name"] for row in (await demo.ok("GET", path + "?format=json"))] == ["a/b"]
    assert (await demo.ok("GET", path + "?format=json&delimiter=/")) == [{"subdir": "a/"}]
    assert (await demo.call("DELETE", path)).status == 409
    assert (await demo.call("DELETE", path + "/a/b")).status == 204
    assert (await demo.call("DELETE", path)).status == 204
    assert (await demo.call("HEAD", path)).status == 404


async def test_foreign_account_is_closed(cloud: Cloud, demo: User) -> None:
    other = await cloud.user("alt_demo")
    assert (await other.call("GET", f"/object-store/v1/AUTH_{demo.project_id}?format=json")).status == 403
