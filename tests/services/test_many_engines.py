"""Many engines: `isotherm api` and `isotherm engine` apart, on PostgreSQL and RabbitMQ, by real clients."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.estate import GRACE, LEASE, Estate, estate_fixture

pytestmark = pytest.mark.services

SERVERS = {
    "heat_template_version": "2018-08-31",
    "resources": {
        "net": {"type": "OS::Neutron::Net"},
        "subnet": {"type": "OS::Neutron::Subnet",
                   "properties": {"network": {"get_resource": "net"}, "cidr": "10.1.0.0/24"}},
        "group": {"type": "OS::Heat::ResourceGroup", "properties": {"count": 3, "resource_def": {
            "type": "OS::Nova::Server", "properties": {
                "image": "cirros", "flavor": "m1.tiny", "networks": [{"network": {"get_resource": "net"}}]}}}},
    },
}  # fmt: skip


def slow(seconds: float) -> dict[str, Any]:
    wait = {"type": "OS::Heat::TestResource", "properties": {"action_wait_secs": {"create": seconds}}}
    return {"heat_template_version": "2018-08-31", "resources": {"slow": wait, "net": {"type": "OS::Neutron::Net"}}}


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    yield from estate_fixture(tmp_path)


def until(wanted: Callable[[], Any], seconds: float = 40) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := wanted()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)
    return found


def ends(heat: Any, name: str, status: str = "CREATE_COMPLETE", seconds: float = 60) -> None:
    def over() -> bool:
        stack = heat.get_stack(name)
        if stack.status != status:
            assert stack.status.endswith("IN_PROGRESS"), f"{stack.status}: {stack.status_reason}"
        return bool(stack.status == status)

    until(over, seconds)


def test_engc_05_stacks_of_both_clients_are_run_by_several_engines(estate: Estate) -> None:
    first, second = estate.api(), estate.api()
    engines = [estate.engine(), estate.engine()]
    heat, aws = estate.heat(first), estate.aws(second)
    for number in range(6):
        heat.create_stack(name=f"s{number}", template=SERVERS if number == 0 else slow(1))
    aws.create_stack(StackName="from-aws", TemplateBody='{"Resources": {"Vpc": {"Type": "AWS::EC2::VPC", '
                     '"Properties": {"CidrBlock": "10.0.0.0/16"}}}}')  # fmt: skip
    running = until(lambda: set(estate.owners().values()))
    aws.get_waiter("stack_create_complete").wait(StackName="from-aws")
    for number in range(6):
        ends(heat, f"s{number}")
    ids = {row["id"] for row in estate.rows("SELECT id FROM services")}
    assert len(ids) == 2
    assert running <= ids
    heat.delete_stack(heat.get_stack("s0"))
    until(lambda: heat.find_stack("s0") is None)
    assert [engine.stop() for engine in engines] == [0, 0]
    assert estate.rows("SELECT id FROM services") == []


def test_engc_13_another_engine_goes_on_where_one_was_killed(estate: Estate) -> None:
    heat = estate.heat(estate.api())
    first = estate.engine()
    estate.knob("settings", "PUT", b'{"build_seconds": 8}')
    heat.create_stack(name="s", template=SERVERS)
    until(lambda: estate.objects().get("servers"))
    second = estate.engine()
    first.signal(signal.SIGKILL)
    killed = time.monotonic()
    until(lambda: estate.owners() and "taken over" in second.log())
    taken_over = time.monotonic() - killed
    ends(heat, "s")
    assert taken_over <= LEASE + GRACE + 1
    assert estate.objects()["servers"] == 3
    heat.delete_stack(heat.get_stack("s"))
    until(lambda: heat.find_stack("s") is None)


def test_without_a_broker_everything_takes_a_little_longer(tmp_path: Path) -> None:
    for estate in estate_fixture(tmp_path, rabbit="rabbit://guest:guest@127.0.0.1:9/"):
        api = estate.api()
        estate.engine()
        heat = estate.heat(api)
        heat.create_stack(name="s", template=SERVERS)
        ends(heat, "s")
        heat.delete_stack(heat.get_stack("s"))
        until(lambda heat=heat: heat.find_stack("s") is None)


def test_a_newer_update_reaches_the_engine_that_runs_the_stack(estate: Estate) -> None:
    heat = estate.heat(estate.api())
    estate.engine(), estate.engine()
    heat.create_stack(name="s", template=slow(60))
    until(estate.owners)
    began = time.monotonic()
    heat.delete_stack(heat.get_stack("s"))
    until(lambda: heat.find_stack("s") is None, 15)
    assert time.monotonic() - began < 15


def test_an_old_schema_is_told(estate: Estate) -> None:
    estate.rows("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(AssertionError, match=r"Run `isotherm db upgrade`"):
        estate.engine()


def test_a_serve_on_the_same_database_takes_nothing_away(estate: Estate) -> None:
    heat, engine = estate.heat(estate.api()), estate.engine()
    heat.create_stack(name="s", template=slow(8))
    owners = until(estate.owners)
    before = estate.rows("SELECT epoch FROM stacks")
    estate.serve()
    assert estate.owners() == owners
    ends(heat, "s")
    assert estate.rows("SELECT epoch FROM stacks") == before
    assert "lease of a run was lost" not in engine.log()
