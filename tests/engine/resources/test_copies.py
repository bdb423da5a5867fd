"""Copies of volumes and servers: made once, brought back, removed (heat.md ENGS-09, ENGS-10, ENGU-10)."""

from __future__ import annotations

import pytest

from .harness import Driven


async def found(cloud, service, path, key):
    return await cloud.list(service, path, key)


async def backups(cloud):
    return await found(cloud, "block-storage", "/backups/detail", "backups")


async def images(cloud):
    return [one["name"] for one in await found(cloud, "image", "/images", "images")]


def restores(simulator):
    """(backup, status) of each request to write a volume anew."""
    return [(row["path"].split("/")[-2], row["status"]) for row in simulator.requests.rows()
            if row["path"].endswith("/restore")]  # fmt: skip


@pytest.fixture
async def volume(cloud):
    driven = Driven("OS::Cinder::Volume", {"size": 1}, cloud)
    await driven.create()
    return driven


@pytest.fixture
async def server(cloud):
    properties = {"flavor": "m1.tiny", "image": "cirros", "networks": [{"network": "private"}]}
    driven = Driven("OS::Nova::Server", properties, cloud, address="server")
    await driven.create()
    return driven


async def test_a_volume_is_backed_up_once(cloud, volume):
    first = await volume.kind.save(volume.op(), "copy-1")
    assert await volume.kind.save(volume.op(), "copy-1") == first
    (backup,) = await backups(cloud)
    assert (backup["id"], backup["name"], backup["status"]) == (first["backup_id"], "copy-1", "available")


async def test_a_volume_gets_back_what_its_backup_holds(simulator, cloud, volume):
    saved = await volume.kind.save(volume.op(), "copy-1")
    await volume.kind.restore(volume.op(), saved)
    row = await volume.kind.read(volume.op())
    assert row["status"] == "available"
    assert restores(simulator) == [(saved["backup_id"], 202)]


async def test_servers_let_go_of_a_volume_while_it_is_written(simulator, cloud, volume, server):
    attachment = Driven(
        "OS::Cinder::VolumeAttachment",
        {"instance_uuid": server.physical_id, "volume_id": volume.physical_id, "mountpoint": "/dev/vdx"},
        cloud, address="attachment",
    )  # fmt: skip
    await attachment.create()
    saved = await volume.kind.save(volume.op(), "copy-1")
    await volume.kind.restore(volume.op(), saved)
    row = await volume.kind.read(volume.op())
    assert row["status"] == "in-use"
    assert [(one["server_id"], one["device"]) for one in row["attachments"]] == [(server.physical_id, "/dev/vdx")]
    assert restores(simulator) == [(saved["backup_id"], 202)]
    await attachment.kind.check(attachment.op())
    assert volume.data["lent"] == []


async def test_a_backup_is_removed_by_its_name_too(cloud, volume):
    await volume.kind.save(volume.op(), "copy-1")
    await volume.kind.discard(volume.op(physical_id=None), {"name": "copy-1"})
    assert [one["status"] for one in await backups(cloud)] in ([], ["deleting"])
    await volume.kind.discard(volume.op(physical_id=None), {"name": "copy-1", "backup_id": "none"})


async def test_engu_10_a_volume_leaves_a_backup_behind(cloud, volume):
    await volume.kind.snapshot(volume.op())
    await volume.delete()
    assert [one["status"] for one in await backups(cloud)] == ["available"]
    await volume.kind.snapshot(volume.op())


async def test_a_server_is_built_anew_from_its_image(cloud, server):
    saved = await server.kind.save(server.op(), "copy-1")
    assert await server.kind.save(server.op(), "copy-1") == saved
    assert (await images(cloud)).count("copy-1") == 1
    await server.kind.restore(server.op(), saved)
    row = await server.kind.read(server.op())
    assert (row["status"], row["image"]["id"]) == ("ACTIVE", saved["snapshot_image_id"])
    await server.kind.discard(server.op(physical_id=None), {"name": "copy-1"})
    assert "copy-1" not in await images(cloud)
    await server.kind.discard(server.op(physical_id=None), {"name": "copy-1", **saved})


async def test_a_server_that_boots_from_a_volume_holds_nothing_itself(cloud):
    disk = Driven("OS::Cinder::Volume", {"size": 1, "image": "cirros"}, cloud, address="disk")
    await disk.create()
    devices = [{"volume_id": disk.physical_id, "boot_index": 0}]
    server = Driven(
        "OS::Nova::Server",
        {"flavor": "m1.tiny", "block_device_mapping_v2": devices, "networks": [{"network": "private"}]}, cloud,
    )  # fmt: skip
    await server.create()
    assert await server.kind.save(server.op(), "copy-1") == {}
    await server.kind.restore(server.op(), {"name": "copy-1"})
    assert "copy-1" not in await images(cloud)
