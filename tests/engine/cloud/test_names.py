"""Names become ids, and the cloud's facts."""

from __future__ import annotations

import pytest
from aiohttp import web

from engine.cloud.errors import NotFound, Permanent
from engine.cloud.names import KINDS
from engine.cloud.settings import CloudSettings

ID = "1b776ef8-9418-4188-88ab-d99ac2e06a92"
OTHER = "2b776ef8-9418-4188-88ab-d99ac2e06a92"
NETWORKS = "/network/v2.0/networks"


async def test_an_id_is_asked_for_by_itself(cloud, client):
    cloud.on("GET", f"{NETWORKS}/{ID}", (200, {"network": {"id": ID}}))
    assert await client.resolve("network", ID) == ID
    assert cloud.calls == [f"GET {NETWORKS}/{ID}"]


async def test_a_name_is_filtered_and_kept_for_a_minute(cloud, clock, client):
    cloud.on("GET", NETWORKS, (200, {"networks": [{"id": ID, "name": "net"}]}))
    assert await client.resolve("network", "net") == ID
    assert await client.resolve("network", "net") == ID
    assert cloud.calls == [f"GET {NETWORKS}?name=net"]
    clock.offset += 61
    await client.resolve("network", "net")
    assert len(cloud.calls) == 2


async def test_rule_3_a_filter_that_lies_is_not_trusted(cloud, client):
    cloud.on("GET", NETWORKS, (200, {"networks": [{"id": OTHER, "name": "other"}, {"id": ID, "name": "net"}]}))
    assert await client.resolve("network", "net") == ID


async def test_a_name_that_looks_like_an_id_is_found_too(cloud, client):
    cloud.on("GET", NETWORKS, (200, {"networks": [{"id": OTHER, "name": ID}]}))
    assert await client.resolve("network", ID) == OTHER


async def test_an_absent_name_is_not_found_and_not_kept(cloud, client):
    cloud.on("GET", NETWORKS, (200, {"networks": []}), (200, {"networks": [{"id": ID, "name": "net"}]}))
    with pytest.raises(NotFound, match="There is no network with the name or id 'net' that project p-demo can see"):
        await client.resolve("network", "net")
    assert await client.resolve("network", "net") == ID


async def test_an_ambiguous_name_is_permanent_and_tells_the_ids(cloud, client):
    cloud.on("GET", NETWORKS, (200, {"networks": [{"id": ID, "name": "n"}, {"id": OTHER, "name": "n"}]}))
    with pytest.raises(Permanent, match=rf"2 networks are named 'n' \({ID}, {OTHER}\); give the id of one"):
        await client.resolve("network", "n")


async def test_the_project_s_own_goes_before_others_of_that_name(cloud, client):
    rows = [{"id": OTHER, "name": "default", "project_id": "x"}, {"id": ID, "name": "default", "project_id": "p-demo"}]
    cloud.on("GET", "/network/v2.0/security-groups", (200, {"security_groups": rows}))
    assert await client.resolve("security_group", "default") == ID


@pytest.mark.parametrize("given", ["m1.tiny", "1"])
async def test_flavors_are_listed_by_name_or_any_id(cloud, client, given):
    cloud.on("GET", "/compute/v2.1/flavors", (200, {"flavors": [{"id": "1", "name": "m1.tiny"}]}))
    assert await client.resolve("flavor", given) == "1"


async def test_a_key_pair_is_its_name(cloud, client):
    cloud.on("GET", "/compute/v2.1/os-keypairs/my key", (200, {"keypair": {"name": "my key"}}))
    assert await client.resolve("keypair", "my key") == "my key"
    with pytest.raises(NotFound, match="no keypair"):
        await client.resolve("keypair", "other")


async def test_everybody_knows_himself_without_asking(cloud, client):
    assert await client.resolve("project", "demo") == await client.resolve("project", "p-demo") == "p-demo"
    assert await client.resolve("user", "demo") == "u-demo"
    assert cloud.calls == []


async def test_the_id_of_a_user_whom_one_may_not_look_at_is_taken_as_it_is(client):
    assert await client.resolve("user", ID) == ID


async def test_several_names_are_one_listing_which_is_kept(cloud, client):
    rows = [{"id": ID, "name": "a"}, {"id": OTHER, "name": "b", "project_id": "x"}]
    cloud.on("GET", NETWORKS, (200, {"networks": rows}))
    assert await client.resolve_all("network", ["a", "b"]) == {"a": ID, "b": OTHER}
    assert await client.resolve_all("network", [ID, "b", "a"]) == {ID: ID, "b": OTHER, "a": ID}
    assert cloud.calls == [f"GET {NETWORKS}?fields=id&fields=name&fields=project_id"]


async def test_what_a_kept_listing_has_not_is_looked_for_anew(cloud, client):
    old, new = [{"id": ID, "name": "a"}], [{"id": ID, "name": "a"}, {"id": OTHER, "name": "b"}]
    cloud.on("GET", NETWORKS, (200, {"networks": old}), (200, {"networks": new}))
    assert isinstance((await client.resolve_all("network", ["a", "b"]))["b"], NotFound)
    assert await client.resolve_all("network", ["a", "b"]) == {"a": ID, "b": OTHER}


async def test_who_may_not_list_may_still_look_at_one(cloud, client):
    cloud.on("GET", "/image/v2/images", (403, {"message": "no"}))
    cloud.on("GET", f"/image/v2/images/{ID}", (200, {"id": ID}))
    found = await client.resolve_all("image", [ID, "other"])
    assert (found[ID], type(found["other"])) == (ID, Permanent)


async def test_an_unknown_kind_is_permanent(client):
    with pytest.raises(Permanent, match="Nothing is known about names of the kind 'spaceship'"):
        await client.resolve("spaceship", "x")


def test_every_kind_of_the_contract_is_known():
    assert set(KINDS) >= {
        "network", "subnet", "port", "router", "security_group", "flavor", "image", "keypair", "volume",
        "volume_type", "snapshot", "server", "server_group", "project", "user", "role", "domain",
    }  # fmt: skip


ZONES = {"availabilityZoneInfo": [
    {"zoneName": "b", "zoneState": {"available": True}}, {"zoneName": "a", "zoneState": {"available": True}},
    {"zoneName": "c", "zoneState": {"available": False}}, {"zoneName": "internal", "zoneState": {"available": True}},
]}  # fmt: skip


async def test_facts_are_zones_the_only_external_network_and_the_region(cloud, client):
    cloud.on("GET", "/compute/v2.1/os-availability-zone", (200, ZONES))
    cloud.on("GET", NETWORKS, (200, {"networks": [{"id": ID, "router:external": True}, {"id": OTHER}]}))
    assert await client.facts() == {"zones": ["a", "b"], "external_network": ID, "region": "RegionOne"}
    asked = len(cloud.calls)
    await client.facts()
    assert len(cloud.calls) == asked


async def test_of_two_external_networks_only_the_configured_one_is_taken(cloud, connect):
    rows = [{"id": ID, "name": "a", "router:external": True}, {"id": OTHER, "name": "b", "router:external": True}]

    async def networks(request):
        wanted = request.query.get("name")
        return web.json_response({"networks": [row for row in rows if wanted in (None, row["name"])]})

    cloud.on("GET", "/compute/v2.1/os-availability-zone", (200, ZONES))
    cloud.on("GET", NETWORKS, networks)
    assert (await (await (await connect()).own()).facts())["external_network"] is None
    configured = await connect(settings=CloudSettings(external_network="b"))
    assert (await (await configured.own()).facts())["external_network"] == OTHER
