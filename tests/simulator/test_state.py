"""What was answered is kept: over a restart, over kill -9, and over a torn last line."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from simulator import Settings, Simulator
from simulator.store import Store
from tests.simulator.conftest import Clock, Cloud


async def _restart(cloud: Cloud) -> Cloud:
    await cloud.sim.stop()
    sim = Simulator(cloud.sim.settings)
    await sim.start()
    return Cloud(sim, cloud.clock, cloud.session)


async def test_everything_survives_a_restart(tmp_path: Path, clock: Clock) -> None:
    sim = Simulator(Settings(state_file=tmp_path / "state", clock=clock))
    await sim.start()
    async with aiohttp.ClientSession() as session:
        cloud = Cloud(sim, clock, session)
        demo = await cloud.user()
        network = await demo.make("/networks", name="kept")
        await demo.net("DELETE", f"/networks/{(await demo.make('/networks', name='gone'))['id']}")
        body = {"name": "s", "imageRef": sim.seed.images["cirros"], "flavorRef": "1",
                "networks": [{"uuid": sim.seed.networks["private"]}]}  # fmt: skip
        server = (await demo.ok("POST", "/compute/v2.1/servers", {"server": body}))["server"]["id"]
        cloud = await _restart(cloud)
        demo.url = cloud.sim.url
        names = {row["name"] for row in (await demo.net("GET", "/networks")).body["networks"]}
        assert names == {"kept", "private", "public"}
        assert (await demo.ok("GET", f"/compute/v2.1/servers/{server}"))["server"]["status"] == "BUILD"
        clock.advance(1)
        assert (await demo.ok("GET", f"/compute/v2.1/servers/{server}"))["server"]["status"] == "ACTIVE"
        assert (await demo.net("GET", f"/networks/{network['id']}")).body["network"]["created_at"]
        catalog = (await cloud.user()).body["catalog"]
        assert all(cloud.sim.url in e["url"] for entry in catalog for e in entry["endpoints"])
        await cloud.sim.stop()


async def test_removed_seed_objects_do_not_come_back(tmp_path: Path, clock: Clock) -> None:
    sim = Simulator(Settings(state_file=tmp_path / "state", clock=clock))
    await sim.start()
    async with aiohttp.ClientSession() as session:
        cloud = Cloud(sim, clock, session)
        admin = await cloud.user("admin")
        await admin.ok("DELETE", "/compute/v2.1/flavors/84")
        cloud = await _restart(cloud)
        admin.url = cloud.sim.url
        assert (await admin.call("GET", "/compute/v2.1/flavors/84")).status == 404
        await cloud.sim.stop()


async def _process(state: Path) -> tuple[asyncio.subprocess.Process, str]:
    command = [sys.executable, "-m", "simulator", "--port", "0", "--state-file", str(state)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(30):
        line = (await process.stdout.readline()).decode()
    return process, line.split()[5].removesuffix("/identity/v3")


async def test_kill_9_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    process, url = await _process(tmp_path / "state")
    sim = Simulator(Settings())
    sim.url = url
    async with aiohttp.ClientSession() as session:
        cloud = Cloud(sim, Clock(), session)
        demo = await cloud.user()
        made = [(await demo.make("/networks", name=f"n{number}"))["id"] for number in range(20)]
        process.send_signal(signal.SIGKILL)
        await process.wait()
        process, sim.url = await _process(tmp_path / "state")
        demo.url = sim.url
        kept = {row["id"] for row in (await demo.net("GET", "/networks")).body["networks"]}
        assert set(made) <= kept
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


def test_torn_last_line_is_dropped_and_a_broken_file_refused(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b'[["t","a",{"id":"a"}]]\n[["t","b",{"id"')
    store = Store(path)
    store.open()
    assert [obj["id"] for obj in store.table("t")] == ["a"]
    store.close()
    path.write_bytes(b"not a journal\n[]\n")
    with pytest.raises(ValueError, match="line 1 is not a journal entry"):
        Store(path).open()
