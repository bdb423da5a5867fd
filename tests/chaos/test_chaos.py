"""`make test-chaos`: real processes, killed and paused and cut off at random moments, on a cloud that misbehaves.

A round is a handful of stacks, created, changed and deleted while things go wrong. After each: nothing is stuck,
nothing was made twice, nothing is lost. ROUNDS and SEED are variables.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openstack.exceptions
import pytest
import requests
from keystoneauth1.exceptions import ClientException

from tests.chaos.disturb import Disturber
from tests.services.estate import Estate, estate_fixture

pytestmark = pytest.mark.chaos

ROUNDS = int(os.environ.get("ROUNDS", "200"))
SEED = int(os.environ.get("SEED", str(random.SystemRandom().randrange(2**31))))
STACKS = 4
_STUCK_SECONDS = 240
_WATCHED = ("networks", "subnets", "ports", "servers", "volumes")


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    yield from estate_fixture(tmp_path, engine="create_retries = 8\nstack_action_timeout = 200")


def template(servers: int, size: int) -> dict[str, Any]:
    resources: dict[str, Any] = {
        "net": {"type": "OS::Neutron::Net"},
        "subnet": {"type": "OS::Neutron::Subnet",
                   "properties": {"network": {"get_resource": "net"}, "cidr": "10.1.0.0/24"}},
        "volume": {"type": "OS::Cinder::Volume", "properties": {"size": size}},
    }  # fmt: skip
    for number in range(servers):
        port = f"port{number}"
        resources[port] = {"type": "OS::Neutron::Port", "properties": {"network": {"get_resource": "net"}}}
        resources[f"server{number}"] = {"type": "OS::Nova::Server", "properties": {
            "image": "cirros", "flavor": "m1.tiny", "networks": [{"port": {"get_resource": port}}]}}  # fmt: skip
    return {"heat_template_version": "2018-08-31", "resources": resources}


class Client:
    """The native API, asked again while its process is away."""

    def __init__(self, disturber: Disturber) -> None:
        self._disturber = disturber

    def ask(self, act: Callable[[Any], Any]) -> Any:
        until = time.monotonic() + _STUCK_SECONDS
        while True:
            try:
                heat = self._disturber.estate.heat(self._disturber.api)
                return act(heat)
            except (openstack.exceptions.SDKException, ClientException, requests.RequestException, OSError) as error:
                status = getattr(error, "status_code", None) or getattr(error, "http_status", None)
                if status in (400, 404, 409) or time.monotonic() > until:
                    raise
                time.sleep(0.5)

    def create(self, name: str, body: dict[str, Any]) -> None:
        try:
            self.ask(lambda heat: heat.create_stack(name=name, template=body, disable_rollback=True))
        except openstack.exceptions.ConflictException:
            pass  # the answer to the first attempt was lost, the stack was not

    def update(self, name: str, body: dict[str, Any]) -> None:
        self.ask(lambda heat: heat.update_stack(heat.get_stack(name), template=body))

    def delete(self, name: str) -> None:
        self.ask(lambda heat: heat.delete_stack(name, ignore_missing=True))

    def state(self, name: str) -> str:
        """ "" when there is no such stack."""
        found = self.ask(lambda heat: heat.find_stack(name, ignore_missing=True))
        return "" if found is None else str(found.status)

    def rests(self, name: str) -> str:
        until = time.monotonic() + _STUCK_SECONDS
        while (state := self.state(name)).endswith("IN_PROGRESS"):
            assert time.monotonic() < until, f"{name} is stuck in {state}"
            time.sleep(0.3)
        return state


def expected(shapes: list[tuple[int, int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for servers, _ in shapes:
        found.update({"networks": 1, "subnets": 1, "volumes": 1, "ports": servers, "servers": servers})
    return found


def settled(estate: Estate, wanted: Counter[str]) -> dict[str, int]:
    """What there is in the cloud, once deletions that take a moment are over."""
    until = time.monotonic() + 10
    while True:
        found = {name: estate.objects().get(name, 0) for name in _WATCHED}
        if found == {name: wanted[name] for name in _WATCHED} or time.monotonic() > until:
            return found
        time.sleep(0.2)


@pytest.mark.timeout(0)
def test_nothing_is_lost_made_twice_or_stuck(estate: Estate) -> None:
    chance = random.Random(SEED)
    disturber = Disturber(estate, random.Random(SEED + 1))
    client, before = Client(disturber), Counter(estate.objects())
    disturbing = threading.Thread(target=disturber.run, args=((0.5, 6.0),), daemon=True)
    disturber.faults(on=True)
    disturbing.start()
    outcomes: Counter[str] = Counter()
    began = time.monotonic()
    for number in range(ROUNDS):
        assert disturber.broken is None, (SEED, number)
        names = [f"r{number}-{one}" for one in range(STACKS)]
        shapes = [(chance.randint(0, 3), 1) for _ in names]
        for name, shape in zip(names, shapes, strict=True):
            client.create(name, template(*shape))
        for position, name in enumerate(names):
            outcomes[_mended(client, name, template(*shapes[position]))] += 1
        changed = [(chance.randint(0, 3), chance.randint(1, 2)) for _ in names]
        for name, shape in zip(names, changed, strict=True):
            client.update(name, template(*shape))
        for position, name in enumerate(names):
            outcomes[_mended(client, name, template(*changed[position]))] += 1
        assert settled(estate, expected(changed) + before) == dict_of(expected(changed) + before), (SEED, number)
        for name in names:
            client.delete(name)
        for name in names:
            while client.rests(name) != "":
                client.delete(name)
                outcomes["deleted again"] += 1
        assert settled(estate, before) == dict_of(before), (SEED, number)
    disturber.stop()
    disturbing.join(60)
    assert disturber.broken is None
    for engine in disturber.engines:
        engine.kill()
    print(f"\n{ROUNDS} rounds of {STACKS} stacks, seed {SEED}, {time.monotonic() - began:.0f} s: 0 lost, 0 made twice, "
          f"0 stuck. Disturbances: {disturber.counted}. Ends: {dict(outcomes)}")  # fmt: skip


def dict_of(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in _WATCHED}


def _mended(client: Client, name: str, body: dict[str, Any]) -> str:
    """Let the stack come to rest; one that failed, as a cloud like this makes them, is updated until it is well."""
    first = ends = client.rests(name)
    reasons = []
    while not ends.endswith("COMPLETE"):
        reasons.append(client.ask(lambda heat: heat.get_stack(name).status_reason))
        assert len(reasons) < 10, f"{name}: {ends}: {reasons}"
        client.update(name, body)
        ends = client.rests(name)
    return first
