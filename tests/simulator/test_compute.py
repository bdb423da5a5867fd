"""Nova: states, ports, volumes, checks, marks."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.simulator.conftest import Answer, Cloud, User

C = "/compute/v2.1"


@pytest.fixture
async def nova(demo: User) -> User:
    demo.versions["compute"] = "2.93"
    return demo


def _body(cloud: Cloud, **more: Any) -> dict[str, Any]:
    seed = cloud.sim.seed
    server = {"name": "s1", "imageRef": seed.images["cirros"], "flavorRef": "1",
              "networks": [{"uuid": seed.networks["private"]}]}  # fmt: skip
    return {"server": {name: value for name, value in (server | more).items() if value is not ...}}


async def _boot(cloud: Cloud, nova: User, **more: Any) -> dict[str, Any]:
    made = await nova.ok("POST", C + "/servers", _body(cloud, **more))
    cloud.clock.advance(1)
    return (await nova.ok("GET", f"{C}/servers/{made['server']['id']}"))["server"]


async def _act(nova: User, server: dict[str, Any], action: str, argument: Any = None) -> Answer:
    return await nova.call("POST", f"{C}/servers/{server['id']}/action", {action: argument})


async def test_build_takes_its_time(cloud: Cloud, nova: User) -> None:
    made = (await nova.ok("POST", C + "/servers", _body(cloud, adminPass="pw")))["server"]
    assert made["adminPass"] == "pw"
    path = f"{C}/servers/{made['id']}"
    first = (await nova.ok("GET", path))["server"]
    cloud.clock.advance(0.31)
    second = (await nova.ok("GET", path))["server"]
    assert (first["status"], first["OS-EXT-STS:task_state"]) == ("BUILD", "scheduling")
    assert (second["status"], second["OS-EXT-STS:vm_state"]) == ("ACTIVE", "active")
    assert second["addresses"]["private"][0]["OS-EXT-IPS:type"] == "fixed"


@pytest.mark.parametrize(
    ("more", "status", "message"),
    [
        ({"imageRef": str(uuid.uuid4())}, 400, "Can not find requested image"),
        ({"imageRef": ...}, 400, "Missing imageRef attribute"),
        ({"flavorRef": "99"}, 400, "Flavor 99 could not be found."),
        ({"key_name": "zz"}, 400, "Invalid key_name provided."),
        ({"networks": [{"port": str(uuid.uuid4())}]}, 400, "could not be found."),
        ({"networks": ...}, 400, "'networks' is a required property"),
        ({"availability_zone": "zz"}, 400, "The requested availability zone is not available"),
        ({"security_groups": [{"name": "zz"}]}, 400, "Unable to find security_group with name or id 'zz'"),
        ({"user_data": "QUJD" * 22000}, 400, "is too long"),
        ({"metadata": {"a": 1}}, 400, "1 is not of type 'string'"),
        ({"tags": ["a/b"]}, 400, "does not match '^[^,/]*$'"),
        ({"tags": [f"t{n}" for n in range(51)]}, 400, "is too long"),
        ({"bogus": 1}, 400, "Additional properties are not allowed ('bogus' was unexpected)"),
        ({"name": ""}, 400, "'' is too short"),
    ],
)
async def test_refused(cloud: Cloud, nova: User, more: dict[str, Any], status: int, message: str) -> None:
    answer = await nova.call("POST", C + "/servers", _body(cloud, **more))
    assert answer.status == status
    assert message in answer.body["badRequest"]["message"]


BLANK = {"source_type": "blank", "destination_type": "volume", "volume_size": 1}
IMAGE = {"source_type": "image", "destination_type": "local"}
_NOT_BOOTED = "Boot sequence for the instance and image/block device mapping combination is not valid"


@pytest.mark.parametrize(
    ("image", "devices", "said"),
    [
        (True, [BLANK], _NOT_BOOTED),
        (True, [BLANK | {"boot_index": 1}], _NOT_BOOTED),
        (True, [IMAGE | {"boot_index": 0}, BLANK | {"boot_index": 2}], _NOT_BOOTED),
        (False, [BLANK], _NOT_BOOTED),
        (True, [IMAGE | {"boot_index": 1}], "Mapping image to local is not supported"),
        (False, [IMAGE | {"boot_index": 0}], "Mapping image to local is not supported"),
        (True, [IMAGE | {"boot_index": 0}, BLANK | {"boot_index": -1}], ""),
        (True, [BLANK | {"boot_index": "0"}], ""),
        (False, [BLANK | {"boot_index": 0}], ""),
    ],
)
async def test_what_is_booted_from_is_among_the_devices(
    cloud: Cloud, nova: User, image: bool, devices: list[dict[str, Any]], said: str
) -> None:
    cirros = cloud.sim.seed.images["cirros"]
    rows = [{**one, "uuid": cirros} if one["source_type"] == "image" else one for one in devices]
    more = {"block_device_mapping_v2": rows} | ({} if image else {"imageRef": ...})
    answer = await nova.call("POST", C + "/servers", _body(cloud, **more))
    if said:
        assert said in answer.body["badRequest"]["message"]
    else:
        assert answer.status == 202


async def test_network_without_subnet_is_400(cloud: Cloud, nova: User) -> None:
    network = await nova.make("/networks", name="empty")
    answer = await nova.call("POST", C + "/servers", _body(cloud, networks=[{"uuid": network["id"]}]))
    assert answer.body["badRequest"]["message"].endswith("requires a subnet in order to boot instances on.")


async def test_n31_own_port_stays_with_its_floating_ip_and_novas_goes(cloud: Cloud, nova: User) -> None:
    subnet = await nova.subnet("10.1.0.0/24")
    await nova.router(subnet, gateway=cloud.public)
    port = await nova.port(subnet)
    networks = [{"port": port["id"]}, {"uuid": cloud.sim.seed.networks["private"]}]
    server = await _boot(cloud, nova, networks=networks)
    fip = await nova.make("/floatingips", floating_network_id=cloud.public, port_id=port["id"])
    assert fip["status"] == "ACTIVE"
    assert len((await nova.net("GET", f"/ports?device_id={server['id']}")).body["ports"]) == 2
    await nova.ok("DELETE", f"{C}/servers/{server['id']}")
    cloud.clock.advance(1)
    assert (await nova.call("GET", f"{C}/servers/{server['id']}")).status == 404
    assert (await nova.net("GET", f"/ports?device_id={server['id']}")).body["ports"] == []
    left = (await nova.net("GET", f"/ports/{port['id']}")).body["port"]
    assert (left["device_id"], left["status"]) == ("", "DOWN")
    assert (await nova.net("GET", f"/floatingips/{fip['id']}")).body["floatingip"]["port_id"] == port["id"]


async def test_one_port_on_two_servers_is_409(cloud: Cloud, nova: User) -> None:
    networks = [{"port": (await nova.port(await nova.subnet("10.1.0.0/24")))["id"]}]
    await _boot(cloud, nova, networks=networks)
    assert (await nova.call("POST", C + "/servers", _body(cloud, networks=networks))).status == 409


async def test_deleting_takes_a_moment(cloud: Cloud, nova: User) -> None:
    server = await _boot(cloud, nova)
    path = f"{C}/servers/{server['id']}"
    assert (await nova.call("DELETE", path)).status == 204
    assert (await nova.ok("GET", path))["server"]["OS-EXT-STS:task_state"] == "deleting"
    cloud.clock.advance(0.2)
    assert (await nova.call("GET", path)).body["itemNotFound"]["code"] == 404


async def test_tokens_m2_tags_mark_servers_and_other_filters_lie(cloud: Cloud, nova: User) -> None:
    await nova.ok("POST", C + "/servers", _body(cloud, tags=["oe-1"], metadata={"a": "b"}))
    await nova.ok("POST", C + "/servers", _body(cloud, tags=["oe-2"]))

    async def count(query: str) -> int:
        return len((await nova.ok("GET", f"{C}/servers/detail?{query}"))["servers"])

    assert [await count("tags=oe-1"), await count("tags=none")] == [1, 0]
    assert [await count("metadata=zz"), await count("description=zz"), await count("uuid=zz")] == [2, 2, 2]
    assert (await nova.call("GET", f"{C}/servers?bogus=1")).status == 400
    nova.versions["compute"] = "2.1"
    assert [await count("tags=none"), await count("bogus=1")] == [2, 2]
    refused = await nova.call("POST", C + "/servers", _body(cloud, tags=["x"]))
    assert "'tags' was unexpected" in refused.body["badRequest"]["message"]


async def test_name_filter_is_a_regular_expression(cloud: Cloud, nova: User) -> None:
    for name in ("web", "web2"):
        await nova.ok("POST", C + "/servers", _body(cloud, name=name))
    names = [[s["name"] for s in (await nova.ok("GET", f"{C}/servers?name={q}"))["servers"]] for q in ("web", "^web$")]
    assert [sorted(found) for found in names] == [["web", "web2"], ["web"]]


@pytest.mark.parametrize(
    ("action", "argument", "during", "after"),
    [
        ("os-stop", None, "ACTIVE", "SHUTOFF"),
        ("suspend", None, "ACTIVE", "SUSPENDED"),
        ("pause", None, "ACTIVE", "PAUSED"),
        ("reboot", {"type": "SOFT"}, "REBOOT", "ACTIVE"),
        ("rescue", None, "ACTIVE", "RESCUE"),
        ("shelve", None, "ACTIVE", "SHELVED_OFFLOADED"),
        ("resize", {"flavorRef": "2"}, "RESIZE", "VERIFY_RESIZE"),
    ],
)
async def test_actions(cloud: Cloud, nova: User, action: str, argument: Any, during: str, after: str) -> None:
    server = await _boot(cloud, nova)
    assert (await _act(nova, server, action, argument)).status in (200, 202)
    path = f"{C}/servers/{server['id']}"
    busy = (await nova.ok("GET", path))["server"]
    assert (busy["status"], busy["OS-EXT-STS:task_state"] is None) == (during, False)
    assert (await _act(nova, server, action, argument)).status == 409
    cloud.clock.advance(1)
    assert (await nova.ok("GET", path))["server"]["status"] == after


async def test_resize_is_confirmed_or_reverted(cloud: Cloud, nova: User) -> None:
    server = await _boot(cloud, nova)
    assert (await _act(nova, server, "resize", {"flavorRef": "1"})).status == 400
    assert (await _act(nova, server, "confirmResize")).status == 409
    for last, name in (("revertResize", "m1.tiny"), ("confirmResize", "m1.small")):
        await _act(nova, server, "resize", {"flavorRef": "2"})
        cloud.clock.advance(1)
        assert (await _act(nova, server, last)).status in (202, 204)
        cloud.clock.advance(1)
        shown = (await nova.ok("GET", f"{C}/servers/{server['id']}"))["server"]
        assert (shown["status"], shown["flavor"]["original_name"]) == ("ACTIVE", name)


async def test_locked_server_is_not_deleted(cloud: Cloud, nova: User) -> None:
    server = await _boot(cloud, nova)
    await _act(nova, server, "lock")
    assert (await nova.call("DELETE", f"{C}/servers/{server['id']}")).status == 409
    await _act(nova, server, "unlock")
    assert (await nova.call("DELETE", f"{C}/servers/{server['id']}")).status == 204


async def test_rebuild_takes_image_and_name(cloud: Cloud, nova: User) -> None:
    server = await _boot(cloud, nova)
    image = cloud.sim.seed.images["debian-12"]
    answer = await _act(nova, server, "rebuild", {"imageRef": image, "name": "renamed"})
    assert (answer.status, answer.body["server"]["status"]) == (202, "REBUILD")
    cloud.clock.advance(1)
    shown = (await nova.ok("GET", f"{C}/servers/{server['id']}"))["server"]
    assert (shown["status"], shown["name"], shown["image"]["id"]) == ("ACTIVE", "renamed", image)


async def test_interfaces_by_port_and_by_network(cloud: Cloud, nova: User) -> None:
    server = await _boot(cloud, nova)
    path = f"{C}/servers/{server['id']}/os-interface"
    port = await nova.port(await nova.subnet("10.1.0.0/24"))
    by_port = {"interfaceAttachment": {"port_id": port["id"]}}
    assert (await nova.call("POST", path, by_port)).status == 200
    assert (await nova.call("POST", path, by_port)).status == 409
    by_net = {"interfaceAttachment": {"net_id": cloud.sim.seed.networks["private"]}}
    made = [(await nova.ok("POST", path, by_net))["interfaceAttachment"]["port_id"] for _ in range(2)]
    assert len({port["id"], *made}) == 3
    for port_id in (port["id"], made[0]):
        assert (await nova.call("DELETE", f"{path}/{port_id}")).status == 202
    assert (await nova.net("GET", f"/ports/{port['id']}")).status == 200
    assert (await nova.net("GET", f"/ports/{made[0]}")).status == 404


async def test_key_pairs_are_a_users_and_unique(cloud: Cloud, nova: User, admin: User) -> None:
    path = C + "/os-keypairs"
    missing = await nova.call("POST", path, {"keypair": {"name": "k"}})
    assert "'public_key' is a required property" in missing.body["badRequest"]["message"]
    nova.versions["compute"] = "2.79"
    made = (await nova.ok("POST", path, {"keypair": {"name": "k"}}))["keypair"]
    assert made["private_key"].startswith("-----BEGIN")
    again = await nova.call("POST", path, {"keypair": {"name": "k", "public_key": made["public_key"]}})
    assert (again.status, again.body["conflictingRequest"]["message"]) == (409, "Key pair 'k' already exists.")
    marked = made["public_key"].rpartition(" ")[0] + " oe-token"
    kept = (await nova.ok("POST", path, {"keypair": {"name": "m", "public_key": marked}}))["keypair"]
    assert kept["public_key"] == marked
    assert (await admin.call("GET", path + "/k")).status == 404
    assert {row["keypair"]["name"] for row in (await nova.ok("GET", path))["keypairs"]} >= {"default", "dxl-key"}


async def test_flavors_are_made_by_administrators(nova: User, admin: User) -> None:
    body = {"flavor": {"name": "f", "ram": 64, "vcpus": 1, "disk": 1, "id": "chosen"}}
    assert (await nova.call("POST", C + "/flavors", body)).status == 403
    assert (await admin.call("POST", C + "/flavors", body)).status == 200
    assert (await admin.call("POST", C + "/flavors", body)).status == 409
    other = {"flavor": body["flavor"] | {"name": "g"}}
    message = (await admin.call("POST", C + "/flavors", other)).body["conflictingRequest"]["message"]
    assert message == "Flavor with ID chosen already exists."


async def test_server_group(cloud: Cloud, nova: User) -> None:
    body = {"server_group": {"name": "g", "policy": "anti-affinity"}}
    groups = [(await nova.ok("POST", C + "/os-server-groups", body))["server_group"]["id"] for _ in range(2)]
    assert len(set(groups)) == 2  # tokens §4: a second one of the same name
    request = _body(cloud) | {"os:scheduler_hints": {"group": groups[0]}}
    server = (await nova.ok("POST", C + "/servers", request))["server"]["id"]
    shown = (await nova.ok("GET", f"{C}/os-server-groups/{groups[0]}"))["server_group"]
    assert shown["members"] == [server]


@pytest.mark.parametrize(
    ("version", "status"), [("2.1", 200), ("2.95", 200), ("latest", 200), ("2.96", 406), ("x", 400)]
)
async def test_microversions(demo: User, version: str, status: int) -> None:
    answer = await demo.call("GET", C + "/servers", headers={"OpenStack-API-Version": f"compute {version}"})
    assert answer.status == status


async def test_quota_refuses(nova: User, admin: User, cloud: Cloud) -> None:
    await admin.ok("PUT", f"{C}/os-quota-sets/{nova.project_id}", {"quota_set": {"instances": 1}})
    await _boot(cloud, nova)
    answer = await nova.call("POST", C + "/servers", _body(cloud))
    assert (answer.status, "Quota exceeded for instances" in answer.body["forbidden"]["message"]) == (403, True)


async def test_another_projects_server_is_404(cloud: Cloud, nova: User) -> None:
    server = await _boot(cloud, nova)
    other = await cloud.user("alt_demo")
    assert (await other.call("GET", f"{C}/servers/{server['id']}")).status == 404
    assert (await other.call("DELETE", f"{C}/servers/{server['id']}")).status == 404
