"""One process is cut off: from its database, from its broker, or without noticing."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.estate import GRACE, LEASE, POSTGRES, RABBIT, Estate, estate_fixture
from tests.services.gate import Gate
from tests.services.test_many_engines import SERVERS, ends, slow, until

pytestmark = pytest.mark.services


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    yield from estate_fixture(tmp_path)


@pytest.fixture
def postgres() -> Iterator[Gate]:
    gate = Gate.to(POSTGRES, 5432)
    yield gate
    gate.close()


@pytest.fixture
def rabbit() -> Iterator[Gate]:
    gate = Gate.to(RABBIT, 5672)
    yield gate
    gate.close()


def _made(estate: Estate) -> dict[str, int]:
    return {name: estate.objects().get(name, 0) for name in ("networks", "subnets", "servers")}


def _begins(estate: Estate, heat: Any) -> None:
    heat.create_stack(name="s", template=SERVERS)
    until(lambda: estate.objects().get("servers"))


@pytest.mark.parametrize("how", ["shut", "freeze"])
def test_an_engine_without_its_database_is_followed_by_another(
    estate: Estate, postgres: Gate, rabbit: Gate, how: str
) -> None:
    before, heat = _made(estate), estate.heat(estate.api())
    estate.knob("settings", "PUT", b'{"build_seconds": 3}')
    first = estate.engine(estate.config_through(postgres, rabbit))
    _begins(estate, heat)
    getattr(postgres, how)()
    second = estate.engine()
    cut = time.monotonic()
    until(lambda: "taken over" in second.log())
    ends(heat, "s")
    assert time.monotonic() - cut < LEASE + GRACE + 30
    postgres.thaw()
    postgres.open()
    assert _made(estate) == {"networks": before["networks"] + 1, "subnets": before["subnets"] + 1, "servers": 3}
    assert first.alive
    heat.create_stack(name="later", template=slow(0.1))
    ends(heat, "later")


def test_an_engine_that_slept_through_its_lease_makes_nothing_twice(estate: Estate) -> None:
    before, heat = _made(estate), estate.heat(estate.api())
    first = estate.engine()
    _begins(estate, heat)
    first.signal(signal.SIGSTOP)
    second = estate.engine()
    until(lambda: "taken over" in second.log())
    first.signal(signal.SIGCONT)
    ends(heat, "s")
    assert _made(estate) == {"networks": before["networks"] + 1, "subnets": before["subnets"] + 1, "servers": 3}
    assert [first.stop(), second.stop()] == [0, 0]


def test_without_a_broker_that_was_there_everything_goes_on(estate: Estate, postgres: Gate, rabbit: Gate) -> None:
    config = estate.config_through(postgres, rabbit)
    heat = estate.heat(estate.api(config))
    estate.engine(config)
    rabbit.freeze()
    heat.create_stack(name="s", template=SERVERS)
    ends(heat, "s")
    rabbit.thaw()
    rabbit.shut()
    heat.delete_stack(heat.get_stack("s"))
    until(lambda: heat.find_stack("s") is None)


def test_requests_while_the_database_is_away_may_be_repeated(estate: Estate, postgres: Gate, rabbit: Gate) -> None:
    api = estate.api(estate.config_through(postgres, rabbit))
    aws = estate.aws(api)
    postgres.shut()
    with pytest.raises(ClientError, match="ServiceUnavailable") as raised:
        aws.describe_stacks()
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    postgres.open()
    assert aws.describe_stacks()["Stacks"] == []


def test_engc_18_a_dead_engine_is_shown_as_down(estate: Estate) -> None:
    api, first, second = estate.api(), estate.engine(), estate.engine()
    first.signal(signal.SIGKILL)
    until(lambda: sorted(estate.engines(api)) == ["down", "up"])
    assert second.stop() == 0
    assert estate.engines(api) == ["down"]
