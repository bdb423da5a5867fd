"""Unmodified clients: openstacksdk in a thread, the `openstack` command as a subprocess, keystoneauth's discovery."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openstack
import pytest
import yaml

from simulator import Settings, Simulator


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    simulator = Simulator(Settings(build_seconds=0, delete_seconds=0))
    await simulator.start()
    yield simulator
    await simulator.stop()


def _entry(sim: Simulator, user: str = "demo") -> dict[str, Any]:
    auth = {"auth_url": sim.auth_url, "username": user, "password": sim.seed.passwords[user], "project_name": user,
            "user_domain_name": "Default", "project_domain_name": "Default"}  # fmt: skip
    return {"auth": auth, "region_name": sim.seed.region, "identity_api_version": 3}


def _connect(sim: Simulator, user: str = "demo") -> Any:
    return openstack.connect(load_yaml_config=False, load_envvars=False, **_entry(sim, user))


async def test_sdk_story_of_a_server(sim: Simulator) -> None:
    def story() -> list[str]:
        cloud = _connect(sim)
        network = cloud.network.create_network(name="n")
        subnet = cloud.network.create_subnet(network_id=network.id, cidr="10.1.0.0/24", ip_version=4)
        router = cloud.network.create_router(external_gateway_info={"network_id": sim.seed.networks["public"]})
        cloud.network.add_interface_to_router(router, subnet=subnet.id)
        image, flavor = cloud.image.find_image("cirros"), cloud.compute.find_flavor("m1.tiny")
        server = cloud.compute.create_server(
            name="s", image_id=image.id, flavor_id=flavor.id, networks=[{"uuid": network.id}], key_name="default"
        )
        server = cloud.compute.wait_for_server(server, interval=0.05, wait=20)
        port = next(cloud.network.ports(device_id=server.id))
        fip = cloud.network.create_ip(floating_network_id=sim.seed.networks["public"], port_id=port.id)
        volume = cloud.block_storage.create_volume(size=1, name="v")
        volume = cloud.block_storage.wait_for_status(volume, "available", interval=0.05, wait=20)
        cloud.compute.create_volume_attachment(server, volume_id=volume.id)
        seen = [server.status, fip.status, cloud.block_storage.get_volume(volume).status]
        cloud.network.delete_ip(fip)
        cloud.compute.delete_server(server)
        cloud.compute.wait_for_delete(server, interval=0.05, wait=20)
        cloud.block_storage.delete_volume(volume)
        cloud.network.remove_interface_from_router(router, subnet=subnet.id)
        for delete, thing in ((cloud.network.delete_router, router), (cloud.network.delete_network, network)):
            delete(thing)
        return seen

    assert await asyncio.to_thread(story) == ["ACTIVE", "ACTIVE", "in-use"]


async def test_sdk_lists_every_collection_of_the_services(sim: Simulator) -> None:
    def story() -> dict[str, int]:
        demo, admin = _connect(sim), _connect(sim, "admin")
        lists = {
            "networks": demo.network.networks, "subnets": demo.network.subnets, "ports": demo.network.ports,
            "routers": demo.network.routers, "groups": demo.network.security_groups, "agents": demo.network.agents,
            "rules": demo.network.security_group_rules, "ips": demo.network.ips, "extensions": demo.network.extensions,
            "zones": demo.network.availability_zones, "pools": demo.network.subnet_pools,
            "servers": demo.compute.servers, "flavors": demo.compute.flavors, "keypairs": demo.compute.keypairs,
            "volumes": demo.block_storage.volumes, "types": demo.block_storage.types, "images": demo.image.images,
            "containers": demo.object_store.containers, "users": admin.identity.users,
            "projects": admin.identity.projects, "roles": admin.identity.roles,
            "assignments": admin.identity.role_assignments, "endpoints": admin.identity.endpoints,
            "hypervisors": admin.compute.hypervisors, "services": admin.compute.services,
        }  # fmt: skip
        return {name: len(list(call())) for name, call in lists.items()}

    found = await asyncio.to_thread(story)
    assert (found["networks"], found["flavors"], found["keypairs"], found["types"]) == (2, 7, 2, 2)


async def test_discovery_finds_microversions(sim: Simulator) -> None:
    def story() -> list[Any]:
        cloud = _connect(sim)
        return [
            cloud.compute.get_endpoint_data().max_microversion,
            cloud.block_storage.get_endpoint_data().max_microversion,
            cloud.network.get_endpoint_data().api_version[0],
            cloud.identity.get_endpoint_data().api_version[0],
        ]

    assert await asyncio.to_thread(story) == [(2, 95), (3, 70), 2, 3]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("token issue -f value -c project_id", "{demo}"),
        ("network list -f value -c Name", "public"),
        ("server create --image cirros --flavor m1.tiny --network private --wait s -f value -c status", "ACTIVE"),
        ("image list -f value -c Name", "cirros"),
        ("flavor list -f value -c Name", "m1.xlarge"),
        ("volume create --size 1 v -f value -c name", "v"),
        ("floating ip create public -f value -c status", "DOWN"),
        ("security group list -f value -c Name", "default"),
    ],
)  # fmt: skip
async def test_openstack_command(sim: Simulator, tmp_path: Path, command: str, expected: str) -> None:
    (tmp_path / "clouds.yaml").write_text(yaml.safe_dump({"clouds": {"sim": _entry(sim)}}))
    program = Path(sys.executable).with_name("openstack")
    environment = os.environ | {"OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml"), "OS_CLOUD": "sim"}

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, *command.split()], env=environment, capture_output=True, text=True, timeout=60)

    done = await asyncio.to_thread(run)
    assert done.returncode == 0, done.stderr
    assert expected.format(demo=sim.seed.projects["demo"]) in done.stdout.split()
